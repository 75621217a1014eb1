#!/bin/sh
# Starts Redis with a user for each service (users.acl), with the passwords from the environment.
set -eu
folder=${REDIS_ACL_FOLDER:-/tmp}
umask 077
names='REDIS_PASSWORD CAPTCHA_REDIS_PASSWORD REGISTRY_GATEWAY_REDIS_PASSWORD INTAKE_REDIS_PASSWORD TRACKING_REDIS_PASSWORD NOTIFIER_REDIS_PASSWORD'
for name in $names; do
  eval "value=\${$name-}"
  case $value in
    '' | *[!A-Za-z0-9_-]*) echo "start.sh: $name must be set, with letters, digits, - and _ only" >&2; exit 1 ;;
  esac
done
while read -r line; do
  for name in $names; do
    eval "value=\${$name}"
    line=$(printf '%s' "$line" | sed "s|\${$name}|$value|")
  done
  printf '%s\n' "$line"
done <"${REDIS_ACL_TEMPLATE:-/users.acl}" >"$folder/users.acl"
exec redis-server --aclfile "$folder/users.acl" --appendonly yes --dir "${REDIS_DATA:-/data}" --bind "${REDIS_BIND:-*}" --port "${REDIS_PORT:-6379}"
