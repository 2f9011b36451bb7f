/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor's one state, for supervise.c and supervise_server.c alone. */
#ifndef VORTEX_SUPERVISOR_H
#define VORTEX_SUPERVISOR_H

#include "host/log.h"
#include "host/policy.h"
#include "host/probe.h"
#include "host/ready.h"
#include "host/supervise.h"

#define NEVER (-1)

enum phase {
    PHASE_PRE_START = 0, /* each of these four waits for its hook */
    PHASE_STARTING,      /* the server was started, it isn't ready yet */
    PHASE_POST_START,
    PHASE_READY,
    PHASE_RELOADING, /* until it is ready again */
    PHASE_WAITING,   /* for the time of the restart */
    PHASE_PRE_STOP,
    PHASE_STOPPING, /* for the server's death */
    PHASE_POST_STOP,
    PHASE_ENDED,
};

/* What comes after the death of a server, and its post-stop. */
enum after {
    AFTER_END = 0,        /* it was asked for: all is well */
    AFTER_FAIL,           /* it never became ready, or it is to end as not healthy */
    AFTER_RESTART,        /* as the policy says: it wasn't ready in time */
    AFTER_RESTART_ANYWAY, /* it is not healthy */
    AFTER_POLICY,         /* as the policy says: it ended by itself */
};

/* A command beside the server: a hook, or that of a stop or a reload. One at a time. */
enum job_kind {
    JOB_PRE_START = 1,
    JOB_POST_START,
    JOB_PRE_STOP,
    JOB_POST_STOP,
    JOB_STOP,
    JOB_RELOAD,
};

struct job {
    struct probe *probe; /* NULL: none runs */
    enum probe_answer answer;
    struct condition condition;
    struct os_launch as;
    const char **environment;
    char title[16];                                 /* "pre-start" */
    char name[OS_NAME_MAX + 16], pid[40], exit[80]; /* VORTEX_NAME=..., and so on */
    char why[256];                                  /* the last one failed */
};

/* How far a reload has come. */
enum reload_stage {
    RELOAD_COMMAND = 0, /* the command runs */
    RELOAD_WORD,        /* READY=1 is waited for, if there is RELOADING=1 */
    RELOAD_PROBES,      /* what can be asked is asked again */
};

struct reload {
    enum reload_stage stage;
    bool is_asked;     /* by HUP; else the server reloads by its own will */
    bool is_pending;   /* another one was asked for */
    bool said;         /* RELOADING=1, in this reload */
    bool is_ready;     /* READY=1, after it */
    bool says_always;  /* this server is known to say it */
    bool says_never;   /* it didn't say it in an earlier reload, since it was started */
    int64_t moment_ms; /* RELOAD_WORD: until then it may come; NEVER: until the timeout */
    char failure[256];
    char needs_restart[512];
    struct state_reloads told;
};

/* Who started us, and what it has heard last. */
struct manager {
    struct os_manager to;
    bool is_ready, is_reloading, is_stopping;
    bool is_fed;      /* its watchdog, by the server's own word */
    int64_t until_ms; /* as long it waits, or NEVER */
    int64_t feed_ms;  /* when to feed its watchdog, or NEVER */
    int64_t pulse_ms; /* when it hears next that we live, as long as it waits for us */
    char text[400];
};

#define STORED_NAME_MAX 256

/* What a message says of the descriptors that came with it. */
struct stored_word {
    bool stores, removes, is_unwatched;
    char name[STORED_NAME_MAX]; /* empty: none was said, or none that may be */
};

/* Descriptors that are kept for the next server: [server] file-descriptor-store-max. */
struct store {
    intptr_t watch;
    intptr_t *handles;
    char **names;
    size_t count, max;
};

/* What the gates know, as the state says it. Bytes behind the texts are 0. */
struct answers {
    char health[40];
    char health_answer[256];
    char not_ready[256];
};

struct supervisor {
    struct manager manager;
    struct instance *instance; /* whose configuration a reload renews */
    int listen_fds;            /* sockets that the server gets */
    const struct os_launch *launch;
    struct claim *claim;
    struct state_words *words;
    struct os_child *channel; /* NULL: nobody waits for us to be ready */
    intptr_t signals;
    struct gate *ready;
    struct gate *health;
    struct gate *again;      /* what can be asked of ready, after a reload */
    struct conditions asked; /* its list, whose conditions are the configuration's */
    struct log *log;         /* NULL: the output stays where it is */
    intptr_t notify;         /* the socket of sd_notify, or OS_NONE */
    struct store store;
    intptr_t word_pipe; /* the end of ours of fd:N, or OS_NONE */
    int word_fd;        /* its N, or 0 */

    enum phase phase;
    enum after after;
    int untold;       /* why the state could not be told last: 0 it was; a negative errno */
    bool failed;      /* it ended for good, and not as it should */
    bool unhealthy;   /* as was last told */
    bool is_leaving;  /* the server said STOPPING=1 */
    int said_errno;   /* ERRNO=, or 0 */
    bool was_forked;  /* since the last pre-start */
    bool ended_badly; /* AFTER_POLICY: it failed ... */
    int ended_code;   /* ... with that status, or -1 */
    int64_t up_ms;    /* how long it was up */
    int64_t server;   /* its pid; 0: none lives */
    int64_t since_ms; /* when it was started */
    int64_t deadline; /* of this phase, or NEVER */
    int64_t rest_ms;  /* when it gives back what only a start needs, or NEVER */
    int64_t restart;  /* in PHASE_WAITING: when it is started again */
    size_t stop_step; /* the one whose timeout runs */
    int exit_status;  /* of the server that ended last */
    char exit_text[64];
    char status_text[320];
    struct answers answers;
    struct os_identity identity; /* the server's */
    struct os_cgroup cgroup;     /* the server's, if the system lets us make one */
    struct os_hold main;         /* a server named by MAINPID=, else empty */
    struct job job;
    struct reload reload;
    struct policy policy;
};

/* ---- supervise.c ------------------------------------------------------------------------- */

/* Come to a phase, and tell it in the state. */
void supervisor_set_phase(struct supervisor *s, enum phase phase);

/* As the state says it: "starting". */
const char *supervisor_phase_name(enum phase phase);

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

/* "WHAT: WHY", for status. */
void supervisor_say(struct supervisor *s, const char *what, const char *why);

/* ---- supervise_life.c: what leads from phase to phase ------------------------------------- */

/* Start the server, from its pre-start on. */
void life_begin(struct supervisor *s);

/* Stop it for good, whatever it does now. */
void life_stop(struct supervisor *s);

/* It is dead, as supervisor_reap found it, or as far as is known of one that is no child. */
void life_server_died(struct supervisor *s, const struct os_death *death);

/* The command that this phase waits for has ended; its deadline has come. */
void life_job_done(struct supervisor *s, enum probe_answer answer);
void life_time_has_come(struct supervisor *s);

/* Ask what is to be asked in this phase, with what was waited for. */
void life_ask_gates(struct supervisor *s, const struct os_source *sources, size_t count);

/* ---- supervise_job.c --------------------------------------------------------------------- */

/*
 * Run the command of that kind, where there is one.
 * Returns: PROBE_PENDING it runs; PROBE_HOLDS there is none; PROBE_FAILS, and s->job.why.
 */
enum probe_answer job_begin(struct supervisor *s, enum job_kind kind);

bool job_runs(const struct supervisor *s);
int64_t job_deadline(const struct supervisor *s);

/* How it stands now; with an answer it is over. */
enum probe_answer job_step(struct supervisor *s, int64_t now_ms);

/* Kill it, if it runs, with its children. */
void job_break_off(struct supervisor *s);

/* A child was reaped: was it the job? Its answer is given by the next step. */
bool job_child_ended(struct supervisor *s, int64_t pid, int status);

/* ---- supervise_reload.c ------------------------------------------------------------------ */

/* Make the gate that asks again: 0; as gate_new. */
int reload_prepare(struct supervisor *s);
void reload_free(struct supervisor *s);

/* HUP: now, or as soon as the server is ready. */
void reload_ask(struct supervisor *s);

/* A reload was asked for that can begin now. */
void reload_begin_pending(struct supervisor *s);

/* In PHASE_RELOADING: go on, with what was waited for; its command has ended; its time is over. */
void reload_step(struct supervisor *s, const struct os_source *sources, size_t count);
void reload_command_done(struct supervisor *s, enum probe_answer answer);
void reload_expire(struct supervisor *s);
int64_t reload_deadline(const struct supervisor *s);

/* The server's word. */
void reload_said_reloading(struct supervisor *s);
void reload_said_ready(struct supervisor *s);

/* Nothing comes of the reloads that were asked for; the next change of phase tells it. */
void reload_give_up(struct supervisor *s, const char *why);

/* ---- supervise_word.c: the server's own word ---------------------------------------------- */

#define WORD_SOURCES_MAX 4

/* Open what the [ready] conditions need; for each start: what the server gets; close it. */
int word_open(struct supervisor *s);
int word_prepare(struct supervisor *s, struct os_launch *launch, intptr_t *ret_end);
void word_close(struct supervisor *s);

/* What to wait for, and what came. */
size_t word_sources(const struct supervisor *s, struct os_source *out);
void word_take(struct supervisor *s, const struct os_source *sources, size_t count);

/* ---- supervise_store.c: descriptors that outlive a server --------------------------------- */

/* 0; -ENOMEM, -ENOTSUP ... */
int store_open(struct supervisor *s);
void store_close(struct supervisor *s);

/* FDNAME=; one that may not be is as none. */
void store_name(struct stored_word *word, const char *name);

/* Do what a message says with what came with it; what is not kept is closed. */
void store_take(struct supervisor *s, struct stored_word *word, struct os_handles *handles);

/* Close those whose other end is gone. */
void store_drop_dead(struct supervisor *s);

/* ---- supervise_manager.c: our own word to the service manager ----------------------------- */

/* Take over what it wants to hear, before any child is started. */
void manager_open(struct supervisor *s);

/* Tell it what has changed, and feed its watchdog. */
void manager_tell(struct supervisor *s, int64_t now_ms);

/* What the server says is the manager's business, and no more than passed on; as is a handle. */
void manager_pass_on(struct supervisor *s, const char *assignment, intptr_t passed);

/* When manager_tell is due even where nothing happens, or NEVER. */
int64_t manager_deadline(const struct supervisor *s);

void manager_close(struct supervisor *s);

/* ---- supervise_output.c: what the server says on its way to the log ------------------------ */

/* Open the log, where there is to be one: 0; a negative errno, and result says what failed. */
int output_open(struct supervisor *s, struct launch_result *result);

/* What came, line by line while readiness waits for one. */
void output_take(struct supervisor *s);

/* Tell whoever waits for the server why it failed, with the last lines of what it said. */
void output_tell_failure(struct supervisor *s, const struct launch_result *result);

/* The server is dead for good: its last words go where they belong, within two seconds. */
void output_close(struct supervisor *s);

/* ---- supervise_answers.c: what the state says of readiness and health ---------------------- */

/* Ask the gates what they know: true where that is another than before. */
bool answers_take(struct supervisor *s);

/* ---- supervise_server.c ------------------------------------------------------------------ */

/*
 * Start it: 0; else why not, in result too. The state names it before it execs. -EADDRINUSE: a
 * stranger answers where it is to listen.
 */
int server_start(struct supervisor *s, struct launch_result *result);

/* Signal it, if it lives. */
void server_signal(const struct supervisor *s, int signal);

/* Begin to stop it; the next step of that, when its time has come. */
void server_stop(struct supervisor *s);
void server_stop_further(struct supervisor *s);

/* The stop's command has ended while the server lives: where it failed the signal comes after all. */
void server_stop_command_done(struct supervisor *s, enum probe_answer answer);

/* Keep in mind how it ended. */
void server_ended(struct supervisor *s, const struct os_death *death);

/* Kill what it leaves behind, until nobody is left. */
void server_end_descendants(struct supervisor *s);

#endif
