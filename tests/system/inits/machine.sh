#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Boots another service manager than systemd with what was built, and runs the cases for it.
#
#   machine.sh MANAGER BUILD SERVER
#
# MANAGER: openrc, sysvinit, s6 or runit, which is process 1 of the machine. BUILD: the build directory,
# which is installed. SERVER: tests/system/server.c. The root file system is VORTEX_TEST_MACHINE with
# layers of VORTEX_TEST_INITS (packaging/dev.sh makes both), under an overlay in memory. Everything is in
# namespaces of its own: whoever kills the outermost process kills all of it. Needs root; prints TAP.
set -u

MANAGER=$1 BUILD=$(realpath "$2") SERVER=$(realpath "$3")
SELF=$(realpath "$0")
HERE=$(dirname "$SELF")

# shellcheck source=tests/system/common.sh
. "$HERE/../common.sh"
# shellcheck source=tests/command/tap.sh
. "$HERE/../../command/tap.sh"

[ -n "${VORTEX_TEST_INITS-}" ] || skip 'needs VORTEX_TEST_INITS, other service managers'
[ -e "${VORTEX_TEST_MACHINE-}/etc" ] || skip 'needs VORTEX_TEST_MACHINE, a root file system'
alone --net --uts --ipc -- "$SELF" "$@"

top=/mnt
root=$top/root

fail()
{
    echo "Bail out! $*"
    [ ! -s $top/console ] || sed 's/^/# /' $top/console
    exit 1
}

put_together()
{
    local layer=openrc
    [ "$MANAGER" != sysvinit ] || layer=sysvinit
    mount -t tmpfs -o mode=0755 tmpfs $top || fail 'no tmpfs'
    mkdir $top/{installed,upper,work,root}
    mount -t overlay overlay -o \
        "lowerdir=$VORTEX_TEST_INITS/$layer:$VORTEX_TEST_MACHINE,upperdir=$top/upper,workdir=$top/work" \
        $root || fail 'no overlay'
    meson install -C "$BUILD" --no-rebuild --quiet --destdir $top/installed >&2 ||
        fail 'meson install failed'
    # Debian's /lib is a link, and stays one.
    tar -C $top/installed -c . | tar -C $root -x --keep-directory-symlink || fail 'tar failed'
    mkdir -p $root/etc/vortex $root/opt/tests
    cp "$SERVER" $root/usr/local/bin/server
    cp "$HERE"/*.sh "$HERE/../common.sh" "$HERE/../../command/tap.sh" $root/opt/tests/
    mount -t tmpfs -o mode=0755 tmpfs $root/run
    mount -t tmpfs tmpfs $root/tmp
    mount --rbind /dev $root/dev
    mount -t proc proc $root/proc
    # What else the root file system has is none of these tests' business.
    rm -f $root/etc/rc?.d/[SK]*
}

# ---- Each manager's own: its process 1, and the default instance, to be started at the boot --------

with_openrc()
{
    INIT=(/sbin/openrc-init)
    install -m 755 "$BUILD/units/openrc/vortex.initd" $root/etc/init.d/vortex
    install -D -m 644 "$HERE/../../../units/openrc/vortex.confd" $root/etc/conf.d/vortex
    mkdir -p $root/etc/runlevels/{sysinit,boot,default,shutdown}
    install -m 755 "$BUILD/units/sysvinit/vortex" $root/opt/tests/sysvinit.script
    chroot $root rc-update add vortex default >&2 || fail 'rc-update failed'
}

with_sysvinit()
{
    INIT=(/sbin/init)
    install -m 755 "$BUILD/units/sysvinit/vortex" $root/etc/init.d/vortex
    install -m 644 "$HERE/../../../units/sysvinit/vortex.default" $root/etc/default/vortex
    printf '%s\n' id:2:initdefault: l2:2:wait:'/etc/init.d/rc 2' l0:0:wait:'/etc/init.d/rc 0' \
        h0:0:wait:'/bin/touch /run/halted' >$root/etc/inittab
    # $remote_fs and $local_fs stand for these; nothing runs them here.
    chroot $root sh -c 'cd /etc/init.d && exec insserv mount* check* hostname* urandom*' ||
        fail 'insserv failed'
    chroot $root update-rc.d vortex defaults >&2 || fail 'update-rc.d failed'
}

# The default instance as its service.
example()
{
    mkdir $root/etc/services
    cp -a "$root/usr/local/share/doc/vortex/examples/$MANAGER" "$root/etc/services/vortex"
}

# ---- The machine --------------------------------------------------------------------------------

path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# The pid of its process 1 in $leader.
boot()
{
    # shellcheck disable=SC2016 # for the shell in there
    unshare --mount --pid --fork --kill-child=KILL --propagation private bash -c \
        'mount -t proc proc "$1/proc" && exec env -i "PATH=$2" chroot "$1" "${@:3}"' \
        bash $root $path "${INIT[@]}" >$top/console 2>&1 </dev/null &
    machine=$!
    until leader=$(pgrep -P $machine); do
        [ -e /proc/$machine ] || fail 'unshare failed'
        sleep 0.01
    done
}

in_machine()
{
    nsenter --target "$leader" --mount --pid \
        chroot $root env -i PATH=$path LC_ALL=C.UTF-8 "$@"
}

put_together
printf '%s\n' '[server]' 'command = server --listen 8100 --after 300' '[ready]' \
    'when = tcp:127.0.0.1:8100' >$root/etc/vortex/vortex.conf
ip link set lo up
case $MANAGER in
openrc) with_openrc ;;
sysvinit) with_sysvinit ;;
s6) INIT=(s6-svscan /etc/services) && example ;;
runit) INIT=(runsvdir /etc/services) && example ;;
esac
boot
status=0
in_machine bash "/opt/tests/$MANAGER.sh" || status=$?
[ $status -eq 0 ] || sed 's/^/# /' $top/console
exit $status
