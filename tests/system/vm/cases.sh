#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# One boot of the machine of machine.sh: what is promised after that which ended the last boot, and
# the preparation of that which ends this one. The kernel's command line has both.
set -u

here=$(dirname "$0")
ALIVE=$(command -v alive)
export LC_ALL=C.UTF-8 SYSTEMD_COLORS=0 SYSTEMD_PAGER=
# shellcheck source=tests/system/units.sh
. "$here/units.sh"
disk=/var/lib/pidfiles # /run is in memory, this outlives the power
MOST=12                # more changes of files than any command makes

# word NAME: of the kernel's command line.
word()
{
    sed "s/.*vortex\.$1=\([^ ]*\).*/\1/" /proc/cmdline
}

after=$(word after) before=$(word before) count=$(word count)

# ---- Whom a pidfile names ------------------------------------------------------------------------

# Pids which no boot reaches by itself: so those on the disk are free in the next one.
use_high_pids()
{
    echo $((20000 + RANDOM % 10000)) >/proc/sys/kernel/ns_last_pid
}

# A process which got the pid of the file of $P, if that has one: in $bystander.
reuse_pid()
{
    bystander=
    [ -s "$P" ] && bystander=$(tr -dc 0-9 <"$P")
    [ -n "$bystander" ] || return 0
    [ -e "/proc/$bystander" ] || as_pid "$bystander" "$ALIVE" &
    eventually test -e "/proc/$bystander"
}

bystander_lives()
{
    [ -z "$bystander" ] || check is_alive "$bystander"
}

believed_dead()
{
    local said code
    said=$("$VORTEX" status -p "$P" 2>&1)
    code=$?
    [[ $code =~ ^[123]$ && $said =~ stale|invalid|'not running' ]] ||
        problem+="status of $P: exit $code: $said\n"
}

# What there is, for a reader of the log. A file may have got its length but not its content: then it
# begins with NUL.
describe()
{
    local file first line=
    for file in "$P"*; do
        [ -e "$file" ] || continue
        line+=" ${file#"$disk/"} ($(stat -c %s "$file"))"
        [ -s "$file" ] || continue
        IFS= read -r -d '' -n 1 first <"$file"
        [ -n "$first" ] || line+=' of NUL'
    done
    echo "# found:$line"
}

# All that is promised of files that outlived their boot: of $P.
outlived()
{
    local copy=$top/copy original=$P
    describe
    believed_dead
    reuse_pid
    [ -z "$bystander" ] || believed_dead
    rm -rf "$copy"
    cp -a "${P%/*}" "$copy"
    P=$copy/x.pid
    "$VORTEX" stop -p "$P" >"$top/said" 2>&1 ||
        [[ $? = 1 && $(cat "$top/said") == *invalid* ]] ||
        problem+="stop of $original: $(cat "$top/said")\n"
    bystander_lives
    P=$original
    start_ok
    check test "$(readlink "/proc/$(cat "$P")/exe")" = "$ALIVE"
    check has_value boot "$(cat /proc/sys/kernel/random/boot_id)"
    check test "$(cat "$P")" = "$(value pid)"
    expect 0 running "$VORTEX" status -p "$P"
    check test "$(cd "${P%/*}" && echo x.pid*)" = 'x.pid x.pid.lock x.pid.state'
    bystander_lives
    stop_ok
    bystander_lives
    [ -z "$bystander" ] || [ "$(readlink "/proc/$bystander/exe")" != "$ALIVE" ] ||
        kill -KILL "$bystander"
}

# ---- After the last boot -------------------------------------------------------------------------

# Whatever it was: what is enabled was started, and is right.
units_are_right()
{
    local unit port
    for unit in vortex@web:8101 forking@old:8102 vortex@late:8103; do
        port=${unit#*:} unit=${unit%:*}
        fresh
        eventually has_property "$unit" ActiveState active
        eventually serves "$port"
        agree "${unit%@*}" "${unit#*@}"
        P=/run/vortex/${unit#*@}.pid
        check has_value boot "$(cat /proc/sys/kernel/random/boot_id)"
        expect 0 "systemd unit $unit" "$VORTEX" status "${unit#*@}"
        kept "after $after: the_enabled_${unit}_was_started_at_boot"
    done
}

# The same number, the same moment of birth, and a file younger than the process: the boot alone
# tells them apart, as the second one shows, where that is the same too.
boot_is_told_apart()
{
    local name
    fresh
    for name in other same; do
        cp -a "$disk/hand" "$dir/$name"
    done
    P=$dir/other/x.pid
    reuse_pid
    for name in other same; do
        sed -i "s/^start=.*/start=$(cut -d' ' -f22 "/proc/$bystander/stat")/" \
            "$dir/$name/x.pid.state"
    done
    sed -i "s/^boot=.*/boot=$(cat /proc/sys/kernel/random/boot_id)/" "$dir/same/x.pid.state"
    touch "$dir"/*/x.pid
    believed_dead
    expect 0 '' "$VORTEX" stop -p "$P"
    bystander_lives
    P=$dir/same/x.pid
    expect 0 "running.* $bystander" "$VORTEX" status -p "$P"
    expect 0 '' "$VORTEX" stop -p "$P"
    check is_dead "$bystander"
    kept "after $after: the_boot_alone_tells_a_stranger_from_the_owner"
}

hand_is_dead()
{
    fresh
    P=$disk/hand/x.pid
    check test "$(value boot)" != "$(cat /proc/sys/kernel/random/boot_id)"
    check test "$(cat "$P")" = "$(value pid)"
    outlived
    kept "after $after: what_was_started_by_hand_is_dead_and_its_pid_is_anothers"
}

# every HOW: each of them in the directories that halt_all made.
every()
{
    fresh
    local directory
    for directory in "$disk/$1"-*; do
        P=$directory/x.pid
        outlived
    done
    kept "after $after: nothing_that_a_power_cut_left_of_$1_is_believed"
}

# What ext4 makes of that: final names of files without content; with other versions than this one,
# of files with NUL for content, so one of these is put beside them.
names_alone_were_written()
{
    fresh
    check test -n "$(find "$disk" -path '*/new-*/x.pid' -empty)"
    check test -n "$(find "$disk" -path '*/new-*/x.pid.state' -empty)"
    mkdir "$disk/new-nul"
    head -c 6 /dev/zero >"$disk/new-nul/x.pid"
    head -c 238 /dev/zero >"$disk/new-nul/x.pid.state"
    kept "after $after: there_are_pidfiles_and_states_without_content"
}

uptime_s()
{
    cut -d. -f1 /proc/uptime
}

# serves_anew PID: another server than that.
serves_anew()
{
    [ "$(value server-pid)" != "$1" ] && is_alive "$(value server-pid)"
}

# put_clock STEP: the wall clock; clock_is_right puts it back.
put_clock()
{
    right=$(date +%s) since=$(uptime_s)
    date -s "$1" >/dev/null
}

clock_is_right()
{
    date -s "@$((right + $(uptime_s) - since))" >/dev/null
}

# Before the step a server was started, a supervised one, one that was killed since, and a stranger
# whose number another tool wrote; after it the killed one's number is a stranger's.
clock_was_put()
{
    local step stranger server supervised
    for step in '1 year ago' '1 year'; do
        fresh
        config '[server]' "command = $ALIVE" '[restart]' 'policy = always' 'delay = 10ms'
        for name in exec killed; do
            mkdir "$dir/$name"
            P=$dir/$name/x.pid
            start_ok
        done
        end_server
        P=$dir/x.pid supervised=("${C[@]}")
        expect 0 started "$VORTEX" start "${supervised[@]}"
        server=$(value server-pid)
        alive env
        stranger=$bystander
        echo "$stranger" >"$dir/other.pid"
        put_clock "$step"

        P=$dir/exec/x.pid
        expect 0 running "$VORTEX" status -p "$P"
        expect 1 'already running' "$VORTEX" start -p "$P" -- "$ALIVE"
        expect 0 restarted "$VORTEX" restart -p "$P" -- "$ALIVE"
        stop_ok
        P=$dir/killed/x.pid
        believed_dead
        reuse_pid
        believed_dead
        start_ok
        stop_ok
        bystander_lives
        kill -KILL "$bystander"
        P=$dir/x.pid
        expect 0 running "$VORTEX" status "${supervised[@]}"
        kill -KILL "$(value server-pid)"
        eventually serves_anew "$server"
        stop_ok
        "$VORTEX" start -p "$dir/other.pid" -- "$ALIVE" >"$top/said" 2>&1 &&
            problem+="the stranger who lives was called dead\n"
        check is_alive "$stranger"
        end "$stranger"
        clock_is_right
        kept "after $after: a_wall_clock_put_by_${step// /_}_changes_nothing"
    done
}

judge()
{
    case $after in
    installation) clock_was_put ;;
    reboot | starting)
        boot_is_told_apart
        hand_is_dead
        ;;
    none | names | all)
        [ "$after" != names ] || names_alone_were_written
        every new
        every over
        every stop
        ;;
    rounds) every round ;;
    esac
}

# ---- Before the next one -------------------------------------------------------------------------

# Started by hand, on the disk, and never stopped.
start_hand()
{
    fresh
    P=$disk/hand/x.pid
    mkdir -p "$disk/hand"
    start_ok
    kept "before $before: a_server_was_started_by_hand"
}

# A directory for each change of files that a command makes: it will be halted before that.
#   new: start, where there is nothing. over: start, where a server was killed. stop: stop.
prepare_halts()
{
    local n
    P=$disk/killed/x.pid
    mkdir "${P%/*}"
    start_ok
    end_server
    for ((n = 1; n <= MOST; n++)); do
        mkdir "$disk/new-$n" "$disk/stop-$n"
        cp -a "$disk/killed" "$disk/over-$n"
        P=$disk/stop-$n/x.pid
        start_ok
    done
    sync
}

# It is nobody's child here.
end_server()
{
    local pid
    pid=$(cat "$P")
    kill -KILL "$pid"
    eventually is_dead "$pid"
}

# halt_all HOW COMMAND...: as prepare_halts says; what isn't needed of it goes away.
halt_all()
{
    local how=$1 n said=$top/said
    shift
    for ((n = 1; n <= MOST; n++)); do
        P=$disk/$how-$n/x.pid
        halt_before $n "$VORTEX" "$1" -p "$P" "${@:2}" >"$said-$n" 2>&1 </dev/null &
        eventually grep -qE '^(halted|ended)' "$said-$n"
        grep -q ^halted "$said-$n" || break
        echo "# $how-$n $(grep ^halted "$said-$n")"
    done
    check test $n -gt 3
    check test $n -lt $MOST
    for (( ; n <= MOST; n++)); do
        rm -rf "${disk:?}/$how-$n"
    done
}

# What reaches the disk of the files that were changed. none: nothing. names: ext4's journal has
# them, and nobody wrote what is in them. all: as if the power had gone just there.
halt_and_sync()
{
    fresh
    # However long this takes, nothing is written by itself: neither names nor what is in the files.
    mount -o remount,commit=3600 /
    echo 0 >/proc/sys/vm/dirty_writeback_centisecs
    prepare_halts
    halt_all new start -- "$ALIVE"
    halt_all over start -- "$ALIVE"
    halt_all stop stop
    case $before in
    names) sync "$disk"/* ;;
    all) sync ;;
    esac
    kept "before $before: commands_stand_still_before_each_change_of_files"
}

# Starts and stops without an end, and a disk that is busy with them.
rounds()
{
    local n
    fresh
    P=$disk/round-1/x.pid
    mkdir "${P%/*}"
    while :; do
        sync "${P%/*}"
    done &
    for ((n = 0; ; n++)); do
        start_ok
        stop_ok
        [ -z "$problem" ] || kept "before $before: starts_and_stops_go_on"
        echo "@round $n"
    done
}

prepare()
{
    rm -rf "$disk"
    mkdir "$disk"
    use_high_pids
    case $before in
    reboot)
        start_hand
        echo @off
        systemctl reboot
        ;;
    starting)
        start_hand
        sync
        systemctl restart --no-block vortex@late
        eventually has_property vortex@late ActiveState activating
        echo @cut
        ;;
    none | names | all)
        halt_and_sync
        echo @cut
        ;;
    rounds) rounds ;;
    off)
        echo @off
        systemctl poweroff
        ;;
    esac
}

units_are_right
judge
prepare
sleep infinity # what was halted stays so, until the end
