# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the tests under real service managers share, outside of their machines and within.

skip()
{
    if [ "${VORTEX_TEST_ALL-}" = 1 ]; then
        echo "Bail out! $*"
        exit 1
    fi
    echo "1..0 # SKIP $*"
    exit 0
}

# instance NAME LINE...: its configuration, and nothing of former promises under this name.
instance()
{
    I=$1
    shift
    printf '%s\n' "$@" >"/etc/vortex/$I.conf"
}

serves()
{
    (: <>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

milliseconds()
{
    echo $(($(date +%s%N) / 1000000))
}

# took_at_least MS COMMAND...
took_at_least()
{
    local begin least=$1
    shift
    begin=$(milliseconds)
    expect 0 '' "$@"
    check test $(($(milliseconds) - begin)) -ge "$least"
}
