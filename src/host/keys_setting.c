/* SPDX-License-Identifier: Apache-2.0 */
/* The values of keys that say what a server finds itself in: environment, limits, groups ... */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/reading.h"
#include "os/os.h"

#define BLANKS " \t"

enum {
    PIECE_MAX = 64, /* no good part of a value is that long */
    NICE_MAX = 20,
};

/* What was read is no use where the system has no such thing. */
static int
must_be_here(struct reader *reader, const struct key *key, const struct ini_entry *entry,
             enum os_stage stage)
{
    return os_launch_can(stage)
               ? 0
               : SAY(reader, entry->line, "'%s' is not possible on this system: take the line out",
                     key->name);
}

/* A copy without blanks around. */
static int
copy_piece(const char *text, size_t length, char buf[PIECE_MAX])
{
    for (; length > 0 && strchr(BLANKS, *text); length--)
        text++;
    while (length > 0 && strchr(BLANKS, text[length - 1]))
        length--;
    if (length >= PIECE_MAX)
        return -EINVAL;
    memcpy(buf, text, length);
    buf[length] = '\0';
    return 0;
}

/* ---- Limits ------------------------------------------------------------------------------ */

static int
read_count(const char *text, int64_t *ret)
{
    return integer_parse(text, 10, 0, OS_LIMIT_INFINITY - 1, ret);
}

/* Only whole seconds can be limited: what is begun counts. */
static int
read_seconds(const char *text, int64_t *ret)
{
    int64_t us;
    int error = time_parse(text, false, &us);

    if (!error)
        *ret = us / 1000000 + (us % 1000000 > 0);
    return error;
}

static int
read_microseconds(const char *text, int64_t *ret)
{
    return time_parse(text, true, ret);
}

/* "+5" and "-5" are nice's own; a number alone is the kernel's, for which 0 is as good as 1. */
static int
read_nice(const char *text, int64_t *ret)
{
    bool own = *text == '+' || *text == '-';
    int64_t number;
    int error =
        own ? integer_parse(text + 1, 10, 0, *text == '+' ? NICE_MAX - 1 : NICE_MAX, &number)
            : integer_parse(text, 10, 0, 2 * (int64_t)NICE_MAX, &number);

    if (error)
        return error;
    if (own)
        *ret = *text == '+' ? NICE_MAX - number : NICE_MAX + number;
    else
        *ret = number > 0 ? number : 1;
    return 0;
}

static int
read_limit(enum os_limit_kind kind, const char *text, size_t length, int64_t *ret)
{
    static int (*const readers[OS_LIMIT_KINDS])(const char *text, int64_t *ret) = {
        [OS_LIMIT_CPU] = read_seconds,    [OS_LIMIT_FSIZE] = size_parse,
        [OS_LIMIT_DATA] = size_parse,     [OS_LIMIT_STACK] = size_parse,
        [OS_LIMIT_CORE] = size_parse,     [OS_LIMIT_RSS] = size_parse,
        [OS_LIMIT_NOFILE] = read_count,   [OS_LIMIT_AS] = size_parse,
        [OS_LIMIT_NPROC] = read_count,    [OS_LIMIT_MEMLOCK] = size_parse,
        [OS_LIMIT_LOCKS] = read_count,    [OS_LIMIT_SIGPENDING] = read_count,
        [OS_LIMIT_MSGQUEUE] = size_parse, [OS_LIMIT_NICE] = read_nice,
        [OS_LIMIT_RTPRIO] = read_count,   [OS_LIMIT_RTTIME] = read_microseconds,
    };
    char piece[PIECE_MAX];
    int64_t value;

    if (copy_piece(text, length, piece))
        return -EINVAL;
    if (strcmp(piece, "infinity") == 0) {
        *ret = OS_LIMIT_INFINITY;
        return 0;
    }
    if (readers[kind](piece, &value) || value == OS_LIMIT_INFINITY)
        return -EINVAL;
    *ret = value;
    return 0;
}

/* SOFT:HARD, or one for both. */
int
set_limit(struct reader *reader, const struct key *key, const struct ini_entry *entry)
{
    struct os_limit *limit = key_field(reader, key);
    enum os_limit_kind kind = (enum os_limit_kind)(limit - reader->config.limits);
    size_t length = strcspn(entry->value, ":");
    const char *hard = entry->value[length] ? entry->value + length + 1 : entry->value;
    struct os_limit read = {.is_set = true};

    if (read_limit(kind, entry->value, length, &read.soft)
        || read_limit(kind, hard, strlen(hard), &read.hard))
        return -EINVAL;
    if (read.soft > read.hard)
        return SAY(reader, entry->line,
                   "'%s': the soft limit, which stands first, can't be above the hard one",
                   key->name);
    *limit = read;
    return must_be_here(reader, key, entry, (enum os_stage)(OS_STAGE_LIMIT + (int)kind));
}

/* ---- Environment ------------------------------------------------------------------------- */

int
set_environment(struct reader *reader, const struct key *key, const struct ini_entry *entry)
{
    char **words = NULL;
    int error = key_split(reader, key, entry, &words);

    for (char **word = words; !error && word && *word; word++) {
        error = environment_set(&reader->lines, *word);
        /* Not the value: it may be a secret. */
        if (error == -EINVAL)
            error = SAY(reader, entry->line,
                        "'%.*s' in 'environment' is not NAME=VALUE with a name of letters, digits "
                        "and _, and no digit first",
                        (int)strcspn(*word, "="), *word);
    }
    words_free(words);
    return error;
}

static int
load_environment(struct reader *reader, unsigned line, const char *path, bool may_miss)
{
    int error = environment_read(&reader->files, path, &reader->mistakes);

    if (error == -ENOENT)
        return may_miss ? 0
                        : SAY(reader, line,
                              "'environment-file' %s does not exist: make it, or write -%s where "
                              "it may be missing",
                              path, path);
    if (error && error != -ENOMEM)
        return SAY(reader, line, "'environment-file' %s can't be read: %s", path, strerror(-error));
    return error;
}

/* All that match a pattern, in the order of their names; else that file. */
static int
load_environments(struct reader *reader, unsigned line, const char *path, bool may_miss)
{
    char **paths = NULL;
    int error;

    if (!strpbrk(path, "*?["))
        return load_environment(reader, line, path, may_miss);
    error = os_glob(path, &paths);
    for (char **one = paths; !error && *one; one++)
        error = load_environment(reader, line, *one, may_miss);
    words_free(paths);
    if (error == -ENOENT)
        return may_miss ? 0
                        : SAY(reader, line,
                              "'environment-file' %s matches no file: make one, or write -%s where "
                              "there may be none",
                              path, path);
    return error;
}

int
set_environment_file(struct reader *reader, const struct key *key, const struct ini_entry *entry)
{
    bool may_miss = entry->value[0] == '-';
    char *path = NULL;
    int error = key_expand(reader, key, entry->line, entry->value + may_miss, &path);

    if (!error && path)
        error = os_path_is_absolute(path) ? load_environments(reader, entry->line, path, may_miss)
                                          : -EINVAL;
    free(path);
    return error;
}

/* ---- Who it is --------------------------------------------------------------------------- */

int
set_groups(struct reader *reader, const struct key *key, const struct ini_entry *entry)
{
    char ***groups = key_field(reader, key);
    char **words = NULL;
    size_t count = 0;
    int error = key_split(reader, key, entry, &words);

    while (*groups && (*groups)[count])
        count++;
    for (char **word = words; !error && word && *word; word++) {
        char *copy = words_copy(*word);

        error = copy ? words_push(groups, &count, copy) : -ENOMEM;
    }
    words_free(words);
    return error;
}

int
set_no_new_privileges(struct reader *reader, const struct key *key, const struct ini_entry *entry)
{
    int error = set_boolean(reader, key, entry);

    if (error || !reader->config.no_new_privileges)
        return error;
    return must_be_here(reader, key, entry, OS_STAGE_NO_NEW_PRIVILEGES);
}

/* ---- When it runs, and where ------------------------------------------------------------- */

int
set_oom(struct reader *reader, const struct key *key, const struct ini_entry *entry)
{
    int error = set_number(reader, key, entry);

    return error ? error : must_be_here(reader, key, entry, OS_STAGE_OOM);
}

int
set_io_class(struct reader *reader, const struct key *key, const struct ini_entry *entry)
{
    enum os_io_class *field = key_field(reader, key);
    int choice = words_choose(entry->value, "none realtime best-effort idle");

    if (choice < 0)
        return choice;
    *field = (enum os_io_class)(OS_IO_NONE + choice);
    return must_be_here(reader, key, entry, OS_STAGE_IO);
}

int
set_io_priority(struct reader *reader, const struct key *key, const struct ini_entry *entry)
{
    int error = set_number(reader, key, entry);

    return error ? error : must_be_here(reader, key, entry, OS_STAGE_IO);
}

/* "5" or "0-3" */
static int
add_cpus(const char *text, size_t length, struct os_cpus *cpus)
{
    char piece[PIECE_MAX];
    int64_t first, last;
    char *dash;

    if (copy_piece(text, length, piece))
        return -EINVAL;
    dash = strchr(piece, '-');
    if (dash)
        *dash = '\0';
    if (integer_parse(piece, 10, 0, OS_CPUS_MAX - 1, &first)
        || integer_parse(dash ? dash + 1 : piece, 10, first, OS_CPUS_MAX - 1, &last))
        return -EINVAL;
    for (int64_t n = first; n <= last; n++)
        cpus->bits[n / 64] |= (uint64_t)1 << n % 64;
    return 0;
}

int
set_cpus(struct reader *reader, const struct key *key, const struct ini_entry *entry)
{
    static const char separators[] = BLANKS ",";
    struct os_cpus **cpus = key_field(reader, key);
    const char *text = entry->value + strspn(entry->value, separators);

    if (*text == '\0')
        return -EINVAL;
    if (!*cpus && !(*cpus = calloc(1, sizeof **cpus)))
        return -ENOMEM;
    while (*text) {
        size_t length = strcspn(text, separators);

        if (add_cpus(text, length, *cpus))
            return -EINVAL;
        text += length;
        text += strspn(text, separators);
    }
    return must_be_here(reader, key, entry, OS_STAGE_CPUS);
}
