/* SPDX-License-Identifier: Apache-2.0 */
/* The server of the measurements: says its pid into the FIFO argv[1], sleeps, dies at TERM. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
    char text[24];
    int n = snprintf(text, sizeof(text), "%d\n", (int)getpid());
    int fd = argc > 1 ? open(argv[1], O_WRONLY) : -1;

    if (fd < 0 || write(fd, text, (size_t)n) != n)
        return 1;
    close(fd);
    for (;;)
        pause();
}
