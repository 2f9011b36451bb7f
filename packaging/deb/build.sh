#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The Debian packages and their source: packaging/deb/build.sh OUTDIR [DPKG-BUILDPACKAGE-OPTION...]
set -euo pipefail
# shellcheck source=packaging/common.sh
. packaging/common.sh

[ $# -gt 0 ] || die 'usage: packaging/deb/build.sh OUTDIR [DPKG-BUILDPACKAGE-OPTION...]'
out=$(realpath "$1")
shift
install_packages build-essential debhelper libcmocka-dev meson ninja-build pkg-config

version=$(project_version)
changed=$(dpkg-parsechangelog -l packaging/deb/changelog -S Version)
[ "${changed%-*}" = "$version" ] ||
    die "packaging/deb/changelog begins with $changed, meson.build has version $version"

# Of the tree that is built only this is known: neither where it is nor who made it when.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 022
source_tarball "$work/vortex_$version.orig.tar.gz"
tar -C "$work" -xf "$work/vortex_$version.orig.tar.gz"
tree=$work/vortex-$version
cp -R "$tree/packaging/deb" "$tree/debian"
rm "$tree/debian/build.sh"
# What each kind of package says is written once.
sed -i -e '/^#UPGRADED#$/{r packaging/upgraded.sh' -e 'd}' "$tree/debian/vortex.postinst"
sed -i -e '/^#REMOVED#$/{r packaging/removed.sh' -e 'd}' "$tree/debian/vortex.prerm"
SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -l packaging/deb/changelog -S Timestamp)
export SOURCE_DATE_EPOCH
(cd "$tree" && dpkg-buildpackage -us -uc "$@")
rm -rf "$tree"
mv "$work"/* "$out"
