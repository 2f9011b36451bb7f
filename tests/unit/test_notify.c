/* SPDX-License-Identifier: Apache-2.0 */
/* What a service manager hears, by the socket and by the descriptor that it names. */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/core.h"

static intptr_t manager = OS_NONE;

static int
set_up(void **state)
{
    (void)state;
    unsetenv("NOTIFY_FD");
    unsetenv("WATCHDOG_PID");
    unsetenv("WATCHDOG_USEC");
    return os_notify_open(0, 0, &manager); /* sets NOTIFY_SOCKET */
}

static int
tear_down(void **state)
{
    (void)state;
    manager = os_handle_close(manager);
    unsetenv("NOTIFY_SOCKET");
    return 0;
}

static void
expect_heard(const char *text)
{
    char message[4097];
    int64_t pid;

    assert_true(os_notify_read(manager, message, sizeof(message), &pid, NULL) > 0);
    assert_string_equal(message, text);
    assert_int_equal(pid, getpid());
}

static void
each_word_is_heard(void **state)
{
    (void)state;
    assert_int_equal(vortex_notify_ready(), 0);
    expect_heard("READY=1");
    assert_int_equal(vortex_notify_stopping(), 0);
    expect_heard("STOPPING=1");
    assert_int_equal(vortex_notify_watchdog(), 0);
    expect_heard("WATCHDOG=1");
    assert_int_equal(vortex_notify_extend_timeout(1500), 0);
    expect_heard("EXTEND_TIMEOUT_USEC=1500000");
    assert_int_equal(vortex_notify_main_pid(4711), 0);
    expect_heard("MAINPID=4711");
    assert_int_equal(vortex_notify_status("fine, thanks"), 0);
    expect_heard("STATUS=fine, thanks");
}

static void
a_reload_has_its_time(void **state)
{
    int64_t before = os_monotonic_us(), time, pid;
    char message[4097];

    (void)state;
    assert_int_equal(vortex_notify_reloading(), 0);
    assert_true(os_notify_read(manager, message, sizeof(message), &pid, NULL) > 0);
    assert_int_equal(sscanf(message, "RELOADING=1\nMONOTONIC_USEC=%" SCNd64, &time), 1);
    assert_in_range(time, before, os_monotonic_us());
}

static void
a_status_is_one_line_and_no_other_assignment(void **state)
{
    char longer[5000];

    (void)state;
    assert_int_equal(vortex_notify_status("one\nREADY=1\r\n"), 0);
    expect_heard("STATUS=one READY=1  ");
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    assert_int_equal(vortex_notify_status(longer), 0);
    assert_int_equal(notify_send(longer, 0), -EMSGSIZE);
}

static void
nonsense_is_refused(void **state)
{
    (void)state;
    assert_int_equal(vortex_notify_main_pid(0), -EINVAL);
    assert_int_equal(vortex_notify_main_pid(-1), -EINVAL);
    assert_int_equal(vortex_notify_extend_timeout(-1), -EINVAL);
    assert_int_equal(vortex_notify_extend_timeout(INT64_MAX / 1000 + 1), -EINVAL);
    setenv("NOTIFY_SOCKET", "vsock:2:1234", 1);
    assert_int_equal(vortex_notify_ready(), -EPROTONOSUPPORT);
    setenv("NOTIFY_SOCKET", "/", 1);
    assert_int_equal(vortex_notify_ready(), -EPROTONOSUPPORT);
    setenv("NOTIFY_SOCKET", "/there/is/no/such/socket", 1);
    assert_int_equal(vortex_notify_ready(), -ENOENT);
    setenv("NOTIFY_SOCKET",
           "/longer/than/an/address/has/room/for/so/that/it/would/have/to/be/cut/and/then/lead"
           "/somewhere/else/entirely/or/nowhere",
           1);
    assert_int_equal(vortex_notify_ready(), -ENAMETOOLONG);
}

static void
where_nobody_listens_that_is_said(void **state)
{
    (void)state;
    setenv("NOTIFY_SOCKET", "", 1);
    assert_int_equal(vortex_notify_ready(), -ENOTCONN);
    unsetenv("NOTIFY_SOCKET");
    assert_int_equal(vortex_notify_ready(), -ENOTCONN);
    assert_int_equal(vortex_notify_stopping(), -ENOTCONN);
    assert_int_equal(vortex_notify_barrier(0), -ENOTCONN);
}

static void
a_socket_in_the_file_system_is_as_good(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char directory[] = "/tmp/vortex-notify-XXXXXX", text[64];
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", directory);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    setenv("NOTIFY_SOCKET", address.sun_path, 1);
    assert_int_equal(vortex_notify_ready(), 0);
    assert_int_equal(recv(fd, text, sizeof(text), 0), strlen("READY=1"));
    assert_memory_equal(text, "READY=1", strlen("READY=1"));
    close(fd);
    unlink(address.sun_path);
    rmdir(directory);
}

/* Root may speak for a script that is another process. */
static void
a_word_may_be_in_anothers_name(void **state)
{
    char message[4097];
    int64_t pid;
    pid_t dead = fork();

    (void)state;
    if (dead == 0)
        _exit(0);
    assert_int_equal(notify_send("READY=1", getppid()), 0);
    assert_true(os_notify_read(manager, message, sizeof(message), &pid, NULL) > 0);
    assert_int_equal(pid, geteuid() == 0 ? getppid() : getpid());
    assert_int_equal(waitpid(dead, NULL, 0), dead);
    assert_int_equal(notify_send("READY=1", dead), 0);
    expect_heard("READY=1"); /* in our own */
}

static void
a_descriptor_is_sent_to_be_stored(void **state)
{
    struct os_handles handles;
    char message[4097], longest[257];
    intptr_t ends[2];
    int64_t pid;

    (void)state;
    memset(longest, 'a', sizeof(longest));
    longest[256] = '\0';
    assert_int_equal(os_pipe(ends), 0);
    assert_int_equal(vortex_notify_store_fd((int)ends[0], "mine"), 0);
    assert_true(os_notify_read(manager, message, sizeof(message), &pid, &handles) > 0);
    assert_string_equal(message, "FDSTORE=1\nFDNAME=mine");
    assert_int_equal(handles.count, 1);
    assert_true(os_handle_is_same(handles.list[0], ends[0]));
    assert_false(os_handle_is_same(handles.list[0], ends[1]));
    os_handle_close(handles.list[0]);
    assert_int_equal(vortex_notify_store_fd((int)ends[0], NULL), 0);
    expect_heard("FDSTORE=1");
    assert_int_equal(vortex_notify_store_fd((int)ends[0], "a:b"), -EINVAL);
    assert_int_equal(vortex_notify_store_fd((int)ends[0], "a\nREADY=1"), -EINVAL);
    assert_int_equal(vortex_notify_store_fd((int)ends[0], "a\x7f"), -EINVAL);
    assert_int_equal(vortex_notify_store_fd((int)ends[0], "\xc3\xa4"), -EINVAL);
    assert_int_equal(vortex_notify_store_fd((int)ends[0], ""), -EINVAL);
    assert_int_equal(vortex_notify_store_fd((int)ends[0], longest), -EINVAL);
    assert_int_equal(vortex_notify_store_fd((int)ends[0], longest + 1), 0);
    assert_int_equal(vortex_notify_store_fd(-1, "a"), -EBADF);
    os_handle_close(ends[0]);
    os_handle_close(ends[1]);
    unsetenv("NOTIFY_SOCKET");
    assert_int_equal(vortex_notify_store_fd(0, "a"), -ENOTCONN);
}

static void
a_newline_is_written_once(void **state)
{
    char number[16], byte[2];
    int ends[2];

    (void)state;
    unsetenv("NOTIFY_SOCKET");
    assert_int_equal(pipe(ends), 0);
    snprintf(number, sizeof(number), "%d", ends[1]);
    setenv("NOTIFY_FD", number, 1);
    assert_int_equal(vortex_notify_ready(), 0);
    assert_int_equal(vortex_notify_ready(), -ENOTCONN);
    assert_int_equal(read(ends[0], byte, 2), 1); /* and then its end: it was closed */
    assert_int_equal(byte[0], '\n');
    assert_int_equal(read(ends[0], byte, 2), 0);
    close(ends[0]);
    (void)signal(SIGPIPE, SIG_DFL);
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    snprintf(number, sizeof(number), "%d", ends[1]);
    setenv("NOTIFY_FD", number, 1);
    assert_int_equal(vortex_notify_ready(), -EPIPE); /* and no SIGPIPE */
    setenv("NOTIFY_FD", "2", 1);                     /* standard error is nobody's word */
    assert_int_equal(vortex_notify_ready(), -EINVAL);
    setenv("NOTIFY_FD", "many", 1);
    assert_int_equal(vortex_notify_ready(), -EINVAL);
}

static void
a_barrier_waits_for_the_manager(void **state)
{
    char message[64];
    struct os_source source;
    int64_t pid;
    pid_t child;
    int status;

    (void)state;
    assert_int_equal(vortex_notify_barrier(1), -ETIMEDOUT);
    expect_heard("BARRIER=1");
    child = fork();
    if (child == 0)
        _exit(vortex_notify_ready() == 0 && vortex_notify_barrier(-1) == 0 ? 0 : 1);
    source = (struct os_source){.handle = manager};
    for (int heard = 0; heard < 2; heard++) {
        assert_int_equal(waitpid(child, &status, WNOHANG), 0);
        assert_true(os_wait(&source, 1, -1) > 0);
        assert_true(os_notify_read(manager, message, sizeof(message), &pid, NULL) > 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void
the_watchdogs_interval_is_ours_alone(void **state)
{
    char number[16];

    (void)state;
    assert_int_equal(vortex_notify_watchdog_interval(), 0);
    setenv("WATCHDOG_USEC", "3000000", 1);
    assert_int_equal(vortex_notify_watchdog_interval(), 3000);
    snprintf(number, sizeof(number), "%d", getpid());
    setenv("WATCHDOG_PID", number, 1);
    assert_int_equal(vortex_notify_watchdog_interval(), 3000);
    setenv("WATCHDOG_PID", "1", 1);
    assert_int_equal(vortex_notify_watchdog_interval(), 0);
    unsetenv("WATCHDOG_PID");
    setenv("WATCHDOG_USEC", "soon", 1);
    assert_int_equal(vortex_notify_watchdog_interval(), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_word_is_heard),
        TEST(a_reload_has_its_time),
        TEST(a_status_is_one_line_and_no_other_assignment),
        TEST(nonsense_is_refused),
        TEST(where_nobody_listens_that_is_said),
        TEST(a_socket_in_the_file_system_is_as_good),
        TEST(a_word_may_be_in_anothers_name),
        TEST(a_descriptor_is_sent_to_be_stored),
        TEST(a_newline_is_written_once),
        TEST(a_barrier_waits_for_the_manager),
        TEST(the_watchdogs_interval_is_ours_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
