#!/usr/bin/env bash
# Makes parts of the compose cluster fail, and heals them. Usage:
#   fail.sh leader                who leads
#   fail.sh kill CONTAINER        kill -9, no restart: kill server-2; kill leader; kill client-1
#   fail.sh stop CONTAINER        stop as asked to: a client leaves the cluster
#   fail.sh pause CONTAINER       a process that does nothing, connections left open
#   fail.sh cut MACHINE           takes server-N or node-N off the network
#   fail.sh heal [NAME]           starts, resumes and reconnects that, or everything
#   fail.sh deny | allow          whether caller may call echo
#   fail.sh watch                 what caller sees, until Ctrl-C
set -euo pipefail
cd "$(dirname "$0")"
project=${COMPOSE_PROJECT_NAME:-$(sed -n 's/^COMPOSE_PROJECT_NAME=//p' .env)}
subnet=${LICTOR_SUBNET:-10.85.0}
MACHINES='server-1 server-2 server-3 node-1 node-2'

# Both generations of compose label their containers so.
container() {
  local id
  id=$(docker ps -aq --filter "label=com.docker.compose.project=$project" --filter "label=com.docker.compose.service=$1")
  [ -n "$id" ] || { echo "no container of the service $1 in the project $project" >&2; exit 1; }
  echo "$id"
}
state() { docker inspect -f "{{.State.$2}}" "$(container "$1")"; }
address() { case $1 in server-*) echo "$subnet.1${1#server-}" ;; node-*) echo "$subnet.2${1#node-}" ;; esac; }
is_cut() { [ "$(docker inspect -f "{{index .NetworkSettings.Networks \"$project\"}}" "$(container "$1")")" = '<nil>' ]; }
lictor() { docker exec -i "$(container "$1")" lictor "${@:2}"; }

# On any server that still runs; it may take part of a second until a new leader is known.
leader() {
  local name server deadline=$((SECONDS + 20))
  while [ "$SECONDS" -lt "$deadline" ]; do
    for server in server-1 server-2 server-3; do
      [ "$(state "$server" Running)" = true ] && [ "$(state "$server" Paused)" = false ] && ! is_cut "$server" || continue
      name=$(lictor "$server" operator raft list-peers 2>/dev/null | awk '/ leader /{print $1}') && [ -n "$name" ] && echo "$name" && return
    done
    sleep 0.2
  done
  echo "no leader" >&2
  return 1
}

named() { if [ "$1" = leader ]; then leader; else echo "$1"; fi; }

heal() {
  local id
  id=$(container "$1")
  [ "$(state "$1" Paused)" = false ] || docker unpause "$id" >/dev/null
  [ "$(state "$1" Running)" = true ] || docker start "$id" >/dev/null
  if [[ " $MACHINES " = *" $1 "* ]] && is_cut "$1"; then
    docker network connect --alias "$1" --ip "$(address "$1")" "$project" "$id"
  fi
}

verb=${1:-help}
target=${2:-}
case $verb in
  kill | stop | pause | cut) [ -n "$target" ] || { echo "fail.sh $verb: which one?" >&2; exit 1; } ;;
esac
case $verb in
  leader) leader ;;
  # A kill by hand: the restart policy does not undo it.
  kill) target=$(named "$target") && docker kill "$(container "$target")" >/dev/null && echo "killed $target" ;;
  stop) target=$(named "$target") && docker stop "$(container "$target")" >/dev/null && echo "stopped $target" ;;
  pause) target=$(named "$target") && docker pause "$(container "$target")" >/dev/null && echo "paused $target" ;;
  cut) target=$(named "$target") && docker network disconnect "$project" "$(container "$target")" && echo "cut $target off" ;;
  heal)
    for name in ${target:-$MACHINES client-1 client-2 echo echo-sidecar caller caller-sidecar}; do heal "$name"; done
    echo "healed ${target:-everything}"
    ;;
  deny | allow) lictor client-1 intention create -replace "-$verb" caller echo ;;
  watch) docker logs -f --tail 5 "$(container caller)" ;;
  *) sed -n '2,10s/^# \{0,1\}//p' "$0" ;;
esac
