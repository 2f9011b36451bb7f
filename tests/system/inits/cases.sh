# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the cases of each manager look at.
# shellcheck disable=SC2034,SC2154 # tap.sh uses these, and sets those

here=/opt/tests
VORTEX=$(command -v vortex)
# shellcheck source=tests/command/tap.sh
. "$here/tap.sh"
# shellcheck source=tests/system/common.sh
. "$here/common.sh"
top=$(mktemp -d)

is_ready()
{
    [[ $("$VORTEX" status "$1" --json) == *'"verdict": "running"'*'"phase": "ready"'* ]]
}

is_not_running()
{
    ! "$VORTEX" status "$1" >/dev/null
}

# pid_of INSTANCE: by its pidfile, which vortex agrees with.
pid_of()
{
    local pid
    pid=$(cat "/run/vortex/$1.pid")
    [[ $("$VORTEX" status "$1" --json) == *"\"pid\": $pid,"* ]] && echo "$pid"
}

ended()
{
    expect 3 'not running' "$VORTEX" status "$1"
    check test ! -e "/run/vortex/$1.pid"
}

# service NAME LINE...: an instance, and a copy of the default one's directory for it. Its manager sees
# it whole or not at all.
service()
{
    instance "$@"
    mkdir /etc/services/.new
    find /etc/services/vortex -maxdepth 1 -type f -exec cp -p {} /etc/services/.new/ \;
    mv /etc/services/.new "/etc/services/$1"
}

# came_back INSTANCE FORMER: it runs again, as another process.
came_back()
{
    local now
    now=$(pid_of "$1") && [ "$now" != "$2" ] && is_ready "$1"
}
