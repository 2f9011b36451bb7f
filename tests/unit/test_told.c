/* SPDX-License-Identifier: Apache-2.0 */
/* What a state's words mean: whoever wrote them, only what is well formed is taken for more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "host/host.h"

static void
expect_exit(const char *text, int64_t code, const char *signal, bool core)
{
    struct status status = {.exit_code = 5, .exit_signal = "OLD", .exit_core = true};

    status_take_exit(text, &status);
    assert_int_equal(status.exit_code, code);
    assert_string_equal(status.exit_signal, signal);
    assert_int_equal(status.exit_core, core);
}

static void
an_exit_is_a_code_or_a_signal_with_or_without_a_core(void **state)
{
    (void)state;
    expect_exit("code 0", 0, "", false);
    expect_exit("code 255", 255, "", false);
    expect_exit("signal TERM", -1, "TERM", false);
    expect_exit("signal SEGV core", -1, "SEGV", true);
    expect_exit("signal RTMIN+1", -1, "RTMIN+1", false);
    expect_exit("signal 63", -1, "63", false);
}

static void
another_exit_is_only_text(void **state)
{
    static const char *const texts[] = {"", "code", "code ", "code -1", "code 3x", "codes 3"};
    struct status status;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        expect_exit(texts[i], -1, "", false);
    status_take_exit("burnt down", &status);
    assert_string_equal(status.exit, "burnt down");
    expect_exit("signal SEGV corex", -1, "SEGV", false);
}

static void
expect_health(const char *text, const char *word, int64_t failures, int64_t limit)
{
    struct status status = {.health = "old", .health_failures = 7, .health_limit = 8};

    status_take_health(text, &status);
    assert_string_equal(status.health, word);
    assert_int_equal(status.health_failures, failures);
    assert_int_equal(status.health_limit, limit);
}

static void
health_is_a_word_and_failing_has_a_count(void **state)
{
    (void)state;
    expect_health("none", "none", 0, 0);
    expect_health("pending", "pending", 0, 0);
    expect_health("ok", "ok", 0, 0);
    expect_health("failing 0 of 1", "failing", 0, 1);
    expect_health("failing 2 of 10", "failing", 2, 10);
}

static void
another_health_is_none_that_is_known(void **state)
{
    static const char *const texts[] = {
        "",           "well",         "okay",           "failing",         "failing 2",
        "failing of", "failing 2 of", "failing x of 3", "failing 2 of -3", "failing 2 of 3 4",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        expect_health(texts[i], "", 0, 0);
    expect_health("failing 2 of 99999999999999999999", "", 0, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_exit_is_a_code_or_a_signal_with_or_without_a_core),
        cmocka_unit_test(another_exit_is_only_text),
        cmocka_unit_test(health_is_a_word_and_failing_has_a_count),
        cmocka_unit_test(another_health_is_none_that_is_known),
    };

    return cmocka_run_group_tests_name("told", tests, NULL, NULL);
}
