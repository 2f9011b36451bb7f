#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs a command for which WINEPREFIX names a Windows, which stays until it ends: packaging/dev.sh.
#
#   in_wine.sh BUILD-DIRECTORY COMMAND...
#
# Exit status: the command's; 77 where Wine does not run.
set -u

BUILD=$(realpath "$1") EXE=
here=$(dirname "$(realpath "$0")")
shift
# shellcheck source=tests/system/windows/wine.sh
. "$here/wine.sh"
make_prefix || exit 77
begin suites
"$@"
