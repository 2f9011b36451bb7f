/* SPDX-License-Identifier: Apache-2.0 */
/* Built by packaging/dev.sh beside the unpacked libbsd: meson sees no library there. */
#include "claim.h"

#include <bsd/libutil.h>
#include <stddef.h>

static struct pidfh *file;

int
claim(const char *path)
{
    file = pidfile_open(path, 0600, NULL);
    return file != NULL ? pidfile_write(file) : -1;
}

void
release(void)
{
    pidfile_remove(file);
}
