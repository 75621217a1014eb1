# One image for every service: docker build -f deploy/images/service.Dockerfile --build-arg SERVICE=intake .
#
# BASE is the official slim image, or debian:trixie-slim for the sovereign build, in which Python too comes from Debian's
# packages. A CA of your own enters as a build secret: --secret id=ca,src=/etc/ssl/certs/ca-certificates.crt
#
# Three layers: the root, the libraries that every service uses, and the service. The first two are the same in all images.
ARG BASE=python:3.13-slim-trixie

FROM ${BASE} AS python
RUN command -v python3 >/dev/null \
    || { apt-get update && apt-get install -y --no-install-recommends python3 && rm -rf /var/lib/apt/lists/*; }

FROM python AS root
RUN echo 'desk:x:10001:' >>/etc/group && echo 'desk:x:10001:10001::/nonexistent:/usr/sbin/nologin' >>/etc/passwd
RUN --mount=type=bind,source=deploy/images/slim-root,target=/run/slim-root \
    sh /run/slim-root libhogweed6t64 libnettle8t64

FROM python AS tools
ARG UV_VERSION=0.13.9
ARG PIP_INDEX_URL
RUN if python3 -m ensurepip --version >/dev/null 2>&1; then venv=; else venv=python3-venv; fi \
    && apt-get update && apt-get install -y --no-install-recommends binutils $venv && rm -rf /var/lib/apt/lists/*
RUN --mount=type=secret,id=ca,target=/run/secrets/ca set -eu; \
    if [ -s /run/secrets/ca ]; then export PIP_CERT=/run/secrets/ca; fi; \
    [ -n "${PIP_INDEX_URL:-}" ] || unset PIP_INDEX_URL; \
    python3 -m venv /opt/tools && /opt/tools/bin/pip install --quiet --disable-pip-version-check "uv==$UV_VERSION"
COPY --chmod=755 deploy/images/install-locked /opt/tools/bin/
ENV PATH=/opt/tools/bin:/usr/local/bin:/usr/bin:/bin UV_DEFAULT_INDEX=${PIP_INDEX_URL} UV_NO_CACHE=1
WORKDIR /src
COPY requirements.lock ./
RUN --mount=type=secret,id=ca,target=/run/secrets/ca echo hatchling >build.in && install-locked build.in /opt/tools

FROM tools AS libraries
COPY libs/chassis/pyproject.toml libs/chassis/
COPY libs/database/pyproject.toml libs/database/
COPY libs/iran/pyproject.toml libs/iran/
COPY libs/security/pyproject.toml libs/security/
# A workspace with only these four: the whole project's would change this layer with every service.
RUN --mount=type=secret,id=ca,target=/run/secrets/ca printf '[tool.uv.workspace]\nmembers = ["libs/*"]\n' >pyproject.toml \
    && python3 -m venv --without-pip /opt/desk \
    && echo /opt/service >"$(echo /opt/desk/lib/python3*/site-packages)/service.pth" \
    && install-locked libs/chassis/pyproject.toml libs/database/pyproject.toml libs/iran/pyproject.toml libs/security/pyproject.toml /opt/desk

FROM libraries AS service
ARG SERVICE
COPY pyproject.toml ./
COPY expert-kit/pyproject.toml expert-kit/
COPY local/pyproject.toml local/
COPY tools/contracts/pyproject.toml tools/contracts/
COPY libs libs
COPY services services
COPY deploy/rabbitmq deploy/rabbitmq
COPY expert expert
COPY console console
RUN --mount=type=secret,id=ca,target=/run/secrets/ca set -eu; \
    case "$SERVICE" in \
      topology) own=deploy/rabbitmq ;; \
      console) own=console; with="libs/files expert" ;; \
      intake) own=services/intake; with="libs/files libs/versions" ;; \
      notifier) own=services/notifier; with=libs/versions ;; \
      registry-simulator) own=services/registry-gateway/simulator; with=services/registry-gateway ;; \
      *) own=services/$SERVICE ;; esac; \
    set --; for package in ${with:-} "$own"; do set -- "$@" "$package/pyproject.toml"; done; \
    install-locked "$@" /opt/desk /opt/service; \
    for package in libs/chassis libs/database libs/iran libs/security ${with:-} "$own"; do \
      uv build --quiet --wheel --no-build-isolation --python /opt/tools/bin/python3 --out-dir /wheels "$package"; done; \
    uv pip install --quiet --no-deps --offline --python /opt/desk/bin/python3 --target /opt/service /wheels/*.whl; \
    python3 -m compileall -q --invalidation-mode unchecked-hash /opt/service; \
    ln -s "desk-$SERVICE" /opt/service/bin/command

# The service's modules are imported once where they will run, so that nothing that is left out above is missed later.
FROM root AS checked
COPY --from=libraries /opt/desk /opt/desk
COPY --from=service /opt/service /opt/service
RUN /opt/desk/bin/python3 -B -c 'import desk, importlib, pkgutil; \
[importlib.import_module(each.name) for each in pkgutil.walk_packages(desk.__path__, "desk.") \
if not each.name.startswith("desk.chassis") and ".migrations." not in each.name]'

FROM scratch
COPY --from=root / /
COPY --from=libraries /opt/desk /opt/desk
ARG SERVICE
COPY --from=checked /opt/service /opt/service
LABEL org.opencontainers.image.title="service-desk-${SERVICE}" \
      org.opencontainers.image.description="Service Desk of the Hajj and Pilgrimage Organization: ${SERVICE}"
ENV PATH=/opt/service/bin:/opt/desk/bin:/usr/local/bin:/usr/bin:/bin PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 LANG=C.UTF-8
USER 10001:10001
WORKDIR /tmp
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=5 \
  CMD ["python3", "-ISc", "import urllib.request as u; u.urlopen('http://127.0.0.1:9000/health/ready', timeout=4)"]
ENTRYPOINT ["/opt/service/bin/command"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
