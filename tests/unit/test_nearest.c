/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/config.h"

static const char *const verbs[] = {"run",  "start",  "stop", "restart", "reload",  "status",
                                    "list", "signal", "wait", "check",   "version", NULL};
static const char *const keys[] = {"command",     "directory",        "user", "group",
                                   "environment", "environment-file", "nice", "limit-nofile",
                                   "limit-core",  "oom-score-adjust", "log",  NULL};

struct slip {
    const char *text;
    const char *meant; /* NULL: nothing */
};

static void
expect_slips(const struct slip *slips, size_t count, const char *const *candidates)
{
    for (size_t i = 0; i < count; i++) {
        const char *found = nearest(slips[i].text, candidates);

        if (!slips[i].meant && found)
            fail_msg("'%s' was taken for '%s'", slips[i].text, found);
        if (slips[i].meant && (!found || strcmp(found, slips[i].meant) != 0))
            fail_msg("'%s' was taken for '%s'", slips[i].text, found ? found : "nothing");
    }
}

#define EXPECT_SLIPS(slips, candidates)                                                            \
    expect_slips(slips, sizeof(slips) / sizeof *(slips), candidates)

static void
a_slip_of_the_finger_finds_its_word(void **state)
{
    static const struct slip slips[] = {
        {"comand", "command"},   /* a letter is missing */
        {"commmand", "command"}, /* one too many */
        {"commend", "command"},  /* another one */
        {"comamnd", "command"},  /* two changed places */
        {"niec", "nice"},        {"usr", "user"}, {"dirctry", "directory"}, {"lgo", "log"},
    };

    (void)state;
    EXPECT_SLIPS(slips, keys);
}

static void
the_nearest_word_wins(void **state)
{
    static const struct slip slips[] = {
        {"stat", "start"},
        {"statu", "status"},
        {"stpo", "stop"},
        {"restat", "restart"},
    };
    static const struct slip long_slips[] = {
        {"environment-fil", "environment-file"},
        {"enviroment", "environment"},
        {"limit-cor", "limit-core"},
    };

    (void)state;
    EXPECT_SLIPS(slips, verbs);
    EXPECT_SLIPS(long_slips, keys);
}

static void
of_equally_near_words_the_first_wins(void **state)
{
    static const char *const candidates[] = {"bat", "cat", "hat", NULL};

    (void)state;
    assert_ptr_equal(nearest("rat", candidates), candidates[0]);
}

static void
the_answer_is_the_candidate_itself(void **state)
{
    (void)state;
    assert_ptr_equal(nearest("comand", keys), keys[0]);
    assert_ptr_equal(nearest("command", keys), keys[0]);
}

static void
upper_case_is_no_difference(void **state)
{
    static const struct slip slips[] = {
        {"COMMAND", "command"},
        {"LimitNOFILE", "limit-nofile"},
        {"OOMScoreAdjust", "oom-score-adjust"},
        {"EnvironmentFile", "environment-file"},
        {"limit_nofile", "limit-nofile"},
    };

    (void)state;
    EXPECT_SLIPS(slips, keys);
}

static void
a_part_finds_its_whole_and_a_whole_its_part(void **state)
{
    static const struct slip slips[] = {
        {"dir", "directory"},       {"WorkingDirectory", "directory"},
        {"nofile", "limit-nofile"}, {"env", "environment"},
        {"log-file", "log"},
    };

    (void)state;
    EXPECT_SLIPS(slips, keys);
}

static void
what_is_near_to_nothing_finds_nothing(void **state)
{
    static const struct slip slips[] = {
        {"", NULL},     {"x", NULL}, {"xy", NULL}, {"no", NULL}, {"restart-policy", NULL},
        {"name", NULL},
    };
    static const char *const none[] = {NULL};

    (void)state;
    EXPECT_SLIPS(slips, keys);
    assert_null(nearest("command", none));
}

static void
a_word_of_any_length_is_safe(void **state)
{
    char text[200];
    const char *const candidates[] = {text, "command", NULL};

    (void)state;
    for (size_t length = 0; length < sizeof text; length++) {
        memset(text, 'm', length);
        text[length] = '\0';
        nearest(text, keys);
        assert_string_equal(nearest("comand", candidates), "command");
    }
    assert_null(nearest(text, candidates));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slip_of_the_finger_finds_its_word),
        cmocka_unit_test(the_nearest_word_wins),
        cmocka_unit_test(of_equally_near_words_the_first_wins),
        cmocka_unit_test(the_answer_is_the_candidate_itself),
        cmocka_unit_test(upper_case_is_no_difference),
        cmocka_unit_test(a_part_finds_its_whole_and_a_whole_its_part),
        cmocka_unit_test(what_is_near_to_nothing_finds_nothing),
        cmocka_unit_test(a_word_of_any_length_is_safe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
