# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What is tried under systemd: what a user would install, and each unit as Type=forking beside it.
# shellcheck disable=SC2154 # machine.sh sets it

prepare()
{
    meson install -C "$BUILD" --no-rebuild --quiet --destdir "$top/installed" >&2 ||
        fail 'meson install failed'
    # Debian's /lib is a link, and stays one.
    tar -C "$top/installed" -c . | tar -C "$root" -x --keep-directory-symlink || fail 'tar failed'
    for unit in vortex vortex@; do
        cp "$BUILD/units/systemd/forking-$unit.service" \
            "$root/etc/systemd/system/${unit/vortex/forking}.service"
    done
    mkdir -p "$root/etc/vortex"
}
