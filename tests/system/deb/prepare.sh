# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What is tried under systemd: a Debian that has the packages, and not yet installed them.
# shellcheck disable=SC2154 # machine.sh sets it

# shellcheck source=tests/system/deb/tools.sh
. "$FOLDER/tools.sh"

prepare()
{
    local_repository "$root"
    cp -R "$HERE/../../packaging/deb/tests" "$root/opt/autopkgtest"
}
