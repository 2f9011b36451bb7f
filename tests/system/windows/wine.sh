# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# A Windows for one test script: a Wine prefix of its own, with a program that stays, since without
# one Wine ends everything. For the scripts here, which set $here, $EXE and $BUILD; sets $C, its
# drive, and $top.
# shellcheck disable=SC2034,SC2154 # set here and used there, and the other way round

CC=x86_64-w64-mingw32-gcc-win32

# begin NAME: the prefix is kept in $BUILD for the next time, what is in $top isn't.
begin()
{
    if ! command -v wine >/dev/null || ! command -v $CC >/dev/null; then
        echo '1..0 # SKIP needs wine and mingw-w64'
        exit 0
    fi
    export WINEPREFIX=$BUILD/wine-$1 WINEDEBUG=${WINEDEBUG:--all}
    unset DISPLAY
    C=$WINEPREFIX/drive_c
    top=$C/$1
    if [ ! -d "$C" ]; then
        wineboot -i >/dev/null 2>&1
        timeout 60 wineserver -w
    fi
    rm -rf "$top"
    mkdir -p "$top"
    $CC -O2 -o "$top/toy.exe" "$here/toy.c" -lws2_32
    cp "$EXE" "$top/vortex.exe"
    wine "$top/toy.exe" stay >/dev/null 2>&1 &
    keeper=$!
    trap end_wine EXIT
}

# shellcheck disable=SC2329 # by the trap
end_wine()
{
    timeout 20 wineserver -k
    wait "$keeper" 2>/dev/null
}

# vortex ARGUMENT...: in the promise's own directory, so that its files need no paths; what it says
# goes to a file, for a pipe would stay open as long as what it started.
vortex()
{
    (cd "$dir" && timeout 60 wine "$top/vortex.exe" "$@" >"$top/said" 2>&1 </dev/null)
}

# says STATUS PATTERN ARGUMENT...: what vortex answers.
says()
{
    local wanted=$1 pattern=$2 output status
    shift 2
    vortex "$@"
    status=$?
    output=$(tr -d '\r' <"$top/said")
    [ "$status" = "$wanted" ] || problem+="vortex $*: exit $status, not $wanted: $output\n"
    [[ $output =~ $pattern ]] || problem+="vortex $*: says '$output', not '$pattern'\n"
}

# lives PID: a number of Windows, not of this system.
lives()
{
    wine "$top/toy.exe" lives "$1" >/dev/null 2>&1 </dev/null
}

is_gone()
{
    ! lives "$1"
}
