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

bail()
{
    echo "Bail out! $*"
    exit 1
}

# needs PROGRAM...: these, and the packages in $MADE.
needs()
{
    local name missing=()
    for name in "$@"; do
        command -v "$name" >/dev/null || missing+=("$name")
    done
    [ -d "${MADE-}/this" ] || missing+=('the packages, which build.sh makes')
    [ ${#missing[@]} -gt 0 ] || return 0
    skip "needs ${missing[*]}"
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

# world FILE: all files, users and groups, but for what package managers and a running system note.
world()
{
    {
        find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /tmp -o -path /opt \
            -o -path /var/lib/dpkg -o -path /var/lib/apt -o -path /var/lib/rpm -o -path /var/cache -o -path /var/log/apt \
            -o -path /var/log/journal -o -path /var/log/dpkg.log -o -path /run -o -path /var/tmp \) -prune -o -printf '%p\n'
        find /run/vortex 2>/dev/null
        sed 's/^/user: /' /etc/passwd
        sed 's/^/group: /' /etc/group
    } | sort >"$1"
}
