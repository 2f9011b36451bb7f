/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration read from a string, for the tests of src/host's readers. */
#ifndef VORTEX_READING_FIXTURE_H
#define VORTEX_READING_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/config.h"

struct reading {
    struct config config;
    struct config_mistakes mistakes;
    int error;
};

/* For the instance "web" with the default pidfile /run/vortex/web.pid. */
static inline struct reading
read_bytes(const char *data, size_t length)
{
    const struct config_source source = {"web.conf", "web", ROOT "/run/vortex/web.pid", false};
    struct reading reading;

    config_init(&reading.config);
    reading.error = config_parse(&reading.config, data, length, &source, &reading.mistakes);
    return reading;
}

static inline struct reading
read_text(const char *text)
{
    return read_bytes(text, strlen(text));
}

static inline void
end_reading(struct reading *reading)
{
    config_free(&reading->config);
    config_mistakes_free(&reading->mistakes);
}

/* A text that is right. */
static inline struct reading
read_good(const char *text)
{
    struct reading reading = read_text(text);

    if (reading.mistakes.count > 0)
        print_error("%s\n", reading.mistakes.lines[0]);
    assert_int_equal(reading.error, 0);
    assert_int_equal(reading.mistakes.count, 0);
    return reading;
}

/* A text with exactly these mistakes, each a line. */
static inline void
expect_mistakes(const char *text, const char *const *lines, size_t count)
{
    struct reading reading = read_text(text);

    for (size_t i = 0; i < reading.mistakes.count && i < count; i++)
        assert_string_equal(reading.mistakes.lines[i], lines[i]);
    assert_int_equal(reading.mistakes.count, count);
    assert_int_equal(reading.error, -EINVAL);
    end_reading(&reading);
}

static inline void
expect_mistake(const char *text, const char *line)
{
    expect_mistakes(text, &line, 1);
}

struct mistake {
    const char *text;
    const char *line;
};

static inline void
expect_each(const struct mistake *mistakes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        expect_mistake(mistakes[i].text, mistakes[i].line);
}

#define EXPECT_EACH(mistakes) expect_each(mistakes, sizeof(mistakes) / sizeof *(mistakes))

/* Words, the last of which is NULL. */
static inline void
expect_words(char *const *words, const char *const *expected)
{
    size_t i = 0;

    assert_non_null(words);
    for (; words[i] && expected[i]; i++)
        assert_string_equal(words[i], expected[i]);
    assert_null(words[i]);
    assert_null(expected[i]);
}

#define EXPECT_WORDS(words, ...) expect_words(words, (const char *const[]){__VA_ARGS__, NULL})

#endif
