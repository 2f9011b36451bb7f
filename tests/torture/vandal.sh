#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A user against root, in namespaces and on a file system of this test's own.
#
#   vandal.sh VORTEX VANDAL ALIVE ROUNDS
#
# VANDAL: vandal.c, which says what is promised. ALIVE: a server that does nothing. Needs root; prints TAP.
set -u

VORTEX=$(realpath "$1") VANDAL=$(realpath "$2") ALIVE=$(realpath "$3") ROUNDS=$4
SELF=$(realpath "$0")

# shellcheck source=tests/command/tap.sh
. "$(dirname "$SELF")/../command/tap.sh"
alone -- "$SELF" "$@"

top=$(mktemp -d /tmp/vortex-vandal-XXXXXX)
mount -t tmpfs -o mode=0755 tmpfs "$top"
trap 'umount -l "$top"; rmdir "$top"' EXIT

fresh
mkdir "$dir/outside" "$dir/own" "$dir/home" "$dir/home/sub"
echo precious >"$dir/outside/x.log"
ln -s "$dir/outside" "$dir/home/link"
chown -h 65534:65534 "$dir/home" "$dir/home/sub" "$dir/home/link"
printf '%s\n' '[server]' "command = $VANDAL count $dir/counts" >"$dir/root.conf"
printf '%s\n' '[server]' "command = $ALIVE" 'user = 65534' >"$dir/user.conf"
printf '%s\n' '[server]' "command = sh -c 'while sleep 0.01; do seq 1000; done'" 'user = 65534' \
    '[log]' "file = $dir/home/sub/x.log" 'max-size = 4K' 'keep = 2' 'compress = gzip' >"$dir/log.conf"
"$VANDAL" "$dir" "$ROUNDS" "$VORTEX" | sed 's/^/# /'
[ "${PIPESTATUS[0]}" -eq 0 ] || problem='see above\n'
kept a_user_who_swaps_files_makes_root_neither_signal_nor_write_elsewhere

finish
