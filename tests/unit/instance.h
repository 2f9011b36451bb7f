/* SPDX-License-Identifier: Apache-2.0 */
/* One instance of a server on the machine in memory, for the tests of src/lib. */
#ifndef VORTEX_INSTANCE_H
#define VORTEX_INSTANCE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_os.h"
#include "lib/core.h"

#define PIDFILE "/run/web.pid"
#define LOCK    "/run/web.pid.lock"
#define STATE   "/run/web.pid.state"

#define SERVER     4711 /* pids */
#define SUPERVISOR 4712
#define RIVAL      4713
#define INNOCENT   4714
#define USER       1001

#define KILL 9
#define TERM 15

#define TEST(name) cmocka_unit_test_setup(name, instance_setup)

/* A new machine, an hour old. */
int instance_setup(void **state);

/* ---- What stands in the files ------------------------------------------------------------ */

enum lock_word {
    HELD,
    RELEASED,
};

/* The state which that process would have written; hosted: the server behind it, or NULL. */
void write_state(const struct fake_process *owner, const struct fake_process *hosted,
                 enum lock_word lock);

/* One more word in the state, "key=value". */
void add_to_state(const char *word);

/* A pidfile, root's. */
struct fake_file *write_pidfile(const char *content);
struct fake_file *write_pidfile_of(int64_t pid);

/* Does the pidfile, and does the state, name that pid? */
bool pidfile_names(int64_t pid);
bool state_names(int64_t pid);

/* Three files at most, and no temporary. */
bool is_tidy(void);

/* How many others there are. */
unsigned others(void);

/* The two temporaries which a crash may leave: links to /tmp/precious, as a hostile user would. */
void leave_temporaries(void);

/* ---- Servers ----------------------------------------------------------------------------- */

/* A new process opens the lock and takes it, for as long as it lives. */
struct fake_process *lock_holder(int64_t pid);

/* A new process claims the pidfile for life (or writes it only), and an hour passes. */
struct fake_process *server(int64_t pid);
struct fake_process *writer(int64_t pid);

/* Its end, unnoticed by anybody, and an hour passes. The number is free again. */
void crash(struct fake_process *process);

/* The current process starts: 0, or what a claim answers. It lives by its lock afterwards. */
int start(void);

/* The same by that process, which may be new. The current one stays so. */
int start_as(int64_t pid);

/* Which of the current process's steps is the first of that name; there is one. */
unsigned step_of(const char *name);

/* ---- Looking ----------------------------------------------------------------------------- */

/* The verdict, and the pid that it is about. Nothing stays open. */
enum vortex_verdict verdict(void);
enum vortex_verdict verdict_on(int64_t *ret_pid);
const char *reason(void);

/* Verdict and pid in one; the living are held as what they are. */
void assert_verdict(enum vortex_verdict expected, int64_t pid);

#endif
