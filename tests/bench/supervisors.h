/* SPDX-License-Identifier: Apache-2.0 */
/* supervisors.c measures, peers.c knows the supervisors, table.c tells. */
#ifndef VORTEX_SUPERVISORS_H
#define VORTEX_SUPERVISORS_H

#include "bench.h"

#include <signal.h>

/* ---- peers.c ----------------------------------------------------------------------------- */

enum peer { OURS, OURS_BEHIND, RUNIT, S6, SUPERVISORD, DAEMON, OPENRC, MONIT, PEERS };

#define PLACE   "/run/bench" /* on a file system of this program's own, which is gone with it */
#define READY   PLACE "/ready"
#define LOG_MIB 250 /* no multiple of max-size, so that the last line is in the present file */

struct bed {
    const char *vortex, *sleeper, *chatter;
    int count; /* of instances, ever: each has a directory of its own */
    int ready_fd;
};

struct instance {
    enum peer peer;
    const char *server;
    char directory[64];
    char log[96]; /* where the last line will be */
};

bool peer_is_there(enum peer p);
const char *peer_name(enum peer p);

/* Make the files of a new instance. chatters: its server fills the log instead. */
struct instance peer_prepare(struct bed *b, enum peer p, bool chatters);

/* Has one of its processes all servers? */
bool peer_is_one_for_all(enum peer p);

/* So many servers under one process, or one directory. */
struct instance peer_prepare_many(struct bed *b, enum peer p, int count);

/* What starts the whole directory. */
void peer_scan_command(const struct instance *i, const char *words[WORDS]);

void peer_start_command(const struct bed *b, const struct instance *i, const char *words[WORDS]);
void peer_stop_command(const struct bed *b, const struct instance *i, const char *words[WORDS]);

/* false: it has none. */
bool peer_status_command(const struct bed *b, const struct instance *i, const char *words[WORDS]);

/* Of all that peer_prepare_many made, in the place of words; NULL: it has none. */
const char *peer_list_command(const struct instance *i);

/* ---- table.c ----------------------------------------------------------------------------- */

enum figure { STARTS, STOPS, RESTARTS, STATUSES, MEMORY, WAKEUPS, LOGGING, FIGURES };

struct table {
    struct samples samples[FIGURES][PEERS];
    int early[PEERS]; /* stops that returned while the server lived */
};

void table_add(struct table *t, enum figure f, enum peer p, double value);
void table_text(struct table *t, FILE *out);
void table_json(struct table *t, FILE *out);

/* ---- lines.c ----------------------------------------------------------------------------- */

void measure_lines(struct bed *b, struct table *t);

/* ---- memory.c ---------------------------------------------------------------------------- */

#define PIDS_MAX 8192

/* The processes but this one and the servers: how many of at most max. */
int list_supervisors(const struct bed *b, pid_t *pids, int max);

/* Their PSS, in KiB. */
double supervisors_kib(const struct bed *b);

/* ---- thousand.c, serving.c --------------------------------------------------------------- */

/* A thousand supervised servers of each: 0; 1 where one of ours isn't listed, or lives on. */
int measure_thousands(struct bed *b, FILE *json);

/* From the first moment at which a client is answered to vortex start's return. */
void measure_serving(const struct bed *b, FILE *json);

/* ---- supervisors.c ----------------------------------------------------------------------- */

void sleep_ms(int ms);

/* From now on what ends is reaped at once, as by an init: some look for an end by a number. */
void begin_reaping(struct sigaction *ret_former);

/* Those who stay in the foreground are the children of this process, as others by adoption. */
pid_t start_instance(const struct bed *b, const struct instance *i);

/* Wait for the next server's first word: its pid. */
pid_t wait_ready(const struct bed *b);

#endif
