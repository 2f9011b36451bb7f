# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Deaths, hangs, and systemd's own restarts.
# shellcheck disable=SC2154 # cases.sh sets it

# came_back UNIT INSTANCE FORMER: it runs again, as another process.
came_back()
{
    local now
    now=$(main_of "$1@$2")
    [ "$now" -gt 1 ] && [ "$now" != "$3" ] && has_property "$1@$2" ActiveState active
}

for T in vortex forking; do
    for how in no yes; do
        promise
        drop_in $T@dies RestartSec=100ms StartLimitBurst=100
        instance dies '[server]' 'command = server --listen 8201' "supervise = $how" \
            '[ready]' 'when = tcp:127.0.0.1:8201'
        [ $how = yes ] || instance dies '[server]' 'command = server --listen 8201'
        expect 0 '' systemctl start $T@dies
        first=$(main_of $T@dies)
        kill -KILL "$first"
        eventually came_back $T dies "$first"
        agree $T dies
        first=$(main_of $T@dies)
        expect 0 '' systemctl kill -s KILL $T@dies
        eventually came_back $T dies "$first"
        agree $T dies
        eventually serves 8201
        expect 0 '' systemctl stop $T@dies
        ended $T dies
        kept "$T, supervise = $how: what_was_killed_comes_back_with_a_right_pidfile"
    done

    promise
    for how in no yes; do
        instance stays '[server]' 'command = server --listen 8202' "supervise = $how"
        expect 0 '' systemctl start $T@stays
        first=$(main_of $T@stays)
        expect 0 '' systemctl daemon-reload
        check has_property $T@stays MainPID "$first"
        expect 0 '' systemctl daemon-reexec
        check has_property $T@stays MainPID "$first"
        agree $T stays
        expect 0 '' systemctl reload $T@stays
        check has_property $T@stays MainPID "$first"
        agree $T stays
        expect 0 '' systemctl stop $T@stays
        ended $T stays
    done
    kept "$T: a_manager_that_is_reloaded_and_executed_anew_changes_nothing"
done

# ---- The watchdog -------------------------------------------------------------------------------

for T in vortex forking; do
    promise
    drop_in $T@hangs WatchdogSec=2 RestartSec=100ms
    instance hangs '[server]' 'command = server --listen 8203' \
        '[ready]' 'when = http://127.0.0.1:8203/' \
        '[health]' 'check = http://127.0.0.1:8203/' 'interval = 200ms' 'timeout = 500ms' \
        'failures = 1' 'action = none'
    expect 0 '' systemctl start $T@hangs
    first=$(main_of $T@hangs)
    pkill -USR2 -P "$first" -x server
    eventually came_back $T hangs "$first"
    check grep -q 'Watchdog timeout' <<<"$(journal -u $T@hangs)"
    agree $T hangs
    expect 0 '' systemctl stop $T@hangs
    ended $T hangs
    kept "$T: a_hung_server_is_restarted_by_systemds_watchdog"

    promise
    drop_in $T@unaware WatchdogSec=1
    instance unaware '[server]' 'command = server --listen 8204'
    expect 0 '' systemctl start $T@unaware
    instance aware '[server]' 'command = server --listen 8205' 'supervise = yes'
    drop_in $T@aware WatchdogSec=1
    expect 0 '' systemctl start $T@aware
    first=$(main_of $T@unaware) second=$(main_of $T@aware)
    instance witness '[server]' 'command = server --listen 8206 --after 3000' \
        '[ready]' 'when = tcp:127.0.0.1:8206'
    took_at_least 3000 systemctl start $T@witness
    check has_property $T@unaware MainPID "$first"
    check has_property $T@aware MainPID "$second"
    expect 0 '' systemctl stop $T@unaware $T@aware $T@witness
    kept "$T: a_server_that_knows_of_no_watchdog_lives_on"
done

# ---- By hand and by systemd ---------------------------------------------------------------------

for T in vortex forking; do
    promise
    drop_in $T@hand RestartSec=100ms
    instance hand '[server]' 'command = server --listen 8207'
    expect 0 started "$VORTEX" start hand
    pid=$(cat /run/vortex/hand.pid)
    expect 1 failed systemctl start $T@hand
    eventually has_property $T@hand ActiveState failed # after some more tries
    check grep -q "cannot .* 'hand': already running (pid $pid" <<<"$(journal -u $T@hand)"
    expect 0 '' systemctl stop $T@hand
    # Of Type=forking it is systemd that has removed the pidfile after the refused start.
    [ $T = forking ] || check test "$(cat /run/vortex/hand.pid)" = "$pid"
    expect 0 "running"$'\n'" *pid +$pid"$'\n' "$VORTEX" status hand
    expect 0 '' "$VORTEX" stop hand
    expect 0 '' systemctl reset-failed $T@hand
    expect 0 '' systemctl start $T@hand
    agree $T hand
    expect 1 'already running' "$VORTEX" run hand
    expect 1 'already running' "$VORTEX" start hand
    agree $T hand
    expect 0 '' systemctl stop $T@hand
    ended $T hand
    kept "$T: what_runs_by_hand_is_neither_started_twice_nor_adopted_nor_killed"
done

for how in no yes; do
    promise
    drop_in vortex@thru Restart=always RestartSec=0
    instance thru '[server]' 'command = server --listen 8208' "supervise = $how"
    expect 0 '' systemctl enable vortex@thru
    expect 0 'vortex@thru' "$VORTEX" start thru
    agree vortex thru
    first=$(main_of vortex@thru)
    expect 0 'vortex@thru' "$VORTEX" restart thru
    agree vortex thru
    check test "$(main_of vortex@thru)" != "$first"
    first=$(main_of vortex@thru)
    expect 0 'vortex@thru' "$VORTEX" reload thru
    expect 0 'systemd unit vortex@thru' "$VORTEX" status thru
    agree vortex thru
    check has_property vortex@thru MainPID "$first"
    expect 0 'vortex@thru' "$VORTEX" stop thru
    ended vortex thru
    expect 3 inactive systemctl is-active vortex@thru
    expect 0 '' systemctl disable vortex@thru
    kept "supervise = $how: what_is_systemds_is_acted_on_through_systemd"
done
