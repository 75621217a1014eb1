#!/bin/sh
# Creates the cluster on first start, as PostgreSQL's official image would, and starts the server.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  [ -z "${POSTGRES_PASSWORD_FILE:-}" ] || POSTGRES_PASSWORD=$(cat "$POSTGRES_PASSWORD_FILE")
  : "${POSTGRES_PASSWORD:?set POSTGRES_PASSWORD for the superuser}"
  superuser=${POSTGRES_USER:-postgres}
  database=${POSTGRES_DB:-$superuser}
  new=$PGDATA.new # moved into place only once it is complete
  rm -rf "$new"
  umask 077
  printf '%s' "$POSTGRES_PASSWORD" >/tmp/password
  initdb --pgdata "$new" --username "$superuser" --pwfile /tmp/password --encoding UTF8 --locale C.UTF-8 \
    --auth-host scram-sha-256 --auth-local peer
  rm /tmp/password
  echo "host all all all scram-sha-256" >>"$new/pg_hba.conf"
  [ "$database" = postgres ] || printf 'CREATE DATABASE "%s"\n' "$database" | postgres --single -D "$new" postgres >/dev/null
  mv -T "$new" "$PGDATA"
fi
[ "${1:-}" != postgres ] || shift # the official image expects its name there
exec postgres -D "$PGDATA" -c listen_addresses='*' "$@"
