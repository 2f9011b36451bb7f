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
# shellcheck source=tests/system/windows/services.sh
. "$here/services.sh"
mkdir -p "$program"
cp "$EXE" "$program/vortex.exe"

# serve NAME LINE...: slow.exe as a service of that name; $at is where.
serve()
{
    name=$1 at=$dir
    configure "$at/$name.conf" "${@:2}"
    P=$at/$name.pid
    options=(-c "C:\\services\\$count\\$name.conf" -p "C:\\services\\$count\\$name.pid")
    says installed vortex service install "$name" "${options[@]}"
}

# remove: the service goes, and nothing of it is left.
remove()
{
    says uninstalled vortex service uninstall "$name" "${options[@]}"
    answers 255 'error 1060' scm query "$name"
}

name=plain options=()
fresh
says 'installed' vortex service install plain
says 'installed' vortex service install plain
config_text=$(scm config plain)
# shellcheck disable=SC2016 # no variables
for line in 'type=10 start=2 command="C:\Program Files\Vortex\vortex.exe" run plain' \
    'user=NT SERVICE\plain title=plain (Vortex)'; do
    [[ $config_text == *"$line"* ]] || problem+="not '$line' in '$config_text'\n"
done
[[ $config_text =~ preshutdown=[1-9] ]] || problem+="no preshutdown timeout: $config_text\n"
says EventMessageFile event_source plain
says uninstalled vortex service uninstall plain
says 'was not installed' vortex service uninstall plain
answers 255 'error 1060' scm query plain
answers 1 '' event_source plain
kept 'an installed service is quoted, with an account of its own; twice is as once; removed is gone'

fresh
serve slow
"$here/still.sh" wine "$top/scm.exe" start slow >"$dir/start" 2>&1 &
eventually grep -q '^starting .*checkpoint=3 ' "$dir/start"
check test -z "$(grep '^running' "$dir/start")"
says 'starting' vortex status slow "${options[@]}"
touch "$at/go"
eventually grep -q '^running .*checkpoint=0 hint=0' "$dir/start"
check test -z "$(sed -n 's/^starting .*hint=//p' "$dir/start" | grep '^0 ')"
kept 'START_PENDING with rising checkpoints until the probe holds, then RUNNING'

count=$((count + 1)) problem=
pid=$(scm query slow | sed 's/.*pid=//')
check test "$pid" = "$(tr -d '\r\n' <"$P")"
says "pid +$pid" vortex status slow "${options[@]}"
says 'service slow' vortex status slow "${options[@]}"
says 'running, started with the machine' vortex service status slow
answers 1 'already running \(pid' vortex start --direct slow "${options[@]}"
kept 'pidfile, status and service manager name one process, and a start by hand is refused'

count=$((count + 1)) problem=
sed -i 's/^timeout = 300ms/timeout = 400ms/' "$at/slow.conf"
check scm control slow 6
eventually grep -q '^reload.*=' "$P.state"
check state slow running
kept 'PARAMCHANGE is a reload'

count=$((count + 1)) problem=
says 'stopping .*stopped .*code=0' scm stop slow
check test ! -e "$P"
rm "$at/ready"
says 'through service slow' vortex start slow
says 'through service slow' vortex stop slow "${options[@]}"
check state slow stopped
remove
kept 'STOP ends it; start and stop go through the service manager; uninstall leaves none'

fresh
serve three
touch "$at/go"
echo 3 >"$at/exit"
says 'stopped .*code=1066 specific=[1-9]' scm start three
rm "$at/exit" "$at/ready" -f
says started vortex service start three
echo 3 >"$at/exit"
eventually state three stopped
says 'code=1066 specific=3' scm query three
remove
kept 'a server that exits 3 is a service that ends with the specific code 3'

fresh
serve hand
touch "$at/go"
says started vortex start --direct hand "${options[@]}"
says 'stopped .*code=1066 specific=1' scm start hand
says stopped vortex stop hand "${options[@]}"
remove
kept 'a service of an instance that was started by hand ends with 1'

fresh
serve broken
echo 'nonsense = 1' >>"$at/broken.conf"
says 'stopped .*code=1066 specific=6' scm start broken
sed -i '/^nonsense/d' "$at/broken.conf"
remove
kept 'a mistake in the configuration is the specific code 6'

fresh
serve early
check vortex service install early "${options[@]}" >/dev/null
"$here/still.sh" wine "$top/scm.exe" start early >"$dir/start" 2>&1 &
eventually state early starting
eventually test -e "$P.state"
says 'stopped service' vortex service stop early
check state early stopped
remove
kept 'a service that starts yet can be stopped'

fresh
check scm create plain 'C:\Program Files\Vortex\vortex.exe run plain'
says 'installed' vortex service install plain
says 'command="C:.Program Files.Vortex.vortex.exe" run plain' scm config plain
says 'uninstalled' vortex service uninstall plain
kept 'a path that another installer left without quotes gets them'

fresh
check scm create foreign 'C:\windows\notepad.exe'
answers 1 "isn't one of vortex" vortex service install foreign
answers 1 "isn't one of vortex" vortex service uninstall foreign
check scm delete foreign
kept "a service that isn't vortex's is left alone"

finish
