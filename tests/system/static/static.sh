#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What `packaging/build.sh static` promises of its file.
#
#   static.sh VORTEX SERVER
#
# SERVER: a static server, tests/command/alive.c. Needs root; prints TAP.
set -u

VORTEX=$(realpath "$1") SERVER=$(realpath "$2")
SELF=$(realpath "$0")

# shellcheck source=tests/command/tap.sh
. "$(dirname "$SELF")/../../command/tap.sh"
alone -- "$SELF" "$@"

top=$(mktemp -d /tmp/vortex-static-XXXXXX)
trap 'umount "$top"/*/{proc,dev} 2>/dev/null; rm -rf --one-file-system "$top"' EXIT

fresh
expect 1 'not a dynamic executable' ldd "$VORTEX"
check test -z "$(readelf --program-headers --wide "$VORTEX" | grep -E 'INTERP|DYNAMIC')"
check test -z "$(readelf --program-headers --wide "$VORTEX" | grep -E 'GNU_STACK.*RWE')"
check test -z "$(strings "$VORTEX" | grep -F "$PWD")"
check test "$(stat -c %s "$VORTEX")" -lt $((384 * 1024))
expect 0 '^vortex [0-9.]+$' "$VORTEX" version
echo "# $(stat -c %s "$VORTEX") bytes"
kept it_is_one_small_file_without_dependencies

# lay: nothing but the two files.
lay()
{
    fresh
    cp "$VORTEX" "$dir/vortex"
    cp "$SERVER" "$dir/server"
    IN=(chroot "$dir" /vortex)
}

mount_what_containers_have()
{
    mkdir "$dir/proc" "$dir/dev"
    mount -t proc proc "$dir/proc"
    mount --bind /dev "$dir/dev"
}

lay
expect 1 "log '/dev/null': No such file" "${IN[@]}" start -- /server
mount_what_containers_have
expect 3 'not running' "${IN[@]}" status
expect 0 started "${IN[@]}" start -- /server
expect 0 'vortex: running' "${IN[@]}" status
expect 1 'already running' "${IN[@]}" start -- /server
expect 0 restarted "${IN[@]}" restart -- /server
server=$(cat "$dir/run/vortex/vortex.pid")
check test "$(readlink "/proc/$server/exe")" = "$dir/server"
expect 0 "$server" "${IN[@]}" list
expect 0 stopped "${IN[@]}" stop
check is_dead "$server"
check test -z "$(ls -A "$dir/run/vortex")"
kept an_empty_root_is_enough

lay
mkdir -p "$dir/etc/vortex"
mount_what_containers_have
echo 'someone:x:4711:4712::/:/' >"$dir/etc/passwd"
echo 'more:x:4713:someone' >"$dir/etc/group"
printf '%s\n' '[server]' 'command = /server' 'user = someone' 'limit-nofile = 77' '[ready]' \
    'when = file:/server' '[log]' 'file = /web.log' '[restart]' \
    'policy = always' 'delay = 0' >"$dir/etc/vortex/web.conf"
expect 0 '' "${IN[@]}" check web
expect 0 started "${IN[@]}" start web
server=$(sed -n 's/^server-pid=//p' "$dir/run/vortex/web.pid.state")
check grep -q '^Uid:.4711.4711' "/proc/$server/status"
check grep -q '^Gid:.4712.4712' "/proc/$server/status"
check grep -q '^Groups:.*4713' "/proc/$server/status"
check grep -q '^Max open files *77 *77 ' "/proc/$server/limits"
kill -KILL "$server"
P=$dir/run/vortex/web.pid
eventually has_value restarts 1
eventually has_value phase ready
expect 0 stopped "${IN[@]}" stop web
kept users_groups_limits_and_a_supervisor_need_no_more
finish
