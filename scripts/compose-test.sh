#!/usr/bin/env bash
# Checks what docker-compose.yml starts a cluster from, as far as no registry is needed: the file itself, and a
# RabbitMQ node that reads its settings and makes its users.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'scripts/rabbitmq.sh stop "$work/node"; rm -rf "$work"' EXIT
cp -r docker-compose.yml docker "$work"
rm -rf "$work/docker/secrets"
"$work/docker/secrets.sh"
(cd "$work" && docker-compose config >"$work/whole.yml")
[ "$(grep -c 'image: funcatron' "$work/whole.yml")" = 5 ] || { echo "a service is missing" >&2; exit 1; }

# As in the container, where the settings lie beside those of the image.
scripts/rabbitmq.sh prepare "$work/node"
sed "s#/etc/rabbitmq/#$work/docker/secrets/#" "$work/docker/rabbitmq.conf" >>"$work/node/rabbitmq.conf"
scripts/rabbitmq.sh start "$work/node" >/dev/null
. "$work/.env"
for user in frontend tron runner; do
  password=${user^^}_PASSWORD
  scripts/rabbitmq.sh ctl "$work/node" -q authenticate_user "$user" "${!password}"
done
users=$(scripts/rabbitmq.sh ctl "$work/node" -q list_permissions -p funcatron --no-table-headers | wc -l)
[ "$users" = 3 ] || { echo "$users users may use the virtual host" >&2; exit 1; }
