#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Instances as services of Windows, under Wine: a prefix of its own, and its real service manager.
#
#   service.sh VORTEX.EXE BUILD-DIRECTORY
#
# Prints TAP.
set -u

EXE=$(realpath "$1") BUILD=$(realpath "$2")
here=$(dirname "$(realpath "$0")")
# shellcheck source=tests/command/tap.sh
. "$here/../../command/tap.sh"

# shellcheck source=tests/system/windows/wine.sh
. "$here/wine.sh"
begin services
program="$drive/Program Files/Vortex"
rm -rf "$drive/ProgramData/Vortex"
mkdir -p "$program"
cp "$EXE" "$program/vortex.exe"
$CC -municode -o "$top/scm.exe" "$here/scm.c" -ladvapi32
$CC -o "$top/slow.exe" "$here/slow.c"

# Not the one in $top: where a service's program stands matters.
vortex()
{
    in_wine "$program/vortex.exe" "$@"
}

scm()
{
    in_wine "$top/scm.exe" "$@"
}

# serve NAME LINE...: slow.exe, ready by its file, with that configuration beside; $at is where.
serve()
{
    name=$1 at=$dir
    shift
    {
        printf '[server]\ncommand = "C:/services/slow.exe" "C:/services/%s"\n' "$count"
        printf '[ready]\nwhen = exec:C:/services/scm.exe exists C:/services/%s/ready\n' "$count"
        printf '%s\n' "$@"
    } >"$at/$name.conf"
    P=$at/$name.pid
    options=(-c "C:\\services\\$count\\$name.conf" -p "C:\\services\\$count\\$name.pid")
    says 0 installed service install "$name" "${options[@]}"
}

# state NAME WORD: of the service.
state()
{
    scm query "$1" && [[ $(said) == "$2 "* ]]
}

# remove: the service goes, and nothing of it is left.
remove()
{
    says 0 uninstalled service uninstall "$name" "${options[@]}"
    answers 255 'error 1060' scm query "$name"
}

name=plain options=()
fresh
says 0 'installed' service install plain
says 0 'installed' service install plain
check scm config plain
config_text=$(said)
# shellcheck disable=SC2016 # no variables
for line in 'type=10 start=2 command="C:\Program Files\Vortex\vortex.exe" run plain' \
    'user=NT SERVICE\plain title=plain (Vortex)'; do
    [[ $config_text == *"$line"* ]] || problem+="not '$line' in '$config_text'\n"
done
[[ $config_text =~ preshutdown=[1-9] ]] || problem+="no preshutdown timeout: $config_text\n"
source='HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\plain'
answers 0 EventMessageFile in_wine reg query "$source"
says 0 uninstalled service uninstall plain
says 0 'was not installed' service uninstall plain
answers 255 'error 1060' scm query plain
answers 1 '' in_wine reg query "$source"
kept 'an installed service is quoted, with an account of its own; twice is as once; removed is gone'

fresh
serve slow
wine "$top/scm.exe" start slow >"$dir/start" 2>&1 &
eventually grep -q '^starting .*checkpoint=3 ' "$dir/start"
check test -z "$(grep '^running' "$dir/start")"
says 0 'starting' status slow "${options[@]}"
touch "$at/go"
eventually grep -q '^running .*checkpoint=0 hint=0' "$dir/start"
check test -z "$(sed -n 's/^starting .*hint=//p' "$dir/start" | grep '^0 ')"
kept 'START_PENDING with rising checkpoints until the probe holds, then RUNNING'

count=$((count + 1)) problem=
check scm query slow
pid=$(said | sed 's/.*pid=//')
check test "$pid" = "$(tr -d '\r\n' <"$P")"
says 0 "pid +$pid" status slow "${options[@]}"
says 0 'service slow' status slow "${options[@]}"
says 0 'running, started with the machine' service status slow
says 1 'already running \(pid' start --direct slow "${options[@]}"
kept 'pidfile, status and service manager name one process, and a start by hand is refused'

count=$((count + 1)) problem=
sed -i 's/^\[ready\]/[stop]\ntimeout = 3s\n[ready]/' "$at/slow.conf"
check scm control slow 6
eventually grep -q '^reload.*=' "$P.state"
check state slow running
kept 'PARAMCHANGE is a reload'

count=$((count + 1)) problem=
answers 0 'stopping .*stopped .*code=0' scm stop slow
check test ! -e "$P"
rm "$at/ready"
says 0 'through service slow' start slow
says 0 'through service slow' stop slow "${options[@]}"
check state slow stopped
remove
kept 'STOP ends it; start and stop go through the service manager; uninstall leaves none'

fresh
serve three
touch "$at/go"
echo 3 >"$at/exit"
answers 0 'stopped .*code=1066 specific=[1-9]' scm start three
rm "$at/exit" "$at/ready" -f
says 0 started service start three
echo 3 >"$at/exit"
eventually state three stopped
answers 0 'code=1066 specific=3' scm query three
remove
kept 'a server that exits 3 is a service that ends with the specific code 3'

fresh
serve hand
touch "$at/go"
says 0 started start --direct hand "${options[@]}"
answers 0 'stopped .*code=1066 specific=1' scm start hand
says 0 stopped stop hand "${options[@]}"
remove
kept 'a service of an instance that was started by hand ends with 1'

fresh
serve broken
echo 'nonsense = 1' >>"$at/broken.conf"
answers 0 'stopped .*code=1066 specific=6' scm start broken
sed -i '/^nonsense/d' "$at/broken.conf"
remove
kept 'a mistake in the configuration is the specific code 6'

fresh
serve early
check vortex service install early "${options[@]}" >/dev/null
wine "$top/scm.exe" start early >"$dir/start" 2>&1 &
eventually state early starting
eventually test -e "$P.state"
says 0 'stopped service' service stop early
check state early stopped
remove
kept 'a service that starts yet can be stopped'

fresh
check scm create foreign 'C:\windows\notepad.exe'
says 1 "isn't one of vortex" service install foreign
says 1 "isn't one of vortex" service uninstall foreign
check scm delete foreign
kept "a service that isn't vortex's is left alone"

finish
