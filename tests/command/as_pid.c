/* SPDX-License-Identifier: Apache-2.0 */
/*
 * as_pid PID COMMAND ARG...: run a command under exactly that pid, as an innocent which got a
 * reused one. The pid must be free; needs root, in the pid namespace or above it.
 */
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
    pid_t wanted = argc > 2 ? (pid_t)atoi(argv[1]) : 0;
    struct clone_args args = {
        .exit_signal = SIGCHLD,
        .set_tid = (uintptr_t)&wanted,
        .set_tid_size = 1,
    };
    long pid;
    int status;

    if (wanted <= 0)
        return 2;
    pid = syscall(SYS_clone3, &args, sizeof(args));
    if (pid < 0) {
        perror("as_pid: clone3");
        return 111;
    }
    if (pid == 0) {
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    waitpid((pid_t)pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
