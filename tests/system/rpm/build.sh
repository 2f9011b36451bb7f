#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the tests of the rpms try: tests/system/rpm/build.sh DIR
#
#   DIR/this    the packages
#   DIR/twin    the same, made elsewhere by somebody else at another time
#   DIR/next    those of a next version, whose sample configuration has changed
set -euo pipefail
# shellcheck source=packaging/common.sh
. packaging/common.sh
# shellcheck source=tests/system/versions.sh
. tests/system/versions.sh

dir=$1
rm -rf "$dir"
mkdir -p "$dir"/{this,twin,next}
dir=$(realpath "$dir")
# A copy has no git to ask.
SOURCE_DATE_EPOCH=$(source_date)
export SOURCE_DATE_EPOCH

make_twin()
(
    copy_of_source "$dir/elsewhere/source"
    become_somebody "$dir/elsewhere"
    faketime -f +400d bash packaging/rpm/build.sh "$dir/twin" --nocheck
)

make_next()
(
    copy_of_source "$dir/later"
    cd "$dir/later"
    next=$(become_next)
    sed -i "s/^\(Version: *\).*/\1$next/" packaging/rpm/vortex.spec
    bash packaging/rpm/build.sh "$dir/next" --nocheck
)

bash packaging/rpm/build.sh "$dir/this"
make_twin >"$dir/twin.log" 2>&1 &
twin=$!
make_next
wait $twin || {
    cat "$dir/twin.log"
    die 'the second build failed'
}
rm -rf "$dir"/{elsewhere,later}
