/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/message.h"
#include "os/os.h"

/* Read a copy of it; the first word, where there is exactly one that is known. */
static enum message_kind
read_all(const char *data, size_t length, struct message_word *ret_word)
{
    static char copy[256];
    enum message_kind kind = MESSAGE_OTHER;
    struct message_word word;
    struct message message;

    assert_true(length < sizeof(copy));
    memcpy(copy, data, length);
    copy[length] = '\0';
    message = message_open(copy, length);
    while (message_next(&message, &word)) {
        if (word.kind == MESSAGE_OTHER)
            continue;
        assert_int_equal(kind, MESSAGE_OTHER);
        kind = word.kind;
        *ret_word = word;
    }
    return kind;
}

/* Of a string literal, with any NUL in it. */
#define READ(text, word) read_all(text, sizeof(text) - 1, word)

static void
ready_is_said_by_a_whole_line_alone(void **state)
{
    struct message_word word;

    (void)state;
    assert_int_equal(READ("READY=1", &word), MESSAGE_READY);
    assert_int_equal(READ("READY=1\n", &word), MESSAGE_READY);
    assert_int_equal(READ("\n\nX_WATCHDOG=1\nREADY=1\nX", &word), MESSAGE_READY);
    assert_int_equal(READ("READY=0", &word), MESSAGE_OTHER);
    assert_int_equal(READ("READY=12", &word), MESSAGE_OTHER);
    assert_int_equal(READ("READY=1 ", &word), MESSAGE_OTHER);
    assert_int_equal(READ(" READY=1", &word), MESSAGE_OTHER);
    assert_int_equal(READ("XREADY=1", &word), MESSAGE_OTHER);
    assert_int_equal(READ("READY", &word), MESSAGE_OTHER);
    assert_int_equal(READ("", &word), MESSAGE_OTHER);
}

static void
a_status_is_the_rest_of_its_line(void **state)
{
    struct message_word word;

    (void)state;
    assert_int_equal(READ("STATUS=READY=1\nFOO=1\n", &word), MESSAGE_STATUS);
    assert_string_equal(word.text, "READY=1");
    assert_int_equal(READ("STATUS=", &word), MESSAGE_STATUS);
    assert_string_equal(word.text, "");
}

static void
a_timeout_is_a_number_of_microseconds(void **state)
{
    struct message_word word;

    (void)state;
    assert_int_equal(READ("EXTEND_TIMEOUT_USEC=5001999\n", &word), MESSAGE_EXTEND_TIMEOUT);
    assert_int_equal(word.number, 5001);
    assert_int_equal(READ("EXTEND_TIMEOUT_USEC=0", &word), MESSAGE_EXTEND_TIMEOUT);
    assert_int_equal(word.number, 0);
    assert_int_equal(READ("EXTEND_TIMEOUT_USEC=4611686018427387902", &word),
                     MESSAGE_EXTEND_TIMEOUT);
    assert_int_equal(READ("EXTEND_TIMEOUT_USEC=4611686018427387903", &word), MESSAGE_OTHER);
    assert_int_equal(READ("EXTEND_TIMEOUT_USEC=18446744073709551617", &word), MESSAGE_OTHER);
    assert_int_equal(READ("EXTEND_TIMEOUT_USEC=", &word), MESSAGE_OTHER);
    assert_int_equal(READ("EXTEND_TIMEOUT_USEC=-1", &word), MESSAGE_OTHER);
    assert_int_equal(READ("EXTEND_TIMEOUT_USEC=1s", &word), MESSAGE_OTHER);
}

static void
a_nul_may_end_a_message_and_stand_nowhere_else(void **state)
{
    struct message_word word;

    (void)state;
    assert_int_equal(READ("READY=1\0", &word), MESSAGE_READY);
    assert_int_equal(READ("READY=1\n\0", &word), MESSAGE_READY);
    assert_int_equal(READ("READY=1\0\0", &word), MESSAGE_OTHER);
    assert_int_equal(READ("READY=1\0STATUS=x", &word), MESSAGE_OTHER);
    assert_int_equal(READ("READY=1\n\0\n", &word), MESSAGE_OTHER);
    assert_int_equal(READ("\0READY=1", &word), MESSAGE_OTHER);
}

/* Send it to the socket that the environment names; it is there when this returns. */
static void
say(const char *text, size_t length)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *name = getenv("NOTIFY_SOCKET");
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    socklen_t size;

    assert_true(fd >= 0 && name && name[0] == '@');
    size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
    memcpy(address.sun_path + 1, name + 1, strlen(name) - 1);
    assert_int_equal(sendto(fd, text, length, 0, (struct sockaddr *)&address, size), length);
    close(fd);
}

/* A number that is cut is another one. */
static void
a_message_that_is_too_long_counts_as_empty(void **state)
{
    static const char text[] = "EXTEND_TIMEOUT_USEC=5000000";
    char fits[sizeof(text)], short_of_it[sizeof(text) - 1];
    intptr_t handle;
    int64_t pid;

    (void)state;
    if (os_notify_open(0, 0, &handle) < 0)
        skip(); /* the plain port */
    say(text, strlen(text));
    say(text, strlen(text));
    assert_int_equal(os_notify_read(handle, fits, sizeof(fits), &pid, NULL), strlen(text));
    assert_string_equal(fits, text);
    assert_int_equal(pid, getpid());
    assert_int_equal(os_notify_read(handle, short_of_it, sizeof(short_of_it), &pid, NULL), 0);
    assert_string_equal(short_of_it, "");
    os_handle_close(handle);
}

static void
the_managers_words_are_known_whole(void **state)
{
    struct message_word word;

    (void)state;
    assert_int_equal(READ("WATCHDOG=1", &word), MESSAGE_MANAGERS);
    assert_string_equal(word.text, "WATCHDOG=1");
    assert_int_equal(READ("ERRNO=5", &word), MESSAGE_ERRNO);
    assert_string_equal(word.text, "ERRNO=5");
    assert_int_equal(word.number, 5);
    assert_int_equal(READ("ERRNO=4294967296", &word), MESSAGE_OTHER);
    assert_int_equal(READ("MAINPID=4711", &word), MESSAGE_MAIN_PID);
    assert_int_equal(word.number, 4711);
    assert_int_equal(READ("MAINPID=-1", &word), MESSAGE_OTHER);
    assert_int_equal(READ("RELOADING=1", &word), MESSAGE_RELOADING);
    assert_int_equal(READ("STOPPING=1", &word), MESSAGE_STOPPING);
    assert_int_equal(READ("BUSERROR=org.example", &word), MESSAGE_MANAGERS);
    assert_int_equal(READ("WATCHDOG=trigger\nERRNO", &word), MESSAGE_OTHER);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_managers_words_are_known_whole),
        cmocka_unit_test(ready_is_said_by_a_whole_line_alone),
        cmocka_unit_test(a_status_is_the_rest_of_its_line),
        cmocka_unit_test(a_timeout_is_a_number_of_microseconds),
        cmocka_unit_test(a_nul_may_end_a_message_and_stand_nowhere_else),
        cmocka_unit_test(a_message_that_is_too_long_counts_as_empty),
    };

    return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
