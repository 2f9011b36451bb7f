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
    va_list measured, written;
    char *text = NULL;
    int place, words;

    va_start(measured, format);
    va_copy(written, measured);
    place = snprintf(NULL, 0, "%s:%u: ", file, line);
    words = vsnprintf(NULL, 0, format, measured);
    if (place >= 0 && words >= 0)
        text = malloc((size_t)place + (size_t)words + 1);
    if (text) {
        snprintf(text, (size_t)place + 1, "%s:%u: ", file, line);
        vsnprintf(text + place, (size_t)words + 1, format, written);
        make_printable(text);
    }
    va_end(written);
    va_end(measured);
    return text ? words_push(&mistakes->lines, &mistakes->count, text) : -ENOMEM;
}

void
config_mistakes_free(struct config_mistakes *mistakes)
{
    words_free(mistakes->lines);
    *mistakes = (struct config_mistakes){0};
}
