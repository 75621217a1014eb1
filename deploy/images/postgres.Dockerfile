# PostgreSQL 17 from Debian's packages, for the sovereign build.
ARG BASE=debian:trixie-slim
FROM ${BASE}
RUN groupadd --system --gid 999 postgres && useradd --system --uid 999 --gid 999 --home-dir /var/lib/postgresql postgres \
    && apt-get update && apt-get install -y --no-install-recommends postgresql-17 && rm -rf /var/lib/apt/lists/* \
    && rm -rf /var/lib/postgresql && install -d -o postgres -g postgres -m 700 /var/lib/postgresql/data /run/postgresql
ENV PATH=/usr/lib/postgresql/17/bin:$PATH PGDATA=/var/lib/postgresql/data/pgdata LANG=C.UTF-8
COPY deploy/postgres/entrypoint.sh /entrypoint.sh
USER 999:999
EXPOSE 5432
# Stop at once and end the sessions: SIGTERM would wait for every client.
STOPSIGNAL SIGINT
ENTRYPOINT ["/entrypoint.sh"]
