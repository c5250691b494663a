#!/usr/bin/env bash
# A RabbitMQ node of one's own, in one folder: its data, log, ports and password. Beside any other node, as any user.
#   eval "$(scripts/rabbitmq.sh start DIR)"   starts it (again, on the same ports, if DIR holds one) and says where it is
#   scripts/rabbitmq.sh prepare DIR        makes DIR alone, for whoever wants to add to DIR/rabbitmq.conf
#   scripts/rabbitmq.sh stop DIR              stops it; what is in DIR stays
#   scripts/rabbitmq.sh ctl DIR ...           rabbitmqctl for it
# DIR/pid names its process, for whoever wants to see it die. PLUGINS= starts it without the management API.
# With DIR/cert.pem and DIR/key.pem, it speaks TLS.
set -euo pipefail
command=${1:?prepare, start, stop or ctl} dir=${2:?a folder}
shift 2
bin=/usr/lib/rabbitmq/bin
[ -x "$bin/rabbitmq-server" ] || bin=$(dirname "$(command -v rabbitmq-server || echo /missing)")
[ -x "$bin/rabbitmq-server" ] || { echo "rabbitmq-server is not installed: run 'make setup'" >&2; exit 1; }

prepare() {
  mkdir -p "$dir"
  # The ports are free now; the first is for clients, the second for HTTP, the third for rabbitmqctl.
  python3 - "$dir" <<'PYTHON'
import os, secrets, socket, sys
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
amqp, http, node = (s.getsockname()[1] for s in sockets)
password = secrets.token_hex(16)
def write(name, text):
    with open(os.open(os.path.join(sys.argv[1], name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
scheme, listener = "amqp", f"listeners.tcp.1 = 127.0.0.1:{amqp}"
if os.path.exists(os.path.join(sys.argv[1], "cert.pem")):
    folder = os.path.abspath(sys.argv[1])
    scheme, listener = "amqps", f"""listeners.tcp = none
listeners.ssl.1 = 127.0.0.1:{amqp}
ssl_options.certfile = {folder}/cert.pem
ssl_options.keyfile = {folder}/key.pem"""
write("rabbitmq.conf", f"""{listener}
management.tcp.ip = 127.0.0.1
management.tcp.port = {http}
default_user = funcatron
default_pass = {password}
disk_free_limit.absolute = 50MB
""")
write("ports", f"amqp={amqp} http={http} node={node}\n")
write("env", f"""export FUNCATRON_TEST_BROKER={scheme}://funcatron:{password}@127.0.0.1:{amqp}
export FUNCATRON_TEST_BROKER_API=http://funcatron:{password}@127.0.0.1:{http}
""")
PYTHON
  local plugin plugins=
  for plugin in ${PLUGINS-rabbitmq_management}; do plugins+=${plugins:+,}$plugin; done
  echo "[$plugins]." >"$dir/enabled_plugins"
}

environment() {
  dir=$(cd "$dir" && pwd)
  local amqp http node
  eval "$(cat "$dir/ports")"
  ports=("$amqp")
  [ "$(cat "$dir/enabled_plugins")" = "[]." ] || ports+=("$http")
  # Erlang's cookie lies in the home directory.
  export HOME=$dir RABBITMQ_BASE=$dir RABBITMQ_NODENAME=funcatron-$amqp@localhost RABBITMQ_DIST_PORT=$node
  export RABBITMQ_CONFIG_FILE=$dir/rabbitmq.conf RABBITMQ_ADVANCED_CONFIG_FILE=$dir/advanced.config
  export RABBITMQ_CONF_ENV_FILE=$dir/none RABBITMQ_ENABLED_PLUGINS_FILE=$dir/enabled_plugins
  export RABBITMQ_MNESIA_BASE=$dir/data RABBITMQ_LOG_BASE=$dir/log RABBITMQ_PID_FILE=$dir/pid
  export ERL_EPMD_ADDRESS=127.0.0.1
}

answers() {
  local port
  for port in "${ports[@]}"; do (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || return 1; done
}

start() {
  [ -f "$dir/env" ] || prepare
  environment
  rm -f "$dir/pid"
  setsid "$bin/rabbitmq-server" >"$dir/out" 2>&1 </dev/null &
  local server=$!
  for _ in $(seq 600); do
    if answers && [ -s "$dir/pid" ]; then
      cat "$dir/env"
      return
    fi
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
  done
  echo "RabbitMQ does not start:" >&2
  tail -30 "$dir/out" >&2
  return 1
}

stop() {
  local pid
  pid=$(cat "$dir/pid" 2>/dev/null) || return 0
  kill -CONT "$pid" 2>/dev/null || true
  kill "$pid" 2>/dev/null || return 0
  for _ in $(seq 200); do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -9 "$pid" 2>/dev/null || true
}

case $command in
  prepare) prepare ;;
  start) start ;;
  stop) stop ;;
  ctl) environment && "$bin/rabbitmqctl" -n "$RABBITMQ_NODENAME" "$@" ;;
  *) echo "unknown command: $command" >&2 && exit 2 ;;
esac
