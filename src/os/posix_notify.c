/* SPDX-License-Identifier: Apache-2.0 */
/* The word "ready" as a newline on a descriptor: s6, dinit and OpenRC. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "os/os.h"
#include "os/posix.h"

int
os_notify_newline(void)
{
    const char *text = getenv("NOTIFY_FD");
    unsigned long fd;
    int64_t n;

    if (text == NULL || text[0] == '\0')
        return -ENOTCONN;
    if (!posix_decimal(text, &fd) || fd <= STDERR_FILENO || fd > 65535)
        return -EINVAL;
    n = os_handle_write((intptr_t)fd, "\n", 1);
    close((int)fd);
    (void)unsetenv("NOTIFY_FD");
    return n < 0 ? (int)n : 0;
}
