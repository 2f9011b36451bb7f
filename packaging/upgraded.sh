# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# What a package says when it is configured: a part of its script. rpm expands macros in it.

# Servers go on through an upgrade, and so do supervisors, with what they were started from.
for exe in /proc/[0-9]*/exe; do
    [ "$(readlink "$exe")" = '/usr/bin/vortex (deleted)' ] || continue
    pid=$(basename "$(dirname "$exe")")
    echo "vortex: the former version until it is restarted: pid $pid," \
        "$(tr '\0' ' ' <"/proc/$pid/cmdline")"
done
