#!/bin/sh
# Creates a database and two roles for each service, with the passwords from the environment. Safe to run again.
#
# <name>_owner owns the database and migrates it; <name> serves: it may connect, and `migrate` grants it rows and no more.
set -eu

make_database() { # name, password of the role that serves, password of the owner
  psql -v ON_ERROR_STOP=1 -q -d postgres -v name="$1" -v owner="$1_owner" -v password="$2" -v owner_password="$3" <<'SQL'
SELECT format('CREATE ROLE %I LOGIN', role) FROM unnest(ARRAY[:'name', :'owner']) AS role
  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) \gexec
SELECT format('ALTER ROLE %I PASSWORD %L', :'name', :'password') \gexec
SELECT format('ALTER ROLE %I PASSWORD %L', :'owner', :'owner_password') \gexec
SELECT format('CREATE DATABASE %I OWNER %I', :'name', :'owner')
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
SELECT format('ALTER DATABASE %I OWNER TO %I', :'name', :'owner') \gexec
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', :'name') \gexec
SELECT format('GRANT CONNECT ON DATABASE %I TO %I', :'name', :'name') \gexec
SQL
  # Until version 0.3 one role did both: what it created belongs to the owner now.
  psql -v ON_ERROR_STOP=1 -q -d "$1" -v name="$1" -v owner="$1_owner" <<'SQL'
REASSIGN OWNED BY :"name" TO :"owner";
ALTER SCHEMA public OWNER TO :"owner";
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
SQL
}

make_database registry_gateway "$REGISTRY_GATEWAY_DB_PASSWORD" "$REGISTRY_GATEWAY_OWNER_DB_PASSWORD"
make_database intake "$INTAKE_DB_PASSWORD" "$INTAKE_OWNER_DB_PASSWORD"
make_database tracking "$TRACKING_DB_PASSWORD" "$TRACKING_OWNER_DB_PASSWORD"
make_database notifier "$NOTIFIER_DB_PASSWORD" "$NOTIFIER_OWNER_DB_PASSWORD"
echo "databases: registry_gateway, intake, tracking and notifier are there"
