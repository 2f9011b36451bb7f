/* SPDX-License-Identifier: Apache-2.0 */
/* What tests share that run on this machine, whatever they put in place of a part of it. */
#ifndef VORTEX_REAL_H
#define VORTEX_REAL_H

#include "os/os.h"

/* A new directory for a test's files. */
bool real_dir_open(struct os_dir *ret);

/* valgrind has none: that is said, for a test that skips itself. */
bool real_lacks_pidfd(void);

#endif
