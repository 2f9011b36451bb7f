/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line, word by word behind NULs, up to where its verb would act; and what is said of
 * it. The first byte chooses the reader.
 */
#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "fuzz.h"
#include "host/escape.h"

enum { WORDS_MAX = 40 };

/* ---- The machine, by the linker's --wrap ---------------------------------------------------- */

bool __wrap_os_report_error(const char *text);
int __wrap_os_notify_fd_give(intptr_t handle);

static unsigned errors; /* that were said */

/* What is said of a mistake is one line. */
bool
__wrap_os_report_error(const char *text)
{
    assert(strncmp(text, "vortex: ", strlen("vortex: ")) == 0 && text[strlen("vortex: ")] != '\0');
    for (; *text != '\0'; text++)
        assert((unsigned char)*text >= ' ' && *text != '\x7f');
    errors++;
    return true;
}

/* All that a number of three digits names are open. */
int
__wrap_os_notify_fd_give(intptr_t handle)
{
    assert(handle >= 3 && handle <= 65535);
    return handle < 1000 ? 0 : -1;
}

/* ---- What must hold of a command line ------------------------------------------------------- */

/* As an instance's file may be called. */
static bool
is_name(const char *text)
{
    for (const char *c = text; *c != '\0'; c++)
        if (!(*c >= 'a' && *c <= 'z') && !(*c >= 'A' && *c <= 'Z') && !(*c >= '0' && *c <= '9')
            && !strchr("._-@", *c))
            return false;
    return *text != '\0' && *text != '.' && strlen(text) < OS_NAME_MAX;
}

/* No verb is told what it doesn't take. */
static void
check_taken(const struct args *args)
{
    unsigned takes = args->verb->options;

    assert(!args->config || ((takes & OPT_CONFIG) && *args->config != '\0'));
    assert(!args->pidfile || ((takes & OPT_PIDFILE) && *args->pidfile != '\0'));
    assert(!args->listen || ((takes & OPT_LISTEN) && *args->listen != '\0'));
    assert(!args->user || ((takes & OPT_USER) && *args->user != '\0'));
    assert(!args->command || ((takes & OPT_COMMAND) && **args->command != '\0'));
    assert(!args->words || ((takes & OPT_WORDS) && *args->words));
    assert(!args->action || (takes & OPT_ACTION));
    assert(!args->name_said || (takes & OPT_NAME));
    assert(args->timeout_ms == TIMEOUT_UNSAID || (takes & OPT_TIMEOUT));
    assert(args->signal == 0 || (takes & OPT_SIGNAL));
    assert(args->lines == -1 || (takes & OPT_LINES));
    assert(!args->no_kill || (takes & OPT_NO_KILL));
    assert(!args->leftovers || (takes & OPT_LEFTOVERS));
    assert(!args->clean || (takes & OPT_CLEAN));
    assert(!args->if_stopped || (takes & OPT_IF_STOPPED));
    assert(!args->json || (takes & OPT_JSON));
    assert(!args->prometheus || (takes & OPT_PROMETHEUS));
    assert(!args->allow_remote || (takes & OPT_REMOTE));
    assert(!args->assume_stale || (takes & OPT_ASSUME_STALE));
    assert(!args->assume_running || (takes & OPT_ASSUME_RUNNING));
    assert(!args->follow || (takes & OPT_FOLLOW));
    assert(!args->direct || (takes & OPT_DIRECT));
    assert(!args->now || (takes & OPT_NOW));
    assert(!args->fd_said || (takes & (OPT_FD | OPT_NOTIFY_FD)));
}

static void
check_args(const struct args *args)
{
    assert(args->verb);
    check_taken(args);
    assert(args->name_said || strcmp(args->name, "vortex") == 0);
    assert(!args->verb->run || is_name(args->name));
    assert(!args->topic || (!args->verb->run && strcmp(args->topic->name, args->name) == 0));
    assert(args->timeout_ms >= TIMEOUT_UNSAID && args->lines >= -1);
    assert(args->signal >= 0 && args->signal < 65);
    assert(!args->leftovers || (!args->clean && !args->no_kill));
    assert(args->help || args->signal > 0 || strcmp(args->verb->name, "signal") != 0);
    assert(args->help || args->words || !(args->verb->options & OPT_WORDS));
}

/* ---- The same said again, in another order and form ----------------------------------------- */

struct line {
    int count;
    char *words[WORDS_MAX * 2];
};

/* "--option=value", or "--option" where there is no value. */
static void
add_option(struct line *line, const char *option, const char *value)
{
    size_t size = strlen(option) + (value ? strlen(value) : 0) + 4;
    char *word = malloc(size);

    assert(word);
    snprintf(word, size, "--%s%s%s", option, value ? "=" : "", value ? value : "");
    line->words[line->count++] = word;
}

static void
add_word(struct line *line, const char *word)
{
    char *copy = strdup(word);

    assert(copy);
    line->words[line->count++] = copy;
}

static void
add_flags(struct line *line, const struct args *args)
{
    const struct {
        bool is_said;
        const char *name;
    } flags[] = {
        {args->now, "now"},
        {args->direct, "direct"},
        {args->follow, "follow"},
        {args->allow_remote, "allow-remote"},
        {args->prometheus, "prometheus"},
        {args->json, "json"},
        {args->if_stopped, "if-stopped"},
        {args->clean, "clean"},
        {args->leftovers, "leftovers"},
        {args->no_kill, "no-kill"},
        {args->help, "help"},
    };

    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (flags[i].is_said)
            add_option(line, flags[i].name, NULL);
}

static void
add_numbers(struct line *line, const struct args *args)
{
    char text[32];

    snprintf(text, sizeof text, "%d%s", args->timeout_ms, "ms");
    if (args->timeout_ms != TIMEOUT_UNSAID)
        add_option(line, "timeout", args->timeout_ms < 0 ? "infinity" : text);
    snprintf(text, sizeof text, "%d", args->signal);
    if (args->signal > 0)
        add_option(line, "signal", text);
    snprintf(text, sizeof text, "%lld", (long long)args->lines);
    if (args->lines >= 0)
        add_option(line, "lines", text);
    if (args->fd_said)
        add_option(line, args->verb->options & OPT_FD ? "fd" : "notify-fd", "3");
}

static struct line
say_again(const struct args *args)
{
    struct line line = {.count = 0};

    add_word(&line, "vortex");
    add_word(&line, args->verb->name);
    add_flags(&line, args);
    add_numbers(&line, args);
    if (args->assume_running)
        add_option(&line, "assume", "running");
    if (args->assume_stale)
        add_option(&line, "assume", "stale");
    if (args->config)
        add_option(&line, "config", args->config);
    if (args->pidfile)
        add_option(&line, "pidfile", args->pidfile);
    if (args->listen)
        add_option(&line, "listen", args->listen);
    if (args->user)
        add_option(&line, "user", args->user);
    if (args->action)
        add_word(&line, args->action);
    if (args->name_said)
        add_word(&line, args->name);
    if (args->command)
        add_word(&line, "--");
    for (char **word = args->command ? args->command : args->words; word && *word; word++)
        add_word(&line, *word);
    return line;
}

static bool
is_same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool
is_same_list(char *const *a, char *const *b)
{
    for (; a && b && *a && *b; a++, b++)
        if (strcmp(*a, *b) != 0)
            return false;
    return a && b ? *a == *b : a == b;
}

static void
check_again(const struct args *args)
{
    struct line line = say_again(args);
    struct args again;

    assert(args_parse(line.count, line.words, &again) == EXIT_DONE);
    assert(again.verb == args->verb && again.topic == args->topic);
    assert(again.timeout_ms == args->timeout_ms && again.lines == args->lines);
    assert(again.signal == args->signal && again.fd_said == args->fd_said);
    assert(again.name_said == args->name_said && is_same_text(again.name, args->name));
    assert(is_same_text(again.config, args->config) && is_same_text(again.user, args->user));
    assert(is_same_text(again.pidfile, args->pidfile) && is_same_text(again.listen, args->listen));
    assert(is_same_text(again.action, args->action));
    assert(is_same_list(again.command, args->command) && is_same_list(again.words, args->words));
    assert(again.help == args->help && again.no_kill == args->no_kill);
    assert(again.leftovers == args->leftovers && again.clean == args->clean);
    assert(again.if_stopped == args->if_stopped && again.json == args->json);
    assert(again.prometheus == args->prometheus && again.allow_remote == args->allow_remote);
    assert(again.assume_stale == args->assume_stale && again.now == args->now);
    assert(again.assume_running == args->assume_running && again.direct == args->direct);
    assert(again.follow == args->follow);
    for (int i = 0; i < line.count; i++)
        free(line.words[i]);
}

/* ---- What is asked of the host -------------------------------------------------------------- */

static void
check_requests(const struct args *args)
{
    struct instance instance = {.has_config = false};
    struct stop_request stop;

    config_init(&instance.config);
    stop = stop_request_of(args, &instance);
    assert(stop.signal > 0 && stop.timeout_ms >= -1 && stop.supervised_timeout_ms >= -1);
    assert(launch_request_of(args, &instance, args->command).instance == &instance);
    config_free(&instance.config);
}

/* ---- The readers ---------------------------------------------------------------------------- */

/* What it says goes nowhere. */
static int
parse(int count, char **words, struct args *ret)
{
    FILE *kept = stdout, *nowhere = fopen("/dev/null", "w");
    int r;

    assert(nowhere);
    stdout = nowhere;
    errors = 0;
    r = args_parse(count, words, ret);
    if (r == EXIT_DONE && (ret->help || !ret->verb->run))
        say_help(ret->help ? ret->verb : ret->topic);
    stdout = kept;
    fclose(nowhere);
    return r;
}

static void
fuzz_line(char *text, size_t size)
{
    char program[] = "vortex", *words[WORDS_MAX + 1] = {program, NULL};
    int count = 1;
    struct args args;
    int r;

    for (char *at = text; at < text + size && count < WORDS_MAX; at += strlen(at) + 1)
        words[count++] = at;
    r = parse(count, words, &args);
    assert(r == EXIT_DONE || r == EXIT_USAGE);
    assert(errors == (r == EXIT_USAGE && count > 1));
    if (r != EXIT_DONE)
        return;
    check_args(&args);
    check_again(&args);
    check_requests(&args);
}

/* Each character, as whom it is for may have it. */
static void
check_piece(const char *piece, enum escape as)
{
    size_t length = strlen(piece);

    assert(length > 0 && length < ESCAPE_MAX);
    for (const char *c = piece; *c != '\0'; c++)
        assert((unsigned char)*c >= ' ');
    if (as == ESCAPE_TERMINAL)
        assert(*piece != '\x7f' && !(*piece == '\xc2' && (unsigned char)piece[1] < 0xa0));
    else
        assert(*piece != '"' && (*piece != '\\' || length > 1));
}

static void
fuzz_escape(char *text, size_t size)
{
    for (enum escape as = ESCAPE_TERMINAL; as <= ESCAPE_LABEL; as++) {
        char piece[ESCAPE_MAX], again[ESCAPE_MAX];
        size_t at = 0, used;

        while ((used = escape_next(text + at, as, piece)) > 0) {
            check_piece(piece, as);
            at += used;
            assert(at <= size);
            /* Nothing is left to escape. */
            if (as == ESCAPE_TERMINAL) {
                assert(escape_next(piece, as, again) == strlen(piece));
                assert(strcmp(again, piece) == 0);
            }
        }
        assert(text[at] == '\0' && *piece == '\0');
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const readers[])(char *text, size_t size) = {fuzz_line, fuzz_escape};
    char *text;

    if (size == 0)
        return 0;
    text = fuzz_text(data + 1, size - 1);
    readers[data[0] % 2](text, size - 1);
    free(text);
    return 0;
}
