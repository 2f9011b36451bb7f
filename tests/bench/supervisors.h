/* SPDX-License-Identifier: Apache-2.0 */
/* supervisors.c measures, peers.c knows the supervisors, table.c tells. */
#ifndef VORTEX_SUPERVISORS_H
#define VORTEX_SUPERVISORS_H

#include "bench.h"

/* ---- peers.c ----------------------------------------------------------------------------- */

enum peer { OURS, OURS_BEHIND, RUNIT, S6, SUPERVISORD, DAEMON, OPENRC, PEERS };

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

/* Ten servers under one supervisord. */
struct instance peer_prepare_ten(struct bed *b);

void peer_start_command(const struct bed *b, const struct instance *i, const char *words[WORDS]);
void peer_stop_command(const struct bed *b, const struct instance *i, const char *words[WORDS]);

/* ---- table.c ----------------------------------------------------------------------------- */

enum figure { STARTS, STOPS, RESTARTS, MEMORY, LOGGING, FIGURES };

struct table {
    struct samples samples[FIGURES][PEERS];
    int early[PEERS]; /* stops that returned while the server lived */
};

void table_add(struct table *t, enum figure f, enum peer p, double value);
double samples_median(struct samples *s);
void table_text(struct table *t, FILE *out);
void table_markdown(struct table *t, FILE *out);

/* ---- thousand.c, serving.c --------------------------------------------------------------- */

/* A thousand supervised servers: 0; 1 where one of them isn't listed, or lives on. */
int measure_thousand(struct bed *b, FILE *markdown);

/* From the first moment at which a client is answered to vortex start's return. */
void measure_serving(const struct bed *b, FILE *markdown);

/* ---- supervisors.c ----------------------------------------------------------------------- */

/* Wait for the next server's first word: its pid. */
pid_t wait_ready(const struct bed *b);

/* PSS of all processes but this one and the servers, in KiB. */
double supervisors_kib(const struct bed *b);

void write_file(const char *path, const char *text);
__attribute__((format(printf, 1, 2))) char *text_of(const char *format, ...);

#endif
