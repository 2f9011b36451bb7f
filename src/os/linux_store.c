/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors kept for another: which are the same, and whose other end is gone. */
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/os.h"

#define DUPFD_QUERY (1024 + 3) /* F_DUPFD_QUERY, Linux 6.10 */

bool
os_handle_is_same(intptr_t a, intptr_t b)
{
    struct stat first, second;
    int r = fcntl((int)a, DUPFD_QUERY, (int)b);

    if (r >= 0)
        return r == 1;
    r = (int)syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, (unsigned long)a, (unsigned long)b);
    if (r >= 0)
        return r == 0;
    /* Some containers forbid that: of a socket or a pipe there is one inode an end. */
    return fstat((int)a, &first) == 0 && fstat((int)b, &second) == 0 && S_ISSOCK(first.st_mode)
           && first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

int
os_watch_open(intptr_t *ret_watch)
{
    int fd = epoll_create1(EPOLL_CLOEXEC);

    if (fd < 0)
        return -errno;
    *ret_watch = fd;
    return 0;
}

int
os_watch_add(intptr_t watch, intptr_t handle)
{
    struct epoll_event event = {.data.fd = (int)handle}; /* hang-ups come unasked */

    if (epoll_ctl((int)watch, EPOLL_CTL_ADD, (int)handle, &event) < 0 && errno != EPERM)
        return -errno;
    return 0;
}

/* A close alone would not do: a server may have the same description. */
void
os_watch_remove(intptr_t watch, intptr_t handle)
{
    (void)epoll_ctl((int)watch, EPOLL_CTL_DEL, (int)handle, NULL);
}

intptr_t
os_watch_next(intptr_t watch)
{
    struct epoll_event event;

    return epoll_wait((int)watch, &event, 1, 0) == 1 ? event.data.fd : OS_NONE;
}
