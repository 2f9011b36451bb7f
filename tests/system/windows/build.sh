#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the tests of the packages for Windows try: tests/system/windows/build.sh DIR
set -euo pipefail
# shellcheck source=packaging/common.sh
. packaging/common.sh
# shellcheck source=tests/system/versions.sh
. tests/system/versions.sh

fetch_subprojects
sources=$PWD/subprojects/packagecache

make_this()
{
    bash packaging/windows/build.sh "$dir/this"
}

make_twin()
{
    cp -a "$sources" subprojects/
    bash packaging/windows/build.sh "$dir/twin"
}

make_next()
{
    cp -a "$sources" subprojects/
    echo '# Of the next version.' >>units/windows/vortex.conf
    bash packaging/windows/build.sh "$dir/next"
}

make_versions "$1"
