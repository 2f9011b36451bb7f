#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What is promised of the rpm and its scriptlets under systemd; in the machine that machine.sh boots. Its
# other packages are Debian's, of which rpm knows nothing: hence --nodeps.
set -u

here=$(dirname "$0")
# shellcheck source=tests/system/units.sh
. "$here/units.sh"
VORTEX=/usr/bin/vortex
this=$(echo /opt/rpms/this/vortex-[0-9]*.x86_64.rpm) next=$(echo /opt/rpms/next/vortex-[0-9]*.x86_64.rpm)

# Debian's rpm wants to be told that it is meant.
rpm=(rpm --force-debian --dbpath /var/lib/rpm)

# quietly OPTION... RPM: rpm and the scriptlets do their work without a word.
quietly()
{
    expect 0 '^$' "${rpm[@]}" --nodeps "$@"
}

# version RPM: as the command prints it.
version()
{
    "${rpm[@]}" -qp --queryformat 'vortex %{VERSION}' "$1"
}

# connect, and ask over that connection.
connect()
{
    exec 9<>/dev/tcp/127.0.0.1/8401
}

ask()
{
    printf 'GET /' >&9 # by one write: it reads once
    check test "$(timeout 60 cat <&9 | tail -n 1)" = ok
    exec 9>&-
}

# What is on this machine but was not before, or the other way round; not the user, whom policy keeps,
# nor what the package filesystem of such a distribution has.
changed()
{
    world "$dir/now"
    diff "$top/before" "$dir/now" | sed -n 's/^\([<>]\) /\1/p' |
        grep -vx -e '>user: vortex:x:[0-9]*:[0-9]*:Vortex instances:/var/lib/vortex:/usr/sbin/nologin' \
            -e '>group: vortex:x:[0-9]*:' -e '>/usr/share/licenses'
}

world "$top/before"

promise
# A distribution that starts nothing by itself.
mkdir -p /etc/systemd/system-preset
echo 'disable *' >/etc/systemd/system-preset/00-none.preset
quietly -i "$this"
quietly -V vortex
expect 1 disabled systemctl is-enabled vortex
check has_property vortex ActiveState inactive
check test "$(stat -c '%a %U %G' /run/vortex)" = '1775 root vortex'
expect 0 'no mistakes' "$VORTEX" check
quietly -e vortex
said=$(changed | grep -v system-preset)
[ -z "$said" ] || problem+="$said\n"
check has_property vortex LoadState not-found
check test ! -e /run/vortex
rm -r /etc/systemd/system-preset
kept an_erased_package_leaves_nothing

promise
quietly -i "$this"
expect 0 enabled systemctl is-enabled vortex
check has_property vortex ActiveState inactive
expect 0 '' systemctl start vortex
unit_agrees vortex.service vortex
kept the_preset_says_whether_it_is_enabled_and_nobody_starts_it

promise
instance vortex '[server]' 'command = server --listen 8401' '[ready]' 'when = tcp:127.0.0.1:8401'
instance web '[server]' 'command = sleep infinity'
expect 0 '' systemctl restart vortex
expect 0 '' systemctl enable --now vortex@web
unit_agrees vortex.service vortex
unit_agrees vortex@web.service web
main=$(main_of vortex.service) web=$(main_of vortex@web.service)
connect
expect 0 "vortex.conf.rpmnew.*former version until it is restarted: pid $main," \
    "${rpm[@]}" --nodeps -U "$next"
expect 0 "^$(version "$next")$" "$VORTEX" --version
check test "$(main_of vortex.service) $(main_of vortex@web.service)" = "$main $web"
unit_agrees vortex.service vortex
unit_agrees vortex@web.service web
check has_property vortex NeedDaemonReload no
ask
check grep -q 'server --listen' /etc/vortex/vortex.conf
check grep -q 'Of the next version' /etc/vortex/vortex.conf.rpmnew
kept an_upgrade_keeps_servers_connections_and_an_edited_configuration

promise
expect 0 '' systemctl restart vortex
check test "$(main_of vortex.service)" != "$main"
check test "$(readlink "/proc/$(main_of vortex.service)/exe")" = /usr/bin/vortex
unit_agrees vortex.service vortex
connect
ask
kept the_planned_restart_brings_the_new_version

promise
expect 0 '' systemctl disable --now vortex
expect 0 'rpmnew$' "${rpm[@]}" --nodeps -U --oldpackage "$this" # no supervisor runs
expect 0 "^$(version "$this")$" "$VORTEX" --version
expect 1 disabled systemctl is-enabled vortex
check has_property vortex ActiveState inactive
unit_agrees vortex@web.service web
check test "$(main_of vortex@web.service)" = "$web"
expect 0 '' systemctl enable --now vortex
unit_agrees vortex.service vortex
kept a_downgrade_is_no_other_and_what_was_disabled_stays_so

promise
echo '[nonsense]' >>/etc/vortex/vortex.conf
main=$(main_of vortex.service)
expect 0 "rpmnew.*until it is restarted: pid $main," "${rpm[@]}" --nodeps -U "$next"
check test "$(main_of vortex.service)" = "$main"
connect
ask
sed -i '/nonsense/d' /etc/vortex/vortex.conf
kept a_broken_configuration_breaks_neither_a_server_nor_an_upgrade

promise
expect 0 started "$VORTEX" start hand -- sleep infinity
hand=$(cat /run/vortex/hand.pid)
runuser -u vortex -- touch /var/lib/vortex/vortex/data
expect 0 "started by hand is left alone:.*hand +running +$hand.*vortex.conf.rpmsave" \
    "${rpm[@]}" --nodeps -e vortex
check is_alive "$hand"
check test -z "$(pgrep -u vortex)"
check test "$(cat /run/vortex/hand.pid)" = "$hand"
end "$hand"
rm -r /run/vortex
check has_property vortex LoadState not-found
check has_property vortex@web LoadState not-found
check test -z "$(find / -xdev -xtype l -name '*vortex*')"
wanted='>/etc/vortex
>/etc/vortex/vortex.conf.rpmnew
>/etc/vortex/vortex.conf.rpmsave
>/etc/vortex/web.conf
>/var/lib/vortex
>/var/lib/vortex/vortex
>/var/lib/vortex/vortex/data
>/var/lib/vortex/web'
said=$(changed | grep -v '/var/log/vortex')
[ "$said" = "$wanted" ] || problem+="$said\n"
kept an_erased_package_stops_services_and_keeps_what_a_user_made
finish
