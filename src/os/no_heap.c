/* SPDX-License-Identifier: Apache-2.0 */
/* A heap that can't be told to let go of what was freed, or does so itself. */
#include "os/posix.h"

void
posix_heap_release(void)
{
}
