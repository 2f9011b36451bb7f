/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server that spreads.
 *
 *   spread N        N children, each twice forked and in a session of its own, that ignore TERM
 *   spread bomb N USER   about N processes of that number's user at a time, which fork anew as long
 *                        as there is room
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void
spread_one(void)
{
    if (fork() == 0) {
        setsid();
        if (fork() == 0) {
            setsid();
            for (;;)
                pause();
        }
        _exit(0);
    }
    wait(NULL);
}

/* Each lives for a moment and leaves a child; the limit on processes keeps it bounded. */
static void
bomb(long limit, uid_t user)
{
    struct rlimit processes = {(rlim_t)limit, (rlim_t)limit};

    /* The limit binds no root: the children become somebody else's. */
    if (setrlimit(RLIMIT_NPROC, &processes) < 0 || setgid(user) < 0 || setuid(user) < 0)
        _exit(1);
    for (;;) {
        (void)!fork();
        usleep(5000);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
    }
}

int
main(int argc, char **argv)
{
    signal(SIGTERM, SIG_IGN);
    if (argc > 3 && strcmp(argv[1], "bomb") == 0)
        bomb(atol(argv[2]), (uid_t)atol(argv[3]));
    for (int i = 0; argc > 1 && i < atoi(argv[1]); i++)
        spread_one();
    signal(SIGTERM, SIG_DFL);
    for (;;)
        pause();
}
