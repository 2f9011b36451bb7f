/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of src/os share among themselves. */
#ifndef VORTEX_POSIX_H
#define VORTEX_POSIX_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "os/os.h"

#define POSIX_LINKS_MAX 40 /* symbolic links on one way, as the kernel counts */

/* Close a descriptor, if it is one, and give back the empty value. (posix_close is POSIX's own.) */
intptr_t posix_closed(intptr_t handle);

/* Count in who could have made a file or a directory what it is. */
void posix_note_speaker(struct os_speaker *speaker, const struct stat *st);

/* A number of digits alone. */
bool posix_decimal(const char *text, unsigned long *ret);

struct os_file_id posix_id_of(const struct stat *st);

/* The same file, and nobody wrote to it since. */
bool posix_unchanged(const struct os_file_id *a, const struct os_file_id *b);

/*
 * os_file_publish by what every file system has: another can come between the judgement and a
 * replacement, and the replaced file is gone.
 */
int posix_publish(const struct os_dir *dir, const char *temp, const char *name,
                  const struct os_file_id *judged);

/* flock it without waiting: 0; -EWOULDBLOCK. */
int posix_flock(intptr_t handle);

/* Signals as a program expects them, whatever our caller made of them: by default, none blocked. */
void posix_reset_signals(void);

/* Let the next exec close all descriptors from that number on, but keep stays as it is. */
void posix_keep_from_exec(int from, intptr_t keep);

/* Close the descriptors from the first number to the last one; -1: to the highest there is. */
void posix_close_range(int first, int last);

/* What was freed goes back to the system, as far as the C library can do that. */
void posix_heap_release(void);

/* Kill all that is below that child of ours, as far as it can be found. */
void posix_kill_below(int64_t child);

/* ---- posix_identity.c -------------------------------------------------------------------- */

/* Whom a launch becomes. */
struct posix_who {
    bool changes; /* it is somebody else than now */
    uid_t uid;
    gid_t gid;
    char name[OS_NAME_MAX]; /* empty: no user was named */
    const char *home;       /* this and the next are the library's, until it looks up another */
    const char *shell;
    gid_t *groups; /* the supplementary ones; free it */
    size_t group_count;
};

int posix_who_find(const struct os_launch *launch, struct posix_who *ret, enum os_stage *ret_stage);

/* Until an exec it can be taken back by posix_regain. */
int posix_become(const struct os_launch *launch, const struct posix_who *who,
                 enum os_stage *ret_stage);
void posix_regain(void);

/* ---- posix_streams.c ---------------------------------------------------------------------- */

/*
 * Standard input from nowhere, if no_input; output and errors into the file output, which may be NULL,
 * or else, if no_output, to nowhere. What is said nothing of stays as it is.
 */
int posix_set_streams(bool no_input, bool no_output, const char *output);

/* ---- posix_launch.c: os_launch_exec in two steps ------------------------------------------ */

/* All that comes before the exec. */
int posix_launch_prepare(const struct os_launch *launch, const struct os_lock *lock,
                         enum os_stage *ret_stage);

/* Returns only on failure. */
int posix_launch_exec(const struct os_launch *launch, enum os_stage *ret_stage);

/* ---- posix_stored.c ---------------------------------------------------------------------- */

#define POSIX_FIRST_PASSED 3 /* socket activation: LISTEN_FDS descriptors from here on */

/* One more than the last number that is passed on so. */
int posix_passed_end(const struct os_launch *launch);
/* A number from which on none is promised to the server. */
int posix_beyond_passed(const struct os_launch *launch);
/* What is stored gets its numbers, and what had them before is gone. */
int posix_pass_stored(const struct os_launch *launch);
/* LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES as they are for the server. */
int posix_name_passed(const struct os_launch *launch);

/* ---- linux_launch.c, plain.c: 0; -ENOTSUP where the system has no such thing -------------- */

/* setrlimit's number of that limit; -1: there is none. */
int posix_limit_number(enum os_limit_kind kind);

/* The oom killer's adjustment of this process. */
int posix_set_oom(int adjust);

int posix_set_io(enum os_io_class class, int priority);

/* -EINVAL: none of them is there. */
int posix_set_cpus(const struct os_cpus *cpus);

int posix_no_new_privileges(void);

/* Let the system kill this process when that parent dies, where it can; 0 also where not. */
int posix_die_with(int64_t parent);

/* fork() into that control group, where the system can. NULL: into ours. */
pid_t posix_fork_into(const struct os_cgroup *cgroup);

#endif
