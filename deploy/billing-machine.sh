#!/bin/sh
# Switches a machine on, lets it do the day's billing, and switches it off again, whatever became of the billing.
#
# Four commands say how, each one line of sh:
#   MACHINE_START  switches the machine on; repeating it is safe
#   MACHINE_READY  succeeds once the machine takes commands
#   MACHINE_RUN    runs pillivery-billing there, and ends with its exit code; one command, which takes SIGTERM
#   MACHINE_STOP   switches the machine off; repeating it is safe
# READY_SECONDS_MAX (300) bounds the wait for the machine, STOP_TRIES_MAX (5) the tries to switch it off.
#
# Ends with the code of MACHINE_RUN, or with 1 when a signal came before it. Ends with 2 when the machine did not start or get ready, and with 4 when it could
# not be switched off: then it costs money until somebody does.
set -u

: "${MACHINE_START:?}" "${MACHINE_READY:?}" "${MACHINE_RUN:?}" "${MACHINE_STOP:?}"
ready_seconds_max=${READY_SECONDS_MAX:-300}
stop_tries_max=${STOP_TRIES_MAX:-5}
run_pid=
is_told_to_end=

say() { printf 'billing-machine: %s\n' "$1" >&2; }

# A signal is handed on, and the machine is switched off once the run has ended.
trap 'is_told_to_end=1; [ -n "$run_pid" ] && kill -TERM "$run_pid" 2>/dev/null' TERM INT

stop_machine() {
  tries=0
  while [ "$tries" -lt "$stop_tries_max" ]; do
    if sh -c "$MACHINE_STOP" >&2; then return 0; fi
    tries=$((tries + 1))
    sleep 1
  done
  say "the machine could not be switched off: do it by hand"
  return 4
}

finish() {
  stop_machine || exit 4
  exit "$1"
}

if ! sh -c "$MACHINE_START" >&2; then
  say "the machine did not start"
  finish 2
fi

waited=0
until sh -c "$MACHINE_READY" >/dev/null 2>&1; do
  if [ "$waited" -ge "$ready_seconds_max" ]; then
    say "the machine was not ready within $ready_seconds_max s"
    finish 2
  fi
  waited=$((waited + 1))
  sleep 1
done

if [ -n "$is_told_to_end" ]; then
  say "told to end before the billing began"
  finish 1
fi

sh -c "exec $MACHINE_RUN" &
run_pid=$!
# A signal ends the wait, not the run.
while :; do
  wait "$run_pid"
  code=$?
  kill -0 "$run_pid" 2>/dev/null || break
done
finish "$code"
