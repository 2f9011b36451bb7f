/* SPDX-License-Identifier: Apache-2.0 */
/* What the command can do, and which options each verb takes. */
#include <stddef.h>

#include "cmd/cmd.h"

#define FROM_COMMAND (OPT_NAME | OPT_CONFIG | OPT_PIDFILE)
#define STARTING     (OPT_COMMAND | OPT_REMOTE | OPT_ASSUME_STALE)
#define STOPPING     (OPT_TIMEOUT | OPT_SIGNAL | OPT_NO_KILL | OPT_LEFTOVERS | OPT_ASSUME_RUNNING)

const struct verb verbs[] = {
    {"run", FROM_COMMAND | STARTING | OPT_IF_STOPPED | OPT_NOTIFY_FD, cmd_run,
     "claim the pidfile and become the server (exec), in the foreground",
     "Without a command and a configuration, the default instance hosts a built-in\n"
     "server, which holds the pidfile and answers TERM and HUP.\n"},
    {"start", FROM_COMMAND | STARTING | OPT_IF_STOPPED | OPT_DIRECT, cmd_start,
     "the same in the background: back when it was exec'ed, or is ready", NULL},
    {"stop", FROM_COMMAND | STOPPING | OPT_CLEAN | OPT_DIRECT, cmd_stop,
     "signal the server, wait for its death, then KILL; remove its files",
     "Done (0) also where it was not running.\n"},
    {"restart", FROM_COMMAND | STARTING | STOPPING | OPT_DIRECT, cmd_restart,
     "stop and start under one claim: no other start comes between", NULL},
    {"reload", FROM_COMMAND | OPT_ASSUME_RUNNING | OPT_DIRECT, cmd_reload,
     "tell the server to read its configuration anew (HUP)", NULL},
    {"status", FROM_COMMAND | OPT_JSON | OPT_PROMETHEUS, cmd_status, "how it fares",
     "Exits 0 running, 1 dead with a pidfile, 2 dead with a lock file only, 3 not\n"
     "running, 4 unknown.\n"},
    {"list", OPT_JSON, cmd_list, "all instances of the runtime directory, a line each", NULL},
    {"signal", FROM_COMMAND | OPT_SIGNAL | OPT_ASSUME_RUNNING, cmd_signal,
     "send the server a signal: -s NAME", NULL},
    {"wait", FROM_COMMAND | OPT_TIMEOUT, cmd_wait, "return when the server ends", NULL},
    {"logs", FROM_COMMAND | OPT_LINES | OPT_FOLLOW, cmd_logs,
     "show the last lines of its log file, and go on with -f", NULL},
    {"notify", OPT_WORDS | OPT_TIMEOUT | OPT_FD, cmd_notify,
     "tell the service manager KEY=VALUE..., such as READY=1, from a script",
     "Waits until the manager has read it, 5 seconds at most.\n"},
    {"unit", FROM_COMMAND | OPT_LISTEN, cmd_unit,
     "print a systemd unit made from the instance's configuration", NULL},
    {"service", FROM_COMMAND | OPT_ACTION | OPT_USER | OPT_NOW, cmd_service,
     "install, uninstall, start, stop or status: as the system's service",
     "install   it is started with the machine: by Windows, systemd, OpenRC, sysvinit\n"
     "uninstall stops it, too; its configuration stays\n"
     "start     returns when it is ready\n"
     "status    exits 0 running, 3 not running, 4 not installed\n"},
    {"check", FROM_COMMAND, cmd_check, "read the configuration, name every mistake", NULL},
    {"version", 0, NULL, "print the version", NULL},
    {"help", OPT_NAME, NULL, "print this, or the help of a verb", NULL},
    {NULL, 0, NULL, NULL, NULL},
};
