#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What vortex costs under systemd, beside a unit that runs the same server itself; in the machine that
# tests/system/machine.sh boots. All units have the same settings but those named, and are
# measured in turns. The times are systemd's own stamps: from the unit's leaving of one state to its
# entering of the next.
set -u

ROUNDS=${ROUNDS:-20}
top=$(mktemp -d)
units=(exec notify vortex bare true supervised forking)

# name_of UNIT: in the table.
name_of()
{
    case $1 in
    exec) echo 'without vortex, Type=exec' ;;
    notify) echo 'without vortex, Type=notify' ;;
    vortex) echo 'vortex@, exec mode' ;;
    bare) echo 'the same without ExecStopPost=' ;;
    true) echo 'the same, ExecStopPost=true' ;;
    supervised) echo 'vortex@, supervise mode' ;;
    forking) echo 'Type=forking, exec mode' ;;
    esac
}

unit_of()
{
    [ "$1" = forking ] && echo forking@cost-forking || echo "vortex@cost-$1"
}

# make UNIT PORT LINE...: with these settings of [Service] besides.
make()
{
    local unit
    unit=$(unit_of "$1")
    printf '%s\n' '[server]' "command = server --listen $2" >"/etc/vortex/cost-$1.conf"
    mkdir -p "/run/systemd/system/$unit.service.d"
    printf '%s\n' '[Unit]' StartLimitIntervalSec=0 '[Service]' "${@:3}" \
        >"/run/systemd/system/$unit.service.d/cost.conf"
}

# stamped UNIT FROM TO: microseconds between the two stamps.
stamped()
{
    local FROM TO
    FROM=$(systemctl show --value -p "$2TimestampMonotonic" "$1")
    TO=$(systemctl show --value -p "$3TimestampMonotonic" "$1")
    echo $((TO - FROM))
}

# beside UNIT: the memory, in KiB, of all its processes but the server (PSS).
beside()
{
    local unit pid
    unit=$(unit_of "$1")
    find "/sys/fs/cgroup/system.slice/system-${unit%%@*}.slice/$unit.service" \
        -name cgroup.procs -exec cat {} + | while read -r pid; do
        [ "$(cat "/proc/$pid/comm")" = server ] || cat "/proc/$pid/smaps_rollup"
    done | awk '/^Pss:/ { sum += $2 } END { print sum + 0 }'
}

measure()
{
    local unit
    unit=$(unit_of "$1")
    systemctl start "$unit" || exit 1
    stamped "$unit" InactiveExit ActiveEnter >>"$top/$1.start"
    beside "$1" >>"$top/$1.memory"
    systemctl stop "$unit" || exit 1
    stamped "$unit" ActiveExit InactiveEnter >>"$top/$1.stop"
    [ -e "/run/vortex/cost-$1.pid" ] && echo left >>"$top/$1.left"
}

median()
{
    sort -n "$1" | sed -n "$(((ROUNDS + 1) / 2))p"
}

# goal WHAT FIGURE: of the packaged unit, within 3 ms of the first.
goal()
{
    local more=$(($(median "$top/vortex.$2") - $(median "$top/${units[0]}.$2")))
    echo "goal: $1 within 3 ms: $([ $more -le 3000 ] && echo met || echo MISSED)"
}

# row UNIT: its medians, and what they differ from those of the first unit.
row()
{
    local start stop memory
    start=$(median "$top/$1.start") stop=$(median "$top/$1.stop") memory=$(median "$top/$1.memory")
    awk -v name="$(name_of "$1")" -v start="$start" -v stop="$stop" -v memory="$memory" \
        -v first="$(median "$top/${units[0]}.start")" -v last="$(median "$top/${units[0]}.stop")" \
        -v left="$([ -e "$top/$1.left" ] && echo stale || echo -)" 'BEGIN {
            printf "| %-30s | %6.1f %+6.1f | %6.1f %+6.1f | %6d | %-7s |\n", name, start / 1000,
                (start - first) / 1000, stop / 1000, (stop - last) / 1000, memory, left }'
}

plain=('ExecStart=' 'ExecStopPost=' 'ExecReload=')
make exec 8501 "${plain[@]}" 'ExecStart=/usr/local/bin/server --listen 8501' Type=exec
make notify 8502 "${plain[@]}" 'ExecStart=/usr/local/bin/server --notify --listen 8502'
make vortex 8503
make bare 8504 'ExecStopPost='
# What any command at the end of a stop costs.
make true 8507 'ExecStopPost=' 'ExecStopPost=+/bin/true'
make supervised 8505
echo 'supervise = yes' >>/etc/vortex/cost-supervised.conf
make forking 8506
# What another unit names stays loaded, with its stamps.
printf '%s\n' '[Unit]' "After=$(for name in "${units[@]}"; do unit_of "$name"; done | sed 's/$/.service/' |
    paste -sd' ')" >/run/systemd/system/cost.target
systemctl daemon-reload
systemctl start cost.target
for ((round = 0; round < ROUNDS; round++)); do
    for name in "${units[@]}"; do
        measure "$name"
    done
done

echo "Under $(systemctl --version | head -n 1), medians of $ROUNDS, and the difference from the first:"
echo
echo '| the same server                | start, ms     | stop, ms      | KiB*   | pidfile |'
echo '|--------------------------------|---------------|---------------|--------|---------|'
for name in "${units[@]}"; do
    row "$name"
done
echo
echo '* resident beside the server (PSS). The last column: what a stop leaves.'
goal start start
goal stop stop
echo "goal: no memory: $([ "$(median "$top/vortex.memory")" = 0 ] && echo met || echo MISSED)"
