#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What is promised of the package on a Debian with systemd; in the machine that machine.sh boots.
set -u

here=$(dirname "$0")
# shellcheck source=tests/system/units.sh
. "$here/units.sh"
# shellcheck source=tests/system/deb/tools.sh
. "$here/tools.sh"
VORTEX=/usr/bin/vortex
export DEBIAN_FRONTEND=noninteractive
apt=(apt-get -q -y -o Dpkg::Options::=--force-confold)
this=$(echo /opt/debs/this/vortex_*_*.deb) next=$(echo /opt/debs/next/vortex_*_*.deb)

# installed DEB: it is what is there now.
installed()
{
    test "$(dpkg-query -W -f '${Version} ${db:Status-Abbrev}' vortex)" = "$(dpkg-deb -f "$1" Version) ii "
}

# What is on this machine but was not before, or the other way round; not the user, whom policy keeps.
changed()
{
    world "$dir/now"
    diff "$1" "$dir/now" | grep '^[<>]' |
        grep -vx '> user: vortex:x:[0-9]*:[0-9]*:Vortex instances:/var/lib/vortex:/usr/sbin/nologin' |
        grep -vx '> group: vortex:x:[0-9]*:'
}

expect 0 '' apt-get update
world "$top/before"

promise
expect 0 '' "${apt[@]}" install "$this"
check installed "$this"
expect 0 enabled systemctl is-enabled vortex
unit_agrees vortex.service vortex
expect 0 'no mistakes' "$VORTEX" check
kept the_default_service_runs_after_the_installation

promise
expect 0 '' /opt/autopkgtest/smoke
expect 0 '' /opt/autopkgtest/service
kept the_packaged_tests_pass

promise
expect 0 '' "${apt[@]}" purge vortex
said=$(changed "$top/before")
[ -z "$said" ] || problem+="$said\n"
check has_property vortex LoadState not-found
check test -z "$(systemctl list-units --all --no-legend --plain 'vortex*')"
check test -z "$(pgrep -u vortex)"
kept a_purge_leaves_nothing

# ---- A real server ------------------------------------------------------------------------------

# ask: over the connection that is kept.
ask()
{
    local answer
    printf 'PING\r\n' >&9
    read -r -t 60 answer <&9
    check test "$answer" = $'+PONG\r'
}

promise
systemctl -q mask redis-server
expect 0 '' "${apt[@]}" install redis-server "$this"
instance vortex '[server]' 'command = redis-server --port 6379 --dir /var/lib/vortex/%n' \
    '[ready]' 'when = tcp:127.0.0.1:6379'
instance web '[server]' 'command = sleep infinity'
expect 0 '' systemctl restart vortex
expect 0 '' systemctl enable --now vortex@web
unit_agrees vortex.service vortex
unit_agrees vortex@web.service web
expect 0 PONG redis-cli ping
expect 0 OK redis-cli set key value
kept a_server_of_debian_is_configured_and_serves

# ---- Another version ----------------------------------------------------------------------------

promise
main=$(main_of vortex.service) web=$(main_of vortex@web.service)
exec 9<>/dev/tcp/127.0.0.1/6379
ask
expect 0 "former version until it is restarted: pid $main," "${apt[@]}" install "$next"
check installed "$next"
expect 0 "^vortex $(dpkg-deb -f "$next" Version | cut -d- -f1)$" "$VORTEX" --version
check test "$(main_of vortex.service) $(main_of vortex@web.service)" = "$main $web"
unit_agrees vortex.service vortex
unit_agrees vortex@web.service web
ask
check grep -q redis-server /etc/vortex/vortex.conf
check grep -q 'Of the next version' /etc/vortex/vortex.conf.dpkg-dist
kept an_upgrade_keeps_servers_connections_and_an_edited_configuration

promise
expect 0 '' systemctl restart vortex
check test "$(main_of vortex.service)" != "$main"
check test "$(readlink "/proc/$(main_of vortex.service)/exe")" = /usr/bin/vortex
unit_agrees vortex.service vortex
expect 0 value redis-cli get key
check test "$(timeout 60 cat <&9)" = ''
exec 9>&-
kept the_planned_restart_brings_the_new_version

promise
systemctl stop vortex
expect 0 '' "${apt[@]}" install --reinstall "$next"
unit_agrees vortex.service vortex
systemctl disable --now vortex 2>/dev/null
expect 0 '' "${apt[@]}" install --allow-downgrades "$this"
check has_property vortex.service ActiveState inactive
expect 1 disabled systemctl is-enabled vortex
expect 0 '' systemctl enable --now vortex
unit_agrees vortex.service vortex
kept what_was_disabled_stays_so

promise
expect 0 '' "${apt[@]}" install "$next"
expect 0 '' systemctl restart vortex
main=$(main_of vortex.service)
expect 0 "former version until it is restarted: pid $main," \
    "${apt[@]}" install --allow-downgrades "$this"
check installed "$this"
unit_agrees vortex.service vortex
check test "$(main_of vortex.service)" = "$main"
expect 0 value redis-cli get key
expect 0 '' systemctl restart vortex
unit_agrees vortex.service vortex
expect 0 value redis-cli get key
kept a_downgrade_is_no_other

promise
echo '[nonsense]' >>/etc/vortex/vortex.conf
main=$(main_of vortex.service)
expect 0 '' "${apt[@]}" install "$next"
check test "$(main_of vortex.service)" = "$main"
expect 0 PONG redis-cli ping
systemctl stop vortex
expect 0 '' "${apt[@]}" install --reinstall "$next"
check installed "$next"
sed -i '/nonsense/d' /etc/vortex/vortex.conf
systemctl reset-failed vortex
expect 0 '' systemctl start vortex
unit_agrees vortex.service vortex
kept a_broken_configuration_breaks_neither_a_server_nor_an_upgrade

# ---- The end ------------------------------------------------------------------------------------

promise
expect 0 started "$VORTEX" start hand -- sleep infinity
hand=$(cat /run/vortex/hand.pid)
expect 0 "started by hand is left alone:.*hand +running +$hand" "${apt[@]}" remove vortex
check is_alive "$hand"
check test -z "$(pgrep -u vortex)"
expect 1 refused redis-cli ping
check test ! -e /usr/bin/vortex
check test -e /etc/vortex/vortex.conf
check has_property vortex LoadState not-found
check has_property vortex@web LoadState not-found
check test "$(compgen -G '/run/vortex/*.pid')" = /run/vortex/hand.pid
expect 0 '' "${apt[@]}" install "$this"
unit_agrees vortex.service vortex
expect 0 value redis-cli get key
expect 0 stopped "$VORTEX" stop hand
kept a_removal_ends_services_and_an_installation_finds_them_again

promise
expect 0 'data is kept: /var/lib/vortex' "${apt[@]}" purge vortex
expect 1 refused redis-cli ping
wanted='/etc/vortex
/etc/vortex/web.conf
/var/lib/vortex
/var/lib/vortex/vortex
/var/lib/vortex/vortex/dump.rdb'
said=$(changed "$top/before" | sed 's/^> //' | grep vortex)
[ "$said" = "$wanted" ] || problem+="$said\n"
check test -z "$(find / -xdev -xtype l -name '*vortex*')"
check test ! -e /run/vortex
kept a_purge_keeps_what_a_user_made_and_no_more
finish
