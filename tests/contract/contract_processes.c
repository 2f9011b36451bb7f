/* SPDX-License-Identifier: Apache-2.0 */
/* Processes: pinned, told apart, younger or older than a file. */
#include "contract.h"

/* ---- Pinning ----------------------------------------------------------------------------- */

static void
a_process_knows_its_own_number(void **state)
{
    int result;
    int64_t pid = scene_fork(act_self, "", &result);

    (void)state;
    assert_int_equal(result, pid);
    assert_int_not_equal(os_self(), pid);
    assert_int_equal(try_hold(os_self()), 0);
}

static void
a_released_hold_is_the_empty_value_and_the_process_lives_on(void **state)
{
    int64_t pid = child();
    struct os_hold hold = hold_of(pid);

    (void)state;
    os_process_release(&hold);
    assert_int_equal(hold.handle, OS_NONE);
    os_process_release(&hold);
    assert_int_equal(hold.handle, OS_NONE);
    assert_int_equal(try_hold(pid), 0);
}

static void
a_number_that_nobody_has_is_not_held(void **state)
{
    struct os_hold hold = {77, 78};
    int64_t pid = child();

    (void)state;
    assert_int_equal(try_hold(pid), 0);
    scene_kill(pid);
    scene_reap(pid);
    assert_int_equal(os_process_hold(pid, &hold), -ESRCH);
    assert_int_equal(hold.pid, 77);
    assert_int_equal(hold.handle, 78);
}

static void
what_is_no_pid_is_not_held(void **state)
{
    (void)state;
    assert_int_equal(try_hold(0), -ESRCH);
    assert_int_equal(try_hold(-1), -ESRCH);
    assert_int_equal(try_hold(-os_self()), -ESRCH);
    assert_int_equal(try_hold(INT64_MAX), -ESRCH);
    assert_int_equal(try_hold(INT64_MIN), -ESRCH);
    assert_int_equal(try_hold(INT64_C(4294967296) + os_self()), -ESRCH);
}

static void
a_zombie_is_dead(void **state)
{
    int64_t pid = child();
    struct os_hold before = hold_of(pid);

    (void)state;
    need_proof();
    scene_kill(pid);
    assert_int_equal(try_hold(pid), -ESRCH);
    assert_int_equal(os_process_wait(&before, -1), 0);
    assert_int_equal(os_process_wait(&before, 0), 0);
    os_process_release(&before);
}

static void
a_process_whose_main_thread_has_ended_lives(void **state)
{
    int64_t pid = scene_fork_headless();
    struct os_hold hold = hold_of(pid);

    (void)state;
    assert_int_equal(os_process_wait(&hold, 0), -ETIMEDOUT);
    scene_kill(pid);
    if (os_identity_is_proof())
        assert_int_equal(os_process_wait(&hold, -1), 0);
    os_process_release(&hold);
}

static void
a_number_that_is_only_a_threads_is_not_held(void **state)
{
    (void)state;
    need_proof();
    assert_int_equal(try_hold(scene_thread()), -ESRCH);
}

/* ---- Identity ---------------------------------------------------------------------------- */

static void
a_process_is_the_same_as_itself(void **state)
{
    int64_t pid = child();
    struct os_hold hold = hold_of(pid);
    struct os_identity known = identity_of_process(pid);

    (void)state;
    assert_int_equal(os_process_compare(&hold, &known), OS_SAME);
    known.pidfd_inode = 0; /* an older kernel wrote it */
    assert_int_equal(os_process_compare(&hold, &known), OS_SAME);
    os_process_release(&hold);
}

static void
another_start_or_pidfd_is_another_process(void **state)
{
    int64_t pid = child();
    struct os_hold hold = hold_of(pid);
    struct os_identity known = identity_of_process(pid), changed;

    (void)state;
    need_proof();
    changed = known;
    changed.pidfd_inode = 0;
    changed.start++;
    assert_int_equal(os_process_compare(&hold, &changed), OS_OTHER);
    if (known.pidfd_inode != 0) {
        changed = known;
        changed.pidfd_inode++;
        assert_int_equal(os_process_compare(&hold, &changed), OS_OTHER);
        changed = known;
        changed.start++; /* a time namespace shifts it: the inode is asked first */
        assert_int_equal(os_process_compare(&hold, &changed), OS_SAME);
    }
    os_process_release(&hold);
}

/* ---- Age --------------------------------------------------------------------------------- */

static int
younger(int64_t pid, const char *name)
{
    struct os_dir dir = open_scene();
    struct os_hold hold = hold_of(pid);
    struct os_file file;
    char buf[4];
    size_t length;
    int r;

    assert_int_equal(os_file_read(&dir, name, buf, sizeof(buf), &length, &file), 0);
    r = os_process_is_younger(&hold, &dir, &file);
    os_process_release(&hold);
    os_dir_close(&dir);
    if (r == -ENODATA && !scene_has_steady_clock())
        skip();
    return r;
}

static void
a_process_born_long_after_the_file_is_younger(void **state)
{
    int64_t pid = child();

    (void)state;
    need_proof(); /* -Dos=posix knows only the boot */
    scene_write("f", "1", 0644);
    scene_set_age("f", 60);
    assert_int_equal(younger(pid, "f"), 1);
}

static void
a_process_born_before_the_file_is_not_younger(void **state)
{
    int64_t pid = child();

    (void)state;
    scene_write("f", "1", 0644);
    assert_int_equal(younger(pid, "f"), 0);
}

static void
within_two_seconds_nobody_is_younger(void **state)
{
    int64_t pid = child();

    (void)state;
    scene_write("f", "1", 0644);
    scene_set_age("f", 1);
    assert_int_equal(younger(pid, "f"), 0);
}

static void
a_file_from_the_future_shows_that_the_clock_was_stepped(void **state)
{
    struct os_dir dir = open_scene();
    struct os_hold hold = hold_of(os_self());
    struct os_file file;
    char buf[4];
    size_t length;

    (void)state;
    need_proof();
    scene_write("f", "1", 0644);
    scene_set_age("f", -3600);
    assert_int_equal(os_file_read(&dir, "f", buf, sizeof(buf), &length, &file), 0);
    assert_int_equal(os_process_is_younger(&hold, &dir, &file), -ENODATA);
    os_process_release(&hold);
    os_dir_close(&dir);
}

int
contract_processes(void)
{
    const struct CMUnitTest promises[] = {
        PROMISE(a_process_knows_its_own_number),
        PROMISE(a_released_hold_is_the_empty_value_and_the_process_lives_on),
        PROMISE(a_number_that_nobody_has_is_not_held),
        PROMISE(what_is_no_pid_is_not_held),
        PROMISE(a_zombie_is_dead),
        PROMISE(a_process_whose_main_thread_has_ended_lives),
        PROMISE(a_number_that_is_only_a_threads_is_not_held),
        PROMISE(a_process_is_the_same_as_itself),
        PROMISE(another_start_or_pidfd_is_another_process),
        PROMISE(a_process_born_long_after_the_file_is_younger),
        PROMISE(a_process_born_before_the_file_is_not_younger),
        PROMISE(within_two_seconds_nobody_is_younger),
        PROMISE(a_file_from_the_future_shows_that_the_clock_was_stepped),
    };

    return cmocka_run_group_tests_name("processes", promises, NULL, NULL);
}
