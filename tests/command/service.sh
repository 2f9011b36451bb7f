#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `vortex service` where no service manager runs, or one that is asked but refuses. What real ones make
# of it is tried in tests/system.
#
#   service.sh VORTEX
#
# Needs root, for a mount namespace; prints TAP.
set -u

VORTEX=$(realpath "$1")
SELF=$(realpath "$0")

# shellcheck source=tests/command/tap.sh
. "$(dirname "$SELF")/tap.sh"
alone -- "$SELF" "$@"

top=$(mktemp -d /tmp/vortex-service-XXXXXX)
trap 'umount "$top"; rmdir "$top"' EXIT
mount -t tmpfs -o mode=0755 tmpfs "$top"

# A machine of nobody: no init, no script, none of systemd's files.
mkdir "$top"/{etc,etc.work,bin}
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$top/etc,workdir=$top/etc.work" /etc
mount -t tmpfs tmpfs /run
[ ! -d /lib/systemd ] || mount -t tmpfs tmpfs /lib/systemd
rm -rf /etc/inittab /etc/init.d/vortex /etc/vortex
mkdir -p /etc/vortex /etc/init.d
printf '[server]\ncommand = sleep 1000\n' >/etc/vortex/web.conf
printf '[server]\ncomand = sleep 1000\n' >/etc/vortex/bad.conf
as_nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups env HOME=/nowhere)

# says STATUS PATTERN ARGUMENT...: in one line, of which that is the whole.
says()
{
    expect "$1" "^vortex: $2$" "$VORTEX" service "${@:3}"
    check test "$("$VORTEX" service "${@:3}" 2>&1 | wc -l)" = 1
}

fresh
how="'service' takes install, uninstall, start, stop or status"
says 2 "$how, and then a name"
says 2 "$how: did you mean 'install'\?" instaal web
says 2 "one instance at a time: .*" install web other
says 2 '--now is for .service install. alone' start web --now
says 2 '--user is for .service install. alone' stop web --user me
says 2 "'../x' is no instance name: .*" install ../x
kept what_the_command_line_has_wrong_is_said

fresh
for verb in install uninstall start stop; do
    says 1 "cannot $verb service 'web': there is no systemd here, .*: have what starts servers here run 'vortex run web', .*" $verb web
done
says 4 "cannot tell the status of service 'web': there is no systemd here, .*" status web
printf '#!/bin/sh\n' >/etc/init.d/vortex # as a package brings it
says 1 "cannot install service 'web': there is no systemd here, .*" install web
printf '#!/sbin/openrc-run\n' >/etc/init.d/vortex
[ -e /sbin/openrc-run ] || says 1 "cannot install service 'web': there is no systemd here, .*" install web
kept where_nobody_is_it_says_how

fresh
touch /etc/inittab
printf '#!/bin/sh\necho "$@" >>%s/told\n' "$top" >/etc/init.d/vortex
chmod +x /etc/init.d/vortex
for verb in install uninstall start stop; do
    expect 4 "^vortex: cannot $verb service 'web': only root may: run it as root$" \
        "${as_nobody[@]}" "$VORTEX" service $verb web
done
says 6 "cannot install service 'none': there is no /etc/vortex/none.conf: write it first" install none
expect 6 "bad.conf:2: unknown key 'comand'" "$VORTEX" service install bad
says 2 "cannot install service 'web': --config, --pidfile and --user are .*: leave them out, .*" \
    install web -c /etc/vortex/web.conf
check test ! -e "$top/told"
expect 0 '^installed' "$VORTEX" service install web
check test "$(cat "$top/told")" = 'enable web'
rm -f /etc/inittab /etc/init.d/vortex
kept what_is_in_the_way_is_said_before_anything_is_done

# A systemd that refuses, which answers as /run/answer says.
fresh
mkdir -p /run/systemd/system
cat >"$top/bin/systemctl" <<'END'
#!/bin/sh
case $2 in
show) cat /run/answer 2>/dev/null ;;
*) exit 4 ;;
esac
END
chmod +x "$top/bin/systemctl"
PATH=$top/bin:$PATH
says 4 "cannot tell the status of service 'web': systemd can't be asked" status web
printf '%s\n' LoadState=loaded ActiveState=inactive UnitFileState=disabled >/run/answer
says 4 "cannot install service 'web': systemctl enable vortex@web.service failed" install web
says 4 "cannot start service 'web': systemctl start vortex@web.service failed: see .*" start web
sed -i 's/inactive/activating/; s/disabled/enabled/' /run/answer
expect 0 'vortex@web.service: starting, started with the machine' "$VORTEX" service status web
says 4 "cannot uninstall service 'web': systemctl disable vortex@web.service failed" uninstall web
rm "$top/bin/systemctl"
rm -rf /run/systemd
kept what_systemd_refuses_is_the_status

finish
