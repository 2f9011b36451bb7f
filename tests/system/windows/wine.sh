# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# A Windows for one test script: a Wine prefix of its own, with a program that stays, since without
# one Wine ends everything, services first. For the scripts here, which set $here, $EXE (or empty) and
# $BUILD; sets $C, its drive, and $top.
# shellcheck disable=SC2034,SC2154 # set here and used there, and the other way round

CC=x86_64-w64-mingw32-gcc-win32
export LC_ALL=C.UTF-8 # by which Wine knows the letters of file names

# make_prefix: what all of them are copied from, made once. Not where Wine doesn't run.
make_prefix()
{
    [ ! -d "$BUILD/wine" ] || return 0
    command -v wine >/dev/null || return 1
    rm -rf "$BUILD/wine.new"
    env -u DISPLAY WINEDEBUG=-all WINEPREFIX="$BUILD/wine.new" \
        "$here/still.sh" sh -c 'wineboot -i; timeout 60 wineserver -w' >"$BUILD/wine.log" 2>&1 \
        </dev/null
    [ -e "$BUILD/wine.new/drive_c/windows/system32/kernel32.dll" ] || return 1
    mv "$BUILD/wine.new" "$BUILD/wine"
}

# copy_prefix: 700 MB, of which Wine writes nothing in place but the registry.
copy_prefix()
{
    rm -rf "$WINEPREFIX" "$WINEPREFIX.new"
    cp -al "$BUILD/wine" "$WINEPREFIX.new"
    cp --remove-destination "$BUILD"/wine/*.reg "$WINEPREFIX.new/"
    mv "$WINEPREFIX.new" "$WINEPREFIX"
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
    C=$WINEPREFIX/drive_c
    top=$C/$1
    [ -d "$C" ] || copy_prefix
    rm -rf "$top"
    mkdir -p "$top"
    $CC -O2 -o "$top/toy.exe" "$here/toy.c" -lws2_32
    [ -z "$EXE" ] || cp "$EXE" "$top/vortex.exe"
    "$here/still.sh" wine "$top/toy.exe" stay >/dev/null 2>&1 </dev/null &
    keeper=$!
    trap end_wine EXIT
}

# shellcheck disable=SC2329 # by the trap
end_wine()
{
    timeout 20 wineserver -k
    wait "$keeper" 2>/dev/null
}

# in_wine PROGRAM ARGUMENT...: what it prints comes by a file, for a pipe would stay open as long as
# what it started.
in_wine()
{
    local output status
    output=$(mktemp "$top/out-XXXXXX")
    timeout 100 "$here/still.sh" wine "$@" >"$output" 2>&1 </dev/null
    status=$?
    tr -d '\r' <"$output"
    rm -f "$output"
    return $status
}

# answers STATUS PATTERN COMMAND...: its exit status, and what it prints.
answers()
{
    local wanted=$1 pattern=$2 output status
    shift 2
    output=$("$@")
    status=$?
    [ "$status" = "$wanted" ] || problem+="$*: exit $status, not $wanted: $output\n"
    [[ $output =~ $pattern ]] || problem+="$*: says '$output', not '$pattern'\n"
}

# lives PID: a number of Windows, not of this system.
lives()
{
    "$here/still.sh" wine "$top/toy.exe" lives "$1" >/dev/null 2>&1 </dev/null
}

is_gone()
{
    ! lives "$1"
}
