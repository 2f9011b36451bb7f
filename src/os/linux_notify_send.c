/* SPDX-License-Identifier: Apache-2.0 */
/* Speaking sd_notify(3): one datagram to a service manager, in whose name and with what. */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/os.h"
#include "os/posix.h"

#define SEND_BUFFER (8 * 1024 * 1024) /* bytes, as systemd's own: a manager may be slow to read */

/* "/path" or "@abstract", as far as an address has room. */
static int
address_of(const char *text, struct sockaddr_un *ret, socklen_t *ret_length)
{
    size_t length = strlen(text);

    if ((text[0] != '/' && text[0] != '@') || length < 2)
        return -EPROTONOSUPPORT;
    if (length >= sizeof(ret->sun_path))
        return -ENAMETOOLONG;
    *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(ret->sun_path, text, length);
    if (text[0] == '@')
        ret->sun_path[0] = '\0';
    *ret_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (text[0] == '/'));
    return 0;
}

union control {
    struct cmsghdr header; /* for its alignment */
    char bytes[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
};

static struct cmsghdr *
add(struct msghdr *message, int type, const void *data, size_t size)
{
    struct cmsghdr *c =
        (struct cmsghdr *)(void *)((char *)message->msg_control + message->msg_controllen);

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(c), data, size);
    message->msg_controllen += CMSG_SPACE(size);
    return c;
}

static int
send_once(int fd, struct msghdr *message)
{
    while (sendmsg(fd, message, MSG_NOSIGNAL) < 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}

/* pid: in whose name. That takes a privilege: without it, in our own. */
static int
send_with(int fd, struct msghdr *message, intptr_t passed, int64_t pid)
{
    union control control = {.bytes = {0}};
    struct ucred name = {(pid_t)pid, getuid(), getgid()};
    int passed_fd = (int)passed;
    size_t before;
    int r;

    message->msg_control = control.bytes;
    if (passed != OS_NONE)
        (void)add(message, SCM_RIGHTS, &passed_fd, sizeof(passed_fd));
    before = message->msg_controllen;
    if (pid != 0)
        (void)add(message, SCM_CREDENTIALS, &name, sizeof(name));
    r = send_once(fd, message);
    if ((r == -EPERM || r == -ESRCH) && pid != 0) {
        message->msg_controllen = before;
        r = send_once(fd, message);
    }
    message->msg_control = NULL;
    return r;
}

int
os_notify_send(const char *address, const char *text, intptr_t passed, int64_t pid)
{
    struct sockaddr_un to;
    struct iovec iov = {(void *)(uintptr_t)text, strlen(text)};
    struct msghdr message = {.msg_name = &to, .msg_iov = &iov, .msg_iovlen = 1};
    int buffer = SEND_BUFFER;
    int fd, r = address_of(address, &to, &message.msg_namelen);

    if (r < 0)
        return r;
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (passed != OS_NONE) /* a descriptor counts against the buffer; else the default does */
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
    r = send_with(fd, &message, passed, pid);
    close(fd);
    return r;
}
