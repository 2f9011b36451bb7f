/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls that vortex makes, and how each may fail. No lies: ENOENT of a file that is
 * there, ESRCH of a process that lives or EAGAIN of a lock that is free would have a kernel say what
 * isn't so, and nothing could be right after that.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "crash.h"

/* clang-format off: it takes the braces for blocks */
#define EXACTLY (~0ULL)
#define CALL(name, ...)                                                                            \
    {                                                                                              \
#name, SYS_##name, -1, 0, 0, false, false,                                                 \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
#define MADE(name, ...)                                                                            \
    {                                                                                              \
#name, SYS_##name, -1, 0, 0, true, false,                                                  \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
#define OWN(name, ...)                                                                             \
    {                                                                                              \
#name, SYS_##name, -1, 0, 0, false, true,                                                  \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
#define PIPE(name, ...)                                                                            \
    {                                                                                              \
#name "(pipe)", SYS_##name, ON_PIPE, 0, 0, false, false,                                   \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
#define KIND(name, word, argument, mask, value, ...)                                               \
    {                                                                                              \
#name "(" word ")", SYS_##name, argument, mask, value, false, false,                       \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
/* clang-format on */

static const struct call_kind kinds[] = {
    /* Files. */
    KIND(openat, "O_CREAT", 2, O_CREAT, O_CREAT, EACCES, EDQUOT, EINTR, EMFILE, ENFILE, ENOSPC,
         EROFS),
    CALL(openat, EINTR, EIO, EMFILE, ENFILE, ENOMEM),
    KIND(newfstatat, "AT_EMPTY_PATH", 3, AT_EMPTY_PATH, AT_EMPTY_PATH, EIO, ENOMEM),
    CALL(newfstatat, EACCES, EIO, ENOMEM),
    CALL(fstatfs, EINTR, EIO, ENOSYS),
    CALL(access, EACCES),
    CALL(faccessat, EACCES, EIO),
    CALL(faccessat2, EACCES, EIO, ENOSYS),
    PIPE(read, EINTR),
    CALL(read, EINTR, EIO),
    CALL(pread64, EINTR, EIO),
    PIPE(write, EINTR),
    CALL(write, EDQUOT, EINTR, EIO, ENOSPC),
    CALL(writev, EINTR, EIO, ENOSPC),
    OWN(lseek, EINVAL),
    MADE(close, EINTR, EIO),
    CALL(close_range, 0), /* what stands in for it makes 65,000 calls: too many to trace */
    CALL(renameat, EACCES, EIO, ENOSPC, EROFS),
    CALL(renameat2, EACCES, EINVAL, EIO, ENOSPC, EROFS),
    CALL(linkat, EACCES, EIO, ENOSPC, EROFS),
    CALL(unlinkat, EACCES, EBUSY, EIO, EROFS),
    CALL(mkdirat, EACCES, ENOSPC, EROFS),
    CALL(fchmod, EIO, EPERM, EROFS),
    CALL(getdents64, EIO),
    CALL(readlink, EACCES, EIO),
    CALL(readlinkat, EACCES, EIO),
    CALL(chdir, EACCES, EIO, ENOMEM),
    OWN(umask, 0),
    CALL(flock, EINTR, ENOLCK),
    KIND(fcntl, "F_OFD_SETLK", 1, EXACTLY, F_OFD_SETLK, EINTR, ENOLCK),
    KIND(fcntl, "F_OFD_GETLK", 1, EXACTLY, F_OFD_GETLK, EINTR, ENOLCK),
    KIND(fcntl, "F_DUPFD", 1, EXACTLY, F_DUPFD, EMFILE),
    KIND(fcntl, "F_DUPFD_CLOEXEC", 1, EXACTLY, F_DUPFD_CLOEXEC, EMFILE),
    CALL(fcntl, 0),
    CALL(dup2, EBUSY, EINTR, EMFILE),
    CALL(dup3, EBUSY, EINTR, EMFILE),
    CALL(pipe2, EMFILE, ENFILE),
    CALL(ioctl, EINTR, EMFILE, ENOTTY),
    /* Processes. */
    CALL(vfork, EAGAIN, ENOMEM),
    CALL(fork, EAGAIN, ENOMEM),
    CALL(clone, EAGAIN, ENOMEM),
    CALL(clone3, EAGAIN, ENOMEM, ENOSYS),
    CALL(execve, EACCES, EAGAIN, ENOMEM),
    CALL(exit_group, 0),
    CALL(wait4, EINTR),
    CALL(waitid, EINTR),
    CALL(pidfd_open, EMFILE, ENFILE, ENOMEM),
    CALL(pidfd_send_signal, EPERM),
    CALL(kill, EPERM),
    CALL(setsid, EPERM),
    CALL(prctl, EINVAL, EPERM),
    OWN(prlimit64, EPERM),
    OWN(getpid, 0),
    OWN(getppid, 0),
    OWN(gettid, 0),
    OWN(getuid, 0),
    OWN(geteuid, 0),
    OWN(getgid, 0),
    OWN(getegid, 0),
    CALL(setpriority, EACCES, EPERM),
    OWN(getpriority, 0),
    OWN(sched_getscheduler, 0),
    CALL(sched_setscheduler, EPERM),
    OWN(sched_getparam, 0),
    OWN(sched_getaffinity, 0),
    CALL(sched_yield, 0),
    /* Signals and time. */
    OWN(rt_sigaction, 0),
    OWN(rt_sigprocmask, 0),
    OWN(rt_sigreturn, 0),
    CALL(signalfd4, EMFILE, ENFILE, ENOMEM),
    CALL(pause, 0),
    CALL(poll, EINTR, ENOMEM),
    CALL(ppoll, EINTR, ENOMEM),
    CALL(clock_nanosleep, EINTR),
    OWN(restart_syscall, 0),
    /* Sockets. */
    CALL(socket, EACCES, EMFILE, ENFILE, ENOMEM),
    CALL(socketpair, EMFILE, ENFILE, ENOMEM),
    CALL(bind, EACCES, EADDRINUSE, ENOMEM),
    CALL(connect, EACCES, EAGAIN, EINTR),
    CALL(setsockopt, ENOMEM),
    OWN(getsockopt, ENOMEM),
    OWN(getsockname, ENOMEM),
    CALL(sendto, EAGAIN, EINTR, ENOMEM),
    CALL(sendmsg, EAGAIN, EINTR, ENOMEM),
    CALL(recvfrom, EAGAIN, EINTR, ENOMEM),
    CALL(recvmsg, EAGAIN, EINTR, ENOMEM),
    CALL(inotify_init1, EMFILE, ENFILE, ENOMEM),
    CALL(inotify_add_watch, EACCES, ENOMEM, ENOSPC),
    CALL(inotify_rm_watch, 0),
    /* Memory, and what the C library does for itself. */
    OWN(brk, 0), /* it says no by the old address */
    OWN(mmap, EAGAIN, ENOMEM),
    OWN(munmap, 0),
    OWN(mremap, EAGAIN, ENOMEM),
    OWN(mprotect, ENOMEM),
    OWN(madvise, EAGAIN, ENOMEM),
    OWN(getrandom, EAGAIN, ENOSYS),
    OWN(arch_prctl, 0),
    OWN(set_tid_address, 0),
    OWN(set_robust_list, 0),
    OWN(rseq, ENOSYS),
    OWN(futex, 0),
    OWN(uname, 0),
    OWN(sysinfo, 0),
};

static bool
is_pipe(pid_t pid, uint64_t fd)
{
    char path[64], target[16] = "";

    snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, (int)fd);
    return readlink(path, target, sizeof(target) - 1) > 0 && strncmp(target, "pipe:", 5) == 0;
}

static bool
is_kind(const struct call_kind *kind, pid_t pid, const uint64_t *arguments)
{
    if (kind->argument == ON_PIPE)
        return is_pipe(pid, arguments[0]);
    return kind->argument < 0 || (arguments[kind->argument] & kind->mask) == kind->value;
}

const struct call_kind *
call_find(pid_t pid, uint64_t number, const uint64_t *arguments)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const struct call_kind *kind = &kinds[i];

        if ((uint64_t)kind->number == number && is_kind(kind, pid, arguments))
            return kind;
    }
    return NULL;
}
