/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor's one state, for supervise.c and supervise_server.c alone. */
#ifndef VORTEX_SUPERVISOR_H
#define VORTEX_SUPERVISOR_H

#include "host/log.h"
#include "host/policy.h"
#include "host/ready.h"
#include "host/supervise.h"

#define NEVER (-1)

enum phase {
    PHASE_STARTING = 0, /* the server was started, it isn't ready yet */
    PHASE_READY,
    PHASE_WAITING,  /* for the time of the restart */
    PHASE_STOPPING, /* for the server's death */
    PHASE_ENDED,
};

/* What comes after the death of a server that is being stopped. */
enum after {
    AFTER_END = 0,        /* it was asked for: all is well */
    AFTER_FAIL,           /* it never became ready, or it is to end as not healthy */
    AFTER_RESTART,        /* as the policy says: it wasn't ready in time */
    AFTER_RESTART_ANYWAY, /* it is not healthy */
};

/* Who started us, and what it has heard last. */
struct manager {
    struct os_manager to;
    bool is_ready, is_stopping;
    bool is_fed;      /* its watchdog, by the server's own word */
    int64_t until_ms; /* as long it waits, or NEVER */
    int64_t feed_ms;  /* when to feed its watchdog, or NEVER */
    char text[400];
    char message[1024]; /* that is being put together */
};

struct supervisor {
    struct manager manager;
    const struct launch_request *request;
    const struct os_launch *launch;
    struct claim *claim;
    struct state_words *words;
    struct os_child *channel; /* NULL: nobody waits for us to be ready */
    intptr_t signals;
    struct gate *ready;
    struct gate *health;
    struct log *log;    /* NULL: the output stays where it is */
    intptr_t notify;    /* the socket of sd_notify, or OS_NONE */
    intptr_t word_pipe; /* the end of ours of fd:N, or OS_NONE */
    int word_fd;        /* its N, or 0 */

    enum phase phase;
    enum after after;
    bool failed;      /* it ended for good, and not as it should */
    bool unhealthy;   /* as was last told */
    int64_t server;   /* its pid; 0: none lives */
    int64_t since_ms; /* when it was started */
    int64_t deadline; /* of this phase, or NEVER */
    size_t stop_step; /* the one whose timeout runs */
    int exit_status;  /* of the server that ended last */
    char exit_text[64];
    char status_text[320];
    struct os_identity identity; /* the server's */
    struct policy policy;
};

/* ---- supervise.c ------------------------------------------------------------------------- */

/* Come to a phase, and tell it in the state. */
void supervisor_set_phase(struct supervisor *s, enum phase phase);

/* Write the state anew, without a change of phase. */
void supervisor_tell_state(struct supervisor *s);

/* Whoever waits for us to be ready hears of it; result: why it is not, or NULL. */
void supervisor_tell(struct supervisor *s, const struct launch_result *result);

/* Take note of all that have died. */
void supervisor_reap(struct supervisor *s);

/* A child that isn't the server was reaped: -N where signal N ended it. */
void supervisor_child_ended(struct supervisor *s, int64_t pid, int status, int64_t now_ms);

/* Nobody is left, and nothing comes after. */
void supervisor_end(struct supervisor *s, bool failed);

/* ---- supervise_word.c: the server's own word ---------------------------------------------- */

#define WORD_SOURCES_MAX 2

/* Open what the [ready] conditions need; for each start: what the server gets; close it. */
int word_open(struct supervisor *s);
int word_prepare(struct supervisor *s, struct os_launch *launch, intptr_t *ret_end);
void word_close(struct supervisor *s);

/* What to wait for, and what came. */
size_t word_sources(const struct supervisor *s, struct os_source *out);
void word_take(struct supervisor *s, const struct os_source *sources, size_t count);

/* ---- supervise_manager.c: our own word to the service manager ----------------------------- */

/* Take over what it wants to hear, before any child is started. */
void manager_open(struct supervisor *s);

/* Tell it what has changed, and feed its watchdog. */
void manager_tell(struct supervisor *s, int64_t now_ms);

/* What the server says is the manager's business, and no more than passed on. */
void manager_pass_on(struct supervisor *s, const char *assignment);

/* When manager_tell is due even where nothing happens, or NEVER. */
int64_t manager_deadline(const struct supervisor *s);

void manager_close(struct supervisor *s);

/* ---- supervise_output.c: what the server says on its way to the log ------------------------ */

/* Open the log, where there is to be one: 0; a negative errno, and result says what failed. */
int output_open(struct supervisor *s, struct launch_result *result);

/* What came, line by line while readiness waits for one. */
void output_take(struct supervisor *s);

/* The last lines of it, for whoever waits for the server. */
void output_tail(struct supervisor *s, struct launch_result *result);

/* The server is dead for good: its last words go where they belong, within two seconds. */
void output_close(struct supervisor *s);

/* ---- supervise_server.c ------------------------------------------------------------------ */

/* Start it: 0; else why not, and *ret_stage. The state names it before it execs. */
int server_start(struct supervisor *s, enum os_stage *ret_stage);

/* Signal it, if it lives. */
void server_signal(const struct supervisor *s, int signal);

/* Begin to stop it; the next step of that, when its time has come. */
void server_stop(struct supervisor *s);
void server_stop_further(struct supervisor *s);

/* Keep in mind how it ended. */
void server_ended(struct supervisor *s, const struct os_death *death);

/* Kill what it leaves behind, until nobody is left. */
void server_end_descendants(struct supervisor *s);

#endif
