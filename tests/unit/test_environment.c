/* SPDX-License-Identifier: Apache-2.0 */
/* environment-file, as systemd.exec(5) describes EnvironmentFile, and environment. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/reading.h"
#include "place.h"
#include "reading_fixture.h"

/* ---- The format -------------------------------------------------------------------------- */

static void
expect_environment(const char *text, const char *const *expected)
{
    struct environment environment = {0};
    struct config_mistakes mistakes = {0};

    assert_int_equal(environment_parse(&environment, text, strlen(text), "env", &mistakes), 0);

    assert_int_equal(mistakes.count, 0);
    if (*expected)
        expect_words(environment.list, expected);
    else
        assert_null(environment.list);
    words_free(environment.list);
}

struct sample {
    const char *text;
    const char *assignments[4]; /* the first NULL ends them */
};

static void
expect_samples(const struct sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++)
        expect_environment(samples[i].text, samples[i].assignments);
}

#define EXPECT_SAMPLES(samples) expect_samples(samples, sizeof(samples) / sizeof *(samples))

static void
comments_blank_lines_and_lines_without_an_assignment_say_nothing(void **state)
{
    static const struct sample samples[] = {
        {"", {NULL}},
        {"\n \t\n", {NULL}},
        {"#A=1\n;B=2\n  #C=3\n\t;D=4", {NULL}},
        {"# a comment \\\nA=1\n", {"A=1"}},
        {"A\nB=2\n\"C\"\n", {"B=2"}},
    };

    (void)state;
    EXPECT_SAMPLES(samples);
}

static void
blanks_around_a_name_and_a_value_are_dropped(void **state)
{
    static const struct sample samples[] = {
        {"A=1", {"A=1"}},
        {" \tA = 1 2\t3 \t\n_b9=x", {"A=1 2\t3", "_b9=x"}},
        {"A=\nB= \nC=''\n", {"A=", "B=", "C="}},
        {"A=1 # 2 ; 3\n", {"A=1 # 2 ; 3"}},
        {"A==1=\n", {"A==1="}},
        {"\xef\xbb\xbf"
         "A=1\r\nB= 'x' \r\n",
         {"A=1", "B=x"}},
    };

    (void)state;
    EXPECT_SAMPLES(samples);
}

static void
unquoted_values_lose_their_backslashes_but_not_their_quotes(void **state)
{
    static const struct sample samples[] = {
        {"A=a\\b\\\\c\\\"d\\$", {"A=ab\\c\"d$"}},
        {"A=a\"b\" 'c'", {"A=a\"b\" 'c'"}},
        {"A=\\'a", {"A='a"}},
        {"A=a\\ \\ \n", {"A=a  "}},
        {"A=a \\\n\nB=\\ \t\n", {"A=a ", "B= "}},
        {"A=a\\\n  b\nB=\\\nc\\\n", {"A=a  b", "B=c"}},
        {"A=a\\\r\nb\r\n", {"A=ab"}},
        {"A=a\\", {"A=a"}},
        {"A=$B %n\n", {"A=$B %n"}},
    };

    (void)state;
    EXPECT_SAMPLES(samples);
}

static void
quoted_values_keep_blanks_and_lines(void **state)
{
    static const struct sample samples[] = {
        {"A=' a\\\" \\\n b'\nB=2\n", {"A= a\\\" \\\n b", "B=2"}},
        {"A=\" a\n b \" \n", {"A= a\n b "}},
        {"A=\"\\\"\\\\\\`\\$\\a\\'\\\nb\"", {"A=\"\\`$\\a\\'b"}},
        {"A='a'\"b\" 'c'\n", {"A=abc"}},
        {"A='a'b\"c\" \n", {"A=ab\"c\""}},
        {"A='#'\nB=\";\"\n", {"A=#", "B=;"}},
    };

    (void)state;
    EXPECT_SAMPLES(samples);
}

static void
of_a_name_given_twice_the_later_wins(void **state)
{
    static const struct sample samples[] = {
        {"A=1\nB=2\nA=3\n", {"A=3", "B=2"}},
        {"AB=1\nA=2\n", {"AB=1", "A=2"}},
    };

    (void)state;
    EXPECT_SAMPLES(samples);
}

static void
mistakes_are_named_by_the_files_lines(void **state)
{
    static const char text[] = "# 1\n1A=x\nA='2\n3'\nexport B=4\nC='x\nD=1\nE=\"y\\\n=z\n";
#define NO_NAME " can't be a variable's name: use letters, digits and _, and no digit first"
    static const char *const lines[] = {
        "env:2: '1A'" NO_NAME,          "env:5: 'export B'" NO_NAME, "env:6: a quote is not closed",
        "env:8: a quote is not closed", "env:9: ''" NO_NAME,
    };
#undef NO_NAME
    struct environment environment = {0};
    struct config_mistakes mistakes = {0};

    (void)state;
    assert_int_equal(environment_parse(&environment, text, strlen(text), "env", &mistakes), 0);

    assert_int_equal(mistakes.count, sizeof lines / sizeof *lines);
    for (size_t i = 0; i < mistakes.count; i++)
        assert_string_equal(mistakes.lines[i], lines[i]);
    EXPECT_WORDS(environment.list, "A=2\n3", "D=1");
    config_mistakes_free(&mistakes);
    words_free(environment.list);
}

static void
a_file_that_is_no_text_is_a_mistake(void **state)
{
    struct environment environment = {0};
    struct config_mistakes mistakes = {0};

    (void)state;
    assert_int_equal(environment_parse(&environment, "A=1\nB=\0", 7, "env", &mistakes), 0);

    assert_int_equal(mistakes.count, 1);
    assert_string_equal(mistakes.lines[0], "env:2: a NUL byte: the file must be plain text");
    assert_null(environment.list);
    config_mistakes_free(&mistakes);
}

/* ---- The keys ---------------------------------------------------------------------------- */

static void
environment_may_repeat_and_its_later_words_win(void **state)
{
    struct reading reading = read_good("[server]\nenvironment = A=1 B='x y'\n"
                                       "environment = \"C=%n\" A=2 D=\n");

    (void)state;
    EXPECT_WORDS(reading.config.environment, "A=2", "B=x y", "C=web", "D=");
    end_reading(&reading);
}

static void
what_is_no_assignment_is_a_mistake_that_tells_no_secret(void **state)
{
#define NO_ASSIGNMENT                                                                              \
    " in 'environment' is not NAME=VALUE with a name of letters, digits and _, and no digit first"
    static const char *const lines[] = {
        "web.conf:2: 'A'" NO_ASSIGNMENT,
        "web.conf:3: '2B'" NO_ASSIGNMENT,
        "web.conf:3: 'C-D'" NO_ASSIGNMENT,
        "web.conf:3: ''" NO_ASSIGNMENT,
        "web.conf:4: 'environment': a quote is not closed",
    };
#undef NO_ASSIGNMENT

    (void)state;
    expect_mistakes("[server]\nenvironment = A\nenvironment = 2B=secret C-D=secret =secret\n"
                    "environment = E='x\n",
                    lines, sizeof lines / sizeof *lines);
}

static void
write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static int
set_up_directory(void **state)
{
    static char directory[300];

    *state = directory;
    return place_make(directory, sizeof(directory)) ? chdir(directory) : -1;
}

static int
tear_down_directory(void **state)
{
    remove("web.env");
    remove("b.env");
    return chdir("/") || rmdir(*state);
}

static void
environment_stands_above_the_files_wherever_it_stands(void **state)
{
    const char *directory = *state;
    struct reading reading;
    char text[1024];

    write_file("web.env", "A=file\nB=file\nF=%n\n");
    write_file("b.env", "B=second\n");
    snprintf(text, sizeof text,
             "[server]\nenvironment = A=line\nenvironment-file = %s/%%n.env\n"
             "environment-file = -%s/b.env\nenvironment-file = -%s/none\n",
             directory, directory, directory);
    reading = read_good(text);

    EXPECT_WORDS(reading.config.environment, "A=line", "B=second", "F=%n");
    end_reading(&reading);
}

static void
a_missing_file_is_a_mistake_of_the_configurations_line(void **state)
{
    (void)state;
    expect_mistake("[server]\nenvironment-file = " ROOT "/nonexistent/env\n",
                   "web.conf:2: 'environment-file' " ROOT "/nonexistent/env does not exist: make "
                   "it, or write -" ROOT "/nonexistent/env where it may be missing");
}

static void
a_pattern_stands_for_all_files_that_match_in_order(void **state)
{
    const char *directory = *state;
    struct reading reading;
    char text[1024], line[1024];

    write_file("web.env", "A=web\nB=web\n");
    write_file("b.env", "A=b\nC=b\n");
    assert_true(place_mkdir("c.env"));
    snprintf(text, sizeof text, "[server]\nenvironment-file = %s/*.[e]nv\n", directory);
    reading = read_good(text);
    assert_int_equal(rmdir("c.env"), 0);
    EXPECT_WORDS(reading.config.environment, "A=web", "C=b", "B=web");
    end_reading(&reading);

    snprintf(text, sizeof text, "[server]\nenvironment-file = %s/[!a-v]?[b]*v\n", directory);
    reading = read_good(text);
    EXPECT_WORDS(reading.config.environment, "A=web", "B=web");
    end_reading(&reading);

    snprintf(text, sizeof text, "[server]\nenvironment-file = -%s/?.none\n", directory);
    reading = read_good(text);
    assert_null(reading.config.environment);
    end_reading(&reading);

    snprintf(text, sizeof text, "[server]\nenvironment-file = %s/?.none\n", directory);
    snprintf(line, sizeof line,
             "web.conf:2: 'environment-file' %s/?.none matches no file: make one, or write "
             "-%s/?.none where there may be none",
             directory, directory);
    expect_mistake(text, line);
}

static void
an_unreadable_file_is_a_mistake_even_if_it_may_be_missing(void **state)
{
    (void)state;
    expect_mistake("[server]\nenvironment-file = -" ROOT "/\n",
                   "web.conf:2: 'environment-file' " ROOT "/ can't be read: Is a directory");
}

static void
mistakes_in_a_file_stand_among_the_configurations(void **state)
{
    const char *directory = *state;
    struct config_mistakes *mistakes;
    struct reading reading;
    char text[1024], line[512];

    write_file("web.env", "\n9=x\n");
    snprintf(text, sizeof text, "[server]\nnice = x\nenvironment-file = %s/web.env\numask = x\n",
             directory);
    snprintf(line, sizeof line,
             "%s/web.env:2: '9' can't be a variable's name: use letters, "
             "digits and _, and no digit first",
             directory);
    reading = read_text(text);
    mistakes = &reading.mistakes;

    assert_int_equal(mistakes->count, 3);
    assert_non_null(strstr(mistakes->lines[0], "web.conf:2: 'nice'"));
    assert_string_equal(mistakes->lines[1], line);
    assert_non_null(strstr(mistakes->lines[2], "web.conf:4: 'umask'"));
    end_reading(&reading);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comments_blank_lines_and_lines_without_an_assignment_say_nothing),
        cmocka_unit_test(blanks_around_a_name_and_a_value_are_dropped),
        cmocka_unit_test(unquoted_values_lose_their_backslashes_but_not_their_quotes),
        cmocka_unit_test(quoted_values_keep_blanks_and_lines),
        cmocka_unit_test(of_a_name_given_twice_the_later_wins),
        cmocka_unit_test(mistakes_are_named_by_the_files_lines),
        cmocka_unit_test(a_file_that_is_no_text_is_a_mistake),
        cmocka_unit_test(environment_may_repeat_and_its_later_words_win),
        cmocka_unit_test(what_is_no_assignment_is_a_mistake_that_tells_no_secret),
        cmocka_unit_test(environment_stands_above_the_files_wherever_it_stands),
        cmocka_unit_test(a_missing_file_is_a_mistake_of_the_configurations_line),
        cmocka_unit_test(a_pattern_stands_for_all_files_that_match_in_order),
        cmocka_unit_test(an_unreadable_file_is_a_mistake_even_if_it_may_be_missing),
        cmocka_unit_test(mistakes_in_a_file_stand_among_the_configurations),
    };

    return cmocka_run_group_tests(tests, set_up_directory, tear_down_directory);
}
