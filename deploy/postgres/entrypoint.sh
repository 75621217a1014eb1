#!/bin/sh
# Makes the cluster on first start, as PostgreSQL's official image would, and serves it.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  [ -z "${POSTGRES_PASSWORD_FILE:-}" ] || POSTGRES_PASSWORD=$(cat "$POSTGRES_PASSWORD_FILE")
  : "${POSTGRES_PASSWORD:?set POSTGRES_PASSWORD for the superuser}"
  umask 077
  printf '%s' "$POSTGRES_PASSWORD" >/tmp/password
  initdb --pgdata "$PGDATA" --encoding UTF8 --locale C.UTF-8 --auth-host scram-sha-256 --auth-local peer --pwfile /tmp/password
  rm /tmp/password
  echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
fi
[ "${1:-}" != postgres ] || shift # the official image wants its name there
exec postgres -D "$PGDATA" -c listen_addresses='*' "$@"
