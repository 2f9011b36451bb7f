/* SPDX-License-Identifier: Apache-2.0 */
/* The server of the measurements: says its pid into the FIFO BENCH_READY or argv[1], sleeps, dies at TERM. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
    char text[24];
    int n = snprintf(text, sizeof(text), "%d\n", (int)getpid());
    const char *ready = getenv("BENCH_READY"), *path = ready != NULL ? ready
                                                       : argc > 1    ? argv[1]
                                                                     : NULL;
    int fd = path != NULL ? open(path, O_WRONLY) : -1;

    if (fd < 0 || write(fd, text, (size_t)n) != n)
        return 1;
    close(fd);
    for (;;)
        pause();
}
