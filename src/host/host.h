/* SPDX-License-Identifier: Apache-2.0 */
/* Hosting a server: which instance, how it is run, how it is stopped, how it fares. */
#ifndef VORTEX_HOST_H
#define VORTEX_HOST_H

#include "host/config.h"
#include "lib/core.h"
#include "os/os.h"
#include "vortex.h"

/* ---- instance.c: a name, its configuration, its pidfile ---------------------------------- */

/* A supervisor keeps it: so its paths take no more room than they need. */
struct instance {
    char name[OS_NAME_MAX];
    char *pidfile;
    char *config_path; /* also where there is no such file */
    bool has_config;
    struct config config;
};

/* Letters, digits, . _ - @, not starting with a dot. */
bool instance_name_is_valid(const char *name);

/*
 * Find an instance's files and read its configuration.
 *
 * config_path, pidfile: what the command line says, or NULL.
 * ret_mistakes:         of the configuration; free with config_mistakes_free.
 * Returns:              0, also where there is no configuration and none was asked for; -EINVAL
 *                       mistakes; -ENOENT, -EACCES ...: of the configuration file or the runtime
 *                       directory. ret is set in any case, on failure perhaps without its paths;
 *                       free with instance_free.
 */
int instance_load(const char *name, const char *config_path, const char *pidfile,
                  struct instance *ret, struct config_mistakes *ret_mistakes);
void instance_free(struct instance *instance);

/*
 * The instances that have files in the runtime directory, sorted.
 * ret_directory: OS_PATH_MAX bytes.
 * ret_names:     free with words_free.
 */
int instance_list(char *ret_directory, char ***ret_names);

/* ---- launch.c ---------------------------------------------------------------------------- */

struct launch_request {
    struct instance *instance; /* a supervisor renews its configuration */
    char *const *command;      /* NULL: the built-in server */
    bool keep_directory;       /* where the configuration names none: stay; else / in background */
    bool allow_remote;
    bool assume_stale;
    int listen_fds; /* os_listen_fds of the process that was started */
};

struct launch_result {
    /* Of OS_STAGE_READY: what does not hold; of a supervised server that failed: why it ended. */
    char why[256];
    int error;           /* 0, or a negative errno */
    enum os_stage stage; /* OS_STAGE_NONE: the pidfile could not be claimed */
    int64_t pid;         /* the server's; on -EEXIST who is running already, or 0 */
    int exit_status;     /* where it was supervised here: its own, in the end */
    char *tail;          /* the last lines of its output, to be freed; NULL: there are none */
};

/* Empty, but for the stage. */
void launch_result_init(struct launch_result *result, enum os_stage stage);

/* What asks for a supervisor, in a few words; NULL: nothing does, the server is exec'ed. */
const char *supervise_reason(const struct launch_request *request);

/*
 * May it run on a pidfile there? In another user's directory what isn't of that user is never
 * believed, so that it couldn't be stopped, and a second one would start beside it: LAUNCH_UNBELIEVED.
 */
#define LAUNCH_UNBELIEVED (-EDOM) /* which no file or process is an error by */
int launch_check_place(const struct launch_request *request, const struct os_dir *dir);

/* As far as can be told before anything is touched. */
void launch_check(const struct launch_request *request, struct launch_result *ret);

/* Become the server. Returns on failure only, or when the built-in server has ended. */
void launch_run(const struct launch_request *request, struct launch_result *ret);

/*
 * Start the server in the background; back as soon as it was exec'ed.
 * claim: step 1 of the claim, done already; it ends here. Or NULL.
 */
void launch_start(const struct launch_request *request, struct claim *claim,
                  struct launch_result *ret);

/* ---- stop.c ------------------------------------------------------------------------------ */

struct stop_request {
    const char *pidfile;
    int signal;
    int timeout_ms;            /* negative: for ever */
    int supervised_timeout_ms; /* instead, where a supervisor has a sequence of its own to go through */
    bool no_kill;
    bool leftovers;
    bool clean;         /* signal nobody: only the files of one that has ended */
    enum assume assume; /* of an unproved pidfile: ASSUME_STALE only in a restart */
    bool allow_remote;
};

enum stop_outcome {
    STOP_DONE = 1,    /* it is dead, and the files are gone */
    STOP_NOT_RUNNING, /* there was nobody to stop */
    STOP_LEFTOVERS,   /* it is dead, but somebody still holds its lock */
    STOP_FILES_LEFT,  /* it is dead, but its files can't be removed: error says why */
    STOP_SURVIVED,    /* it still runs: --no-kill, or not even KILL ended it in time */
    STOP_BUSY,        /* somebody holds the lock who can't be named */
    STOP_UNPROVED,    /* nobody was signalled: it can't be proved who that is */
    STOP_FAILED,      /* error says why */
};

struct stop_result {
    enum stop_outcome outcome;
    int error;
    int64_t pid;         /* who was stopped, or 0 */
    bool killed;         /* by KILL, after the timeout */
    const char *reason;  /* of the verdict; static text */
    int ended_leftovers; /* how many */
};

void stop_server(const struct stop_request *request, struct stop_result *ret);

/*
 * Stop and start under one claim, so that no other start comes between.
 * Returns: true where it came to the start, and ret_launch is set.
 */
bool restart_server(const struct stop_request *stop, const struct launch_request *launch,
                    struct stop_result *ret_stop, struct launch_result *ret_launch);

struct reload_result {
    int error; /* of the signal, as signal_server; -ECANCELED it failed; -ESRCH later: it ended */
    bool is_waited;          /* there is a supervisor, and so it is known what became of it */
    char why[256];           /* of -ECANCELED */
    char needs_restart[512]; /* the keys that were changed and wait for a restart, or empty */
};

/*
 * Tell the running server to read its configuration again. Where it has a supervisor, wait until it
 * is ready again, for as long as the supervisor gives it.
 *
 * signal: for a server without a supervisor.
 */
void reload_server(const char *pidfile, int signal, bool assume_running, struct reload_result *ret);

/* Signal the running server: 0; -ESRCH not running; -EBUSY; -ENODATA unproved; -EPERM. */
int signal_server(const char *pidfile, int signal, bool assume_running, int64_t *ret_pid);

/* ---- status.c ---------------------------------------------------------------------------- */

struct status {
    char name[OS_NAME_MAX];
    char pidfile[OS_PATH_MAX];
    enum vortex_verdict verdict;
    const char *reason;
    int64_t pid;
    int64_t server_pid; /* where a supervisor stands between; else 0 */
    int64_t restarts;
    bool has_lock;
    int64_t uptime_ms;       /* -1: not known */
    int64_t memory_bytes;    /* -1: not known */
    int64_t next_restart_ms; /* in how long the server is started again; -1: it isn't */
    char phase[32];
    char not_ready[256]; /* while it starts: why it isn't ready yet */
    char since[32];
    char exit[64];        /* how the server last ended: "code 3", "signal SEGV core" */
    int64_t exit_code;    /* of that; -1: there is none */
    char exit_signal[32]; /* of that; or empty */
    bool exit_core;       /* of that */
    char health[16];      /* "none", "pending", "ok", "failing"; empty: nobody asks */
    int64_t health_failures;
    int64_t health_limit;    /* 0: they aren't counted now */
    char health_answer[256]; /* of the probe, where it doesn't hold */
    char status[256];        /* free text */
    char log[1100];          /* the file that the output goes to */
    char manager[OS_NAME_MAX + 32];
    char command[1100];
};

int status_read(const char *name, const char *pidfile, struct status *ret);

/* The same, but the manager is the one that the state names, and memory_bytes isn't known. */
int status_glance(const char *name, const char *pidfile, struct status *ret);

/* Does anybody live there, the server whose supervisor was killed included? *ret is set then. */
bool status_runs(const char *name, const char *pidfile, struct status *ret);

/* LSB: 0 running, 1 dead with a pidfile, 2 with a lock file only, 3 not running, 4 unknown. */
int status_exit(const struct status *status);

/* Read a state's "exit" and "health" into those of ret's members that are about them. */
void status_take_exit(const char *text, struct status *ret);
void status_take_health(const char *text, struct status *ret);

/* Is it running, with a supervisor or without one? */
bool status_lives(const struct status *status);

/* A value of the state; empty where it isn't said. */
void report_copy(struct vortex_report *report, const char *key, char *buf, size_t size);

/* "running", "not running", ... */
const char *status_word(enum vortex_verdict verdict);

/* ---- systemd.c, or service_windows.c: what is done through the service manager ------------ */

extern const char manager_unit_kind[]; /* "systemd unit " */

struct manager_unit {
    char name[OS_NAME_MAX];
    bool is_users; /* of the user's own manager */
};

/* The unit that a running instance is, where VERB is done through it; false: none, or we are it. */
bool manager_unit_of(const struct status *status, const char *verb, struct manager_unit *ret);

/* The unit that is to start an instance, if it is enabled. */
bool manager_unit_enabled(const char *instance, struct manager_unit *ret);

/* start, stop or restart it: 0; an exit status, or a negative errno. What a tool says is seen. */
int manager_act(const struct manager_unit *unit, const char *verb);

/* What failed, and where to look: "systemctl stop web.service failed: see ...". */
void manager_advice(const struct manager_unit *unit, const char *verb, int result, char *buf,
                    size_t size);

/* ---- service_unix.c, or service_windows.c: the verb service ------------------------------- */

struct service_request {
    const char *name;
    const struct instance *instance;
    const char *config;  /* that was said; NULL: its own place */
    const char *pidfile; /* likewise */
    const char *user;    /* likewise */
};

struct service_state {
    bool is_installed;
    bool is_automatic; /* started with the machine */
    bool is_running;   /* or starts, or stops */
    bool is_users;     /* started at its user's login, rather */
    char word[32];     /* "running", "starting" ... */
    char user[OS_NAME_MAX];
    char title[OS_NAME_MAX + 32]; /* "service web" */
};

/*
 * Can that be asked for, whatever the instance is? 0; -ENOTSUP there are no services here; -EACCES;
 * -EINVAL an option that is of no use here.
 */
int service_check(const struct service_request *request, char *ret_how, size_t size);

/* The configuration without which an instance is no service: into buf; false: it needs none. */
bool service_config(const char *name, char *buf, size_t size);

/* After service_check: 0; an error, or an exit status. ret_how: what else is to be done or known. */
int service_install(const struct service_request *request, char *ret_how, size_t size);
int service_uninstall(const struct service_request *request, char *ret_how, size_t size);
int service_act(const char *name, const char *verb, char *ret_how, size_t size);
int service_ask(const char *name, struct service_state *ret, char *ret_how, size_t size);

/* "systemd unit web.service" or "user root", of a living process. */
void manager_of(const struct os_process_facts *facts, char *buf, size_t size);

#endif
