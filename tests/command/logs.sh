#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What `vortex logs` shows.
#
#   logs.sh VORTEX
#
# Prints TAP.
set -u

VORTEX=$(realpath "$1")
count=0 failed=0
top=$(mktemp -d /tmp/vortex-logs-XXXXXX)
trap 'rm -rf "$top"' EXIT
cd "$top" || exit 1
export RUNTIME_DIRECTORY=$top
printf '[log]\nfile = %s/%%n.log\n' "$top" >web.conf

# same "promise" WANTED GOT
same()
{
    count=$((count + 1))
    if [ "$2" = "$3" ]; then
        echo "ok $count - $1"
    else
        echo "not ok $count - $1"
        printf '# wanted: %q\n# got:    %q\n' "$2" "$3"
        failed=$((failed + 1))
    fi
}

logs()
{
    "$VORTEX" logs web -c web.conf "$@" 2>&1 </dev/null
    echo "exit $?"
}

same a_missing_file_is_an_error \
    "vortex: cannot show the log of 'web': $top/web.log: No such file or directory
exit 1" "$(logs)"

seq 1 15 >web.log.1
seq 16 30 >web.log
same twenty_lines_are_shown_across_a_rotation "$(seq 11 30)
exit 0" "$(logs)"
same as_many_as_are_asked_for "$(seq 29 30)
exit 0" "$(logs -n 2)"
same or_none 'exit 0' "$(logs --lines=0)"
same a_number_is_a_number \
    "vortex: --lines takes a number from 0 to 2147483647, not '-1'
exit 2" "$(logs -n -1)"

printf '[server]\nlog = %s/plain.log\n' "$top" >web.conf
echo plain >plain.log
same the_plain_log_of_a_server_is_shown_too 'plain
exit 0' "$(logs)"

echo '[log]' >web.conf
same without_a_log_file_there_is_nothing_to_show \
    "vortex: there is no log file of 'web': name one in web.conf, as 'file' in [log]
exit 6" "$(logs)"

# Each line that is followed is read before the next step is taken.
printf '[log]\nfile = %s/%%n.log\n' "$top" >web.conf
rm web.log web.log.1
coproc "$VORTEX" logs web -c web.conf -f
pid=$COPROC_PID
exec 3<&"${COPROC[0]}"
read_line()
{
    local line=
    IFS= read -r -t 20 -u 3 line
    echo "$line"
}
echo one >web.log
same a_file_that_comes_is_followed one "$(read_line)"
echo two >>web.log
same what_is_added_is_followed two "$(read_line)"
echo three >>web.log
mv web.log web.log.1
echo four >web.log
same the_rest_before_a_rotation_is_followed three "$(read_line)"
same and_what_comes_behind_it four "$(read_line)"
kill "$pid"
wait "$pid" 2>/dev/null

echo "1..$count"
[ $failed -eq 0 ]
