#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Hostile users, namespaces and full disks, in mounts and namespaces of this test's own.
#
#   hostile.sh VORTEX AS-PID ALIVE CLAIM
#
# AS-PID: runs a program under a pid of choice. ALIVE: a server that does nothing. CLAIM: a program
# that links the library. Needs root; prints TAP.
set -u

VORTEX=$(realpath "$1") AS_PID=$(realpath "$2") ALIVE=$(realpath "$3") CLAIM=$(realpath "$4")
SELF=$(realpath "$0")
NOBODY=65534

# shellcheck source=tests/command/tap.sh
. "$(dirname "$SELF")/tap.sh"
alone -- "$SELF" "$@"

# ---- The bench --------------------------------------------------------------------------------

top=$(mktemp -d /tmp/vortex-hostile-XXXXXX)
mount -t tmpfs -o mode=0755 tmpfs "$top"
trap 'umount -l "$top"; rmdir "$top"' EXIT
cd "$top" || exit 1
dir=

AS_NOBODY=(setpriv "--reuid=$NOBODY" "--regid=$NOBODY" --clear-groups)

runs_as_nobody()
{
    grep -q "^Uid:.$NOBODY" "/proc/$1/status"
}

is_locked()
{
    grep -q "FLOCK.*:$(stat -c %i "$1") " /proc/locks
}

# ---- Users ------------------------------------------------------------------------------------

fresh
start_ok
check test "$(stat -c %a "$P.lock")" = 600
"${AS_NOBODY[@]}" flock --nonblock "$P.lock" true 2>/dev/null && problem+="nobody could lock\n"
expect 1 'already running' "$VORTEX" start -p "$P" -- "$ALIVE"
stop_ok
kept nobody_else_can_hold_the_lock

fresh
install -m 600 /dev/null "$P.lock"
chmod 666 "$P.lock"
"${AS_NOBODY[@]}" flock --nonblock --no-fork "$P.lock" "$ALIVE" &
holder=$!
eventually is_locked "$P.lock"
start_ok
expect 0 running "$VORTEX" status -p "$P"
stop_ok
end $holder
kept a_lock_that_others_could_open_does_not_block_a_start

fresh
chown $NOBODY "$dir"
alive
echo $bystander >"$P"
chown $NOBODY "$P"
expect 1 'invalid' "$VORTEX" status -p "$P"
expect 0 'not running' "$VORTEX" stop -p "$P"
check is_alive $bystander
echo $bystander >"$P"
chown $NOBODY "$P"
expect 7 'not running' "$VORTEX" reload -p "$P"
check is_alive $bystander
printf '[server]\nuser = %s\n' $NOBODY >"$dir/x.conf"
expect 0 started "$VORTEX" start -c "$dir/x.conf" -p "$P" -- "$ALIVE"
expect 0 running "$VORTEX" status -p "$P"
stop_ok
end $bystander
kept a_user_cannot_make_root_signal_a_process_of_root

fresh
chown $NOBODY "$dir"
alive "${AS_NOBODY[@]}"
eventually runs_as_nobody $bystander
echo $bystander >"$P"
chown $NOBODY "$P"
expect 0 'running' "$VORTEX" status -p "$P"
expect 0 'stopped' "$VORTEX" stop -p "$P"
end $bystander
kept a_users_pidfile_speaks_for_that_users_process

# In another user's directory, and where all may write, nothing would be believed of this server.
fresh
printf '[server]\nuser = %s\n' $NOBODY >"$dir/user.conf"
printf '[server]\nuser = %s\nsupervise = yes\n' $NOBODY >"$dir/supervised.conf"
mkdir "$dir/user" "$dir/open"
chown $NOBODY "$dir/user"
chmod 777 "$dir/open"
for place in user open; do
    for command in run start restart; do
        expect 1 'nothing is believed there' "$VORTEX" $command -p "$dir/$place/x.pid" -- "$ALIVE"
        expect 1 'nothing is believed there' "$VORTEX" $command -c "$dir/supervised.conf" \
            -p "$dir/$place/x.pid" -- "$ALIVE"
    done
    check test -z "$(ls "$dir/$place")"
done
expect 1 'nothing is believed there' "$VORTEX" start -c "$dir/user.conf" -p "$dir/open/x.pid" -- "$ALIVE"
expect 0 started "$VORTEX" start -c "$dir/user.conf" -p "$dir/user/x.pid" -- "$ALIVE"
expect 1 'nothing is believed there' "$VORTEX" restart -p "$dir/user/x.pid" -- "$ALIVE"
expect 0 running "$VORTEX" status -p "$dir/user/x.pid"
expect 0 restarted "$VORTEX" restart -c "$dir/user.conf" -p "$dir/user/x.pid" -- "$ALIVE"
expect 0 stopped "$VORTEX" stop -p "$dir/user/x.pid"
kept where_nothing_would_be_believed_of_a_server_none_is_started

# A directory's owner moves root's files of one instance to the names of another.
fresh
expect 0 started "$VORTEX" start -p "$dir/a.pid" -- "$ALIVE"
victim=$(cat "$dir/a.pid")
chown $NOBODY "$dir"
"${AS_NOBODY[@]}" mv "$dir/a.pid" "$P"
"${AS_NOBODY[@]}" mv "$dir/a.pid.state" "$P.state"
"${AS_NOBODY[@]}" mv "$dir/a.pid.lock" "$P.lock"
expect 4 "directory is another user's" "$VORTEX" status -p "$P"
expect 1 'lock is still held' "$VORTEX" signal -s KILL -p "$P"
check is_alive "$victim"
printf '[server]\nuser = %s\n' $NOBODY >"$dir/x.conf"
expect 0 started "$VORTEX" start -c "$dir/x.conf" -p "$P" -- "$ALIVE"
check test "$(cat "$P")" != "$victim"
stop_ok
check is_alive "$victim"
end "$victim"
kept renamed_files_of_root_neither_lead_to_a_signal_nor_block_a_start

fresh
alive
echo $bystander >"$P"
chmod 666 "$P"
expect 1 'others may write' "$VORTEX" status -p "$P"
expect 0 'not running' "$VORTEX" stop -p "$P"
check is_alive $bystander
end $bystander
kept a_pidfile_that_others_may_write_names_nobody

fresh
alive
echo $bystander >"$dir/other"
ln "$dir/other" "$P"
expect 1 'second name' "$VORTEX" status -p "$P"
expect 7 '' "$VORTEX" reload -p "$P"
check is_alive $bystander
start_ok
check test "$(cat "$dir/other")" = $bystander
stop_ok
end $bystander
kept a_hard_link_names_nobody_and_its_other_name_is_untouched

fresh
echo precious >"$dir/outside"
install -m 600 /dev/null "$P.lock"
inode=$(printf '%x' "$(stat -c %i "$P.lock")")
for f in x.pid x.pid.state "x.pid.$inode.new" "x.pid.state.$inode.new"; do ln -s "$dir/outside" "$dir/$f"; done
start_ok
check test "$(cat "$dir/outside")" = precious
check test ! -L "$P"
stop_ok
ln -s "$dir/outside" "$P.lock"
expect 1 'symbolic link' "$VORTEX" start -p "$P" -- "$ALIVE"
check test "$(cat "$dir/outside"):$(stat -c %a "$dir/outside")" = precious:644
kept symbolic_links_lead_nowhere

fresh
mkdir "$dir/real" "$dir/user"
chown $NOBODY "$dir/user"
ln -s "$dir/real" "$dir/user/link"
chown -h $NOBODY "$dir/user/link"
alive
echo $bystander >"$dir/real/x.pid"
P=$dir/user/link/x.pid
expect 1 'invalid' "$VORTEX" status -p "$P"
expect 0 'running' "$VORTEX" status -p "$dir/real/x.pid"
expect 7 '' "$VORTEX" signal -s KILL -p "$P"
check is_alive $bystander
end $bystander
kept a_parent_directory_that_is_a_users_link_makes_it_the_users

fresh
alive
mkfifo "$P.state"
echo $bystander >"$P"
expect 0 running "$VORTEX" status -p "$P"
end $bystander
start_ok
check test -f "$P.state"
stop_ok
kept a_state_file_that_is_a_fifo_hangs_nothing

fresh
start_ok
"$CLAIM" lease "$P.state" &
leaser=$!
eventually test -e "$P.state.leased"
expect 4 'busy' "$VORTEX" status -p "$P"
end $leaser
expect 0 running "$VORTEX" status -p "$P"
stop_ok
kept a_state_file_under_a_lease_hangs_nothing

fresh
mkdir -m 700 "$dir/private"
P=$dir/private/x.pid
start_ok
expect 4 'Permission denied' "${AS_NOBODY[@]}" "$VORTEX" status -p "$P"
expect 4 'Permission denied' "${AS_NOBODY[@]}" "$VORTEX" stop -p "$P"
stop_ok
kept who_may_not_look_is_told_so

fresh
start_ok
expect 1 "already running \(pid $(cat "$P")," "${AS_NOBODY[@]}" "$VORTEX" start -p "$P" -- true
stop_ok
expect 4 'Permission denied' "${AS_NOBODY[@]}" "$VORTEX" start -p "$P" -- true
kept a_start_over_another_users_server_is_told_that_it_runs

# ---- Processes --------------------------------------------------------------------------------

fresh
start_ok
pid=$(cat "$P")
end "$pid"
eventually is_dead "$pid"
"$AS_PID" "$pid" "$ALIVE" &
eventually is_alive "$pid"
expect 1 'stale' "$VORTEX" status -p "$P"
expect 7 'not running' "$VORTEX" reload -p "$P"
check is_alive "$pid"
start_ok
check test "$(cat "$P")" != "$pid"
stop_ok
check is_alive "$pid"
kill -KILL "$pid"
wait
kept a_reused_pid_is_stale_and_never_signalled

fresh
start_ok
pid=$(cat "$P")
end "$pid"
eventually is_dead "$pid"
rm "$P.state"
touch -d '-10 seconds' "$P"
"$AS_PID" "$pid" "$ALIVE" &
eventually is_alive "$pid"
expect 1 'younger than the pidfile' "$VORTEX" status -p "$P"
expect 0 'not running' "$VORTEX" stop -p "$P"
check is_alive "$pid"
start_ok
stop_ok
check is_alive "$pid"
kill -KILL "$pid"
wait
kept an_innocent_younger_than_the_pidfile_is_spared_without_a_state_too

fresh
# Once it is there, the kernel ends it with unshare, so that it can't keep the lock.
expect 0 started "$VORTEX" start -p "$P" -- \
    unshare --time --boottime 100000 --fork --kill-child sh -c "echo >'$dir/there'; exec '$ALIVE'"
eventually test -s "$dir/there"
expect 0 running "$VORTEX" status -p "$P"
expect 0 running unshare --time --boottime 50000 "$VORTEX" status -p "$P"
expect 1 'already running' unshare --time --boottime 50000 "$VORTEX" start -p "$P" -- "$ALIVE"
expect 0 stopped "$VORTEX" stop -s KILL -p "$P"
kept a_time_namespace_makes_nobody_stale

fresh
expect 0 started "$VORTEX" start -p "$P" -- "$ALIVE"
expect 0 running unshare --mount --propagation private sh -c "
    mount -t proc -o hidepid=2 proc /proc &&
    setpriv --reuid=$NOBODY --regid=$NOBODY --clear-groups '$VORTEX' status -p '$P'"
stop_ok
kept a_hidden_proc_makes_nobody_stale

fresh
without_proc()
{
    expect 0 '' unshare --mount --propagation private sh -c "
        mount -t tmpfs tmpfs /proc
        '$VORTEX' start -p '$P' -- '$ALIVE'"
    expect 4 'busy' "$VORTEX" status -p "$P"
    expect 1 'lock is still held' "$VORTEX" start -p "$P" -- "$ALIVE"
    expect 1 'lock is still held' "$VORTEX" stop -p "$P"
    end "$(cat "$P")"
}
if grep -q __asan_init "$VORTEX"; then
    kept 'a_server_started_without_proc_is_never_stale # SKIP its sanitizer needs /proc'
else
    without_proc
    kept a_server_started_without_proc_is_never_stale
fi

# ---- Namespaces -------------------------------------------------------------------------------

fresh
expect 0 '' unshare --pid --fork --mount-proc sh -c "
    '$VORTEX' run -p '$P' -- '$ALIVE' &
    until [ -s '$P.state' ]; do sleep 0.005; done; kill -KILL \$(cat '$P'); wait"
check test -e "$P.state"
# the container is gone; its server's number is somebody's here
number=$(cat "$P")
if is_dead "$number"; then "$AS_PID" "$number" "$ALIVE" & fi
eventually is_alive "$number"
expect 1 'stale' "$VORTEX" status -p "$P"
start_ok
stop_ok
check is_alive "$number"
kill -KILL "$number"
kept a_volume_of_a_restarted_container_is_stale

fresh
unshare --pid --fork --kill-child --mount-proc "$VORTEX" run -p "$P" -- "$ALIVE" &
container=$!
eventually test -s "$P.state"
expect 4 'busy' "$VORTEX" status -p "$P"
expect 1 'cannot start' "$VORTEX" start -p "$P" -- "$ALIVE"
rm "$P"
expect 1 'cannot start' "$VORTEX" start -p "$P" -- "$ALIVE"
rm "$P.lock"
expect 1 'cannot start' "$VORTEX" start -p "$P" -- "$ALIVE"
end $container
kept a_server_in_another_pid_namespace_keeps_its_directory

fresh
start_ok
pid=$(cat "$P")
sed -i 's/^boot=.*/boot=00000000-0000-0000-0000-000000000000/' "$P.state"
"$VORTEX" status -p "$P" >/dev/null # by the lock it lives: running, or busy where pidfs is missing
check test $? -ne 1
end "$pid"
eventually is_dead "$pid"
"$AS_PID" "$pid" "$ALIVE" &
eventually is_alive "$pid"
expect 1 'before the last boot' "$VORTEX" status -p "$P"
start_ok
stop_ok
check is_alive "$pid"
kill -KILL "$pid"
wait
kept a_pidfile_from_before_a_reboot_is_stale

# ---- The disk ---------------------------------------------------------------------------------

fresh
mkdir "$dir/small"
mount -t tmpfs -o size=64k tmpfs "$dir/small"
P=$dir/small/x.pid
echo 999999 >"$P"
dd if=/dev/zero of="$dir/small/fill" bs=4k count=64 2>/dev/null
expect 1 'No space left' "$VORTEX" start -p "$P" -- "$ALIVE"
check test "$(cat "$P")" = 999999
check test "$(echo "$dir"/small/*)" = "$dir/small/fill $P"
rm "$dir/small/fill"
start_ok
stop_ok
umount "$dir/small"
kept a_full_disk_is_an_error_and_leaves_the_old_file

fresh
mkdir "$dir/ro"
mount -t tmpfs tmpfs "$dir/ro"
P=$dir/ro/x.pid
echo 999999 >"$P"
mount -o remount,ro "$dir/ro"
expect 1 'Read-only' "$VORTEX" start -p "$P" -- "$ALIVE"
expect 1 'stale' "$VORTEX" status -p "$P"
umount "$dir/ro"
kept a_read_only_directory_is_an_error

fresh
check "$CLAIM" readers "$P" 3000
kept a_reader_beside_many_writes_sees_all_or_nothing

fresh
check "$CLAIM" child "$P"
kept a_forked_childs_unlock_leaves_the_parents_lock

fresh
check "$CLAIM" removals "$P" 200
kept rm_at_any_moment_never_makes_two_owners

finish
