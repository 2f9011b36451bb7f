#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Build the packages of Vortex into dist/. What a kind needs and does is in packaging/KIND/build.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=packaging/common.sh
. packaging/common.sh

mapfile -t KINDS < <(find packaging -mindepth 2 -name build.sh -printf '%P\n' | cut -d/ -f1 | sort)

usage()
{
    cat <<END
usage: packaging/build.sh KIND... | all

Build packages into dist/KIND, installing what that needs. Kinds: ${KINDS[*]}
The sums of all that dist/ holds are in dist/SHA256SUMS.
END
}

# build_kind KIND: all or nothing of it in dist/KIND.
build_kind()
{
    echo "building: $1"
    rm -rf "dist/$1.new"
    mkdir -p "dist/$1.new"
    bash "packaging/$1/build.sh" "$PWD/dist/$1.new"
    rm -rf "dist/$1"
    mv "dist/$1.new" "dist/$1"
}

[ $# -gt 0 ] || {
    usage >&2
    exit 2
}
case $1 in
-h | --help | help)
    usage
    exit
    ;;
all) set -- "${KINDS[@]}" ;;
esac
for kind in "$@"; do
    [ -f "packaging/$kind/build.sh" ] || die "there is no kind '$kind', but: ${KINDS[*]}"
done
for kind in "$@"; do
    build_kind "$kind"
done
(
    cd dist
    find . -type f ! -name 'SHA256SUMS*' -printf '%P\n' | LC_ALL=C sort | xargs -d '\n' sha256sum >SHA256SUMS.new
    mv SHA256SUMS.new SHA256SUMS
)
