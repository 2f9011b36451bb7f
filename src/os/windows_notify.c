/* SPDX-License-Identifier: Apache-2.0 */
/* No service manager here has a descriptor for a newline, or a variable for a watchdog. */
#include "os/windows.h"

#include <errno.h>

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
