#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A user of the library: libvortex-dev, on this machine's own root file system under a layer in memory.
#
#   library.sh SOURCE
set -u

SELF=$(realpath "$0") SOURCE=$(realpath "$1")
# shellcheck source=tests/command/tap.sh
. "$SOURCE/tests/command/tap.sh"
# shellcheck source=tests/system/common.sh
. "$SOURCE/tests/system/common.sh"
# shellcheck source=tests/system/deb/tools.sh
. "$SOURCE/tests/system/deb/tools.sh"

needs gcc g++ pkg-config chroot
alone -- "$SELF" "$SOURCE"
layer /
top=$(mktemp -d)

fresh
cp "$DEBS"/this/libvortex{0,-dev}_*.deb "$SOURCE/packaging/deb/tests/library" $root/opt/
expect 0 '' "${inside[@]}" sh -c 'dpkg -i /opt/libvortex*.deb'
expect 0 '' "${inside[@]}" /opt/library
kept programs_in_c_and_cxx_are_built_by_pkg_config_shared_and_static

fresh
"${inside[@]}" dpkg -L libvortex0 libvortex-dev | grep /vortex | sed "s,^,$root," >"$dir/files"
expect 0 '' "${inside[@]}" dpkg --purge libvortex-dev libvortex0
while read -r file; do
    check test ! -e "$file"
done <"$dir/files"
kept the_library_leaves_nothing
rm -rf "$top"
finish
