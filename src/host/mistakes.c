/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "host/reading.h"

/* What is quoted from a file must neither break the line nor command a terminal. */
static void
make_printable(char *line)
{
    for (; *line; line++)
        if ((unsigned char)*line < ' ' || *line == '\x7f')
            *line = '?';
}

int
config_mistakes_add(struct config_mistakes *mistakes, const char *file, unsigned line,
                    const char *format, ...)
{
    va_list values;
    char *text;
    int place, words;

    va_start(values, format);
    words = vsnprintf(NULL, 0, format, values);
    va_end(values);
    place = snprintf(NULL, 0, "%s:%u: ", file, line);
    if (place < 0 || words < 0)
        return -ENOMEM;
    text = malloc((size_t)place + (size_t)words + 1);
    if (!text)
        return -ENOMEM;

    snprintf(text, (size_t)place + 1, "%s:%u: ", file, line);
    va_start(values, format);
    vsnprintf(text + place, (size_t)words + 1, format, values);
    va_end(values);
    make_printable(text);
    return words_push(&mistakes->lines, &mistakes->count, text);
}

void
config_mistakes_free(struct config_mistakes *mistakes)
{
    words_free(mistakes->lines);
    *mistakes = (struct config_mistakes){0};
}
