/* SPDX-License-Identifier: Apache-2.0 */
/* A supervisor's tree on Linux: signals by descriptor, orphans taken in, every descendant found. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "os/linux.h"
#include "os/os.h"
#include "os/posix.h"

#define STAT_PARENT 4
#define DEPTH_MAX   64 /* deeper ones come up when their parents are dead */

#define ANCESTORS_MAX 1024

int
os_supervisor_prepare(intptr_t *ret_signals)
{
    static const int wanted[] = {SIGTERM, SIGINT,  SIGQUIT,  SIGHUP,
                                 SIGUSR1, SIGUSR2, SIGWINCH, SIGCHLD};
    sigset_t set;
    int fd;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        sigaddset(&set, wanted[i]);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -errno;
    (void)signal(SIGPIPE, SIG_IGN);
    fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    *ret_signals = fd;
    return 0;
}

int
os_signal_next(intptr_t signals)
{
    struct signalfd_siginfo info;
    int64_t n = os_handle_read(signals, &info, sizeof(info));

    if (n == -EAGAIN)
        return 0;
    return n < 0 ? (int)n : (int)info.ssi_signo;
}

int
posix_die_with(int64_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return -errno;
    /* It may have died before we asked. */
    return (int64_t)getppid() == parent ? 0 : -ESRCH;
}

/* ---- Descendants ------------------------------------------------------------------------- */

/* The children of one thread, added to those that are there already: 0; an error. */
static int
add_children(int64_t pid, const char *task, int64_t *pids, size_t *count, size_t max)
{
    char what[64], text[8192];
    int r;

    snprintf(what, sizeof(what), "task/%.20s/children", task);
    r = linux_read_proc_of(pid, what, text, sizeof(text));
    for (char *p = text; r == 0 && *count < max && *p >= '0' && *p <= '9';) {
        pids[(*count)++] = strtoll(p, &p, 10);
        p += strspn(p, " ");
    }
    return r;
}

/* The children of a process, each thread has its own: how many fitted. false: some may be missing. */
static bool
children_of(int64_t pid, int64_t *ret_pids, size_t max, size_t *ret_count)
{
    char path[64];
    const struct dirent *entry;
    bool all;
    DIR *tasks;

    *ret_count = 0;
    snprintf(path, sizeof(path), "/proc/%lld/task", (long long)pid);
    tasks = opendir(path);
    all = tasks != NULL || !os_error_will_pass(-errno);
    while (tasks != NULL && (entry = readdir(tasks)) != NULL)
        if (entry->d_name[0] != '.'
            && os_error_will_pass(add_children(pid, entry->d_name, ret_pids, ret_count, max)))
            all = false;
    if (tasks != NULL)
        closedir(tasks);
    return all;
}

/*
 * Pin it, and look again: whoever has that number now is signalled only while it is a child of
 * that parent, and so a descendant, whoever had the number before.
 */
static int
signal_child(int64_t pid, int64_t parent, int signal_number)
{
    struct os_hold hold;
    uint64_t seen;
    int r = os_process_hold(pid, &hold);

    if (r < 0)
        return 0;
    if (linux_stat_field(pid, STAT_PARENT, &seen) == 0 && (int64_t)seen == parent)
        r = os_process_signal(&hold, signal_number) == 0;
    os_process_release(&hold);
    return r;
}

/* Parents first: a stopped or dead parent makes no more children. */
static int
// NOLINTNEXTLINE(misc-no-recursion): no deeper than DEPTH_MAX
signal_below(int64_t parent, int signal_number, int64_t spared, int depth)
{
    int64_t pids[1024];
    size_t count;
    int signalled = 0;

    (void)children_of(parent, pids, sizeof(pids) / sizeof(pids[0]), &count);
    for (size_t i = 0; i < count; i++) {
        if (pids[i] == spared)
            continue;
        signalled += signal_child(pids[i], parent, signal_number);
        if (depth < DEPTH_MAX)
            signalled += signal_below(pids[i], signal_number, spared, depth + 1);
    }
    return signalled;
}

void
posix_kill_below(int64_t child)
{
    (void)signal_below(child, SIGKILL, 0, 0);
}

int
os_descendants_signal(int signal_number, int64_t spared)
{
    return signal_below(os_self(), signal_number, spared, 0);
}

bool
os_is_descendant(const struct os_hold *hold)
{
    int64_t self = os_self(), pid = hold->pid;
    uint64_t parent;

    for (int depth = 0; depth < ANCESTORS_MAX && pid > 1 && pid != self; depth++) {
        if (linux_stat_field(pid, STAT_PARENT, &parent) < 0)
            return false;
        pid = (int64_t)parent;
    }
    /* Its own number was its own all the time. */
    return pid == self && hold->pid != self && os_process_wait(hold, 0) != 0;
}

bool
os_is_childless(int64_t spared)
{
    int64_t pids[2];
    size_t count;

    return children_of(os_self(), pids, 2, &count)
           && (count == 0 || (count == 1 && pids[0] == spared));
}

void
os_hurry(struct os_pace *ret_former)
{
    struct sched_param param = {.sched_priority = 0};

    *ret_former = (struct os_pace){sched_getscheduler(0), 0};
    if (ret_former->policy >= 0 && sched_getparam(0, &param) == 0)
        ret_former->priority = param.sched_priority;
    param.sched_priority = sched_get_priority_min(SCHED_RR);
    (void)sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &param);
}

void
os_hurry_end(const struct os_pace *former)
{
    struct sched_param param = {.sched_priority = former->priority};

    if (former->policy >= 0)
        (void)sched_setscheduler(0, former->policy, &param);
}
