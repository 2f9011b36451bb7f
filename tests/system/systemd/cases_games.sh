# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Games with the main pid: what a server says of it, and what somebody writes into its pidfile. systemd's
# own test of that name is the list.
# shellcheck disable=SC2154 # cases.sh sets it

# says PID...: a server that names each as the main process, "inner" being a child of its own, first by the
# way of its environment, then by that of systemd; and then is ready.
cat >/usr/local/bin/says <<'END_OF_SCRIPT'
#!/bin/sh
sleep infinity &
for pid in "$@"; do
    [ "$pid" != inner ] || pid=$!
    vortex notify "MAINPID=$pid"
    NOTIFY_SOCKET=/run/systemd/notify vortex notify "MAINPID=$pid"
done
vortex notify READY=1
echo told
wait
END_OF_SCRIPT
chmod 755 /usr/local/bin/says

# server_is INSTANCE COMM: the process that vortex names as the server.
server_is()
{
    local pid
    pid=$("$VORTEX" status "$1" --json | sed -n 's/.*"server_pid": \([0-9]*\),.*/\1/p')
    check test "$(cat "/proc/$pid/comm")" = "$2"
}

is_told()
{
    grep -q '^told$' <<<"$(journal -u "vortex@$I")"
}

sleep infinity &
outer=$!
for how in vortex root; do
    promise
    I=word-$how
    [ $how = vortex ] || drop_in "vortex@$I" "${as_root[@]}"
    instance "$I" '[server]' "command = says 0 1 1073741824 $outer" 'supervise = yes' \
        '[ready]' 'when = notify'
    expect 0 '' systemctl start "vortex@$I"
    agree vortex "$I"
    server_is "$I" says
    expect 0 '' systemctl stop "vortex@$I"
    ended vortex "$I"
    instance "$I" '[server]' "command = says 0 inner" 'supervise = yes' '[ready]' 'when = notify'
    expect 0 '' systemctl start "vortex@$I"
    agree vortex "$I"
    server_is "$I" sleep
    expect 0 '' systemctl stop "vortex@$I"
    ended vortex "$I"
    instance "$I" '[server]' "command = says 0 1 1073741824 $outer inner"
    expect 0 '' systemctl start "vortex@$I"
    eventually is_told
    agree vortex "$I"
    expect 0 '' systemctl stop "vortex@$I"
    ended vortex "$I"
    check is_alive $outer
    kept "$how: a_server_can_name_only_a_process_of_its_own_as_the_server"
done

# overwritten CONTENT: in the pidfile of $I, whose owner stays the same; "link": a link to another's.
overwritten()
{
    local pidfile=/run/vortex/$I.pid
    if [ "$1" = link ]; then
        rm -f "$pidfile"
        ln -s /run/outer.pid "$pidfile"
        chown -h "$how:" "$pidfile"
    else
        echo "$1" >"$pidfile"
    fi
}

echo $outer >/run/outer.pid
for T in vortex forking; do
    for how in vortex root; do
        promise
        I=over-$how contents=(1 $((2 ** 32 + outer)) 0 -1 '' garbage)
        # What root wrote into root's file, systemd believes.
        if [ $how = vortex ]; then
            contents+=("$outer" link)
        else
            drop_in "$T@$I" "${as_root[@]}"
        fi
        instance "$I" '[server]' 'command = server --listen 8401'
        [ $how = vortex ] || echo 'supervise = yes' >>"/etc/vortex/$I.conf"
        for content in "${contents[@]}"; do
            expect 0 '' systemctl start "$T@$I"
            agree $T "$I"
            first=$(main_of "$T@$I")
            overwritten "$content"
            expect 0 '' systemctl reload "$T@$I"
            check has_property "$T@$I" MainPID "$first"
            expect 0 "running"$'\n'" *pid +$first"$'\n' "$VORTEX" status "$I"
            expect 1 'already running' "$VORTEX" run "$I"
            expect 0 '' systemctl stop "$T@$I"
            ended $T "$I"
            check has_property "$T@$I" Result success
        done
        check is_alive $outer
        check test "$(cat /run/outer.pid)" = $outer
        kept "$T, $how: what_is_written_into_its_pidfile_moves_nobody"
    done
done
end $outer
