/* SPDX-License-Identifier: Apache-2.0 */
/* [signal]: what becomes of a signal to a supervisor. */
#include "os/os.h"
#include "reading_fixture.h"

static int
action(const struct reading *reading, const char *name)
{
    return config_signal_action(&reading->config, os_signal_number(name));
}

static void
a_signal_becomes_another_or_a_verb(void **state)
{
    struct reading reading = read_good("[signal]\nINT = stop\nQUIT = ignore\nUSR1 = reload\n"
                                       "USR2 = SIGHUP\n");

    (void)state;
    assert_int_equal(action(&reading, "INT"), SIGNAL_STOP);
    assert_int_equal(action(&reading, "QUIT"), SIGNAL_IGNORE);
    assert_int_equal(action(&reading, "USR1"), SIGNAL_RELOAD);
    assert_int_equal(action(&reading, "USR2"), os_signal_number("HUP"));
    assert_int_equal(action(&reading, "WINCH"), os_signal_number("WINCH"));
    assert_true(config_maps_signals(&reading.config));
    end_reading(&reading);
}

static void
without_a_word_each_stays_what_it_is(void **state)
{
    static const char *const names[] = {"INT", "QUIT", "USR1", "USR2", "WINCH"};
    struct reading reading = read_good("");

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_int_equal(action(&reading, names[i]), os_signal_number(names[i]));
    assert_false(config_maps_signals(&reading.config));
    end_reading(&reading);
}

static void
what_it_cannot_be_is_named(void **state)
{
    struct reading reading = read_text("[signal]\nINT = stpo\nQUIT = 99999\nTERM = QUIT\n"
                                       "HUP = USR1\nUSR3 = HUP\n");

    (void)state;
    assert_int_equal(reading.mistakes.count, 5);
    assert_string_equal(reading.mistakes.lines[0],
                        "web.conf:2: 'INT' must be a signal's name such as TERM, or ignore, reload "
                        "or stop, not 'stpo': did you mean 'stop'?");
    assert_string_equal(reading.mistakes.lines[1],
                        "web.conf:3: 'QUIT' must be a signal's name such as TERM, or ignore, "
                        "reload or stop, not '99999'");
    assert_non_null(strstr(reading.mistakes.lines[2], "web.conf:4: 'TERM' always stops"));
    assert_non_null(strstr(reading.mistakes.lines[2], "'signal' in [stop]"));
    assert_non_null(strstr(reading.mistakes.lines[3], "'signal' in [reload]"));
    assert_non_null(strstr(reading.mistakes.lines[4], "unknown key 'USR3' in [signal]"));
    end_reading(&reading);
}

static void
a_newer_reading_is_taken_at_once(void **state)
{
    struct reading old = read_good("[signal]\nINT = stop\n"), newer = read_good("");
    char rest[64];

    (void)state;
    assert_false(config_renew(&old.config, &newer.config, rest, sizeof(rest)));
    assert_string_equal(rest, "");
    assert_int_equal(action(&old, "INT"), os_signal_number("INT"));
    end_reading(&old);
    end_reading(&newer);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signal_becomes_another_or_a_verb),
        cmocka_unit_test(without_a_word_each_stays_what_it_is),
        cmocka_unit_test(what_it_cannot_be_is_named),
        cmocka_unit_test(a_newer_reading_is_taken_at_once),
    };

    return cmocka_run_group_tests_name("config_signal", tests, NULL, NULL);
}
