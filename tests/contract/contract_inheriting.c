/* SPDX-License-Identifier: Apache-2.0 */
/* The lock, where it can be inherited: passing it on over fork and exec, and who holds it. */
#include "contract.h"

/* ---- Over exec --------------------------------------------------------------------------- */

static void
a_forked_copy_keeps_the_lock_after_the_original_is_closed(void **state)
{
    struct os_lock lock = open_lock("l"), other = open_lock("l");
    int64_t child;
    int result;

    (void)state;
    assert_int_equal(os_lock_take(&lock), 0);
    child = scene_fork(act_nothing, "", &result);
    os_lock_close(&lock);
    assert_int_equal(os_lock_take(&other), -EWOULDBLOCK);
    scene_kill(child);
    assert_int_equal(os_lock_take(&other), 0);
    os_lock_close(&other);
}

static void
a_lock_does_not_survive_exec_by_itself(void **state)
{
    struct os_lock lock = open_lock("l");
    int result;

    (void)state;
    scene_fork_exec(act_take, act_adopt, "l", &result);
    assert_int_equal(result, -ENOENT);
    assert_int_equal(os_lock_take(&lock), 0);
    os_lock_close(&lock);
}

static void
a_lock_that_is_passed_on_survives_exec(void **state)
{
    struct os_lock lock = open_lock("l");
    int64_t child;
    int result;

    (void)state;
    child = scene_fork_exec(act_take_to_pass_on, act_nothing, "l", &result);
    assert_int_equal(os_lock_take(&lock), -EWOULDBLOCK);
    assert_int_equal(ask("l"), os_identity_is_proof() ? OS_LOCK_HELD : OS_LOCK_UNKNOWN);
    scene_kill(child);
    assert_int_equal(os_lock_take(&lock), 0);
    os_lock_close(&lock);
}

static void
passing_on_can_be_taken_back(void **state)
{
    struct os_lock lock = open_lock("l");
    int result;

    (void)state;
    scene_fork_exec(act_take_and_change_its_mind, act_adopt, "l", &result);
    assert_int_equal(result, -ENOENT);
    assert_int_equal(os_lock_take(&lock), 0);
    os_lock_close(&lock);
}

static void
what_is_passed_on_stays_usable(void **state)
{
    struct os_lock lock = open_lock("l"), other = open_lock("l");

    (void)state;
    need_proof();
    assert_int_equal(os_lock_take(&lock), 0);
    assert_int_equal(os_lock_claim(&lock), 0);
    assert_int_equal(os_lock_pass_on(&lock, true), 0);
    assert_int_equal(os_lock_take(&other), -EWOULDBLOCK);
    assert_int_equal(os_lock_claim(&other), -EWOULDBLOCK);
    assert_int_equal(os_lock_unclaim(&lock), 0);
    assert_int_equal(os_lock_claim(&other), 0);
    assert_int_equal(os_lock_pass_on(&lock, false), 0);
    os_lock_close(&lock);
    assert_int_equal(os_lock_take(&other), 0);
    os_lock_close(&other);
}

static void
an_inherited_lock_is_adopted_and_held(void **state)
{
    struct os_lock lock = open_lock("l");
    int64_t child;
    int result;

    (void)state;
    child = scene_fork_exec(act_take_to_pass_on, act_adopt, "l", &result);
    assert_int_equal(result, 0);
    assert_int_equal(os_lock_take(&lock), -EWOULDBLOCK);
    scene_kill(child);
    assert_int_equal(os_lock_take(&lock), 0);
    os_lock_close(&lock);
}

static void
an_inherited_lock_is_adopted_once(void **state)
{
    int result;

    (void)state;
    scene_fork_exec(act_take_to_pass_on, act_adopt_twice, "l", &result);
    assert_int_equal(result, -ENOENT);
}

static void
an_adopted_lock_that_is_closed_is_free(void **state)
{
    struct os_lock lock = open_lock("l");
    int result;

    (void)state;
    scene_fork_exec(act_take_to_pass_on, act_adopt_and_close, "l", &result);
    assert_int_equal(result, 0);
    assert_int_equal(os_lock_take(&lock), 0);
    os_lock_close(&lock);
}

/* ---- Holders ----------------------------------------------------------------------------- */

static int
holders(const char *name, int64_t *ret_pids, size_t max)
{
    struct os_dir dir = open_scene();
    int r = os_lock_holders(&dir, name, ret_pids, max);

    os_dir_close(&dir);
    return r;
}

static void
those_who_hold_it_are_named_and_no_others(void **state)
{
    struct os_lock opener = open_lock("l");
    int64_t holder, pids[4];
    int result;

    (void)state;
    need_proof();
    assert_int_equal(holders("l", pids, 4), 0);
    holder = scene_fork(act_take, "l", &result);
    scene_fork(act_open_lock, "l", &result);
    scene_fork(act_claim, "l", &result);
    scene_fork(act_take, "m", &result);
    assert_int_equal(holders("l", pids, 4), 1);
    assert_int_equal(pids[0], holder);
    scene_kill(holder);
    assert_int_equal(holders("l", pids, 4), 0);
    os_lock_close(&opener);
}

static void
all_who_share_it_are_named_as_far_as_there_is_room(void **state)
{
    struct os_lock lock = open_lock("l");
    int64_t child, pids[4] = {0, 0, 0, 0};
    int result;

    (void)state;
    need_proof();
    assert_int_equal(os_lock_take(&lock), 0);
    child = scene_fork(act_nothing, "", &result);
    assert_int_equal(holders("l", pids, 4), 2);
    assert_true(pids[0] == child || pids[1] == child);
    assert_true(pids[0] == os_self() || pids[1] == os_self());
    pids[1] = 0;
    assert_int_equal(holders("l", pids, 1), 1);
    assert_int_equal(pids[1], 0);
    assert_int_equal(holders("l", pids, 0), 0);
    os_lock_close(&lock);
}

static void
nobody_holds_a_missing_lock(void **state)
{
    int64_t pids[4];

    (void)state;
    need_proof();
    assert_int_equal(holders("l", pids, 4), 0);
}

int
contract_inheriting(void)
{
    const struct CMUnitTest promises[] = {
        PROMISE(a_forked_copy_keeps_the_lock_after_the_original_is_closed),
        PROMISE(a_lock_does_not_survive_exec_by_itself),
        PROMISE(a_lock_that_is_passed_on_survives_exec),
        PROMISE(passing_on_can_be_taken_back),
        PROMISE(what_is_passed_on_stays_usable),
        PROMISE(an_inherited_lock_is_adopted_and_held),
        PROMISE(an_inherited_lock_is_adopted_once),
        PROMISE(an_adopted_lock_that_is_closed_is_free),
        PROMISE(those_who_hold_it_are_named_and_no_others),
        PROMISE(all_who_share_it_are_named_as_far_as_there_is_room),
        PROMISE(nobody_holds_a_missing_lock),
    };

    return cmocka_run_group_tests_name("inheriting", promises, NULL, NULL);
}
