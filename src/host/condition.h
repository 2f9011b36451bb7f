/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold, as a configuration says it: "tcp:127.0.0.1:8080", "exec:pg_isready". */
#ifndef VORTEX_CONDITION_H
#define VORTEX_CONDITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum condition_kind {
    /* The server, or its start, says it; whoever hears it tells the gate. */
    CONDITION_STARTED = 1,
    CONDITION_NOTIFY,
    CONDITION_FD,
    CONDITION_LOG,
    /* A probe asks. */
    CONDITION_TCP,
    CONDITION_UNIX,
    CONDITION_HTTP,
    CONDITION_FILE,
    CONDITION_EXEC,
};

struct os_pattern;

struct condition {
    enum condition_kind kind;
    char *name;                 /* for people: "tcp 127.0.0.1:8080", "exec pg_isready" */
    int fd;                     /* fd:N */
    char *host;                 /* tcp, http: without the brackets of an IPv6 address */
    int port;                   /* tcp, http */
    char *path;                 /* unix, file; http: what to get */
    char **command;             /* exec, ends with NULL */
    struct os_pattern *pattern; /* log */
};

enum {
    CONDITIONS_MAX = 16, /* as many may be asked at once as os_wait has room for */
};

struct conditions {
    struct condition *list;
    size_t count;
};

/*
 * Read one condition.
 *
 * instance, pidfile: for %n and %p, as words_split has them.
 * Returns: 0; -EINVAL with *ret_why set to a static text; -ENOMEM. Free ret with condition_free.
 */
int condition_parse(const char *text, const char *instance, const char *pidfile,
                    struct condition *ret, const char **ret_why);
void condition_free(struct condition *condition);

/* Can it be asked at any time, and again? Else it is said once. */
bool condition_is_asked(const struct condition *condition);

/*
 * How many pieces an extended regular expression has when its repetitions are written out, as
 * regcomp(3) of glibc does, which takes all memory for some; more than PATTERN_SIZE_MAX: too many.
 * PATTERN_REPEATS_TWICE: it has two in a row, as in x**, which POSIX doesn't define, and for which
 * glibc takes minutes.
 */
#define PATTERN_SIZE_MAX      ((size_t)1000)
#define PATTERN_REPEATS_TWICE SIZE_MAX
size_t pattern_size(const char *text);

/* Add one, which from now on is the list's, or is freed on failure: 0; -ENOMEM. */
int conditions_add(struct conditions *conditions, struct condition *condition);

/* Is one of that kind among them? */
bool conditions_have(const struct conditions *conditions, enum condition_kind kind);

/* Free what it holds and leave it empty. */
void conditions_free(struct conditions *conditions);

#endif
