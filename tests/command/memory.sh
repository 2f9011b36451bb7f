#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a supervisor takes while nothing happens: memory, and no time at all. Of a build without
# sanitizers, in namespaces of this test's own.
#
#   memory.sh VORTEX ALIVE
#
# Needs root; prints TAP.
set -u

VORTEX=$(realpath "$1") ALIVE=$(realpath "$2")
SELF=$(realpath "$0")

# shellcheck source=tests/command/tap.sh
. "$(dirname "$SELF")/tap.sh"
alone -- "$SELF" "$@"

# With control groups of its own a start would be the kernel's time, under load.
hide_groups

top=$(mktemp -d /tmp/vortex-memory-XXXXXX)
trap 'rm -rf "$top"' EXIT

MOST=150     # KiB of PSS a supervisor, with ten of them
RESTARTS=50

# kib FIELD PID...: what those processes have of it, together.
kib()
{
    local field=$1
    shift
    cat "${@/%//smaps_rollup}" | awk -v field="$field:" '$1 == field { n += $2 } END { print n + 0 }'
}

takes_at_most()
{
    local most=$1
    shift
    [ "$(kib Pss "$@")" -le "$most" ]
}

# start_ten VERB [PREFIX]: ten supervisors in $dir/N, each with a server; their /proc/PID are $ten.
start_ten()
{
    local n
    ten=()
    for n in {0..9}; do
        mkdir "$dir/$n"
        P=$dir/$n/x.pid
        if [ "$1" = start ]; then
            expect 0 started "$VORTEX" start -c "$dir/x.conf" -p "$P"
        else
            "$VORTEX" run -c "$dir/x.conf" -p "$P" </dev/null >/dev/null 2>&1 &
            eventually has_value phase ready
        fi
        ten+=("/proc/$(cat "$P")")
    done
}

stop_ten()
{
    for P in "$dir"/[0-9]/x.pid; do
        stop_ok
    done
}

# How often it was put to sleep, or had to wait for a processor.
switches()
{
    grep ctxt_switches "$1/status"
}

for verb in run start; do
    fresh
    config '[server]' "command = $ALIVE" '[restart]' 'policy = always' 'delay = 0s..0s' \
        '[stop]' 'sequence = TERM 20s, KILL 5s'
    start_ten $verb
    eventually takes_at_most $((MOST * 10)) "${ten[@]}" # each settles after it has told of ready
    echo "# $verb: $(($(kib Pss "${ten[@]}") / 10)) KiB each"
    stop_ten
    kept "ten_supervisors_take_at_most_${MOST}_kib_each_after_$verb"
done

# kill_server RESTARTS: it dies, and is ready again: for that many times now.
kill_server()
{
    kill -KILL "$(value server-pid)"
    eventually has_value restarts "$1"
    eventually has_value phase ready
}

# It has let go of the code of its start, most of 800 KiB.
rests()
{
    [ "$(kib Rss "$1")" -le 400 ]
}

has_at_most()
{
    [ "$(kib Anonymous "$1")" -le "$2" ]
}

fresh
config '[server]' "command = $ALIVE" '[restart]' 'policy = always' 'delay = 0s..0s' 'limit = 1000/1h'
expect 0 started "$VORTEX" start "${C[@]}"
supervisor=/proc/$(cat "$P")
eventually rests "$supervisor"
kill_server 1
eventually rests "$supervisor"
first=$(kib Anonymous "$supervisor")
for n in $(seq 2 $RESTARTS); do
    kill_server "$n"
done
eventually has_at_most "$supervisor" $((first + 4)) # one page, by where its calls ended
echo "# $first KiB of its own after one restart, $(kib Anonymous "$supervisor") after $RESTARTS"
stop_ok
kept a_supervisor_does_not_grow_with_its_restarts

fresh
config '[server]' "command = $ALIVE" 'supervise = yes'
expect 0 started "$VORTEX" start "${C[@]}"
supervisor=/proc/$(cat "$P")
eventually rests "$supervisor"
before=$(switches "$supervisor")
sleep 3 # nothing is to happen
check test "$(switches "$supervisor")" = "$before"
stop_ok
kept a_supervisor_sleeps_while_nothing_happens

finish
