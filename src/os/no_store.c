/* SPDX-License-Identifier: Apache-2.0 */
/* Where no server can send us descriptors, none are kept. */
#include <errno.h>

#include "os/os.h"

bool
os_handle_is_same(intptr_t a, intptr_t b)
{
    (void)a;
    (void)b;
    return false;
}

int
os_watch_open(intptr_t *ret_watch)
{
    (void)ret_watch;
    return -ENOTSUP;
}

int
os_watch_add(intptr_t watch, intptr_t handle)
{
    (void)watch;
    (void)handle;
    return -ENOTSUP;
}

void
os_watch_remove(intptr_t watch, intptr_t handle)
{
    (void)watch;
    (void)handle;
}

intptr_t
os_watch_next(intptr_t watch)
{
    (void)watch;
    return OS_NONE;
}
