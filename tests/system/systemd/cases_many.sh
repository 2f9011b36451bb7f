# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Many instances, many starts, other users, foreign pidfiles, and what systemd's tools say of the units.
# shellcheck disable=SC2154 # cases.sh sets it

promise
for n in {1..10}; do
    instance "ten$n" '[server]' "command = server --listen 83$((n + 10))"
done
expect 0 '' systemctl start vortex@ten{1..10}
for n in {1..10}; do
    agree vortex "ten$n"
done
expect 0 '' systemctl stop vortex@ten4
ended vortex ten4
for n in 1 2 3 5 6 7 8 9 10; do
    agree vortex "ten$n"
done
check test "$(stat -c '%a %U %G' /run/vortex)" = '1775 root vortex'
expect 0 '' systemctl restart vortex@ten{1..10}
for n in {1..10}; do
    agree vortex "ten$n"
done
expect 0 '' systemctl stop vortex@ten{1..10}
kept ten_instances_go_on_when_one_is_stopped

promise
drop_in vortex@other1 "${as_root[@]}"
drop_in vortex@other2 "${as_nobody[@]}"
instance other1 '[server]' 'command = server --listen 8301' 'supervise = yes'
instance other2 '[server]' 'command = server --listen 8302' 'supervise = yes'
instance other3 '[server]' 'command = server --listen 8303' 'supervise = yes'
expect 0 '' systemctl start vortex@other{1,2,3}
for n in 1 2 3; do
    agree vortex other$n
done
check test "$(stat -c %U /run/vortex/other{1,2,3}.pid | paste -sd' ')" = 'root nobody vortex'
expect 0 '' systemctl restart vortex@other{3,1,2}
for n in 1 2 3; do
    agree vortex other$n
done
expect 0 '' systemctl stop vortex@other{1,2,3}
ended vortex other2
kept instances_of_several_users_share_the_runtime_directory

promise
expect 0 '' systemctl start vortex
check test "$(main_of vortex)" = "$(cat /run/vortex/vortex.pid)"
expect 0 'running' "$VORTEX" status
expect 0 '' systemctl reload vortex
expect 0 '' systemctl stop vortex
check test ! -e /run/vortex/vortex.pid
kept the_default_instance_needs_no_configuration

# ---- Foreign pidfiles ---------------------------------------------------------------------------

# Of what systemd would believe: a process which is not the unit's, by a file of root's.
sleep infinity &
stranger=$!
for T in vortex forking; do
    for how in vortex root; do
        promise
        unit=$T@foreign-$how
        instance "foreign-$how" '[server]' 'command = server --listen 8304' 'supervise = yes'
        [ $how = vortex ] || drop_in "$unit" "${as_root[@]}" 'ReadWritePaths=/run/vortex'
        for content in $stranger 1 $((2 ** 32 + stranger)) '' 'garbage'; do
            echo "$content" >"/run/vortex/foreign-$how.pid"
            chown $how: "/run/vortex/foreign-$how.pid"
            touch -d '1 hour ago' "/run/vortex/foreign-$how.pid"
            expect 0 '' systemctl start "$unit"
            agree $T "foreign-$how"
            expect 0 '' systemctl stop "$unit"
            ended $T "foreign-$how"
        done
        echo $stranger >/run/stranger.pid
        ln -s /run/stranger.pid "/run/vortex/foreign-$how.pid"
        chown -h $how: "/run/vortex/foreign-$how.pid"
        expect 0 '' systemctl start "$unit"
        agree $T "foreign-$how"
        expect 0 '' systemctl stop "$unit"
        check test "$(cat /run/stranger.pid)" = $stranger
        check is_alive $stranger
        check test -z "$(journal | grep -F 'unsafe symlink')"
        kept "$T, $how: a_foreign_pidfile_is_replaced_and_its_process_left_alone"
    done
done

# One that lives and is older than the file may be the server, so nothing is started over it.
promise
drop_in forking@older Restart=no "${as_root[@]}"
instance older '[server]' 'command = server --listen 8305'
echo $stranger >/run/vortex/older.pid
expect 1 failed systemctl start forking@older
check has_property forking@older MainPID 0
check grep -q "already running (pid $stranger" <<<"$(journal -u forking@older)"
check is_alive $stranger
rm -f /run/vortex/older.pid
kept a_stranger_is_not_adopted_from_a_pidfile_and_not_killed
end $stranger

# ---- Two hundred starts -------------------------------------------------------------------------

# starts UNIT NAME: how many of 200 did not come to agree.
starts()
{
    local bad=0 n main
    for ((n = 0; n < 200; n++)); do
        systemctl start "$1@$2" && main=$(main_of "$1@$2") && [ "$main" -gt 1 ] &&
            [ "$(cat "/run/vortex/$2.pid")" = "$main" ] &&
            systemctl stop "$1@$2" && [ ! -e "/run/vortex/$2.pid" ] || bad=$((bad + 1))
    done
    echo $bad
}

promise
starts_limit=(StartLimitIntervalSec=0)
for name in rows rowr; do
    mkdir -p "/run/systemd/system/forking@$name.service.d"
    printf '%s\n' '[Unit]' "${starts_limit[@]}" >"/run/systemd/system/forking@$name.service.d/limit.conf"
done
drop_in forking@rowr "${as_root[@]}"
instance rows '[server]' 'command = server --listen 8306'
instance rowr '[server]' 'command = server --listen 8307' 'supervise = yes'
starts forking rows >"$dir/rows" &
starts forking rowr >"$dir/rowr"
wait $!
check test "$(cat "$dir/rows")" = 0
check test "$(cat "$dir/rowr")" = 0
said=$(journal)
for words in 'PID file' 'not our child' 'does not belong' 'unsafe'; do
    [[ $said != *"$words"* ]] || problem+="the journal: $(grep -m 1 -F "$words" <<<"$said")\n"
done
kept two_hundred_starts_in_a_row_with_and_without_user

# ---- A user's own -------------------------------------------------------------------------------

as_user=(setpriv --reuid 4711 --regid 4711 --clear-groups env HOME=/home/anna USER=anna
    XDG_RUNTIME_DIR=/run/user/4711)

promise
echo 'u anna 4711 Anna /home/anna /bin/bash' | systemd-sysusers - 2>/dev/null
install -d -o 4711 -g 4711 /home/anna{,/.config,/.config/vortex}
printf '%s\n' '[server]' 'command = server --listen 8308' 'supervise = yes' \
    >/home/anna/.config/vortex/web.conf
expect 0 '' systemctl start user@4711.service
expect 0 '' "${as_user[@]}" systemctl --user start vortex@web
main=$("${as_user[@]}" systemctl --user show --value -p MainPID vortex@web)
check test "$(cat /home/anna/.local/state/vortex/web.pid)" = "$main"
expect 0 "running"$'\n'" *pid +$main"$'\n' "${as_user[@]}" "$VORTEX" status web
expect 0 '' "${as_user[@]}" systemctl --user reload vortex@web
expect 0 '' "${as_user[@]}" systemctl --user restart vortex@web
expect 0 "running" "${as_user[@]}" "$VORTEX" status web
expect 0 '' "${as_user[@]}" systemctl --user stop vortex@web
expect 3 'not running' "${as_user[@]}" "$VORTEX" status web
expect 0 '' systemctl stop user@4711.service
kept a_user_has_instances_of_its_own

# ---- What systemd says of the units -------------------------------------------------------------

promise
# There is no man here which it could ask for the pages.
printf '#!/bin/sh\n' >/usr/local/bin/man
chmod +x /usr/local/bin/man
for unit in vortex.service vortex@x.service forking.service forking@x.service; do
    expect 0 '^$' systemd-analyze verify --man=yes "$unit"
done
expect 0 '^$' env "XDG_RUNTIME_DIR=$dir" systemd-analyze verify --user vortex@x.service
kept systemd_analyze_has_nothing_to_say_of_the_units

promise
for unit in vortex vortex@x forking@x; do
    expect 0 'Overall exposure level' \
        systemd-analyze security --no-pager --offline=yes --threshold=20 "$unit.service"
    systemd-analyze security --no-pager --offline=yes "$unit.service" | grep Overall | sed 's/^/# /'
done
kept the_exposure_level_is_below_two

promise
check test -z "$(systemctl --failed --no-legend --plain | grep -v '@\(fails\|never\|mistake\|older\|hand\)')"
kept nothing_else_has_failed
