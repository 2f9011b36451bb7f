/* SPDX-License-Identifier: Apache-2.0 */
/*
 * halt_before N COMMAND ARG...: run a command until it, or a descendant, is about to change files for
 * the Nth time; then all of them stand still, as long as this process lives. Says so in one line, with
 * the name of the call, or "ended" if the command ended before.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPTIONS                                                                                    \
    (PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE        \
     | PTRACE_O_TRACEEXEC)

static void
die(const char *what)
{
    printf("%s: %s\n", what, strerror(errno));
    exit(111);
}

/* NULL: it changes no file. */
static const char *
name_of_change(const struct __ptrace_syscall_info *call)
{
    static const struct {
        unsigned long number;
        const char *name;
    } changes[] = {
        {SYS_fchmod, "fchmod"},       {SYS_fchown, "fchown"},       {SYS_ftruncate, "ftruncate"},
        {SYS_linkat, "linkat"},       {SYS_mkdirat, "mkdirat"},     {SYS_pwrite64, "pwrite64"},
        {SYS_renameat, "renameat"},   {SYS_renameat2, "renameat2"}, {SYS_unlinkat, "unlinkat"},
        {SYS_utimensat, "utimensat"}, {SYS_write, "write"},
    };

    if (call->entry.nr == SYS_openat)
        return (call->entry.args[2] & O_CREAT) != 0 ? "openat" : NULL;
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
        if (call->entry.nr == changes[i].number)
            return changes[i].name;
    return NULL;
}

static pid_t
begin(char **command)
{
    int ready[2];
    char byte;
    pid_t pid;

    if (pipe2(ready, O_CLOEXEC) < 0)
        die("pipe2");
    pid = fork();
    if (pid < 0)
        die("fork");
    if (pid == 0) {
        close(ready[1]);
        if (read(ready[0], &byte, 1) == 0)
            execvp(command[0], command);
        _exit(127);
    }
    if (ptrace(PTRACE_SEIZE, pid, NULL, OPTIONS) < 0)
        die("ptrace");
    close(ready[1]); /* end of file: go on */
    close(ready[0]);
    return pid;
}

/* What is about to be changed by this stopped one, else NULL; ret_signal: what it is to get. */
static const char *
change_ahead(pid_t pid, int status, int *ret_signal)
{
    struct __ptrace_syscall_info call;

    *ret_signal = 0;
    if (status >> 16 != 0) /* an event: a fork, an exec, a new one's begin */
        return NULL;
    if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
        *ret_signal = WSTOPSIG(status);
        return NULL;
    }
    if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(call), &call) <= 0
        || call.op != PTRACE_SYSCALL_INFO_ENTRY)
        return NULL;
    return name_of_change(&call);
}

int
main(int argc, char **argv)
{
    int left = argc > 2 ? atoi(argv[1]) : 0;
    int status, signal_number;
    pid_t command, pid;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (left <= 0)
        return 2;
    command = begin(argv + 2);
    for (;;) {
        const char *change;

        pid = waitpid(-1, &status, __WALL);
        if (pid < 0)
            die("waitpid");
        if (!WIFSTOPPED(status)) {
            if (pid != command)
                continue;
            printf("ended\n");
            return 0;
        }
        change = change_ahead(pid, status, &signal_number);
        if (change != NULL && --left == 0)
            break;
        /* ESRCH: it was killed meanwhile */
        (void)ptrace(PTRACE_SYSCALL, pid, NULL, signal_number);
    }
    printf("halted before %s\n", change_ahead(pid, status, &signal_number));
    for (;;)
        pause();
}
