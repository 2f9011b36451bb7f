/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instead of linux_tree.c (-Dos=posix). What is lost: descendants of a server can't be found, so a
 * stop ends the server alone; a server outlives a supervisor that is killed; and sd_notify isn't
 * heard, for it can't be told who speaks.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "os/os.h"
#include "os/posix.h"

/* A handler has no other way to reach the pipe: the one global, and it never changes after. */
static int signal_pipe = -1;

static void
on_signal(int number)
{
    unsigned char byte = (unsigned char)number;
    int saved = errno;

    (void)!write(signal_pipe, &byte, 1);
    errno = saved;
}

int
os_supervisor_prepare(intptr_t *ret_signals)
{
    static const int wanted[] = {SIGTERM, SIGINT,  SIGQUIT,  SIGHUP,
                                 SIGUSR1, SIGUSR2, SIGWINCH, SIGCHLD};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    intptr_t ends[2];
    sigset_t set;
    int r = os_pipe(ends);

    if (r < 0)
        return r;
    if (fcntl((int)ends[1], F_SETFL, O_NONBLOCK) < 0)
        return -errno;
    signal_pipe = (int)ends[1];
    sigemptyset(&action.sa_mask);
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        if (sigaction(wanted[i], &action, NULL) < 0)
            return -errno;
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        sigaddset(&set, wanted[i]);
    if (sigprocmask(SIG_UNBLOCK, &set, NULL) < 0) /* what os_event_prepare kept for us */
        return -errno;
    (void)signal(SIGPIPE, SIG_IGN);
    *ret_signals = ends[0];
    return 0;
}

int
os_signal_next(intptr_t signals)
{
    unsigned char byte;
    int64_t n = os_handle_read(signals, &byte, 1);

    if (n == -EAGAIN)
        return 0;
    return n <= 0 ? (int)n : byte;
}

int
posix_die_with(int64_t parent)
{
    return (int64_t)getppid() == parent ? 0 : -ESRCH;
}

void
posix_kill_below(int64_t child)
{
    (void)child;
}

int
os_descendants_signal(int signal_number, int64_t spared)
{
    (void)signal_number;
    (void)spared;
    return 0;
}

bool
os_is_descendant(const struct os_hold *hold)
{
    (void)hold;
    return false; /* as far as is known */
}

bool
os_is_childless(int64_t spared)
{
    (void)spared;
    return true; /* they can't be found, and so not waited for */
}

pid_t
posix_fork_into(const struct os_cgroup *cgroup)
{
    (void)cgroup;
    return fork();
}

int
os_cgroup_make(const char *name, struct os_cgroup *ret)
{
    (void)name;
    (void)ret;
    return -ENOTSUP;
}

int
os_cgroup_kill(const struct os_cgroup *cgroup)
{
    (void)cgroup;
    return 0;
}

bool
os_cgroup_is_populated(const struct os_cgroup *cgroup)
{
    (void)cgroup;
    return false;
}

int
os_cgroup_renew(struct os_cgroup *cgroup)
{
    (void)cgroup;
    return -ENOTSUP;
}

void
os_cgroup_remove(struct os_cgroup *cgroup)
{
    (void)cgroup;
}

void
os_cgroup_discard(const char *path)
{
    (void)path;
}

int
os_cgroup_end(const char *path, int timeout_ms)
{
    (void)path;
    (void)timeout_ms;
    return 0;
}

void
os_hurry(struct os_pace *ret_former)
{
    *ret_former = (struct os_pace){-1, 0};
}

void
os_hurry_end(const struct os_pace *former)
{
    (void)former;
}

int
os_notify_send(const char *address, const char *text, intptr_t passed, int64_t pid)
{
    (void)address;
    (void)text;
    (void)passed;
    (void)pid;
    return -ENOTSUP;
}
