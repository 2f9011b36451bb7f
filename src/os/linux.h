/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the Linux port share among themselves. */
#ifndef VORTEX_LINUX_H
#define VORTEX_LINUX_H

#include <time.h>

#include "os/os.h"

#define LINUX_STAT_START 22 /* the field of /proc/PID/stat, proc(5) */

/* The start of /proc/PID/WHAT, as a string: 0; -ENOENT, -EACCES ... */
int linux_read_proc_of(int64_t pid, const char *what, char *buf, size_t size);

/* Field n of /proc/PID/stat, counted as in proc(5); only those after the command's name. */
int linux_stat_field(int64_t pid, int n, uint64_t *ret);

/* The real and the saved user id of a held process: 0; -ENODATA; -ESRCH. */
int linux_uids_of(const struct os_hold *hold, uint32_t *ret_real, uint32_t *ret_saved);

/* A clock's time in nanoseconds. */
int64_t linux_clock_ns(clockid_t clock);

/* When was this made, by the wall clock of that moment? 0: not known. */
int64_t linux_made_ns(int dir, const char *path);

#endif
