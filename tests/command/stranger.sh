#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A stranger that answers where the server is to listen, in a network namespace of this test's own.
#
#   stranger.sh VORTEX ALIVE
#
# Needs root; prints TAP.
set -u

VORTEX=$(realpath "$1") ALIVE=$(realpath "$2")
SELF=$(realpath "$0")

# shellcheck source=tests/command/tap.sh
. "$(dirname "$SELF")/tap.sh"
alone --net -- "$SELF" "$@"

top=$(mktemp -d /tmp/vortex-stranger-XXXXXX)
trap 'rm -rf "$top"' EXIT
python3 - <<'END' # ip link set lo up
import fcntl, socket, struct
s = socket.socket()
fcntl.ioctl(s, 0x8914, struct.pack("16sh22x", b"lo", 1))
END

# listen.py tcp|http PORT STATUS, unix PATH: it answers, and says "listening" in $dir/heard.
cat >"$top/listen.py" <<'END'
import socket, sys
kind, where, heard = sys.argv[1:4]
if kind == "unix":
    s = socket.socket(socket.AF_UNIX)
    s.bind(where)
    s.listen()
else:
    s = socket.create_server(("127.0.0.1", int(where)))
open(heard, "a").write("listening\n")
while True:
    c, _ = s.accept()
    try:
        if kind == "http":
            c.recv(4096)
            c.sendall(("HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n" % sys.argv[4]).encode())
    except OSError:
        pass
    c.close()
END

# How often did the server listen?
has_served()
{
    [ -e "$dir/served" ] && [ "$(wc -l <"$dir/served")" -eq "$1" ]
}

# stranger KIND WHERE [STATUS]: one that listens; its pid: $stranger.
stranger()
{
    rm -f "$dir/heard"
    python3 "$top/listen.py" "$1" "$2" "$dir/heard" "${3-}" &
    stranger=$!
    eventually test -s "$dir/heard"
}

# overtake: the server dies, and its supervisor sleeps until a stranger has the address.
overtake()
{
    local server
    server=$(value server-pid)
    kill -STOP "$(cat "$P")"
    kill -KILL "$server"
    eventually is_dead "$server"
    stranger tcp 8083
    kill -CONT "$(cat "$P")"
}

for address in tcp:127.0.0.1:8081 http://127.0.0.1:8081/ unix:SOCKET; do
    fresh
    kind=${address%%:*}
    where=8081
    [ "$kind" != unix ] || where=$dir/socket
    address=${address/SOCKET/$dir/socket}
    config '[server]' "command = sh -c 'echo ran >$dir/ran; exec $ALIVE'" '[ready]' "when = $address" \
        '[restart]' 'policy = always'
    stranger "$kind" "$where" '200 OK'
    expect 1 "cannot start 'vortex': $kind.*is answered already, before the server was started" \
        "$VORTEX" start "${C[@]}"
    expect 1 'is answered already' "$VORTEX" run "${C[@]}"
    check test ! -e "$dir/ran" -a ! -e "$P"
    end $stranger
    # The socket's file is left, and nobody behind it.
    rm -f "$dir/heard"
    config '[server]' "command = sh -c 'rm -f $dir/socket; exec python3 $top/listen.py $kind $where $dir/heard 204'" \
        '[ready]' "when = $address"
    expect 0 started "$VORTEX" start "${C[@]}"
    stop_ok
    kept "a_start_is_refused_where_a_stranger_answers_by_$kind"
done

# Servers that share a port, or another service that this one needs.
fresh
stranger tcp 8081
config '[server]' "command = $ALIVE" '[ready]' 'when = tcp:127.0.0.1:8081' 'stranger = allow'
expect 0 started "$VORTEX" start "${C[@]}"
stop_ok
end $stranger
kept a_stranger_may_be_allowed

# Somebody in front of the server, who says that it is not there, is no stranger.
fresh
stranger http 8082 '502 Bad Gateway'
config '[server]' "command = $ALIVE" '[ready]' 'when = http://127.0.0.1:8082/' 'timeout = 300ms'
expect 1 'did not become ready.*502' "$VORTEX" start "${C[@]}"
end $stranger
kept a_proxy_that_has_no_server_yet_is_no_stranger

# The server dies, and somebody else is faster than its restart.
fresh
config '[server]' "command = python3 $top/listen.py tcp 8083 $dir/served" \
    '[ready]' 'when = tcp:127.0.0.1:8083' '[restart]' 'policy = always' 'delay = 100ms..100ms'
expect 0 started "$VORTEX" start "${C[@]}"
eventually has_served 1
overtake
eventually grep -q 'is answered already' "$P.state"
check has_value phase starting
check has_served 1
expect 0 running "$VORTEX" status "${C[@]}"
end $stranger
eventually has_value phase ready
eventually has_served 2
stop_ok
config '[server]' "command = python3 $top/listen.py tcp 8083 $dir/served" \
    '[ready]' 'when = tcp:127.0.0.1:8083' '[restart]' 'policy = always' 'delay = 100ms..100ms' \
    'limit = 1/1m'
expect 0 started "$VORTEX" start "${C[@]}"
overtake
eventually grep -q 'gave up' "$P.state"
check has_value phase failed
end $stranger
kept a_stranger_at_a_restart_is_a_failed_attempt

finish
