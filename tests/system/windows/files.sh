#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What packaging/windows/build.sh makes: the files themselves, what Windows reads in them, and a
# program that is linked with the library.
#
#   files.sh PACKAGES BUILD-DIRECTORY
#
# PACKAGES is what build.sh here made. Prints TAP.
set -u

packages=$(realpath "$1") BUILD=$(realpath "$2")
made=$packages/this
EXE=$made/vortex.exe
here=$(dirname "$(realpath "$0")")
root=$here/../../..
# shellcheck source=tests/command/tap.sh
. "$here/../../command/tap.sh"
# shellcheck source=tests/system/windows/wine.sh
. "$here/wine.sh"
begin files
checks=$root/tests/checks tools=x86_64-w64-mingw32
version=$(sed -n "s/^ *version: '\([^']*\)',\$/\1/p" "$root/meson.build" | head -n 1)
cp "$made/libvortex-0.dll" "$top/"
$CC -o "$top/resources.exe" "$here/resources.c" -lversion

# resources WANTED WORD...: what it prints, the lines of it joined.
resources()
{
    local wanted=$1 output
    shift
    (cd "$top" && timeout 60 "$here/still.sh" wine resources.exe "$@" >said 2>&1 </dev/null)
    output=$(tr -d '\r' <"$top/said" | tr '\n' ' ')
    # shellcheck disable=SC2053 # a pattern
    [[ $output == $wanted ]] || problem+="resources $*: '$output', not '$wanted'\n"
}

fresh
expect 0 '' python3 -B "$checks/exports.py" $tools-objdump "$made/libvortex-0.dll" \
    "$root/src/vortex.h"
expect 0 '' test -z "$($tools-objdump -p "$EXE" | grep 'Ordinal/Name')"
kept 'the DLL exports what vortex.h declares, and the program nothing'

fresh
expect 0 '' python3 -B "$checks/needed.py" $tools-objdump "$EXE" "$made/libvortex-0.dll"
kept "both need Windows' own DLLs alone"

fresh
check test "$(stat -c %s "$EXE")" -lt $((400 * 1024))
check test "$($tools-objdump -h "$EXE" | grep -c '\.debug')" = 0
for flag in HIGH_ENTROPY_VA DYNAMIC_BASE NX_COMPAT; do
    expect 0 $flag $tools-objdump -p "$EXE"
    expect 0 $flag $tools-objdump -p "$made/libvortex-0.dll"
done
kept 'the program has less than 400 KiB, no debug information, and what hardens it'

fresh
for file in vortex.exe libvortex-0.dll; do
    resources "$version " version $file ProductVersion
    resources "$version " version $file FileVersion
    resources "$file " version $file OriginalFilename
done
kept 'Windows shows of both which version they are'

fresh
resources '*level="asInvoker"*' manifest vortex.exe
resources '*>true</longPathAware>*' manifest vortex.exe
resources '*>UTF-8</activeCodePage>*' manifest vortex.exe
resources '*{8e0f7a12-bfb3-4fe8-b9a5-48fd50a15a9a}*' manifest vortex.exe
kept 'the manifest: as invoker, long paths, UTF-8, Windows 10'

fresh
resources 'cannot start x: no such file ' message vortex.exe 0xC0000001 'cannot start x: no such file'
kept 'the event log finds the texts of its events in the program'

fresh
cp "$made/vortex.h" "$made/libvortex.dll.a" "$here/linked.c" "$dir/"
expect 0 '' $CC -std=c11 -Wall -Wextra -Werror -I "$dir" -o "$top/linked.exe" "$dir/linked.c" \
    "$dir/libvortex.dll.a"
(cd "$top" && timeout 60 "$here/still.sh" wine linked.exe 'C:\files\hello.pid' >said 2>&1 \
    </dev/null)
check test "$(tr -d '\r' <"$top/said" | tr '\n' ' ')" = \
    "libvortex $version: running 1, known 1 twice: refused unlocked: gone "
kept 'a C program that is linked with the import library owns its pidfile by the DLL'

fresh
check diff -r "$made" "$packages/twin"
check test "$(find "$made" -type f | wc -l)" = 6
kept 'built elsewhere, at another time and by somebody else: the same bytes'

fresh
python3 -m zipfile -e "$made"/vortex-*.zip "$dir"
at=$(echo "$dir"/vortex-*)
for file in vortex.exe libvortex-0.dll lib/libvortex.dll.a include/vortex.h; do
    check cmp "$at/$file" "$made/${file##*/}"
done
check test -z "$(grep -L $'\r$' "$at"/*.cmd "$at"/*.conf)"
kept 'the zip has all of it, and its texts have the ends of lines of Windows'

finish
