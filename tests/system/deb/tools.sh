# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the tests of the Debian packages share.
# shellcheck disable=SC2034,SC2154 # set here and used there, and the other way round

DEBS=${VORTEX_TEST_DEBS-}
MADE=$DEBS

# layer LOWER: a root file system at $root, whose changes are in memory and end with this process.
layer()
{
    root=/mnt/root
    if ! mount -t tmpfs -o mode=0755 tmpfs /mnt || ! mkdir /mnt/{upper,work,root} ||
        ! mount -t overlay overlay -o "lowerdir=$1,upperdir=/mnt/upper,workdir=/mnt/work" $root; then
        echo '1..0 # SKIP no overlay can be mounted here'
        exit 0
    fi
    mount -t proc proc $root/proc
    mount --rbind /dev $root/dev
    mount -t tmpfs -o mode=0755 tmpfs $root/run
}

inside=(
    chroot /mnt/root env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
)

# local_repository ROOT: apt's only source there is a folder of packages.
local_repository()
{
    mkdir -p "$1/opt/debs"
    cp -R "$DEBS"/{this,next} "$1/opt/debs/"
    cp -R "$VORTEX_TEST_ARCHIVE" "$1/opt/debs/debian"
    (cd "$1/opt/debs/debian" && dpkg-scanpackages . 2>/dev/null >Packages) || bail 'dpkg-scanpackages failed'
    rm -f "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/*
    echo 'deb [trusted=yes] file:/opt/debs/debian ./' >"$1/etc/apt/sources.list"
}
