/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdbool.h>

#include "lib/core.h"

int
number_parse(const char *text, size_t length, uint64_t *ret_number)
{
    uint64_t number = 0;

    if (length == 0)
        return -EBADMSG;
    for (size_t i = 0; i < length; i++) {
        unsigned digit = (unsigned)(text[i] - '0');

        if (text[i] < '0' || text[i] > '9')
            return -EBADMSG;
        if (number > (UINT64_MAX - digit) / 10)
            return -ERANGE;
        number = number * 10 + digit;
    }
    *ret_number = number;
    return 0;
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

int
pidfile_parse(const char *data, size_t length, int64_t *ret_pid)
{
    uint64_t number;
    size_t start = 0, end, stop;

    while (start < length && is_blank(data[start]))
        start++;
    for (end = start; end < length && data[end] >= '0' && data[end] <= '9'; end++)
        ;
    for (stop = end; stop < length && is_blank(data[stop]); stop++)
        ;
    if (stop < length && data[stop] == '\r')
        stop++;
    /* What follows the first newline is somebody's remark. */
    if (stop < length && data[stop] != '\n')
        return -EBADMSG;
    /* As long as the buffer: the number may go on behind it. */
    if (stop == length && length >= PIDFILE_MAX)
        return -EBADMSG;
    if (number_parse(data + start, end - start, &number) < 0 || number < 1 || number > INT32_MAX)
        return -EBADMSG;
    *ret_pid = (int64_t)number;
    return 0;
}
