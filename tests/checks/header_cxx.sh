#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# vortex.h alone can be used from C99 and from C++, without a warning.
# usage: header_cxx.sh SOURCE_DIRECTORY C_COMPILER...
set -eu

src=$1
shift
warnings='-Wall -Wextra -Wpedantic -Werror'
compiled=0

try()
{
    echo "$*"
    # shellcheck disable=SC2086 # the warnings are several words
    printf '#include "vortex.h"\nint main(void) { return vortex_version() == 0; }\n' |
        "$@" $warnings "-I$src" -fsyntax-only -
}

try "$@" -std=c99 -x c

for cxx in g++ clang++; do
    if command -v "$cxx" >/dev/null; then
        try "$cxx" -std=c++11 -x c++
        try "$cxx" -std=c++20 -x c++
        compiled=$((compiled + 1))
    fi
done
if [ "$compiled" -eq 0 ]; then
    echo 'no C++ compiler (g++ or clang++) is installed' >&2
    exit 1
fi
