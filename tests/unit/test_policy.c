/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "host/policy.h"

static struct policy
policy_of(enum restart_policy kind, int min_ms, int max_ms)
{
    struct policy_settings settings = {
        .policy = kind, .delay_min_ms = min_ms, .delay_max_ms = max_ms, .reset_after_ms = 60000};
    struct policy policy;

    assert_int_equal(policy_init(&policy, &settings, 42), 0);
    return policy;
}

static void
expect_delay(struct policy *p, int64_t up_ms, int64_t now_ms, int wanted_ms)
{
    int delay_ms = -1;

    assert_int_equal(policy_ended(p, true, 1, up_ms, now_ms, &delay_ms), POLICY_RESTART);
    assert_in_range(delay_ms, wanted_ms, wanted_ms + wanted_ms / 10);
}

static void
delays_double_up_to_the_longest(void **state)
{
    struct policy p = policy_of(RESTART_ON_FAILURE, 1000, 5000);

    (void)state;
    expect_delay(&p, 0, 0, 1000);
    expect_delay(&p, 0, 0, 2000);
    expect_delay(&p, 0, 0, 4000);
    expect_delay(&p, 0, 0, 5000);
    expect_delay(&p, 0, 0, 5000);
}

static void
a_server_that_was_up_for_long_begins_anew(void **state)
{
    struct policy p = policy_of(RESTART_ON_FAILURE, 1000, 64000);

    (void)state;
    expect_delay(&p, 0, 0, 1000);
    expect_delay(&p, 59999, 0, 2000);
    expect_delay(&p, 60000, 0, 1000);
}

static void
jitter_makes_two_supervisors_differ(void **state)
{
    struct policy_settings settings = {
        .policy = RESTART_ALWAYS, .delay_min_ms = 60000, .delay_max_ms = 60000};
    struct policy a, b;
    int delay_a = 0, delay_b = 0;

    (void)state;
    assert_int_equal(policy_init(&a, &settings, 1000), 0);
    assert_int_equal(policy_init(&b, &settings, 2000), 0);
    policy_ended(&a, true, 1, 0, 0, &delay_a);
    policy_ended(&b, true, 1, 0, 0, &delay_b);
    assert_int_not_equal(delay_a, delay_b);
}

static void
a_clean_end_is_final_on_failure_and_not_always(void **state)
{
    struct policy no = policy_of(RESTART_NO, 1, 1);
    struct policy on_failure = policy_of(RESTART_ON_FAILURE, 1, 1);
    struct policy always = policy_of(RESTART_ALWAYS, 1, 1);
    int delay;

    (void)state;
    assert_int_equal(policy_ended(&no, true, 1, 0, 0, &delay), POLICY_END);
    assert_int_equal(policy_ended(&on_failure, false, 0, 0, 0, &delay), POLICY_END);
    assert_int_equal(policy_ended(&on_failure, true, -1, 0, 0, &delay), POLICY_RESTART);
    assert_int_equal(policy_ended(&always, false, 0, 0, 0, &delay), POLICY_RESTART);
}

static void
exempt_exit_statuses_are_final(void **state)
{
    struct policy p = policy_of(RESTART_ALWAYS, 1, 1);
    int delay;

    (void)state;
    p.settings.no_restart_on[0] = 3;
    p.settings.no_restart_on[1] = 0;
    p.settings.no_restart_count = 2;
    assert_int_equal(policy_ended(&p, true, 3, 0, 0, &delay), POLICY_END);
    assert_int_equal(policy_ended(&p, false, 0, 0, 0, &delay), POLICY_END);
    assert_int_equal(policy_ended(&p, true, 4, 0, 0, &delay), POLICY_RESTART);
    assert_int_equal(policy_ended(&p, true, -1, 0, 0, &delay), POLICY_RESTART);
}

static struct policy
limited_policy(int limit, int limit_ms)
{
    struct policy_settings settings = {
        .policy = RESTART_ALWAYS, .reset_after_ms = -1, .limit = limit, .limit_ms = limit_ms};
    struct policy policy;

    assert_int_equal(policy_init(&policy, &settings, 42), 0);
    return policy;
}

static void
the_limit_holds_within_its_time_and_no_longer(void **state)
{
    struct policy p = limited_policy(3, 1000);
    int delay;

    (void)state;
    for (int now = 0; now < 300; now += 100)
        assert_int_equal(policy_ended(&p, true, 1, 0, now, &delay), POLICY_RESTART);
    assert_int_equal(policy_ended(&p, true, 1, 0, 999, &delay), POLICY_GIVE_UP);
    assert_int_equal(policy_ended(&p, true, 1, 0, 1000, &delay), POLICY_RESTART);
    assert_int_equal(policy_ended(&p, true, 1, 0, 1050, &delay), POLICY_GIVE_UP);
    assert_int_equal(policy_ended(&p, true, 1, 0, 1100, &delay), POLICY_RESTART);
    policy_free(&p);
}

static void
another_limit_counts_anew_and_the_same_one_goes_on(void **state)
{
    struct policy p = limited_policy(1, 1000);
    struct policy_settings settings = p.settings;
    int delay;

    (void)state;
    assert_int_equal(policy_ended(&p, true, 1, 0, 0, &delay), POLICY_RESTART);
    settings.delay_min_ms = 5;
    assert_int_equal(policy_renew(&p, &settings), 0);
    assert_int_equal(policy_ended(&p, true, 1, 0, 1, &delay), POLICY_GIVE_UP);
    settings.limit = LIMIT_MAX;
    assert_int_equal(policy_renew(&p, &settings), 0);
    for (int i = 0; i < LIMIT_MAX; i++)
        assert_int_equal(policy_ended(&p, true, 1, 0, 2, &delay), POLICY_RESTART);
    assert_int_equal(policy_ended(&p, true, 1, 0, 2, &delay), POLICY_GIVE_UP);
    settings.limit = 0;
    assert_int_equal(policy_renew(&p, &settings), 0);
    assert_int_equal(policy_ended(&p, true, 1, 0, 2, &delay), POLICY_RESTART);
    policy_free(&p);
}

static void
without_a_limit_it_never_gives_up(void **state)
{
    struct policy p = policy_of(RESTART_ALWAYS, 1, 1);
    int delay;

    (void)state;
    for (int i = 0; i < 10000; i++)
        assert_int_equal(policy_ended(&p, true, 1, 0, 0, &delay), POLICY_RESTART);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delays_double_up_to_the_longest),
        cmocka_unit_test(a_server_that_was_up_for_long_begins_anew),
        cmocka_unit_test(jitter_makes_two_supervisors_differ),
        cmocka_unit_test(a_clean_end_is_final_on_failure_and_not_always),
        cmocka_unit_test(exempt_exit_statuses_are_final),
        cmocka_unit_test(the_limit_holds_within_its_time_and_no_longer),
        cmocka_unit_test(another_limit_counts_anew_and_the_same_one_goes_on),
        cmocka_unit_test(without_a_limit_it_never_gives_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
