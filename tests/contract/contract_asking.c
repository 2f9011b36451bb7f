/* SPDX-License-Identifier: Apache-2.0 */
/* The lock: asking about it, passing it on over exec, and who holds it. */
#include "contract.h"

/* ---- Asking ------------------------------------------------------------------------------ */

static void
the_answer_is_what_is_there(void **state)
{
    struct os_lock lock, second;

    (void)state;
    assert_int_equal(ask("l"), OS_LOCK_MISSING);
    need_proof(); /* -Dos=posix can't ask */
    lock = open_lock("l");
    second = open_lock("l");
    assert_int_equal(ask("l"), OS_LOCK_FREE);
    assert_int_equal(os_lock_claim(&lock), 0);
    assert_int_equal(ask("l"), OS_LOCK_CLAIMED);
    assert_int_equal(os_lock_take(&lock), 0);
    assert_int_equal(ask("l"), OS_LOCK_HELD);
    assert_int_equal(os_lock_unclaim(&lock), 0);
    assert_int_equal(ask("l"), OS_LOCK_HELD);
    assert_int_equal(os_lock_claim(&second), 0);
    assert_int_equal(ask("l"), OS_LOCK_HELD);
    os_lock_close(&lock);
    assert_int_equal(ask("l"), OS_LOCK_CLAIMED);
    os_lock_close(&second);
    assert_int_equal(ask("l"), OS_LOCK_FREE);
}

static void
asking_takes_nothing(void **state)
{
    struct os_lock lock = open_lock("l");
    int result;

    (void)state;
    scene_fork(act_ask, "l", &result);
    assert_int_equal(result, os_identity_is_proof() ? OS_LOCK_FREE : OS_LOCK_UNKNOWN);
    assert_int_equal(os_lock_claim(&lock), 0);
    assert_int_equal(os_lock_take(&lock), 0);
    os_lock_close(&lock);
}

static void
asking_makes_no_file(void **state)
{
    (void)state;
    assert_int_equal(ask("l"), OS_LOCK_MISSING);
    assert_false(scene_exists("l"));
}

static void
another_process_hears_the_same(void **state)
{
    struct os_lock lock = open_lock("l");
    int result;

    (void)state;
    need_proof();
    assert_int_equal(os_lock_take(&lock), 0);
    scene_fork(act_ask, "l", &result);
    assert_int_equal(result, OS_LOCK_HELD);
    os_lock_close(&lock);
}

static void
who_may_not_open_it_hears_unknown(void **state)
{
    struct os_lock lock = open_lock("l");
    int result;

    (void)state;
    need_users();
    assert_int_equal(os_lock_take(&lock), 0);
    scene_fork_as(SCENE_USER, SCENE_USER, act_ask, "l", &result);
    assert_int_equal(result, OS_LOCK_UNKNOWN);
    scene_fork_as(SCENE_USER, SCENE_USER, act_ask, "missing", &result);
    assert_int_equal(result, OS_LOCK_MISSING);
    os_lock_close(&lock);
}

static void
a_link_in_place_of_the_lock_is_not_followed(void **state)
{
    struct os_lock lock = open_lock("l");

    (void)state;
    assert_int_equal(os_lock_take(&lock), 0);
    scene_symlink("l", "link");
    assert_int_equal(ask("link"), OS_LOCK_UNKNOWN);
    os_lock_close(&lock);
}

/* ---- Over exec --------------------------------------------------------------------------- */

static void
what_was_not_inherited_is_not_adopted(void **state)
{
    struct os_lock lock = open_lock("l"), adopted;

    (void)state;
    assert_int_equal(os_lock_adopt(lock.id, &adopted), -ENOENT);
    assert_int_equal(os_lock_take(&lock), 0);
    assert_int_equal(os_lock_adopt(lock.id, &adopted), -ENOENT);
    os_lock_close(&lock);
}

int
contract_asking(void)
{
    const struct CMUnitTest promises[] = {
        PROMISE(the_answer_is_what_is_there),
        PROMISE(asking_takes_nothing),
        PROMISE(asking_makes_no_file),
        PROMISE(another_process_hears_the_same),
        PROMISE(who_may_not_open_it_hears_unknown),
        PROMISE(a_link_in_place_of_the_lock_is_not_followed),
        PROMISE(what_was_not_inherited_is_not_adopted),
    };

    return cmocka_run_group_tests_name("asking", promises, NULL, NULL);
}
