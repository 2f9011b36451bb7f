/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700 /* mkdtemp */

#include "place.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

bool
place_make(char *buf, size_t size)
{
    snprintf(buf, size, "/tmp/vortex-test-XXXXXX");
    return mkdtemp(buf) != NULL;
}

bool
place_mkdir(const char *path)
{
    return mkdir(path, 0755) == 0;
}

bool
place_make_odd(const char *path)
{
    return mkfifo(path, 0600) == 0;
}
