/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>

#include "host/reading.h"
#include "reading_fixture.h"

/* ---- Words ------------------------------------------------------------------------------- */

struct sample {
    const char *text;
    const char *words[6]; /* the first NULL ends them */
};

/* What is between the quotes of a shell's command line, word by word. */
static const struct sample samples[] = {
    {"", {NULL}},
    {" \t ", {NULL}},
    {"redis-server", {"redis-server"}},
    {"  redis-server\t/etc/redis.conf  ", {"redis-server", "/etc/redis.conf"}},
    {"a\nb\r\nc", {"a", "b", "c"}},
    {"''", {""}},
    {"\"\" ''x''", {"", "x"}},
    {"'a b' c", {"a b", "c"}},
    {"\"a b\" c", {"a b", "c"}},
    {"a' 'b", {"a b"}},
    {"a\" \"b\" \"'c d'", {"a b c d"}},
    {"'a\"b'", {"a\"b"}},
    {"\"a'b\"", {"a'b"}},
    {"'a\\b'", {"a\\b"}},
    {"'\\'", {"\\"}},
    {"\"\\\"\\\\\\$\\`\"", {"\"\\$`"}},
    {"\"\\a\\'\\ \"", {"\\a\\'\\ "}},
    {"\"a\\\nb\"", {"ab"}},
    {"\"\\\\\n\"", {"\\\n"}},
    {"'a\\\nb'", {"a\\\nb"}},
    {"a\\ b", {"a b"}},
    {"\\'\\\"\\\\\\x", {"'\"\\x"}},
    {"$HOME *.c a|b ;", {"$HOME", "*.c", "a|b", ";"}},
    {"a #b", {"a", "#b"}},
    {"na\xc3\xafve \xff", {"na\xc3\xafve", "\xff"}},
};

static void
words_are_split_as_a_shell_splits_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        const char *why = NULL;
        char **words = NULL;

        assert_int_equal(words_split(samples[i].text, "web", "/p", &words, &why), 0);

        expect_words(words, samples[i].words);
        words_free(words);
    }
}

static void
many_words_are_all_kept(void **state)
{
    char text[2 * 1000 + 1];
    const char *why;
    char **words;
    size_t count = 0;

    (void)state;
    for (size_t i = 0; i < 1000; i++)
        memcpy(text + 2 * i, "w ", 3);

    assert_int_equal(words_split(text, "web", "/p", &words, &why), 0);

    while (words[count])
        assert_string_equal(words[count++], "w");
    assert_int_equal(count, 1000);
    words_free(words);
}

static void
expect_why(const char *text, const char *instance, const char *pidfile, const char *expected)
{
    const char *why = NULL;
    char **words = NULL;

    assert_int_equal(words_split(text, instance, pidfile, &words, &why), -EINVAL);
    assert_null(words);
    assert_string_equal(why, expected);
}

static void
broken_quotes_are_said(void **state)
{
    (void)state;
    expect_why("'", "web", "/p", "a quote is not closed");
    expect_why("a 'b c", "web", "/p", "a quote is not closed");
    expect_why("a \"b c", "web", "/p", "a quote is not closed");
    expect_why("\"\\\"", "web", "/p", "a quote is not closed");
    expect_why("\"\\", "web", "/p", "a quote is not closed");
    expect_why("'\\''", "web", "/p", "a quote is not closed");
    expect_why("a \\", "web", "/p", "nothing follows the last backslash");
}

static void
a_percent_sign_and_a_letter_are_expanded(void **state)
{
    const char *why;
    char **words;

    (void)state;
    assert_int_equal(
        words_split("%n x%p 100%% %%n '%n' \\%n%n", "web", "/run/web.pid", &words, &why), 0);

    EXPECT_WORDS(words, "web", "x/run/web.pid", "100%", "%n", "web", "webweb");
    words_free(words);
}

static void
an_expansion_never_makes_two_words_or_quotes(void **state)
{
    const char *why;
    char **words;

    (void)state;
    assert_int_equal(words_split("%n %p", "a b", "'%n\" \\", &words, &why), 0);

    EXPECT_WORDS(words, "a b", "'%n\" \\");
    words_free(words);
}

static void
a_percent_sign_that_stands_for_nothing_is_said(void **state)
{
    static const char nothing[] =
        "a % stands for nothing unless n, p or % follows: write %% for a percent sign";

    (void)state;
    expect_why("%x", "web", "/p", nothing);
    expect_why("a %", "web", "/p", nothing);
    expect_why("%N", "web", "/p", nothing);
    expect_why("%p", "web", NULL, "%p has no value here");
    expect_why("%n", NULL, "/p", "%n has no value here");
}

static void
nothing_is_freed_without_harm(void **state)
{
    (void)state;
    words_free(NULL);
}

/* ---- Numbers ----------------------------------------------------------------------------- */

static void
a_duration_is_read_in_milliseconds(void **state)
{
    static const struct {
        const char *text;
        int ms;
    } durations[] = {
        {"30s", 30000},
        {"500ms", 500},
        {"5m", 300000},
        {"5min", 300000},
        {"1h", 3600000},
        {"1m 30s", 90000},
        {"1m30s", 90000},
        {"1h 1m 1s 1ms", 3661001},
        {"30", 30000},
        {"0", 0},
        {"0s", 0},
        {"007", 7000},
        {"5 min", 300000},
        {"1 m\t2 s", 62000},
        {"30s 1m", 90000},
        {"infinity", -1},
        {"2147483647ms", INT_MAX},
        {"2147483", 2147483000},
        {"2147483s 647ms", INT_MAX},
    };

    (void)state;
    for (size_t i = 0; i < sizeof durations / sizeof *durations; i++) {
        int ms = -2;

        assert_int_equal(duration_parse(durations[i].text, &ms), 0);
        assert_int_equal(ms, durations[i].ms);
    }
}

static void
what_is_no_duration_is_refused(void **state)
{
    static const char *const texts[] = {
        "",     " ",        "s",     "-1",          "-1s",         "+1",   "1.5s", "1x",
        "1M",   "1S",       "1m 30", "30 1m",       " 30s",        "30s ", "30 ",  "1sec",
        "0x10", "Infinity", "1us",   "infinity 1s", "1s infinity", "1d",   "1,5s", "1\n2s",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        int ms = -2;

        assert_int_equal(duration_parse(texts[i], &ms), -EINVAL);
        assert_int_equal(ms, -2);
    }
}

static void
a_duration_too_long_is_refused(void **state)
{
    static const char *const texts[] = {
        "2147483648ms",
        "2147484",
        "2147483s 648ms",
        "597h",
        "9223372036854775807",
        "9223372036854775807h",
        "9223372036854775808",
        "18446744073709551617s",
        "99999999999999999999999999999999s",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        int ms = -2;

        assert_int_equal(duration_parse(texts[i], &ms), -ERANGE);
        assert_int_equal(ms, -2);
    }
}

static void
microseconds_are_read_where_they_are_meant(void **state)
{
    static const struct {
        const char *text;
        bool micro;
        int error;
        int64_t us;
    } times[] = {
        {"200", true, 0, 200},
        {"200us", true, 0, 200},
        {"1s 5us", true, 0, 1000005},
        {"3", false, 0, 3000000},
        {"2562047788h", false, 0, 9223372036800000000},
        {"2562047789h", false, -ERANGE, -1},
        {"1us", false, -EINVAL, -1},
        {"infinity", true, -EINVAL, -1},
        {"", true, -EINVAL, -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        int64_t us = -1;

        assert_int_equal(time_parse(times[i].text, times[i].micro, &us), times[i].error);
        assert_true(us == times[i].us);
    }
}

static void
a_size_is_read_in_bytes(void **state)
{
    static const struct {
        const char *text;
        int error;
        int64_t bytes;
    } sizes[] = {
        {"0", 0, 0},
        {"4096", 0, 4096},
        {"1K", 0, 1024},
        {"10M", 0, 10 << 20},
        {"3G", 0, (int64_t)3 << 30},
        {"8589934591G", 0, (int64_t)8589934591 << 30},
        {"8589934592G", -ERANGE, -1},
        {"9223372036854775808", -ERANGE, -1},
        {"", -EINVAL, -1},
        {"K", -EINVAL, -1},
        {"1k", -EINVAL, -1},
        {"2T", 0, (int64_t)2 << 40},
        {"3P", 0, (int64_t)3 << 50},
        {"7E", 0, (int64_t)7 << 60},
        {"8E", -ERANGE, -1},
        {"1Z", -EINVAL, -1},
        {"1MB", -EINVAL, -1},
        {"1 M", -EINVAL, -1},
        {"-1", -EINVAL, -1},
        {"1.5M", -EINVAL, -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int64_t bytes = -1;

        assert_int_equal(size_parse(sizes[i].text, &bytes), sizes[i].error);
        assert_true(bytes == sizes[i].bytes);
    }
}

static void
numbers_are_strict(void **state)
{
    static const struct {
        const char *text;
        int base;
        int64_t min, max;
        int error;
        int64_t number;
    } numbers[] = {
        {"0", 10, 0, 9, 0, 0},
        {"9", 10, 0, 9, 0, 9},
        {"10", 10, 0, 9, -ERANGE, 0},
        {"-5", 10, -20, 19, 0, -5},
        {"-21", 10, -20, 19, -ERANGE, 0},
        {"-0", 10, -20, 19, 0, 0},
        {"-1", 10, 0, 19, -EINVAL, 0},
        {"--1", 10, -20, 19, -EINVAL, 0},
        {"-", 10, -20, 19, -EINVAL, 0},
        {"", 10, 0, 19, -EINVAL, 0},
        {"+1", 10, 0, 19, -EINVAL, 0},
        {" 1", 10, 0, 19, -EINVAL, 0},
        {"1 ", 10, 0, 19, -EINVAL, 0},
        {"1x", 10, 0, 19, -EINVAL, 0},
        {"0x1", 10, 0, 19, -EINVAL, 0},
        {"010", 10, 0, 19, 0, 10},
        {"022", 8, 0, 0777, 0, 022},
        {"8", 8, 0, 0777, -EINVAL, 0},
        {"1000", 8, 0, 0777, -ERANGE, 0},
        {"9223372036854775807", 10, 0, INT64_MAX, 0, INT64_MAX},
        {"9223372036854775808", 10, 0, INT64_MAX, -ERANGE, 0},
        {"18446744073709551616", 10, 0, INT64_MAX, -ERANGE, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        int64_t number = 0;

        assert_int_equal(integer_parse(numbers[i].text, numbers[i].base, numbers[i].min,
                                       numbers[i].max, &number),
                         numbers[i].error);
        assert_true(number == numbers[i].number);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_split_as_a_shell_splits_them),
        cmocka_unit_test(many_words_are_all_kept),
        cmocka_unit_test(broken_quotes_are_said),
        cmocka_unit_test(a_percent_sign_and_a_letter_are_expanded),
        cmocka_unit_test(an_expansion_never_makes_two_words_or_quotes),
        cmocka_unit_test(a_percent_sign_that_stands_for_nothing_is_said),
        cmocka_unit_test(nothing_is_freed_without_harm),
        cmocka_unit_test(a_duration_is_read_in_milliseconds),
        cmocka_unit_test(what_is_no_duration_is_refused),
        cmocka_unit_test(a_duration_too_long_is_refused),
        cmocka_unit_test(microseconds_are_read_where_they_are_meant),
        cmocka_unit_test(a_size_is_read_in_bytes),
        cmocka_unit_test(numbers_are_strict),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
