/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers: a fork that goes its own way, and a program between two handles. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/os.h"
#include "os/posix.h"

#define FIRST_HANDLE 3
#define HANDLES_MAX  8
#define FILTER_NICE  10

/* ---- A fork ------------------------------------------------------------------------------ */

static void
go_nowhere(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
        (void)dup2(null, fd);
    if (null > STDERR_FILENO)
        close(null);
    (void)!chdir("/");
    (void)setsid();
}

/* Give them the numbers from FIRST_HANDLE on, and close all others. */
static int
keep_only(const intptr_t *handles, intptr_t *ret_own, size_t count)
{
    int high[HANDLES_MAX];

    for (size_t i = 0; i < count; i++) {
        high[i] = fcntl((int)handles[i], F_DUPFD_CLOEXEC, FIRST_HANDLE + HANDLES_MAX);
        if (high[i] < 0)
            return -errno;
    }
    for (size_t i = 0; i < count; i++) {
        ret_own[i] = FIRST_HANDLE + (intptr_t)i;
        if (dup3(high[i], (int)ret_own[i], O_CLOEXEC) < 0)
            return -errno;
    }
    posix_close_range(FIRST_HANDLE + (int)count, -1);
    return 0;
}

static _Noreturn void
be_helper(os_helper_main *main, const void *what, const intptr_t *handles, size_t count)
{
    intptr_t own[HANDLES_MAX];

    go_nowhere();
    _exit(keep_only(handles, own, count) < 0 ? 1 : main(what, own));
}

int
os_helper_start(os_helper_main *main, const void *what, const intptr_t *handles, size_t count,
                int64_t *ret_pid)
{
    sigset_t all, before;
    pid_t pid;
    int r;

    if (count > HANDLES_MAX)
        return -EINVAL;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid = fork();
    r = pid < 0 ? -errno : 0;
    if (pid == 0)
        be_helper(main, what, handles, count);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (r == 0)
        *ret_pid = pid;
    return r;
}

/* ---- A filter ---------------------------------------------------------------------------- */

static void
become_filter(const char *const *argv, intptr_t input, intptr_t output, int channel)
{
    (void)dup2((int)input, STDIN_FILENO);
    (void)dup2((int)output, STDOUT_FILENO);
    (void)fcntl(channel, F_SETFD, 0); /* open for as long as it runs */
    (void)setpriority(PRIO_PROCESS, 0, FILTER_NICE);
    posix_reset_signals();
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

int
os_filter_start(const char *const *argv, intptr_t input, intptr_t output,
                struct os_child *ret_child)
{
    int channel[2];
    pid_t pid;

    if (pipe2(channel, O_CLOEXEC) < 0)
        return -errno;
    pid = fork();
    if (pid < 0) {
        int r = -errno;

        close(channel[0]);
        close(channel[1]);
        return r;
    }
    if (pid == 0)
        become_filter(argv, input, output, channel[1]);
    close(channel[1]);
    *ret_child = (struct os_child){pid, channel[0]};
    return 0;
}

int
os_filter_end(struct os_child *child, bool kill_it)
{
    int status = 0;

    child->channel = posix_closed(child->channel);
    if (kill_it)
        (void)kill((pid_t)child->pid, SIGKILL);
    while (waitpid((pid_t)child->pid, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
