/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of src/os share among themselves. */
#ifndef VORTEX_POSIX_H
#define VORTEX_POSIX_H

#include <sys/stat.h>

#include "os/os.h"

/* Close a descriptor, if it is one, and give back the empty value. */
intptr_t posix_close(intptr_t handle);

/* Count in who could have made a file or a directory what it is. */
void posix_note_speaker(struct os_speaker *speaker, const struct stat *st);

/* A number of digits alone. */
bool posix_decimal(const char *text, unsigned long *ret);

struct os_file_id posix_id_of(const struct stat *st);

/* The same file, and nobody wrote to it since. */
bool posix_unchanged(const struct os_file_id *a, const struct os_file_id *b);

/* flock it without waiting: 0; -EWOULDBLOCK. */
int posix_flock(intptr_t handle);

/* Let the next exec close all descriptors from that number on, but keep stays as it is. */
void posix_keep_from_exec(int from, intptr_t keep);

/* Close all descriptors from that number on. */
void posix_close_from(int from);

/* Kill all that is below that child of ours, as far as it can be found. */
void posix_kill_below(int64_t child);

/* The oom killer's adjustment of this process: 0; -ENOTSUP where the system has none. */
int posix_set_oom(int adjust);

/* Let the system kill this process when that parent dies, where it can; 0 also where not. */
int posix_die_with(int64_t parent);

#endif
