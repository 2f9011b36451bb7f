#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What is promised under sysvinit; in the machine that machine.sh boots.
set -u

# shellcheck source=tests/system/inits/cases.sh
. "$(dirname "$0")/cases.sh"
script=/etc/init.d/vortex

fresh
eventually is_ready vortex
check serves 8100
for level in 2 3 4 5; do
    check compgen -G "/etc/rc$level.d/S??vortex" >/dev/null
done
for level in 0 1 6; do
    check compgen -G "/etc/rc$level.d/K??vortex" >/dev/null
done
expect 0 running $script status
kept the_default_instance_is_started_at_boot_in_its_runlevels

fresh
first=$(pid_of vortex)
expect 0 '' $script start
check test "$(pid_of vortex)" = "$first"
expect 0 '' $script restart
check is_ready vortex
check test "$(pid_of vortex)" != "$first"
first=$(pid_of vortex)
expect 0 '' $script try-restart
check test "$(pid_of vortex)" != "$first"
expect 0 '' $script stop
ended vortex
expect 3 'not running' $script status
expect 0 '' $script stop
expect 0 '' $script try-restart
ended vortex
expect 7 'not running' $script reload
expect 7 'not running' $script force-reload
expect 2 usage: $script begin
expect 2 usage: $script
expect 0 '' service vortex start
check is_ready vortex
kept each_action_ends_with_the_statuses_of_the_lsb

fresh
instance web '[server]' 'command = server --listen 8101 --after 1000' '[ready]' \
    'when = tcp:127.0.0.1:8101'
took_at_least 1000 $script start web
check serves 8101
expect 0 'web: running' $script status web
expect 0 '' $script stop web
ended web
check is_ready vortex
kept a_start_of_a_named_instance_returns_when_it_serves

fresh
instance bad '[server]' 'comand = server'
echo 'INSTANCES="bad web vortex"' >>/etc/default/vortex
expect 0 '' $script stop vortex
expect 6 "unknown key 'comand'" $script start
check is_ready web
check is_ready vortex
expect 4 'web: running.*vortex: running' $script status
kill -KILL "$(pid_of web)"
eventually is_not_running web
sed -i 's/bad //' /etc/default/vortex
expect 1 'web: stale.*vortex: running' $script status
expect 0 '' $script try-restart
check is_ready vortex
check is_not_running web
expect 0 '' $script restart
check is_ready web
kept each_of_several_is_acted_on_and_the_first_failure_is_the_status

fresh
instance web '[server]' 'command = server --notify --listen 8101 --reload 700' '[ready]' \
    'when = notify'
expect 0 '' $script restart web
took_at_least 700 $script reload web
check grep -q '^reloaded=1$' /run/vortex/web.pid.state
took_at_least 700 $script force-reload web
check grep -q '^reloaded=2$' /run/vortex/web.pid.state
kept a_reload_returns_when_the_server_is_ready_again

fresh
default=/etc/default/vortex
instance svc '[server]' 'command = server --listen 8103 --after 700' '[ready]' \
    'when = tcp:127.0.0.1:8103'
cp $default "$dir/default"
expect 4 "'svc' is no service" vortex service status svc
for _ in 1 2; do
    expect 0 "^installed service 'svc'$" vortex service install svc
    check diff $default <(grep '^#' "$dir/default" && echo 'INSTANCES="web vortex svc"')
    expect 3 '^/etc/init.d/vortex svc: stopped, started with the machine$' \
        vortex service status svc
done
took_at_least 700 vortex service start svc
check serves 8103
expect 0 "^started service 'svc'$" vortex service start svc
expect 0 '^/etc/init.d/vortex svc: running, started with the machine$' vortex service status svc
for _ in 1 2; do
    expect 0 "^stopped service 'svc'$" vortex service stop svc
    ended svc
done
expect 0 "^uninstalled service 'svc'$" vortex service uninstall svc
check diff $default "$dir/default"
expect 4 'is no service' vortex service status svc
expect 0 'was not installed' vortex service uninstall svc
took_at_least 700 vortex service install svc --now
expect 0 uninstalled vortex service uninstall svc
ended svc
check is_ready vortex
kept a_service_is_installed_started_stopped_and_uninstalled_each_twice_as_once

fresh
rm -f $default
expect 0 'vortex vortex: running, started with the machine' vortex service status
expect 0 uninstalled vortex service uninstall
ended vortex
check grep -qx 'INSTANCES=""' $default
expect 0 '^$' $script start
ended vortex
expect 0 started vortex service install --now
check is_ready vortex
check grep -qx 'INSTANCES="vortex"' $default
update-rc.d vortex disable
expect 0 'running, not started with the machine' vortex service status
expect 0 'installed' vortex service install
expect 0 'running, started with the machine' vortex service status
update-rc.d vortex remove
expect 0 '^installed' vortex service install
expect 0 'running, started with the machine' vortex service status
expect 6 'there is no /etc/vortex/none.conf: write it first' vortex service install none
expect 4 "cannot install service 'svc': only root may: run it as root" \
    setpriv --reuid 65534 --clear-groups vortex service install svc
# shellcheck disable=SC2016 # the script expands it
echo 'INSTANCES=$(echo vortex)' >$default
expect 0 '' vortex service uninstall
printf '%s\n' INSTANCES=web return >$default
expect 1 "enable failed: see to INSTANCES in $default" vortex service install svc
expect 2 usage: $script enable
cp "$dir/../$((count - 1))/default" $default
expect 0 '^installed' vortex service install --now
kept the_list_is_the_administrators_and_the_runlevels_are_seen_to

fresh
expect 0 '' telinit 0
eventually test -e /run/halted
ended web
ended vortex
kept a_shutdown_stops_all

fresh
mv "$VORTEX" "$VORTEX.removed"
expect 0 '' $script stop
expect 4 '' $script status
expect 5 '' $script start
mv "$VORTEX.removed" "$VORTEX"
kept a_script_that_outlives_its_package_does_no_harm
finish
