/* SPDX-License-Identifier: Apache-2.0 */
/* Processes: signalled, waited for, and what is known of them. */
#include "contract.h"

#define MINUTE_MS 60000

/* ---- Signals and deaths ------------------------------------------------------------------ */

static void
signal_0_sends_nothing(void **state)
{
    int64_t pid = child();
    struct os_hold hold = hold_of(pid);

    (void)state;
    assert_int_equal(os_process_signal(&hold, 0), 0);
    assert_int_equal(os_process_wait(&hold, 0), -ETIMEDOUT);
    os_process_release(&hold);
}

static void
what_is_no_signal_is_refused(void **state)
{
    int64_t pid = child();
    struct os_hold hold = hold_of(pid);

    (void)state;
    assert_int_equal(os_process_signal(&hold, 65), -EINVAL);
    assert_int_equal(os_process_signal(&hold, -1), -EINVAL);
    assert_int_equal(os_process_wait(&hold, 0), -ETIMEDOUT);
    os_process_release(&hold);
}

static void
a_reaped_process_is_not_signalled(void **state)
{
    int64_t pid = child();
    struct os_hold hold = hold_of(pid);

    (void)state;
    scene_kill(pid);
    scene_reap(pid);
    assert_int_equal(os_process_signal(&hold, SCENE_TERM), -ESRCH);
    assert_int_equal(os_process_signal(&hold, 0), -ESRCH);
    os_process_release(&hold);
}

static int64_t signalled;

static int
act_signal(const char *name)
{
    struct os_hold hold;
    int r = os_process_hold(signalled, &hold);

    (void)name;
    if (r == 0)
        r = os_process_signal(&hold, SCENE_TERM);
    return r;
}

static void
another_users_process_may_not_be_signalled(void **state)
{
    struct os_hold hold;
    int result;

    (void)state;
    need_users();
    signalled = child();
    hold = hold_of(signalled);
    scene_fork_as(SCENE_USER, SCENE_USER, act_signal, "", &result);
    assert_int_equal(result, -EPERM);
    assert_int_equal(os_process_wait(&hold, 0), -ETIMEDOUT);
    os_process_release(&hold);
}

static void
a_wait_ends_after_its_time_and_can_be_repeated(void **state)
{
    int64_t pid = child();
    struct os_hold hold = hold_of(pid);
    int64_t before = os_monotonic_ms();

    (void)state;
    assert_int_equal(os_process_wait(&hold, 2), -ETIMEDOUT);
    assert_true(os_monotonic_ms() >= before + 1);
    assert_int_equal(os_process_wait(&hold, 1), -ETIMEDOUT);
    scene_kill(pid);
    scene_reap(pid);
    assert_int_equal(os_process_wait(&hold, MINUTE_MS), 0);
    os_process_release(&hold);
}

/* ---- Belonging --------------------------------------------------------------------------- */

static void
the_dead_belong_to_nobody(void **state)
{
    int64_t pid = child();
    struct os_hold hold = hold_of(pid);

    (void)state;
    need_proof();
    scene_kill(pid);
    assert_int_equal(os_process_belongs(&hold, pid, ""), 0);
    scene_reap(pid);
    assert_int_equal(os_process_belongs(&hold, pid, ""), 0);
    os_process_release(&hold);
}

static void
a_description_never_fails(void **state)
{
    int64_t pid = child();
    struct os_hold hold = hold_of(pid);
    struct os_process_facts facts;

    (void)state;
    os_process_describe(&hold, &facts);
    if (os_identity_is_proof()) {
        assert_int_not_equal(facts.owner[0], '\0');
        assert_in_range(os_process_age_ms(&hold), 0, 10 * MINUTE_MS);
    }
    scene_kill(pid);
    scene_reap(pid);
    os_process_describe(&hold, &facts);
    assert_string_equal(facts.owner, "");
    assert_string_equal(facts.cgroup, "");
    assert_string_equal(facts.unit, "");
    assert_int_equal(os_process_age_ms(&hold), -1);
    assert_int_equal(facts.memory_bytes, -1);
    os_process_release(&hold);
}

int
contract_signals(void)
{
    const struct CMUnitTest promises[] = {
        PROMISE(signal_0_sends_nothing),
        PROMISE(what_is_no_signal_is_refused),
        PROMISE(a_reaped_process_is_not_signalled),
        PROMISE(another_users_process_may_not_be_signalled),
        PROMISE(a_wait_ends_after_its_time_and_can_be_repeated),
        PROMISE(the_dead_belong_to_nobody),
        PROMISE(a_description_never_fails),
    };

    return cmocka_run_group_tests_name("signals", promises, NULL, NULL);
}
