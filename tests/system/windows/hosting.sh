#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Hosting servers on Windows, under Wine: one owner, never the wrong process, and a stop that leaves
# nobody. Wine never delivers Ctrl-Break, so that each stop here comes to its end by the job.
#
#   hosting.sh VORTEX.EXE BUILD-DIRECTORY
#
# Prints TAP.
set -u

EXE=$(realpath "$1") BUILD=$(realpath "$2")
here=$(dirname "$(realpath "$0")")
# shellcheck source=tests/command/tap.sh
. "$here/../../command/tap.sh"
# shellcheck source=tests/system/windows/wine.sh
. "$here/wine.sh"
begin hosting
toy=../toy.exe

# vortex ARGUMENT...: in the promise's own directory, so that its files need no paths.
vortex()
{
    (cd "$dir" && in_wine "$top/vortex.exe" "$@")
}

# says STATUS PATTERN ARGUMENT...: what vortex answers.
says()
{
    answers "$1" "$2" vortex "${@:3}"
}

# stop_ok: and nothing is left.
stop_ok()
{
    says 0 stopped stop -p x.pid --timeout 200ms
    check test -z "$(find "$dir" -name 'x.pid*')"
}

children()
{
    sed -n 's/^child \([0-9]*\).*/\1/p' "$dir/$1" | tr -d '\r'
}

has_lines()
{
    [ -e "$dir/$1" ] && [ "$(grep -c . "$dir/$1")" -ge "$2" ]
}

# bystander: a process in $other, older than what the promise makes.
bystander()
{
    says 0 started start -p y.pid -- $toy stay
    other=$(sed -n 's/^server-pid=//p' "$dir/y.pid.state")
}

# unharmed: it lives; and is ended.
unharmed()
{
    check lives "$other"
    says 0 stopped stop -p y.pid --timeout 200ms
}

fresh
says 0 'started .* \(pid ' start -p x.pid
says 0 running status -p x.pid
check test "$(cat "$P")" = "$(value pid)"
says 1 'already running' start -p x.pid
says 0 '' start -p x.pid --if-stopped
says 0 '' reload -p x.pid
says 0 'stopped' stop -p x.pid
check test -z "$(ls "$dir")"
says 3 'not running' status -p x.pid
says 0 'not running' stop -p x.pid
says 7 'not running' reload -p x.pid
kept 'the built-in server starts, answers and ends by a word, not by force'

# Deaf to Ctrl-Break, as each is under Wine.
fresh
says 0 started start -p x.pid -- $toy ignore
server=$(value server-pid)
says 0 "server +$server" status -p x.pid
says 0 '"verdict": "running"' status -p x.pid --json
says 0 restarted restart -p x.pid --timeout 200ms -- $toy stay
check test "$(value server-pid)" != "$server"
check is_gone "$server"
server=$(value server-pid)
stop_ok
check is_gone "$server"
kept 'a server is hosted, restarted and stopped'

fresh
printf '[log]\nfile = C:/hosting/%s/log\n' "$count" >"$dir/x.conf"
says 0 started start -p x.pid -c x.conf -- $toy children 3
eventually has_lines log 3
server=$(value server-pid)
check in_wine "$top/toy.exe" end "$(value pid)"
for pid in "$server" $(children log); do
    eventually is_gone "$pid"
done
says 1 stale status -p x.pid
says 0 started start -p x.pid -- $toy stay
stop_ok
kept 'a killed vortex takes its server along, and the next start takes over'

fresh
printf '[log]\nfile = C:/hosting/%s/log\n' "$count" >"$dir/x.conf"
says 0 started start -p x.pid -c x.conf -- $toy children 5
eventually has_lines log 5
server=$(value server-pid)
check lives "$(children log | head -n 1)"
stop_ok
for pid in "$server" $(children log); do
    check is_gone "$pid"
done
kept 'a stop leaves no grandchild'

fresh
says 0 started start -p x.pid -- $toy stay
server=$(value server-pid)
check in_wine "$top/toy.exe" end "$(value pid)"
eventually is_gone "$server"
bystander
# The number of a living stranger, with another time of birth: as if it had been used again.
sed -i "s/^pid=.*/pid=$other/; s/^server-pid=.*/server-pid=$other/" "$P.state"
echo "$other" >"$P"
says 1 'stale' status -p x.pid
says 0 'not running' stop -p x.pid
check lives "$other"
says 7 'not running' reload -p x.pid
says 0 started start -p x.pid -- $toy stay
stop_ok
unharmed
kept 'a number that was used again is never signalled'

# ---- What stands in the pidfile ------------------------------------------------------------------

# invalid COMMAND...: what makes such a pidfile.
invalid()
{
    "$@"
    says 1 'stale|invalid' status -p x.pid
    says 0 'not running' stop -p x.pid
    "$@"
    says 0 started start -p x.pid
    says 0 stopped stop -p x.pid
}

text()
{
    # shellcheck disable=SC2059 # it is one
    printf -- "$1" >"$P"
}

second_name()
{
    echo "$other" >"$dir/beside"
    ln "$dir/beside" "$P"
}

anybody_writes()
{
    echo "$other" >"$P"
    chmod 666 "$P"
}

fresh
bystander
for content in '' ' \t\n' '0\n' '-1\n' '1\n' "-$other\n" "+$other\n" "${other}abc\n" "$other.5\n" "$other 1\n" \
    "pid $other\n" "\n$other\n" "$(printf 0x%x "$other")\n" '\0\0\0\0' "$other\0\n" "\357\273\277$other\n" \
    "$((other + (1 << 32)))\n" '2147483648\n' '4294967295\n' '9223372036854775808\n' \
    '18446744073709551623\n' '9999999999999999999999999999999999999999\n' "$(printf %064d "$other")\n"; do
    invalid text "$content"
done
invalid mkdir "$P"
invalid truncate -s 1G "$P"
invalid anybody_writes
invalid second_name
check test "$(cat "$dir/beside")" = "$other"
unharmed
kept 'what is no pid of a server is not believed, and is no hindrance'

fresh
bystander
for content in "$other" "$other\r\n" " \t $other\n" "$other \t\n" "$other\nsome words\n" \
    "$other\nC:/data\n1767323045\n5432\n\nlocalhost\n  5432001 7\nready\n"; do
    text "$content"
    says 0 "pid +$other" status -p x.pid
    says 1 "already running \(pid $other" start -p x.pid
done
says 1 'not possible on Windows' reload -p x.pid
says 1 'not possible on Windows' stop -p x.pid
check lives "$other"
says 0 "stopped .*pid $other" stop -p x.pid --signal KILL
check is_gone "$other"
check test ! -e "$P"
kept 'the pidfile of a server that somebody else started names it; asked it is not, but ended by KILL'

fresh
bystander
check in_wine "$top/toy.exe" end "$other"
for content in '' rubbish 'version=2\npid=1\n' 'version=1\npid=0\nlock=held\n' \
    'version=1\npid=99999999999999999999\n' 'version=1\npid=-1\n' 'version=1\npid=1\nstart=x\n' 'version=1\npid=12'; do
    text "$other\n"
    # shellcheck disable=SC2059
    printf "$content" >"$P.state"
    says 1 stale status -p x.pid
    says 0 started start -p x.pid
    says 0 stopped stop -p x.pid
done
kept 'a broken state counts as none, and is no hindrance'

fresh
mkdir "$P"
echo data >"$P/precious"
says 1 invalid status -p x.pid
says 1 'a directory stands where a file should' start -p x.pid
says 1 'Directory not empty' stop -p x.pid
check test "$(cat "$P/precious")" = data
check test "$(ls "$dir")" = x.pid
kept 'a directory that is not empty is left alone'

# ---- One owner ---------------------------------------------------------------------------------

ROUNDS=${VORTEX_WINDOWS_ROUNDS:-20} # by hand more: each takes half a second

fresh
race()
{
    cd "$dir" && timeout 3000 "$here/still.sh" wine "$top/toy.exe" race "$ROUNDS" ../vortex.exe \
        >"$dir/said" 2>&1 </dev/null
}
(race) || problem+="exit $?: $(cat "$dir/said")\n"
check test -z "$(find "$dir" -name 'x.pid*')"
kept "of two starts at one instant one owns, $ROUNDS times"

fresh
printf '[ready]\nwhen = file:C:/hosting/%s/ready\n' "$count" >"$dir/x.conf"
says 0 started start -p x.pid -c x.conf -- $toy slow ready 700
check test -e "$dir/ready"
stop_ok
printf '[ready]\nwhen = tcp:127.0.0.1:8471\n' >"$dir/x.conf"
says 0 started start -p x.pid -c x.conf -- $toy listen 8471 500
stop_ok
printf '[ready]\nwhen = file:C:/hosting/%s/never\ntimeout = 500ms\n[stop]\ntimeout = 200ms\n' "$count" >"$dir/x.conf"
says 1 'did not become ready' start -p x.pid -c x.conf -- $toy stay
says 1 'ended with status 3 before' start -p x.pid -c x.conf -- $toy exit 3
kept 'a start returns when the server is ready, or says why it is not'

fresh
printf '[restart]\npolicy = on-failure\ndelay = 50ms..50ms\nlimit = 3/1m\n' >"$dir/x.conf"
says 0 started start -p x.pid -c x.conf -- $toy exit 5
eventually has_value exit 'code 5'
eventually has_value phase failed
check test "$(value restarts)" = 3
kept 'a crash loop ends where its limit says'

fresh
printf '[log]\nfile = C:/hosting/%s/log\nmax-size = 100K\nkeep = 3\n' "$count" >"$dir/x.conf"
says 0 started start -p x.pid -c x.conf -- $toy flood 250000
eventually test -s "$dir/log.2"
eventually grep -qs 249984 "$dir/log"
stop_ok
check test "$(cat "$dir"/log* | tr -d '\r' | sort -u | wc -l)" = "$(((250000 + 63) / 64))"
kept 'a flood of output is in the logs, line by line, however they rotate'

fresh
mkdir "$dir/Größe 😀 x"
says 0 started start -p "Größe 😀 x\\x.pid" -- "$toy" arguments 'a b' '' 'c"d' 'f\"g' 'ü'
P="$dir/Größe 😀 x/x.pid"
check grep -q arguments "$P.state"
says 0 stopped stop -p "Größe 😀 x\\x.pid" --timeout 200ms
printf '[server]\ncommand = ..\\\\toy.exe stay\n[log]\nfile = C:/hosting/%s/Größe 😀 x/ü.log\n' "$count" \
    >"$dir/Größe 😀 x/😀.conf"
says 0 started start -p "Größe 😀 x\\x.pid" -c "Größe 😀 x\\😀.conf"
check test -e "$dir/Größe 😀 x/ü.log"
says 0 stopped stop -p "Größe 😀 x\\x.pid" --timeout 200ms
long=$(printf '%060d' 0)
mkdir -p "$dir/$long/$long/$long/$long/$long"
says 0 started start -p "$long\\$long\\$long\\$long\\$long\\x.pid" -- $toy stay
says 0 stopped stop -p "$long\\$long\\$long\\$long\\$long\\x.pid" --timeout 200ms
kept 'any name and any length of a path will do'

# A drive on which nobody makes a file: what is read-only to root.
fresh
ln -sfn /sys "$WINEPREFIX/dosdevices/r:"
says 4 'R:.x\.pid' start -p 'R:\x.pid'
says 3 'not running' status -p 'R:\x.pid'
rm "$WINEPREFIX/dosdevices/r:"
kept 'in a directory that is read-only nothing starts, and it is said why'

finish
