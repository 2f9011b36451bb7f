# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What is tried under systemd: rpm on a Debian, and the packages, not yet installed.
# shellcheck disable=SC2154 # machine.sh sets it

# shellcheck source=tests/system/rpm/tools.sh
. "$FOLDER/tools.sh"

# The machine has the release of this one, so that this one's rpm runs there.
prepare()
{
    needs rpm rpmbuild
    {
        ldd "$(command -v rpm)" | grep -o '/[^ ]*'
        find /usr/bin/rpm /usr/lib/rpm
    } | tar --dereference --no-recursion --files-from=- -c 2>/dev/null |
        tar -C "$root" -x --keep-directory-symlink || fail 'rpm cannot be put there'
    mkdir "$root/opt/rpms"
    cp -R "$RPMS"/{this,next} "$root/opt/rpms/"
}
