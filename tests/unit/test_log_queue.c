/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept while a target takes nothing, what is dropped, and what was said last. */
#include "log_fixture.h"

#define LINE_LENGTH 64

static struct log_queue queue;
static struct log_lines lines;

static int
begin(void **state)
{
    (void)state;
    queue = (struct log_queue){0};
    lines = (struct log_lines){0};
    return 0;
}

static int
end(void **state)
{
    (void)state;
    log_queue_free(&queue);
    return log_lines_watch(&lines, false);
}

static void
put(const char *text)
{
    log_queue_put(&queue, text, strlen(text), 0);
}

static void
expect_queue(const char *text)
{
    assert_int_equal(queue.end - queue.begin, strlen(text));
    assert_memory_equal(queue.bytes + queue.begin, text, strlen(text));
}

/* A line of LINE_LENGTH bytes with that number. */
static const char *
line_number(int number)
{
    static char line[LINE_LENGTH + 1];

    snprintf(line, sizeof(line), "%0*d\n", LINE_LENGTH - 1, number);
    return line;
}

static int
fill(void)
{
    int number = 0;

    while (queue.dropped == 0)
        put(line_number(number++));
    return number - 1;
}

/* ---- Dropping ---------------------------------------------------------------------------- */

static void
what_is_taken_makes_room_and_an_empty_queue_holds_no_memory(void **state)
{
    (void)state;
    put("one\ntw");
    log_queue_take(&queue, 2);
    expect_queue("e\ntw");
    put("o\n");
    expect_queue("e\ntwo\n");
    log_queue_take(&queue, 6);
    assert_null(queue.bytes);
    assert_true(log_queue_is_passed(&queue));
}

static void
a_full_queue_drops_whole_lines_and_counts_them(void **state)
{
    int kept = fill();

    (void)state;
    assert_int_equal(kept, LOG_QUEUE_MAX / LINE_LENGTH);
    put("more\nand ");
    put("more\nx\n");
    assert_int_equal(queue.dropped, 4);
    assert_int_equal(queue.end - queue.begin, LOG_QUEUE_MAX);
    assert_memory_equal(queue.bytes + queue.end - LINE_LENGTH, line_number(kept - 1), LINE_LENGTH);
}

static void
the_count_is_said_when_half_of_it_is_free(void **state)
{
    (void)state;
    fill();
    log_queue_take(&queue, LINE_LENGTH);
    put("still none\n");
    assert_int_equal(queue.dropped, 2);
    log_queue_take(&queue, LOG_QUEUE_MAX / 2 - LINE_LENGTH);
    put("on\n");
    log_queue_take(&queue, LOG_QUEUE_MAX / 2);
    expect_queue("vortex: 2 lines dropped: the log was too slow\non\n");
}

static void
the_reason_is_said(void **state)
{
    (void)state;
    fill();
    log_queue_take(&queue, LOG_QUEUE_MAX);
    queue.dropped = 0;
    fill();
    queue.dropped = 0;
    log_queue_put(&queue, "x\n", 2, -ENOSPC);
    log_queue_take(&queue, LOG_QUEUE_MAX);
    log_queue_say_dropped(&queue);
    expect_queue("vortex: 1 line dropped: No space left on device\n");
}

static void
a_begun_line_that_finds_no_end_is_taken_back(void **state)
{
    char *half = calloc(1, LOG_QUEUE_MAX);

    (void)state;
    memset(half, 'x', LOG_QUEUE_MAX - 1);
    put("a\nbegun ");
    log_queue_put(&queue, half, LOG_QUEUE_MAX - 1, 0);
    expect_queue("a\n");
    put("and done\nb\n");
    expect_queue("a\nvortex: 1 line dropped: the log was too slow\nb\n");
    free(half);
}

static void
a_begun_line_that_has_left_gets_an_end(void **state)
{
    char *half = calloc(1, LOG_QUEUE_MAX);

    (void)state;
    memset(half, 'x', LOG_QUEUE_MAX - 1);
    put("a\nbegun ");
    log_queue_take(&queue, 4);
    log_queue_put(&queue, half, LOG_QUEUE_MAX - 1, 0);
    expect_queue("gun \n");
    put("and done\nb\n");
    expect_queue("gun \nvortex: 1 line dropped: the log was too slow\nb\n");
    free(half);
}

static void
what_went_past_the_queue_is_not_forgotten(void **state)
{
    (void)state;
    log_queue_pass(&queue, "a\nbe", 4);
    assert_true(queue.is_mid_line);
    fill();
    assert_memory_equal(queue.bytes, line_number(0), LINE_LENGTH);
    log_queue_free(&queue);
    log_queue_pass(&queue, "gun\n", 4);
    assert_false(queue.is_mid_line);
}

/* ---- Times ------------------------------------------------------------------------------- */

static void
expect_stamp(const char *text)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ ";

    for (size_t i = 0; form[i]; i++)
        if (form[i] == 'd')
            assert_true(text[i] >= '0' && text[i] <= '9');
        else
            assert_int_equal(text[i], form[i]);
}

static void
each_line_begins_with_its_time_and_no_piece_does(void **state)
{
    (void)state;
    queue.stamps = true;
    put("a\nb");
    put("c\n");
    assert_int_equal(queue.end, 25 + 2 + 25 + 3);
    expect_stamp(queue.bytes);
    assert_memory_equal(queue.bytes + 25, "a\n", 2);
    expect_stamp(queue.bytes + 27);
    assert_memory_equal(queue.bytes + 52, "bc\n", 3);
}

/* ---- What was said last ------------------------------------------------------------------ */

static void
add(const char *text)
{
    log_lines_add(&lines, text, strlen(text));
}

static void
expect_tail(const char *text)
{
    char buf[LOG_TAIL_SIZE];

    assert_int_equal(log_lines_tail(&lines, buf, sizeof(buf)), strlen(text));
    assert_string_equal(buf, text);
}

static void
the_tail_is_the_last_twenty_lines(void **state)
{
    char expected[LOG_TAIL_SIZE] = "";

    (void)state;
    expect_tail("");
    add("a\nb");
    expect_tail("a\nb");
    add("\n");
    for (int i = 0; i < 300; i++) {
        char line[64];

        snprintf(line, sizeof(line), "%d and what follows it\n", i);
        add(line);
        if (i >= 280)
            strcat(expected, line);
    }
    expect_tail(expected);
}

static void
a_tail_that_is_cut_begins_with_a_line(void **state)
{
    char buf[12], *long_line = calloc(1, 10000);

    (void)state;
    memset(long_line, 'x', 9000);
    strcat(long_line, "\nlast\n");
    add(long_line);
    expect_tail("last\n");
    assert_int_equal(log_lines_tail(&lines, buf, sizeof(buf)), 5);
    add("0123456789\nabc\n");
    assert_int_equal(log_lines_tail(&lines, buf, sizeof(buf)), 4);
    assert_string_equal(buf, "abc\n");
    free(long_line);
}

static void
watched_lines_come_one_after_the_other(void **state)
{
    char buf[8];

    (void)state;
    add("before\n");
    assert_false(log_lines_next(&lines, buf, sizeof(buf)));
    assert_int_equal(log_lines_watch(&lines, true), 0);
    add("one\ntw");
    assert_true(log_lines_next(&lines, buf, sizeof(buf)));
    assert_string_equal(buf, "one");
    assert_false(log_lines_next(&lines, buf, sizeof(buf)));
    add("o\n\nlonger than that\n");
    assert_true(log_lines_next(&lines, buf, sizeof(buf)));
    assert_string_equal(buf, "two");
    assert_true(log_lines_next(&lines, buf, sizeof(buf)));
    assert_string_equal(buf, "");
    assert_true(log_lines_next(&lines, buf, sizeof(buf)));
    assert_string_equal(buf, "longer ");
    assert_false(log_lines_next(&lines, buf, sizeof(buf)));
}

static void
a_watched_line_without_an_end_is_given_once(void **state)
{
    char *buf = malloc(LOG_TAIL_SIZE + 1), *text = calloc(1, LOG_TAIL_SIZE + 1);

    (void)state;
    memset(text, 'x', LOG_TAIL_SIZE);
    log_lines_watch(&lines, true);
    assert_int_equal(log_lines_room(&lines), LOG_TAIL_SIZE);
    add(text);
    assert_true(log_lines_next(&lines, buf, LOG_TAIL_SIZE + 1));
    assert_string_equal(buf, text);
    add("rest");
    add(" of it\nnext\n");
    assert_true(log_lines_next(&lines, buf, LOG_TAIL_SIZE + 1));
    assert_string_equal(buf, "next");
    free(text);
    free(buf);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_taken_makes_room_and_an_empty_queue_holds_no_memory,
                                        begin, end),
        cmocka_unit_test_setup_teardown(a_full_queue_drops_whole_lines_and_counts_them, begin, end),
        cmocka_unit_test_setup_teardown(the_count_is_said_when_half_of_it_is_free, begin, end),
        cmocka_unit_test_setup_teardown(the_reason_is_said, begin, end),
        cmocka_unit_test_setup_teardown(a_begun_line_that_finds_no_end_is_taken_back, begin, end),
        cmocka_unit_test_setup_teardown(a_begun_line_that_has_left_gets_an_end, begin, end),
        cmocka_unit_test_setup_teardown(what_went_past_the_queue_is_not_forgotten, begin, end),
        cmocka_unit_test_setup_teardown(each_line_begins_with_its_time_and_no_piece_does, begin,
                                        end),
        cmocka_unit_test_setup_teardown(the_tail_is_the_last_twenty_lines, begin, end),
        cmocka_unit_test_setup_teardown(a_tail_that_is_cut_begins_with_a_line, begin, end),
        cmocka_unit_test_setup_teardown(watched_lines_come_one_after_the_other, begin, end),
        cmocka_unit_test_setup_teardown(a_watched_line_without_an_end_is_given_once, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
