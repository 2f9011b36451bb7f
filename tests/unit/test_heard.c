/* SPDX-License-Identifier: Apache-2.0 */
/* What comes with a word to a supervisor: whatever else a kernel adds or leaves out. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/os.h"

#define SCM_OTHER 0x7777

/* What comes with each message in place of what the kernel gave; and what name a socket has. */
static struct {
    union {
        size_t alignment; /* a header's */
        char bytes[2048];
    } control;
    size_t length;
    enum { CHOSEN, NONE, IN_FILE_SYSTEM } name;
} kernel;

int __real_getsockname(int fd, struct sockaddr *ret, socklen_t *size);
int __wrap_getsockname(int fd, struct sockaddr *ret, socklen_t *size);
ssize_t __real_recvmsg(int fd, struct msghdr *message, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags);

int
__wrap_getsockname(int fd, struct sockaddr *ret, socklen_t *size)
{
    int r = __real_getsockname(fd, ret, size);

    if (kernel.name == NONE)
        *size = sizeof(sa_family_t);
    if (kernel.name == IN_FILE_SYSTEM)
        ret->sa_data[0] = '/';
    return r;
}

ssize_t
__wrap_recvmsg(int fd, struct msghdr *message, int flags)
{
    size_t room = message->msg_controllen;
    ssize_t n = __real_recvmsg(fd, message, flags);

    assert_in_range(kernel.length, 0, room);
    memcpy(message->msg_control, kernel.control.bytes, kernel.length);
    message->msg_controllen = kernel.length;
    return n;
}

static void
add(int level, int type, const void *data, size_t size)
{
    struct cmsghdr *c = (struct cmsghdr *)(void *)(kernel.control.bytes + kernel.length);

    c->cmsg_level = level;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(c), data, size);
    kernel.length += CMSG_SPACE(size);
}

static intptr_t manager;

static int
set_up(void **state)
{
    (void)state;
    memset(&kernel, 0, sizeof(kernel));
    return os_notify_open(0, 0, &manager);
}

static int
tear_down(void **state)
{
    (void)state;
    manager = os_handle_close(manager);
    unsetenv("NOTIFY_SOCKET");
    return 0;
}

/* The pid that a word is from. */
static int64_t
hear(struct os_handles *ret_handles)
{
    char text[64];
    int64_t pid = -1;

    assert_int_equal(os_notify_send(getenv("NOTIFY_SOCKET"), "READY=1", OS_NONE, 0), 0);
    assert_int_equal(os_notify_read(manager, text, sizeof(text), &pid, ret_handles), 7);
    assert_string_equal(text, "READY=1");
    return pid;
}

static void
a_word_without_a_sender_is_nobodys(void **state)
{
    struct os_handles handles;
    const pid_t half = 4711;

    (void)state;
    assert_int_equal(hear(&handles), 0);
    assert_int_equal(handles.count, 0);
    add(SOL_SOCKET, SCM_CREDENTIALS, &half, sizeof(half));
    assert_int_equal(hear(&handles), 0);
}

static void
what_is_not_known_is_passed_over(void **state)
{
    const struct ucred sender = {4711, 0, 0}, wrong = {4712, 0, 0};
    struct os_handles handles;
    int fd = dup(STDIN_FILENO);

    (void)state;
    add(SOL_SOCKET, SCM_OTHER, "text", 5);
    add(SOL_SOCKET, SCM_CREDENTIALS, &sender, sizeof(sender));
    add(SOL_SOCKET + 1, SCM_CREDENTIALS, &wrong, sizeof(wrong));
    add(SOL_SOCKET, SCM_RIGHTS, &fd, sizeof(fd));
    assert_int_equal(hear(&handles), 4711);
    assert_int_equal(handles.count, 1);
    assert_int_equal(handles.list[0], fd);
    close(fd);
}

static void
more_descriptors_than_are_kept_are_closed(void **state)
{
    int fds[OS_HANDLES_MAX + 1] = {0};
    int last = dup(STDIN_FILENO);
    struct os_handles handles;

    (void)state;
    fds[OS_HANDLES_MAX] = last;
    add(SOL_SOCKET, SCM_RIGHTS, fds, sizeof(fds));
    (void)hear(&handles);
    assert_int_equal(handles.count, OS_HANDLES_MAX);
    assert_int_equal(fcntl(last, F_GETFD), -1);
    assert_int_equal(errno, EBADF);
}

static void
where_the_kernel_chooses_no_name_nobody_listens(void **state)
{
    intptr_t handle = OS_NONE;

    (void)state;
    unsetenv("NOTIFY_SOCKET");
    kernel.name = NONE;
    assert_int_equal(os_notify_open(0, 0, &handle), -EADDRNOTAVAIL);
    kernel.name = IN_FILE_SYSTEM;
    assert_int_equal(os_notify_open(0, 0, &handle), -EADDRNOTAVAIL);
    assert_int_equal(handle, OS_NONE);
    assert_null(getenv("NOTIFY_SOCKET"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_word_without_a_sender_is_nobodys),
        TEST(what_is_not_known_is_passed_over),
        TEST(more_descriptors_than_are_kept_are_closed),
        TEST(where_the_kernel_chooses_no_name_nobody_listens),
    };

    return cmocka_run_group_tests_name("heard", tests, NULL, NULL);
}
