/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
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
    unsigned rests;
} refusal;

/* ---- The calls --------------------------------------------------------------------------- */

bool
refuse_this(void)
{
    if (refusal.at == 0 || refusal.rests)
        return false;
    refusal.count++;
    if (refusal.count != refusal.at && !(refusal.all_later && refusal.has_refused))
        return false;
    refusal.has_refused = true;
    errno = refusal.error;
    return true;
}

REFUSING_CALL(int, bind, -1, (int fd, const struct sockaddr *address, socklen_t size),
              (fd, address, size))
REFUSING_CALL(int, epoll_create1, -1, (int flags), (flags))
REFUSING_CALL(int, epoll_ctl, -1, (int fd, int what, int other, struct epoll_event *event),
              (fd, what, other, event))
REFUSING_CALL(int, faccessat, -1, (int dir, const char *name, int mode, int flags),
              (dir, name, mode, flags))
REFUSING_CALL(DIR *, fdopendir, NULL, (int fd), (fd))
REFUSING_CALL(FILE *, fdopen, NULL, (int fd, const char *mode), (fd, mode))
REFUSING_CALL(int, flock, -1, (int fd, int what), (fd, what))
REFUSING_CALL(int, fstat64, -1, (int fd, struct stat *ret), (fd, ret))
REFUSING_CALL(int, fstatat64, -1, (int dir, const char *name, struct stat *ret, int flags),
              (dir, name, ret, flags))
REFUSING_CALL(int, getsockname, -1, (int fd, struct sockaddr *ret, socklen_t *size),
              (fd, ret, size))
REFUSING_CALL(int, linkat, -1, (int from, const char *old, int to, const char *name, int flags),
              (from, old, to, name, flags))
REFUSING_CALL(DIR *, opendir, NULL, (const char *path), (path))
REFUSING_CALL(int, poll, -1, (struct pollfd * fds, nfds_t count, int timeout_ms),
              (fds, count, timeout_ms))
REFUSING_CALL(ssize_t, pread64, -1, (int fd, void *buf, size_t size, off_t at), (fd, buf, size, at))
REFUSING_CALL(ssize_t, read, -1, (int fd, void *buf, size_t size), (fd, buf, size))
REFUSING_CALL(ssize_t, recvmsg, -1, (int fd, struct msghdr *message, int flags),
              (fd, message, flags))
REFUSING_CALL(ssize_t, sendmsg, -1, (int fd, const struct msghdr *message, int flags),
              (fd, message, flags))
REFUSING_CALL(int, setenv, -1, (const char *name, const char *value, int over), (name, value, over))
REFUSING_CALL(int, sched_getparam, -1, (pid_t pid, struct sched_param *ret), (pid, ret))
REFUSING_CALL(int, sched_getscheduler, -1, (pid_t pid), (pid))
REFUSING_CALL(int, sched_setscheduler, -1, (pid_t pid, int policy, const struct sched_param *param),
              (pid, policy, param))
REFUSING_CALL(int, setsockopt, -1, (int fd, int level, int name, const void *value, socklen_t size),
              (fd, level, name, value, size))
REFUSING_CALL(int, signalfd, -1, (int fd, const sigset_t *set, int flags), (fd, set, flags))
REFUSING_CALL(int, sigprocmask, -1, (int how, const sigset_t *set, sigset_t *ret), (how, set, ret))
REFUSING_CALL(int, socket, -1, (int domain, int type, int protocol), (domain, type, protocol))
REFUSING_CALL(int, stat64, -1, (const char *path, struct stat *ret), (path, ret))

/* The same with so many more, be they ints, pointers or longs: no more than registers hold. */
#define OPEN_CALL(TYPE, NAME, MORE, LAST, PARAMETERS, ...)                                         \
    TYPE __real_##NAME(PARAMETERS, ...);                                                           \
    TYPE __wrap_##NAME(PARAMETERS, ...);                                                           \
    TYPE __wrap_##NAME(PARAMETERS, ...)                                                            \
    {                                                                                              \
        long more[5] = {0};                                                                        \
        va_list ap;                                                                                \
                                                                                                   \
        va_start(ap, LAST);                                                                        \
        for (size_t i = 0; i < (MORE); i++)                                                        \
            more[i] = va_arg(ap, long);                                                            \
        va_end(ap);                                                                                \
        if (refuse_this())                                                                         \
            return -1;                                                                             \
        return __real_##NAME(__VA_ARGS__, more[0], more[1], more[2], more[3], more[4]);            \
    }

#define COMMA ,
OPEN_CALL(int, open64, 1, flags, const char *path COMMA int flags, path, flags)
OPEN_CALL(int, openat64, 1, flags, int dir COMMA const char *name COMMA int flags, dir, name, flags)
OPEN_CALL(int, fcntl64, 1, what, int fd COMMA int what, fd, what)
OPEN_CALL(int, ioctl, 1, what, int fd COMMA unsigned long what, fd, what)
OPEN_CALL(int, prctl, 4, what, int what, what)
OPEN_CALL(long, syscall, 5, number, long number, number)

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
refuse_rest(bool rests)
{
    refusal.rests += rests ? 1U : -1U;
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

#define HANDLES_MAX 64 /* more are never open here */

/* Which are open, one bit each. */
static uint64_t
open_handles(void)
{
    uint64_t open = 0;

    for (int fd = 0; fd < HANDLES_MAX; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            open |= UINT64_C(1) << fd;
    return open;
}

static void
refuse_each_of(void (*act)(void), unsigned most, int error, bool all_later)
{
    uint64_t before = open_handles();
    bool was_reached = true;

    for (unsigned n = 1; n <= most && was_reached; n++) {
        refuse_at(n, error, all_later);
        act();
        was_reached = refuse_has();
        refuse_at(0, 0, false);
        assert_int_equal(open_handles(), before);
    }
}

void
refuse_each_with(void (*act)(void), unsigned most, int error)
{
    refuse_each_of(act, most, error, false);
}

void
refuse_each(void (*act)(void), unsigned most)
{
    static const int errors[] = {EIO, EMFILE, EACCES};

    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        refuse_each_of(act, most, errors[i], false);
        refuse_each_of(act, most, errors[i], true);
    }
}
