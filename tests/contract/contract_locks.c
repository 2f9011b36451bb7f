/* SPDX-License-Identifier: Apache-2.0 */
/* The lock: "I am changing these files", "I live", and who lets go when. */
#include "contract.h"

/* ---- Opening ----------------------------------------------------------------------------- */

static void
a_missing_lock_is_made_only_on_request(void **state)
{
    struct os_dir dir = open_scene();
    struct os_lock lock;

    (void)state;
    assert_int_equal(os_lock_open(&dir, "l", false, &lock, NULL), -ENOENT);
    assert_false(scene_exists("l"));
    assert_int_equal(os_lock_open(&dir, "l", true, &lock, NULL), 0);
    assert_true(lock.made);
    assert_true(scene_holds("l", ""));
    assert_true(is_same(lock.id, identity_of("l")));
    os_lock_close(&lock);
    assert_int_equal(os_lock_open(&dir, "l", true, &lock, NULL), 0);
    assert_false(lock.made);
    os_lock_close(&lock);
    assert_int_equal(os_lock_open(&dir, "l", false, &lock, NULL), 0);
    assert_false(lock.made);
    os_lock_close(&lock);
    os_dir_close(&dir);
}

static void
a_closed_lock_is_the_empty_value(void **state)
{
    struct os_lock lock = open_lock("l");

    (void)state;
    os_lock_close(&lock);
    assert_int_equal(lock.handle, OS_NONE);
    os_lock_close(&lock);
    assert_int_equal(lock.handle, OS_NONE);
}

static void
a_lock_has_mode_0600_whatever_the_umask(void **state)
{
    (void)state;
    need_trusted_way();
    scene_umask(0);
    assert_int_equal(try_lock("l", true), 0);
    assert_int_equal(scene_mode("l"), 0600);
    scene_umask(0377);
    assert_int_equal(try_lock("m", true), 0);
    assert_int_equal(scene_mode("m"), 0600);
}

static void
on_a_users_way_the_mode_of_what_stands_there_is_not_touched(void **state)
{
    struct os_dir dir;
    struct os_lock lock;
    bool trusted = true;

    (void)state;
    need_users();
    scene_mkdir("home", 0755);
    scene_write("home/l", "another file of ours, moved here", 0644);
    scene_chown("home", SCENE_USER);
    dir = open_in_scene("home");
    assert_int_equal(os_lock_open(&dir, "l", true, &lock, &trusted), 0);
    assert_false(trusted);
    assert_int_equal(scene_mode("home/l"), 0644);
    os_lock_close(&lock);
    os_dir_close(&dir);
}

static void
ones_own_lock_is_trusted(void **state)
{
    struct os_dir dir = open_scene();
    struct os_lock lock;
    bool trusted = false;
    bool way = dir.speaker.scope == OS_SPEAKS_FOR_ALL;

    (void)state;
    assert_int_equal(os_lock_open(&dir, "l", true, &lock, &trusted), 0);
    assert_int_equal(trusted, way);
    os_lock_close(&lock);
    assert_int_equal(os_lock_open(&dir, "l", true, &lock, &trusted), 0);
    assert_int_equal(trusted, way);
    os_lock_close(&lock);
    os_dir_close(&dir);
}

static void
anothers_lock_is_not_trusted(void **state)
{
    struct os_dir dir = open_scene();
    struct os_lock lock;
    bool trusted = true;

    (void)state;
    need_users();
    scene_write("l", "", 0600);
    scene_chown("l", SCENE_USER);
    assert_int_equal(os_lock_open(&dir, "l", true, &lock, &trusted), 0);
    assert_false(trusted);
    os_lock_close(&lock);
    os_dir_close(&dir);
}

static void
a_lock_on_a_users_way_is_not_trusted(void **state)
{
    struct os_dir dir;
    struct os_lock lock;
    bool trusted = true;

    (void)state;
    need_users();
    scene_mkdir("home", 0755);
    scene_chown("home", SCENE_USER);
    dir = open_in_scene("home");
    assert_int_equal(os_lock_open(&dir, "l", true, &lock, &trusted), 0);
    assert_false(trusted);
    os_lock_close(&lock);
    os_dir_close(&dir);
}

static void
what_is_no_regular_file_with_one_name_is_no_lock(void **state)
{
    (void)state;
    scene_symlink("elsewhere", "dangling");
    scene_write("f", "", 0600);
    scene_symlink("f", "link");
    scene_mkdir("d", 0755);
    scene_fifo("fifo");
    assert_int_equal(try_lock("dangling", true), -ELOOP);
    assert_false(scene_exists("elsewhere"));
    assert_int_equal(try_lock("link", true), -ELOOP);
    assert_int_equal(try_lock("d", true), -EISDIR);
    assert_int_equal(try_lock("fifo", true), -EMEDIUMTYPE);
    scene_link("f", "second");
    assert_int_equal(try_lock("f", true), -EMLINK);
}

static void
a_lock_that_may_not_be_opened_is_refused(void **state)
{
    int result;

    (void)state;
    need_users();
    assert_int_equal(try_lock("l", true), 0);
    scene_fork_as(SCENE_USER, SCENE_USER, act_open_lock, "l", &result);
    assert_int_equal(result, -EACCES);
    scene_fork_as(SCENE_USER, SCENE_USER, act_open_lock, "new", &result);
    assert_int_equal(result, -EACCES);
}

/* ---- Claiming and taking ----------------------------------------------------------------- */

static void
one_claims_at_a_time(void **state)
{
    struct os_lock mine = open_lock("l"), other = open_lock("l");

    (void)state;
    need_proof(); /* -Dos=posix: there is no claim */
    assert_int_equal(os_lock_claim(&mine), 0);
    assert_int_equal(os_lock_claim(&mine), 0);
    assert_int_equal(os_lock_claim(&other), -EWOULDBLOCK);
    assert_int_equal(os_lock_unclaim(&mine), 0);
    assert_int_equal(os_lock_claim(&other), 0);
    assert_int_equal(os_lock_claim(&mine), -EWOULDBLOCK);
    os_lock_close(&other);
    assert_int_equal(os_lock_claim(&mine), 0);
    os_lock_close(&mine);
}

static void
letting_go_of_no_claim_is_fine(void **state)
{
    struct os_lock lock = open_lock("l"), other = open_lock("l");

    (void)state;
    need_proof();
    assert_int_equal(os_lock_unclaim(&lock), 0);
    assert_int_equal(os_lock_claim(&other), 0);
    assert_int_equal(os_lock_unclaim(&lock), 0);
    assert_int_equal(os_lock_claim(&lock), -EWOULDBLOCK);
    os_lock_close(&other);
    os_lock_close(&lock);
}

static void
one_lives_at_a_time(void **state)
{
    struct os_lock mine = open_lock("l"), other = open_lock("l");

    (void)state;
    assert_int_equal(os_lock_take(&mine), 0);
    assert_int_equal(os_lock_take(&mine), 0);
    assert_int_equal(os_lock_take(&other), -EWOULDBLOCK);
    os_lock_close(&mine);
    assert_int_equal(os_lock_take(&other), 0);
    os_lock_close(&other);
}

static void
a_claim_and_a_life_do_not_exclude_each_other(void **state)
{
    struct os_lock mine = open_lock("l"), other = open_lock("l");

    (void)state;
    assert_int_equal(os_lock_take(&mine), 0);
    assert_int_equal(os_lock_claim(&other), 0);
    assert_int_equal(os_lock_unclaim(&other), 0);
    assert_int_equal(os_lock_claim(&mine), 0);
    assert_int_equal(os_lock_unclaim(&mine), 0);
    assert_int_equal(os_lock_take(&other), -EWOULDBLOCK);
    os_lock_close(&mine);
    os_lock_close(&other);
}

static void
locks_on_different_files_do_not_meet(void **state)
{
    struct os_lock mine = open_lock("l"), other = open_lock("m");

    (void)state;
    assert_int_equal(os_lock_take(&mine), 0);
    assert_int_equal(os_lock_claim(&mine), 0);
    assert_int_equal(os_lock_take(&other), 0);
    assert_int_equal(os_lock_claim(&other), 0);
    os_lock_close(&mine);
    os_lock_close(&other);
}

static void
another_process_is_excluded_too(void **state)
{
    struct os_lock lock = open_lock("l");
    int result;

    (void)state;
    need_proof();
    assert_int_equal(os_lock_take(&lock), 0);
    assert_int_equal(os_lock_claim(&lock), 0);
    scene_fork(act_take, "l", &result);
    assert_int_equal(result, -EWOULDBLOCK);
    scene_fork(act_claim, "l", &result);
    assert_int_equal(result, -EWOULDBLOCK);
    os_lock_close(&lock);
}

static void
a_killed_holder_lets_go(void **state)
{
    struct os_lock lock = open_lock("l");
    int64_t holder, claimer;
    int result;

    (void)state;
    need_proof();
    holder = scene_fork(act_take, "l", &result);
    assert_int_equal(result, 0);
    claimer = scene_fork(act_claim, "l", &result);
    assert_int_equal(result, 0);
    assert_int_equal(os_lock_take(&lock), -EWOULDBLOCK);
    assert_int_equal(os_lock_claim(&lock), -EWOULDBLOCK);
    scene_kill(holder); /* before it is reaped */
    assert_int_equal(os_lock_take(&lock), 0);
    scene_kill(claimer);
    assert_int_equal(os_lock_claim(&lock), 0);
    os_lock_close(&lock);
}

static void
opening_and_closing_the_file_elsewhere_lets_go_of_nothing(void **state)
{
    struct os_lock lock = open_lock("l"), other;

    (void)state;
    need_proof();
    assert_int_equal(os_lock_take(&lock), 0);
    assert_int_equal(os_lock_claim(&lock), 0);
    assert_int_equal(try_lock("l", true), 0);
    assert_int_equal(ask("l"), OS_LOCK_HELD);
    other = open_lock("l");
    assert_int_equal(os_lock_take(&other), -EWOULDBLOCK);
    assert_int_equal(os_lock_claim(&other), -EWOULDBLOCK);
    os_lock_close(&other);
    os_lock_close(&lock);
}

int
contract_locks(void)
{
    const struct CMUnitTest promises[] = {
        PROMISE(a_missing_lock_is_made_only_on_request),
        PROMISE(a_closed_lock_is_the_empty_value),
        PROMISE(a_lock_has_mode_0600_whatever_the_umask),
        PROMISE(on_a_users_way_the_mode_of_what_stands_there_is_not_touched),
        PROMISE(ones_own_lock_is_trusted),
        PROMISE(anothers_lock_is_not_trusted),
        PROMISE(a_lock_on_a_users_way_is_not_trusted),
        PROMISE(what_is_no_regular_file_with_one_name_is_no_lock),
        PROMISE(a_lock_that_may_not_be_opened_is_refused),
        PROMISE(one_claims_at_a_time),
        PROMISE(letting_go_of_no_claim_is_fine),
        PROMISE(one_lives_at_a_time),
        PROMISE(a_claim_and_a_life_do_not_exclude_each_other),
        PROMISE(locks_on_different_files_do_not_meet),
        PROMISE(another_process_is_excluded_too),
        PROMISE(a_killed_holder_lets_go),
        PROMISE(opening_and_closing_the_file_elsewhere_lets_go_of_nothing),
    };

    return cmocka_run_group_tests_name("locks", promises, NULL, NULL);
}
