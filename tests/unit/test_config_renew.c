/* SPDX-License-Identifier: Apache-2.0 */
/* Hooks and commands in a configuration, and what a newer reading of it changes. */
#include "os/os.h"
#include "reading_fixture.h"

static void
hooks_and_commands_are_words(void **state)
{
    struct reading reading = read_good("[hook]\npre-start = prepare '%n here' 100%%\n"
                                       "post-start = a\npre-stop = b c\npost-stop = d\n"
                                       "timeout = 2m\n"
                                       "[stop]\ncommand = shutdown %p\n"
                                       "[reload]\ncommand = e\ntimeout = infinity\n");
    const struct config *config = &reading.config;

    (void)state;
    assert_string_equal(config->hooks[HOOK_PRE_START][0], "prepare");
    assert_string_equal(config->hooks[HOOK_PRE_START][1], "web here");
    assert_string_equal(config->hooks[HOOK_PRE_START][2], "100%");
    assert_null(config->hooks[HOOK_PRE_START][3]);
    assert_string_equal(config->hooks[HOOK_POST_START][0], "a");
    assert_string_equal(config->hooks[HOOK_PRE_STOP][1], "c");
    assert_string_equal(config->hooks[HOOK_POST_STOP][0], "d");
    assert_int_equal(config->hook_timeout_ms, 120000);
    assert_string_equal(config->stop_command[1], ROOT "/run/vortex/web.pid");
    assert_string_equal(config->reload_command[0], "e");
    assert_int_equal(config->reload_timeout_ms, -1);
    end_reading(&reading);
}

static void
without_a_word_there_are_none(void **state)
{
    struct reading reading = read_good("");

    (void)state;
    for (size_t i = 0; i < HOOKS; i++)
        assert_null(reading.config.hooks[i]);
    assert_null(reading.config.stop_command);
    assert_null(reading.config.reload_command);
    assert_int_equal(reading.config.hook_timeout_ms, 30000);
    assert_int_equal(reading.config.reload_timeout_ms, 90000);
    end_reading(&reading);
}

static void
a_hook_without_a_program_is_a_mistake(void **state)
{
    struct reading reading = read_text("[hook]\npre-stop = ''\npost-stop = 'a\ntimeout = soon\n"
                                       "pre-strat = a\n");

    (void)state;
    assert_int_equal(reading.error, -EINVAL);
    assert_int_equal(reading.mistakes.count, 4);
    assert_string_equal(reading.mistakes.lines[0],
                        "web.conf:2: 'pre-stop' names no program: write the program first");
    assert_string_equal(reading.mistakes.lines[1],
                        "web.conf:3: 'post-stop': a quote is not closed");
    assert_non_null(strstr(reading.mistakes.lines[2], "web.conf:4: 'timeout' must be"));
    assert_string_equal(reading.mistakes.lines[3],
                        "web.conf:5: unknown key 'pre-strat' in [hook]: did you mean 'pre-start'?");
    end_reading(&reading);
}

/* ---- A newer reading --------------------------------------------------------------------- */

struct renewal {
    struct reading old, newer;
    char rest[256];
    bool is_other_health;
};

static struct renewal
renew(const char *old, const char *newer)
{
    struct renewal renewal = {.old = read_good(old), .newer = read_good(newer)};

    renewal.is_other_health = config_renew(&renewal.old.config, &renewal.newer.config, renewal.rest,
                                           sizeof(renewal.rest));
    return renewal;
}

static void
end_renewal(struct renewal *renewal)
{
    end_reading(&renewal->old);
    end_reading(&renewal->newer);
}

static void
what_needs_no_restart_is_taken_over(void **state)
{
    struct renewal renewal =
        renew("[server]\ncommand = a\n[restart]\npolicy = no\n[hook]\npre-start = a\n",
              "[server]\ncommand = a\n[restart]\npolicy = always\nlimit = 2/1m\n"
              "[hook]\npost-stop = b\ntimeout = 1s\n[stop]\nsequence = INT 1s\ncommand = c\n"
              "signal = QUIT\ntimeout = 7s\n[reload]\nsignal = USR1\ncommand = d\ntimeout = 2s\n");
    const struct config *config = &renewal.old.config;

    (void)state;
    assert_string_equal(renewal.rest, "");
    assert_false(renewal.is_other_health);
    assert_int_equal(config->restart.policy, RESTART_ALWAYS);
    assert_int_equal(config->restart.limit, 2);
    assert_null(config->hooks[HOOK_PRE_START]);
    assert_string_equal(config->hooks[HOOK_POST_STOP][0], "b");
    assert_int_equal(config->hook_timeout_ms, 1000);
    assert_int_equal(config->sequence[0].signal, os_signal_number("INT"));
    assert_int_equal(config->stop_signal, os_signal_number("QUIT"));
    assert_int_equal(config->stop_timeout_ms, 7000);
    assert_string_equal(config->stop_command[0], "c");
    assert_int_equal(config->reload_signal, os_signal_number("USR1"));
    assert_string_equal(config->reload_command[0], "d");
    assert_int_equal(config->reload_timeout_ms, 2000);
    end_renewal(&renewal);
}

static void
what_waits_for_a_restart_is_named_and_kept(void **state)
{
    struct renewal renewal = renew("[server]\ncommand = a b\nenvironment = A=1\n[log]\nkeep = 2\n",
                                   "[server]\ncommand = a c\nenvironment = A=1\n"
                                   "environment = B=1\numask = 022\n[ready]\ntimeout = 1s\n");

    (void)state;
    assert_string_equal(renewal.rest,
                        "server.command server.umask server.environment ready.timeout log.keep");
    assert_string_equal(renewal.old.config.command[1], "b");
    assert_int_equal(renewal.old.config.umask, -1);
    assert_int_equal(renewal.old.config.log_keep, 2);
    end_renewal(&renewal);
}

/* Of a command that was put back, nothing is left to say. */
static void
what_was_put_back_waits_no_longer(void **state)
{
    struct renewal renewal = renew("[server]\ncommand = a\n", "[server]\ncommand = b\n");
    struct reading back = read_good("# a remark\n[server]\n\ncommand =   a\n");

    (void)state;
    assert_string_equal(renewal.rest, "server.command");
    assert_false(
        config_renew(&renewal.old.config, &back.config, renewal.rest, sizeof(renewal.rest)));
    assert_string_equal(renewal.rest, "");
    end_reading(&back);
    end_renewal(&renewal);
}

static void
another_health_is_said(void **state)
{
    struct renewal same =
        renew("[health]\ncheck = file:" ROOT "/a\ncheck = file:" ROOT "/b\n",
              "[health]\ncheck = file:" ROOT "/a\ncheck = file:" ROOT "/b\n[stop]\ntimeout = 1\n");
    struct renewal other =
        renew("[health]\ncheck = file:" ROOT "/a\n",
              "[health]\ncheck = file:" ROOT "/b\ninterval = 3s\nfailures = 1\n");

    (void)state;
    assert_false(same.is_other_health);
    assert_int_equal(same.old.config.stop_timeout_ms, 1000);
    assert_true(other.is_other_health);
    assert_string_equal(other.old.config.health.list[0].path, ROOT "/b");
    assert_int_equal(other.old.config.health_interval_ms, 3000);
    assert_int_equal(other.old.config.health_failures, 1);
    end_renewal(&same);
    end_renewal(&other);
}

static void
a_long_rest_is_cut_and_not_more(void **state)
{
    struct reading old = read_good(""), newer = read_good("[server]\ncommand = a\numask = 0\n");
    char rest[20];

    (void)state;
    (void)config_renew(&old.config, &newer.config, rest, sizeof(rest));
    assert_string_equal(rest, "server.command serv");
    end_reading(&old);
    end_reading(&newer);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hooks_and_commands_are_words),
        cmocka_unit_test(without_a_word_there_are_none),
        cmocka_unit_test(a_hook_without_a_program_is_a_mistake),
        cmocka_unit_test(what_needs_no_restart_is_taken_over),
        cmocka_unit_test(what_waits_for_a_restart_is_named_and_kept),
        cmocka_unit_test(what_was_put_back_waits_no_longer),
        cmocka_unit_test(another_health_is_said),
        cmocka_unit_test(a_long_rest_is_cut_and_not_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
