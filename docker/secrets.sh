#!/usr/bin/env bash
# Makes the passwords of a cluster, once: .env for docker-compose.yml, and docker/secrets/definitions.json with the users
# and what they may do, for RabbitMQ.
set -euo pipefail
cd "$(dirname "$0")/.."
[ ! -e .env ] || { echo "there is an .env already" >&2; exit 1; }
umask 077
random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

mkdir -p docker/secrets
users=
for user in frontend tron runner admin; do
  password=$(random)
  echo "${user^^}_PASSWORD=$password" >>.env
  [ "$user" = admin ] && tags='["administrator"]' || tags='[]'
  users+="${users:+,}
  {\"name\": \"$user\", \"password\": \"$password\", \"tags\": $tags}"
done
echo "FUNCATRON_TOKEN=$(random)" >>.env
# The rights go on where the file that holds them begins.
{ echo "{\"users\": [$users
],"; tail -n +2 docker/permissions.json; } >docker/secrets/definitions.json
# In the container another user reads it; the folder lets nobody here through.
chmod 644 docker/secrets/definitions.json
