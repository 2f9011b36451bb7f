#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Supervision, in a pid namespace of this test's own, so that whoever is left over can be counted.
#
#   supervise.sh VORTEX ALIVE SPREAD
#
# SPREAD: a server that spreads: `spread N` forks N double-forked children in sessions of their own,
# `spread bomb N USER` keeps N alive by forking anew. Needs root; prints TAP.
set -u

VORTEX=$(realpath "$1") ALIVE=$(realpath "$2") SPREAD=$(realpath "$3")
SELF=$(realpath "$0")

# shellcheck source=tests/command/tap.sh
. "$(dirname "$SELF")/tap.sh"
alone -- "$SELF" "$@"

# Here the tree is walked; control groups have a test of their own.
hide_groups

top=$(mktemp -d /tmp/vortex-supervise-XXXXXX)
trap 'rm -rf "$top"' EXIT

# How many processes run that program?
count_of()
{
    local exe n=0
    for exe in /proc/[0-9]*/exe; do
        [ "$(readlink "$exe" 2>/dev/null)" != "$1" ] || n=$((n + 1))
    done
    echo $n
}

runs_times()
{
    [ "$(count_of "$1")" -ge "$2" ]
}

# Are there so many processes?
are_many()
{
    set -- "$1" /proc/[0-9]*
    [ $# -gt "$1" ]
}

# The log with what was rotated, oldest first.
whole_log()
{
    local n
    for n in .{20..1} ''; do
        [ ! -e "$dir/log$n" ] || cat "$dir/log$n"
    done
}

milliseconds()
{
    echo $(($(date +%s%N) / 1000000))
}

# ---- Restarts ---------------------------------------------------------------------------------

fresh
config '[server]' "command = sh -c 'date +%%s%%N >>$dir/times; exit 3'" \
    '[restart]' 'policy = on-failure' 'delay = 100ms..400ms' 'limit = 4/1m'
expect 3 "'vortex' ended: gave up" "$VORTEX" run "${C[@]}"
check test "$(wc -l <"$dir/times")" -eq 5
mapfile -t times <"$dir/times"
for i in 0:100 1:200 2:400 3:400; do
    gap=$(((times[${i%:*} + 1] - times[${i%:*}]) / 1000000))
    check test $gap -ge "${i#*:}" # how much later is the machine's; tests/unit/policy has the rule
done
expect 3 'code 3' "$VORTEX" status "${C[@]}"
check test "$(value phase)" = failed
check test "$(value restarts)" = 4
expect 3 'gave up' "$VORTEX" status "${C[@]}"
kept delays_are_the_configured_ones_and_the_limit_holds

fresh
config '[server]' 'command = false' '[restart]' 'policy = always' 'delay = 1h'
expect 0 started "$VORTEX" start "${C[@]}"
eventually grep -q '^next-restart=' "$P.state"
check has_value phase starting
stop_ok # within this test's patience, and not after an hour
kept a_stop_beats_a_pending_restart_at_once

fresh
config '[server]' 'command = sh -c "exit 7"' '[restart]' 'policy = always' 'no-restart-on = 5 7'
expect 7 '' "$VORTEX" run "${C[@]}"
config '[server]' 'command = true' '[restart]' 'policy = on-failure'
expect 0 '' "$VORTEX" run "${C[@]}"
check test ! -e "$P" -a ! -e "$P.state" -a ! -e "$P.lock"
config '[server]' "command = sh -c 'kill -USR1 \$\$'" 'supervise = yes'
expect 138 '' "$VORTEX" run "${C[@]}"
expect 3 'signal USR1' "$VORTEX" status "${C[@]}"
kept an_end_that_is_final_ends_with_the_servers_own_status

fresh
config '[server]' "command = $ALIVE" '[restart]' 'policy = on-failure' 'delay = 10ms'
expect 0 started "$VORTEX" start "${C[@]}"
first=$(value server-pid)
kill -KILL "$first"
eventually has_value restarts 1
eventually has_value phase ready
check test "$(value server-pid)" != "$first"
check test "$(value exit)" = 'signal KILL'
check has_value next-restart ''
check test "$(cat "$P")" = "$(value pid)"
expect 0 running "$VORTEX" status "${C[@]}"
stop_ok
kept a_killed_server_is_started_again_under_the_same_pidfile

# ---- Stops ------------------------------------------------------------------------------------

fresh
alive env
config '[server]' "command = $SPREAD 100" 'supervise = yes'
expect 0 started "$VORTEX" start "${C[@]}"
eventually runs_times "$SPREAD" 101
stop_ok
check test "$(count_of "$SPREAD")" -eq 0
check is_alive $bystander
end $bystander
kept a_hundred_double_forked_children_are_all_gone_after_a_stop

fresh
config '[server]' "command = $SPREAD bomb 500 54321" '[stop]' 'sequence = TERM 100ms'
expect 0 started "$VORTEX" start "${C[@]}"
eventually are_many 400
stop_ok
check test "$(count_of "$SPREAD")" -eq 0
kept a_fork_bomb_is_gone_after_a_stop

fresh
config '[server]' "command = sh -c 'trap \"echo term >>$dir/got\" TERM; trap \"echo usr1 >>$dir/got\" USR1; echo ready >>$dir/got; while :; do sleep 0.05; done'" \
    '[stop]' 'sequence = USR1 200ms, TERM 200ms'
expect 0 started "$VORTEX" start "${C[@]}"
eventually grep -q ready "$dir/got"
begin=$(milliseconds)
stop_ok
took=$(($(milliseconds) - begin))
check test "$(tr '\n' ' ' <"$dir/got")" = 'ready usr1 term '
check test $took -ge 400
kept the_sequence_is_taken_step_by_step_and_ends_in_kill

fresh
config '[server]' "command = sh -c 'trap \"echo hup >>$dir/got\" HUP; trap \"echo usr2 >>$dir/got\" USR2; echo ready >>$dir/got; while :; do sleep 0.05; done'" \
    'supervise = yes'
expect 0 started "$VORTEX" start "${C[@]}"
eventually grep -q ready "$dir/got"
expect 0 '' "$VORTEX" reload "${C[@]}"
eventually grep -q hup "$dir/got"
expect 0 '' "$VORTEX" signal -s USR2 "${C[@]}"
eventually grep -q usr2 "$dir/got"
stop_ok
kept signals_to_the_supervisor_reach_the_server

fresh
config '[server]' "command = sh -c 'trap \"echo hup >>$dir/got\" HUP; trap \"echo usr1 >>$dir/got\" USR1; echo ready >>$dir/got; while :; do sleep 0.05; done'" \
    '[signal]' 'USR1 = reload' 'USR2 = USR1' 'INT = ignore' 'QUIT = stop'
expect 0 'because of \[signal\]' "$VORTEX" check "${C[@]}"
expect 0 started "$VORTEX" start "${C[@]}"
eventually grep -q ready "$dir/got"
supervisor=$(cat "$P")
kill -INT "$supervisor" # it would be the server's death
kill -USR1 "$supervisor"
eventually grep -q hup "$dir/got"
eventually has_value reloaded 1
kill -USR2 "$supervisor"
eventually grep -q usr1 "$dir/got"
check has_value restarts ''
check has_value exit ''
kill -QUIT "$supervisor"
eventually is_dead "$supervisor"
check test ! -e "$P"
kept signals_to_the_supervisor_become_what_the_table_says

# ---- A killed supervisor ----------------------------------------------------------------------

fresh
config '[server]' "command = $ALIVE" 'supervise = yes'
expect 0 started "$VORTEX" start "${C[@]}"
server=$(value server-pid)
kill -KILL "$(cat "$P")"
eventually is_dead "$server"
start_ok
stop_ok
kept a_server_dies_with_its_supervisor

fresh
config '[server]' "command = $ALIVE" 'supervise = yes' 'on-supervisor-death = keep'
expect 0 started "$VORTEX" start "${C[@]}"
server=$(value server-pid)
supervisor=$(cat "$P")
kill -KILL "$supervisor"
eventually is_dead "$supervisor"
expect 0 orphaned "$VORTEX" status "${C[@]}"
expect 1 "supervisor was killed.*pid $server" "$VORTEX" start "${C[@]}"
check is_alive "$server"
expect 0 restarted "$VORTEX" restart "${C[@]}"
check is_dead "$server"
expect 0 'running' "$VORTEX" status "${C[@]}"
supervisor=$(cat "$P")
server=$(value server-pid)
kill -STOP "$supervisor" # it dies while it is being stopped: then the server is stopped too
"$VORTEX" stop -p "$P" >/dev/null &
stop=$!
eventually grep -q '^SigPnd:.*4[0-9a-f][0-9a-f][0-9a-f]$\|^ShdPnd:.*4[0-9a-f][0-9a-f][0-9a-f]$' \
    "/proc/$supervisor/status"
kill -KILL "$supervisor"
wait $stop
check test $? -eq 0
check is_dead "$server"
check test ! -e "$P"
kept a_kept_server_is_orphaned_named_replaced_and_stopped

# ---- Ready and healthy ------------------------------------------------------------------------

cat >"$top/late.py" <<'END'
import socket, sys, time
time.sleep(float(sys.argv[2]))
s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
open(sys.argv[3], "w").write(str(time.monotonic_ns()))
while True:
    c, _ = s.accept()
    c.settimeout(2)
    try:
        c.recv(4096)
        c.sendall(("HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n" % sys.argv[4]).encode())
    except OSError:
        pass
    c.close()
END
cat >"$top/notify.py" <<'END'
import os, signal, socket, time
def say(words):
    name = os.environ["NOTIFY_SOCKET"]
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.connect("\0" + name[1:] if name[0] == "@" else name)
    s.send(words.encode())
say("STATUS=warming up\nEXTEND_TIMEOUT_USEC=60000000")
time.sleep(5)
say("READY=1\nSTATUS=serving")
while True:
    signal.pause()
END

# A loopback of this test's own would need a network namespace; a free port does.
port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')

for kind in "tcp:127.0.0.1:$port" "http://127.0.0.1:$port/"; do
    fresh
    config '[server]' "command = python3 $top/late.py $port 1 $dir/listening '204 OK'" \
        '[ready]' "when = $kind"
    expect 0 started "$VORTEX" start "${C[@]}"
    check test -s "$dir/listening"
    expect 0 'running' "$VORTEX" status "${C[@]}"
    check test "$(value phase)" = ready
    stop_ok
    kept "started_means_serving_by_${kind%%:*}"
done

fresh
config '[server]' "command = python3 $top/late.py $port 0 $dir/listening '503 Busy'" \
    '[ready]' "when = http://127.0.0.1:$port/" 'timeout = 3s'
expect 1 'did not become ready.*503' "$VORTEX" start "${C[@]}"
check test "$(count_of "$(readlink -f "$(command -v python3)")")" -eq 0
config '[server]' "command = sh -c 'exit 4'" '[ready]' 'when = file:/nowhere' \
    '[restart]' 'policy = always'
expect 1 'ended with status 4 before it was ready' "$VORTEX" start "${C[@]}"
check test ! -e "$P"
config '[server]' "command = $ALIVE" '[ready]' 'when = file:/nowhere' 'timeout = 200ms'
expect 143 'ended: not ready: file /nowhere' "$VORTEX" run "${C[@]}"
kept a_server_that_never_gets_ready_is_said_and_not_left_running

fresh
config '[server]' "command = python3 $top/notify.py" '[ready]' 'when = notify' 'timeout = 4s'
expect 0 started "$VORTEX" start "${C[@]}"
eventually has_value status serving
name=$(tr '\0' '\n' <"/proc/$(value server-pid)/environ" | sed -n 's/^NOTIFY_SOCKET=//p')
NOTIFY_SOCKET=$name setsid python3 - <<'END'
import os, socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.connect("\0" + os.environ["NOTIFY_SOCKET"][1:])
s.send(b"STATUS=forged")
END
kill -USR2 "$(cat "$P")" # handled after the datagram, and passed on: the server dies of it
eventually has_value exit 'signal USR2'
check has_value status serving
stop_ok
kept sd_notify_is_heard_of_the_server_and_of_nobody_else

fresh
config '[server]' "command = sh -c 'sleep 0.3; echo ready >&7; exec $ALIVE'" '[ready]' 'when = fd:7'
expect 0 started "$VORTEX" start "${C[@]}"
check test "$(value phase)" = ready
stop_ok
config '[server]' "command = $ALIVE" '[ready]' 'when = fd:7' 'timeout = 300ms'
expect 1 'newline' "$VORTEX" start "${C[@]}"
kept a_newline_on_a_descriptor_is_the_servers_word

fresh
config '[server]' "command = sh -c 'echo warming up; sleep 0.3; echo ready to serve >&2; i=0; while [ \$i -lt 2000 ]; do i=\$((i+1)); echo line \$i; done; exec $ALIVE'" \
    '[log]' "file = $dir/log" 'max-size = 8K' 'keep = 20' '[ready]' 'when = log:^ready'
expect 0 started "$VORTEX" start "${C[@]}"
eventually grep -q 'line 2000' "$dir/log"
eventually test -e "$dir/log.1"
stop_ok
check test "$(whole_log | sha256sum)" = \
    "$({ echo warming up; echo ready to serve; seq -f 'line %.0f' 2000; } | sha256sum)"
expect 0 "line 1999.line 2000" "$VORTEX" logs "${C[@]}" -n 2
config '[server]' "command = sh -c 'echo the reason; exit 9'" '[log]' "file = $dir/log" \
    '[ready]' 'when = log:^ready'
expect 1 'status 9 before it was ready.*the reason' "$VORTEX" start "${C[@]}"
kept the_output_is_kept_rotated_read_and_shown

fresh
touch "$dir/healthy"
config '[server]' "command = $ALIVE" '[health]' "check = file:$dir/healthy" 'interval = 50ms' \
    'failures = 2' '[restart]' 'delay = 10ms'
expect 0 started "$VORTEX" start "${C[@]}"
rm "$dir/healthy"
eventually has_value restarts 1
touch "$dir/healthy"
eventually has_value phase ready
stop_ok
touch "$dir/healthy"
sed -i '/^failures/a action = none' "$dir/x.conf"
expect 0 started "$VORTEX" start "${C[@]}"
first=$(value server-pid)
rm "$dir/healthy"
eventually grep -q 'not healthy' "$P.state"
check test "$(value server-pid)" = "$first"
stop_ok
kept a_server_that_is_not_healthy_is_restarted_or_only_told_of

has_attempts()
{
    [ "$(wc -l <"$top/attempts")" -ge "$1" ]
}

serves_anew()
{
    [ "$(value server-pid)" != "$1" ] && is_alive "$(value server-pid)"
}

# The disk with the state is full; the hook and the server write elsewhere.
fresh
mount -t tmpfs -o nr_inodes=40 none "$dir" || exit 1
config '[server]' "command = sh -c 'grep -qx server-pid=\$\$ $P.state || echo unnamed >>$top/unnamed; exec $ALIVE'" \
    '[hook]' "pre-start = sh -c 'echo >>$top/attempts'" '[restart]' 'policy = always' 'delay = 10ms..50ms'
expect 0 started "$VORTEX" start "${C[@]}"
for n in {1..40}; do
    : 2>/dev/null >"$dir/filler.$n"
done
server=$(value server-pid)
end "$server"
eventually has_attempts 4
check test ! -e "$top/unnamed"
rm "$dir"/filler.*
eventually serves_anew "$server"
expect 0 '' "$VORTEX" stop "${C[@]}"
umount "$dir"
kept a_server_is_restarted_only_where_the_state_can_name_it

# ---- Failures and idleness --------------------------------------------------------------------

fresh
config '[server]' 'command = /nowhere/at-all' '[restart]' 'policy = always'
expect 5 'No such file' "$VORTEX" start "${C[@]}"
check test ! -e "$P"
config '[server]' "command = $ALIVE" 'supervise = yes' 'directory = /nowhere'
expect 1 "directory '/nowhere'" "$VORTEX" start "${C[@]}"
check test ! -e "$P"
kept what_cannot_be_started_is_said_and_leaves_nothing

fresh
config '[server]' "command = $ALIVE" 'supervise = yes'
expect 0 started "$VORTEX" start "${C[@]}"
pid=$(cat "$P")
# Once it has come to rest, a whole second passes without a single switch to it.
slept_for_a_second()
{
    local before
    before=$(grep ctxt "/proc/$pid/status")
    sleep 1
    [ "$before" = "$(grep ctxt "/proc/$pid/status")" ]
}
eventually slept_for_a_second
stop_ok
kept an_idle_supervisor_sleeps

finish
