# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Start, stop, reload, and what systemd is told.
# shellcheck disable=SC2154 # cases.sh sets it

for T in vortex forking; do
    promise
    instance late '[server]' 'command = server --listen 8101 --after 2000' \
        '[ready]' 'when = tcp:127.0.0.1:8101'
    took_at_least 2000 systemctl start $T@late
    check serves 8101
    agree $T late
    expect 0 active systemctl is-active $T@late
    expect 0 '' systemctl stop $T@late
    ended $T late
    kept "$T: a_start_blocks_until_the_server_serves"

    promise
    drop_in $T@never Restart=no
    instance never '[server]' 'command = server --after 3600000 --listen 8102' \
        '[ready]' 'when = tcp:127.0.0.1:8102' 'timeout = 1s'
    expect 1 'failed' systemctl start $T@never
    expect 3 failed systemctl is-active $T@never
    check grep -q 'not ready\|8102' <<<"$(journal -u $T@never)"
    ended $T never
    kept "$T: a_start_that_takes_too_long_fails_and_leaves_nothing"

    promise
    drop_in $T@fails Restart=no
    instance fails '[server]' 'command = server --after 300 --exit 7'
    expect 0 '' systemctl start $T@fails
    eventually has_property $T@fails ActiveState failed
    expect 3 'status=7' systemctl status $T@fails
    check has_property $T@fails MainPID 0
    ended $T fails
    kept "$T: a_failing_servers_exit_status_is_systemds"

    promise
    instance one '[server]' 'command = server --listen 8103'
    expect 0 '' systemctl start $T@one
    agree $T one
    first=$(main_of $T@one)
    check test "$(readlink "/proc/$first/exe")" = /usr/local/bin/server
    expect 0 '' systemctl restart $T@one
    agree $T one
    check test "$(main_of $T@one)" != "$first"
    expect 0 '' systemctl stop $T@one
    ended $T one
    expect 0 '' systemctl stop $T@one
    kept "$T: an_executed_server_is_the_main_process"

    promise
    instance watched '[server]' 'command = server --listen 8104' 'supervise = yes'
    expect 0 '' systemctl start $T@watched
    agree $T watched
    check test "$(readlink "/proc/$(main_of $T@watched)/exe")" = "$VORTEX"
    check grep -q "^cgroup=.*/$T@watched.service/vortex-watched" /run/vortex/watched.pid.state
    expect 0 '' systemctl restart $T@watched
    agree $T watched
    expect 0 '' systemctl stop $T@watched
    ended $T watched
    check test -z "$(compgen -G '/run/vortex/watched.*')"
    kept "$T: a_supervisor_is_the_main_process"
done

promise
drop_in vortex@fails Restart=no
instance fails '[server]' 'command = server --exit 9 --after 100' '[ready]' 'when = tcp:127.0.0.1:8101'
expect 1 failed systemctl start vortex@fails
expect 3 'status=9' systemctl status vortex@fails
ended vortex fails
kept a_server_that_fails_before_it_is_ready_fails_the_start_with_its_status

promise
drop_in vortex@mistake Restart=no
instance mistake '[server]' 'comand = server'
expect 1 failed systemctl start vortex@mistake
check grep -q "mistake.conf:2: unknown key 'comand'" <<<"$(journal -u vortex@mistake)"
expect 3 'status=6' systemctl status vortex@mistake
kept a_mistake_in_the_configuration_is_in_the_journal

# ---- What the server itself tells ----------------------------------------------------------------

for T in vortex forking; do
    promise
    instance told '[server]' 'command = server --notify --listen 8105 --reload 1500 --after 500' \
        '[ready]' 'when = notify'
    took_at_least 500 systemctl start $T@told
    expect 0 'serving, not reloaded' systemctl status $T@told
    agree $T told
    for n in 1 2 3 4; do
        took_at_least 1500 systemctl reload $T@told
        eventually has_property $T@told StatusText "ready: serving, reloaded $n times"
        agree $T told
    done
    kept "$T: a_reload_blocks_until_the_server_is_ready_again_time_after_time"

    promise
    systemctl reload --no-block $T@told
    eventually has_property $T@told ActiveState reloading
    eventually has_property $T@told ActiveState active
    eventually has_property $T@told StatusText 'ready: serving, reloaded 5 times'
    agree $T told
    expect 0 '' systemctl stop $T@told
    ended $T told
    kept "$T: a_reload_is_seen_as_one"

    promise
    instance wrong '[server]' 'command = server --listen 8108' \
        '[ready]' 'when = tcp:127.0.0.1:8108' '[reload]' 'command = false'
    expect 0 '' systemctl start $T@wrong
    main=$(main_of $T@wrong)
    expect 1 failed systemctl reload $T@wrong
    check has_property $T@wrong MainPID "$main"
    check serves 8108
    agree $T wrong
    expect 0 '' systemctl stop $T@wrong
    ended $T wrong
    kept "$T: a_reload_that_fails_is_said_and_the_server_goes_on"
done

for T in vortex forking; do
    promise
    drop_in $T@slow TimeoutStartSec=3
    instance slow '[server]' 'command = server --listen 8106 --after 5000' \
        '[ready]' 'when = tcp:127.0.0.1:8106' 'timeout = 60s'
    took_at_least 5000 systemctl start $T@slow
    agree $T slow
    expect 0 '' systemctl stop $T@slow
    ended $T slow
    kept "$T: a_slow_start_is_given_more_time_than_the_unit_says"

    promise
    drop_in $T@ends TimeoutStopSec=2
    instance ends '[server]' "command = sh -c 'trap \"\" TERM; while sleep 1; do :; done'" \
        '[stop]' 'sequence = TERM 5s, KILL 1s'
    expect 0 '' systemctl start $T@ends
    took_at_least 5000 systemctl stop $T@ends
    ended $T ends
    check has_property $T@ends Result success
    kept "$T: a_slow_stop_is_given_more_time_than_the_unit_says"
done

promise
for T in vortex forking; do
    drop_in $T@asks-$T TimeoutStartSec=5
    instance asks-$T '[server]' 'command = server --notify --extend --after 20000' \
        '[ready]' 'when = notify' 'timeout = 5s'
done
took_at_least 20000 systemctl start vortex@asks-vortex forking@asks-forking
for T in vortex forking; do
    agree $T asks-$T
    expect 0 '' systemctl stop $T@asks-$T
    ended $T asks-$T
done
kept a_server_that_asks_for_it_has_twenty_seconds_where_the_unit_gives_five

# ---- A socket of systemd's ----------------------------------------------------------------------

for how in no yes; do
    promise
    instance "sock-$how" '[server]' 'command = server --inherited' "supervise = $how"
    printf '%s\n' '[Socket]' ListenStream=127.0.0.1:8107 \
        >"/run/systemd/system/vortex@sock-$how.socket"
    systemctl daemon-reload
    expect 0 '' systemctl start "vortex@sock-$how.socket"
    expect 3 inactive systemctl is-active "vortex@sock-$how"
    exec 9<>/dev/tcp/127.0.0.1/8107
    printf 'GET / HTTP/1.0\r\n\r\n' >&9
    check test "$(timeout 60 cat <&9 | tail -n 1)" = ok
    exec 9>&-
    agree vortex "sock-$how"
    expect 0 '' systemctl stop "vortex@sock-$how.socket" "vortex@sock-$how"
    ended vortex "sock-$how"
    kept "supervise = $how: a_server_gets_the_socket_that_started_it"
done
