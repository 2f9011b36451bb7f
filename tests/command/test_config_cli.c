/* SPDX-License-Identifier: Apache-2.0 */
/* The command line and the configuration: what is said about mistakes, and that nothing is done. */
#include "harness.h"

static void
expect_error(const struct answer *answer, int status, const char *error)
{
    expect_exit(answer, status);
    expect_says(answer->err, error);
    assert_int_equal(strchr(answer->err, '\n')[1], '\0'); /* one line */
    assert_string_equal(answer->out, "");
}

/* ---- The configuration ------------------------------------------------------------------- */

static void
every_mistake_is_named_by_file_and_line(void **state)
{
    struct world *w = *state;
    const char *config = config_write(w, "web",
                                      "# a comment\n"
                                      "[server]\n"
                                      "comand = sleep 1\n"
                                      "umask = 999\n"
                                      "[stop]\n"
                                      "timeout = soon\n"
                                      "[sevrer]\n");
    const char *const verbs[] = {"check", "start", "run", "stop", "restart", "reload"};

    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        const struct answer *answer = VORTEX(w, verbs[i], "web", "-c", config);

        expect_exit(answer, 6);
        expect_says(answer->err, text_of("%s:3: ", config));
        expect_says(answer->err, "'command'");
        expect_says(answer->err, text_of("%s:4: ", config));
        expect_says(answer->err, text_of("%s:6: ", config));
        expect_says(answer->err, text_of("%s:7: ", config));
        expect_says(answer->err, "[server]");
    }
    expect_exit(VORTEX(w, "status", "web", "-c", config), 4);
    expect_no_files(w, "web");
}

static void
a_mistake_in_an_environment_file_is_named_there(void **state)
{
    struct world *w = *state;
    const char *config = config_write(w, "web", "[server]\nenvironment-file = %s/env\n", w->dir);
    const struct answer *answer;

    file_write(in_dir(w, "env"), "GOOD=1\n2BAD=1\n");
    answer = VORTEX(w, "check", "web", "-c", config);

    expect_exit(answer, 6);
    expect_says(answer->err, text_of("%s:2: ", in_dir(w, "env")));
}

static void
check_of_a_good_configuration_is_0(void **state)
{
    struct world *w = *state;
    const char *config = config_write(w, "web",
                                      "[server]\ncommand = sleep 1\nuser = root\numask = 022\n"
                                      "[pidfile]\npath = %s/x.pid\n[stop]\ntimeout = 1m 30s\n",
                                      w->dir);
    const struct answer *answer = VORTEX(w, "check", "web", "-c", config);

    expect_exit(answer, 0);
    assert_string_equal(answer->err, "");
    expect_says(answer->out, config);
}

static void
a_missing_configuration_that_was_asked_for_is_6(void **state)
{
    struct world *w = *state;
    const char *config = in_dir(w, "no.conf");
    const char *const verbs[] = {"check", "start", "run", "stop", "restart", "reload", "wait"};

    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        expect_error(VORTEX(w, verbs[i], "web", "-c", config), 6, config);
    expect_error(VORTEX(w, "check", "web"), 6, "web.conf");
    expect_no_files(w, "web");
}

static void
an_unknown_instance_without_a_command_is_6(void **state)
{
    struct world *w = *state;
    const struct answer *answer = VORTEX(w, "start", "wbe");

    expect_exit(answer, 6);
    expect_says(answer->err, "wbe.conf");
    expect_no_files(w, "wbe");
}

static void
a_configuration_that_may_not_be_read_is_4(void **state)
{
    struct world *w = *state;
    const char *config = config_write(w, "web", "[server]\ncommand = sleep 1\n");

    need_root();
    assert_int_equal(chmod(config, 0600), 0);
    w->as_nobody = true;
    expect_error(VORTEX(w, "check", "web", "-c", config), 4, config);
}

static void
the_pidfiles_path_may_be_configured_and_the_command_line_stands_above(void **state)
{
    struct world *w = *state;
    const char *config = config_write(w, "web",
                                      "[server]\ncommand = sh -c 'echo %%n %%p 100%%%%'\n"
                                      "[pidfile]\npath = %s/%%n-here.pid\n",
                                      w->dir);
    const char *given = in_dir(w, "given.pid");

    assert_string_equal(VORTEX(w, "run", "web", "-c", config)->out,
                        text_of("web %s/web-here.pid 100%%\n", w->dir));
    assert_true(is_there(in_dir(w, "web-here.pid")));
    assert_string_equal(VORTEX(w, "run", "web", "-c", config, "-p", given)->out,
                        text_of("web %s 100%%\n", given));
    assert_true(is_there(given));
    expect_no_files(w, "web");
}

/* ---- Words ------------------------------------------------------------------------------- */

static void
a_slip_in_a_verb_is_guessed(void **state)
{
    struct world *w = *state;

    expect_error(VORTEX(w, "strat", "web"), 2, "unknown verb 'strat': did you mean 'start'?");
    expect_error(VORTEX(w, "stats"), 2, "did you mean 'stat");
    expect_error(VORTEX(w, "relaod"), 2, "did you mean 'reload'?");
    expect_error(VORTEX(w, "xyzzy"), 2, "unknown verb 'xyzzy': see 'vortex --help'");
    expect_error(VORTEX(w, "help", "strat"), 2, "did you mean 'start'?");
}

static void
a_slip_in_an_option_is_guessed_and_nothing_is_done(void **state)
{
    struct world *w = *state;
    pid_t server = START(w, "web");

    expect_error(VORTEX(w, "stop", "web", "--timout", "1s"), 2,
                 "vortex: unknown option '--timout' for 'stop': did you mean '--timeout'?");
    expect_error(VORTEX(w, "stop", "web", "--no-kil"), 2, "did you mean '--no-kill'?");
    expect_error(VORTEX(w, "list", "--jsno=x"), 2, "did you mean '--json'?");
    expect_error(VORTEX(w, "stop", "web", "--json"), 2, "unknown option '--json' for 'stop'");
    expect_error(VORTEX(w, "stop", "web", "-x"), 2, "unknown option '-x'");
    expect_unsignalled(w, server);
}

static void
options_stand_anywhere_in_every_spelling(void **state)
{
    struct world *w = *state;
    const char *pidfile = in_dir(w, "x.pid");

    expect_exit(VORTEX(w, "start", "-p", pidfile, "web", "--", w->toy), 0);
    expect_exit(VORTEX(w, "status", text_of("--pidfile=%s", pidfile), "web"), 0);
    expect_exit(VORTEX(w, "status", "web", "--pidfile", pidfile), 0);
    expect_exit(VORTEX(w, "status", text_of("-p%s", pidfile)), 0);
    expect_exit(VORTEX(w, "stop", "--timeout=10s", "web", "-p", pidfile, "-s", "INT"), 0);
    expect_exit(VORTEX(w, "status", "web", "-p", pidfile), 3);
}

static void
a_commands_own_options_are_its_own(void **state)
{
    struct world *w = *state;
    const struct answer *answer =
        VORTEX(w, "run", "web", "--", "printf", "%s|", "--help", "-p", "x", "--", "");

    expect_exit(answer, 0);
    assert_string_equal(answer->out, "--help|-p|x|--||");
}

static void
misuse_is_2_and_says_why(void **state)
{
    struct world *w = *state;

    expect_error(VORTEX(w, "start", "web", "mail"), 2, "one instance at a time");
    expect_error(VORTEX(w, "start", "web", "--"), 2, "a command is missing after --");
    expect_error(VORTEX(w, "stop", "web", "--", "x"), 2, "takes no command");
    expect_error(VORTEX(w, "stop", "web", "-t"), 2, "--timeout needs a value");
    expect_error(VORTEX(w, "stop", "web", "-t", "soon"), 2, "not 'soon'");
    expect_error(VORTEX(w, "stop", "web", "-t", "-1"), 2, "not '-1'");
    expect_error(VORTEX(w, "stop", "web", "-s", "TERMM"), 2, "not 'TERMM'");
    expect_error(VORTEX(w, "stop", "web", "--no-kill=yes"), 2, "--no-kill takes no value");
    expect_error(VORTEX(w, "stop", "web", "--no-kill", "--leftovers"), 2, "--leftovers");
    expect_error(VORTEX(w, "stop", "web", "--clean", "--leftovers"), 2, "--clean");
    expect_error(VORTEX(w, "restart", "web", "--clean"), 2, "--clean");
    expect_error(VORTEX(w, "stop", "web", "--assume", "stale"), 2, "'running'");
    expect_error(VORTEX(w, "start", "web", "--assume", "running"), 2, "'stale'");
    expect_error(VORTEX(w, "list", "web"), 2, "takes no argument");
    expect_no_files(w, "web");
}

/* Its 2 would mean "dead with a lock file only". */
static void
misuse_of_status_is_unknown_and_4(void **state)
{
    struct world *w = *state;

    expect_error(VORTEX(w, "status", "web", "--jsno"), 4, "did you mean '--json'?");
    expect_error(VORTEX(w, "status", "web", "mail"), 4, "one instance at a time");
    expect_error(VORTEX(w, "status", "../web"), 4, "is no instance name");
    expect_error(VORTEX(w, "status", "web", "-c", in_dir(w, "no.conf")), 4, "no.conf");
}

static void
bad_names_are_refused_and_lead_nowhere(void **state)
{
    static const char *const names[] = {".hidden", "..",   "a/b",      "../x",
                                        "a b",     "a\nb", "\xc3\xbc", "a;b"};
    struct world *w = *state;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct answer *answer = VORTEX(w, "start", names[i], "--", w->toy);

        expect_exit(answer, 2);
        expect_says(answer->err, "is no instance name");
    }
    expect_exit(VORTEX(w, "start", "", "--", w->toy), 2);
    assert_int_equal(rmdir(w->run), 0); /* it is empty */
}

/* ---- Help -------------------------------------------------------------------------------- */

static void
every_verb_has_help_that_does_nothing(void **state)
{
    static const char *const verbs[] = {"run",  "start",  "stop", "restart", "reload",  "status",
                                        "list", "signal", "wait", "check",   "version", "help"};
    struct world *w = *state;
    pid_t server = START(w, "web");
    const struct answer *whole = VORTEX(w, "--help");

    expect_exit(whole, 0);
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        const struct answer *answer = VORTEX(w, verbs[i], "--help");

        expect_exit(answer, 0);
        assert_string_equal(answer->err, "");
        assert_memory_equal(answer->out, text_of("vortex %s", verbs[i]), 7 + strlen(verbs[i]));
        assert_string_equal(VORTEX(w, "help", verbs[i])->out, answer->out);
        assert_string_equal(VORTEX(w, verbs[i], "-h")->out, answer->out);
    }
    expect_exit(VORTEX(w, "stop", "web", "--help"), 0);
    expect_unsignalled(w, server);
}

static void
help_and_version_are_told_on_standard_output(void **state)
{
    struct world *w = *state;
    const struct answer *answer = VORTEX(w, "help");

    expect_exit(answer, 0);
    for (const char *const *verb = WORDS("run", "start", "stop", "restart", "reload", "status",
                                         "list", "signal", "wait", "check");
         *verb != NULL; verb++)
        expect_says(answer->out, text_of("\n  %-8s ", *verb));
    answer = VORTEX(w, "version");
    expect_exit(answer, 0);
    assert_memory_equal(answer->out, "vortex ", 7);
    assert_string_equal(VORTEX(w, "--version")->out, answer->out);
    expect_exit(VORTEX(w, NULL), 2);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        PROMISE(every_mistake_is_named_by_file_and_line),
        PROMISE(a_mistake_in_an_environment_file_is_named_there),
        PROMISE(check_of_a_good_configuration_is_0),
        PROMISE(a_missing_configuration_that_was_asked_for_is_6),
        PROMISE(an_unknown_instance_without_a_command_is_6),
        PROMISE(a_configuration_that_may_not_be_read_is_4),
        PROMISE(the_pidfiles_path_may_be_configured_and_the_command_line_stands_above),
        PROMISE(a_slip_in_a_verb_is_guessed),
        PROMISE(a_slip_in_an_option_is_guessed_and_nothing_is_done),
        PROMISE(options_stand_anywhere_in_every_spelling),
        PROMISE(a_commands_own_options_are_its_own),
        PROMISE(misuse_is_2_and_says_why),
        PROMISE(misuse_of_status_is_unknown_and_4),
        PROMISE(bad_names_are_refused_and_lead_nowhere),
        PROMISE(every_verb_has_help_that_does_nothing),
        PROMISE(help_and_version_are_told_on_standard_output),
    };

    return RUN_SUITE("command line and configuration", false, tests);
}
