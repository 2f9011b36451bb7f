/* SPDX-License-Identifier: Apache-2.0 */
/* Where a server has no socket on which to speak to us as sd_notify(3) does. */
#include <errno.h>

#include "os/os.h"

int
os_notify_open(int64_t watchdog_ms, int store_max, intptr_t *ret_handle)
{
    (void)watchdog_ms;
    (void)store_max;
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
    return -ENOTSUP;
}
