/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What reads a configuration. The first byte chooses the reader; besides what the sanitizers see,
 * it holds what must hold of every text.
 */
#include <assert.h>
#include <errno.h>
#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "host/reading.h"

#define NAME "fuzz.conf"

/* ---- The machine, by the linker's --wrap ---------------------------------------------------- */

int __wrap_os_stream_open(const char *path, FILE **ret_stream);
int __real_regcomp(regex_t *regex, const char *pattern, int flags);
int __wrap_regcomp(regex_t *regex, const char *pattern, int flags);

/* Each environment-file is this one, whatever this machine has. */
int
__wrap_os_stream_open(const char *path, FILE **ret_stream)
{
    static char text[] = "A=1\n1B=2\nC='x\n";

    if (strncmp(path, "/none", 5) == 0)
        return -ENOENT;
    *ret_stream = fmemopen(text, sizeof text - 1, "r");
    return *ret_stream ? 0 : -ENOMEM;
}

/* glibc takes all memory for ((a{1,255}){1,255}){1,255}; that is not ours to find. */
int
__wrap_regcomp(regex_t *regex, const char *pattern, int flags)
{
    const char *brace = strchr(pattern, '{');

    if (brace && (strchr(brace + 1, '{') || strtol(brace + 1, NULL, 10) > 20 || strchr(brace, ',')))
        return REG_BADBR;
    return __real_regcomp(regex, pattern, flags);
}

/* ---- What must hold ------------------------------------------------------------------------ */

static unsigned
count_lines(const char *data, size_t size)
{
    unsigned count = size > 0 && data[size - 1] != '\n';

    for (size_t i = 0; i < size; i++)
        count += data[i] == '\n';
    return count;
}

/* One line, of a place in the file or in an environment-file; the number of the former or 0. */
static unsigned
place_of(const char *mistake, unsigned lines)
{
    char *end;
    unsigned long line;

    for (const char *c = mistake; *c; c++)
        assert((unsigned char)*c >= ' ' && *c != '\x7f');
    if (strncmp(mistake, NAME ":", strlen(NAME ":")) != 0) {
        assert(*mistake == '/');
        assert(strstr(mistake, ":2: '1B' can't") || strstr(mistake, ":3: a quote is not closed"));
        return 0;
    }
    line = strtoul(mistake + strlen(NAME ":"), &end, 10);
    assert(line >= 1 && line <= lines);
    assert(strncmp(end, ": ", 2) == 0 && end[2] != '\0');
    return (unsigned)line;
}

/*
 * In the order of their lines, then what only the whole file says, in an order of its own: as many
 * as config_settle.c can say at once.
 */
static void
check_mistakes(const struct config_mistakes *mistakes, unsigned lines)
{
    enum { SETTLED_MAX = 6 };
    unsigned last = 0;

    for (size_t i = 0; i < mistakes->count; i++) {
        unsigned line = place_of(mistakes->lines[i], lines);

        assert(line == 0 || line >= last || mistakes->count - i < SETTLED_MAX);
        if (line >= last)
            last = line;
    }
    assert(!mistakes->lines || !mistakes->lines[mistakes->count]);
}

static void
check_environment(char **list)
{
    for (char **one = list; one && *one; one++) {
        assert(strchr(*one, '='));
        for (char **other = list; other < one; other++)
            assert(strncmp(*one, *other, strcspn(*one, "=") + 1) != 0);
    }
}

static void
check_path(const char *path)
{
    assert(!path || *path == '/');
}

static void
check_config(const struct config *config)
{
    size_t steps = 0;

    assert(!config->command || **config->command != '\0');
    check_path(config->directory);
    check_path(config->log);
    check_path(config->log_file);
    assert(config->pidfile && *config->pidfile == '/');
    check_environment(config->environment);
    assert(config->umask >= -1 && config->umask <= 0777);
    assert(config->stop_signal > 0 && config->reload_signal > 0);
    assert(config->stop_timeout_ms >= -1 && config->ready_timeout_ms >= -1);
    assert(config->ready_interval_ms > 0 && config->health_interval_ms > 0);
    assert(config->health_timeout_ms > 0 && config->health_failures > 0);
    assert(config->ready.count <= CONDITIONS_MAX && config->health.count <= CONDITIONS_MAX);
    for (size_t i = 0; i < config->health.count; i++)
        assert(condition_is_asked(&config->health.list[i]));
    while (config->sequence[steps].signal != 0)
        assert(++steps <= STOP_STEPS_MAX);
    assert(config->restart.delay_min_ms <= config->restart.delay_max_ms);
    assert(config->restart.limit >= 0 && config->restart.limit <= LIMIT_MAX);
    assert(config->log_max_size >= 0 && config->log_target != LOG_UNSAID);
    assert((config->log_target == LOG_FILE) == (config->log_file != NULL));
}

/* Success or mistakes, never both; a failure leaves what was there. */
static void
parse(const char *data, size_t size, struct config_mistakes *ret_mistakes)
{
    static const struct config_source source = {NAME, "web", "/run/web.pid", false};
    struct config config, before;
    int error;

    config_init(&config);
    memcpy(&before, &config, sizeof config);
    error = config_parse(&config, data, size, &source, ret_mistakes);
    assert(error == (ret_mistakes->count > 0 ? -EINVAL : 0));
    check_mistakes(ret_mistakes, count_lines(data, size));
    if (error)
        assert(memcmp(&before, &config, sizeof config) == 0);
    else
        check_config(&config);
    config_free(&config);
}

/* The same with Windows' ends of lines; free it. */
static char *
with_returns(const char *data, size_t size, size_t *ret_size)
{
    char *text = malloc(2 * size + 1), *out = text;

    assert(text);
    for (size_t i = 0; i < size; i++) {
        if (data[i] == '\n')
            *out++ = '\r';
        *out++ = data[i];
    }
    *ret_size = (size_t)(out - text);
    return text;
}

/* ---- The readers --------------------------------------------------------------------------- */

static void
fuzz_config(const char *data, size_t size)
{
    struct config_mistakes mistakes;

    parse(data, size, &mistakes);
    config_mistakes_free(&mistakes);
}

/* Windows' ends of lines change nothing. */
static void
fuzz_returns(const char *data, size_t size)
{
    struct config_mistakes mistakes, same;
    char *text;

    if (size == 0 || memchr(data, '\r', size))
        return;
    parse(data, size, &mistakes);
    text = with_returns(data, size, &size);
    parse(text, size, &same);
    assert(same.count == mistakes.count);
    for (size_t i = 0; i < same.count; i++)
        assert(strcmp(same.lines[i], mistakes.lines[i]) == 0);
    config_mistakes_free(&same);
    config_mistakes_free(&mistakes);
    free(text);
}

static void
fuzz_environment(const char *data, size_t size)
{
    struct environment environment = {0};
    struct config_mistakes mistakes = {0};

    assert(environment_parse(&environment, data, size, NAME, &mistakes) == 0);
    check_environment(environment.list);
    check_mistakes(&mistakes, count_lines(data, size));
    config_mistakes_free(&mistakes);
    words_free(environment.list);
}

static void
fuzz_value(const char *data, size_t size)
{
    static const char *const candidates[] = {"command", "environment", "environment-file", NULL};
    char *text = fuzz_text(data, size);
    const char *why = NULL, *meant;
    char **words = NULL;
    int ms = -2;
    int64_t bytes = -1;

    if (words_split(text, "web", "/run/web.pid", &words, &why))
        assert(why && !words);
    else
        assert(words);
    words_free(words);
    if (duration_parse(text, &ms) == 0)
        assert(ms >= -1);
    if (size_parse(text, &bytes) == 0)
        assert(bytes >= 0);
    meant = nearest(text, candidates);
    assert(!meant || meant == candidates[0] || meant == candidates[1] || meant == candidates[2]);
    free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const readers[])(const char *data, size_t size) = {fuzz_config, fuzz_returns,
                                                                     fuzz_environment, fuzz_value};

    if (size > 0)
        readers[data[0] % 4]((const char *)data + 1, size - 1);
    return 0;
}
