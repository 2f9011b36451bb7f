# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Units and instances, for the cases in a machine that systemd has booted; they set $here. vortex@NAME is
# of Type=notify; where there is forking@NAME, it is the same of Type=forking.
# shellcheck disable=SC2154 # cases.sh sets it

VORTEX=$(command -v vortex)
# shellcheck source=tests/command/tap.sh
. "$here/tap.sh"
# shellcheck source=tests/system/common.sh
. "$here/common.sh"
top=$(mktemp -d)

# drop_in UNIT LINE...: settings of [Service] beyond the packaged ones.
drop_in()
{
    mkdir -p "/run/systemd/system/$1.service.d"
    printf '%s\n' '[Service]' "${@:2}" >"/run/systemd/system/$1.service.d/test.conf"
    systemctl daemon-reload
}

property()
{
    systemctl show --value -p "$2" "$1"
}

has_property()
{
    [ "$(property "$1" "$2")" = "$3" ]
}

main_of()
{
    property "$1" MainPID
}

# The number of the pidfile, whom vortex names, and systemd's main process are one and the same.
agree()
{
    local main said
    main=$(main_of "$1@$2")
    said=$("$VORTEX" status "$2" --json)
    check test "$main" -gt 1
    check test "$(cat "/run/vortex/$2.pid")" = "$main"
    [[ $said == *'"verdict": "running"'* && $said == *"\"pid\": $main,"* ]] ||
        problem+="systemd's main process is $main, but: $said\n"
    check test "$(stat -c %a "/run/vortex/$2.pid")" = 644
}

# unit_agrees UNIT INSTANCE: systemd's main process, the pidfile's and vortex's are one and the same.
unit_agrees()
{
    local main
    main=$(main_of "$1")
    check test "$main" -gt 1
    check has_property "$1" ActiveState active
    check test "$(cat "/run/vortex/$2.pid")" = "$main"
    expect 0 "running"$'\n'" *pid +$main"$'\n' "$VORTEX" status "$2"
}

# Nothing of it runs, and systemd says so too.
ended()
{
    check has_property "$1@$2" MainPID 0
    check test ! -e "/run/vortex/$2.pid"
    local code=3 # without any file, or 2
    [ ! -e "/run/vortex/$2.pid.lock" ] || code=2
    expect $code 'not running' "$VORTEX" status "$2"
    check test ! -s "/sys/fs/cgroup/system.slice/system-$1.slice/$1@$2.service/cgroup.procs"
}

# A new promise, with the journal from now on.
promise()
{
    fresh
    mark=$(date +%s.%6N)
}

journal()
{
    journalctl --sync
    journalctl --no-pager -o cat --since "@$mark" "$@"
}
