#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh short|long DIRECTORY [NAME...]: search each configuration exhaustively; the work, the logs and
# report.md are in that directory. Fails unless each is as expected: holds, or is found wrong.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
form=$1
mkdir -p "$2"
directory=$(cd "$2" && pwd)
shift 2
# Two at a time: under 2 GiB in the short form, under 16 GiB in the long one.
# The short one is done before an optimizer would be.
memory=950 optimize=-O0
[ "$form" = short ] || memory=7500 optimize=-O1
export here directory memory optimize

number() # LOG PATTERN: the number before or behind it
{
    sed -nE "s/$2/\1/p" "$1" | head -n 1
}

search() # EXPECTED NAME FLAG...: one line of the report
{
    local expected=$1 name=$2 dir=$directory/$2 kind=(-DSAFETY) options=() found
    shift 2
    rm -rf "$dir"
    mkdir "$dir"
    cd "$dir"
    [ "$expected" != live ] || kind=(-DNFAIR=3)
    [ "$expected" != live ] || options=(-a -f)
    spin "$@" -a "$here/claim.pml" >spin.log
    gcc -w "$optimize" "${kind[@]}" -DCOLLAPSE -DVECTORSZ=1024 "-DMEMLIM=$memory" -o pan pan.c
    ./pan -n -w22 -m400000 "${options[@]}" >log 2>&1 || true
    if grep -q '^pan:[0-9]*: ' log; then
        found=$(sed -n 's/^pan:[0-9]*: \(.*\) (at depth.*/\1/p' log | head -n 1)
        case $found in # what broke, in words
        *owners*) found='two owners' ;;
        *ours*) found='a wrong process is signalled' ;;
        *'me!=3'*) found='a start is refused though nobody lives' ;;
        *lived*) found='a living owner is overlooked' ;;
        *'lock=='* | *pidfile*) found="an owner's files are lost" ;;
        esac
    elif grep -q 'errors: 0' log && ! grep -Eq 'not completed|too small|reached -|out of memory' log
    then
        found=holds
    else
        found='NOT SEARCHED TO THE END'
    fi
    printf '| %s | %s | %s | %s | %s s | %s MiB | %s |\n' "$name" "$*" \
        "$(number log ' *([0-9.e+]+) states, stored.*')" \
        "$(number log '.*depth reached ([0-9]+),.*')" \
        "$(number log '.*elapsed time ([0-9.e+-]+) seconds.*')" \
        "$(number log ' *([0-9.]+).total actual memory usage.*')" "$found" >row
    case $expected-$found in
    fails-holds | *-'NOT SEARCHED'* | holds-[!h]* | live-[!h]*) echo "WRONG: $name: $found" ;;
    *) echo "ok: $name: $found" ;;
    esac
}
export -f search number

mapfile -t todo < <(
    sed -n "/^#/d; /^long/{/^$form/!d}; s/^[a-z]* *//p" "$here/configurations" | sort
)
if [ $# -gt 0 ]; then
    mapfile -t todo < <(printf '%s\n' "${todo[@]}" | grep -wE "$(IFS='|'; echo "$*")")
fi
printf '%s\n' "${todo[@]}" | xargs -P 2 -I{} bash -euo pipefail -c 'search {}' | tee "$directory/results"
{
    echo '| configuration | | states | depth | time | memory | |'
    echo '|---|---|--:|--:|--:|--:|---|'
    for line in "${todo[@]}"; do
        read -r _ name _ <<<"$line"
        cat "$directory/$name/row"
    done
} >"$directory/report.md"
cat "$directory/report.md"
[ "$(grep -c '^ok: ' "$directory/results")" -eq ${#todo[@]} ]
