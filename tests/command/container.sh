#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Process 1 of a container: it reaps, forwards, ends with its server's status, and starts again.
#
#   container.sh VORTEX ALIVE
#
# A container here is a pid namespace below this test's own, with a volume: the promise's directory.
# Needs root; prints TAP.
set -u

VORTEX=$(realpath "$1") ALIVE=$(realpath "$2")
SELF=$(realpath "$0")

# shellcheck source=tests/command/tap.sh
. "$(dirname "$SELF")/tap.sh"
alone -- "$SELF" "$@"

top=$(mktemp -d /tmp/vortex-container-XXXXXX)
trap 'rm -rf "$top"' EXIT

IN=(unshare --mount --pid --fork --kill-child --mount-proc --propagation private)

# boot ARGUMENT...: `vortex run` as process 1, up when its state says so; its pid out here: $one.
boot()
{
    "${IN[@]}" "$VORTEX" run "$@" >"$dir/out" 2>&1 &
    container=$!
    eventually is_up
    one=$(pgrep -P $container)
}

is_up()
{
    local child
    child=$(pgrep -P $container) && has_value phase ready && has_value pid 1 &&
        [ "$(value pidns)" = "$(stat -Lc %i "/proc/$child/ns/pid")" ]
}

# ended STATUS: the container ends, with that.
ended()
{
    local status
    wait $container
    status=$?
    [ $status -eq "$1" ] || problem+="the container ended with $status, not $1: $(cat "$dir/out")\n"
}

# The power cut of a container. unshare can't end as by KILL.
end_hard()
{
    kill -KILL "$one"
    wait $container 2>/dev/null
}

# As docker exec does: enter that one's namespaces.
ENTER=(nsenter --mount --pid --target)

children()
{
    cat "/proc/$one/task/$one/children"
}

# all_alive NUMBER: process 1 has so many children, and each is ALIVE by now, not on its way there.
all_alive()
{
    local child number=0
    for child in $(children); do
        [ "$(tr -d '\0' <"/proc/$child/cmdline")" = "$ALIVE" ] || return
        number=$((number + 1))
    done 2>/dev/null
    [ $number -eq "$1" ]
}

# is_gone_within PID: a number in the container.
is_gone_within()
{
    "${ENTER[@]}" "$one" test ! -e "/proc/$1"
}

has_line()
{
    [ -s "$1" ]
}

# ---- Its end -----------------------------------------------------------------------------------

fresh
for supervise in auto yes; do
    config '[server]' "supervise = $supervise"
    expect 7 '' "${IN[@]}" "$VORTEX" run "${C[@]}" -- sh -c 'exit 7'
    expect 0 '' "${IN[@]}" "$VORTEX" run "${C[@]}" -- true
    expect 138 '' "${IN[@]}" "$VORTEX" run "${C[@]}" -- sh -c 'kill -USR1 $$'
done
expect 7 '' "${IN[@]}" "$VORTEX" run -p "$P" -- sh -c 'exit 7'
kept a_container_ends_with_the_status_of_its_server

fresh
for supervise in auto yes; do
    config '[server]' "supervise = $supervise"
    boot "${C[@]}" -- "$ALIVE"
    kill -TERM "$one"
    ended 143
    check test ! -e "$P"
    boot "${C[@]}" -- sh -c "trap 'exit 0' TERM; echo up >$dir/trapped; while :; do sleep 0.05; done"
    eventually has_line "$dir/trapped"
    rm "$dir/trapped"
    kill -TERM "$one"
    ended 0
done
kept term_ends_the_server_and_so_the_container

fresh
boot -p "$P" -- sh -c "for i in HUP INT QUIT USR1 USR2 WINCH; do trap \"echo \$i >>$dir/got\" \$i; done; echo up >>$dir/got; while :; do sleep 0.05; done"
eventually has_line "$dir/got"
for i in HUP INT QUIT USR1 USR2 WINCH; do
    kill -$i "$one"
    eventually grep -qx $i "$dir/got"
done
kill -TERM "$one"
ended 143
kept signals_are_forwarded

fresh
boot -p "$P" -- sh -c "for i in 1 2 3 4 5 6 7 8 9 10; do (sleep 0.1 & ); (setsid $ALIVE &); done; exec $ALIVE"
eventually all_alive 11
orphan=$("${ENTER[@]}" "$one" sh -c 'sleep 0.1 >/dev/null & echo $!') # of docker exec
eventually is_gone_within "$orphan"
check all_alive 11
kill -TERM "$one"
ended 143
kept every_orphan_is_reaped

# ---- Its files ---------------------------------------------------------------------------------

fresh
for command in "supervise = yes" "supervise = no"; do
    config '[server]' "$command" "command = $ALIVE"
    boot "${C[@]}"
    check test "$(cat "$P")" = 1
    expect 0 running "${ENTER[@]}" "$one" "$VORTEX" status -p "$P"
    # Out here its number is another's: proved, or not known, but never taken for dead.
    "$VORTEX" status -p "$P" >"$dir/status" 2>&1
    case $? in
    0 | 4) ;;
    *) problem+="status outside: $(cat "$dir/status")\n" ;;
    esac
    check is_alive "$one"
    "$VORTEX" start -p "$P" -- "$ALIVE" >"$dir/status" 2>&1 && problem+="started twice\n"
    "$VORTEX" stop -p "$P" >"$dir/status" 2>&1
    check is_alive "$one"
    end_hard
done
kept a_container_is_seen_from_within_and_never_stale_from_without

# Killed as docker stop does at last, and started again: process 1 again, on the same volume.
fresh
for command in "supervise = yes" "supervise = no" "supervise = yes"; do
    config '[server]' "$command" "command = sh -c 'trap \"\" TERM; while :; do sleep 1; done'"
    boot "${C[@]}"
    kill -TERM "$one"
    end_hard
    check test "$(cat "$P")" = 1
    boot "${C[@]}"
    check test "$(cat "$P")" = 1
    expect 0 running "${ENTER[@]}" "$one" "$VORTEX" status -p "$P"
    end_hard
done
config '[server]' "command = $ALIVE"
boot "${C[@]}"
kill -TERM "$one"
ended 143
check test ! -e "$P"
kept a_restarted_container_starts_at_once

finish
