/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each single allocation of a reading fails once. Linked with --wrap for malloc, calloc and
 * realloc; that nothing leaks is for AddressSanitizer and valgrind to say.
 */
#include <limits.h>
#include <stdlib.h>

#include "reading_fixture.h"

static int allocations_left = INT_MAX;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static bool
fails(void)
{
    return allocations_left-- == 0;
}

void *
__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *
__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

/* Read with ever more allocations until none fails; each failure is -ENOMEM and nothing else. */
static void
expect_out_of_memory_until(const char *text, int error)
{
    int count = 0;

    for (;; count++) {
        struct reading reading;
        bool failed;

        allocations_left = count;
        reading = read_text(text);
        failed = allocations_left < 0;
        allocations_left = INT_MAX;
        if (!failed) {
            assert_int_equal(reading.error, error);
            end_reading(&reading);
            break;
        }
        assert_int_equal(reading.error, -ENOMEM);
        assert_null(reading.config.command);
        assert_null(reading.config.pidfile);
        end_reading(&reading);
    }
    assert_true(count > 10);
}

static void
without_memory_a_good_reading_says_so(void **state)
{
    (void)state;
    expect_out_of_memory_until("[server]\ncommand = a b c %p\ndirectory = /d\nuser = u\n"
                               "environment = A=1 B=2 A=3\nenvironment = C=4\n"
                               "supplementary-groups = adm %n\nsupplementary-groups = 1 2 3\n"
                               "environment-file = -/nonexistent\n[log]\nfile = /l\n[pidfile]\n"
                               "path = /run/%n.pid\n[stop]\nsignal = INT\n"
                               "command = c %p\n[reload]\ncommand = d\n[hook]\n"
                               "pre-start = e f\n[ready]\n"
                               "when = tcp:localhost:1\nwhen = http://a:8/b\nwhen = exec:a b\n"
                               "when = file:/%n\nwhen = notify\n",
                               0);
}

static void
without_memory_a_bad_reading_says_so(void **state)
{
    (void)state;
    expect_out_of_memory_until("x = y\n[server\ncommand = 'a\ndirectory = d\nuser = %x\n"
                               "environment = 1=1\nenvironment-file = /nonexistent\n"
                               "environment-file = /\nnice = x\nnice = x\nlog =\ncommnd = a\n"
                               "[stpo]\n[pidfile]\npath = %p\n[ready]\nwhen = x\n"
                               "when = http://a:x/\n[health]\ncheck = log:x\n",
                               -EINVAL);
}

static void
without_memory_a_file_of_variables_says_so(void **state)
{
    (void)state;
    expect_out_of_memory_until(
        "[server]\nenvironment-file = " SOURCE_ROOT "/tests/unit/sample.env\n", -EINVAL);
    expect_out_of_memory_until("[server]\nenvironment-file = " SOURCE_ROOT "/tests/unit/s*.env\n",
                               -EINVAL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_memory_a_good_reading_says_so),
        cmocka_unit_test(without_memory_a_bad_reading_says_so),
        cmocka_unit_test(without_memory_a_file_of_variables_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
