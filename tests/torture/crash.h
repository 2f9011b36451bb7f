/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens to vortex at each of its system calls: the parts of the program `crash`.
 *
 *   crash.c         the arguments, the points of a scenario, many trials at once, the report
 *   crash_trial.c   one trial: its namespaces, what is there before, the disturbed command
 *   crash_after.c   what has to hold after it
 *   crash_server.c  the server, and owners by the library
 *   crash_world.c   commands, servers, files and bystanders
 *   crash_tracer.c  a tracer, which counts the calls and disturbs one of them
 *   crash_calls.c   the calls by name, and how each may fail
 */
#ifndef VORTEX_CRASH_H
#define VORTEX_CRASH_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define WATCHDOG_MS 60000 /* for anything that should end */
#define CALLS_MAX   8192  /* of one scenario */
#define TRACEES_MAX 64
#define PEOPLE_MAX  64
#define OWNER       "write_locked" /* this program's word for an owner by the library */
#define BYSTANDERS  2
#define PATH_SIZE   256

/* ---- Calls ------------------------------------------------------------------------------- */

#define ON_PIPE (-2)

/* A system call as far as its errors go: of one number, and there of one kind of argument. */
struct call_kind {
    const char *name;
    long number;
    int argument; /* which one tells the kind; -1: none; ON_PIPE: the first is a pipe */
    uint64_t mask, value;
    bool is_made;    /* it does its work even where it fails: close */
    bool is_private; /* nobody else can see whether it was made */
    int errors[8];
};

/* A call of that process. NULL: one that crash_calls.c doesn't know. */
const struct call_kind *call_find(pid_t pid, uint64_t number, const uint64_t *arguments);

/* ---- The tracer -------------------------------------------------------------------------- */

enum mode {
    MODE_NONE, /* only look */
    MODE_BEFORE,
    MODE_AFTER, /* KILL before, or after the call */
    MODE_ERROR, /* the call fails */
    MODE_HOLD,  /* stopped before the call, while another command runs to its end */
};

enum other {
    OTHER_START,
    OTHER_STOP,
    OTHER_STATUS,
    OTHERS,
};

/* Which call of which process of the traced command, both from 1, and what is done to it. */
struct point {
    int process;
    int call;
    enum mode mode;
    int error;
    enum other other;
};

/* A call that was seen. */
struct seen {
    int process;
    int call;
    const struct call_kind *kind;
    uint64_t number;
};

struct tracee {
    pid_t pid;
    int process;
    int calls;
    bool inside; /* a call */
    bool waits;  /* and that one waits for an event */
    bool fails;
};

struct tracer {
    struct tracee tracees[TRACEES_MAX];
    int count;
    int processes;            /* so far */
    pid_t ended[TRACEES_MAX]; /* the last ones */
    int ended_count;          /* so far */
    struct point point;
    bool reached;
    pid_t held;
    pid_t root;
    bool begun;      /* it has executed the command */
    bool counts;     /* and that has been loaded */
    int root_status; /* its wait status, once it is dead */
    bool root_ended; /* dead, or it became the server */
    bool root_became;
    struct seen *seen; /* room for CALLS_MAX, or NULL */
    int seen_count;
};

/* Start a command as the traced one. output: as world_exec has it. */
void tracer_begin(struct tracer *t, const char *const *argv, const char *output);

/* What waitpid told. False: it is about no process of the command. */
bool tracer_take(struct tracer *t, pid_t pid, int status);

/* Go on with the one that is held. */
void tracer_release(struct tracer *t);

/* Is that one of its processes, which has not become a server? */
bool tracer_has(const struct tracer *t, pid_t pid);

/* Every process that is left waits for an event. */
bool tracer_is_quiet(const struct tracer *t);

/* ---- One trial --------------------------------------------------------------------------- */

enum before {
    BEFORE_NOTHING,
    BEFORE_RUNNING, /* a server runs */
    BEFORE_CRASHED, /* it was killed, and a bystander has got its pid */
};

struct scenario {
    const char *name;
    const char *verb; /* of vortex; NULL: the library, by this very program */
    const char *library;
    enum before before;
    bool is_supervised;
    int ready;  /* so many servers are to say that they are ready */
    bool dies;  /* the first of them dies then */
    bool stops; /* then the command is sent TERM */
};

struct tools {
    const char *vortex;
    const char *self;
    const char *directory; /* where each trial mounts a file system of its own */
};

struct bystander {
    pid_t pid;
    int ask; /* its end makes it answer */
};

struct trial {
    const struct scenario *scenario;
    const struct tools *tools;
    struct tracer tracer;
    pid_t old; /* the server from before, 0: none */
    int signals;
    int told;
    int ready, reloads; /* how often servers said so */
    bool asked;         /* to stop */
    struct bystander bystanders[BYSTANDERS];
    int bystander_count;
    pid_t waited; /* a command that isn't traced, until it has ended */
    int status;   /* its exit status then */
};

/* The whole life of process 1 of a trial's own namespace: its exit status. */
#define TRIAL_UNREACHED 2 /* all is well, but the command made no such call */
int trial_main(const struct scenario *scenario, const struct tools *tools,
               const struct point *point, struct seen *seen, int *seen_count);

/* ---- Aftermath --------------------------------------------------------------------------- */

/* What the other command did while one was held: what has to hold meanwhile. */
void after_other(struct trial *t, enum other other, int status, int servers_before);

/* is_true: the command was not ended, so what it says must be so. */
void after_all(struct trial *t, bool is_true);

/* ---- The world --------------------------------------------------------------------------- */

_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

int64_t now_ms(void);

const char *world_path(const struct trial *t, const char *name);
void world_make(struct trial *t);

/* Become that program; output: the file that its output goes to. */
_Noreturn void world_exec(const char *const *argv, const char *output);

/* Take what happened, or wait for it, at most until then. */
void world_step(struct trial *t, int64_t until);

/* `vortex VERB`, of this scenario's instance: the words, to be started by either of these. */
#define WORDS_MAX 12
void world_words(const struct trial *t, const char *verb, const char **ret);
void world_begin(struct trial *t, const char *const *words);
/* Its exit status; 128 and more: by a signal. */
int world_run(struct trial *t, const char *verb);

/* Living servers; living processes of vortex. Room for PEOPLE_MAX. */
int world_servers(const struct trial *t, pid_t *ret_pids);
int world_hosts(const struct trial *t, pid_t *ret_pids);

/* Wait until there are so many servers: whether that came. */
bool world_wait_servers(struct trial *t, int count);

/* A number in the state, 0: none. */
pid_t world_state_pid(const struct trial *t, const char *key);

/* How many files of the instance are there; only those written aside. */
int world_files(const struct trial *t, bool only_temporaries);

/* With that pid; 0: any. */
void world_add_bystander(struct trial *t, pid_t pid);
void world_ask_bystanders(struct trial *t);

/* ---- This program as one of a trial's ---------------------------------------------------- */

/* It says in that directory that it is ready; the first whose life is "dies" does so then. */
int server_main(const char *directory, const char *life);

/* OWNER: own the pidfile by the library for life; "unlock": let go of it. */
int owner_main(const char *what, const char *path);

#endif
