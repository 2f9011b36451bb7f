/* SPDX-License-Identifier: Apache-2.0 */
/* Each mistake in a configuration, and the line that names it. */
#include <stdio.h>
#include <stdlib.h>

#include "host/reading.h"
#include "reading_fixture.h"

/* ---- Lines ------------------------------------------------------------------------------- */

static void
a_line_must_be_a_header_or_an_assignment(void **state)
{
    static const struct mistake mistakes[] = {
        {"[server]\nuser\n",
         "web.conf:2: a line without '=': write KEY = VALUE, or # before a comment"},
        {"user\n", "web.conf:1: a line without '=': write KEY = VALUE, or # before a comment"},
        {"[server]\n = u\n", "web.conf:2: no key before the '=': write KEY = VALUE"},
        {"[server\nuser = u\n", "web.conf:1: a '[' without its ']': write [SECTION]"},
        {"[server] # main\nuser = u\n",
         "web.conf:1: something follows the ']': write [SECTION] alone on its line"},
        {"[\n", "web.conf:1: a '[' without its ']': write [SECTION]"},
    };

    (void)state;
    EXPECT_EACH(mistakes);
}

static void
a_line_before_any_section_learns_where_it_belongs(void **state)
{
    static const struct mistake mistakes[] = {
        {"user = u\n", "web.conf:1: 'user' stands before any section: put [server] above it"},
        {"\nsignal = INT\n",
         "web.conf:2: 'signal' stands before any section: put [stop] or [reload] above it"},
        {"x = y\n", "web.conf:1: 'x' stands before any section: put its [SECTION] above it"},
    };

    (void)state;
    EXPECT_EACH(mistakes);
}

static void
a_typo_names_the_nearest_section(void **state)
{
    static const struct mistake mistakes[] = {
        {"[servr]\n", "web.conf:1: unknown section [servr]: did you mean [server]?"},
        {"[Server]\n", "web.conf:1: unknown section [Server]: did you mean [server]?"},
        {"[ stop ]\n", "web.conf:1: unknown section [ stop ]: did you mean [stop]?"},
        {"[unit]\nx\\\n = y\nz = 1\n",
         "web.conf:1: unknown section [unit]: there are [server] "
         "[pidfile] [ready] [health] [stop] [restart] [signal] [log] [reload] [hook]"},
        {"[]\n", "web.conf:1: unknown section []: there are [server] [pidfile] [ready] [health] "
                 "[stop] [restart] [signal] [log] [reload] [hook]"},
    };

    (void)state;
    EXPECT_EACH(mistakes);
}

static void
a_typo_names_the_nearest_key(void **state)
{
    static const struct mistake mistakes[] = {
        {"[server]\n\ncomand = x\n",
         "web.conf:3: unknown key 'comand' in [server]: did you mean 'command'?"},
        {"[server]\nWorkingDirectory = /\n",
         "web.conf:2: unknown key 'WorkingDirectory' in [server]: did you mean 'directory'?"},
        {"[stop]\ntimeuot = 1s\n",
         "web.conf:2: unknown key 'timeuot' in [stop]: did you mean 'timeout'?"},
        {"[server]\ntimeuot = 1s\n",
         "web.conf:2: unknown key 'timeuot' in [server]: did you mean 'timeout' in [ready] or "
         "[health] or [stop] or [reload] or [hook]?"},
        {"[server]\nxyzzy = 1\n",
         "web.conf:2: unknown key 'xyzzy' in [server]: see vortex.conf(5) for its keys"},
    };

    (void)state;
    EXPECT_EACH(mistakes);
}

static void
a_key_in_the_wrong_section_learns_the_right_one(void **state)
{
    static const struct mistake mistakes[] = {
        {"[server]\ntimeout = 1s\n",
         "web.conf:2: unknown key 'timeout' in [server]: it belongs in [ready] or [health] or "
         "[stop] or [reload] or [hook]"},
        {"[server]\nsignal = INT\n",
         "web.conf:2: unknown key 'signal' in [server]: it belongs in [stop] or [reload]"},
        {"[stop]\npath = /p\n",
         "web.conf:2: unknown key 'path' in [stop]: it belongs in [pidfile]"},
    };

    (void)state;
    EXPECT_EACH(mistakes);
}

static void
a_key_given_twice_names_the_first_line(void **state)
{
    static const struct mistake mistakes[] = {
        {"[server]\nuser = u\nuser = v\n", "web.conf:3: 'user' stands already at line 2: keep one"},
        {"[stop]\nsignal=INT\n[reload]\nsignal=HUP\n[stop]\nsignal=INT\n",
         "web.conf:6: 'signal' stands already at line 2: keep one"},
    };

    (void)state;
    EXPECT_EACH(mistakes);
}

static void
each_key_needs_a_value(void **state)
{
    (void)state;
    for (const struct key *key = config_keys; key->section[0]; key++) {
        char text[64], line[128];

        snprintf(text, sizeof text, "[%s]\n%s = \t\n", key->section, key->name);
        snprintf(line, sizeof line,
                 "web.conf:2: '%s' has no value: give it one, or take the line out", key->name);
        expect_mistake(text, line);
    }
}

static void
a_text_that_is_no_text_is_one_mistake(void **state)
{
    struct reading reading = read_bytes("[server]\nx\0y\nz\n", 15);

    (void)state;
    assert_int_equal(reading.error, -EINVAL);
    assert_int_equal(reading.mistakes.count, 1);
    assert_string_equal(reading.mistakes.lines[0],
                        "web.conf:2: a NUL byte: the file must be plain text");
    end_reading(&reading);
}

static void
a_text_larger_than_a_mebibyte_is_refused(void **state)
{
    char *text = calloc(1, TEXT_MAX + 1);
    struct reading reading;

    (void)state;
    assert_non_null(text);
    reading = read_bytes(text, TEXT_MAX + 1);

    assert_int_equal(reading.error, -EINVAL);
    assert_int_equal(reading.mistakes.count, 1);
    assert_string_equal(reading.mistakes.lines[0], "web.conf:1: the file is larger than 1 MiB");
    end_reading(&reading);
    free(text);
}

static void
a_continued_line_is_named_by_its_first(void **state)
{
    static const char *const lines[] = {
        "web.conf:2: unknown key 'comand' in [server]: did you mean 'command'?",
        "web.conf:5: unknown key 'usr' in [server]: did you mean 'user'?",
    };

    (void)state;
    expect_mistakes("[server]\ncomand = a \\\n b \\\n c\nusr = u\n", lines, 2);
}

static void
a_mistake_is_one_line_whatever_it_quotes(void **state)
{
    (void)state;
    expect_mistake(
        "[server]\nx\x1b[31m\x07\x7f\ty = 1\n",
        "web.conf:2: unknown key 'x?[31m???y' in [server]: see vortex.conf(5) for its keys");
}

/* ---- Values ------------------------------------------------------------------------------ */

static void
numbers_out_of_range_are_refused(void **state)
{
    static const struct mistake mistakes[] = {
        {"[server]\nnice = 20\n", "web.conf:2: 'nice' must be a number from -20 to 19, not '20'"},
        {"[server]\nnice = -21\n", "web.conf:2: 'nice' must be a number from -20 to 19, not '-21'"},
        {"[server]\nnice = x\n", "web.conf:2: 'nice' must be a number from -20 to 19, not 'x'"},
        {"[server]\noom-score-adjust = 1001\n",
         "web.conf:2: 'oom-score-adjust' must be a number from -1000 to 1000, not '1001'"},
        {"[server]\noom-score-adjust = -1001\n",
         "web.conf:2: 'oom-score-adjust' must be a number from -1000 to 1000, not '-1001'"},
        {"[server]\numask = 01000\n",
         "web.conf:2: 'umask' must be an octal number up to 0777, not '01000'"},
        {"[server]\numask = 089\n",
         "web.conf:2: 'umask' must be an octal number up to 0777, not '089'"},
        {"[server]\numask = -1\n",
         "web.conf:2: 'umask' must be an octal number up to 0777, not '-1'"},
    };

    (void)state;
    EXPECT_EACH(mistakes);
}

static void
words_that_mean_nothing_are_refused(void **state)
{
    static const struct mistake mistakes[] = {
        {"[pidfile]\ninherit-lock = maybe\n",
         "web.conf:2: 'inherit-lock' must be yes or no, not 'maybe'"},
        {"[pidfile]\nallow-remote = Yes\n",
         "web.conf:2: 'allow-remote' must be yes or no, not 'Yes'"},
        {"[stop]\nsignal = TREM\n",
         "web.conf:2: 'signal' must be a signal's name such as TERM, not 'TREM'"},
        {"[reload]\nsignal = 0\n",
         "web.conf:2: 'signal' must be a signal's name such as TERM, not '0'"},
        {"[stop]\ntimeout = soon\n", "web.conf:2: 'timeout' must be a time of at most 24 days such "
                                     "as 30s, 1m 30s or infinity, not 'soon'"},
        {"[stop]\ntimeout = 25000h\n",
         "web.conf:2: 'timeout' must be a time of at most 24 days such "
         "as 30s, 1m 30s or infinity, not '25000h'"},
    };

    (void)state;
    EXPECT_EACH(mistakes);
}

static void
periods_come_to_an_end_and_are_not_nothing(void **state)
{
#define MUST "' must be a time of 1ms to 24 days such as 10s, not '"
    static const struct mistake mistakes[] = {
        {"[ready]\ninterval = 0\n", "web.conf:2: 'interval" MUST "0'"},
        {"[ready]\ninterval = infinity\n", "web.conf:2: 'interval" MUST "infinity'"},
        {"[health]\ninterval = 0ms\n", "web.conf:2: 'interval" MUST "0ms'"},
        {"[health]\ntimeout = infinity\n", "web.conf:2: 'timeout" MUST "infinity'"},
        {"[health]\nstart-period = infinity\n", "web.conf:2: 'start-period' must be a time of at "
                                                "most 24 days such as 30s, not 'infinity'"},
        {"[health]\nfailures = 0\n",
         "web.conf:2: 'failures' must be a number from 1 to 1000, not '0'"},
        {"[health]\naction = reboot\n",
         "web.conf:2: 'action' must be restart, stop or none, not 'reboot'"},
    };
#undef MUST

    (void)state;
    EXPECT_EACH(mistakes);
}

static void
a_condition_that_is_none_learns_why(void **state)
{
    static const struct mistake mistakes[] = {
        {"[ready]\nwhen = tcp:localhost\n",
         "web.conf:2: 'when': write tcp:HOST:PORT, as in tcp:127.0.0.1:8080"},
        {"[ready]\nwhen = exec:ask '\n", "web.conf:2: 'when': a quote is not closed"},
        {"[ready]\nwhen = log:(\n",
         "web.conf:2: 'when': the pattern has a ( without its ), or a ) without its ("},
        {"[ready]\nwhen = log:up\n",
         "web.conf:2: 'when': log: reads the output on its way to a log: say 'file' in [log]"},
        {"[health]\ncheck = https://localhost/\n",
         "web.conf:2: 'check': https is not supported: ask by http on the loopback, or with exec: "
         "and a command such as curl -fsS URL"},
    };

    (void)state;
    EXPECT_EACH(mistakes);
}

static void
a_check_must_be_one_that_can_be_asked_again(void **state)
{
#define AGAIN                                                                                      \
    " can't be asked again and again: write tcp:HOST:PORT, unix:PATH, http://..., file:PATH or "   \
    "exec:COMMAND"
    static const struct mistake mistakes[] = {
        {"[health]\ncheck = started\n", "web.conf:2: 'check': 'started'" AGAIN},
        {"[health]\ncheck = notify\n", "web.conf:2: 'check': 'notify'" AGAIN},
        {"[health]\ncheck = fd:3\n", "web.conf:2: 'check': 'fd:3'" AGAIN},
        {"[health]\ncheck = log:up\n", "web.conf:2: 'check': 'log:up'" AGAIN},
    };
#undef AGAIN

    (void)state;
    EXPECT_EACH(mistakes);
}

static void
sixteen_conditions_are_enough(void **state)
{
    char text[512] = "[ready]\n";

    (void)state;
    for (int i = 0; i < CONDITIONS_MAX + 1; i++)
        strcat(text, "when = notify\n");
    expect_mistake(text, "web.conf:18: 'when' is given too often: at most 16 times");
}

static void
paths_must_be_absolute(void **state)
{
    static const struct mistake mistakes[] = {
        {"[server]\ndirectory = var\n",
         "web.conf:2: 'directory' must be an absolute path, not 'var'"},
        {"[server]\nlog = ~/log\n", "web.conf:2: 'log' must be an absolute path, not '~/log'"},
        {"[server]\nlog = %n/log\n", "web.conf:2: 'log' must be an absolute path, not '%n/log'"},
        {"[server]\nenvironment-file = env\n",
         "web.conf:2: 'environment-file' must be an absolute path, not 'env'"},
        {"[server]\nenvironment-file = -\n",
         "web.conf:2: 'environment-file' must be an absolute path, not '-'"},
        {"[pidfile]\npath = web.pid\n",
         "web.conf:2: 'path' must be an absolute path, not 'web.pid'"},
    };

    (void)state;
    EXPECT_EACH(mistakes);
}

static void
a_command_must_name_a_program(void **state)
{
    static const struct mistake mistakes[] = {
        {"[server]\ncommand = ''\n",
         "web.conf:2: 'command' names no program: write the program first"},
        {"[server]\ncommand = \"\" a\n",
         "web.conf:2: 'command' names no program: write the program first"},
        {"[server]\ncommand = sh -c 'a\n", "web.conf:2: 'command': a quote is not closed"},
        {"[server]\ncommand = sh -c \"a\n", "web.conf:2: 'command': a quote is not closed"},
        {"[server]\ncommand = a \\ \n",
         "web.conf:2: 'command': nothing follows the last backslash"},
    };

    (void)state;
    EXPECT_EACH(mistakes);
}

static void
a_percent_sign_must_stand_for_something(void **state)
{
#define NOTHING "a % stands for nothing unless n, p or % follows: write %% for a percent sign"
    static const struct mistake mistakes[] = {
        {"[server]\ncommand = date +%Y\n", "web.conf:2: 'command': " NOTHING},
        {"[server]\nenvironment = A=%\n", "web.conf:2: 'environment': " NOTHING},
        {"[server]\nenvironment-file = /%i\n", "web.conf:2: 'environment-file': " NOTHING},
        {"[server]\ndirectory = /%i\n", "web.conf:2: 'directory': " NOTHING},
        {"[server]\nlog = /%i\n", "web.conf:2: 'log': " NOTHING},
        {"[server]\nuser = %u\n", "web.conf:2: 'user': " NOTHING},
        {"[server]\ngroup = %g\n", "web.conf:2: 'group': " NOTHING},
        {"[ready]\nwhen = file:/%i\n", "web.conf:2: 'when': " NOTHING},
        {"[health]\ncheck = exec:date +%Y\n", "web.conf:2: 'check': " NOTHING},
        {"[pidfile]\npath = /%i\n", "web.conf:2: 'path': " NOTHING},
        {"[pidfile]\npath = %p\n", "web.conf:2: 'path': %p has no value here"},
    };
#undef NOTHING

    (void)state;
    EXPECT_EACH(mistakes);
}

static void
a_bad_pidfile_path_is_one_mistake_not_one_at_each_mention(void **state)
{
    static const struct config_source source = {"web.conf", "web", NULL, false};
    static const char text[] = "[server]\ncommand = a %p\nlog = %p.log\n[pidfile]\npath = /%p\n";
    struct config_mistakes mistakes;
    struct config config;

    (void)state;
    config_init(&config);
    assert_int_equal(config_parse(&config, text, strlen(text), &source, &mistakes), -EINVAL);

    assert_int_equal(mistakes.count, 1);
    assert_string_equal(mistakes.lines[0], "web.conf:5: 'path': %p has no value here");
    config_mistakes_free(&mistakes);
}

static void
an_overridden_path_is_still_judged(void **state)
{
    static const struct config_source source = {"web.conf", "web", "/p", true};
    static const char text[] = "[pidfile]\npath = p\n";
    struct config_mistakes mistakes;
    struct config config;

    (void)state;
    config_init(&config);
    assert_int_equal(config_parse(&config, text, strlen(text), &source, &mistakes), -EINVAL);
    assert_string_equal(mistakes.lines[0], "web.conf:2: 'path' must be an absolute path, not 'p'");
    config_mistakes_free(&mistakes);
}

static void
all_mistakes_are_said_in_the_order_of_their_lines(void **state)
{
    static const char *const lines[] = {
        "web.conf:1: 'user' stands before any section: put [server] above it",
        "web.conf:3: 'nice' must be a number from -20 to 19, not '99'",
        "web.conf:4: unknown key 'comand' in [server]: did you mean 'command'?",
        "web.conf:5: unknown section [pidfiel]: did you mean [pidfile]?",
        "web.conf:8: a line without '=': write KEY = VALUE, or # before a comment",
        "web.conf:9: 'path' must be an absolute path, not 'x'",
    };

    (void)state;
    expect_mistakes(
        "user=u\n[server]\nnice=99\ncomand=a\n[pidfiel]\npath=y\n[pidfile]\nz\npath=x\n", lines,
        sizeof lines / sizeof *lines);
}

static void
a_log_has_one_place(void **state)
{
    static const struct mistake mistakes[] = {
        {"[log]\nmax-size = 1\n", "web.conf:2: 'max-size' must be a size from 1K such as 64K, 10M "
                                  "or 1G, or none, not '1'"},
        {"[log]\nkeep = 1001\n", "web.conf:2: 'keep' must be a number from 0 to 1000, not '1001'"},
        {"[log]\ncompress = xz\n", "web.conf:2: 'compress' must be no, gzip or zstd, not 'xz'"},
        {"[log]\ntarget = nowhere\nfile = /f\n",
         "web.conf:2: 'target' must be file, inherit, none, syslog or journal, not 'nowhere'"},
        {"[log]\nfile = web.log\n", "web.conf:2: 'file' must be an absolute path, not 'web.log'"},
        {"[log]\n\ntarget = file\n", "web.conf:3: 'target = file' needs a 'file' in [log]"},
        {"[log]\nfile = /f\ntarget = none\n",
         "web.conf:3: the output has one place: keep 'file', or 'target' without it"},
        {"[log]\nfile = /f\n[server]\nlog = /g\n",
         "web.conf:4: the output has one place: keep 'log' in [server], or 'file' in [log]"},
        {"[server]\nlog = /g\n[log]\ntarget = syslog\n",
         "web.conf:4: the output has one place: keep 'log' in [server], or 'target' in [log]"},
    };

    (void)state;
    EXPECT_EACH(mistakes);
}

static void
a_stored_descriptor_may_have_no_number_that_is_promised(void **state)
{
    struct reading reading = read_text("[server]\nfile-descriptor-store-max = 4\n"
                                       "[ready]\nwhen = fd:6\n");
    struct reading good = read_good("[server]\nfile-descriptor-store-max = 4\n"
                                    "[ready]\nwhen = fd:7\n");

    (void)state;
    assert_int_equal(good.config.store_max, 4);
    assert_int_equal(reading.mistakes.count, 1);
    assert_string_equal(reading.mistakes.lines[0],
                        "web.conf:4: 'when = fd:6' may be the number of a stored descriptor: take "
                        "one from 7 on");
    end_reading(&reading);
    end_reading(&good);
}

static void
what_needs_a_supervisor_is_a_mistake_without_one(void **state)
{
    static const struct {
        const char *text, *what;
    } cases[] = {
        {"[hook]\npre-start = a\n", "[hook]"},
        {"[restart]\npolicy = always\n", "[restart] policy"},
        {"[health]\ncheck = file:/a\n", "[health] check"},
        {"[ready]\nwhen = file:/a\n", "[ready] when"},
        {"[log]\nfile = /a\n", "[log]"},
        {"[signal]\nINT = stop\n", "[signal]"},
        {"[stop]\nsequence = TERM 1s\n", "[stop] sequence"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[128], expected[160];
        struct reading reading;

        snprintf(text, sizeof(text), "[server]\nsupervise = no\n%s", cases[i].text);
        snprintf(expected, sizeof(expected),
                 "web.conf:2: 'supervise = no' leaves nobody to do what %s asks for: take one of "
                 "the two out",
                 cases[i].what);
        reading = read_text(text);
        assert_int_equal(reading.mistakes.count, 1);
        assert_string_equal(reading.mistakes.lines[0], expected);
        end_reading(&reading);
    }
    struct reading good = read_good("[server]\nsupervise = no\n[ready]\nwhen = notify\n"
                                    "[restart]\ndelay = 1s\n[stop]\nsignal = INT\n");
    end_reading(&good);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_needs_a_supervisor_is_a_mistake_without_one),
        cmocka_unit_test(a_stored_descriptor_may_have_no_number_that_is_promised),
        cmocka_unit_test(a_line_must_be_a_header_or_an_assignment),
        cmocka_unit_test(a_line_before_any_section_learns_where_it_belongs),
        cmocka_unit_test(a_typo_names_the_nearest_section),
        cmocka_unit_test(a_typo_names_the_nearest_key),
        cmocka_unit_test(a_key_in_the_wrong_section_learns_the_right_one),
        cmocka_unit_test(a_key_given_twice_names_the_first_line),
        cmocka_unit_test(each_key_needs_a_value),
        cmocka_unit_test(a_text_that_is_no_text_is_one_mistake),
        cmocka_unit_test(a_text_larger_than_a_mebibyte_is_refused),
        cmocka_unit_test(a_continued_line_is_named_by_its_first),
        cmocka_unit_test(a_mistake_is_one_line_whatever_it_quotes),
        cmocka_unit_test(numbers_out_of_range_are_refused),
        cmocka_unit_test(words_that_mean_nothing_are_refused),
        cmocka_unit_test(periods_come_to_an_end_and_are_not_nothing),
        cmocka_unit_test(a_condition_that_is_none_learns_why),
        cmocka_unit_test(a_check_must_be_one_that_can_be_asked_again),
        cmocka_unit_test(sixteen_conditions_are_enough),
        cmocka_unit_test(paths_must_be_absolute),
        cmocka_unit_test(a_command_must_name_a_program),
        cmocka_unit_test(a_percent_sign_must_stand_for_something),
        cmocka_unit_test(a_bad_pidfile_path_is_one_mistake_not_one_at_each_mention),
        cmocka_unit_test(an_overridden_path_is_still_judged),
        cmocka_unit_test(all_mistakes_are_said_in_the_order_of_their_lines),
        cmocka_unit_test(a_log_has_one_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
