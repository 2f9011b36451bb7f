#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the tests of the rpms try: tests/system/rpm/build.sh DIR
set -euo pipefail
# shellcheck source=packaging/common.sh
. packaging/common.sh
# shellcheck source=tests/system/versions.sh
. tests/system/versions.sh

make_this()
{
    bash packaging/rpm/build.sh "$dir/this"
}

make_twin()
{
    faketime -f +400d bash packaging/rpm/build.sh "$dir/twin" --nocheck
}

make_next()
{
    sed -i "s/^\(Version: *\).*/\1$next/" packaging/rpm/vortex.spec
    bash packaging/rpm/build.sh "$dir/next" --nocheck
}

make_versions "$1"
