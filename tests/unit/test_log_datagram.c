/* SPDX-License-Identifier: Apache-2.0 */
/* Lines to syslog and to the journal, by a socket that stands for theirs. */
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "log_fixture.h"

static struct log_datagram datagram;

/* A socket like /dev/log. */
static int
bind_socket(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    assert_true(fd >= 0);
    strcpy(address.sun_path, name_in("socket"));
    unlink(address.sun_path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static struct log_settings
begin(enum log_target target)
{
    static char socket_path[128];

    log_datagram_init(&datagram, target);
    strcpy(socket_path, name_in("socket"));
    datagram.path = socket_path;
    return (struct log_settings){.target = target, .name = "web"};
}

static int64_t
send_text(const struct log_settings *settings, const char *text, int64_t now_ms)
{
    return log_datagram_send(&datagram, settings, text, strlen(text), now_ms);
}

static void
receive(int fd, char *buf, size_t size)
{
    ssize_t n = recv(fd, buf, size - 1, 0);

    assert_true(n >= 0);
    buf[n] = '\0';
}

static void
syslog_gets_a_line_with_priority_time_and_tag(void **state)
{
    struct log_settings settings = begin(LOG_SYSLOG);
    int fd = bind_socket();
    char buf[256];

    (void)state;
    assert_int_equal(send_text(&settings, "hello\nworld\n", 0), 6);
    receive(fd, buf, sizeof(buf));
    assert_memory_equal(buf, "<30>", 4);
    assert_int_equal(buf[4 + 3], ' ');
    assert_int_equal(buf[4 + 9], ':');
    assert_string_equal(buf + 4 + 15, " web: hello");
    log_datagram_close(&datagram);
    close(fd);
}

static void
the_journal_gets_fields(void **state)
{
    struct log_settings settings = begin(LOG_JOURNAL);
    int fd = bind_socket();
    char buf[256];

    (void)state;
    assert_int_equal(send_text(&settings, "hello\n", 0), 6);
    receive(fd, buf, sizeof(buf));
    assert_string_equal(buf,
                        "PRIORITY=6\nSYSLOG_IDENTIFIER=web\nVORTEX_INSTANCE=web\nMESSAGE=hello\n");
    log_datagram_close(&datagram);
    close(fd);
}

static void
a_line_without_an_end_waits_and_a_long_one_becomes_several(void **state)
{
    struct log_settings settings = begin(LOG_JOURNAL);
    int fd = bind_socket();
    char buf[20000], text[20001] = "";

    (void)state;
    assert_int_equal(send_text(&settings, "world", 0), -EAGAIN);
    memset(text, 'x', 20000);
    assert_int_equal(send_text(&settings, text, 0), 16384);
    receive(fd, buf, sizeof(buf));
    assert_int_equal(strlen(strstr(buf, "MESSAGE=")), 8 + 16384 + 1);
    log_datagram_close(&datagram);
    close(fd);
}

static void
a_missing_manager_is_asked_again_with_growing_delay(void **state)
{
    struct log_settings settings = begin(LOG_SYSLOG);
    int fd;
    char buf[256];

    (void)state;
    assert_int_equal(send_text(&settings, "a\n", 1000), -EAGAIN);
    assert_int_equal(datagram.error, -ENOENT);
    assert_int_equal(datagram.retry_ms, 1050);
    fd = bind_socket();
    assert_int_equal(send_text(&settings, "a\n", 1049), -EAGAIN);
    assert_int_equal(send_text(&settings, "a\n", 1050), 2);
    receive(fd, buf, sizeof(buf));
    assert_int_equal(datagram.error, 0);
    assert_int_equal(datagram.retry_ms, -1);

    close(fd); /* it is restarted */
    assert_int_equal(send_text(&settings, "b\n", 2000), -EAGAIN);
    assert_int_equal(datagram.error, -ECONNREFUSED);
    fd = bind_socket();
    assert_int_equal(send_text(&settings, "b\n", 2050), 2);
    receive(fd, buf, sizeof(buf));
    log_datagram_close(&datagram);
    close(fd);
}

static void
a_manager_that_takes_nothing_makes_nobody_wait(void **state)
{
    struct log_settings settings = begin(LOG_SYSLOG);
    int fd = bind_socket();
    int64_t n = 0;

    (void)state;
    for (int i = 0; i < 100000 && n >= 0; i++)
        n = send_text(&settings, "a\n", 0);
    assert_int_equal(n, -EAGAIN);
    assert_int_equal(datagram.error, 0);
    log_datagram_close(&datagram);
    close(fd);
}

static void
the_delay_grows_up_to_two_seconds(void **state)
{
    (void)state;
    assert_int_equal(log_delay(0), 50);
    assert_int_equal(log_delay(50), 100);
    assert_int_equal(log_delay(1600), 2000);
    assert_int_equal(log_delay(2000), 2000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(syslog_gets_a_line_with_priority_time_and_tag, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_journal_gets_fields, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_line_without_an_end_waits_and_a_long_one_becomes_several,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_missing_manager_is_asked_again_with_growing_delay, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_manager_that_takes_nothing_makes_nobody_wait, set_up,
                                        tear_down),
        cmocka_unit_test(the_delay_grows_up_to_two_seconds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
