#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What is promised under OpenRC; in the machine that machine.sh boots.
set -u

# shellcheck source=tests/system/inits/cases.sh
. "$(dirname "$0")/cases.sh"

# In OpenRC's own view.
is_started()
{
    test -e "/run/openrc/started/$1"
}

fresh
eventually is_ready vortex
check serves 8100
expect 0 running rc-service vortex status
eventually is_started vortex
kept the_default_instance_is_started_at_boot

fresh
ln -s vortex /etc/init.d/vortex.web
instance web '[server]' 'command = server --listen 8101 --after 1000' '[ready]' \
    'when = tcp:127.0.0.1:8101'
expect 3 'web: not running' rc-service vortex.web status
took_at_least 1000 rc-service vortex.web start
check serves 8101
expect 0 'web: running' rc-service vortex.web status
check is_started vortex.web
first=$(pid_of web)
expect 0 '' rc-service vortex.web restart
check is_ready web
check test "$(pid_of web)" != "$first"
check is_ready vortex
expect 0 '' rc-service vortex.web stop
ended web
check test ! -e /run/openrc/started/vortex.web
check is_ready vortex
kept a_link_is_another_instance_and_a_start_returns_when_it_serves

fresh
instance web '[server]' 'command = server --notify --listen 8101 --reload 700' '[ready]' \
    'when = notify'
expect 0 '' rc-service vortex.web start
took_at_least 700 rc-service vortex.web reload
check grep -q '^reloaded=1$' /run/vortex/web.pid.state
expect 0 '' rc-service vortex.web stop
expect 1 'cannot|not started|must be started' rc-service vortex.web reload
kept a_reload_returns_when_the_server_is_ready_again

fresh
instance web '[server]' 'command = server --exit 3' '[ready]' 'when = tcp:127.0.0.1:8101'
expect 1 "cannot start 'web'" rc-service vortex.web start
ended web
check test ! -e /run/openrc/started/vortex.web
kept a_start_that_fails_says_why_and_is_no_started_service

fresh
instance web '[server]' 'command = server --listen 8101'
expect 0 '' rc-service vortex.web start
first=$(pid_of web)
instance web '[server]' 'comand = server --listen 8101'
expect 1 "web.conf:2: unknown key 'comand'" rc-service vortex.web restart
check test "$(cat /run/vortex/web.pid)" = "$first"
check is_started vortex.web
expect 6 'did you mean' rc-service vortex.web checkconfig
instance web '[server]' 'command = server --listen 8101'
expect 0 '' rc-service vortex.web checkconfig
expect 0 '' rc-service vortex.web stop
kept a_mistake_in_the_configuration_never_ends_a_running_server

fresh
instance web '[server]' 'command = server --listen 8101'
expect 0 '' rc-service vortex.web start
kill -KILL "$(pid_of web)"
eventually is_not_running web
expect 1 stale rc-service vortex.web status
expect 0 '' rc-service vortex.web restart
expect 0 running rc-service vortex.web status
expect 0 '' rc-service vortex.web stop
ended web
kept a_server_that_died_is_seen_and_started_again

fresh
mkdir -p /srv/other
instance other '[server]' 'command = server --listen 8102'
mv /etc/vortex/other.conf /srv/other/
ln -s vortex /etc/init.d/vortex.other
echo vortex_config=/srv/other/other.conf >/etc/conf.d/vortex.other
expect 0 '' rc-service vortex.other start
eventually serves 8102
expect 0 running rc-service vortex.other status
expect 0 '' rc-service vortex.other stop
ended other
kept conf_d_names_another_configuration

fresh
expect 0 '' vortex start web
expect 1 'already running' rc-service vortex.web start
check is_ready web
expect 0 '' vortex stop web
kept what_was_started_by_hand_is_not_taken_for_the_service

fresh
instance svc '[server]' 'command = server --listen 8103 --after 700' '[ready]' \
    'when = tcp:127.0.0.1:8103'
expect 4 "'svc' is no service" vortex service status svc
for _ in 1 2; do
    expect 0 "^installed service 'svc'$" vortex service install svc
    check test "$(readlink /etc/init.d/vortex.svc)" = vortex
    check test -L /etc/runlevels/default/vortex.svc
    expect 3 '^/etc/init.d/vortex.svc: stopped, started with the machine$' \
        vortex service status svc
done
took_at_least 700 vortex service start svc
check serves 8103
check is_started vortex.svc
expect 0 "^started service 'svc'$" vortex service start svc
expect 0 '^/etc/init.d/vortex.svc: running, started with the machine$' vortex service status svc
for _ in 1 2; do
    expect 0 "^stopped service 'svc'$" vortex service stop svc
    ended svc
    check test ! -e /run/openrc/started/vortex.svc
done
expect 0 "^uninstalled service 'svc'$" vortex service uninstall svc
expect 4 'is no service' vortex service status svc
expect 0 'was not installed' vortex service uninstall svc
check test -z "$(compgen -G '/etc/runlevels/*/vortex.svc' /etc/init.d/vortex.svc)"
took_at_least 700 vortex service install svc --now
expect 0 uninstalled vortex service uninstall svc
ended svc
kept a_service_is_installed_started_stopped_and_uninstalled_each_twice_as_once

fresh
expect 0 'vortex: running, started with the machine' vortex service status
expect 0 uninstalled vortex service uninstall
ended vortex
check test ! -e /etc/runlevels/default/vortex
check test -e /etc/init.d/vortex
expect 0 started vortex service install --now vortex
check is_ready vortex
printf '#!/sbin/openrc-run\nstart() { :; }\n' >/etc/init.d/vortex.own
chmod +x /etc/init.d/vortex.own
instance own '[server]' 'command = server --listen 8104'
expect 0 '' vortex service install own
expect 0 '' vortex service uninstall own
check test -f /etc/init.d/vortex.own
expect 0 '' vortex service install svc --now
kill -KILL "$(pid_of svc)"
eventually is_not_running svc
expect 3 'stopped, started with the machine' vortex service status svc
expect 0 '^uninstalled' vortex service uninstall svc
check test ! -e /run/openrc/started/vortex.svc
expect 0 '' vortex service install svc
expect 0 '' vortex start svc
expect 1 "cannot stop service 'svc': it was started by hand: 'vortex stop svc' ends it" \
    vortex service stop svc
expect 0 '' vortex stop svc
expect 0 '^uninstalled' vortex service uninstall svc
expect 6 'there is no /etc/vortex/none.conf: write it first' vortex service install none
expect 1 "there is no /etc/init.d/vortex.svc: see 'vortex service install svc'" \
    vortex service start svc
expect 4 "cannot install service 'svc': only root may: run it as root" \
    setpriv --reuid 65534 --clear-groups vortex service install svc
kept a_service_is_taken_back_without_what_is_not_its_own

# A package for Debian brings sysvinit's script.
fresh
mv /etc/init.d/vortex "$dir/script"
cp /opt/tests/sysvinit.script /etc/init.d/vortex
mkdir -p /etc/default
expect 0 '^installed' vortex service install svc
check grep -qx 'INSTANCES="vortex svc"' /etc/default/vortex
took_at_least 700 vortex service start svc
expect 0 '^/etc/init.d/vortex svc: running, started with the machine$' vortex service status svc
expect 0 '^uninstalled' vortex service uninstall svc
ended svc
check is_ready vortex
rm -f /etc/default/vortex
mv "$dir/script" /etc/init.d/vortex
kept the_script_of_sysvinit_serves_as_well

fresh
expect 0 '' rc-service vortex.web start
expect 0 '' openrc shutdown
ended web
ended vortex
kept a_shutdown_stops_all
finish
