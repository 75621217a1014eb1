#!/bin/sh
# Starts Redis with a user for each service (users.acl), with the passwords from the environment.
set -eu
folder=${REDIS_ACL_FOLDER:-/run/redis}
umask 077
# Only names of the form ${NAME} are replaced; a password has letters, digits, - and _ only.
while read -r line; do
  for name in REDIS_PASSWORD CAPTCHA_REDIS_PASSWORD REGISTRY_GATEWAY_REDIS_PASSWORD INTAKE_REDIS_PASSWORD TRACKING_REDIS_PASSWORD; do
    eval "value=\${$name}"
    line=$(printf '%s' "$line" | sed "s|\${$name}|$value|")
  done
  printf '%s\n' "$line"
done <"${REDIS_ACL_TEMPLATE:-/users.acl}" >"$folder/users.acl"
exec redis-server --aclfile "$folder/users.acl" --appendonly yes --dir "${REDIS_DATA:-/data}" --bind "${REDIS_BIND:-*}" --port "${REDIS_PORT:-6379}"
