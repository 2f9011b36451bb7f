/* SPDX-License-Identifier: Apache-2.0 */
/* What each port needs to know of a path, told by what the seam already tells. */
#ifndef VORTEX_OS_PATH_H
#define VORTEX_OS_PATH_H

#include <stdbool.h>

/*
 * Do others have a say in that directory? They could make root append to a file of their choice
 * there, by a link (CVE-2016-1247).
 */
int path_is_of_others(const char *path, bool *ret_others);

#endif
