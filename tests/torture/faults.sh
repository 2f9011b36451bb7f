#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Faults of the machine: a full disk, limits, another /proc, refused locks, other clocks, a standstill.
# What is asked for meanwhile is done, or one line says why not and what to do, and then nothing was
# changed; and after the fault all is right again. In mounts and namespaces of this test's own.
#
#   faults.sh VORTEX TOY REFUSE [FAULT...]
#
# TOY: a server that reports its signals. REFUSE: runs a command without locks, flags or pidfds. Needs
# root; prints TAP.
# FAULT: a name, of those to try; none: all.
# shellcheck disable=SC2317 # called by a name that was passed on
set -u

VORTEX=$(realpath "$1") TOY=$(realpath "$2") REFUSE=$(realpath "$3")
SELF=$(realpath "$0")

# shellcheck source=tests/command/tap.sh
. "$(dirname "$SELF")/../command/tap.sh"
alone -- "$SELF" "$@"
shift 3
wanted=" $* "

top=$(mktemp -d /tmp/vortex-faults-XXXXXX)
mount -t tmpfs -o mode=0755 tmpfs "$top"
groups=()
trap 'umount -l "$top" /sys/fs/cgroup; rmdir "$top" "${groups[@]}"' EXIT

# new_group CONTROLLER: a control group of this test's own with that, to be seen as $top/CONTROLLER.
# False: there is none to be had.
new_group()
{
    local own
    own=$(findmnt -t cgroup -O "$1" -n -o TARGET -f)
    if [ -z "$own" ]; then
        own=$(findmnt -t cgroup2 -n -o TARGET -f)
        { grep -qw "$1" "$own/cgroup.controllers" && echo "+$1" >"$own/cgroup.subtree_control"; } \
            2>/dev/null || return
    fi
    own=$(mktemp -d "$own/vortex-faults-XXXXXX") || return
    groups+=("$own")
    mkdir "$top/$1" && mount --bind "$own" "$top/$1"
}

new_group pids || echo '# no control group can limit pids here'
new_group memory || echo '# no control group can limit memory here'
hide_groups

# ---- One request in a fault ---------------------------------------------------------------------

# prepare VERB SUPERVISE: a disk with an instance, and what is there before: a server, or what a dead
# one left.
prepare()
{
    fresh
    told=$top/told.$count
    : >"$told"
    mkdir "$dir/disk"
    mount -t tmpfs -o size=64k,nr_inodes=20 tmpfs "$dir/disk"
    P=$dir/disk/x.pid
    config '[server]' "command = $TOY --report $told" "supervise = $2" '[stop]' 'timeout = 500ms'
    case $1 in
    run | start) echo 999999 >"$P" ;;
    *)
        request start
        eventually serves
        ;;
    esac
    before=$(server)
}

# request VERB [PREFIX...]: what it says is in $said, how it ends in $status. A run that doesn't end
# has become the server.
request()
{
    local verb=$1
    shift
    if [ "$verb" = run ]; then
        "$@" "$VORTEX" run "${C[@]}" </dev/null >"$top/said" 2>&1 &
        eventually has_become_server $!
        status=0
        is_alive $! || wait $! || status=$?
    else
        timeout 60 "$@" "$VORTEX" "$verb" "${C[@]}" </dev/null >"$top/said" 2>&1
        status=$?
    fi
    said=$(cat "$top/said")
}

has_become_server()
{
    ! is_alive "$1" || serves
}

# The server that lives, by its own word.
server()
{
    local pid found=
    while read -r pid _; do
        ! is_alive "$pid" || found=$pid
    done < <(grep ready "$told")
    echo "$found"
}

serves()
{
    [ -n "$(server)" ]
}

serves_anew()
{
    serves && [ "$(server)" != "$before" ]
}

# Of the fault NAME of the caller: for want of memory the kernel may end what has been started.
was_ended()
{
    [[ $name == *memory ]] && ! serves && ! "$VORTEX" status "${C[@]}" >/dev/null
}

serves_or_was_ended() { serves || was_ended; }
serves_anew_or_was_ended() { serves_anew || was_ended; }

wrong()
{
    problem+="$*: exit $status: '$said'\n"
}

# Done is done. A server may take a moment to say so.
judge_done()
{
    case $1 in
    run | start) eventually serves_or_was_ended ;;
    status) [[ $said == *': running'* ]] || wrong 'the status of a living server' ;;
    stop) ! serves || wrong 'the server lives' ;;
    restart) eventually serves_anew_or_was_ended ;;
    reload) eventually grep -q HUP "$told" ;;
    esac
}

# judge_refused VERB PATTERN: all is as before, but for a stop that can't be undone, which is said.
judge_refused()
{
    [[ $status -le 7 && $said == vortex:* && $said =~ $2 ]] || wrong "not '$2'"
    case $1 in
    status) [ "$status" -eq 4 ] || wrong 'a wrong verdict' ;;
    *) [[ $said != *$'\n'* ]] || wrong 'more than a line' ;;
    esac
    [[ ! $said =~ 'is dead, but its files'|'cannot start the stopped' ]] || before=
    [ "$(server)" = "$before" ] || wrong "'$(server)' serves, not '$before'"
}

# Whatever happened, what is asked for now is right, and nothing is left over.
judge_after()
{
    if [ "$1" = reload ] && [ -n "$(value reloads)" ] && grep -q HUP "$told"; then
        eventually has_value reloaded 1 # of a supervisor, also where that could not be told at once
    fi
    if serves; then
        expect 0 running "$VORTEX" status "${C[@]}"
        expect 1 'already running' "$VORTEX" start "${C[@]}"
    else
        request status
        [[ $status =~ ^[123]$ ]] || wrong 'the status of nobody'
        expect 0 started "$VORTEX" start "${C[@]}"
        eventually serves
    fi
    expect 0 stopped "$VORTEX" stop "${C[@]}"
    check test -z "$(server)"
    check test -z "$(ls -A "$dir/disk")"
}

is_wanted()
{
    [[ $wanted == '  ' || $wanted == *" $1 "* ]]
}

# fault NAME ON OFF PATTERN [PREFIX...]: each of VERBS, in both modes; between ON and OFF, with that
# before the command. PATTERN: of a refusal.
ALL='run start status reload restart stop' VERBS=$ALL
fault()
{
    local name=$1 on=$2 off=$3 pattern=$4 supervise verb
    shift 4
    is_wanted "$name" || return
    for supervise in no yes; do
        for verb in $VERBS; do
            prepare "$verb" $supervise
            $on
            request "$verb" "$@"
            $off
            case $status in
            0) judge_done "$verb" ;;
            137)
                [[ $name == *memory ]] || wrong 'it was killed'
                eventually serves_or_was_ended # whom it began to start may still come
                ;;
            *) judge_refused "$verb" "$pattern" ;;
            esac
            echo "# exit $status: ${said%%$'\n'*}"
            judge_after "$verb"
            check umount "$dir/disk"
            kept "${name}_${verb}_supervise_$supervise"
        done
    done
}

# ---- Disks --------------------------------------------------------------------------------------

no_room='make room there$'

fill() { dd if=/dev/zero of="$dir/disk/fill" bs=4k count=64 2>/dev/null; }
unfill() { rm "$dir/disk/fill"; }
fault full_disk fill unfill "$no_room"

use_inodes() { for n in {1..30}; do : >"$dir/disk/fill.$n"; done 2>/dev/null; }
free_inodes() { rm "$dir"/disk/fill.*; }
fault no_inodes use_inodes free_inodes "$no_room"

read_only() { mount --bind "$dir/disk" "$dir/disk" && mount -o remount,bind,ro "$dir/disk"; }
writable() { umount "$dir/disk"; }
fault read_only read_only writable 'Read-only file system: choose another path with --pidfile$'

# ---- Limits -------------------------------------------------------------------------------------

# With fewer it isn't even loaded.
for n in 4 5 6 7 8 9 10; do
    fault "${n}_descriptors" : : 'Too many open files|No file descriptors' prlimit --nofile=$n
done

# limit CONTROLLER LIMIT: the file's name depends on the version.
limit() { echo "$2" >"$(find "$top/$1" -name "$1.max" -o -name "$1.limit_in_bytes")"; }
# in_group CONTROLLER: a prefix, for a command in that group.
# shellcheck disable=SC2016 # for the shell in there
in_group() { IN=(sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$top/$1"); }

for n in 1 2; do
    mountpoint -q "$top/pids" || continue
    few() { limit pids "$n"; }
    many() { limit pids max; }
    in_group pids
    fault "${n}_pids" few many 'Resource temporarily unavailable' "${IN[@]}"
done

for n in 128 256 512; do
    mountpoint -q "$top/memory" || continue
    little() { limit memory "${n}K"; }
    much() { limit memory 1G; }
    in_group memory
    fault "${n}_kib_of_memory" little much 'Cannot allocate memory' "${IN[@]}"
done

# ---- What is missing, or another ----------------------------------------------------------------

for offset in 31536000 -$(cut -d. -f1 /proc/uptime); do
    fault "boot_${offset}_s_ago" : : 'none' \
        unshare --time --boottime "$offset" --monotonic "$offset" --fork --kill-child
done

# What is started there has no identity that could be proved: see hostile.sh.
VERBS='status reload restart stop'
unproved='lock is (still )?held|busy: somebody holds the lock'
# shellcheck disable=SC2016 # for the shell in there
other_proc='mount -t $0 none /proc && exec "$@"'
fault no_proc : : "$unproved" unshare --mount --propagation private sh -c "$other_proc" tmpfs
fault pids_alone_in_proc : : "$unproved" \
    unshare --mount --propagation private sh -c "$other_proc" 'proc -o subset=pid'

everybody() { kill "-$1" "$(cat "$P" 2>/dev/null)" "$before" 2>/dev/null; }
stand_still() { everybody STOP; }
go_on() { everybody CONT; }
fault standstill stand_still go_on 'its supervisor does not begin: it stands still'

VERBS=$ALL
fault no_locks : : 'No locks available: locks are refused there; choose a local path' "$REFUSE" locks
fault no_flags_of_a_rename : : none "$REFUSE" flags
fault no_pidfds : : "$unproved|can't be examined|this takes Linux 5.3" "$REFUSE" pidfds

# ---- A supervisor in a fault --------------------------------------------------------------------

# outlived NAME ON OFF: the server dies meanwhile; afterwards it is started again, whatever was tried.
outlived()
{
    is_wanted "$1" || return
    prepare run yes
    config '[server]' "command = $TOY --report $told" '[restart]' 'policy = always' 'delay = 10ms..20ms'
    request start "${IN[@]}"
    eventually serves
    before=$(server)
    supervisor=$(cat "$P")
    tries=0
    $2
    kill -KILL "$before"
    eventually is_dead "$before"
    eventually has_tried 5
    ! serves || wrong 'the fault was none'
    expect 0 running "$VORTEX" status "${C[@]}"
    $3
    eventually serves_anew
    check test "$(cat "$P")" = "$supervisor"
    judge_after start
    check umount "$dir/disk"
    kept "a_server_is_restarted_after_$1"
}

# Its switches tell how often it woke up.
has_tried()
{
    local now
    now=$(awk '/^voluntary/ { print $2 }' "/proc/$supervisor/status")
    [ "$tries" -ne 0 ] || tries=$now
    [ $((now - tries)) -ge "$1" ]
}

IN=()
outlived full_disk fill unfill
outlived no_inodes use_inodes free_inodes
few() { prlimit --pid "$supervisor" --nofile=4:1024; }
many() { prlimit --pid "$supervisor" --nofile=1024; }
outlived descriptors few many
if mountpoint -q "$top/pids"; then
    in_group pids
    few() { limit pids 1; }
    many() { limit pids max; }
    outlived pids few many
fi

finish
