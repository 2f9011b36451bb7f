#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The control group of a supervised server, in a group and namespaces of this test's own.
#
#   cgroup.sh VORTEX ALIVE SPREAD
#
# Needs root and a cgroup v2 hierarchy that may be written; prints TAP.
set -u

VORTEX=$(realpath "$1") ALIVE=$(realpath "$2") SPREAD=$(realpath "$3")
SELF=$(realpath "$0")

skip()
{
    echo "1..0 # SKIP $1"
    exit 0
}

if [ "${VORTEX_CGROUP-}" != inside ]; then
    [ "$(id -u)" -eq 0 ] || skip 'needs root'
    own=$(findmnt -t cgroup2 -n -o TARGET -f)$(sed -n 's/^0::\(.*[^/]\)$/\1/p' /proc/self/cgroup)
    own=$own/vortex-test-$$
    mkdir "$own" 2>/dev/null || skip 'needs a cgroup v2 hierarchy that may be written'
    trap 'find "$own" -depth -type d -exec rmdir {} +' EXIT
    [ -e "$own/cgroup.kill" ] || skip 'needs cgroup.kill (Linux 5.14)'
    # shellcheck disable=SC2016 # the inner shell expands it
    VORTEX_CGROUP=inside bash -c 'echo $$ >"$0/cgroup.procs" && exec unshare --mount --pid --cgroup \
        --fork --kill-child --mount-proc --propagation private bash "$@"' "$own" "$SELF" "$@"
    exit
fi

# shellcheck source=tests/command/tap.sh
. "$(dirname "$SELF")/tap.sh"

top=$(mktemp -d /tmp/vortex-cgroup-XXXXXX)
trap 'umount "$top/fs"; rm -rf "$top"' EXIT
fs=$top/fs # its root is this test's group
mkdir "$fs"
mount -t cgroup2 none "$fs" || exit 1
# systemd's word on this machine is about groups that aren't seen in here.
if [ -e /run/systemd/system ]; then
    mount -t tmpfs none /run/systemd || exit 1
fi

# group_of PID
group_of()
{
    sed -n 's/^0:://p' "/proc/$1/cgroup"
}

# Are there so many processes of a server that spreads?
spread_over()
{
    [ "$(pgrep -c -x "${SPREAD##*/}")" -eq "$1" ]
}

# Are so many processes in the group of the state?
are_in()
{
    [ "$(wc -l <"$fs$(value cgroup)/cgroup.procs")" -ge "$1" ]
}

# Has vortex left no group, but those named?
only_groups()
{
    [ "$(cd "$fs" && find . -mindepth 1 -type d | sort | tr '\n' ' ')" = "$*" ]
}

has_line()
{
    [ -s "$1" ]
}

# ---- Made, used, removed -----------------------------------------------------------------------

fresh
config '[server]' "command = $ALIVE" 'supervise = yes'
expect 0 started "$VORTEX" start "${C[@]}"
group=$(value cgroup)
check test "$(group_of "$(value server-pid)")" = "$group"
check test "$(group_of "$(cat "$P")")" = /
check only_groups ".$group "
stop_ok
check only_groups ''
start_ok # by exec
check only_groups ''
stop_ok
kept a_supervised_server_has_a_group_of_its_own_and_no_other_has

fresh
config '[server]' "command = $ALIVE" '[restart]' 'policy = on-failure' 'delay = 10ms'
expect 0 started "$VORTEX" start "${C[@]}"
for i in 1 2; do
    kill -KILL "$(value server-pid)"
    eventually has_value restarts $i
    eventually has_value phase ready
    check test "$(group_of "$(value server-pid)")" = "$(value cgroup)"
done
stop_ok
check only_groups ''
kept a_restarted_server_has_a_group_too

# kill_server HOW: and wait for the next one, in a new group of the same name.
kill_server()
{
    local former
    former=$(stat -c %i "$fs$group")
    restarts=$((restarts + 1))
    "$@"
    eventually has_value restarts $restarts
    eventually has_value phase ready
    check is_alive "$(value server-pid)"
    check test "$(group_of "$(value server-pid)")" = "$group"
    check test "$(stat -c %i "$fs$group")" != "$former"
    check only_groups ".$group "
}

kill_by_group()
{
    echo 1 >"$fs$group/cgroup.kill" # Linux 6.18 kills whoever is born into it later
}

kill_by_number()
{
    kill -KILL "$(value server-pid)"
}

fresh
restarts=0
config '[server]' "command = $ALIVE" '[restart]' 'policy = on-failure' 'delay = 0s'
expect 0 started "$VORTEX" start "${C[@]}"
group=$(value cgroup)
kill_server kill_by_number
kill_server kill_by_group
alive setsid
echo $bystander >"$fs$group/cgroup.procs"
kill_server kill_by_number
check is_dead $bystander
end $bystander
mkdir "$fs$group/below"
kill_server kill_by_number
echo 1 >"$fs$group/cgroup.freeze"
kill_server kill_by_number
stop_ok
check only_groups ''
kept what_was_done_to_a_group_is_not_done_to_the_next_servers

# ---- A stop leaves nothing ---------------------------------------------------------------------

# The adopted one is no descendant: the group alone leads to it.
fresh
alive setsid
config '[server]' "command = $SPREAD 100" 'supervise = yes'
expect 0 started "$VORTEX" start "${C[@]}"
eventually are_in 101
eventually has_value phase ready
echo $bystander >"$fs$(value cgroup)/cgroup.procs"
group=$(value cgroup)
eventually spread_over 101
stop_ok
check is_dead $bystander
check spread_over 0
check only_groups ''
end $bystander
kept all_in_the_group_are_gone_after_a_stop

fresh
config '[server]' "command = $SPREAD bomb 500 54322" '[stop]' 'sequence = TERM 100ms'
expect 0 started "$VORTEX" start "${C[@]}"
eventually are_in 400
stop_ok
check spread_over 0
check only_groups ''
kept a_fork_bomb_is_gone_after_a_stop

fresh
mkdir "$fs/elsewhere"
alive env
echo $bystander >"$fs/elsewhere/cgroup.procs"
config '[server]' "command = sh -c '(echo 0 >$fs/elsewhere/cgroup.procs; setsid $ALIVE & echo \$! >$dir/moved); exec $ALIVE'" \
    'supervise = yes'
expect 0 started "$VORTEX" start "${C[@]}"
eventually has_line "$dir/moved"
moved=$(cat "$dir/moved")
check test "$(group_of "$moved")" = /elsewhere
stop_ok
check is_dead "$moved"
check is_alive $bystander
end $bystander
eventually rmdir "$fs/elsewhere"
check only_groups ''
kept who_went_to_another_group_is_found_and_a_stranger_there_is_not_touched

fresh
config '[server]' "command = sh -c 'own=$fs\$(cut -d: -f3 /proc/self/cgroup | tail -n 1); mkdir -p \$own/a/b; echo 0 >\$own/a/b/cgroup.procs; echo done >$dir/moved; exec $ALIVE'" \
    'supervise = yes'
expect 0 started "$VORTEX" start "${C[@]}"
eventually has_line "$dir/moved"
check test "$(group_of "$(value server-pid)")" = "$(value cgroup)/a/b"
stop_ok
check only_groups ''
kept the_groups_that_a_server_made_go_with_its_own

# ---- A killed supervisor -----------------------------------------------------------------------

# left_behind: a server whose child keeps no lock; its supervisor is killed. The child: $left.
left_behind()
{
    rm -f "$dir/left"
    config '[server]' "command = bash -c 'for fd in /proc/self/fd/*; do fd=\${fd##*/}; [ \$fd -le 2 ] || eval \"exec \$fd>&-\"; done; setsid $ALIVE & echo \$! >$dir/left; exec $ALIVE'" \
        'supervise = yes'
    expect 0 started "$VORTEX" start "${C[@]}"
    eventually has_line "$dir/left"
    left=$(cat "$dir/left")
    server=$(value server-pid)
    group=$(value cgroup)
    kill -KILL "$(cat "$P")"
    eventually is_dead "$server"
}

fresh
left_behind
expect 0 'not running' "$VORTEX" stop -p "$P" --leftovers
check is_dead "$left"
check only_groups ''
kept stop_leftovers_ends_all_in_the_group_of_a_dead_supervisor

fresh
left_behind
config '[server]' "command = $ALIVE" 'supervise = yes'
expect 0 started "$VORTEX" start "${C[@]}"
check has_value cgroup "$group.2"
stop_ok
check is_alive "$left"
check only_groups ".$group "
kill -KILL "$left"
eventually is_dead "$left"
expect 0 started "$VORTEX" start "${C[@]}"
check has_value cgroup "$group"
kill -KILL "$(cat "$P")"
eventually is_dead "$(value server-pid)"
start_ok # by exec
check only_groups ''
stop_ok
kept a_group_that_a_crash_left_is_removed_by_the_next_start_once_it_is_empty

# ---- Where there can be none -------------------------------------------------------------------

fresh
mount -o remount,bind,ro "$fs"
config '[server]' "command = $SPREAD 20" 'supervise = yes'
expect 0 started "$VORTEX" start "${C[@]}"
check has_value cgroup ''
eventually spread_over 21
stop_ok
check spread_over 0
mount -o remount,bind,rw "$fs"
kept without_a_writable_hierarchy_the_tree_is_walked

fresh
mkdir -p /run/systemd/system
config '[server]' "command = $ALIVE" 'supervise = yes'
expect 0 started "$VORTEX" start "${C[@]}"
check has_value cgroup ''
check only_groups ''
stop_ok
mkdir "$fs/x.service"
# shellcheck disable=SC2016 # the inner shell expands it
BE_IN=(bash -c 'echo 0 >"$0" && exec "$@"')
expect 0 started "${BE_IN[@]}" "$fs/x.service/cgroup.procs" "$VORTEX" start "${C[@]}"
check has_value cgroup /x.service # the unit's own
stop_ok
python3 -c 'import os, sys; os.setxattr(sys.argv[1], "user.delegate", b"1")' "$fs/x.service"
expect 0 started "${BE_IN[@]}" "$fs/x.service/cgroup.procs" "$VORTEX" start "${C[@]}"
check test "$(dirname "$(value cgroup)")" = /x.service
check test "$(group_of "$(value server-pid)")" = "$(value cgroup)"
stop_ok
check only_groups './x.service '
rmdir "$fs/x.service" /run/systemd/system
kept what_systemd_did_not_delegate_is_left_alone

finish
