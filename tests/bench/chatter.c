/* SPDX-License-Identifier: Apache-2.0 */
/* A server that says much: its pid into the FIFO, then lines, 64 KiB a write, and a last one. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE  128
#define BLOCK 65536

int
main(int argc, char **argv)
{
    static char block[BLOCK];
    const char *ready = getenv("BENCH_READY"), *path = ready != NULL ? ready
                                                       : argc > 1    ? argv[1]
                                                                     : NULL;
    const char *mib = getenv("CHATTER_MIB");
    int fd = path != NULL ? open(path, O_WRONLY) : -1;

    memset(block, 'x', sizeof(block));
    for (int i = LINE - 1; i < BLOCK; i += LINE)
        block[i] = '\n';
    if (fd < 0 || mib == NULL || dprintf(fd, "%d\n", (int)getpid()) < 0)
        return 1;
    for (long left = atol(mib) * (1048576 / BLOCK); left > 0; left--)
        for (size_t done = 0; done < BLOCK;) {
            ssize_t n = write(STDOUT_FILENO, block + done, BLOCK - done);

            if (n < 0)
                return 1;
            done += (size_t)n;
        }
    if (write(STDOUT_FILENO, "the end\n", 8) != 8)
        return 1;
    for (;;)
        pause();
}
