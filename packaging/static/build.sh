#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# vortex as one file that needs nothing else, not even a C library: packaging/static/build.sh OUTDIR
# The same source gives the same bytes, wherever and whenever it is built by the same tools.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=packaging/common.sh
. packaging/common.sh

out=$1
dir=build/build-static

# Debian's musl-gcc knows musl's headers alone; the kernel's come behind them.
lay_kernel_headers()
{
    mkdir -p build/kernel-headers
    ln -sfn /usr/include/linux build/kernel-headers/linux
    ln -sfn /usr/include/asm-generic build/kernel-headers/asm-generic
    ln -sfn "/usr/include/$(gcc -print-multiarch)/asm" build/kernel-headers/asm
}

install_packages binutils gcc linux-libc-dev meson musl-tools ninja-build
lay_kernel_headers
# No pie: musl-gcc can't make one that is static. minsize: it starts as fast as release, and is a
# sixth smaller. sigrtmin: most servers that it meets are built with glibc.
[ -e $dir/build.ninja ] || CC=musl-gcc meson setup $dir --buildtype=minsize -Dtests=false -Dinit= \
    -Dsigrtmin=34 -Ddefault_library=static -Db_pie=false \
    "-Dc_args=['-idirafter', '$PWD/build/kernel-headers', '-fstack-protector-strong']" \
    "-Dc_link_args=['-static', '-Wl,--build-id=none', '-Wl,-z,relro,-z,now']" >&2
ninja -C $dir src/vortex >&2
strip --strip-all -o "$out/vortex-$(project_version)-linux-$(uname -m)" $dir/src/vortex
