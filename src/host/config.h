/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration of one instance: vortex.conf(5). */
#ifndef VORTEX_CONFIG_H
#define VORTEX_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/condition.h"
#include "host/policy.h"
#include "os/os.h"

enum supervise {
    SUPERVISE_AUTO = 0, /* as soon as something is asked for that needs it */
    SUPERVISE_YES,
    SUPERVISE_NO,
};

#define STOP_STEPS_MAX 8

/* A step of a stop: the signal, and how long to wait after it. */
struct stop_step {
    int signal;
    int timeout_ms; /* -1: for ever */
};

/* What is done to a server that is not healthy: [health] action. */
enum health_action {
    HEALTH_RESTART = 0,
    HEALTH_STOP,
    HEALTH_NONE,
};

/* [log] target: where a server's output goes. */
enum log_target {
    LOG_UNSAID = 0,
    LOG_FILE,
    LOG_INHERIT, /* where ours goes */
    LOG_NONE,    /* nowhere */
    LOG_SYSLOG,
    LOG_JOURNAL,
};

/* [log] compress: by which program. */
enum log_compress {
    LOG_PLAIN = 0,
    LOG_GZIP,
    LOG_ZSTD,
};

/* [hook]: what is run, and when. */
enum hook {
    HOOK_PRE_START = 0,
    HOOK_POST_START,
    HOOK_PRE_STOP,
    HOOK_POST_STOP,
    HOOKS,
};

/* The signals that [signal] speaks of. */
enum signal_key {
    SIGNAL_INT = 0,
    SIGNAL_QUIT,
    SIGNAL_USR1,
    SIGNAL_USR2,
    SIGNAL_WINCH,
    SIGNALS,
};

/* What a supervisor does with one of them, other than to send the server a signal. */
enum signal_action {
    SIGNAL_IGNORE = -1,
    SIGNAL_RELOAD = -2,
    SIGNAL_STOP = -3,
};

#define CONFIG_KEYS_MAX 128

struct config {
    char **command;  /* [server] command, as words, ends with NULL; NULL: none */
    char *directory; /* [server] directory ... */
    char *user;
    char *group;
    char *log;
    char **environment; /* NAME=VALUE, environment-file first, ends with NULL; NULL: none */
    int umask;          /* -1: not said */
    struct os_limit limits[OS_LIMIT_KINDS];
    char **groups;        /* [server] supplementary-groups, ends with NULL; NULL: not said */
    struct os_cpus *cpus; /* NULL: not said */
    enum os_io_class io_class;
    int io_priority;      /* -1: not said */
    int nice;             /* OS_NICE_KEEP: not said */
    int oom_score_adjust; /* OS_OOM_KEEP: not said */

    char *pidfile;        /* what %p stands for: --pidfile, or [pidfile] path, or the default */
    bool inherit_lock;    /* [pidfile] inherit-lock, default yes */
    bool allow_remote;    /* [pidfile] allow-remote, default no */
    bool allows_stranger; /* [ready] stranger = allow */
    bool no_new_privileges;
    bool outlives_supervisor; /* [server] on-supervisor-death = keep */

    char **stop_command;   /* [stop] command, instead of the first signal; NULL: none */
    char **reload_command; /* [reload] command, instead of the signal; NULL: none */
    char **hooks[HOOKS];   /* [hook], as words; NULL: none */

    struct conditions ready; /* [ready] when; none: as started */
    int ready_timeout_ms;    /* [ready] timeout, default 90 s; -1: for ever */
    int ready_interval_ms;   /* [ready] interval, default 1 s */

    struct conditions health;   /* [health] check, all of which can be asked; none: no check */
    int health_interval_ms;     /* [health] interval, default 10 s */
    int health_timeout_ms;      /* [health] timeout, of one asking, default 5 s */
    int health_failures;        /* [health] failures, in a row, default 3 */
    int health_start_period_ms; /* [health] start-period, default 0 */
    enum health_action health_action;
    char *log_file;             /* [log] file; NULL: none */
    enum log_target log_target; /* [log] target, default file where there is one, else inherit */
    int64_t log_max_size;       /* [log] max-size, default 10M; 0: none */
    int log_keep;               /* [log] keep, default 5 */
    enum log_compress log_compress; /* [log] compress, default no */
    bool log_timestamps;            /* [log] timestamps, default no */

    int stop_signal;       /* [stop] signal, default TERM */
    int stop_timeout_ms;   /* [stop] timeout, default 30 s; -1: for ever */
    int reload_signal;     /* [reload] signal, default HUP */
    int reload_timeout_ms; /* [reload] timeout, default 90 s; -1: for ever */
    int hook_timeout_ms;   /* [hook] timeout, of each, default 30 s; -1: for ever */

    enum supervise supervise; /* [server] supervise */
    int store_max;            /* [server] file-descriptor-store-max, default 0 */
    struct stop_step sequence[STOP_STEPS_MAX + 1]; /* [stop] sequence; ends with signal 0 */
    struct policy_settings restart;                /* [restart] */

    int signals[SIGNALS]; /* [signal], a signal's number or an enum signal_action; 0: not said */

    uint64_t said[CONFIG_KEYS_MAX]; /* of each key a hash of what was said; 0: nothing */
};

/* Every mistake of a file, each a line "FILE:LINE: what is wrong and what would be right". */
struct config_mistakes {
    char **lines;
    size_t count;
};

/* The defaults, as if an empty file had been read. */
void config_init(struct config *config);

/*
 * Read a file.
 *
 * config:       already config_init'ed; takes the values, and is untouched on failure.
 * instance:     for %n.
 * pidfile:      for %p and config->pidfile where the file has no [pidfile] path of its own, or
 *               NULL.
 * override:     true: pidfile stands above the file's own path (--pidfile).
 * ret_mistakes: all of them in the order of their lines, then what only the whole file says; also
 *               on failure; free with config_mistakes_free.
 * Returns:      0; -EINVAL there are mistakes; -ENOENT, -EACCES or another error: not readable;
 *               -ENOMEM.
 */
int config_read(struct config *config, const char *path, const char *instance, const char *pidfile,
                bool override, struct config_mistakes *ret_mistakes);

/* Whence a text comes and for whom it is read; as config_read's parameters. */
struct config_source {
    const char *path; /* the FILE in mistakes */
    const char *instance;
    const char *pidfile;
    bool override;
};

/* config_read of a text in memory, which need not end with a NUL. */
int config_parse(struct config *config, const char *data, size_t length,
                 const struct config_source *source, struct config_mistakes *ret_mistakes);

/* The key of a limit. */
const char *config_limit_key(enum os_limit_kind kind);

/* What becomes of a signal that a supervisor got: the one for the server, or a signal_action. */
int config_signal_action(const struct config *config, int signal);
/* Does [signal] say anything? */
bool config_maps_signals(const struct config *config);

/*
 * What keeps somebody beside the server, restarts apart, which a service manager does as well:
 * "[ready] when"; NULL: nothing, it may be exec'ed.
 */
const char *beyond_exec(const struct config *config);

/*
 * Take over from a newer reading what a running supervisor can apply: restarts, health, stop,
 * signals, reload and hooks. What they were is in newer afterwards, for its config_free.
 *
 * ret_rest: "server.command server.user": the keys that were changed and wait for a restart.
 * Returns:  whether [health] is another one.
 */
bool config_renew(struct config *config, struct config *newer, char *ret_rest, size_t size);

/* Free what it holds and leave the defaults. */
void config_free(struct config *config);
void config_mistakes_free(struct config_mistakes *mistakes);

/* ---- words.c: how values are read -------------------------------------------------------- */

/* A copy, to be freed; or NULL. */
char *words_copy(const char *text);

/*
 * Split as a shell splits words: blanks, '...', "..." with \" \\ \$ \` inside, \X; no variables,
 * no patterns. %n, %p and %% are expanded in each word after the split, so that no expansion
 * makes two words of one.
 *
 * instance, pidfile: for %n and %p; where NULL, that one is a mistake.
 * ret_words: ends with NULL; free with words_free.
 * Returns:   0; -EINVAL with *ret_why set to a static text such as "a quote is not closed";
 *            -ENOMEM.
 */
int words_split(const char *text, const char *instance, const char *pidfile, char ***ret_words,
                const char **ret_why);
void words_free(char **words);

/*
 * A number, all of it: digits of the base (at most 10), where min < 0 with a minus before.
 * Returns: 0; -EINVAL no number; -ERANGE not from min to max.
 */
int integer_parse(const char *text, int base, int64_t min, int64_t max, int64_t *ret_number);

/*
 * "30s", "500ms", "5m", "5min", "1h", "1m 30s", "30" (seconds), "infinity" (-1): milliseconds.
 * Returns: 0; -EINVAL no duration; -ERANGE more than INT_MAX ms, which are 24 days.
 */
int duration_parse(const char *text, int *ret_ms);

/*
 * As duration_parse, but in microseconds and no "infinity".
 * micro: a number alone is in microseconds, and there are "us".
 */
int time_parse(const char *text, bool micro, int64_t *ret_us);

/*
 * "4096", "64K", "10M", "1G", and so on to E, in bytes: K is 1024.
 * Returns: 0; -EINVAL no size; -ERANGE more than INT64_MAX.
 */
int size_parse(const char *text, int64_t *ret_bytes);

/* ---- nearest.c: "did you mean" ----------------------------------------------------------- */

/* The candidate that text was most likely meant to be, or NULL. candidates ends with NULL. */
const char *nearest(const char *text, const char *const *candidates);

#endif
