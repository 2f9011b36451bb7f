#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What status and list tell of instances in every state, to people and to programs.
#
#   status_json.sh VORTEX ALIVE SCHEMA
#
# All instances live in one runtime directory, so that list and the metrics show them together.
# Prints TAP.
set -u

VORTEX=$(realpath "$1") ALIVE=$(realpath "$2") SCHEMA=$(realpath "$3")
HERE=$(dirname "$(realpath "$0")")

# shellcheck source=tests/command/tap.sh
. "$HERE/tap.sh"

top=$(mktemp -d /tmp/vortex-status-XXXXXX)
R=$top/run
mkdir "$R"
export RUNTIME_DIRECTORY=$R
holder=
running=()

# Whatever was started here is ended here.
clean_up()
{
    local name
    for name in "${running[@]}"; do
        timeout 60 "$VORTEX" stop "$name" -t 1s >/dev/null 2>&1
    done
    [ -z "$holder" ] || kill "$holder" 2>/dev/null
    rm -rf "$top"
}
trap clean_up EXIT

# config NAME LINE...
config()
{
    local name=$1
    shift
    printf '%s\n' "$@" >"$top/$name.conf"
}

start()
{
    running+=("$1")
    expect 0 started "$VORTEX" start "$1" -c "$top/$1.conf"
}

# value NAME KEY
value()
{
    sed -n "s/^$2=//p" "$R/$1.pid.state" 2>/dev/null
}

has_value()
{
    [ "$(value "$1" "$2")" = "$3" ]
}

# has_some NAME KEY
has_some()
{
    [ -n "$(value "$1" "$2")" ]
}

# json NAME EXPRESSION: what Python makes of it, the object being d.
json()
{
    "$VORTEX" status "$1" --json | python3 -c "import json, sys
d = json.load(sys.stdin)
x = $2
print(x)"
}

says()
{
    local said
    said=$(json "$1" "$2")
    [ "$said" = "$3" ] || problem+="$1: $2 is '$said', not '$3'\n"
}

# ---- Phases -----------------------------------------------------------------------------------

fresh
config exec '[server]' "command = $ALIVE" "log = $top/exec.log"
start exec
says exec "d['phase'], d['health'], d['server_pid']" "('ready', None, None)"
says exec "d['log']" "$top/exec.log"
expect 0 "log      $top/exec.log" "$VORTEX" status exec
kept an_executed_server_has_a_log_and_no_supervisor_who_asks

fresh
config starting '[server]' "command = $ALIVE" '[ready]' "when = file:$top/never" 'timeout = infinity'
"$VORTEX" run starting -c "$top/starting.conf" &
running+=(starting)
eventually has_value starting not-ready "file $top/never: No such file or directory"
expect 0 "running .starting: file $top/never: No such" "$VORTEX" status starting
says starting "d['phase'], d['not_ready']" \
    "('starting', 'file $top/never: No such file or directory')"
expect 0 "starting +[0-9]+ .* file $top/never: No such file" "$VORTEX" list
kept a_starting_server_says_what_it_waits_for

fresh
config notified '[server]' "command = $ALIVE" '[ready]' 'when = notify' 'timeout = infinity'
"$VORTEX" run notified -c "$top/notified.conf" &
running+=(notified)
eventually has_value notified not-ready 'the server has not sent READY=1'
expect 0 '' "$VORTEX" stop notified
kept a_server_that_has_to_say_a_word_is_waited_for_in_the_first_state

fresh
config waiting '[server]' "command = sh -c 'kill -SEGV \$\$'" 'limit-core = 0' \
    '[restart]' 'policy = always' 'delay = 2h'
start waiting
eventually has_some waiting next-restart
says waiting "d['last_exit_signal'], d['last_exit_code'], d['last_exit_core']" \
    "('SEGV', None, False)"
says waiting "d['phase'], d['server_pid'], 3600000 < d['next_restart_in_ms'] <= 7920000" \
    "('starting', None, True)"
expect 0 'next restart in [12] h .*last end signal SEGV' "$VORTEX" status waiting
expect 0 'waiting +[0-9]+ .*next restart in [12] h .*signal SEGV' "$VORTEX" list
kept a_supervisor_that_waits_says_how_long_and_why

fresh
config failed '[server]' "command = sh -c 'exit 3'" '[restart]' 'policy = on-failure' \
    'delay = 1ms' 'limit = 1/1h'
expect 3 'gave up' "$VORTEX" run failed -c "$top/failed.conf"
says failed "d['verdict'], d['phase'], d['last_exit_code'], d['restarts'], d['health']" \
    "('not running', 'failed', 3, 1, None)"
expect 3 'not running .failed.: ' "$VORTEX" status failed
kept what_failed_is_told_after_its_end

# ---- Health -----------------------------------------------------------------------------------

health()
{
    config "$1" '[server]' "command = $ALIVE" '[health]' "check = file:$top/$1.healthy" \
        "interval = $2" 'failures = 3' 'action = none' '[log]' "file = $top/$1.log"
}

fresh
health pending 1h
start pending
says pending "d['health'], d['health_failures']" "('pending', None)"
says pending "d['log']" "$top/pending.log"
kept a_check_that_was_not_asked_yet_is_pending

fresh
touch "$top/well.healthy"
health well 10ms
start well
eventually has_value well health ok
says well "d['health'], d['health_answer']" "('ok', None)"
expect 0 'health   ok' "$VORTEX" status well
kept a_check_that_holds_is_ok

fresh
health ill 10ms
start ill
eventually has_value ill health 'failing 3 of 3'
says ill "d['health'], d['health_failures'], d['health_limit']" "('failing', 3, 3)"
expect 0 "health   failing 3 of 3: file $top/ill.healthy: No such" "$VORTEX" status ill
expect 0 "unhealthy +[0-9]+ .*$top/ill.healthy: No such" "$VORTEX" list
since=$(value ill since)
is_past()
{
    [ "$(date -u +%Y-%m-%dT%H:%M:%SZ)" != "$1" ]
}
eventually is_past "$since"
touch "$top/ill.healthy"
eventually has_value ill health ok
check test "$(value ill since)" = "$since" # it was ready all the while
rm "$top/ill.healthy"
eventually has_value ill health 'failing 3 of 3'
kept a_check_that_fails_is_counted_and_named_and_can_recover

# A hundred checks are seen by the file that each of them runs through.
fresh
config idle '[server]' "command = $ALIVE" '[health]' \
    "check = exec:sh -c \"echo >>$top/asked; test ! -e $top/bad\"" 'interval = 1ms' \
    'failures = 3' 'action = none'
asked()
{
    [ "$(wc -l <"$top/asked")" -ge "$1" ]
}
# asked_in_vain: so many checks more, and the state is the very same file.
asked_in_vain()
{
    local before
    before=$(stat -c '%i %y %z' "$R/idle.pid.state")
    eventually asked $(($(wc -l <"$top/asked") + 50))
    check test "$(stat -c '%i %y %z' "$R/idle.pid.state")" = "$before"
}
start idle
eventually has_value idle health ok
asked_in_vain
touch "$top/bad"
eventually has_value idle health 'failing 3 of 3'
check has_value idle health-answer 'exec sh: exit status 1'
asked_in_vain
expect 0 '' "$VORTEX" stop idle
kept a_check_that_answers_as_before_writes_no_state

# ---- Verdicts ---------------------------------------------------------------------------------

fresh
config orphaned '[server]' "command = $ALIVE" 'supervise = yes' 'on-supervisor-death = keep' \
    '[health]' "check = file:$top" 'interval = 10ms'
start orphaned
eventually has_value orphaned health ok
kill -KILL "$(cat "$R/orphaned.pid")"
eventually is_dead "$(cat "$R/orphaned.pid")"
says orphaned "d['verdict'], d['health']" "('orphaned', None)"
config stale '[server]' "command = $ALIVE"
start stale
kill -KILL "$(cat "$R/stale.pid")"
eventually is_dead "$(cat "$R/stale.pid")"
echo rubbish >"$R/invalid.pid"
install -m 600 /dev/null "$R/locked.pid.lock"
install -m 600 /dev/null "$R/busy.pid.lock"
python3 -c "import fcntl, signal
f = open('$R/busy.pid.lock', 'r+')
fcntl.lockf(f, fcntl.LOCK_EX, 1, 1) # the byte of those who live
open('$top/held', 'w')
signal.pause()" &
holder=$!
eventually test -e "$top/held"
# A number that is alive, in a pid namespace which is not this one.
echo $$ >"$R/unproved.pid"
printf '%s\n' version=1 pid=$$ start=1 "boot=$(cat /proc/sys/kernel/random/boot_id)" pidns=1 \
    lock=released "since=$(value exec since)" phase=ready >"$R/unproved.pid.state"
for name in exec:running orphaned:orphaned busy:busy stale:stale unproved:unproved \
    invalid:invalid 'locked:not running' 'nobody:not running'; do
    says "${name%:*}" "d['verdict']" "${name#*:}"
done
kept every_verdict_is_told

# ---- What others wrote ------------------------------------------------------------------------

fresh
config odd '[server]' "command = $ALIVE"
start odd
nasty=$'a"b\\c\td\033[31m\302\233e\303\274\377{}'
{
    grep -v '^version=' "$R/odd.pid.state" | sed '1i version=1'
    printf 'status=%s\nlog=/%s\nexit=signal SEGV core\nhealth=failing 9\nnext-restart=%s\n' \
        "$nasty" "$nasty" 99999999999999999
} >"$top/odd.state"
cat "$top/odd.state" >"$R/odd.pid.state"
says odd "ascii(d['status'])" \
    "'a\"b\\\\c\\td\\x1b[31m\\x9be\\xfc\\ufffd{}'"
says odd "d['last_exit_core'], d['health'], d['next_restart_in_ms']" '(True, None, None)'
expect 0 "last end signal SEGV .core dumped." "$VORTEX" status odd
check test "$("$VORTEX" status odd | sed -n 's/^  status   //p')" = \
    $'a"b\\c?d?[31m?e\303\274\357\277\275{}'
kept what_others_wrote_is_escaped_for_terminals_and_json

# ---- The schema, and the metrics --------------------------------------------------------------

# all: the output of each, and of all together.
all()
{
    local name
    for name in nobody exec starting waiting failed pending well ill orphaned stale invalid \
        locked busy unproved odd; do
        "$VORTEX" status "$name" --json >"$dir/$name.json"
        echo "$dir/$name.json"
    done
    "$VORTEX" list --json >"$dir/list.json"
    echo "$dir/list.json"
}

fresh
mapfile -t outputs < <(all)
if said=$(python3 -B "$HERE/schema.py" "$SCHEMA" "${outputs[@]}"); then
    kept json_is_what_the_schema_says
elif [ $? -eq 77 ] && [ -z "${VORTEX_TEST_ALL-}" ]; then
    kept "json_is_what_the_schema_says # SKIP $said"
else
    problem+="$said\n"
    kept json_is_what_the_schema_says
fi

fresh
mkdir "$dir/empty"
(RUNTIME_DIRECTORY=$dir/empty "$VORTEX" list --json) >"$dir/empty.json"
check test "$(python3 -c 'import json, sys; print(json.load(sys.stdin))' <"$dir/empty.json")" = '[]'
if said=$(python3 -B "$HERE/schema.py" "$SCHEMA" "$dir/empty.json"); then
    problem+='a schema of which nothing was seen is well\n'
fi
kept a_schema_that_was_not_seen_in_use_is_no_success

# metric NAME LABELS-AS-JSON VALUE
metric()
{
    grep -Fx "$1 $2 $3" "$dir/samples" >/dev/null ||
        problem+="no sample '$1 $2 $3', but: $(grep "^$1 " "$dir/samples")\n"
}

fresh
"$VORTEX" status --prometheus >"$dir/metrics"
python3 -B "$HERE/metrics.py" <"$dir/metrics" >"$dir/samples" || problem+=$(cat "$dir/samples")
metric vortex_up '{"instance": "exec"}' 1
metric vortex_up '{"instance": "stale"}' 0
metric vortex_ready '{"instance": "starting"}' 0
metric vortex_ready '{"instance": "well"}' 1
metric vortex_healthy '{"instance": "well"}' 1
metric vortex_healthy '{"instance": "ill"}' 0
metric vortex_health_failures '{"instance": "ill"}' 3
metric vortex_restarts_total '{"instance": "failed"}' 1
metric vortex_last_exit_code '{"instance": "failed"}' 3
check grep -q '^vortex_next_restart_seconds {"instance": "waiting"} [0-9]*\.[0-9]*$' "$dir/samples"
check grep -q '^vortex_uptime_seconds {"instance": "exec"}' "$dir/samples"
check grep -q '^vortex_memory_bytes {"instance": "exec"}' "$dir/samples"
for unknown in 'vortex_healthy {"instance": "exec"}' 'vortex_healthy {"instance": "pending"}' \
    'vortex_next_restart_seconds {"instance": "exec"}' \
    'vortex_uptime_seconds {"instance": "stale"}' \
    'vortex_instance_reason_info {"instance": "invalid"}'; do
    check test -z "$(grep -F "$unknown" "$dir/samples")"
done
check grep -q '^vortex_instance_reason_info {.*"not_ready": "file [^"]*/never: No such' "$dir/samples"
check grep -q '^vortex_instance_reason_info .*"status": "a\\"b\\\\c d \[31m\\u009be\\u00fc\\ufffd{}"' \
    "$dir/samples"
check grep -q '^vortex_instance_info {.*"log": "[^"]*/well.log".*"phase": "ready"' "$dir/samples"
kept metrics_are_as_prometheus_reads_them

fresh
for spoil in 's/_total/_sum/' 's/^# TYPE.*//' 's/instance="/instance=/' 's/} 1$/} one/' \
    's/^vortex_up{instance="exec"}/vortex_up{instance="well"}/'; do
    if sed "$spoil" "$top/$((count - 1))/metrics" | python3 -B "$HERE/metrics.py" >/dev/null; then
        problem+="accepted after $spoil\n"
    fi
done
kept metrics_that_are_spoiled_are_refused

finish
