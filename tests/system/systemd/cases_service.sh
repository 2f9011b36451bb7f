# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# vortex service: an instance is enabled, started and taken back again, with and without a systemd.
# shellcheck disable=SC2154 # cases.sh sets it

wants=/etc/systemd/system/multi-user.target.wants

# says_of INSTANCE STATUS PATTERN: what vortex service status does.
says_of()
{
    expect "$2" "$3" "$VORTEX" service status "$1"
}

promise
instance svc '[server]' 'command = server --listen 8401 --after 700' '[ready]' \
    'when = tcp:127.0.0.1:8401'
says_of svc 4 "^'svc' is no service: see 'vortex service install svc'$"
for _ in 1 2; do
    expect 0 "^installed service 'svc': systemd unit vortex@svc.service is enabled$" \
        "$VORTEX" service install svc
    check test -L $wants/vortex@svc.service
    says_of svc 3 '^systemd unit vortex@svc.service: stopped, started with the machine$'
done
took_at_least 700 "$VORTEX" service start svc
check serves 8401
agree vortex svc
first=$(main_of vortex@svc)
expect 0 "^started service 'svc'$" "$VORTEX" service start svc
check has_property vortex@svc MainPID "$first"
says_of svc 0 '^systemd unit vortex@svc.service: running, started with the machine$'
for _ in 1 2; do
    expect 0 "^stopped service 'svc'$" "$VORTEX" service stop svc
    ended vortex svc
done
says_of svc 3 stopped
expect 0 "^uninstalled service 'svc': systemd unit vortex@svc.service is disabled$" \
    "$VORTEX" service uninstall svc
check test ! -e $wants/vortex@svc.service
check test -e /etc/vortex/svc.conf
says_of svc 4 'is no service'
expect 0 'it was not installed' "$VORTEX" service uninstall svc
kept a_service_is_installed_started_stopped_and_uninstalled_each_twice_as_once

promise
took_at_least 700 "$VORTEX" service install svc --now
check serves 8401
agree vortex svc
expect 0 'uninstalled' "$VORTEX" service uninstall svc
ended vortex svc
expect 0 'started' "$VORTEX" service start svc
says_of svc 0 'running, not started with the machine'
expect 0 'uninstalled' "$VORTEX" service uninstall svc
ended vortex svc
kept an_installation_starts_it_if_told_to_and_its_end_stops_it

promise
expect 0 'unit vortex.service is enabled' "$VORTEX" service install --now
check test -L $wants/vortex.service
unit_agrees vortex vortex
expect 0 'unit vortex.service is disabled' "$VORTEX" service uninstall vortex
check has_property vortex ActiveState inactive
check test ! -e $wants/vortex.service
kept the_default_instance_is_a_unit_of_its_own

promise
drop_in vortex@fails Restart=no
instance fails '[server]' 'command = server --exit 9' '[ready]' 'when = tcp:127.0.0.1:8402'
expect 1 "cannot start service 'fails': .*see 'systemctl status vortex@fails.service'" \
    "$VORTEX" service install fails --now
says_of fails 3 'failed, started with the machine'
expect 0 uninstalled "$VORTEX" service uninstall fails
says_of fails 4 'is no service'
kept a_server_that_fails_is_installed_and_the_start_says_so

promise
expect 6 "^vortex: cannot install service 'none': there is no /etc/vortex/none.conf: write it first$" \
    "$VORTEX" service install none
expect 6 'there is no /etc/vortex/none.conf' "$VORTEX" service start none
expect 0 '' "$VORTEX" service install svc --now
instance svc '[server]' 'comand = server'
expect 6 "svc.conf:2: unknown key 'comand'" "$VORTEX" service install svc
says_of svc 0 running
expect 0 stopped "$VORTEX" service stop svc
expect 0 uninstalled "$VORTEX" service uninstall svc
expect 2 'leave them out' "$VORTEX" service install svc -c /etc/vortex/fails.conf
expect 0 '' systemctl mask vortex@fails
expect 1 "^[^"$'\n'"]*vortex@fails.service is masked: see 'systemctl unmask vortex@fails.service'$" \
    "$VORTEX" service install fails
expect 0 '' systemctl unmask vortex@fails
template=$(property vortex@svc FragmentPath)
mv "$template" "$dir/template"
systemctl daemon-reload
expect 1 "^[^"$'\n'"]*there is no unit vortex@fails.service: [^"$'\n'"]*'vortex unit fails'[^"$'\n'"]*$" \
    "$VORTEX" service install fails
says_of fails 4 'is no service'
expect 0 'it was not installed' "$VORTEX" service uninstall fails
mv "$dir/template" "$template"
systemctl daemon-reload
kept what_is_in_the_way_is_said_in_a_line

# ---- A user's own -------------------------------------------------------------------------------

promise
echo 'u berta 4712 Berta /home/berta /bin/bash' | systemd-sysusers - 2>/dev/null
install -d -o 4712 -g 4712 /home/berta{,/.config,/.config/vortex}
as_berta=(setpriv --reuid 4712 --regid 4712 --clear-groups env HOME=/home/berta USER=berta
    XDG_RUNTIME_DIR=/run/user/4712)
expect 1 'log in as that user' "${as_berta[@]}" "$VORTEX" service uninstall own
expect 0 '' systemctl start user@4712.service
instance own '[server]' 'command = server --listen 8403'
expect 4 'there is no /home/berta/.config/vortex/own.conf: write it first, or run this as root' \
    "${as_berta[@]}" "$VORTEX" service install own
mv /etc/vortex/own.conf /home/berta/.config/vortex/
expect 0 'loginctl enable-linger' "${as_berta[@]}" "$VORTEX" service install own --now
check test -L /home/berta/.config/systemd/user/default.target.wants/vortex@own.service
expect 0 '^your systemd unit vortex@own.service: running, started at your login$' \
    "${as_berta[@]}" "$VORTEX" service status own
says_of own 4 'is no service'
expect 0 'running' "${as_berta[@]}" "$VORTEX" status own
expect 0 'is disabled' "${as_berta[@]}" "$VORTEX" service uninstall own
expect 3 'not running' "${as_berta[@]}" "$VORTEX" status own
expect 0 '' systemctl stop user@4712.service
kept a_user_has_services_of_its_own

# ---- Where systemd doesn't run ------------------------------------------------------------------

# As in a chroot, or while an image is made.
offline=(unshare --mount --propagation private sh -c 'mount -t tmpfs tmpfs /run && exec "$@"' sh)

promise
instance image '[server]' 'command = server --listen 8404'
expect 0 '^installed' "${offline[@]}" "$VORTEX" service install image
check test -L $wants/vortex@image.service
expect 3 'vortex@image.service: stopped, started with the machine' \
    "${offline[@]}" "$VORTEX" service status image
expect 1 "^vortex: cannot start service 'image': systemd doesn't run here: 'vortex start image'" \
    "${offline[@]}" "$VORTEX" service start image
expect 0 '^uninstalled' "${offline[@]}" "$VORTEX" service uninstall image
check test ! -e $wants/vortex@image.service
expect 0 'was not installed' "${offline[@]}" "$VORTEX" service uninstall image
expect 4 'is no service' "${offline[@]}" "$VORTEX" service status image
mv /sbin/init "$dir/init"
expect 1 "^vortex: cannot install service 'image': there is no systemd here.*'vortex run image'" \
    "${offline[@]}" "$VORTEX" service install image
mv "$dir/init" /sbin/init
kept an_image_is_given_a_service_that_its_boot_starts
