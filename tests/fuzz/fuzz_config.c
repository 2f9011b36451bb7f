/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer over what reads a configuration. The first byte chooses the reader; besides what the
 * sanitizers see, it holds what must hold of every text.
 *
 *     clang -g -O1 -std=c11 -fsanitize=fuzzer,address,undefined -Isrc tests/fuzz/fuzz_config.c \
 *         tests/unit/stub_signals.c src/host/{config,environment,ini,keys,mistakes,nearest}.c \
 *         src/host/{text,words}.c -o fuzz_config
 *     ./fuzz_config -dict=tests/fuzz/config.dict -max_total_time=60
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/reading.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_mistakes(struct config_mistakes *mistakes)
{
    for (size_t i = 0; i < mistakes->count; i++) {
        assert(!strchr(mistakes->lines[i], '\n'));
        assert(strchr(mistakes->lines[i], ':'));
    }
    config_mistakes_free(mistakes);
}

static void
check_environment(char **list)
{
    for (char **one = list; one && *one; one++)
        for (char **other = list; other < one; other++)
            assert(strncmp(*one, *other, strcspn(*one, "=") + 1) != 0);
}

static void
fuzz_config(const char *data, size_t size)
{
    static const struct config_source source = {"fuzz.conf", "web", "/run/web.pid", false};
    struct config_mistakes mistakes;
    struct config config;
    int error;

    config_init(&config);
    error = config_parse(&config, data, size, &source, &mistakes);
    assert(error == (mistakes.count > 0 ? -EINVAL : 0));
    assert(!config.command || **config.command != '\0');
    assert(!config.directory || *config.directory == '/');
    assert(error || *config.pidfile == '/');
    check_environment(config.environment);
    check_mistakes(&mistakes);
    config_free(&config);
}

static void
fuzz_environment(const char *data, size_t size)
{
    struct environment environment = {0};
    struct config_mistakes mistakes = {0};

    assert(environment_parse(&environment, data, size, "fuzz.env", &mistakes) == 0);
    check_environment(environment.list);
    check_mistakes(&mistakes);
    words_free(environment.list);
}

static void
fuzz_value(const char *data, size_t size)
{
    static const char *const candidates[] = {"command", "environment", "environment-file", NULL};
    char *text = malloc(size + 1);
    const char *why = NULL;
    char **words = NULL;
    int ms = -2;

    assert(text);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    if (words_split(text, "web", "/run/web.pid", &words, &why))
        assert(why && !words);
    words_free(words);
    if (duration_parse(text, &ms) == 0)
        assert(ms >= -1);
    nearest(text, candidates);
    free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const readers[])(const char *data, size_t size) = {fuzz_config, fuzz_config,
                                                                     fuzz_environment, fuzz_value};

    if (size > 0)
        readers[data[0] % 4]((const char *)data + 1, size - 1);
    return 0;
}
