# One image for every service: docker build -f deploy/images/service.Dockerfile --build-arg SERVICE=intake .
#
# BASE is the official slim image, or debian:trixie-slim for the sovereign build, in which Python too comes from Debian's
# packages. A CA of your own enters as a build secret: --secret id=ca,src=/etc/ssl/certs/ca-certificates.crt
ARG BASE=python:3.13-slim-trixie

FROM ${BASE} AS python
RUN command -v python3 >/dev/null \
    || { apt-get update && apt-get install -y --no-install-recommends python3 && rm -rf /var/lib/apt/lists/*; }

FROM python AS build
ARG SERVICE
ARG UV_VERSION=0.13.9
ARG PIP_INDEX_URL
ARG UV_DEFAULT_INDEX=${PIP_INDEX_URL}
RUN python3 -m ensurepip --version >/dev/null 2>&1 \
    || { apt-get update && apt-get install -y --no-install-recommends python3-venv && rm -rf /var/lib/apt/lists/*; }
WORKDIR /src
COPY requirements.lock pyproject.toml ./
COPY libs libs
COPY services services
COPY deploy/rabbitmq deploy/rabbitmq
COPY local/pyproject.toml local/pyproject.toml
RUN --mount=type=secret,id=ca,target=/run/secrets/ca set -eu; \
    if [ -s /run/secrets/ca ]; then export SSL_CERT_FILE=/run/secrets/ca PIP_CERT=/run/secrets/ca; fi; \
    [ -n "${UV_DEFAULT_INDEX:-}" ] || unset UV_DEFAULT_INDEX PIP_INDEX_URL; \
    case "$SERVICE" in topology) own=deploy/rabbitmq ;; *) own=services/$SERVICE ;; esac; \
    python3 -m venv /opt/tools && /opt/tools/bin/pip install --quiet "uv==$UV_VERSION"; \
    python3 -m venv --without-pip /opt/desk; export VIRTUAL_ENV=/opt/desk; uv=/opt/tools/bin/uv; \
    # What this service needs, at the versions and hashes of the one lock: a compile over it keeps both.
    cp requirements.lock needed.lock; \
    $uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-package desk-chassis \
      --no-emit-package desk-iran "$own/pyproject.toml" -o needed.lock; \
    grep -Eo '^[a-zA-Z0-9._-]+==[^ ;]+' needed.lock | while read -r pin; do grep -qF "$pin" requirements.lock \
      || { echo "not in requirements.lock: $pin" >&2; exit 1; }; done; \
    $uv pip install --quiet --require-hashes -r needed.lock; \
    $uv pip install --quiet --no-deps ./libs/chassis ./libs/iran "./$own"; \
    find /opt/desk -name '__pycache__' -prune -exec rm -rf {} +; \
    python3 -m compileall -q -x '/tests/' /opt/desk/lib

FROM python
ARG SERVICE
LABEL org.opencontainers.image.title="service-desk-${SERVICE}" \
      org.opencontainers.image.description="Service Desk of the Hajj and Pilgrimage Organization: ${SERVICE}"
# Nothing that builds or installs stays: what is not there cannot be used by an intruder.
RUN rm -rf /usr/local/lib/python3*/ensurepip /usr/local/lib/python3*/site-packages/pip* /usr/local/bin/pip* \
      /usr/lib/python3*/ensurepip \
    && groupadd --gid 10001 desk && useradd --uid 10001 --gid desk --no-create-home --shell /usr/sbin/nologin desk
COPY --from=build /opt/desk /opt/desk
ENV PATH=/opt/desk/bin:/usr/local/bin:/usr/bin:/bin PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 LANG=C.UTF-8 \
    DESK_COMMAND=desk-${SERVICE}
USER 10001:10001
WORKDIR /tmp
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s --retries=3 \
  CMD ["python3", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/health/ready', timeout=2)"]
ENTRYPOINT ["/bin/sh", "-c", "exec \"$DESK_COMMAND\" \"$@\"", "desk"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
