# An S3 server from MinIO's archived source, built as a Go module, where no image of a maintained build can be had.
ARG BASE=debian:trixie-slim
FROM ${BASE}
COPY .cache/servers/minio /usr/local/bin/minio
RUN useradd --system --no-create-home s3 && install -d -o s3 /data
USER s3
EXPOSE 9000
ENTRYPOINT ["minio"]
CMD ["server", "/data"]
