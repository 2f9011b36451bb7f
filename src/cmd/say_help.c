/* SPDX-License-Identifier: Apache-2.0 */
/* What --help says: of the command, and of a verb with the options that it takes. */
#include <stdio.h>

#include "cmd/cmd.h"

static const struct {
    unsigned option;
    const char *text;
} option_help[] = {
    {OPT_CONFIG, "  -c, --config FILE     configuration (" VORTEX_CONFIG_DIRECTORY "/NAME.conf)"},
    {OPT_PIDFILE, "  -p, --pidfile PATH    pidfile (NAME.pid in the runtime directory)"},
    {OPT_TIMEOUT, "  -t, --timeout TIME    how long to wait: 30s, 500ms, 2min, infinity"},
    {OPT_SIGNAL, "  -s, --signal NAME     which signal: TERM, HUP, USR1 ..."},
    {OPT_NO_KILL, "      --no-kill         no KILL after the timeout: fail instead"},
    {OPT_LEFTOVERS, "      --leftovers       also end what is left of its session or service"},
    {OPT_CLEAN, "      --clean           only remove the files of one that has ended"},
    {OPT_IF_STOPPED, "      --if-stopped      already running is no failure"},
    {OPT_JSON, "      --json            for programs"},
    {OPT_PROMETHEUS, "      --prometheus      metrics of all instances, as Prometheus reads them"},
    {OPT_LINES, "  -n, --lines NUMBER    how many lines to begin with (20)"},
    {OPT_FOLLOW, "  -f, --follow          go on with what is written, also when rotated"},
    {OPT_LISTEN, "  -l, --listen ADDRESS  a socket unit too: a port, ADDRESS:PORT or a path"},
    {OPT_NOTIFY_FD, "      --notify-fd N     a newline to this descriptor when it is ready"},
    {OPT_FD, "      --fd N            to this descriptor: a newline for READY=1"},
    {OPT_NOW, "      --now             start it, too (install alone)"},
    {OPT_USER, "      --user ACCOUNT    whose process it is (NT SERVICE\\NAME); Windows alone"},
    {OPT_DIRECT, "      --direct          not through the service manager, whatever unit it is"},
    {OPT_REMOTE, "      --allow-remote    pidfile on a network file system, if it must be"},
    {OPT_ASSUME_STALE, "      --assume stale    take over a pidfile that can't be proved stale"},
    {OPT_ASSUME_RUNNING, "      --assume running  act on a process that can't be proved the owner"},
};

static void
help_verb(const struct verb *verb)
{
    printf("vortex %s%s%s%s%s%s\n\n%s\n", verb->name, verb->options & OPT_ACTION ? " ACTION" : "",
           verb->options & OPT_NAME ? " [NAME]" : "",
           verb->options & ~(unsigned)(OPT_NAME | OPT_COMMAND | OPT_WORDS | OPT_ACTION)
               ? " [OPTIONS]"
               : "",
           verb->options & OPT_WORDS ? " KEY=VALUE..." : "",
           verb->options & OPT_COMMAND ? " [-- COMMAND ARG...]" : "", verb->summary);
    if (verb->details != NULL)
        printf("%s", verb->details);
    printf("\n");
    for (size_t i = 0; i < sizeof(option_help) / sizeof(option_help[0]); i++)
        if (verb->options & option_help[i].option)
            printf("%s\n", option_help[i].text);
    printf("  -h, --help            this\n");
}

void
say_help(const struct verb *verb)
{
    if (verb != NULL) {
        help_verb(verb);
        return;
    }
    printf("vortex VERB [NAME] [OPTIONS] [-- COMMAND ARG...]\n"
           "One server on one pidfile, and never the wrong process.\n\n");
    for (size_t i = 0; verbs[i].name != NULL; i++)
        printf("  %-8s %.69s\n", verbs[i].name, verbs[i].summary);
    printf("\n'vortex VERB --help' tells its options; vortex(1) the rest.\n");
}
