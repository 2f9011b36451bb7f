#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# packaging/arch/PKGBUILD: makepkg, which is Debian's, builds, tests and packs the tarball as it does
# on Arch, as a user.
#
#   arch.sh SOURCE TARBALL
#
# SOURCE: the project's folder. Prints TAP.
set -u

SOURCE=$(realpath "$1") TARBALL=$(realpath "$2")
# shellcheck source=tests/command/tap.sh
. "$SOURCE/tests/command/tap.sh"
top=$(mktemp -d /tmp/vortex-arch-XXXXXX)
trap 'rm -rf "$top"' EXIT

# What of Arch isn't in Debian's makepkg: the wrapper which its package of meson has.
lay_arch_meson()
{
    mkdir "$top/bin"
    cat >"$top/bin/arch-meson" <<'END'
#!/bin/sh
exec meson setup --prefix=/usr --libdir=lib --libexecdir=lib --sbindir=bin --sysconfdir=/etc \
    --localstatedir=/var --buildtype=plain --auto-features=enabled --wrap-mode=nodownload -Db_pie=true "$@"
END
    chmod +x "$top/bin/arch-meson"
}

# makepkg won't run as root, and ends by a signal where it finds no pacman, which it would ask for what is
# installed.
as_user()
{
    local user=()
    if [ "$(id -u)" -eq 0 ]; then
        chown -R nobody:nogroup "$top"
        user=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
    fi
    "${user[@]}" env -C "$top" -u MAKEFLAGS HOME="$top" PATH="$top/bin:$PATH" PACMAN=true \
        "$@"
}

fresh
lay_arch_meson
cp "$SOURCE/packaging/arch/PKGBUILD" "$TARBALL" "$top"
version=$(sed -n 's/^pkgver=//p' "$top/PKGBUILD")
check test "$version" = "$(sed -n "s/^ *version: '\([^']*\)',\$/\1/p" "$SOURCE/meson.build" | head -n 1)"
mv "$top/${TARBALL##*/}" "$top/vortex-$version.tar.gz"
chmod 755 "$top"
as_user makepkg --nodeps --noconfirm >"$top/log" 2>&1 || problem+="$(tail -n 20 "$top/log")\n"
check grep -q '^Ok: *[1-9]' "$top/log" # check() has tried some
package=$(echo "$top"/vortex-"$version"-*.pkg.tar.*)
kept the_recipe_builds_tests_and_packs_the_tarball_as_a_user

# Static libraries aren't packed there, and manual pages are compressed.
fresh
{
    echo etc/vortex/vortex.conf
    meson introspect --installed "$top/src/build" |
        python3 -c 'import json, sys; print(*json.load(sys.stdin).values(), sep="\n")' |
        sed -e '/\.a$/d' -e 's,^/,,' -e '/\/man\//s/$/.gz/'
    echo usr/lib/libvortex.so
    echo usr/lib/libvortex.so.0
} | LC_ALL=C sort -u >"$dir/wanted"
tar -tf "$package" | grep -v '/$\|^\.' | LC_ALL=C sort >"$dir/packed"
check diff "$dir/wanted" "$dir/packed"
for file in bin/vortex include/vortex.h lib/libvortex.so.0 lib/pkgconfig/vortex.pc \
    lib/systemd/system/vortex{,@}.service lib/systemd/user/vortex@.service lib/sysusers.d/vortex.conf \
    lib/tmpfiles.d/vortex.conf share/man/man5/vortex.conf.5.gz \
    share/bash-completion/completions/vortex share/zsh/site-functions/_vortex; do
    check grep -qx "usr/$file" "$dir/packed"
done
kept all_that_meson_installs_is_packed_where_its_reader_looks

fresh
tar -C "$dir" -xf "$package"
check test "$(sed -n 's/^backup = //p' "$dir/.PKGINFO")" = etc/vortex/vortex.conf
check test "$(sed -n 's/^provides = //p' "$dir/.PKGINFO")" = libvortex.so=0-64
check test ! -e "$dir/.INSTALL"
said=$(tar --numeric-owner -tvf "$package" | grep -vE '^([d-]rw[x-]r-[x-]r-[x-]|lrwxrwxrwx) 0/0 ')
[ -z "$said" ] || problem+="$said\n"
expect 0 'no mistakes' "$dir/usr/bin/vortex" check -c "$dir/etc/vortex/vortex.conf"
expect 0 '^\[libc.so.6\] *$' bash -c "readelf -d '$dir/usr/bin/vortex' | sed -n 's/.*(NEEDED).*: //p'"
kept its_configuration_is_kept_at_an_upgrade_and_it_needs_glibc_alone
finish
