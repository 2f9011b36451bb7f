/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Setting the scene for the contract, where that differs: scene_real.c does it on this machine,
 * scene_fake.c on the one in memory. Names are those of files in the scene's own directory.
 */
#ifndef VORTEX_SCENE_H
#define VORTEX_SCENE_H

#include <stdbool.h>
#include <stdint.h>

#define SCENE_USER       12345 /* users who are not the test's */
#define SCENE_OTHER_USER 12346
#define SCENE_TERM       15

/* What a child does; it may not assert. Its answer is the result of scene_fork. */
typedef int scene_act(const char *name);

/* Called first; true: this was a child, which has done what it had to after its exec. */
bool scene_begin(int argc, char **argv);

/* For each test: an empty directory before, and no child and no file left afterwards. */
int scene_setup(void **state);
int scene_teardown(void **state);

/* Whether files can be given to other users, and children be theirs. */
bool scene_has_users(void);

/* ---- Files ------------------------------------------------------------------------------- */

/* The full path of a name, until the next but three calls. */
const char *scene_path(const char *name);

void scene_write(const char *name, const char *content, unsigned mode);
void scene_mkdir(const char *name, unsigned mode);
void scene_symlink(const char *target, const char *name);
void scene_fifo(const char *name);
void scene_link(const char *name, const char *second);
void scene_chown(const char *name, uint32_t user);
void scene_remove(const char *name);

/* When its content was written: so many seconds ago, or ahead. */
void scene_set_age(const char *name, int seconds);

bool scene_exists(const char *name);
bool scene_holds(const char *name, const char *text);
unsigned scene_mode(const char *name);

void scene_umask(unsigned mask);
void scene_chdir(void);

/* Another process has a lease on the file; false where there is no such thing. */
bool scene_lease(const char *name);

/* The next call finds no room to write one byte, until scene_free_disk. */
void scene_fill_disk(void);
void scene_free_disk(void);

/* ---- Processes --------------------------------------------------------------------------- */

/* A child, with copies of all handles, leading a session, does act and then only lives. */
int64_t scene_fork(scene_act *act, const char *name, int *ret_result);

/* The same as a user; saved: the saved user id, which a setuid program has beside the real one. */
int64_t scene_fork_as(uint32_t user, uint32_t saved, scene_act *act, const char *name,
                      int *ret_result);

/* The same, with an exec between before and after. */
int64_t scene_fork_exec(scene_act *before, scene_act *after, const char *name, int *ret_result);

/* A child whose main thread has ended while another one lives. */
int64_t scene_fork_headless(void);

/* It is killed, and its number stays taken until it is reaped. */
void scene_kill(int64_t pid);
void scene_reap(int64_t pid);

/* A number that is only a thread's. */
int64_t scene_thread(void);

/* A signal handler runs during the next wait, until scene_stop_interrupting. */
void scene_interrupt(void);
void scene_stop_interrupting(void);

/* False where the clock was stepped since the boot, so that age may be no evidence. */
bool scene_has_steady_clock(void);

/* What a child can be told to do after an exec: ends with NULL. In contract_acts.c. */
extern scene_act *const contract_acts[];

#endif
