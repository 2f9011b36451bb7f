#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# At a release: keep the interface of libvortex, which later ones are compared with.
#
#   packaging/abi/renew.sh DIR
#
# DIR has the Debian packages of the release, such as dist/deb.
set -euo pipefail
# shellcheck source=packaging/common.sh
. packaging/common.sh

[ $# -eq 1 ] || die 'usage: packaging/abi/renew.sh DIR'
install_packages abigail-tools
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
for deb in "$1"/libvortex*.deb; do
    dpkg-deb -x "$deb" "$root"
done
abidw --debug-info-dir "$root/usr/lib/debug" --headers-dir "$root/usr/include" \
    --drop-private-types --exported-interfaces-only --type-id-style hash \
    --no-comp-dir-path --no-corpus-path --no-show-locs --no-parameter-names --no-elf-needed \
    "$root"/usr/lib/*/libvortex.so.0 >"packaging/abi/libvortex.so.0.$(uname -m).abi"
