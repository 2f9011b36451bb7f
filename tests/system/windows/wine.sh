# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# A Windows for one test script: a Wine prefix of its own, with a program that stays, since without
# one Wine ends everything, services first. For the scripts here, which set $here, $EXE (or empty) and
# $BUILD; sets $drive and $top.
# shellcheck disable=SC2034,SC2154 # set here and used there, and the other way round

CC=x86_64-w64-mingw32-gcc-win32

# make_prefix: what all of them are copied from, made once. Not where Wine doesn't run.
make_prefix()
{
    [ ! -d "$BUILD/wine" ] || return 0
    command -v wine >/dev/null || return 1
    rm -rf "$BUILD/wine.new"
    env -u DISPLAY WINEDEBUG=-all WINEPREFIX="$BUILD/wine.new" \
        sh -c 'wineboot -i; timeout 60 wineserver -w' >"$BUILD/wine.log" 2>&1 </dev/null
    [ -e "$BUILD/wine.new/drive_c/windows/system32/kernel32.dll" ] || return 1
    mv "$BUILD/wine.new" "$BUILD/wine"
}

# begin NAME: the prefix is kept in $BUILD for the next time, what is in $top isn't.
begin()
{
    if ! command -v $CC >/dev/null || ! make_prefix; then
        echo '1..0 # SKIP needs mingw-w64, and a Wine that runs'
        exit 0
    fi
    export WINEPREFIX=$BUILD/wine-$1 WINEDEBUG=${WINEDEBUG:--all}
    unset DISPLAY
    drive=$WINEPREFIX/drive_c
    top=$drive/$1
    [ -d "$drive" ] || cp -a "$BUILD/wine" "$WINEPREFIX"
    rm -rf "$top"
    mkdir -p "$top"
    $CC -O2 -o "$top/toy.exe" "$here/toy.c" -lws2_32
    [ -z "$EXE" ] || cp "$EXE" "$top/vortex.exe"
    wine "$top/toy.exe" stay >/dev/null 2>&1 </dev/null &
    keeper=$!
    trap end_wine EXIT
}

# shellcheck disable=SC2329 # by the trap
end_wine()
{
    timeout 20 wineserver -k
    wait "$keeper" 2>/dev/null
}

# in_wine PROGRAM ARGUMENT...: what it prints goes to the file $top/said, for a pipe would stay open
# as long as what it started.
in_wine()
{
    timeout 100 wine "$@" >"$top/said" 2>&1 </dev/null
}

# vortex ARGUMENT...: in the promise's own directory, so that its files need no paths.
vortex()
{
    (cd "$dir" && in_wine "$top/vortex.exe" "$@")
}

# said: without what Windows ends lines with.
said()
{
    tr -d '\r' <"$top/said"
}

# says STATUS PATTERN ARGUMENT...: what vortex answers; PATTERN may be of silence: ^$.
says()
{
    local wanted=$1 pattern=$2
    shift 2
    answers "$wanted" "$pattern" vortex "$@"
}

# answers STATUS PATTERN COMMAND...: what an in_wine answers.
answers()
{
    local wanted=$1 pattern=$2 output status
    shift 2
    "$@"
    status=$?
    output=$(said)
    [ "$status" = "$wanted" ] || problem+="$*: exit $status, not $wanted: $output\n"
    [[ $output =~ $pattern ]] || problem+="$*: says '$output', not '$pattern'\n"
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
