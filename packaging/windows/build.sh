#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# vortex.exe, the library and their installer, cross-compiled: packaging/windows/build.sh OUTDIR
# The same source gives the same bytes, wherever and whenever it is built by the same tools.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=packaging/common.sh
. packaging/common.sh

out=$(realpath "$1")
dir=build/build-windows-release
version=$(project_version)
name=vortex-$version-windows-x86_64
stage=$(mktemp -d)/$name
trap 'rm -rf "${stage%/*}"' EXIT
SOURCE_DATE_EPOCH=$(source_date)
export SOURCE_DATE_EPOCH TZ=UTC # of what strip, msi.sh and zip write

# text FILE: as Windows' own programs read it.
text()
{
    sed 's/\r*$/\r/' "$1"
}

install_packages gcc gcc-mingw-w64-x86-64-win32 mandoc meson mingw-w64-tools mingw-w64-x86-64-dev \
    msitools ninja-build python3 wixl zip
fetch_subprojects
[ -e $dir/build.ninja ] || meson setup $dir --cross-file packaging/windows/mingw64.ini \
    --buildtype=minsize --wrap-mode=nodownload -Dtests=false >&2
ninja -C $dir src/vortex.exe src/libvortex-0.dll >&2

mkdir -p "$stage"/{doc,include,lib}
for file in vortex.exe libvortex-0.dll; do
    x86_64-w64-mingw32-strip --strip-all -o "$stage/$file" "$dir/src/$file"
done
cp $dir/src/libvortex.dll.a "$stage/lib/"
cp src/vortex.h "$stage/include/"
for page in vortex.1 vortex.3 vortex.conf.5 vortex-windows.7; do
    mandoc -T html -O man=%N.%S.html "src/$page" >"$stage/doc/$page.html"
done
cp src/cmd/vortex-status.schema.json "$stage/doc/"
for file in install.cmd uninstall.cmd vortex.conf; do
    text units/windows/$file >"$stage/$file"
done
text LICENSE >"$stage/LICENSE.txt"
{
    echo 'vortex.exe and libvortex-0.dll contain TRE and the run time of mingw-w64.'
    printf '\n---- TRE ----\n\n'
    cat subprojects/tre-*/LICENSE
    printf '\n---- mingw-w64 ----\n\n'
    zcat -f /usr/share/doc/mingw-w64-common/copyright
} | text - >"$stage/THIRD-PARTY.txt"
chmod -R u=rwX,go=rX "$stage"
find "$stage" -exec touch -d "@$SOURCE_DATE_EPOCH" {} +

bash packaging/windows/msi.sh "$stage" "$version" "$out/$name.msi"
(cd "${stage%/*}" && find "$name" -type f | LC_ALL=C sort | zip -q -X -9 -@ - >"$out/$name.zip")
cp "$stage"/{vortex.exe,libvortex-0.dll,lib/libvortex.dll.a,include/vortex.h} "$out/"
