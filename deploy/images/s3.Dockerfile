# An S3 server from MinIO's archived source, built as a Go module, where no image of a maintained build can be had.
#
# A binary that tests/install-servers has built in this checkout is used; otherwise Go builds it here, which needs
# a Go module proxy and a few minutes.
ARG BASE=debian:trixie-slim

FROM ${BASE} AS build
ARG MINIO_VERSION=v0.0.0-20260212201848-7aac2a2c5b7c
ARG GOPROXY
WORKDIR /built
COPY deploy/images/s3.Dockerfile .cach[e]/servers/minio* ./
RUN --mount=type=secret,id=ca,target=/run/secrets/ca set -eu; \
    if [ -x minio ] && [ "$(cat minio.version)" = "$MINIO_VERSION" ]; then exit 0; fi; \
    apt-get update && apt-get install -y --no-install-recommends golang-go ca-certificates; \
    if [ -s /run/secrets/ca ]; then export SSL_CERT_FILE=/run/secrets/ca; fi; \
    [ -n "${GOPROXY:-}" ] || unset GOPROXY; \
    # The archived source names its toolchain; Go gets it from the same proxy.
    export GOTOOLCHAIN=auto CGO_ENABLED=0 GOBIN=/built; \
    go install -trimpath -ldflags '-s -w' "github.com/minio/minio@$MINIO_VERSION"

FROM ${BASE}
COPY --from=build /built/minio /usr/local/bin/minio
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin s3 && install -d -o s3 /data
USER 10001:10001
EXPOSE 9000
ENTRYPOINT ["minio"]
CMD ["server", "/data"]
