#!/bin/sh
# The image's entrypoint: the words of `docker run` are those of `lictor`. For an agent it adds the image's folders and the configuration of
# LICTOR_LOCAL_CONFIG (HCL or JSON). It stays as process 1: Node reaps only the children that it started itself, so that what a script check
# leaves behind would be zombies; a shell that waits reaps them all.
set -u

case ${1:-agent} in
  -*) set -- agent "$@" ;;
esac
if [ "${1:-agent}" = agent ]; then
  [ $# -gt 0 ] && shift
  local_config=${LICTOR_LOCAL_CONFIG:-${CONSUL_LOCAL_CONFIG:-}}
  if [ -n "$local_config" ]; then
    # In memory, even where the disk is read-only; as a flag everybody on the machine could read it.
    (umask 077 && printf '%s' "$local_config" >/dev/shm/lictor-local.hcl) || exit 1
    set -- -config-file=/dev/shm/lictor-local.hcl "$@"
  fi
  # -dev keeps nothing. A flag that comes later wins.
  case " $* " in
    *' -dev '* | *' -dev=true '*) ;;
    *) set -- -data-dir=/lictor/data "$@" ;;
  esac
  set -- agent -config-dir=/lictor/config "$@"
fi
[ $$ -eq 1 ] || exec /opt/lictor/bin/lictor "$@"

# <&0: what runs in the background of a script would read from /dev/null.
/opt/lictor/bin/lictor "$@" <&0 &
child=$!
for name in HUP INT QUIT TERM USR1 USR2; do
  # shellcheck disable=SC2064
  trap "kill -$name $child 2>/dev/null" "$name"
done
# A signal ends `wait` early; the child's own end is what counts.
while :; do
  wait "$child"
  status=$?
  kill -0 "$child" 2>/dev/null || exit "$status"
done
