/* SPDX-License-Identifier: Apache-2.0 */
/* What others wrote is printed so that no reader is led astray. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "host/escape.h"

static void
expect(const char *text, enum escape as, const char *wanted)
{
    char piece[ESCAPE_MAX], all[256] = "";
    size_t n;

    for (; (n = escape_next(text, as, piece)) > 0; text += n) {
        assert_true(strlen(all) + strlen(piece) < sizeof(all));
        strcat(all, piece);
    }
    assert_string_equal(all, wanted);
    assert_string_equal(piece, "");
}

static void
plain_text_and_utf8_stay_as_they_are(void **state)
{
    static const char text[] = "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8c\x80 {}='#\xc2\xa0";

    (void)state;
    expect(text, ESCAPE_TERMINAL, text);
    expect(text, ESCAPE_JSON, text);
    expect(text, ESCAPE_LABEL, text);
    expect("", ESCAPE_JSON, "");
}

static void
a_terminal_gets_no_control_characters(void **state)
{
    (void)state;
    expect("a\x1b[31m\tb\nc\x7f\xc2\x9b\"\\", ESCAPE_TERMINAL, "a?[31m?b?c??\"\\");
}

static void
json_has_escapes_for_what_a_string_cannot_hold(void **state)
{
    (void)state;
    expect("a\"b\\c\n\x01\x1f/", ESCAPE_JSON, "a\\\"b\\\\c\\u000a\\u0001\\u001f/");
}

static void
a_label_has_three_escapes_and_no_control_characters(void **state)
{
    (void)state;
    expect("a\"b\\c\nd\tz", ESCAPE_LABEL, "a\\\"b\\\\c\\nd z");
}

static void
what_is_no_utf8_is_replaced_byte_by_byte(void **state)
{
    static const char *const texts[] = {
        "\xff", "\xc3(", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"};
    static const char *const wanted[] = {"\\ufffd",
                                         "\\ufffd(",
                                         "\\ufffd\\ufffd",
                                         "\\ufffd\\ufffd\\ufffd",
                                         "\\ufffd\\ufffd\\ufffd\\ufffd",
                                         "\\ufffd\\ufffd"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        expect(texts[i], ESCAPE_JSON, wanted[i]);
    expect("\xff", ESCAPE_LABEL, "\xef\xbf\xbd");
    expect("\xff", ESCAPE_TERMINAL, "\xef\xbf\xbd");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_and_utf8_stay_as_they_are),
        cmocka_unit_test(a_terminal_gets_no_control_characters),
        cmocka_unit_test(json_has_escapes_for_what_a_string_cannot_hold),
        cmocka_unit_test(a_label_has_three_escapes_and_no_control_characters),
        cmocka_unit_test(what_is_no_utf8_is_replaced_byte_by_byte),
    };

    return cmocka_run_group_tests_name("escape", tests, NULL, NULL);
}
