/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls that vortex makes, and how each may fail. No lies: ENOENT of a file that is
 * there, ESRCH of a process that lives or EAGAIN of a lock that is free would have a kernel say what
 * isn't so, and nothing could be right after that.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>

#include "crash.h"

#define EXACTLY (~0ULL)
#define CALL(name, ...)                                                                            \
    {                                                                                              \
#name, SYS_##name, -1, 0, 0, false,                                                        \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
#define MADE(name, ...)                                                                            \
    {                                                                                              \
#name, SYS_##name, -1, 0, 0, true,                                                         \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
#define KIND(name, word, argument, mask, value, ...)                                               \
    {                                                                                              \
#name "(" word ")", SYS_##name, argument, mask, value, false,                              \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

static const struct call_kind kinds[] = {
    /* Files. */
    KIND(openat, "O_CREAT", 2, O_CREAT, O_CREAT, EACCES, EDQUOT, EINTR, EMFILE, ENFILE, ENOSPC,
         EROFS),
    CALL(openat, EACCES, EINTR, EIO, EMFILE, ENFILE, ENOMEM),
    CALL(newfstatat, EACCES, EIO, ENOMEM),
    CALL(fstatfs, EINTR, EIO, ENOSYS),
    CALL(access, EACCES),
    CALL(faccessat, EACCES, EIO),
    CALL(faccessat2, EACCES, EIO, ENOSYS),
    CALL(read, EINTR, EIO),
    CALL(pread64, EINTR, EIO),
    CALL(write, EDQUOT, EINTR, EIO, ENOSPC),
    CALL(writev, EINTR, EIO, ENOSPC),
    CALL(lseek, EINVAL),
    MADE(close, EINTR, EIO),
    CALL(close_range, ENOMEM, ENOSYS),
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
    CALL(umask, 0),
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
    CALL(prlimit64, EPERM),
    CALL(getpid, 0),
    CALL(getppid, 0),
    CALL(gettid, 0),
    CALL(getuid, 0),
    CALL(geteuid, 0),
    CALL(getgid, 0),
    CALL(getegid, 0),
    CALL(setpriority, EACCES, EPERM),
    CALL(getpriority, 0),
    CALL(sched_getscheduler, 0),
    CALL(sched_setscheduler, EPERM),
    CALL(sched_getparam, 0),
    CALL(sched_getaffinity, 0),
    CALL(sched_yield, 0),
    /* Signals and time. */
    CALL(rt_sigaction, 0),
    CALL(rt_sigprocmask, 0),
    CALL(rt_sigreturn, 0),
    CALL(signalfd4, EMFILE, ENFILE, ENOMEM),
    CALL(pause, 0),
    CALL(poll, EINTR, ENOMEM),
    CALL(ppoll, EINTR, ENOMEM),
    CALL(clock_nanosleep, EINTR),
    CALL(restart_syscall, 0),
    /* Sockets. */
    CALL(socket, EACCES, EMFILE, ENFILE, ENOMEM),
    CALL(socketpair, EMFILE, ENFILE, ENOMEM),
    CALL(bind, EACCES, EADDRINUSE, ENOMEM),
    CALL(connect, EACCES, EAGAIN, EINTR),
    CALL(setsockopt, ENOMEM),
    CALL(getsockopt, ENOMEM),
    CALL(getsockname, ENOMEM),
    CALL(sendto, EAGAIN, EINTR, ENOMEM),
    CALL(sendmsg, EAGAIN, EINTR, ENOMEM),
    CALL(recvfrom, EAGAIN, EINTR, ENOMEM),
    CALL(recvmsg, EAGAIN, EINTR, ENOMEM),
    CALL(inotify_init1, EMFILE, ENFILE, ENOMEM),
    CALL(inotify_add_watch, EACCES, ENOMEM, ENOSPC),
    CALL(inotify_rm_watch, 0),
    /* Memory, and what the C library does for itself. */
    CALL(brk, 0), /* it says no by the old address */
    CALL(mmap, EAGAIN, ENOMEM),
    CALL(munmap, 0),
    CALL(mremap, EAGAIN, ENOMEM),
    CALL(mprotect, ENOMEM),
    CALL(madvise, EAGAIN, ENOMEM),
    CALL(getrandom, EAGAIN, ENOSYS),
    CALL(arch_prctl, 0),
    CALL(set_tid_address, 0),
    CALL(set_robust_list, 0),
    CALL(rseq, ENOSYS),
    CALL(futex, 0),
    CALL(uname, 0),
    CALL(sysinfo, 0),
};

const struct call_kind *
call_find(uint64_t number, const uint64_t *arguments)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const struct call_kind *kind = &kinds[i];

        if ((uint64_t)kind->number == number
            && (kind->argument < 0 || (arguments[kind->argument] & kind->mask) == kind->value))
            return kind;
    }
    return NULL;
}
