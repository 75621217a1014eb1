# PostgreSQL 17 from Debian's packages, for the sovereign build.
ARG BASE=debian:trixie-slim
FROM ${BASE}
RUN apt-get update && apt-get install -y --no-install-recommends postgresql-17 && rm -rf /var/lib/apt/lists/* \
    && rm -rf /var/lib/postgresql && install -d -o postgres -g postgres -m 700 /var/lib/postgresql/data /run/postgresql
ENV PATH=/usr/lib/postgresql/17/bin:$PATH PGDATA=/var/lib/postgresql/data/pgdata LANG=C.UTF-8
COPY deploy/postgres/entrypoint.sh /entrypoint.sh
USER postgres
EXPOSE 5432
ENTRYPOINT ["/entrypoint.sh"]
