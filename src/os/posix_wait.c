/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for many descriptors at once; the same on all Unixes. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "os/os.h"
#include "os/posix.h"

#define SOURCES_MAX 64

static int
left_until(int64_t deadline_ms)
{
    int64_t left;

    if (deadline_ms < 0)
        return -1;
    left = deadline_ms - os_monotonic_ms();
    if (left < 0)
        return 0;
    return left > INT_MAX ? INT_MAX : (int)left;
}

int
os_wait(struct os_source *sources, size_t count, int64_t deadline_ms)
{
    struct pollfd fds[SOURCES_MAX];
    int n;

    if (count > SOURCES_MAX)
        return -EINVAL;
    for (size_t i = 0; i < count; i++) {
        int other = sources[i].wants_change ? POLLPRI : POLLIN;

        fds[i] = (struct pollfd){.fd = (int)sources[i].handle,
                                 .events = (short)(sources[i].wants_write ? POLLOUT : other)};
        sources[i].ready = false;
    }
    do
        n = poll(fds, count, left_until(deadline_ms));
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    for (size_t i = 0; i < count; i++)
        sources[i].ready = fds[i].revents != 0;
    return n;
}

int
os_pipe(intptr_t ret_ends[2])
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0) {
        int r = -errno;

        close(ends[0]);
        close(ends[1]);
        return r;
    }
    ret_ends[0] = ends[0];
    ret_ends[1] = ends[1];
    return 0;
}

int64_t
os_handle_read(intptr_t handle, void *buf, size_t size)
{
    ssize_t n;

    do
        n = read((int)handle, buf, size);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

int64_t
os_handle_write(intptr_t handle, const void *data, size_t size)
{
    ssize_t n;

    do
        n = write((int)handle, data, size);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

intptr_t
os_handle_close(intptr_t handle)
{
    return posix_closed(handle);
}
