/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: what the files of src/cmd share. */
#ifndef VORTEX_CMD_H
#define VORTEX_CMD_H

#include "host/host.h"
#include "vortex.h"

/* LSB's exit statuses, for all verbs but status. */
enum exit_status {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_NOT_PERMITTED = 4,
    EXIT_NO_PROGRAM = 5,
    EXIT_NOT_CONFIGURED = 6,
    EXIT_NOT_RUNNING = 7,
};

#define TIMEOUT_UNSAID (-2)

/* What the command line says. Strings are argv's. */
struct args {
    const struct verb *verb;
    const char *name;
    const char *config;       /* NULL: not said */
    const char *pidfile;      /* NULL: not said */
    const struct verb *topic; /* help: of which verb; or NULL */
    int signal;               /* 0: not said */
    int timeout_ms;           /* TIMEOUT_UNSAID */
    int64_t lines;            /* -1: not said */
    char **command;           /* after --; NULL: not said */
    char **words;             /* of a verb that takes some; ends with NULL */
    bool name_said;
    bool help;
    bool no_kill;
    bool leftovers;
    bool clean;
    bool if_stopped;
    bool json;
    bool prometheus;
    bool allow_remote;
    bool assume_stale;
    bool assume_running;
    const char *listen; /* NULL: not said */
    const char *user;   /* NULL: not said */
    const char *action; /* of a verb that takes one */
    bool follow;
    bool direct;
    bool now;
    bool fd_said;
};

/* ---- One file a verb (stop.c holds restart, reload.c holds signal) ------------------------ */

int cmd_run(const struct args *args);
int cmd_start(const struct args *args);
int cmd_stop(const struct args *args);
int cmd_restart(const struct args *args);
int cmd_reload(const struct args *args);
int cmd_signal(const struct args *args);
int cmd_status(const struct args *args);
int cmd_list(const struct args *args);
int cmd_wait(const struct args *args);
int cmd_check(const struct args *args);
int cmd_logs(const struct args *args);
int cmd_notify(const struct args *args);
int cmd_unit(const struct args *args);
int cmd_service(const struct args *args);

/* The instance that the arguments name. On failure it was said, and *ret_exit is set: false. */
bool find_instance(const struct args *args, struct instance *ret, int *ret_exit);

/* Which command is to be hosted: words, or NULL for the built-in server. false: it was said. */
bool find_command(const struct args *args, const struct instance *instance, char ***ret_command);

/*
 * Where the instance is the service manager's, let that do it, unless --direct was said: true, and
 * *ret_exit; it was said what came of it.
 */
bool through_manager(const struct args *args, const struct instance *instance, int *ret_exit);

/* What a stop does, by the arguments and the configuration. */
struct stop_request stop_request_of(const struct args *args, const struct instance *instance);
struct launch_request launch_request_of(const struct args *args, struct instance *instance,
                                        char **command);

/* ---- args.c ------------------------------------------------------------------------------ */

enum option {
    OPT_CONFIG = 1 << 0,
    OPT_PIDFILE = 1 << 1,
    OPT_TIMEOUT = 1 << 2,
    OPT_SIGNAL = 1 << 3,
    OPT_NO_KILL = 1 << 4,
    OPT_LEFTOVERS = 1 << 5,
    OPT_IF_STOPPED = 1 << 6,
    OPT_JSON = 1 << 7,
    OPT_REMOTE = 1 << 8,
    OPT_ASSUME_STALE = 1 << 9,
    OPT_ASSUME_RUNNING = 1 << 10,
    OPT_PROMETHEUS = 1 << 13,
    OPT_COMMAND = 1 << 11, /* takes a command after -- */
    OPT_NAME = 1 << 12,    /* takes an instance's name */
    OPT_LINES = 1 << 14,
    OPT_FOLLOW = 1 << 15,
    OPT_DIRECT = 1 << 17,
    OPT_LISTEN = 1 << 18,
    OPT_CLEAN = 1 << 19,
    OPT_NOTIFY_FD = 1 << 20,
    OPT_ACTION = 1 << 21, /* takes one of its actions before the name */
    OPT_USER = 1 << 22,
    OPT_NOW = 1 << 23,
    OPT_FD = 1 << 24,
    OPT_WORDS = 1 << 16, /* takes words to the end, and no name */
};

struct verb {
    const char *name;
    unsigned options;
    int (*run)(const struct args *args); /* NULL: help, version */
    const char *summary;
    const char *details; /* for --help, whole lines, may be NULL */
};

extern const struct verb verbs[]; /* verbs.c; ends with a NULL name */

/* 0; EXIT_USAGE, and it was said why. */
int args_parse(int argc, char **argv, struct args *ret);

/* ---- say.c: alone prints, and chooses exit statuses --------------------------------------- */

void say_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What makes "stopped" of stop, and "started" of start. */
const char *say_past(const char *verb);

/* Of what a service manager refused: its exit status, or a negative errno. */
int say_refusal(int result);
void say_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Bytes as they are, at once: false, they can't be written. */
bool say_bytes(const char *data, size_t size);
void say_help(const struct verb *verb); /* NULL: of the whole command */
void say_mistakes(const struct config_mistakes *mistakes);

/* "cannot VERB 'NAME': why": the exit status for that error. */
int say_failure(const char *verb, const char *name, int error, const char *path);
int say_launch_failure(const char *verb, const struct launch_request *request,
                       const struct launch_result *result);
int say_stop(const char *verb, const struct stop_request *request, const char *name,
             const struct stop_result *result);
/* option: what to say where it can't be proved who runs, or "". */
int say_reload(const struct args *args, const char *pidfile, const struct reload_result *result);
int say_signalled(const char *verb, const char *name, const char *pidfile, const char *option,
                  int error);

/* Whether its server would be supervised, and why. */
void say_mode(struct instance *instance);

void say_status(const struct status *status);
void say_status_json(const struct status *status, bool comma);
void say_prometheus(const struct status *all, size_t count);
void say_list(const struct status *all, size_t count);

#endif
