#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Hooks, the commands of stop and reload, reloads that are waited for, and the server's own word; in
# a pid namespace of this test's own, so that whoever is left over can be counted.
#
#   hooks.sh VORTEX ALIVE
#
# Needs root; prints TAP.
set -u

VORTEX=$(realpath "$1") ALIVE=$(realpath "$2")
SELF=$(realpath "$0")

# shellcheck source=tests/command/tap.sh
. "$(dirname "$SELF")/tap.sh"
alone -- "$SELF" "$@"

top=$(mktemp -d /tmp/vortex-hooks-XXXXXX)
chmod 755 "$top"
trap 'rm -rf "$top"' EXIT

# say FILE WORD...: what a hook does: a line in that file of $dir. Each hook of a config is one.
cat >"$top/note" <<'END'
#!/bin/bash
file=$1
shift
printf '%s\n' "$* name=${VORTEX_NAME-} pid=${VORTEX_PID-} exit=${VORTEX_EXIT-} ${EXTRA-} $(id -u) $PWD" >>"$file"
END
# wait-for FILE: until it is there.
cat >"$top/wait-for" <<'END'
#!/bin/bash
until [ -e "$1" ]; do sleep 0.01; done
END
chmod 755 "$top/note" "$top/wait-for"

# A server that speaks as sd_notify does, what it is told by lines of the file named in its argument:
# one message a line, sent as soon as it stands there. On HUP it sends what stands in FILE.hup.
cat >"$top/speaker.py" <<'END'
import os, signal, socket, sys, time
def say(words):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.connect("\0" + os.environ["NOTIFY_SOCKET"][1:])
    s.send(words.encode())
def hup(*_):
    for words in open(sys.argv[1] + ".hup"):
        say(words.replace("\\n", "\n").strip())
    open(sys.argv[1] + ".heard", "a").write("hup\n")
signal.signal(signal.SIGHUP, hup)
signal.signal(signal.SIGTERM, signal.SIG_DFL)
said = 0
while True:
    for words in open(sys.argv[1]).read().split("\n")[:-1][said:]:
        said += 1
        if words.startswith("exit "):
            sys.exit(int(words[5:]))
        if words == "fork":
            end, other = os.pipe()
            if os.fork() == 0:
                os.setsid()
                say("MAINPID=%d\nREADY=1" % os.getpid())
                os.close(other)
            else:
                os.close(other)
                os.read(end, 1)
                os._exit(0)
        elif words == "fork below":
            if os.fork() == 0:
                say("MAINPID=%d" % os.getpid())
            else:
                os.wait()
                time.sleep(1000)
        else:
            say(words.replace("\\n", "\n"))
    time.sleep(0.01)
END

# How many processes run that program?
count_of()
{
    local exe n=0
    for exe in /proc/[0-9]*/exe; do
        [ "$(readlink "$exe" 2>/dev/null)" != "$1" ] || n=$((n + 1))
    done
    echo $n
}

# ---- Hooks ------------------------------------------------------------------------------------

fresh
config '[server]' "command = sh -c 'echo server >>$dir/got; exec $ALIVE'" "directory = $dir" 'environment = EXTRA=more' \
    '[hook]' "pre-start = $top/note $dir/got pre-start" "post-start = $top/note $dir/got post-start" \
    "pre-stop = $top/note $dir/got pre-stop" "post-stop = $top/note $dir/got post-stop %n 'a b'"
expect 0 'supervise.*\[hook\]' "$VORTEX" check "${C[@]}"
expect 0 started "$VORTEX" start "${C[@]}"
server=$(value server-pid)
stop_ok
check test "$(cat "$dir/got")" = "pre-start name=vortex pid= exit= more 0 $dir
server
post-start name=vortex pid=$server exit= more 0 $dir
pre-stop name=vortex pid=$server exit= more 0 $dir
post-stop vortex a b name=vortex pid= exit=signal TERM more 0 $dir"
kept each_hook_runs_in_its_turn_with_the_servers_environment

fresh
nobody=$(id -u nobody)
config '[server]' "command = $ALIVE" 'user = nobody' "directory = $dir" \
    '[hook]' "pre-start = sh -c 'id -u; echo on the way >&2'" '[log]' "file = $dir/log"
expect 0 started "$VORTEX" start "${C[@]}"
eventually grep -q 'on the way' "$dir/log"
check grep -qx "$nobody" "$dir/log"
stop_ok
kept a_hook_runs_as_the_servers_user_and_speaks_into_its_log

fresh
config '[server]' "command = sh -c 'touch $dir/ran; exec $ALIVE'" '[log]' "file = $dir/log" \
    '[hook]' "pre-start = sh -c 'echo the reason; exit 3'" "post-stop = $top/note $dir/got post-stop"
expect 1 'its hook failed: pre-start: exit status 3.*the reason' "$VORTEX" start "${C[@]}"
check test ! -e "$dir/ran" -a ! -e "$P"
check grep -q 'post-stop name=vortex pid= exit= ' "$dir/got"
expect 1 "'vortex' ended: cannot start: pre-start: exit status 3" "$VORTEX" run "${C[@]}"
config '[server]' "command = sh -c 'touch $dir/ran; exec $ALIVE'" \
    '[hook]' "pre-start = sh -c 'setsid sleep 1000 & sleep 1000'" 'timeout = 100ms'
expect 1 'pre-start: no answer within 100 ms' "$VORTEX" start "${C[@]}"
check test ! -e "$dir/ran" -a ! -e "$P"
check test "$(count_of "$(readlink -f "$(command -v sleep)")")" -eq 0
config '[server]' "command = $ALIVE" '[hook]' 'pre-start = /nowhere/at-all'
expect 1 'pre-start: exit status 127' "$VORTEX" start "${C[@]}"
kept a_failed_pre_start_is_a_failed_start

fresh
config '[server]' "command = $ALIVE" '[hook]' "post-start = sh -c 'exit 4'" \
    "pre-stop = $top/note $dir/got pre-stop" "post-stop = $top/note $dir/got post-stop"
expect 1 'its hook failed: post-start: exit status 4' "$VORTEX" start "${C[@]}"
check test ! -e "$P"
check test "$(count_of "$ALIVE")" -eq 0
check test "$(cut -d' ' -f1,4- "$dir/got")" = "post-stop exit=signal TERM  0 /"
config '[server]' "command = sh -c 'sleep 0.2; exit 5'" '[hook]' 'post-start = sleep 1000'
expect 1 'ended with status 5 before it was ready' "$VORTEX" start "${C[@]}"
check test "$(count_of "$(readlink -f "$(command -v sleep)")")" -eq 0
kept a_failed_post_start_stops_the_server

fresh
config '[server]' "command = $ALIVE" '[restart]' 'policy = always' 'delay = 10ms' \
    '[hook]' "pre-start = $top/note $dir/got pre-start" "pre-stop = $top/note $dir/got pre-stop" \
    "post-stop = $top/note $dir/got post-stop"
expect 0 started "$VORTEX" start "${C[@]}"
kill -KILL "$(value server-pid)"
eventually has_value restarts 1
eventually has_value phase ready
stop_ok
check test "$(sed 's/ name=.*exit=\(.*\)  0 .*/ \1/' "$dir/got")" = "pre-start 
post-stop signal KILL
pre-start 
pre-stop 
post-stop signal TERM"
kept after_a_crash_post_stop_runs_and_pre_stop_does_not

fresh
config '[server]' "command = $ALIVE" '[hook]' \
    "pre-start = sh -c 'touch $dir/begun; exec $top/wait-for $dir/go'" \
    "post-start = $top/wait-for $dir/go2" "pre-stop = $top/wait-for $dir/go3" 'timeout = infinity'
"$VORTEX" start "${C[@]}" >"$dir/said" 2>&1 &
starter=$!
eventually test -e "$dir/begun"
expect 0 running "$VORTEX" status "${C[@]}"
stop_ok
wait $starter
check test $? -eq 1
check grep -q 'stopped before' "$dir/said"
"$VORTEX" start "${C[@]}" >"$dir/said" 2>&1 &
starter=$!
eventually test -e "$P"
touch "$dir/go"
eventually grep -q server-pid "$P.state"
check has_value phase starting
touch "$dir/go2"
wait $starter
check test $? -eq 0
check has_value phase ready
server=$(value server-pid)
"$VORTEX" stop "${C[@]}" >"$dir/stopped" &
stopper=$!
eventually has_value phase stopping
check is_alive "$server"
touch "$dir/go3"
wait $stopper
check is_dead "$server"
check test ! -e "$P"
kept a_stop_beats_a_pre_start_and_status_goes_on_working

# ---- The commands of a stop and of a reload ---------------------------------------------------

fresh
config '[server]' "command = sh -c 'trap \"echo term >>$dir/got\" TERM; echo ready >>$dir/got; while [ ! -e $dir/end ]; do sleep 0.02; done'" \
    '[stop]' "command = sh -c 'echo stop \$VORTEX_PID >>$dir/got; touch $dir/end'"
expect 0 '\[stop\] command' "$VORTEX" check "${C[@]}"
expect 0 started "$VORTEX" start "${C[@]}"
eventually grep -q ready "$dir/got"
server=$(value server-pid)
stop_ok
check test "$(cat "$dir/got")" = "ready
stop $server"
rm "$dir/end" "$dir/got"
config '[server]' "command = sh -c 'trap \"echo term >>$dir/got; exit\" TERM; echo ready >>$dir/got; while :; do sleep 0.02; done'" \
    '[stop]' 'command = false' 'sequence = INT 1h, KILL 1h'
sed -i 's/INT/TERM/' "$dir/x.conf"
expect 0 started "$VORTEX" start "${C[@]}"
eventually grep -q ready "$dir/got"
stop_ok
check grep -q term "$dir/got"
rm "$dir/got"
sed -i 's/^command = false/command = sleep 1000/; s/^sequence.*/sequence = INT 100ms, TERM 1h/' "$dir/x.conf"
expect 0 started "$VORTEX" start "${C[@]}"
eventually grep -q ready "$dir/got"
stop_ok
check grep -q term "$dir/got"
check test "$(count_of "$(readlink -f "$(command -v sleep)")")" -eq 0
kept a_stop_command_stands_for_the_first_signal

fresh
config '[server]' "command = $ALIVE" '[ready]' "when = file:$dir/ready" '[reload]' \
    "command = sh -c 'echo \$VORTEX_PID >>$dir/got; rm $dir/ready; (sleep 0.5; touch $dir/ready) & exit 0'" \
    'timeout = 1h'
touch "$dir/ready"
expect 0 started "$VORTEX" start "${C[@]}"
server=$(value server-pid)
expect 0 '' "$VORTEX" reload "${C[@]}"
check test -e "$dir/ready"
check test "$(cat "$dir/got")" = "$server"
check has_value phase ready
check has_value reloads 1
check has_value reloaded 1
sed -i "s|^command = sh.*|command = sh -c 'exit 9'|" "$dir/x.conf"
expect 1 "cannot reload 'vortex': reload command: exit status 9" "$VORTEX" reload "${C[@]}"
check is_alive "$server"
check has_value phase ready
check grep -q 'reload command: exit status 9' "$P.state"
sed -i "s|^command = sh.*|command = true|; s/^timeout.*/timeout = 300ms/" "$dir/x.conf"
rm "$dir/ready"
expect 1 "file $dir/ready" "$VORTEX" reload "${C[@]}"
sed -i "s|^command = true|command = sh -c 'setsid sleep 1000 \& sleep 1000'|" "$dir/x.conf"
expect 1 "its time is over" "$VORTEX" reload "${C[@]}"
none_sleeps()
{
    [ "$(count_of "$(readlink -f "$(command -v sleep)")")" -eq 0 ]
}
eventually none_sleeps
check has_value status 'reload failed: reload command: its time is over'
check is_alive "$server"
stop_ok
kept a_reload_ends_when_the_server_is_ready_again_or_says_why_not

fresh
config '[server]' "command = $ALIVE" '[reload]' "command = $top/wait-for $dir/go"
expect 0 started "$VORTEX" start "${C[@]}"
"$VORTEX" reload "${C[@]}" &
first=$!
eventually has_value phase reloading
"$VORTEX" reload "${C[@]}" &
second=$!
"$VORTEX" reload "${C[@]}" &
third=$!
check is_alive $first
touch "$dir/go"
wait $first
check test $? -eq 0
wait $second
check test $? -eq 0
wait $third
check test $? -eq 0
eventually has_value phase ready
check test "$(value reloads)" -ge 2
check test "$(value reloads)" = "$(value reloaded)"
rm "$dir/go"
"$VORTEX" reload "${C[@]}" 2>"$dir/said" &
first=$!
eventually has_value phase reloading
stop_ok
wait $first
check test $? -eq 1
check grep -q 'being stopped\|ended meanwhile' "$dir/said"
kept reloads_that_meet_are_all_waited_for_and_a_stop_beats_them

fresh
config '[server]' "command = $ALIVE" 'supervise = yes'
expect 0 started "$VORTEX" start "${C[@]}"
expect 1 "cannot reload 'vortex': .*ended" "$VORTEX" reload "${C[@]}"
config '[server]' "command = $ALIVE" '[restart]' 'policy = on-failure' 'delay = 1h'
expect 0 started "$VORTEX" start "${C[@]}"
expect 1 "cannot reload 'vortex': the server ended" "$VORTEX" reload "${C[@]}"
eventually grep -q '^next-restart=' "$P.state"
expect 0 '^$' "$VORTEX" reload "${C[@]}"
check grep -q '^next-restart=' "$P.state"
stop_ok
kept a_server_that_dies_of_the_reload_is_a_failed_reload

fresh
config '[server]' "command = $ALIVE" '[ready]' "when = file:$dir/ready" '[reload]' \
    "command = touch $dir/reloaded"
"$VORTEX" start "${C[@]}" >"$dir/said" 2>&1 &
starter=$!
eventually grep -qs server-pid "$P.state"
"$VORTEX" reload "${C[@]}" &
reloader=$!
kill -HUP "$(cat "$P")"
check is_alive $reloader
check test ! -e "$dir/reloaded"
touch "$dir/ready"
wait $starter
check test $? -eq 0
wait $reloader
check test $? -eq 0
check test -e "$dir/reloaded"
stop_ok
kept a_reload_of_a_server_that_starts_waits_until_it_is_ready

fresh
config '[server]' "command = $ALIVE" '[hook]' "pre-start = $top/wait-for $dir/never"
"$VORTEX" run "${C[@]}" &
supervisor=$!
waits()
{
    pgrep -f "^/bin/bash $top/wait-for $dir/never" >"$dir/hook"
}
eventually waits
end $supervisor
eventually is_dead "$(cat "$dir/hook")"
kept a_hook_dies_with_its_supervisor

# ---- Our own configuration --------------------------------------------------------------------

fresh
config '[server]' "command = $ALIVE" '[restart]' 'policy = on-failure' 'delay = 1h' \
    '[reload]' 'signal = WINCH' '[stop]' 'signal = KILL'
expect 0 started "$VORTEX" start "${C[@]}"
server=$(value server-pid)
sed -i 's/^delay.*/delay = 10ms/; s/^signal = KILL/signal = INT/' "$dir/x.conf"
expect 0 '^$' "$VORTEX" reload "${C[@]}"
sed -i "s|^command.*|command = $ALIVE more|" "$dir/x.conf"
sed -i '1a umask = 0077' "$dir/x.conf"
printf '[hook]\npost-stop = %s\n' "$top/note $dir/got post-stop" >>"$dir/x.conf"
expect 0 'wait for a restart: server.command server.umask' "$VORTEX" reload "${C[@]}"
check has_value needs-restart 'server.command server.umask'
check has_value status 'these wait for a restart: server.command server.umask'
sed -i 's/^policy.*/polcy = always/' "$dir/x.conf"
expect 1 "x.conf:[0-9]*: unknown key 'polcy' in \[restart\]: did you mean 'policy'" "$VORTEX" reload -p "$P"
check is_alive "$server"
kill -HUP "$(cat "$P")"
eventually grep -q "reload-failure=.*polcy" "$P.state"
sed -i 's/^polcy.*/policy = always/' "$dir/x.conf"
expect 0 'wait for a restart' "$VORTEX" reload "${C[@]}"
kill -KILL "$server"
eventually has_value restarts 1
eventually has_value phase ready
check grep -q 'post-stop' "$dir/got"
stop_ok
check grep -q 'exit=signal INT' "$dir/got"
kept a_reload_applies_what_it_can_of_our_own_configuration_and_names_the_rest

fresh
touch "$dir/healthy"
config '[server]' "command = $ALIVE" '[health]' "check = file:$dir/nowhere" 'interval = 1h' \
    'failures = 1' '[restart]' 'delay = 10ms' '[reload]' 'signal = WINCH'
expect 0 started "$VORTEX" start "${C[@]}"
sed -i 's/^interval.*/interval = 10ms/' "$dir/x.conf"
expect 0 '^$' "$VORTEX" reload "${C[@]}"
eventually grep -q '^restarts=' "$P.state"
sed -i "s|^check.*|check = file:$dir/healthy|" "$dir/x.conf"
reloaded()
{
    "$VORTEX" reload "${C[@]}" >/dev/null 2>&1
}
eventually reloaded
eventually has_value phase ready
stop_ok
kept another_health_check_is_applied_by_a_reload

# ---- The server's own word --------------------------------------------------------------------

fresh
config '[server]' "command = python3 $top/speaker.py $dir/words" '[ready]' 'when = notify'
echo 'READY=1' >"$dir/words"
echo 'RELOADING=1' >"$dir/words.hup"
expect 0 started "$VORTEX" start "${C[@]}"
server=$(value server-pid)
printf '%s\n' 'RELOADING=1\nSTATUS=thinking' >>"$dir/words"
eventually has_value status thinking
check has_value phase reloading
echo 'READY=1' >>"$dir/words"
eventually has_value phase ready
"$VORTEX" reload "${C[@]}" &
reloader=$!
eventually test -e "$dir/words.heard"
eventually has_value phase reloading
check is_alive $reloader
echo 'READY=1' >>"$dir/words"
wait $reloader
check test $? -eq 0
check has_value phase ready
check has_value reloaded 1
printf '[reload]\ntimeout = 200ms\n' >>"$dir/x.conf"
expect 1 'has not sent READY=1 again' "$VORTEX" reload "${C[@]}"
check is_alive "$server"
check has_value phase ready
stop_ok
kept a_notify_server_is_reloading_from_RELOADING_to_READY

fresh
config '[server]' "command = python3 $top/speaker.py $dir/words" '[ready]' 'when = notify' \
    '[reload]' 'timeout = 500ms'
echo 'READY=1' >"$dir/words"
touch "$dir/words.hup"
expect 0 started "$VORTEX" start "${C[@]}"
# The first time a whole second is allowed for, which this timeout doesn't leave.
expect 1 'has not sent READY=1 again' "$VORTEX" reload "${C[@]}"
printf '[reload]\ntimeout = 1m\n' >>"$dir/x.conf"
sed -i '/^timeout = 500ms/d' "$dir/x.conf"
expect 0 '^$' "$VORTEX" reload "${C[@]}" # it was silent for a second
sed -i 's/^timeout = 1m/timeout = 500ms/' "$dir/x.conf"
expect 0 '^$' "$VORTEX" reload "${C[@]}" # and now that is known
echo 'RELOADING=1' >"$dir/words.hup"
expect 1 'has not sent READY=1 again' "$VORTEX" reload "${C[@]}"
stop_ok
kept a_notify_server_that_never_says_RELOADING_is_waited_for_once

fresh
config '[server]' "command = python3 $top/speaker.py $dir/words" '[ready]' 'when = notify' \
    '[restart]' 'policy = on-failure' '[hook]' "pre-stop = touch $dir/pre-stop"
echo 'READY=1' >"$dir/words"
expect 0 started "$VORTEX" start "${C[@]}"
pid=$(cat "$P")
echo 'STOPPING=1' >>"$dir/words"
eventually has_value phase stopping
expect 1 'is being stopped' "$VORTEX" reload "${C[@]}"
kill -TERM "$(value server-pid)"
eventually is_dead "$pid"
check test ! -e "$P" -a ! -e "$dir/pre-stop"
kept a_server_that_says_it_stops_is_stopping_and_has_not_crashed

fresh
config '[server]' "command = python3 $top/speaker.py $dir/words" '[ready]' 'when = notify'
printf '%s\n' 'ERRNO=98' 'exit 7' >"$dir/words"
expect 1 'ended with status 7 before it was ready: Address .*in use' "$VORTEX" start "${C[@]}"
printf '%s\n' 'READY=1' 'ERRNO=98' 'exit 7' >"$dir/words"
expect 7 'the server failed: Address .*in use' "$VORTEX" run "${C[@]}"
kept ERRNO_is_the_reason_of_a_failure

fresh
config '[server]' "command = python3 $top/speaker.py $dir/words" '[ready]' 'when = notify'
echo 'fork' >"$dir/words"
expect 0 started "$VORTEX" start "${C[@]}"
server=$(value server-pid)
check is_alive "$server"
is_child_of()
{
    [ "$(cut -d' ' -f4 "/proc/$1/stat")" = "$2" ]
}
eventually is_child_of "$server" "$(cat "$P")"
alive setsid
printf '%s\n' "MAINPID=$bystander\nSTATUS=forged" >>"$dir/words"
eventually has_value status forged
check has_value server-pid "$server"
end $bystander
pid=$(cat "$P")
kill -KILL "$server"
eventually is_dead "$pid"
check has_value exit 'signal KILL'
echo 'fork' >"$dir/words"
expect 0 started "$VORTEX" start "${C[@]}"
server=$(value server-pid)
stop_ok
check is_dead "$server"
kept MAINPID_names_the_server_from_then_on_if_it_is_below_us

fresh
config '[server]' "command = python3 $top/speaker.py $dir/words" '[ready]' 'when = notify'
echo 'READY=1' >"$dir/words"
expect 0 started "$VORTEX" start "${C[@]}"
parent=$(value server-pid)
echo 'fork below' >>"$dir/words"
names_another()
{
    [ -n "$(value server-pid)" ] && [ "$(value server-pid)" != "$parent" ]
}
eventually names_another
pid=$(cat "$P")
kill -KILL "$(value server-pid)"
eventually is_dead "$pid"
check is_dead "$parent"
check has_value exit unknown
kept the_death_of_a_server_that_is_no_child_is_seen

finish
