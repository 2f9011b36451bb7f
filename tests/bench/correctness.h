/* SPDX-License-Identifier: Apache-2.0 */
/* correctness.c judges, trials.c tries, scene.c runs what is tried. */
#ifndef VORTEX_BENCH_CORRECTNESS_H
#define VORTEX_BENCH_CORRECTNESS_H

#include "supervisors.h"

#include <poll.h>

#define TOOL_FILE PLACE "/p.pid"
#define TOOL_LOCK PLACE "/p.lock"

/* Those without a command `tool` are supervisors. */
struct subject {
    const char *name;
    enum tool tool; /* TOOLS: none */
    enum peer peer;
    const char *pidfile; /* in its directory; NULL: it reads none */
    int settle_ms;       /* in which a second server would come, too */
    bool by_number;      /* start-stop-daemon, told of nothing but a pidfile */
    bool stop_needs_it;  /* its stop asks a process which a start makes */
};

/* A trial's place and processes. */
struct trial {
    const struct subject *subject;
    struct bench bench; /* the tools' commands */
    struct world world;
    struct bed bed;     /* the supervisors' */
    struct pollfd said; /* that a server runs */
    struct instance instance;
    const char *server; /* the program to be counted */
    const char *pidfile;
    pid_t bystanders[2];
    int round;
};

/* How often of how many: written by a trial's judge. */
struct verdict {
    int faults, of;
};

/* ---- scene.c ----------------------------------------------------------------------------- */

/* false: it has no such command. */
bool get_stop(const struct trial *t, const char *words[WORDS]);
bool get_status(const struct trial *t, const char *words[WORDS]);

/* Its exit status, or -1 where it hangs. */
int run_command(const char *const *words);

/* What ends is reaped meanwhile, as by an init. */
void settle(int ms);

/*
 * At once, by so many. Wait for a server; or until the commands have ended without one, or too much
 * time has. Then for what else is on its way.
 */
void start_by(const struct trial *t, int count);

/* One, until it runs and the command has written its files: the server. */
pid_t start_first(struct trial *t);

int count_servers(const struct trial *t, pid_t *ret_one);

/* A process that has nothing to do with it; with that number, or 0. */
pid_t let_stand_by(pid_t number);

/* Something may be on its way; and what has ended may be reaped already. */
bool is_harmed(pid_t bystander);

/* All processes end at once. */
void cut_power(void);

/* ---- trials.c ---------------------------------------------------------------------------- */

#define BAD_FILES 9

struct trial_kind {
    const char *key; /* in JSON */
    const char *name;
    struct verdict (*run)(struct trial *t);
    int rounds; /* BAD_FILES: one for each of them */
};

extern const struct trial_kind trial_kinds[];
extern const int trial_kind_count;

#endif
