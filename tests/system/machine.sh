#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Boots a real systemd with what is tried, and runs the cases, or another script, in it.
#
#   machine.sh BUILD SERVER FOLDER [SCRIPT]
#
# BUILD: the build directory. SERVER: tests/system/server.c. FOLDER: its prepare.sh has the function
# `prepare`, which puts what is tried into $root; its cases.sh runs there. The root file system
# is VORTEX_TEST_MACHINE (packaging/dev.sh makes it), under an overlay in memory. Everything is in
# namespaces of its own: whoever kills the outermost process kills all of it. Needs root; prints TAP.
set -u

BUILD=$(realpath "$1") SERVER=$(realpath "$2") FOLDER=$(realpath "$3")
SELF=$(realpath "$0")
HERE=$(dirname "$SELF")
SCRIPT=$(realpath "${4-$FOLDER/cases.sh}")
# shellcheck source=tests/system/systemd/prepare.sh
. "$FOLDER/prepare.sh"
ROOT=${VORTEX_TEST_MACHINE-}

# shellcheck source=tests/system/common.sh
. "$HERE/common.sh"

# cannot WHY: a sandbox may forbid what a machine in it needs. That is said, and is no pass.
cannot()
{
    [ ! -s "${top-}/console" ] || sed 's/^/# /' "$top/console"
    echo "1..0 # SKIP no machine can be booted here: $*"
    exit 0
}

# ---- Outside: a control group and the namespaces, and a look at what is left --------------------

groups=/sys/fs/cgroup
[ -e $groups/cgroup.controllers ] || groups=/sys/fs/cgroup/unified

# remove_group GROUP, with those below it, as soon as they are empty.
remove_group()
{
    local end=$((SECONDS + 20))
    # The kernel lets go of the killed in its own time.
    until find "$1" -depth -type d -exec rmdir {} + 2>/dev/null; [ ! -e "$1" ]; do
        [ $SECONDS -lt $end ] || return
        sleep 0.01
    done
}

# Of runs that were killed before they could do so.
remove_former_groups()
{
    local former
    for former in "$groups"/vortex-systemd-*; do
        [ ! -d "$former" ] || [ -e "/proc/${former##*-}" ] || remove_group "$former"
    done
}

what_is_left()
{
    remove_group "$group"
    [ ! -e "$group" ] || echo "$group, with: $(find "$group" -name cgroup.procs -exec cat {} +)"
    # other machines of this test may run beside this one
    mount | grep "$mark" | sed 's/^/mounted: /'
    grep -lsF "$mark" /proc/[0-9]*/cgroup /proc/[0-9]*/environ | grep -v "/proc/$$/" |
        sed 's/^/a process: /'
}

outside()
{
    local status=0 left
    [ "$(id -u)" -eq 0 ] || skip 'needs root'
    [ -n "$ROOT" ] || skip 'needs VORTEX_TEST_MACHINE, a root file system with systemd'
    [ -e "$ROOT/lib/systemd/systemd" ] || cannot "there is no root file system $ROOT"
    command -v systemd-nspawn >/dev/null || skip 'needs systemd-nspawn'
    [ -e $groups/cgroup.controllers ] || cannot 'there are no control groups, version 2'
    remove_former_groups
    mark=vortex-systemd-$$
    group=$groups/$mark
    mkdir "$group" || cannot 'no control group can be made'
    VORTEX_MACHINE=$mark setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child=KILL \
        --mount-proc --propagation private bash "$SELF" "$BUILD" "$SERVER" "$FOLDER" "$SCRIPT" &
    child=$!
    trap 'kill -KILL $child 2>/dev/null; remove_group "$group"; exit 1' TERM INT HUP
    wait $child || status=$?
    trap - TERM INT HUP
    left=$(what_is_left)
    if [ -n "$left" ]; then
        echo "Bail out! Left on this machine: ${left//$'\n'/; }"
        exit 1
    fi
    exit $status
}

[ -n "${VORTEX_MACHINE-}" ] || outside

# ---- Inside: the machine is put together, booted, and switched off ------------------------------

group=$groups/$VORTEX_MACHINE
top=/mnt

fail()
{
    echo "Bail out! $*"
    [ ! -s $top/console ] || sed 's/^/# /' $top/console
    exit 1
}

put_together()
{
    local root=$top/root
    mount -t tmpfs -o mode=0755 tmpfs $top || cannot 'no tmpfs'
    mkdir $top/{upper,work,root}
    mount -t overlay overlay -o "lowerdir=$ROOT,upperdir=$top/upper,workdir=$top/work" $root ||
        cannot 'no overlay'
    prepare
    mkdir -p $root/opt/tests
    cp "$SERVER" $root/usr/local/bin/server
    cp "$FOLDER"/*.sh "$HERE"/{common,units}.sh "$HERE/../command/tap.sh" "$SCRIPT" $root/opt/tests/
    # An id, so that it isn't the first boot, which would enable whatever there is.
    echo 76f6c3d0a5e94d5bb2a4c1f08e1d9a37 >$root/etc/machine-id
}

# The leader's pid in $leader. It is never killed: nspawn would be left without its machine.
boot()
{
    local end=$((SECONDS + 60)) state=''
    (
        echo "$BASHPID" >"$group/cgroup.procs"
        umount -R /sys/fs/cgroup
        mount -t cgroup2 cgroup2 /sys/fs/cgroup
        # nspawn passes on nothing of this environment
        exec systemd-nspawn -q -M "$VORTEX_MACHINE" -D $top/root --boot --register=no --keep-unit \
            --console=pipe --private-network
    ) >$top/console 2>&1 </dev/null &
    nspawn=$!
    until leader=$(pgrep -P $nspawn -x systemd) && [ -n "$leader" ]; do
        [ -e /proc/$nspawn ] || cannot 'systemd-nspawn did not start'
        [ $SECONDS -lt $end ] || cannot 'systemd-nspawn did not start systemd'
        sleep 0.01
    done
    until [[ $state =~ running|degraded ]]; do
        [ $SECONDS -lt $end ] || fail "systemd did not come up: $state"
        sleep 0.05
        state=$(in_machine systemctl is-system-running --wait 2>&1)
    done
}

in_machine()
{
    nsenter -t "$leader" -a env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        CASES="${CASES-}" LC_ALL=C.UTF-8 SYSTEMD_COLORS=0 SYSTEMD_PAGER= "$@"
}

put_together
boot
status=0
in_machine bash "/opt/tests/${SCRIPT##*/}" || status=$?
kill -RTMIN+4 "$leader"
wait $nspawn
exit $status
