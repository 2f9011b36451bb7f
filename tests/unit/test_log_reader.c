/* SPDX-License-Identifier: Apache-2.0 */
/* What `vortex logs` shows. */
#include "log_fixture.h"

static struct log_reader *
reader_at(int64_t lines)
{
    struct log_reader *reader = NULL;

    assert_int_equal(log_reader_open(path, lines, false, &reader), 0);
    return reader;
}

static void
move(const char *from, const char *to)
{
    char old[400];

    strcpy(old, name_in(from));
    assert_int_equal(rename(old, name_in(to)), 0);
}

/* All that is there now, read in small pieces. */
static void
expect_next(struct log_reader *reader, const char *text)
{
    char buf[20000];
    size_t length = 0;
    int64_t n;

    while ((n = log_reader_read(reader, buf + length, 7)) > 0)
        length += (size_t)n;
    assert_int_equal(n, 0);
    buf[length] = '\0';
    assert_string_equal(buf, text);
}

static void
expect_last(int64_t lines, const char *text)
{
    struct log_reader *reader = reader_at(lines);

    expect_next(reader, text);
    log_reader_free(reader);
}

static void
the_last_lines_are_shown(void **state)
{
    (void)state;
    write_file("web.log", "1\n2\n3\n");
    expect_last(2, "2\n3\n");
    expect_last(3, "1\n2\n3\n");
    expect_last(9, "1\n2\n3\n");
    expect_last(0, "");
    write_file("web.log", "4");
    expect_last(1, "4");
    expect_last(2, "3\n4");
}

static void
long_lines_are_found_too(void **state)
{
    char text[10004] = "";

    (void)state;
    memset(text, 'x', 10000);
    strcpy(text + 10000, "\n\n3");
    write_file("web.log", "1\n");
    write_file("web.log", text);
    expect_last(2, "\n3");
    expect_last(3, text);
}

static void
rotated_files_are_shown_before_it(void **state)
{
    (void)state;
    write_file("web.log.3", "0\n");
    write_file("web.log.2.gz", "?");
    write_file("web.log.1", "1\n2\n");
    write_file("web.log", "3\n");
    expect_last(2, "2\n3\n");
    expect_last(5, "1\n2\n3\n");
    move("web.log.2.gz", "gz");
    write_file("web.log.2", "0\n");
    expect_last(4, "0\n1\n2\n3\n");
    remove(path);
    expect_last(1, "2\n");
}

static void
an_empty_file_has_no_lines(void **state)
{
    (void)state;
    write_file("web.log", "");
    expect_last(5, "");
    write_file("web.log.1", "1\n2\n");
    expect_last(1, "2\n");
}

static void
an_empty_rotated_file_is_passed_over(void **state)
{
    struct log_reader *reader;

    (void)state;
    write_file("web.log", "1\n");
    reader = reader_at(20);
    move("web.log", "web.log.2");
    write_file("web.log.1", "");
    write_file("web.log", "");
    expect_next(reader, "1\n");
    write_file("web.log.2", "late\n"); /* its writer has not noticed either of them */
    expect_next(reader, "late\n");
    write_file("web.log", "2\n");
    expect_next(reader, "2\n");
    log_reader_free(reader);
    expect_last(2, "late\n2\n");
}

static void
a_file_that_is_no_log_is_refused(void **state)
{
    struct log_reader *reader;

    (void)state;
    assert_int_equal(log_reader_open(path, 1, false, &reader), -ENOENT);
    assert_true(place_mkdir(path));
    assert_int_equal(log_reader_open(path, 1, false, &reader), -EISDIR);
    rmdir(path);
    if (place_make_odd(path))
        assert_int_equal(log_reader_open(path, 1, false, &reader), -EMEDIUMTYPE);
}

static void
it_is_followed_across_rotations(void **state)
{
    struct log_reader *reader;

    (void)state;
    write_file("web.log", "1\n");
    reader = reader_at(20);
    expect_next(reader, "1\n");
    write_file("web.log", "2\n");
    expect_next(reader, "2\n");

    write_file("web.log", "3\n");
    move("web.log", "web.log.1");
    expect_next(reader, "3\n");
    write_file("web.log", "");
    expect_next(reader, "");
    write_file("web.log.1", "late\n"); /* its writer has not noticed yet */
    expect_next(reader, "late\n");
    write_file("web.log", "4\n");
    move("web.log.1", "web.log.2");
    move("web.log", "web.log.1");
    write_file("web.log", "5\n");
    expect_next(reader, "4\n5\n");
    log_reader_free(reader);
}

static void
it_is_followed_where_it_was_emptied_or_removed(void **state)
{
    struct log_reader *reader;

    (void)state;
    write_file("web.log", "1\n2\n");
    reader = reader_at(20);
    expect_next(reader, "1\n2\n");
    assert_int_equal(truncate(path, 0), 0);
    write_file("web.log", "3\n");
    expect_next(reader, "3\n");
    remove(path);
    expect_next(reader, "");
    write_file("web.log", "4\n");
    expect_next(reader, "4\n");
    log_reader_free(reader);
}

static void
a_missing_file_is_waited_for(void **state)
{
    struct log_reader *reader = NULL;

    (void)state;
    assert_int_equal(log_reader_open(path, 5, true, &reader), 0);
    expect_next(reader, "");
    write_file("web.log", "1\n");
    expect_next(reader, "1\n");
    log_reader_free(reader);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_last_lines_are_shown, set_up, tear_down),
        cmocka_unit_test_setup_teardown(long_lines_are_found_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rotated_files_are_shown_before_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_file_has_no_lines, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_rotated_file_is_passed_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_is_no_log_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_is_followed_across_rotations, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_is_followed_where_it_was_emptied_or_removed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_missing_file_is_waited_for, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
