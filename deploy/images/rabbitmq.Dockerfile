# RabbitMQ 4 with its management from Debian's packages, for the sovereign build.
ARG BASE=debian:trixie-slim
FROM ${BASE}
RUN groupadd --system --gid 999 rabbitmq && useradd --system --uid 999 --gid 999 --home-dir /var/lib/rabbitmq rabbitmq \
    && apt-get update && apt-get install -y --no-install-recommends rabbitmq-server && rm -rf /var/lib/apt/lists/* \
    && rabbitmq-plugins enable --offline rabbitmq_management rabbitmq_prometheus
ENV RABBITMQ_LOGS=- LANG=C.UTF-8
USER 999:999
EXPOSE 5672 15672 15692
# Not /usr/sbin/rabbitmq-server: that script writes a log under the root, which is read-only on Kubernetes.
CMD ["/usr/lib/rabbitmq/bin/rabbitmq-server"]
