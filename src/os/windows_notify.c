/* SPDX-License-Identifier: Apache-2.0 */
/* No service manager here has a descriptor for a newline, and a server has no socket to speak to us. */
#include "os/windows.h"

#include <errno.h>

int
os_notify_open(int64_t watchdog_ms, int store_max, intptr_t *ret_handle)
{
    (void)store_max;
    (void)watchdog_ms;
    (void)ret_handle;
    return -ENOTSUP;
}

int64_t
os_notify_read(intptr_t handle, char *buf, size_t size, int64_t *ret_pid,
               struct os_handles *ret_handles)
{
    (void)ret_handles;
    (void)handle;
    (void)buf;
    (void)size;
    (void)ret_pid;
    return -EAGAIN;
}

int
os_notify_fd_take(intptr_t *ret_handle)
{
    (void)ret_handle;
    return -ENOTCONN;
}

int
os_notify_fd_give(intptr_t handle)
{
    (void)handle;
    return -ENOTSUP;
}

int
os_notify_newline(intptr_t handle)
{
    (void)os_handle_close(handle);
    return -ENOTSUP;
}

int64_t
os_watchdog_ms(void)
{
    return 0;
}

/* Windows has no such variables. */
bool
os_watchdog_pass_on(void)
{
    return false;
}
