/* SPDX-License-Identifier: Apache-2.0 */
#include "claim.h"

#include <stddef.h>
#include <vortex.h>

static struct vortex_lock *lock;

int
claim(const char *path)
{
    vortex_pid owner;

    return vortex_pidfile_write_locked(path, &lock, &owner);
}

void
release(void)
{
    vortex_lock_unlock(lock);
}
