#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What is promised of the Debian packages as files, in TAP:
#
#   files.sh SOURCE VORTEX
#
# VORTEX_TEST_DEBS: what build.sh made.
set -u

SOURCE=$1 VORTEX=$2
# shellcheck source=tests/command/tap.sh
. "$SOURCE/tests/command/tap.sh"
# shellcheck source=tests/system/common.sh
. "$SOURCE/tests/system/common.sh"
# shellcheck source=tests/system/deb/tools.sh
. "$SOURCE/tests/system/deb/tools.sh"

needs lintian hardening-check abidiff dpkg-deb
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
root=$top/root

# listing DEB: its members as tar lists them.
listing()
{
    dpkg-deb --fsys-tarfile "$1" | tar --numeric-owner -tv
}

for deb in "$DEBS"/this/*.deb; do
    dpkg-deb -x "$deb" "$root" || bail "$deb can't be unpacked"
done
library=$(compgen -G "$root/usr/lib/*/libvortex.so.0")

fresh
for file in "$DEBS"/this/*; do
    case $file in
    *.buildinfo | *.changes) ;; # they tell of the build itself
    *) check cmp "$file" "$DEBS/twin/${file##*/}" ;;
    esac
done
check test "$(compgen -G "$DEBS/this/*.deb" | wc -l)" = 5
kept two_builds_have_the_same_bytes

fresh
expect 0 '^$' lintian --allow-root -EI --pedantic --fail-on error,warning,info,pedantic "$DEBS"/this/*.changes
kept lintian_has_nothing_to_say

fresh
for deb in "$DEBS"/this/*.deb; do
    said=$(listing "$deb" | grep -vE '^([d-]rw[x-]r-[x-]r-[x-]|lrwxrwxrwx) 0/0 ')
    [ -z "$said" ] || problem+="${deb##*/}: $said\n"
done
kept nothing_is_writable_by_others_or_runs_as_its_owner

# No program of Debian 12 has control flow protection: its libc's first object has none. The tool
# knows but the loop form of stack clash protection, and none of ours needs that.
fresh
for file in "$root/usr/bin/vortex" "$library"; do
    expect 0 '' hardening-check --nocfprotection "$file"
    said=$(hardening-check --nocfprotection "$file" | grep -v ': yes\|^/\|^$\|Stack clash\|Control flow\|shared library')
    [ -z "$said" ] || problem+="$said\n"
done
check grep -q 'or. *[$]0x0,(%rsp)' <<<"$(objdump -d "$root/usr/bin/vortex")"
kept the_hardening_is_whole

fresh
size=$(dpkg-deb -f "$DEBS"/this/vortex_*_*.deb Installed-Size)
echo "# vortex takes $size KiB"
check test "$size" -lt 300
kept vortex_takes_less_than_300_KiB

fresh
wanted='/etc/default/vortex /etc/init.d/vortex /etc/vortex/vortex.conf '
dpkg-deb -e "$DEBS"/this/vortex_*_*.deb "$dir/control"
check test "$(sort "$dir/control/conffiles" | tr '\n' ' ')" = "$wanted"
expect 0 'no mistakes' "$VORTEX" check -c "$root/etc/vortex/vortex.conf"
# Each example in it is one that works.
sed 's/^#\([a-z][a-z-]* = \)/\1/' "$root/etc/vortex/vortex.conf" >"$dir/examples.conf"
check test "$(grep -c '^[a-z]' "$dir/examples.conf")" -ge 5
expect 0 'no mistakes' "$VORTEX" check -c "$dir/examples.conf"
kept the_sample_configuration_and_its_examples_have_no_mistake

fresh
for file in bin/vortex share/man/man1/vortex.1.gz share/man/man5/vortex.conf.5.gz \
    share/man/man3/vortex.3.gz share/bash-completion/completions/vortex include/vortex.h \
    share/zsh/vendor-completions/_vortex share/fish/vendor_completions.d/vortex.fish; do
    check test -s "$root/usr/$file"
done
kept everything_stands_where_its_reader_looks

fresh
expect 0 'SONAME *libvortex\.so\.0' objdump -p "$library"
depends=$(dpkg-deb -f "$DEBS"/this/libvortex0_*.deb Depends)
check test "$(tr -cd , <<<"$depends")" = '' # of libc alone
kept the_library_needs_libc_alone

fresh
reference=$SOURCE/packaging/abi/libvortex.so.0.$(uname -m).abi
if [ -e "$reference" ]; then
    expect 0 '' abidiff --no-added-syms --exported-interfaces-only \
        --debug-info-dir2 "$root/usr/lib/debug" --headers-dir2 "$root/usr/include" \
        --drop-private-types "$reference" "$library"
    kept programs_of_the_last_release_run_with_this_library
else
    kept "programs_of_the_last_release_run_with_this_library # SKIP there is no $reference"
fi
finish
