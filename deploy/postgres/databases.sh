#!/bin/sh
# Creates a database and a role for each service, with the passwords from the environment. Safe to run again.
set -eu

make_database() { # name, password
  psql -v ON_ERROR_STOP=1 -q -d postgres -v name="$1" -v password="$2" <<'SQL'
SELECT format('CREATE ROLE %I LOGIN', :'name') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'name') \gexec
SELECT format('ALTER ROLE %I PASSWORD %L', :'name', :'password') \gexec
SELECT format('CREATE DATABASE %I OWNER %I', :'name', :'name')
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', :'name') \gexec
SQL
}

make_database registry_gateway "$REGISTRY_GATEWAY_DB_PASSWORD"
make_database intake "$INTAKE_DB_PASSWORD"
make_database tracking "$TRACKING_DB_PASSWORD"
make_database notifier "$NOTIFIER_DB_PASSWORD"
echo "databases: registry_gateway, intake, tracking and notifier are there"
