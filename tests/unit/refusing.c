/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cmocka.h>

#include "refusing.h"

static struct {
    unsigned at, count;
    int error;
    bool all_later;
    bool has_refused;
} refusal;

/* ---- The calls --------------------------------------------------------------------------- */

static bool
is_refused(void)
{
    if (refusal.at == 0)
        return false;
    refusal.count++;
    if (refusal.count != refusal.at && !(refusal.all_later && refusal.has_refused))
        return false;
    refusal.has_refused = true;
    errno = refusal.error;
    return true;
}

/* One that takes PARAMETERS, hands on ARGUMENTS and fails by FAILURE. */
#define CALL(TYPE, NAME, FAILURE, PARAMETERS, ARGUMENTS)                                           \
    TYPE __real_##NAME PARAMETERS;                                                                 \
    TYPE __wrap_##NAME PARAMETERS;                                                                 \
    TYPE __wrap_##NAME PARAMETERS                                                                  \
    {                                                                                              \
        return is_refused() ? (FAILURE) : __real_##NAME ARGUMENTS;                                 \
    }

CALL(int, access, -1, (const char *path, int mode), (path, mode))
CALL(int, bind, -1, (int fd, const struct sockaddr *address, socklen_t size), (fd, address, size))
CALL(int, epoll_create1, -1, (int flags), (flags))
CALL(int, epoll_ctl, -1, (int fd, int what, int other, struct epoll_event *event),
     (fd, what, other, event))
CALL(int, faccessat, -1, (int dir, const char *name, int mode, int flags), (dir, name, mode, flags))
CALL(DIR *, fdopendir, NULL, (int fd), (fd))
CALL(FILE *, fdopen, NULL, (int fd, const char *mode), (fd, mode))
CALL(ssize_t, fgetxattr, -1, (int fd, const char *name, void *value, size_t size),
     (fd, name, value, size))
CALL(int, flock, -1, (int fd, int what), (fd, what))
CALL(FILE *, fopen64, NULL, (const char *path, const char *mode), (path, mode))
CALL(int, fstat64, -1, (int fd, struct stat *ret), (fd, ret))
CALL(int, fstatat64, -1, (int dir, const char *name, struct stat *ret, int flags),
     (dir, name, ret, flags))
CALL(int, fstatfs64, -1, (int fd, struct statfs *ret), (fd, ret))
CALL(int, getsockname, -1, (int fd, struct sockaddr *ret, socklen_t *size), (fd, ret, size))
CALL(int, linkat, -1, (int from, const char *old, int to, const char *name, int flags),
     (from, old, to, name, flags))
CALL(int, mkdirat, -1, (int dir, const char *name, mode_t mode), (dir, name, mode))
CALL(DIR *, opendir, NULL, (const char *path), (path))
CALL(int, poll, -1, (struct pollfd * fds, nfds_t count, int timeout_ms), (fds, count, timeout_ms))
CALL(ssize_t, pread64, -1, (int fd, void *buf, size_t size, off_t at), (fd, buf, size, at))
CALL(ssize_t, read, -1, (int fd, void *buf, size_t size), (fd, buf, size))
CALL(ssize_t, recvmsg, -1, (int fd, struct msghdr *message, int flags), (fd, message, flags))
CALL(ssize_t, sendmsg, -1, (int fd, const struct msghdr *message, int flags), (fd, message, flags))
CALL(int, setenv, -1, (const char *name, const char *value, int over), (name, value, over))
CALL(int, setsockopt, -1, (int fd, int level, int name, const void *value, socklen_t size),
     (fd, level, name, value, size))
CALL(int, signalfd, -1, (int fd, const sigset_t *set, int flags), (fd, set, flags))
CALL(int, sigprocmask, -1, (int how, const sigset_t *set, sigset_t *ret), (how, set, ret))
CALL(int, socket, -1, (int domain, int type, int protocol), (domain, type, protocol))
CALL(int, stat64, -1, (const char *path, struct stat *ret), (path, ret))
CALL(int, unlinkat, -1, (int dir, const char *name, int flags), (dir, name, flags))
CALL(ssize_t, write, -1, (int fd, const void *buf, size_t size), (fd, buf, size))

/* The same with what may follow: an int, a pointer or a long are passed alike here. */
#define OPEN_CALL(TYPE, NAME, LAST, PARAMETERS, ...)                                               \
    TYPE __real_##NAME(PARAMETERS, ...);                                                           \
    TYPE __wrap_##NAME(PARAMETERS, ...);                                                           \
    TYPE __wrap_##NAME(PARAMETERS, ...)                                                            \
    {                                                                                              \
        long more[6];                                                                              \
        va_list ap;                                                                                \
                                                                                                   \
        va_start(ap, LAST);                                                                        \
        for (size_t i = 0; i < 6; i++)                                                             \
            more[i] = va_arg(ap, long);                                                            \
        va_end(ap);                                                                                \
        return is_refused() ? -1                                                                   \
                            : __real_##NAME(__VA_ARGS__, more[0], more[1], more[2], more[3],       \
                                            more[4], more[5]);                                     \
    }

#define COMMA ,
OPEN_CALL(int, open64, flags, const char *path COMMA int flags, path, flags)
OPEN_CALL(int, openat64, flags, int dir COMMA const char *name COMMA int flags, dir, name, flags)
OPEN_CALL(int, fcntl64, what, int fd COMMA int what, fd, what)
OPEN_CALL(int, ioctl, what, int fd COMMA unsigned long what, fd, what)
OPEN_CALL(int, prctl, what, int what, what)
OPEN_CALL(long, syscall, number, long number, number)

/* ---- For tests --------------------------------------------------------------------------- */

void
refuse_at(unsigned n, int error, bool all_later)
{
    refusal.at = n;
    refusal.count = 0;
    refusal.error = error;
    refusal.all_later = all_later;
    refusal.has_refused = false;
}

bool
refuse_has(void)
{
    return refusal.has_refused;
}

int
refuse_error(void)
{
    return refusal.has_refused ? refusal.error : 0;
}

void
refuse_end(void)
{
    refusal.at = 0;
}

void
refuse_expect(int64_t result)
{
    if (result < 0) {
        assert_true(refusal.has_refused);
        assert_int_equal(result, -refusal.error);
    }
}

static int
next_handle(void)
{
    int fd = dup(STDIN_FILENO);

    assert_true(fd >= 0);
    close(fd);
    return fd;
}

void
refuse_each(void (*act)(void), unsigned most)
{
    static const int errors[] = {EIO, EMFILE, EACCES};
    int before = next_handle();

    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        for (int all_later = 0; all_later < 2; all_later++)
            for (unsigned n = 1; n <= most; n++) {
                bool was_reached;

                refuse_at(n, errors[i], all_later);
                act();
                was_reached = refuse_has();
                refuse_at(0, 0, false);
                assert_int_equal(next_handle(), before);
                if (!was_reached)
                    break;
            }
}
