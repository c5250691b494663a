#!/usr/bin/env bash
# A Docker Engine for tests: the one that runs, else one of our own in a folder.
#   eval "$(scripts/docker.sh start DIR)"   starts one if none answers, and says where it is
#   eval "$(scripts/docker.sh own DIR)"     starts one for the tests of substrates, whatever else runs: it manages a
#                                           Swarm of its own, and says where it is as FUNCATRON_TEST_DOCKER
#   scripts/docker.sh again DIR             starts that one again, after somebody ended it
#   scripts/docker.sh stop DIR              stops it, if it is our own
set -euo pipefail
command=${1:?start, own, again or stop} dir=${2:?a folder}

start() {
  if docker version >/dev/null 2>&1; then
    return
  fi
  launch
  echo "export DOCKER_HOST=$DOCKER_HOST"
}

# Its containers have no network but the machine's: that leaves the machine's own bridges and rules alone.
alone() {
  launch --bridge none --iptables=false
}

# Whoever was killed may still be there for a moment, and then its file is.
again() {
  local pid
  pid=$(cat "$dir/pid")
  for _ in $(seq 100); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  rm -f "$dir/pid"
  alone
}

own() {
  # A Swarm makes a bridge that nobody else takes away.
  local bridge=/sys/class/net/docker_gwbridge
  [ -e "$bridge" ] || { mkdir -p "$dir" && touch "$dir/made-bridge"; }
  alone
  local ports
  ports=($(python3 -c 'import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(s.getsockname()[1] for s in sockets))'))
  docker swarm init --advertise-addr 127.0.0.1 --listen-addr "127.0.0.1:${ports[0]}" --data-path-port "${ports[1]}" >/dev/null
  echo "export FUNCATRON_TEST_DOCKER=$DOCKER_HOST"
}

launch() {
  command -v dockerd >/dev/null || { echo "dockerd is not installed: run 'make setup'" >&2; exit 1; }
  mkdir -p "$dir"
  dir=$(cd "$dir" && pwd)
  export DOCKER_HOST=unix://$dir/socket
  setsid dockerd --host "$DOCKER_HOST" --data-root "$dir/data" --exec-root "$dir/exec" --pidfile "$dir/pid" "$@" \
    >"$dir/log" 2>&1 </dev/null &
  local engine=$!
  for _ in $(seq 300); do
    if docker version >/dev/null 2>&1; then
      return
    fi
    kill -0 "$engine" 2>/dev/null || break
    sleep 0.1
  done
  echo "dockerd does not start:" >&2
  tail -30 "$dir/log" >&2
  return 1
}

stop() {
  [ -d "$dir" ] || return 0
  dir=$(cd "$dir" && pwd)
  local pid
  pid=$(cat "$dir/pid" 2>/dev/null) || return 0
  kill "$pid" 2>/dev/null || return 0
  for _ in $(seq 300); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  kill -9 "$pid" 2>/dev/null || true
  # One that was killed once leaves containers behind that it does not know, and its data mounted; each leaves network
  # namespaces mounted.
  local shim mounted
  for shim in $(ps -eo pid=,args= | awk -v dir="$dir/" 'index($0, "containerd-shim") && index($0, dir) { print $1 }'); do
    kill -9 $(ps -o pid= --ppid "$shim") "$shim" 2>/dev/null || true
  done
  for mounted in $(awk '{print $2}' /proc/mounts | grep "^$dir/" | sort -r); do umount "$mounted" 2>/dev/null || true; done
  [ ! -e "$dir/made-bridge" ] || ip link delete docker_gwbridge 2>/dev/null || true
}

case $command in
  start) start ;;
  own) own ;;
  again) again ;;
  stop) stop ;;
  *) echo "unknown command: $command" >&2 && exit 2 ;;
esac
