/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/condition.h"
#include "host/reading.h"
#include "os/os.h"

#define DIGITS  "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

#define HTTP_PORT 80
#define FD_MIN    3
#define FD_MAX    1023
#define PORT_MAX  65535

/* Why is a static text; the answer is -EINVAL. */
static int
refuse(const char **ret_why, const char *why)
{
    *ret_why = why;
    return -EINVAL;
}

/* A part of a text as a text of its own, or NULL. */
static char *
cut(const char *text, size_t length)
{
    char *part = malloc(length + 1);

    if (!part)
        return NULL;
    memcpy(part, text, length);
    part[length] = '\0';
    return part;
}

static int
copy(const char *text, char **ret)
{
    *ret = words_copy(text);
    return *ret ? 0 : -ENOMEM;
}

/* A name such as "tcp 127.0.0.1:80". */
static int
name_it(struct condition *condition, const char *kind, const char *rest)
{
    size_t kind_length = strlen(kind), rest_size = strlen(rest) + 1;

    condition->name = malloc(kind_length + 1 + rest_size);
    if (!condition->name)
        return -ENOMEM;
    memcpy(condition->name, kind, kind_length);
    condition->name[kind_length] = ' ';
    memcpy(condition->name + kind_length + 1, rest, rest_size);
    return 0;
}

/* ---- HOST:PORT --------------------------------------------------------------------------- */

static int
read_port(const char *text, struct condition *condition, const char **ret_why)
{
    int64_t port;

    if (integer_parse(text, 10, 1, PORT_MAX, &port))
        return refuse(ret_why, "a port is a number from 1 to 65535");
    condition->port = (int)port;
    return 0;
}

/* Take HOST, which is [IPv6] or has no colon. ret_rest: what stands behind it. */
static int
read_host(const char *text, struct condition *condition, const char **ret_rest,
          const char **ret_why)
{
    bool bracketed = *text == '[';
    size_t length;

    text += bracketed;
    length = strspn(text, bracketed ? LETTERS DIGITS ":.%-_" : LETTERS DIGITS ".-_");
    if (bracketed && text[length] != ']')
        return refuse(ret_why, "an IPv6 address stands in brackets, as in [::1]:8080");
    if (length == 0)
        return refuse(ret_why, "the host is missing, as in 127.0.0.1:8080");
    condition->host = cut(text, length);
    *ret_rest = text + length + bracketed;
    return condition->host ? 0 : -ENOMEM;
}

static int
parse_tcp(const char *text, struct condition *condition, const char **ret_why)
{
    const char *rest;
    int error;

    if (*text != '[' && strchr(text, ':') != strrchr(text, ':'))
        return refuse(ret_why, "an IPv6 address stands in brackets, as in [::1]:8080");
    error = read_host(text, condition, &rest, ret_why);
    if (error)
        return error;
    if (*rest != ':')
        return refuse(ret_why, "write tcp:HOST:PORT, as in tcp:127.0.0.1:8080");
    return read_port(rest + 1, condition, ret_why);
}

/* ---- http://HOST[:PORT][/PATH] ----------------------------------------------------------- */

/* What to ask for, without a #part; "/" before a ?query. */
static int
read_target(const char *text, struct condition *condition)
{
    size_t length = strcspn(text, "#");
    bool has_slash = *text == '/';
    char *target = malloc(length + 2);

    if (!target)
        return -ENOMEM;
    target[0] = '/';
    memcpy(target + 1, text + has_slash, length - has_slash);
    target[1 + length - has_slash] = '\0';
    condition->path = target;
    return 0;
}

/* text: behind the "http:". */
static int
parse_http(const char *text, struct condition *condition, const char **ret_why)
{
    const char *rest;
    int error;

    for (const char *c = text; *c; c++)
        if (*c <= ' ' || *c >= 0x7f)
            return refuse(ret_why, "a URL has neither blanks nor letters beyond ASCII in it");
    if (strncmp(text, "//", 2) != 0)
        return refuse(ret_why, "write http://HOST:PORT/PATH");
    if (text[2 + strcspn(text + 2, "/?#@")] == '@')
        return refuse(ret_why, "a URL with a user in it is not supported");
    error = read_host(text + 2, condition, &rest, ret_why);
    if (error)
        return error;
    condition->port = HTTP_PORT;
    if (*rest == ':') {
        size_t length = strcspn(rest + 1, "/?#");
        char *port = cut(rest + 1, length);

        if (!port)
            return -ENOMEM;
        error = read_port(port, condition, ret_why);
        free(port);
        if (error)
            return error;
        rest += 1 + length;
    } else if (*rest && !strchr("/?#", *rest)) {
        return refuse(ret_why, "write http://HOST:PORT/PATH");
    }
    return read_target(rest, condition);
}

static int
parse_https(const char *text, struct condition *condition, const char **ret_why)
{
    (void)text;
    (void)condition;
    return refuse(ret_why, "https is not supported: ask by http on the loopback, or with exec: and "
                           "a command such as curl -fsS URL");
}

/* ---- The others -------------------------------------------------------------------------- */

static int
parse_path(const char *text, struct condition *condition, const char **ret_why)
{
    return os_path_is_absolute(text) ? copy(text, &condition->path)
                                     : refuse(ret_why, "it needs an absolute path");
}

static int
parse_unix(const char *text, struct condition *condition, const char **ret_why)
{
    struct os_address address;

    if (os_address_unix(text, &address))
        return refuse(ret_why, "the path is too long for a socket");
    return parse_path(text, condition, ret_why);
}

static int
parse_fd(const char *text, struct condition *condition, const char **ret_why)
{
    int64_t fd;

    if (integer_parse(text, 10, FD_MIN, FD_MAX, &fd))
        return refuse(ret_why, "a descriptor is a number from 3 to 1023");
    condition->fd = (int)fd;
    return 0;
}

static int
parse_log(const char *text, struct condition *condition, const char **ret_why)
{
    size_t size = pattern_size(text);

    if (!*text)
        return refuse(ret_why, "the pattern is missing");
    if (size == PATTERN_REPEATS_TWICE)
        return refuse(ret_why, "the pattern repeats a repetition, as in .*? or x**: write one");
    if (size > PATTERN_SIZE_MAX)
        return refuse(ret_why, "the pattern is too large: with its repetitions written out it has "
                               "more than 1000 pieces");
    return os_pattern_new(text, &condition->pattern, ret_why);
}

/* ---- All --------------------------------------------------------------------------------- */

static const struct {
    const char *word;
    enum condition_kind kind;
    int (*parse)(const char *text, struct condition *condition, const char **ret_why);
} kinds[] = {
    {"tcp", CONDITION_TCP, parse_tcp},      {"http", CONDITION_HTTP, parse_http},
    {"https", CONDITION_HTTP, parse_https}, {"unix", CONDITION_UNIX, parse_unix},
    {"file", CONDITION_FILE, parse_path},   {"fd", CONDITION_FD, parse_fd},
    {"log", CONDITION_LOG, parse_log},
};

/* Words are expanded after they are split, so it takes its text as it was written. */
static int
parse_exec(const char *text, const char *instance, const char *pidfile, struct condition *condition,
           const char **ret_why)
{
    int error = words_split(text, instance, pidfile, &condition->command, ret_why);

    if (error)
        return error;
    if (!condition->command[0] || *condition->command[0] == '\0')
        return refuse(ret_why, "exec: names no program");
    /* Not its arguments: one may be a secret. */
    return name_it(condition, "exec", condition->command[0]);
}

/* text: expanded, of a kind with something behind its colon. */
static int
parse_kind(const char *text, struct condition *condition, const char **ret_why)
{
    size_t length = strcspn(text, ":");

    for (size_t i = 0; text[length] && i < sizeof kinds / sizeof *kinds; i++) {
        int error;

        if (strlen(kinds[i].word) != length || memcmp(kinds[i].word, text, length) != 0)
            continue;
        condition->kind = kinds[i].kind;
        error = kinds[i].parse(text + length + 1, condition, ret_why);
        if (error)
            return error;
        return condition->kind == CONDITION_HTTP
                   ? copy(text, &condition->name)
                   : name_it(condition, kinds[i].word, text + length + 1);
    }
    return refuse(ret_why, "write started, notify, fd:N, tcp:HOST:PORT, unix:PATH, http://..., "
                           "file:PATH, log:REGEX or exec:COMMAND");
}

static int
parse(const char *text, const char *instance, const char *pidfile, struct condition *condition,
      const char **ret_why)
{
    char *expanded = NULL;
    int error;

    if (strcmp(text, "started") == 0 || strcmp(text, "notify") == 0) {
        condition->kind = *text == 's' ? CONDITION_STARTED : CONDITION_NOTIFY;
        return copy(text, &condition->name);
    }
    if (strncmp(text, "exec:", 5) == 0) {
        condition->kind = CONDITION_EXEC;
        return parse_exec(text + 5, instance, pidfile, condition, ret_why);
    }
    error = words_expand(text, instance, pidfile, &expanded, ret_why);
    if (!error)
        error = parse_kind(expanded, condition, ret_why);
    free(expanded);
    return error;
}

int
condition_parse(const char *text, const char *instance, const char *pidfile, struct condition *ret,
                const char **ret_why)
{
    struct condition condition = {0};
    int error = parse(text, instance, pidfile, &condition, ret_why);

    if (error)
        condition_free(&condition);
    else
        *ret = condition;
    return error;
}

void
condition_free(struct condition *condition)
{
    free(condition->name);
    free(condition->host);
    free(condition->path);
    words_free(condition->command);
    os_pattern_free(condition->pattern);
    *condition = (struct condition){0};
}

bool
condition_is_asked(const struct condition *condition)
{
    return condition->kind >= CONDITION_TCP;
}

/* ---- Lists ------------------------------------------------------------------------------- */

int
conditions_add(struct conditions *conditions, struct condition *condition)
{
    struct condition *more =
        realloc(conditions->list, (conditions->count + 1) * sizeof *conditions->list);

    if (!more) {
        condition_free(condition);
        return -ENOMEM;
    }
    conditions->list = more;
    conditions->list[conditions->count++] = *condition;
    return 0;
}

bool
conditions_have(const struct conditions *conditions, enum condition_kind kind)
{
    for (size_t i = 0; i < conditions->count; i++)
        if (conditions->list[i].kind == kind)
            return true;
    return false;
}

void
conditions_free(struct conditions *conditions)
{
    for (size_t i = 0; i < conditions->count; i++)
        condition_free(&conditions->list[i]);
    free(conditions->list);
    *conditions = (struct conditions){0};
}
