/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "host/reading.h"

#define BLANKS " \t\r\n"
#define DIGITS "0123456789"

/* ---- Words ------------------------------------------------------------------------------- */

char *
words_copy(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);

    return copy ? memcpy(copy, text, size) : NULL;
}

int
words_push(char ***words, size_t *count, char *word)
{
    /* Room doubles: with its NULL, the list uses it up whenever count + 1 is a power of two. */
    if ((*count & (*count + 1)) == 0) {
        char **more = realloc(*words, 2 * (*count + 1) * sizeof *more);

        if (!more) {
            free(word);
            return -ENOMEM;
        }
        *words = more;
    }
    (*words)[(*count)++] = word;
    (*words)[*count] = NULL;
    return 0;
}

int
words_choose(const char *text, const char *words)
{
    size_t length = strlen(text);

    for (int i = 0;; i++) {
        size_t n = strcspn(words, " ");

        if (n == length && memcmp(text, words, n) == 0)
            return i;
        if (words[n] == '\0')
            return -EINVAL;
        words += n + 1;
    }
}

void
words_free(char **words)
{
    for (char **word = words; word && *word; word++)
        free(*word);
    free(words);
}

/* What a % with that letter stands for, or NULL and why. */
static const char *
meaning_of(char letter, const char *instance, const char *pidfile, const char **ret_why)
{
    switch (letter) {
    case '%':
        return "%";
    case 'n':
        *ret_why = "%n has no value here";
        return instance;
    case 'p':
        *ret_why = "%p has no value here";
        return pidfile;
    default:
        *ret_why = "a % stands for nothing unless n, p or % follows: write %% for a percent sign";
        return NULL;
    }
}

/* Write the expansion, where out is not NULL; ret_length without its NUL. */
static int
expand(const char *text, const char *instance, const char *pidfile, char *out, size_t *ret_length,
       const char **ret_why)
{
    size_t length = 0;

    for (; *text; text++) {
        const char *piece = text;
        const char *why;
        size_t piece_length = 1;

        if (*text == '%') {
            piece = meaning_of(*++text, instance, pidfile, &why);
            if (!piece) {
                *ret_why = why;
                return -EINVAL;
            }
            piece_length = strlen(piece);
        }
        if (out)
            memcpy(out + length, piece, piece_length);
        length += piece_length;
    }
    if (out)
        out[length] = '\0';
    *ret_length = length;
    return 0;
}

int
words_expand(const char *text, const char *instance, const char *pidfile, char **ret_text,
             const char **ret_why)
{
    char *expanded;
    size_t length;
    int error;

    error = expand(text, instance, pidfile, NULL, &length, ret_why);
    if (error)
        return error;
    expanded = malloc(length + 1);
    if (!expanded)
        return -ENOMEM;
    *ret_text = expanded;
    return expand(text, instance, pidfile, expanded, &length, ret_why);
}

int
words_unquote(const char **in, char **out)
{
    const char *text = *in;
    char *end = *out;
    char quote = *text++;

    for (; *text != quote; text++) {
        bool escaped = quote == '"' && *text == '\\' && text[1] && strchr("\"\\$`\n", text[1]);

        text += escaped;
        if (*text == '\0')
            return -EINVAL;
        if (!escaped || *text != '\n')
            *end++ = *text;
    }
    *in = text + 1;
    *out = end;
    return 0;
}

/* Copy one word without its quotes and backslashes, and move both on. */
static int
unquote_word(const char **in, char *out, const char **ret_why)
{
    while (**in && !strchr(BLANKS, **in)) {
        if (**in == '\'' || **in == '"') {
            if (words_unquote(in, &out)) {
                *ret_why = "a quote is not closed";
                return -EINVAL;
            }
            continue;
        }
        if (**in == '\\' && *++*in == '\0') {
            *ret_why = "nothing follows the last backslash";
            return -EINVAL;
        }
        *out++ = *(*in)++;
    }
    *out = '\0';
    return 0;
}

int
words_split(const char *text, const char *instance, const char *pidfile, char ***ret_words,
            const char **ret_why)
{
    char *buf = malloc(strlen(text) + 1);
    char **words = calloc(1, sizeof *words);
    size_t count = 0;
    int error = buf && words ? 0 : -ENOMEM;

    for (text += strspn(text, BLANKS); !error && *text; text += strspn(text, BLANKS)) {
        char *word;

        error = unquote_word(&text, buf, ret_why);
        if (!error)
            error = words_expand(buf, instance, pidfile, &word, ret_why);
        if (!error)
            error = words_push(&words, &count, word);
    }
    free(buf);
    if (error)
        words_free(words);
    else
        *ret_words = words;
    return error;
}

/* ---- Numbers ----------------------------------------------------------------------------- */

/* Not strtoll: it would take blanks, a plus, and say nothing of an overflow unless asked. */
static int
read_digits(const char **text, int base, int64_t *ret_number)
{
    const char *digit = *text;
    int64_t number = 0;

    for (; *digit >= '0' && *digit < '0' + base; digit++) {
        if (number > (INT64_MAX - (*digit - '0')) / base)
            return -ERANGE;
        number = number * base + (*digit - '0');
    }
    if (digit == *text)
        return -EINVAL;
    *text = digit;
    *ret_number = number;
    return 0;
}

int
integer_parse(const char *text, int base, int64_t min, int64_t max, int64_t *ret_number)
{
    bool negative = min < 0 && *text == '-';
    int64_t number;
    int error;

    text += negative;
    error = read_digits(&text, base, &number);
    if (error)
        return error;
    if (*text)
        return -EINVAL;
    if (negative)
        number = -number;
    if (number < min || number > max)
        return -ERANGE;
    *ret_number = number;
    return 0;
}

/* A unit in microseconds; 0: none. */
static int64_t
read_unit(const char **text, bool micro)
{
    static const struct {
        const char *name;
        int64_t us;
    } units[] = {{"us", 1},       {"ms", 1000},      {"s", 1000000},
                 {"m", 60000000}, {"min", 60000000}, {"h", 3600000000}};
    size_t length = strcspn(*text, BLANKS DIGITS);

    for (size_t i = !micro; i < sizeof units / sizeof *units; i++)
        if (strlen(units[i].name) == length && memcmp(*text, units[i].name, length) == 0) {
            *text += length;
            return units[i].us;
        }
    return 0;
}

int
time_parse(const char *text, bool micro, int64_t *ret_us)
{
    bool bare = text[strspn(text, DIGITS)] == '\0';
    int64_t total = 0;

    for (;;) {
        int64_t number, unit;
        int error = read_digits(&text, 10, &number);

        if (error)
            return error;
        text += strspn(text, BLANKS);
        if (bare)
            unit = micro ? 1 : 1000000;
        else
            unit = read_unit(&text, micro);
        if (unit == 0)
            return -EINVAL;
        if (number > (INT64_MAX - total) / unit)
            return -ERANGE;
        total += number * unit;
        if (*text == '\0')
            break;
        text += strspn(text, BLANKS);
    }
    *ret_us = total;
    return 0;
}

int
duration_parse(const char *text, int *ret_ms)
{
    int64_t us;
    int error;

    if (strcmp(text, "infinity") == 0) {
        *ret_ms = -1;
        return 0;
    }
    error = time_parse(text, false, &us);
    if (error)
        return error;
    if (us / 1000 > INT_MAX)
        return -ERANGE;
    *ret_ms = (int)(us / 1000);
    return 0;
}

int
size_parse(const char *text, int64_t *ret_bytes)
{
    static const char units[] = "KMGTPE";
    int64_t number;
    int error = read_digits(&text, 10, &number);
    const char *unit = *text ? strchr(units, *text) : NULL;

    if (error)
        return error;
    for (const char *u = units; unit && u <= unit; u++) {
        if (number > INT64_MAX / 1024)
            return -ERANGE;
        number *= 1024;
    }
    if (text[unit != NULL] != '\0')
        return -EINVAL;
    *ret_bytes = number;
    return 0;
}
