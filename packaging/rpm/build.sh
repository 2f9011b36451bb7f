#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Build the rpms and the source rpm: packaging/rpm/build.sh OUTDIR, from the project's folder.
set -euo pipefail
# shellcheck source=packaging/common.sh
. packaging/common.sh

OUT=$1
TOP=$PWD/build/rpm
SPEC=packaging/rpm/vortex.spec

install_packages rpm debugedit elfutils gcc libc6-dev meson ninja-build pkg-config

said=$(sed -n 's/^Version: *//p' $SPEC)
[ "$said" = "$(project_version)" ] ||
    die "$SPEC is of version $said, meson.build of $(project_version): they have to be the same"

# Whatever the user's umask, locale and clock say, the same source makes the same bytes.
umask 022
SOURCE_DATE_EPOCH=$(source_date)
export SOURCE_DATE_EPOCH LC_ALL=C.UTF-8 TZ=UTC
unset CFLAGS CPPFLAGS LDFLAGS
options=(
    --define "_topdir $TOP"
    --define "_dbpath $TOP/db"
    --define "_buildhost reproducible"
    --define "use_source_date_epoch_as_buildtime 1"
    --define "clamp_mtime_to_source_date_epoch 1"
)
if command -v dpkg-buildflags >/dev/null; then
    flags()
    {
        DEB_BUILD_MAINT_OPTIONS="hardening=+all reproducible=-all" dpkg-buildflags --get "$1"
    }
    options+=(
        --nodeps # Debian's packages aren't in rpm's database
        --load "$PWD/packaging/rpm/debian.macros"
        --define "optflags $(flags CFLAGS) $(flags CPPFLAGS)"
        --define "build_ldflags $(flags LDFLAGS)"
    )
fi

rm -rf "$TOP"
mkdir -p "$TOP"/{SOURCES,SPECS,db}
cp $SPEC "$TOP/SPECS/"
source_tarball "$TOP/SOURCES/vortex-$said.tar.gz"
rpmbuild -ba "${options[@]}" "${@:2}" "$TOP/SPECS/vortex.spec" >"$TOP/log" 2>&1 </dev/null || {
    cat "$TOP/log"
    die 'rpmbuild failed'
}
find "$TOP/RPMS" "$TOP/SRPMS" -name '*.rpm' -exec mv -t "$OUT" {} +
