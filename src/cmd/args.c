/* SPDX-License-Identifier: Apache-2.0 */
/* The command line, read into struct args before anything is done. */
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"

#define VERBS_MAX   32
#define OPTIONS_MAX 32

static const struct {
    char name[15]; /* without the dashes */
    char letter;   /* or 0 */
    bool takes_value;
    unsigned option; /* a verb takes it where one of these bits is its own; 0: every verb */
} options[] = {
    {"help", 'h', false, 0},
    {"config", 'c', true, OPT_CONFIG},
    {"pidfile", 'p', true, OPT_PIDFILE},
    {"timeout", 't', true, OPT_TIMEOUT},
    {"signal", 's', true, OPT_SIGNAL},
    {"no-kill", 0, false, OPT_NO_KILL},
    {"leftovers", 0, false, OPT_LEFTOVERS},
    {"clean", 0, false, OPT_CLEAN},
    {"if-stopped", 0, false, OPT_IF_STOPPED},
    {"json", 0, false, OPT_JSON},
    {"prometheus", 0, false, OPT_PROMETHEUS},
    {"allow-remote", 0, false, OPT_REMOTE},
    {"lines", 'n', true, OPT_LINES},
    {"follow", 'f', false, OPT_FOLLOW},
    {"direct", 0, false, OPT_DIRECT},
    {"listen", 'l', true, OPT_LISTEN},
    {"user", 0, true, OPT_USER},
    {"now", 0, false, OPT_NOW},
    {"notify-fd", 0, true, OPT_NOTIFY_FD},
    {"fd", 0, true, OPT_FD},
    {"assume", 0, true, OPT_ASSUME_STALE | OPT_ASSUME_RUNNING},
};

#define OPTIONS (sizeof(options) / sizeof(options[0]))

static bool
takes(const struct verb *verb, size_t option)
{
    return options[option].option == 0 || (verb->options & options[option].option) != 0;
}

/* ---- Suggestions ------------------------------------------------------------------------- */

static const char *
nearest_verb(const char *text)
{
    const char *names[VERBS_MAX] = {NULL};

    for (size_t i = 0; verbs[i].name != NULL && i + 1 < VERBS_MAX; i++)
        names[i] = verbs[i].name;
    return nearest(text, names);
}

static int
unknown_option(const struct verb *verb, const char *text)
{
    const char *names[OPTIONS_MAX] = {NULL};
    size_t count = 0, length = strcspn(text, "=");
    char name[64];
    const char *best;

    for (size_t i = 0; i < OPTIONS; i++)
        if (takes(verb, i))
            names[count++] = options[i].name;
    snprintf(name, sizeof(name), "%.*s", (int)(length < 63 ? length : 63), text);
    best = nearest(name + strspn(name, "-"), names);
    if (best != NULL)
        say_error("unknown option '%s' for '%s': did you mean '--%s'?", name, verb->name, best);
    else
        say_error("unknown option '%s' for '%s': see 'vortex %s --help'", name, verb->name,
                  verb->name);
    return EXIT_USAGE;
}

/* ---- Options ----------------------------------------------------------------------------- */

static int
set_assume(struct args *args, const char *value)
{
    if (strcmp(value, "stale") == 0 && (args->verb->options & OPT_ASSUME_STALE)) {
        args->assume_stale = true;
        return EXIT_DONE;
    }
    if (strcmp(value, "running") == 0 && (args->verb->options & OPT_ASSUME_RUNNING)) {
        args->assume_running = true;
        return EXIT_DONE;
    }
    say_error("--assume takes %s%s%s for '%s', not '%s'",
              args->verb->options & OPT_ASSUME_STALE ? "'stale'" : "",
              (args->verb->options & OPT_ASSUME_STALE) && (args->verb->options & OPT_ASSUME_RUNNING)
                  ? " or "
                  : "",
              args->verb->options & OPT_ASSUME_RUNNING ? "'running'" : "", args->verb->name, value);
    return EXIT_USAGE;
}

static int
set_notify_fd(const char *option, const char *value)
{
    int64_t fd;

    if (integer_parse(value, 10, 3, 65535, &fd) == 0 && os_notify_fd_give((intptr_t)fd) == 0)
        return EXIT_DONE;
    say_error("--%s takes the number of an open descriptor from 3 on, not '%s'", option, value);
    return EXIT_USAGE;
}

static int
set_value(struct args *args, size_t option, const char *value)
{
    switch (options[option].letter) {
    case 'c':
        args->config = value;
        return EXIT_DONE;
    case 'p':
        args->pidfile = value;
        return EXIT_DONE;
    case 'l':
        args->listen = value;
        return EXIT_DONE;
    case 't':
        if (duration_parse(value, &args->timeout_ms) == 0)
            return EXIT_DONE;
        say_error("--timeout takes a time such as 30s, 500ms, 2min or infinity, not '%s'", value);
        return EXIT_USAGE;
    case 's':
        args->signal = os_signal_number(value);
        if (args->signal > 0)
            return EXIT_DONE;
        say_error("--signal takes a signal such as TERM, HUP or USR1, not '%s'", value);
        return EXIT_USAGE;
    case 'n':
        if (integer_parse(value, 10, 0, INT32_MAX, &args->lines) == 0)
            return EXIT_DONE;
        say_error("--lines takes a number from 0 to %d, not '%s'", INT32_MAX, value);
        return EXIT_USAGE;
    default:
        if (options[option].option == OPT_USER) {
            args->user = value;
            return EXIT_DONE;
        }
        args->fd_said = (options[option].option & (OPT_FD | OPT_NOTIFY_FD)) != 0;
        return args->fd_said ? set_notify_fd(options[option].name, value) : set_assume(args, value);
    }
}

static void
set_flag(struct args *args, size_t option)
{
    switch (options[option].option) {
    case OPT_NO_KILL:
        args->no_kill = true;
        break;
    case OPT_LEFTOVERS:
        args->leftovers = true;
        break;
    case OPT_CLEAN:
        args->clean = true;
        break;
    case OPT_IF_STOPPED:
        args->if_stopped = true;
        break;
    case OPT_JSON:
        args->json = true;
        break;
    case OPT_PROMETHEUS:
        args->prometheus = true;
        break;
    case OPT_REMOTE:
        args->allow_remote = true;
        break;
    case OPT_FOLLOW:
        args->follow = true;
        break;
    case OPT_DIRECT:
        args->direct = true;
        break;
    case OPT_NOW:
        args->now = true;
        break;
    default:
        args->help = true;
        break;
    }
}

/* Which option is that, "--name", "--name=value", "-n" or "-nvalue"? OPTIONS: none. */
static size_t
find_option(const struct verb *verb, const char *text, const char **ret_value)
{
    size_t length = strcspn(text, "=");

    *ret_value = NULL;
    for (size_t i = 0; i < OPTIONS; i++) {
        if (!takes(verb, i))
            continue;
        if (text[1] == '-' && strlen(options[i].name) == length - 2
            && strncmp(text + 2, options[i].name, length - 2) == 0) {
            *ret_value = text[length] == '=' ? text + length + 1 : NULL;
            return i;
        }
        if (text[1] != '-' && options[i].letter != 0 && text[1] == options[i].letter) {
            *ret_value = text[2] != '\0' ? text + 2 : NULL;
            return i;
        }
    }
    return OPTIONS;
}

/* The option at **at, and its value, which may be the next word. */
static int
parse_option(struct args *args, char ***at)
{
    const char *text = **at, *value;
    size_t option = find_option(args->verb, text, &value);

    if (option == OPTIONS)
        return unknown_option(args->verb, text);
    if (!options[option].takes_value) {
        if (value != NULL) {
            say_error("--%s takes no value", options[option].name);
            return EXIT_USAGE;
        }
        set_flag(args, option);
        return EXIT_DONE;
    }
    if (value == NULL && (*at)[1] != NULL)
        value = *++*at;
    if (value == NULL || value[0] == '\0') {
        say_error("--%s needs a value", options[option].name);
        return EXIT_USAGE;
    }
    return set_value(args, option, value);
}

/* ---- Words ------------------------------------------------------------------------------- */

static const struct verb *
find_verb(const char *name)
{
    for (size_t i = 0; verbs[i].name != NULL; i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

static const struct verb *
need_verb(const char *name)
{
    const struct verb *verb = find_verb(name);
    const char *best = verb == NULL ? nearest_verb(name) : NULL;

    if (verb == NULL && best != NULL)
        say_error("unknown verb '%s': did you mean '%s'?", name, best);
    else if (verb == NULL)
        say_error("unknown verb '%s': see 'vortex --help'", name);
    return verb;
}

static int
parse_name(struct args *args, const char *text)
{
    if (!(args->verb->options & OPT_NAME)) {
        say_error("'%s' takes no argument, but there is '%s'", args->verb->name, text);
        return EXIT_USAGE;
    }
    if ((args->verb->options & OPT_ACTION) && args->action == NULL) {
        args->action = text;
        return EXIT_DONE;
    }
    if (args->name_said) {
        say_error("one instance at a time: '%s' or '%s'? A command stands after --", args->name,
                  text);
        return EXIT_USAGE;
    }
    args->name = text;
    args->name_said = true;
    if (args->verb->run == NULL)
        return (args->topic = need_verb(text)) != NULL ? EXIT_DONE : EXIT_USAGE;
    if (!instance_name_is_valid(text)) {
        say_error("'%s' is no instance name: it takes letters, digits and . _ - @, and no dot "
                  "at its start",
                  text);
        return EXIT_USAGE;
    }
    return EXIT_DONE;
}

static int
parse_command(struct args *args, char **command)
{
    if (!(args->verb->options & OPT_COMMAND)) {
        say_error("'%s' takes no command after --", args->verb->name);
        return EXIT_USAGE;
    }
    if (command[0] == NULL || command[0][0] == '\0') {
        say_error("a command is missing after --");
        return EXIT_USAGE;
    }
    args->command = command;
    return EXIT_DONE;
}

static int
check_together(const struct args *args)
{
    if (strcmp(args->verb->name, "signal") == 0 && args->signal == 0 && !args->help) {
        say_error("'signal' needs a signal: -s NAME");
        return EXIT_USAGE;
    }
    if ((args->verb->options & OPT_WORDS) && args->words == NULL && !args->help) {
        say_error("'%s' needs something to tell: KEY=VALUE..., such as READY=1", args->verb->name);
        return EXIT_USAGE;
    }
    if (args->clean && args->leftovers) {
        say_error("--clean signals nobody: leave out --leftovers");
        return EXIT_USAGE;
    }
    if (args->no_kill && args->leftovers) {
        say_error("--leftovers ends them by KILL: leave out --no-kill");
        return EXIT_USAGE;
    }
    return EXIT_DONE;
}

int
args_parse(int argc, char **argv, struct args *ret)
{
    struct args args = {.name = "vortex", .timeout_ms = TIMEOUT_UNSAID, .lines = -1};
    const char *verb;
    int r = EXIT_DONE;

    *ret = args;
    if (argc < 2) {
        say_help(NULL);
        return EXIT_USAGE;
    }
    verb = argv[1];
    if (strcmp(verb, "--version") == 0)
        verb = "version";
    else if (strcmp(verb, "--help") == 0 || strcmp(verb, "-h") == 0)
        verb = "help";
    args.verb = need_verb(verb);
    *ret = args;
    if (args.verb == NULL)
        return EXIT_USAGE;
    for (char **at = argv + 2; *at != NULL && r == EXIT_DONE; at++) {
        if ((args.verb->options & OPT_WORDS) && (*at)[0] != '-') {
            args.words = at;
            break;
        }
        if (strcmp(*at, "--") == 0) {
            r = parse_command(&args, at + 1);
            break;
        }
        r = (*at)[0] == '-' && (*at)[1] != '\0' ? parse_option(&args, &at) : parse_name(&args, *at);
    }
    if (r == EXIT_DONE)
        r = check_together(&args);
    *ret = args;
    return r;
}
