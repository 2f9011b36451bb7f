# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Promises and how they are tried, in TAP; for the test scripts here. They set VORTEX, ALIVE and $top.
# shellcheck disable=SC2034,SC2154 # set here and used there, and the other way round

count=0 failed=0

# alone [UNSHARE-OPTION...] -- SCRIPT ARGUMENT...: as root, in a pid and a mount namespace of its own:
# the script is run again, and this time alone returns.
alone()
{
    local options=()
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    if [ "$(id -u)" -ne 0 ]; then
        echo '1..0 # SKIP needs root'
        exit 0
    fi
    [ "${VORTEX_ALONE-}" != "$1" ] || return 0
    VORTEX_ALONE=$1 exec unshare --mount --pid --fork --kill-child --mount-proc \
        --propagation private "${options[@]}" bash "$@"
}

# hide_groups: no control groups are to be seen in this mount namespace.
hide_groups()
{
    [ ! -d /sys/fs/cgroup ] || mount -t tmpfs none /sys/fs/cgroup || exit 1
}

# fresh: an empty directory for one promise, which is root's.
fresh()
{
    count=$((count + 1))
    dir=$top/$count
    mkdir "$dir"
    P=$dir/x.pid
    problem=
}

# kept "promise": was it, by what expect found?
kept()
{
    if [ -z "$problem" ]; then
        echo "ok $count - $1"
    else
        echo "not ok $count - $1"
        printf '%b' "$problem" | sed 's/^/# /'
        failed=$((failed + 1))
    fi
}

# expect WANTED-STATUS PATTERN COMMAND...: exit status and output (both streams).
expect()
{
    local wanted=$1 pattern=$2 output status
    shift 2
    output=$(timeout 100 "$@" 2>&1 </dev/null)
    status=$?
    [ "$status" = "$wanted" ] || problem+="$*: exit $status, not $wanted: $output\n"
    [[ $output =~ $pattern ]] || problem+="$*: says '$output', not '$pattern'\n"
}

check()
{
    "$@" || problem+="not so: $*\n"
}

# eventually COMMAND...: wait until it holds; after 100 seconds the promise is broken.
eventually()
{
    local end=$((SECONDS + ${PATIENCE:-100}))
    until "$@"; do
        if [ $SECONDS -ge $end ]; then
            problem+="never came true: $*\n"
            return
        fi
        sleep 0.005
    done
}

is_dead()
{
    ! is_alive "$1"
}

# alive [COMMAND-PREFIX...]: a bystander; its pid in $bystander.
alive()
{
    "$@" "$ALIVE" >/dev/null 2>&1 &
    bystander=$!
}

is_alive()
{
    kill -0 "$1" 2>/dev/null && [ "$(cut -d' ' -f3 "/proc/$1/stat" 2>/dev/null)" != Z ]
}

end()
{
    kill -KILL "$1" 2>/dev/null
    wait "$1" 2>/dev/null
}

# start_ok, stop_ok: ALIVE as the server of $P.
start_ok()
{
    expect 0 started "$VORTEX" start -p "$P" -- "$ALIVE"
}

stop_ok()
{
    expect 0 '' "$VORTEX" stop -p "$P"
    check test ! -e "$P"
}

# config LINE...: the configuration of this promise; C is its options.
config()
{
    printf '%s\n' "$@" >"$dir/x.conf"
    C=(-c "$dir/x.conf" -p "$P")
}

# value KEY: of the state.
value()
{
    sed -n "s/^$1=//p" "$P.state" 2>/dev/null
}

has_value()
{
    [ "$(value "$1")" = "$2" ]
}

# finish: the plan, and whether all was kept.
finish()
{
    echo "1..$count"
    [ $failed -eq 0 ]
}
