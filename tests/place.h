/* SPDX-License-Identifier: Apache-2.0 */
/* A directory for a test's files: place_unix.c, place_windows.c. */
#ifndef VORTEX_PLACE_H
#define VORTEX_PLACE_H

#include <stdbool.h>
#include <stddef.h>

/* Make a new one: its path, into buf. */
bool place_make(char *buf, size_t size);

bool place_mkdir(const char *path);

/* Make what is neither a file nor a directory; false where a file system has no such thing. */
bool place_make_odd(const char *path);

#endif
