#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What is promised of the rpms as files, in TAP:
#
#   files.sh SOURCE VORTEX
#
# VORTEX_TEST_RPMS: what build.sh made.
set -u

SELF=$(realpath "$0") SOURCE=$1 VORTEX=$2
# shellcheck source=tests/command/tap.sh
. "$SOURCE/tests/command/tap.sh"
# shellcheck source=tests/system/common.sh
. "$SOURCE/tests/system/common.sh"
# shellcheck source=tests/system/rpm/tools.sh
. "$SOURCE/tests/system/rpm/tools.sh"

needs rpm rpmspec rpmlint hardening-check objdump gcc g++ pkg-config
alone -- "$SELF" "$SOURCE" "$VORTEX"
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
root=$top/root
rpm=(rpm --force-debian --nodeps)
spec=$SOURCE/packaging/rpm/vortex.spec

# listing FORMAT: of each file of each package.
listing()
{
    rpm -qp --queryformat "[$1\n]" "$RPMS"/this/*.x86_64.rpm
}

fresh
for file in "$RPMS"/this/*; do
    check cmp "$file" "$RPMS/twin/${file##*/}"
done
check test "$(compgen -G "$RPMS/this/*.rpm" | wc -l)" = 8
kept two_builds_have_the_same_bytes

fresh
expect 0 ' 0 errors, 0 warnings' rpmlint -c "$SOURCE/packaging/rpm/rpmlint.toml" "$RPMS"/this/*.rpm "$spec"
kept rpmlint_has_nothing_to_say

fresh
mkdir "$root"
expect 0 '^$' "${rpm[@]}" --root "$root" --noscripts -i "$RPMS"/this/*.x86_64.rpm
expect 0 '^$' "${rpm[@]}" --root "$root" -Va
for file in bin/vortex include/vortex.h lib64/libvortex.so lib64/libvortex.a lib64/pkgconfig/vortex.pc \
    lib/systemd/system/vortex{,@}.service lib/systemd/user/vortex@.service \
    lib/sysusers.d/vortex.conf lib/tmpfiles.d/vortex.conf share/licenses/vortex/LICENSE \
    share/man/man1/vortex.1.gz share/man/man3/vortex.3.gz share/man/man5/vortex.conf.5.gz \
    share/bash-completion/completions/vortex share/zsh/site-functions/_vortex \
    share/fish/vendor_completions.d/vortex.fish share/doc/vortex/{README.md,less-hardening.conf}; do
    check test -s "$root/usr/$file"
done
check test -d "$root/var/lib/vortex"
kept everything_stands_where_its_reader_looks

fresh
said=$(listing '%{FILEMODES:perms} %{FILEUSERNAME} %{FILEGROUPNAME} %{FILENAMES}' |
    grep -vE '^([d-]rw[x-]r-[x-]r-[x-]|lrwxrwxrwx) root root ')
[ -z "$said" ] || problem+="$said\n"
kept nothing_is_writable_by_others_or_runs_as_its_owner

# As of the Debian packages: no program of Debian 12 has control flow protection, and the tool knows but
# the loop form of stack clash protection.
fresh
for file in "$root/usr/bin/vortex" "$root/usr/lib64/libvortex.so.0"; do
    said=$(hardening-check --nocfprotection "$file" | grep -v ': yes\|^/\|^$\|Stack clash\|Control flow\|shared library')
    [ -z "$said" ] || problem+="$said\n"
done
check grep -q 'or. *[$]0x0,(%rsp)' <<<"$(objdump -d "$root/usr/bin/vortex")"
kept the_hardening_is_whole

fresh
size=$(rpm -qp --queryformat '%{SIZE}' "$RPMS"/this/vortex-[0-9]*.x86_64.rpm)
echo "# vortex takes $((size / 1024)) KiB"
check test "$size" -lt $((300 * 1024))
said=$(rpm -qp --requires "$RPMS"/this/vortex-{,libs-}[0-9]*.x86_64.rpm | sort -u |
    grep -v '^libc\.so\.6\|^rtld\|^rpmlib\|^/bin/sh\|^/sbin/ldconfig\|^config(vortex) =\|^ld-linux')
[ -z "$said" ] || problem+="needs: $said\n"
kept vortex_takes_less_than_300_KiB_and_needs_libc_alone

fresh
check test "$(rpm -qpc "$RPMS"/this/*.x86_64.rpm | grep /)" = /etc/vortex/vortex.conf
expect 0 'no mistakes' "$VORTEX" check -c "$root/etc/vortex/vortex.conf"
kept the_configuration_is_known_as_one

fresh
expect 0 'SONAME *libvortex\.so\.0' objdump -p "$root/usr/lib64/libvortex.so"
expect 0 '' env PKG_CONFIG_SYSROOT_DIR="$root" PKG_CONFIG_LIBDIR="$root/usr/lib64/pkgconfig" \
    LD_LIBRARY_PATH="$root/usr/lib64" VERSION="$(rpm -qp --queryformat '%{VERSION}' "$RPMS"/this/vortex-devel*.rpm)" \
    sh "$SOURCE/packaging/deb/tests/library"
kept programs_in_c_and_cxx_are_built_by_pkg_config_shared_and_static

# No such distribution is here: only that each branch is taken, and leaves no macro behind.
for system in systemd suse; do
    fresh
    expect 0 '' rpmspec -P --load "$SOURCE/tests/system/rpm/$system.macros" "$spec"
    rpmspec -P --load "$SOURCE/tests/system/rpm/$system.macros" "$spec" >"$dir/spec"
    for words in 'the macro post vortex.service' 'the macro preun vortex.service' \
        'the macro postun vortex.service' 'the macro meson' 'BuildRequires: *systemd-rpm-macros'; do
        check grep -q "$words" "$dir/spec"
    done
    check test "$(grep -c 'the macro pre vortex.service' "$dir/spec")" = "$([ $system = suse ] && echo 1 || echo 0)"
    said=$(sed '/^%changelog/,$d' "$dir/spec" |
        grep -nE '%[a-z_]+' | grep -vE ':%(description|package|prep|build|install|check|pre|post|preun|postun|files|license|doc|dir|config)\b')
    [ -z "$said" ] || problem+="left: $said\n"
    kept "the_macros_of_$system: each_is_used_where_it_is_there"
done
finish
