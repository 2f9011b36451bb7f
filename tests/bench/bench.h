/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench.c measures, world.c runs and ends the processes, layer.c is where, samples.c keeps the
 * figures, report.c tells.
 */
#ifndef VORTEX_BENCH_H
#define VORTEX_BENCH_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* ---- samples.c --------------------------------------------------------------------------- */

#define SAMPLES_MAX 400

struct samples {
    double us[SAMPLES_MAX]; /* or another unit */
    int count;
};

void samples_add(struct samples *s, double value);

/* The sample below which that part of them is, by nearest rank. 0: there are none. */
double samples_quantile(struct samples *s, int percent);
double samples_median(struct samples *s);

/* A line of JSON for report.py; no samples, no line. */
void samples_json(struct samples *s, const char *figure, const char *peer, FILE *out);
void value_json(double value, const char *figure, const char *peer, FILE *out);
void share_json(int count, int of, const char *figure, const char *peer, FILE *out);

/* ---- layer.c ----------------------------------------------------------------------------- */

/* Run this program anew in namespaces of its own, with the peers over /usr; or exit: needs root. */
void enter_layer(char **argv);

/* So many rounds, or few of them where the benchmark is only tried (VORTEX_BENCH_QUICK). */
int rounds(int full);

const char *absolute(const char *path);
void write_file(const char *path, const char *text);

/* Never freed: it is little, and the program's end is near. */
__attribute__((format(printf, 1, 2))) char *text_of(const char *format, ...);

/* ---- report.c ---------------------------------------------------------------------------- */

/* FLOCK and the two DAEMONs stay in the foreground; the latter claim their pidfile by a library. */
enum tool { VORTEX, DAEMONIZE, SSD, FLOCK, OUR_DAEMON, BSD_DAEMON, EMPTY, STATIC, TOOLS };

enum measure {
    START_PIDFILE, /* until the pidfile names the living server, complete */
    START_RUNS,    /* until the server's main() runs */
    START_RETURNS, /* until the tool has returned */
    STOP_LAG,      /* from the server's death to the tool's return */
    STOP_WHOLE,
    STATUS,
    LIST,
    MEASURES,
};

/* Simultaneous starts on one pidfile. */
struct race {
    int rounds;
    int several; /* rounds in which more than one server ran */
    int none;    /* or no server at all */
    int most;    /* servers at once */
};

struct report {
    const char *missing[TOOLS]; /* NULL: it is there; else why it is not */
    struct samples samples[MEASURES][TOOLS];
    struct race race[TOOLS];
    int early[TOOLS]; /* starts which returned while the pidfile named no process of the server */
    int starters;
    double load;    /* average of the last minute */
    bool real_time; /* the harness has that priority */
    bool steady;    /* and so has what is measured */
    bool warming;   /* what is sampled now doesn't count */
};

void report_add(struct report *r, enum measure m, enum tool t, double us);
void report_early(struct report *r, enum tool t);
void report_text(struct report *r, FILE *out);
void report_goals(struct report *r, FILE *out);
void report_json(struct report *r, FILE *out);

/* ---- world.c ----------------------------------------------------------------------------- */

struct world {
    char directory[64]; /* all files are in it, and it has no directories */
    char pidfile[96];
    char lock[96];
    char ready[96]; /* a FIFO into which each server writes its pid */
    int ready_fd;
    bool real_time; /* this process comes first, so that it sees each moment as it comes */
};

/* Fails loudly; the guard ends what was started and removes what was made. */
_Noreturn void die(const char *what, const char *more);

/* Before all other work: of this process, and what it starts where it was started so. */
bool is_real_time(void);

/* This process from now on, where it may. */
bool come_first(void);

/* Microseconds, monotonic. */
double now_us(void);

/* Run the measurements in a child, and clean up after it however it ends: an exit status. */
int guarded(int (*work)(struct world *w, void *more), void *more);

#define WORDS 16

/* Put words of a command, and the NULL behind them: where that stands. */
const char **put_words(const char **words, const char *const *more);
#define PUT(words, ...) put_words(words, (const char *const[]){__VA_ARGS__, NULL})

/* Run a program with its standard streams at /dev/null. gate: its exec waits until that can be
   read; or -1. out: its standard output instead; or -1. */
pid_t spawn(const char *const *argv, int gate, int out);
int pidfd_of(pid_t pid);

/* Spawn, wait, succeed: how long it took. */
double run_timed(const char *const *argv);

/* The pids that servers have written by now: how many of at most max. */
int read_ready(const struct world *w, pid_t *pids, int max);

/* The children of this process, which adopts all that its descendants leave behind. */
int list_children(pid_t *pids, int max);

/* End and reap every one of them. Unreaped children can't have had their pids reused. */
void end_children(void);

/* What stands in a pidfile: a living process; or 0. */
pid_t named_by(const char *pidfile);

void remove_files(const struct world *w);

/* ---- bench.c ----------------------------------------------------------------------------- */

#define LIMIT_MS 30000 /* for anything: then something hangs */

struct bench {
    const char *path[TOOLS]; /* NULL: not there */
    const char *sleeper;
    const char *json;
    bool steady;
    struct world *w;
    struct report *r;
};

/* ---- tools.c ----------------------------------------------------------------------------- */

/* Where an administrator's PATH would find them. */
void find_tools(struct bench *b);

/* Start the sleeper by a tool, at the world's pidfile. lock: daemonize's lock file, or NULL. */
void start_command(const struct bench *b, enum tool t, const char *lock, const char *words[WORDS]);

void stop_command(const struct bench *b, enum tool t, const char *words[WORDS]);
void status_command(const struct bench *b, enum tool t, const char *words[WORDS]);
bool is_floor(enum tool t);

/* Does it stop a server, and say whether it runs? */
bool has_stop(enum tool t);

/* Does it put its server into the background, and return? */
bool has_return(enum tool t);

/* Does it keep a pidfile? */
bool has_pidfile(enum tool t);

/* ---- moments.c --------------------------------------------------------------------------- */

struct start {
    double pidfile, runs, returns; /* microseconds since the fork; 0: not yet */
    bool early; /* at the return the pidfile named no process that runs the server's program */
    pid_t server;
};

/* Run a start, and watch until its moments have come. pidfile: or NULL. */
struct start watch_start(const struct bench *b, const char *const *words, const char *pidfile,
                         bool returns);

void sample_start(struct bench *b, enum tool t);
void sample_stop(struct bench *b, enum tool t);

/* ---- crowd.c ----------------------------------------------------------------------------- */

void measure_crowd(struct bench *b);

#endif
