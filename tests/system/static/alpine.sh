#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# packaging/alpine/APKBUILD, as far as it can be tried without abuild: its own functions build the
# tarball with musl, and each installed file belongs to the subpackage that Alpine would put it in.
#
#   alpine.sh SOURCE TARBALL
#
# SOURCE: the project's folder, with build/kernel-headers. Prints TAP.
set -u

SOURCE=$(realpath "$1") TARBALL=$(realpath "$2")
# shellcheck source=tests/command/tap.sh
. "$SOURCE/tests/command/tap.sh"
top=$(mktemp -d /tmp/vortex-alpine-XXXXXX)
trap 'rm -rf "$top"' EXIT

# ---- What abuild gives to a recipe ---------------------------------------------------------------

want_check()
{
    false # cmocka isn't there for musl
}

abuild-meson()
{
    CC=musl-gcc meson setup --prefix=/usr --libdir=lib --sysconfdir=/etc --localstatedir=/var \
        --buildtype=plain --auto-features=auto --wrap-mode=nodownload -Db_pie=true -Db_staticpic=true \
        -Ddefault_library=shared "-Dc_args=['-Os', '-idirafter', '$SOURCE/build/kernel-headers']" "$@"
}

# belongs_to FILE: in the order in which abuild's default functions take what is theirs.
belongs_to()
{
    case $1 in
    usr/share/doc/* | usr/share/man/*) echo doc ;;
    usr/include/* | usr/lib/pkgconfig/* | usr/lib/lib*.so | usr/lib/*.a) echo dev ;;
    usr/lib/lib*.so.*) echo libs ;;
    etc/init.d/* | etc/conf.d/*) echo openrc ;;
    usr/share/bash-completion/*) echo bash-completion ;;
    usr/share/fish/*) echo fish-completion ;;
    usr/share/zsh/*) echo zsh-completion ;;
    *) echo vortex ;;
    esac
}

# ---- The recipe ----------------------------------------------------------------------------------

# recipe COMMAND...: with what the recipe sets and defines; its check() isn't tap.sh's.
recipe()
{
    (
        # shellcheck source=packaging/alpine/APKBUILD
        . "$SOURCE/packaging/alpine/APKBUILD"
        "$@"
    )
}

value_of()
{
    # shellcheck disable=SC2016 # for the shell in there
    recipe eval "echo \$$1"
}

build_and_package()
{
    # shellcheck disable=SC2034 # package uses it
    pkgdir=$top/pkg
    cd "$top"/src/* && build && package
}

fresh
pkgver=$(value_of pkgver)
check test "$pkgver" = "$(sed -n "s/^ *version: '\([^']*\)',\$/\1/p" "$SOURCE/meson.build" | head -n 1)"
for script in $(value_of install); do
    check test -x "$SOURCE/packaging/alpine/$script"
done
mkdir "$top/src"
tar -xf "$TARBALL" -C "$top/src"
recipe build_and_package >"$top/log" 2>&1 || problem+="$(tail -n 20 "$top/log")\n"
kept the_recipe_builds_and_installs_the_tarball_with_musl

fresh
declare -A holds=()
while read -r file; do
    holds[$(belongs_to "$file")]+="$file "
done < <(cd "$top/pkg" && find . ! -type d -printf '%P\n' | LC_ALL=C sort)
subpackages=$(value_of subpackages)
for name in $subpackages; do
    name=${name#vortex-}
    [ -n "${holds[$name]-}" ] || problem+="nothing is in $name\n"
done
check test "${#holds[@]}" -eq $(($(wc -w <<<"$subpackages") + 1))
check test "${holds[vortex]}" = 'usr/bin/vortex usr/share/vortex/vortex-status.schema.json '
check test "${holds[openrc]}" = 'etc/conf.d/vortex etc/init.d/vortex '
check test "${holds[libs]}" = "usr/lib/libvortex.so.0 usr/lib/libvortex.so.$pkgver "
check test "${holds[dev]}" = 'usr/include/vortex.h usr/lib/libvortex.a usr/lib/libvortex.so usr/lib/pkgconfig/vortex.pc '
check grep -q '^#!/sbin/openrc-run$' "$top/pkg/etc/init.d/vortex"
check grep -q '/usr/bin/vortex' "$top/pkg/etc/init.d/vortex"
check test -d "$top/pkg/etc/vortex"
check test -z "$(find "$top/pkg" -perm /6022 ! -type l)"
kept each_file_is_in_its_subpackage

fresh
expect 0 '' sh -n "$SOURCE/packaging/alpine/APKBUILD"
expect 0 '^\[.*libc.so.*\] *$' bash -c "readelf -d '$top/pkg/usr/bin/vortex' | sed -n 's/.*(NEEDED).*: //p'"
kept the_command_needs_musl_alone
finish
