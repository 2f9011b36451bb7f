/* SPDX-License-Identifier: Apache-2.0 */
/* What Linux can do to a server, and POSIX doesn't know. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/os.h"
#include "os/posix.h"

/* The kernel's ioprio.h, which no library has. */
#define IO_WHO_PROCESS 1
#define IO_CLASS_SHIFT 13

#define SIGNALS_SIZE ((size_t)NSIG / 8) /* of a mask, in bytes: 65 / 8, on mips 128 / 8 */

bool
os_launch_can(enum os_stage stage)
{
    (void)stage;
    return true;
}

int
posix_limit_number(enum os_limit_kind kind)
{
    static const int numbers[OS_LIMIT_KINDS] = {
        [OS_LIMIT_CPU] = RLIMIT_CPU,           [OS_LIMIT_FSIZE] = RLIMIT_FSIZE,
        [OS_LIMIT_DATA] = RLIMIT_DATA,         [OS_LIMIT_STACK] = RLIMIT_STACK,
        [OS_LIMIT_CORE] = RLIMIT_CORE,         [OS_LIMIT_RSS] = RLIMIT_RSS,
        [OS_LIMIT_NOFILE] = RLIMIT_NOFILE,     [OS_LIMIT_AS] = RLIMIT_AS,
        [OS_LIMIT_NPROC] = RLIMIT_NPROC,       [OS_LIMIT_MEMLOCK] = RLIMIT_MEMLOCK,
        [OS_LIMIT_LOCKS] = RLIMIT_LOCKS,       [OS_LIMIT_SIGPENDING] = RLIMIT_SIGPENDING,
        [OS_LIMIT_MSGQUEUE] = RLIMIT_MSGQUEUE, [OS_LIMIT_NICE] = RLIMIT_NICE,
        [OS_LIMIT_RTPRIO] = RLIMIT_RTPRIO,     [OS_LIMIT_RTTIME] = RLIMIT_RTTIME,
    };

    return numbers[kind];
}

int
posix_set_oom(int adjust)
{
    char text[16];
    int n = snprintf(text, sizeof(text), "%d", adjust);
    int r = 0;
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    if (write(fd, text, (size_t)n) < 0)
        r = -errno;
    close(fd);
    return r;
}

int
posix_set_io(enum os_io_class class, int priority)
{
    int value = (int)(class - OS_IO_NONE) << IO_CLASS_SHIFT | priority;

    return syscall(SYS_ioprio_set, IO_WHO_PROCESS, 0, value) < 0 ? -errno : 0;
}

int
posix_set_cpus(const struct os_cpus *cpus)
{
    cpu_set_t sets[OS_CPUS_MAX / CPU_SETSIZE];

    CPU_ZERO_S(sizeof(sets), sets);
    for (size_t n = 0; n < OS_CPUS_MAX; n++)
        if (cpus->bits[n / 64] >> n % 64 & 1)
            CPU_SET_S(n, sizeof(sets), sets);
    return sched_setaffinity(0, sizeof(sets), sets) < 0 ? -errno : 0;
}

int
posix_no_new_privileges(void)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

/*
 * By the kernel's own words: musl's signal() refuses 34, which it keeps for itself, but which is
 * glibc's SIGRTMIN; and each function of the library costs a child of a supervisor a page fault.
 */
void
posix_reset_signals(void)
{
    const unsigned long nothing[16] = {0}; /* as struct sigaction, whatever its order; as a mask */

    for (int s = 1; s < NSIG; s++)
        if (s != SIGKILL && s != SIGSTOP) /* an error is written down, in a page of its own */
            (void)syscall(SYS_rt_sigaction, s, nothing, NULL, SIGNALS_SIZE);
    (void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, nothing, NULL, SIGNALS_SIZE);
}

/*
 * Born into the group: to move there later takes the kernel 10 ms and more. Where that isn't
 * allowed (a sandbox), it is born into ours, and found by its parents when it is to end.
 */
pid_t
posix_fork_into(const struct os_cgroup *cgroup)
{
    struct clone_args args = {.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD};
    long pid = -1;

    if (cgroup != NULL && cgroup->handle != OS_NONE) {
        args.cgroup = (uint64_t)cgroup->handle;
        pid = syscall(SYS_clone3, &args, sizeof(args));
    }
    return pid < 0 ? fork() : (pid_t)pid;
}
