/* SPDX-License-Identifier: Apache-2.0 */
/* Prints for the others: a line, an error, bytes. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "host/escape.h"

void
say_line(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    vprintf(format, ap);
    va_end(ap);
    putchar('\n');
}

void
say_error(const char *format, ...)
{
    /* One write, one line, also where several processes share the terminal, or a name has lines. */
    char line[4096], text[4096] = "vortex: ";
    const char *at = line;
    size_t length = strlen(text), n;
    va_list ap;

    va_start(ap, format);
    vsnprintf(line, sizeof(line), format, ap);
    va_end(ap);
    while (length <= sizeof(text) - ESCAPE_MAX
           && (n = escape_next(at, ESCAPE_TERMINAL, text + length)) > 0) {
        length += strlen(text + length);
        at += n;
    }
    fflush(stdout);
    if (!os_report_error(text))
        fprintf(stderr, "%s\n", text);
}

bool
say_bytes(const char *data, size_t size)
{
    return fwrite(data, 1, size, stdout) == size && fflush(stdout) == 0;
}

void
say_mistakes(const struct config_mistakes *mistakes)
{
    for (size_t i = 0; i < mistakes->count; i++)
        if (!os_report_error(mistakes->lines[i]))
            fprintf(stderr, "%s\n", mistakes->lines[i]);
}
