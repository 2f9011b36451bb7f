/* SPDX-License-Identifier: Apache-2.0 */
/* Hearing sd_notify(3): a datagram socket in the abstract namespace, and who really sent it. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/os.h"
#include "os/posix.h"

static int
name_watchdog(int64_t watchdog_ms)
{
    char usec[24];

    if (watchdog_ms <= 0)
        return 0;
    snprintf(usec, sizeof(usec), "%lld", (long long)watchdog_ms * 1000);
    return setenv("WATCHDOG_USEC", usec, 1) < 0 ? -errno : 0;
}

static int
name_store(int max)
{
    char text[16];

    if (max <= 0)
        return 0;
    snprintf(text, sizeof(text), "%d", max);
    return setenv("FDSTORE", text, 1) < 0 ? -errno : 0;
}

/* The kernel chooses a name that is free: nothing is left in a file system. */
static int
bind_somewhere(int fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t length = sizeof(address);
    char name[sizeof(address.sun_path) + 1];
    size_t start = offsetof(struct sockaddr_un, sun_path);

    if (bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t)) < 0
        || getsockname(fd, (struct sockaddr *)&address, &length) < 0)
        return -errno;
    if (length <= start + 1 || address.sun_path[0] != '\0')
        return -EADDRNOTAVAIL;
    snprintf(name, sizeof(name), "@%.*s", (int)(length - start - 1), address.sun_path + 1);
    return setenv("NOTIFY_SOCKET", name, 1) < 0 ? -errno : 0;
}

int
os_notify_open(int64_t watchdog_ms, int store_max, intptr_t *ret_handle)
{
    int on = 1;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int r;

    if (fd < 0)
        return -errno;
    r = setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0 ? -errno : bind_somewhere(fd);
    if (r == 0)
        r = name_watchdog(watchdog_ms);
    if (r == 0)
        r = name_store(store_max);
    if (r < 0) {
        close(fd);
        return r;
    }
    *ret_handle = fd;
    return 0;
}

/* Descriptors that nobody wants are closed; a BARRIER's sender waits for that. */
static void
take_control(struct msghdr *message, int64_t *ret_pid, struct os_handles *ret_handles)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
        size_t size = c->cmsg_len - CMSG_LEN(0);

        if (c->cmsg_level != SOL_SOCKET)
            continue;
        if (c->cmsg_type == SCM_CREDENTIALS && size >= sizeof(struct ucred)) {
            struct ucred sender;

            memcpy(&sender, CMSG_DATA(c), sizeof(sender));
            *ret_pid = sender.pid;
        } else if (c->cmsg_type == SCM_RIGHTS) {
            for (size_t i = 0; i + sizeof(int) <= size; i += sizeof(int)) {
                int fd;

                memcpy(&fd, CMSG_DATA(c) + i, sizeof(fd));
                if (ret_handles != NULL && ret_handles->count < OS_HANDLES_MAX)
                    ret_handles->list[ret_handles->count++] = fd;
                else
                    close(fd);
            }
        }
    }
}

int64_t
os_notify_read(intptr_t handle, char *buf, size_t size, int64_t *ret_pid,
               struct os_handles *ret_handles)
{
    union {
        struct cmsghdr header; /* for its alignment */
        char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(253 * sizeof(int))];
    } control;
    struct iovec iov = {buf, size - 1};
    struct msghdr message = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    ssize_t n;

    do
        n = recvmsg((int)handle, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    *ret_pid = 0;
    if (ret_handles != NULL)
        ret_handles->count = 0;
    take_control(&message, ret_pid, ret_handles);
    if (message.msg_flags & MSG_TRUNC) /* cut, it may say something else */
        n = 0;
    buf[n] = '\0';
    return n;
}
