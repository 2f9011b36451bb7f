/* SPDX-License-Identifier: Apache-2.0 */
/* The heap of the GNU C library, which keeps what was freed unless it is told. */
#include <malloc.h>

#include "os/posix.h"

void
posix_heap_release(void)
{
    (void)malloc_trim(0);
}
