#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Started means serving: whoever asks the moment after `vortex start` came back is answered, by real
# servers. Each begins to serve a while after its start, so that too early can't be right by luck.
#
#   started.sh VORTEX
#
# VORTEX_TEST_SERVERS: where bin/ has them (dev.sh unpacks them). Needs root, for namespaces of this
# test's own and for PostgreSQL, which doesn't serve as root; prints TAP.
set -u

VORTEX=$(realpath "$1")
SELF=$(realpath "$0") SERVERS=${VORTEX_TEST_SERVERS-}

# shellcheck source=tests/command/tap.sh
. "$(dirname "$SELF")/tap.sh"
alone --net --ipc -- "$SELF" "$@"

top=$(mktemp -d /tmp/vortex-started-XXXXXX)
trap 'rm -rf "$top"' EXIT
chmod 711 "$top"
python3 - <<'END' # the loopback of this namespace is down
import fcntl, socket, struct
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
fcntl.ioctl(socket.socket(), SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
END
cat >"$top/late.py" <<'END'
import os, socket, sys, time
time.sleep(float(sys.argv[2]))
s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
name = os.environ.get("NOTIFY_SOCKET")
if name:
    word = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    word.connect("\0" + name[1:] if name[0] == "@" else name)
    word.send(b"READY=1")
while True:
    c, _ = s.accept()
    c.sendall(b"here I am\n")
    c.close()
END

# config LINE...: the configuration of this promise, which waits before it execs the server.
# ask PORT REQUEST: once; what the server answers.
ask()
{
    exec 3<>"/dev/tcp/127.0.0.1/$1" || return
    printf %b "$2" >&3
    timeout 60 cat <&3
    exec 3>&-
}

# serves PORT REQUEST PATTERN: at the first asking.
serves()
{
    local answer
    answer=$(ask "$1" "$2" 2>&1)
    [[ $answer =~ $3 ]] || problem+="asked once: '$answer', not '$3'\n"
}

# started PROMISE PORT REQUEST PATTERN
started()
{
    expect 0 started "$VORTEX" start "${C[@]}"
    serves "$2" "$3" "$4"
    check grep -qx phase=ready "$P.state"
    stop_ok
    kept "$1"
}

# have PROGRAM PROMISE: is that server there? /bin has other ones, such as Debian's wrappers.
have()
{
    [ -z "$SERVERS" ] || [ ! -x "$SERVERS/bin/$1" ] || return 0
    if [ -n "${VORTEX_TEST_ALL-}" ]; then
        problem+="there is no $1 in '$SERVERS/bin'\n"
        kept "$2"
    else
        echo "ok $count - $2 # SKIP VORTEX_TEST_SERVERS has no $1"
    fi
    return 1
}

fresh
promise=redis_by_tcp
if have redis-server $promise; then
    config '[server]' "directory = $dir" \
        "command = sh -c 'sleep 0.5; exec $SERVERS/bin/redis-server --bind 127.0.0.1 --port 8001'" \
        '[ready]' 'when = tcp:127.0.0.1:8001' '[log]' 'target = none'
    started $promise 8001 'PING\r\nQUIT\r\n' PONG
fi

fresh
promise=nginx_by_http
if have nginx $promise; then
    cat >"$dir/nginx.conf" <<END
pid $dir/nginx.pid;
error_log stderr;
events {}
http {
    access_log off;
    client_body_temp_path $dir/t1; proxy_temp_path $dir/t2; fastcgi_temp_path $dir/t3;
    uwsgi_temp_path $dir/t4; scgi_temp_path $dir/t5;
    server { listen 127.0.0.1:8002; location / { return 200 'the page'; } }
}
END
    config '[server]' "command = sh -c 'sleep 0.5; exec $SERVERS/bin/nginx -e stderr -p $dir -c $dir/nginx.conf -g \"daemon off;\"'" \
        '[ready]' 'when = http://127.0.0.1:8002/'
    started $promise 8002 'GET / HTTP/1.0\r\n\r\n' 'the page'
fi

fresh
promise=postgresql_by_exec
if have pg_isready $promise; then
    chmod 711 "$dir"
    mkdir "$dir/db"
    chown 65534:65534 "$dir/db"
    expect 0 '' setpriv --reuid 65534 --regid 65534 --clear-groups "$SERVERS/bin/initdb" \
        -D "$dir/db" -A trust -U postgres --no-locale --no-sync
    # On a loaded machine an answer may take longer than the 3 s that pg_isready waits by itself, and a
    # stop longer than the 30 s before a KILL.
    isready=("$SERVERS/bin/pg_isready" -q -t 0 -h "$dir/db" -p 8003 -U postgres)
    config '[server]' 'user = 65534' 'group = 65534' "directory = $dir/db" \
        "command = sh -c 'sleep 0.5; exec $SERVERS/bin/postgres -D $dir/db -p 8003 -h \"\" -k $dir/db'" \
        '[ready]' "when = exec:${isready[*]}" '[log]' 'target = none' \
        '[stop]' 'signal = INT' 'timeout = infinity'
    expect 0 started "$VORTEX" start "${C[@]}"
    expect 0 '' "${isready[@]}"
    stop_ok
    check test ! -e "$dir/db/postmaster.pid"
    kept $promise
fi

fresh
config '[server]' "command = python3 $top/late.py 8004 2" '[ready]' 'when = tcp:127.0.0.1:8004'
started a_server_that_listens_after_two_seconds_by_tcp 8004 '' 'here I am'

fresh
config '[server]' "command = python3 $top/late.py 8005 0.5" '[ready]' 'when = notify'
started a_server_that_says_ready_by_notify 8005 '' 'here I am'

finish
