#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The rpms and their source: packaging/rpm/build.sh OUTDIR [RPMBUILD-OPTION...]
set -euo pipefail
# shellcheck source=packaging/common.sh
. packaging/common.sh

[ $# -gt 0 ] || die 'usage: packaging/rpm/build.sh OUTDIR [RPMBUILD-OPTION...]'
out=$(realpath "$1")
shift
install_packages rpm debugedit elfutils gcc libc6-dev libcmocka-dev meson ninja-build pkg-config

spec=packaging/rpm/vortex.spec
version=$(project_version)
said=$(sed -n 's/^Version: *//p' $spec)
[ "$said" = "$version" ] || die "$spec has version $said, meson.build has version $version"

# Of the tree that is built only this is known: neither where it is nor who made it when.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 022
mkdir "$work"/{SOURCES,SPECS,db}
install -m 0644 $spec packaging/rpm/debian.macros "$work/SPECS/"
source_tarball "$work/SOURCES/vortex-$version.tar.gz"
SOURCE_DATE_EPOCH=$(source_date)
find "$work" -type f -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
export SOURCE_DATE_EPOCH LC_ALL=C.UTF-8 TZ=UTC
unset CFLAGS CPPFLAGS LDFLAGS

# The source rpm tells the folder, and the order of debug information depends on its name: so it has one
# name wherever it is, as in the builders of the distributions.
enter=(unshare --mount --propagation private)
[ "$(id -u)" -eq 0 ] || enter+=(--map-root-user)
top=/mnt
"${enter[@]}" mount --bind "$work" $top 2>/dev/null || {
    echo 'build.sh: no mount namespace here: other folders make other bytes' >&2
    enter=(env) top=$work
}

options=(
    --define "_topdir $top"
    --define "_dbpath $top/db"
    --define "_buildhost reproducible"
    --define "use_source_date_epoch_as_buildtime 1"
    --define "clamp_mtime_to_source_date_epoch 1"
)
if command -v dpkg-buildflags >/dev/null; then
    flags()
    {
        DEB_BUILD_MAINT_OPTIONS='hardening=+all reproducible=-all' dpkg-buildflags --get "$1"
    }
    options+=(
        --nodeps # Debian's packages aren't in rpm's database
        --load "$top/SPECS/debian.macros"
        --define "optflags $(flags CFLAGS) $(flags CPPFLAGS) -fstack-clash-protection"
        --define "build_ldflags $(flags LDFLAGS)"
    )
fi
# shellcheck disable=SC2016 # for the shell in there
"${enter[@]}" sh -euc '[ "$1" = "$2" ] || mount --bind "$1" "$2"; shift 2; cd /; exec rpmbuild "$@"' \
    sh "$work" "$top" -ba "${options[@]}" "$@" "$top/SPECS/vortex.spec" </dev/null
find "$work/RPMS" "$work/SRPMS" -name '*.rpm' -exec mv -t "$out" {} +
