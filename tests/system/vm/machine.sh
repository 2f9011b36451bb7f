#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Boots a virtual machine with what was built, again and again: reboots it, cuts its power, and looks
# what the next boot makes of that.
#
#   machine.sh short|long BUILD PROGRAM...
#
# BUILD: the build directory, which is installed. PROGRAM: what cases.sh needs. The root file system is
# VORTEX_TEST_MACHINE, the kernel and the disk are in VORTEX_TEST_VM (packaging/dev.sh makes both).
# The processor is emulated, so it needs no KVM. Needs root, for root's files; prints TAP.
set -u

FORM=$1 BUILD=$(realpath "$2")
shift 2
HERE=$(dirname "$(realpath "$0")")
ROOT=${VORTEX_TEST_MACHINE-} VM=${VORTEX_TEST_VM-}
SILENCE=120 # seconds without a line until a machine is given up

# shellcheck source=tests/system/common.sh
. "$HERE/../common.sh"
# shellcheck source=tests/system/systemd/prepare.sh
. "$HERE/../systemd/prepare.sh"

# A sandbox may forbid what this needs. That is said, and is no pass.
cannot()
{
    echo "1..0 # SKIP no virtual machine can be booted here: $*"
    exit 0
}

[ "$(id -u)" -eq 0 ] || skip 'needs root'
[ -n "$ROOT" ] || skip 'needs VORTEX_TEST_MACHINE, a root file system with systemd'
[ -n "$VM" ] || skip 'needs VORTEX_TEST_VM, a folder with a kernel'
[ -e "$ROOT/lib/systemd/systemd" ] || cannot "there is no root file system $ROOT"
[ -e "$VM/kernel" ] || cannot "there is no kernel $VM/kernel"
for tool in qemu-system-x86_64 mke2fs; do
    command -v $tool >/dev/null || cannot "there is no $tool"
done

qemu='' count=0 failed=0
top=$(mktemp -d "$VM/run.XXXXXX") || exit 1
trap 'cut_power; rm -rf "$top"' EXIT
trap 'exit 1' TERM INT HUP

fail()
{
    echo "Bail out! $*"
    [ ! -s "$top/console" ] || tail -n 60 "$top/console" | tr -d '\r' | sed 's/^/# /'
    exit 1
}

# ---- The disk ------------------------------------------------------------------------------------

# enabled UNIT LINE...: the instance's configuration; it starts at boot.
enabled()
{
    printf '%s\n' "${@:2}" >"$root/etc/vortex/${1#*@}.conf"
    chroot "$root" systemctl --quiet enable "$1"
}

put_together()
{
    root=$top/root
    cp -a "$ROOT" "$root" || fail 'cp failed'
    prepare
    mkdir -p "$root/opt/tests"
    cp "$@" "$root/usr/local/bin/"
    cp "$HERE"/cases.sh "$HERE"/../{common,units}.sh "$HERE/../../command/tap.sh" "$root/opt/tests/"
    cp "$HERE/cases.service" "$root/etc/systemd/system/"
    # An id, so that it isn't the first boot, which would enable whatever there is.
    echo 76f6c3d0a5e94d5bb2a4c1f08e1d9a37 >"$root/etc/machine-id"
    # Without udev it would wait for the terminal's device.
    ln -s /dev/null "$root/etc/systemd/system/serial-getty@.service"
    chroot "$root" systemctl --quiet enable cases
    enabled vortex@web '[server]' 'command = server --listen 8101'
    enabled forking@old '[server]' 'command = server --listen 8102'
    enabled vortex@late '[server]' 'command = server --listen 8103 --after 2000' \
        '[ready]' 'when = tcp:127.0.0.1:8103'
    mke2fs -q -t ext4 -F -d "$root" "$top/disk" 700M || fail 'mke2fs failed'
    rm -rf "$root" "$top/installed"
}

# ---- Its life ------------------------------------------------------------------------------------

# What the disk was given stays, what the machine had in memory is lost.
cut_power()
{
    [ -n "$qemu" ] || return 0
    kill -KILL "$qemu" 2>/dev/null
    wait "$qemu" 2>/dev/null
    qemu=
}

# switch_on AFTER BEFORE: the lines which cases.sh prints come by descriptor 8. The kernel has drivers
# for such a disk and for ext4 in itself; a reset ends qemu. A processor which can do more makes libc
# use what is slow to emulate.
switch_on()
{
    rm -f "$top/lines"
    mkfifo "$top/lines"
    setpriv --pdeathsig KILL qemu-system-x86_64 -accel tcg,thread=multi -cpu Nehalem,+rdrand -m 512 -smp 2 \
        -nodefaults -no-user-config -display none -monitor none -no-reboot \
        -drive "file=$top/disk,if=none,id=disk,format=raw,cache=writeback" \
        -device nvme,serial=1,drive=disk \
        -serial "file:$top/console" -serial stdio -kernel "$VM/kernel" \
        -append "root=/dev/nvme0n1 rw init=/lib/systemd/systemd console=ttyS0 panic=-1 \
mitigations=off vortex.after=$1 vortex.before=$2 vortex.count=$count" \
        </dev/null >"$top/lines" 2>"$top/qemu" &
    qemu=$!
    exec 8<"$top/lines"
}

# boot AFTER BEFORE: what the last boot ended with, and what this one ends with. Promises are counted;
# a line with @ says what comes next.
boot()
{
    local line word='' moment=$((RANDOM % 8))
    switch_on "$1" "$2"
    while IFS= read -r -t $SILENCE line <&8; do
        line=${line%$'\r'}
        case $line in
        'ok '* | 'not ok '*)
            count=$((count + 1))
            [[ $line == ok* ]] || failed=$((failed + 1))
            echo "$line"
            ;;
        @round*) # somewhere in these the power goes: where, is drawn by lot
            [ "${line#@round }" -ge $moment ] || continue
            sleep "0.$((RANDOM % 10))"
            word=@cut
            break
            ;;
        @*)
            word=$line
            [ "$word" = @off ] || break
            ;;
        *) echo "# ${line#\# }" ;;
        esac
    done
    case $word in
    @cut) cut_power ;;
    @off)
        wait "$qemu" || fail "after $1, before $2: qemu failed: $(cat "$top/qemu")"
        qemu=
        ;;
    *) fail "after $1, before $2: the machine says no more: $(cat "$top/qemu")" ;;
    esac
    exec 8<&-
}

# What each boot ends with: a reboot, or a power cut.
case $FORM in
short) ends=(reboot starting names) ;;
long)
    ends=(reboot reboot starting starting none names all none names all)
    for _ in {1..10}; do
        ends+=(rounds)
    done
    ;;
esac

put_together "$@"
last=installation
for end in "${ends[@]}" off; do
    began=$SECONDS
    boot "$last" "$end"
    echo "# after $last, before $end: $((SECONDS - began)) s"
    last=$end
done
echo "1..$count"
[ $failed -eq 0 ]
