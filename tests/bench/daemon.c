/* SPDX-License-Identifier: Apache-2.0 */
/* A daemon that keeps its pidfile itself, by a library: daemon PIDFILE READY. Ends at TERM. */
#include "claim.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
    char text[24];
    int n = snprintf(text, sizeof(text), "%d\n", (int)getpid()), fd, number;
    sigset_t term;

    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, NULL);
    if (argc != 3 || claim(argv[1]) < 0)
        return 1;
    fd = open(argv[2], O_WRONLY);
    if (fd < 0 || write(fd, text, (size_t)n) != n)
        return 1;
    close(fd);
    sigwait(&term, &number);
    release();
    return 0;
}
