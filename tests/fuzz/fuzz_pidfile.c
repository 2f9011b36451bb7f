/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a pidfile, against design.md's expression and a number compared as text. */
#include <assert.h>
#include <errno.h>
#include <regex.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "lib/core.h"

#define UNTOUCHED 77

/* The digits of the first line, without the zeros before them; NULL: it is no number. Free it. */
static char *
digits_of(const char *data, size_t length)
{
    static regex_t expression;
    static bool ready = false;
    const char *newline = length > 0 ? memchr(data, '\n', length) : NULL;
    size_t size = newline ? (size_t)(newline - data) : length;
    char *line = fuzz_text(data, size), *digits = NULL;
    regmatch_t match[2];

    if (!ready)
        assert(regcomp(&expression, "^[ \t]*0*([0-9]+)[ \t]*\r?$", REG_EXTENDED) == 0);
    ready = true;
    /* A line as long as the buffer may go on behind it. */
    if ((newline || length < PIDFILE_MAX) && strlen(line) == size
        && regexec(&expression, line, 2, match, 0) == 0) {
        line[match[1].rm_eo] = '\0';
        digits = strdup(line + match[1].rm_so);
        assert(digits);
    }
    free(line);
    return digits;
}

/* At most "2147483647", which is 10 digits. */
static bool
is_pid(const char *digits)
{
    static const char most[] = "2147483647";
    size_t length = strlen(digits);

    if (strcmp(digits, "0") == 0)
        return false;
    return length < strlen(most) || (length == strlen(most) && strcmp(digits, most) <= 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *digits = digits_of((const char *)data, size);
    int64_t pid = UNTOUCHED;
    int r = pidfile_parse((const char *)data, size, &pid);

    if (digits && is_pid(digits)) {
        assert(r == 0);
        assert(pid == strtoll(digits, NULL, 10));
    } else {
        assert(r == -EBADMSG);
        assert(pid == UNTOUCHED);
    }
    free(digits);
    return 0;
}
