/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the tests of the command ask it, and what they find it in.
 *
 * Each test has a world of its own: a temporary directory, and a nurse (nurse.c), the parent of all
 * orphans, who ends whatever a test leaves behind. Whatever is waited for has a deadline.
 */
#ifndef VORTEX_HARNESS_H
#define VORTEX_HARNESS_H

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <cmocka.h>

#define DEADLINE_MS 20000
#define TEXT_SIZE   32768
#define WAY_SIZE    512 /* of a path in the world */
#define NOBODY      65534

struct world {
    char dir[128];         /* the temporary directory */
    char run[WAY_SIZE];    /* RUNTIME_DIRECTORY */
    char report[WAY_SIZE]; /* the FIFO that toys write to */
    const char *toy;
    const char *vortex;
    const void *row; /* of a table of tests */
    int report_fd;
    char heard[4096]; /* of the report, not yet asked for */

    /* How the next programs are called. */
    bool as_nobody;        /* as a user without rights */
    bool hostile;          /* with all signals blocked, and ignored where that is possible */
    const char *directory; /* from there; NULL: from the temporary directory */
    const char *path;      /* PATH; NULL: the present one */
};

/* ---- A suite ----------------------------------------------------------------------------- */

/* A test in a world of its own. */
#define PROMISE(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
#define PROMISE_OF(f, row_)                                                                        \
    {                                                                                              \
#f, f, world_setup, world_teardown, (void *)(uintptr_t)(row_)                              \
    }

int world_setup(void **state);
int world_teardown(void **state);

/* main's whole body. */
#define RUN_SUITE(name, own_pids, tests)                                                           \
    run_suite(own_pids, &(struct suite){name, tests, sizeof(tests) / sizeof((tests)[0])})

struct suite {
    const char *name;
    const struct CMUnitTest *tests;
    size_t count;
};

/*
 * own_pids: in a pid namespace of the suite's own, where that is allowed: nobody else's pids are
 *           near, and a signal that goes astray stays in there.
 */
int run_suite(bool own_pids, const struct suite *suite);

/* Is this a pid namespace of the suite's own? Then process 1 is the nurse, and tells of signals. */
bool pids_are_own(void);

/* The end of a test that can't be made here. */
void skip_test(const char *why);

/* The same where the system lacks a tool: with VORTEX_TEST_ALL it is a failure. */
void lack(const char *what);

void need_root(void);
/* -Dos=posix doesn't promise it. */
void need_linux(void);

/* ---- Programs ---------------------------------------------------------------------------- */

struct answer {
    int status; /* exit status, or 128 + signal */
    char out[TEXT_SIZE];
    char err[TEXT_SIZE];
};

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Run vortex, or any program, to its end: until it is dead and nobody keeps its output open. */
#define VORTEX(w, ...)  vortex_run(w, WORDS(__VA_ARGS__))
#define PROGRAM(w, ...) program_run(w, WORDS(__VA_ARGS__))

const struct answer *vortex_run(struct world *w, const char *const *words);
const struct answer *program_run(struct world *w, const char *const *argv);

/* One that goes on while the test does. */
struct task {
    pid_t pid;
    int pidfd;
    int out;
    int err;
};

#define BACKGROUND(w, ...) vortex_begin(w, WORDS(__VA_ARGS__))
struct task vortex_begin(struct world *w, const char *const *words);
struct task program_begin(struct world *w, const char *const *argv);
const struct answer *task_end(struct task *task);
bool task_goes_on(const struct task *task);

#define expect_exit(answer, wanted) expect_exit_at(answer, wanted, __FILE__, __LINE__)
#define expect_says(text, wanted)   expect_says_at(text, wanted, true, __FILE__, __LINE__)
#define expect_silent(text, word)   expect_says_at(text, word, false, __FILE__, __LINE__)

void expect_exit_at(const struct answer *answer, int wanted, const char *file, int line);
void expect_says_at(const char *text, const char *wanted, bool there, const char *file, int line);

/* The number after "pid " in a message. */
pid_t pid_said(const char *text);

/* DEADLINE_MS from now, and poll up to such a moment: false when it has come. */
int64_t deadline(void);
bool poll_until(struct pollfd *events, nfds_t count, int64_t end);

/* ---- Toys (toys.c) ----------------------------------------------------------------------- */

/* `vortex start NAME -- TOY --report ... OPTIONS`: the pid of the server, which is ready. */
#define START(w, name)           toy_start(w, name, WORDS(NULL))
#define START_WITH(w, name, ...) toy_start(w, name, WORDS(__VA_ARGS__))
pid_t toy_start(struct world *w, const char *name, const char *const *options);

/* Use a copy of the toy, at a place where nobody may execute it too. */
void toy_bring(struct world *w);

/* A toy that vortex knows nothing of. */
pid_t toy_start_alone(struct world *w);

/* Wait until a toy says that word: who said it. What others said first is kept for later. */
pid_t hear(struct world *w, const char *word);

/* A toy lives, and no signal came to it but those that were heard. */
void expect_unsignalled(struct world *w, pid_t toy);

/* KILL, and it is gone: its number is free. */
void kill_hard(pid_t pid);
void wait_for_death(pid_t pid);
bool lives(pid_t pid);

/* ---- Bystanders, whom no signal may reach (world.c) -------------------------------------- */

struct bystander {
    pid_t pid;
    int pidfd;
};

struct bystander bystander_start(void);

/* With that very pid, which is free; the test is skipped where that is not allowed. */
struct bystander bystander_start_as(pid_t pid);

/* No signal came, not one. Ends it. */
void bystander_expect_unharmed(struct bystander *bystander);

/* ---- Files (world.c) --------------------------------------------------------------------- */

/* DIR/NAME, RUN/NAME. One of many buffers that take turns. */
const char *in_dir(const struct world *w, const char *name);
const char *in_run(const struct world *w, const char *name);

bool is_there(const char *path);
const char *file_read(const char *path); /* one of many buffers that take turns */
void file_write(const char *path, const char *text);
void file_write_bytes(const char *path, const char *data, size_t length);
pid_t pid_in(const char *path);

/* As if last written so many seconds ago. */
void file_age(const char *path, int seconds);

/* A state's value, and to change it (NULL: take the line out). */
const char *state_value(const char *path, const char *key);
void state_edit(const char *path, const char *key, const char *value);

/* Nothing of that instance is there, nor of an attempt at it. */
void expect_no_files(const struct world *w, const char *name);

/* Nor what is written aside before it is published. */
void expect_no_temporaries(const struct world *w);

/* DIR/NAME.conf with that text, in printf's words: its path. */
__attribute__((format(printf, 3, 4))) const char *config_write(const struct world *w,
                                                               const char *name, const char *format,
                                                               ...);

/* Text in printf's words, in one of many buffers that take turns. */
__attribute__((format(printf, 1, 2))) const char *text_of(const char *format, ...);

/* ---- The nurse (nurse.c) ----------------------------------------------------------------- */

/* What a test calls: end all that it started; reap all that is dead. */
void nurse_end_all(void);
void nurse_reap(void);

/* The body of the tests' process, under a nurse of its own: its exit status. */
int nurse_watch(bool own_pids, int (*body)(const void *), const void *argument);

#endif
