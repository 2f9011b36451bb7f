/* SPDX-License-Identifier: Apache-2.0 */
/* Where a server reads from and writes to. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "os/os.h"
#include "os/posix.h"

/* A server's output never becomes somebody's terminal. */
static int
open_output(const char *output)
{
    struct os_log log;
    int fd, r;

    if (output == NULL) {
        fd = open("/dev/null", O_WRONLY | O_NOCTTY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
    }
    r = os_log_open(output, NULL, &log);
    if (r < 0)
        return r;
    if (!log.is_regular) /* a pipe's reader may take its time */
        (void)fcntl((int)log.handle, F_SETFL, O_APPEND);
    return (int)log.handle;
}

/* Of the standard streams, those from first to last become fd, which goes. */
static int
become_streams(int fd, int first, int last)
{
    int r = fd < 0 ? fd : 0;

    for (int stream = first; r == 0 && stream <= last; stream++)
        if (dup2(fd, stream) < 0)
            r = -errno;
    if (fd > STDERR_FILENO)
        close(fd);
    return r;
}

/* One open does for all that go nowhere: it is on the way to each server's main(). */
int
posix_set_streams(bool no_input, bool no_output, const char *output)
{
    bool nowhere = no_output && output == NULL;
    int r = 0;

    if (no_input) {
        int null = open("/dev/null", O_RDWR | O_NOCTTY | O_CLOEXEC);

        if (null >= 0 || nowhere)
            r = become_streams(null < 0 ? -errno : null, STDIN_FILENO,
                               nowhere ? STDERR_FILENO : STDIN_FILENO);
    }
    if (r == 0 && (output != NULL || (nowhere && !no_input)))
        r = become_streams(open_output(output), STDOUT_FILENO, STDERR_FILENO);
    return r;
}

int
os_detach_streams(const char *output)
{
    return posix_set_streams(true, output == NULL, output);
}
