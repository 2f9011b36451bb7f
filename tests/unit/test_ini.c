/* SPDX-License-Identifier: Apache-2.0 */
/* Lines: where they end, what continues them, what says nothing. */
#include <stdlib.h>

#include "host/reading.h"
#include "reading_fixture.h"

static void
a_value_reaches_to_the_end_of_its_line(void **state)
{
    struct reading reading = read_good("[server]\n"
                                       "\t command\t=  a ; b # c = d \t \n"
                                       "user=x\n");

    (void)state;
    EXPECT_WORDS(reading.config.command, "a", ";", "b", "#", "c", "=", "d");
    assert_string_equal(reading.config.user, "x");
    end_reading(&reading);
}

static void
a_long_line_is_read_whole(void **state)
{
    static char text[70000] = "[server]\nuser = ";
    struct reading reading;

    (void)state;
    memset(text + strlen(text), 'u', 65536);
    reading = read_good(text);

    assert_int_equal(strlen(reading.config.user), 65536);
    end_reading(&reading);
}

static void
comments_and_blank_lines_say_nothing(void **state)
{
    struct reading reading = read_good("# user = a\n; user = b\n\n \t \n[server]\n  # user = c\n"
                                       "  ; user = d \\\nuser = e\n#");

    (void)state;
    assert_string_equal(reading.config.user, "e");
    end_reading(&reading);
}

static void
lines_may_end_as_on_windows_or_not_at_all(void **state)
{
    struct reading reading = read_good("\xef\xbb\xbf[server]\r\ncommand = a \\\r\n  b\r\n\r\n"
                                       "# c\r\nuser = u\r\n[stop]\r\ntimeout = 5s");

    (void)state;
    EXPECT_WORDS(reading.config.command, "a", "b");
    assert_string_equal(reading.config.user, "u");
    assert_int_equal(reading.config.stop_timeout_ms, 5000);
    end_reading(&reading);
}

static void
a_backslash_at_its_end_continues_a_line(void **state)
{
    struct reading reading = read_good("[server]\n"
                                       "command = a\\\n"
                                       "b \\\n"
                                       "  # a comment between does not end it\n"
                                       "  'c\\\n"
                                       "d' \\\n"
                                       "\n"
                                       "user = u\\\\\n"
                                       "group = g \\");

    (void)state;
    EXPECT_WORDS(reading.config.command, "a", "b", "c d");
    assert_string_equal(reading.config.user, "u\\\\");
    assert_string_equal(reading.config.group, "g");
    end_reading(&reading);
}

static void
a_section_may_be_opened_again(void **state)
{
    struct reading reading = read_good("[server]\nuser=u\n[stop]\nsignal=INT\n[server]\ngroup=g\n");

    (void)state;
    assert_string_equal(reading.config.user, "u");
    assert_string_equal(reading.config.group, "g");
    end_reading(&reading);
}

static void
a_mebibyte_is_read(void **state)
{
    char *text = malloc(TEXT_MAX);
    struct reading reading;

    (void)state;
    assert_non_null(text);
    memset(text, '#', TEXT_MAX);
    memcpy(text + TEXT_MAX - 17, "\n[server]\nuser=u\n", 17);
    reading = read_bytes(text, TEXT_MAX);

    assert_int_equal(reading.error, 0);
    assert_string_equal(reading.config.user, "u");
    end_reading(&reading);
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_reaches_to_the_end_of_its_line),
        cmocka_unit_test(a_long_line_is_read_whole),
        cmocka_unit_test(comments_and_blank_lines_say_nothing),
        cmocka_unit_test(lines_may_end_as_on_windows_or_not_at_all),
        cmocka_unit_test(a_backslash_at_its_end_continues_a_line),
        cmocka_unit_test(a_section_may_be_opened_again),
        cmocka_unit_test(a_mebibyte_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
