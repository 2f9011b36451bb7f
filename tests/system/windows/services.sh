# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Services of the Windows that wine.sh makes. For the scripts here, after begin; sets $program, where
# vortex.exe is installed to.
# shellcheck disable=SC2034,SC2154 # set here and used there, and the other way round

program="$C/Program Files/Vortex"
rm -rf "$C/ProgramData/Vortex"
$CC -municode -o "$top/scm.exe" "$here/scm.c" -ladvapi32
$CC -o "$top/slow.exe" "$here/slow.c"

vortex()
{
    in_wine "$program/vortex.exe" "$@"
}

scm()
{
    in_wine "$top/scm.exe" "$@"
}

# says PATTERN COMMAND...: what it prints, and that it did what it was to do.
says()
{
    answers 0 "$@"
}

# state NAME WORD: of the service.
state()
{
    [[ $(scm query "$1") == "$2 "* ]]
}

# event_source NAME: what the system knows of it.
event_source()
{
    in_wine reg query "HKLM\\SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\$1"
}

# configure NAME LINE...: slow.exe, ready by its file in $dir, with that configuration there too. Under
# Wine each stop of it lasts as long as its timeout: see hosting.sh.
configure()
{
    local at="C:/${top##*/}"
    {
        printf '[server]\ncommand = "%s/slow.exe" "%s/%s"\n' "$at" "$at" "$count"
        printf '[ready]\nwhen = exec:%s/scm.exe exists %s/%s/ready\ntimeout = 5m\n' "$at" "$at" "$count"
        printf '[stop]\ntimeout = 300ms\n'
        printf '%s\n' "${@:2}"
    } >"$1"
}
