#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the tests of the Debian packages try: tests/system/deb/build.sh DIR
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
    DEB_BUILD_OPTIONS='nocheck parallel=1' \
        faketime -f +400d bash packaging/deb/build.sh "$dir/twin"
)

make_next()
(
    copy_of_source "$dir/later"
    cd "$dir/later"
    next=$(become_next)
    sed "1s/(.*)/($next-1)/" packaging/deb/changelog | cat - packaging/deb/changelog >both
    mv both packaging/deb/changelog
    DEB_BUILD_OPTIONS=nocheck bash packaging/deb/build.sh "$dir/next"
)

bash packaging/deb/build.sh "$dir/this"
make_twin >"$dir/twin.log" 2>&1 &
twin=$!
make_next
wait $twin || {
    cat "$dir/twin.log"
    die 'the second build failed'
}
rm -rf "$dir"/{elsewhere,later}
