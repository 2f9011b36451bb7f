#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What is promised of the package where there is no systemd: in a container without any init, and on a
# Debian with sysvinit.
#
#   bare.sh SOURCE
#
# The root file system is VORTEX_TEST_MACHINE without its systemd, under a layer in memory.
set -u

SELF=$(realpath "$0") SOURCE=$(realpath "$1")
# shellcheck source=tests/command/tap.sh
. "$SOURCE/tests/command/tap.sh"
# shellcheck source=tests/system/common.sh
. "$SOURCE/tests/system/common.sh"
# shellcheck source=tests/system/deb/tools.sh
. "$SOURCE/tests/system/deb/tools.sh"
MACHINE=${VORTEX_TEST_MACHINE-}

needs dpkg-scanpackages chroot
[ -e "$MACHINE/usr/bin/dpkg" ] || {
    echo '1..0 # SKIP there is no root file system VORTEX_TEST_MACHINE'
    exit 0
}
alone --net -- "$SELF" "$SOURCE"
layer "$MACHINE"
top=$(mktemp -d)
local_repository $root
cp "$SOURCE/tests/system/deb/tools.sh" "$SOURCE/packaging/deb/tests/smoke" $root/opt/
apt=("${inside[@]}" apt-get -q -y --no-install-recommends)
deb=/opt/debs/this/$(basename "$DEBS"/this/vortex_*_*.deb)

# in_world FILE
in_world()
{
    "${inside[@]}" bash -c ". /opt/tools.sh; world $1"
}

# Of systemd the libraries stay, which are essential.
"${apt[@]}" purge systemd systemd-sysv libpam-systemd dbus >&2 || bail 'systemd does not go'
"${apt[@]}" update >&2 || bail 'apt-get update failed'
[ ! -e $root/sbin/init ] || bail 'there is an init left'

# ---- Without any init ---------------------------------------------------------------------------

fresh
in_world /opt/before
expect 0 "no service manager here. 'vortex start NAME'" "${apt[@]}" install "$deb"
check test -x $root/bin/systemd-sysusers
check test ! -e $root/lib/systemd/systemd
expect 0 '' "${inside[@]}" id vortex
expect 0 '' "${inside[@]}" /opt/smoke
kept a_container_without_init_gets_no_systemd_and_hears_what_to_do

fresh
expect 0 'already running|started' "${inside[@]}" vortex start --if-stopped
expect 0 "running" "${inside[@]}" vortex status
expect 0 stopped "${inside[@]}" vortex stop
expect 3 'not running' "${inside[@]}" vortex status
kept the_command_hosts_there

fresh
expect 0 '' "${apt[@]}" purge vortex systemd-standalone-sysusers
in_world /opt/after
said=$(diff $root/opt/before $root/opt/after | grep '^[<>]' | grep -v 'vortex:x:')
[ -z "$said" ] || problem+="$said\n"
kept a_purge_leaves_nothing_there

# ---- sysvinit -----------------------------------------------------------------------------------

fresh
expect 0 '' "${apt[@]}" install sysvinit-core
# What init notes when it has come to runlevel 2, in utmp's form.
perl -e 'print pack("s x2 l a32 a4 a32 x308", 1, ord("2"), "~", "~~", "runlevel")' >$root/run/utmp
expect 0 '[N ]+ 2' "${inside[@]}" runlevel
expect 0 '' "${apt[@]}" install "$deb"
check test -n "$(compgen -G "$root/etc/rc2.d/S*vortex")" # at the next boot
expect 0 "running" "${inside[@]}" service vortex status
pid=$(cat $root/run/vortex/vortex.pid)
expect 0 '' "${inside[@]}" service vortex restart
check test "$(cat $root/run/vortex/vortex.pid)" != "$pid"
kept a_service_of_sysvinit_runs_after_the_installation

fresh
pid=$(cat $root/run/vortex/vortex.pid)
expect 0 "former version until it is restarted: pid $pid," \
    "${apt[@]}" install "/opt/debs/next/$(basename "$DEBS"/next/vortex_*_*.deb)"
check test "$(cat $root/run/vortex/vortex.pid)" = "$pid"
check is_alive "$pid"
kept its_server_goes_on_through_an_upgrade

fresh
expect 0 '' "${apt[@]}" remove vortex
check is_dead "$pid"
check test ! -e $root/run/vortex/vortex.pid
expect 0 '' "${apt[@]}" purge vortex
check test -z "$(compgen -G "$root/etc/rc*.d/*vortex")"
for path in etc/vortex etc/init.d/vortex etc/default/vortex run/vortex var/lib/vortex var/log/vortex; do
    check test ! -e "$root/$path"
done
kept a_removal_ends_it_and_a_purge_leaves_nothing

# ---- OpenRC, which runs the same script ---------------------------------------------------------

fresh
expect 0 '' "${apt[@]}" install openrc
mkdir -p $root/run/openrc
echo default >$root/run/openrc/softlevel
expect 0 '' "${apt[@]}" install "$deb"
expect 0 'vortex \| .*default' "${inside[@]}" rc-update show
expect 0 'running' "${inside[@]}" rc-service vortex status
pid=$(cat $root/run/vortex/vortex.pid)
expect 0 '' "${inside[@]}" rc-service vortex restart
check is_dead "$pid"
expect 0 '' "${apt[@]}" purge vortex
check test ! -e $root/run/vortex
check test -z "$(compgen -G "$root/etc/runlevels/*/vortex")"
kept openrc_runs_it_as_well
finish
