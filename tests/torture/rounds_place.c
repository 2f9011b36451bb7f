/* SPDX-License-Identifier: Apache-2.0 */
/* Where a worker lives: a container, a user, a pid space whose numbers are soon used again. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rounds.h"

bool
ends_well(pid_t pid)
{
    int status;

    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Process 1: servers whose starter has ended are its to reap. */
static _Noreturn void
be_process_one(int (*body)(const struct job *, void *), const struct job *job, void *what)
{
    pid_t child, first;
    int status;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0
        || mount("proc", "/proc", "proc", 0, NULL) < 0)
        die("mounting /proc");
    first = fork();
    if (first == 0)
        _exit(body(job, what));
    while ((child = waitpid(-1, &status, 0)) != first)
        if (child < 0)
            die("wait");
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

int
in_container(int (*body)(const struct job *, void *), const struct job *job, void *what)
{
    pid_t child = fork();

    if (child == 0) { /* it alone could fork no more, once that container has ended */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (unshare(CLONE_NEWPID | CLONE_NEWNS) < 0)
            die("unshare");
        child = fork();
        if (child == 0)
            be_process_one(body, job, what);
        _exit(ends_well(child) ? 0 : 1);
    }
    return ends_well(child) ? 0 : 1;
}

void
go_to_copy(const char *directory, const char *at)
{
    if (mkdir(at, 0755) < 0 || mount(directory, at, NULL, MS_BIND, NULL) < 0 || chdir(at) < 0)
        die(at);
}

void
become_nobody(void)
{
    if (setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0)
        die("setresuid");
}

void
wind_pids_back(void)
{
    static int fd = -1;
    char number[16];
    int length = snprintf(number, sizeof(number), "%d", LOWEST_PID - 1);

    if (fd < 0)
        fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
    if (fd < 0 || pwrite(fd, number, (size_t)length, 0) < 0)
        die("ns_last_pid");
}

pid_t
fork_as(pid_t pid)
{
    struct clone_args args = {
        .exit_signal = SIGCHLD,
        .set_tid = (uintptr_t)&pid,
        .set_tid_size = 1,
    };

    return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

int
command(const char *const *argv, char *said, size_t size)
{
    size_t length = 0;
    ssize_t n;
    int ends[2], status;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0)
        die("pipe");
    pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        execv(argv[0], (char *const *)argv);
        _exit(127);
    }
    close(ends[1]);
    while (length + 1 < size && (n = read(ends[0], said + length, size - 1 - length)) > 0)
        length += (size_t)n;
    said[length] = '\0';
    close(ends[0]);
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        die("executing a command");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
