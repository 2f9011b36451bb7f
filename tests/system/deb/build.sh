#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the tests of the Debian packages try: tests/system/deb/build.sh DIR
set -euo pipefail
# shellcheck source=packaging/common.sh
. packaging/common.sh
# shellcheck source=tests/system/versions.sh
. tests/system/versions.sh

make_this()
{
    bash packaging/deb/build.sh "$dir/this"
}

make_twin()
{
    DEB_BUILD_OPTIONS='nocheck parallel=1' \
        faketime -f +400d bash packaging/deb/build.sh "$dir/twin"
}

make_next()
{
    sed "1s/(.*)/($next-1)/" packaging/deb/changelog | cat - packaging/deb/changelog >both
    mv both packaging/deb/changelog
    DEB_BUILD_OPTIONS=nocheck bash packaging/deb/build.sh "$dir/next"
}

make_versions "$1"
