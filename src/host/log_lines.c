/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/log_parts.h"

static void
add_to_tail(struct log_lines *lines, const char *data, size_t length)
{
    size_t first;

    if (length > LOG_TAIL_SIZE) {
        data += length - LOG_TAIL_SIZE;
        length = LOG_TAIL_SIZE;
    }
    first = LOG_TAIL_SIZE - lines->tail_end;
    if (first > length)
        first = length;
    memcpy(lines->tail + lines->tail_end, data, first);
    memcpy(lines->tail, data + first, length - first);
    lines->tail_end = (lines->tail_end + length) % LOG_TAIL_SIZE;
    lines->tail_length += length;
    if (lines->tail_length > LOG_TAIL_SIZE)
        lines->tail_length = LOG_TAIL_SIZE;
}

static void
add_to_watched(struct log_lines *lines, const char *data, size_t length)
{
    if (lines->watched_skips) {
        const char *end = memchr(data, '\n', length);

        if (!end)
            return;
        length -= (size_t)(end + 1 - data);
        data = end + 1;
        lines->watched_skips = false;
    }
    if (length > LOG_TAIL_SIZE - lines->watched_length)
        length = LOG_TAIL_SIZE - lines->watched_length;
    memcpy(lines->watched + lines->watched_length, data, length);
    lines->watched_length += length;
}

void
log_lines_add(struct log_lines *lines, const char *data, size_t length)
{
    add_to_tail(lines, data, length);
    if (lines->watched)
        add_to_watched(lines, data, length);
}

size_t
log_lines_room(const struct log_lines *lines)
{
    size_t room = LOG_CHUNK;

    /* Where nobody takes the lines, the server must not wait for that: then they are missed. */
    if (lines->watched && lines->watched_length < LOG_TAIL_SIZE)
        room = LOG_TAIL_SIZE - lines->watched_length;
    return room;
}

int
log_lines_watch(struct log_lines *lines, bool watch)
{
    if (watch && !lines->watched)
        lines->watched = malloc(LOG_TAIL_SIZE);
    if (!watch) {
        free(lines->watched);
        lines->watched = NULL;
    }
    lines->watched_length = 0;
    lines->watched_skips = false;
    return watch && !lines->watched ? -ENOMEM : 0;
}

bool
log_lines_next(struct log_lines *lines, char *buf, size_t size)
{
    const char *end;
    size_t length, used, fits;

    if (!lines->watched || lines->watched_length == 0)
        return false;
    end = memchr(lines->watched, '\n', lines->watched_length);
    if (!end && lines->watched_length < LOG_TAIL_SIZE)
        return false;
    lines->watched_skips = !end;
    length = end ? (size_t)(end - lines->watched) : lines->watched_length;
    used = length + (end != NULL);
    fits = length < size ? length : size - 1;
    memcpy(buf, lines->watched, fits);
    buf[fits] = '\0';
    lines->watched_length -= used;
    memmove(lines->watched, lines->watched + used, lines->watched_length);
    return true;
}

/* Where the last LOG_TAIL_LINES lines begin; a first line that is not whole is none. */
static size_t
start_of_tail(const char *text, size_t length, bool is_cut)
{
    size_t start = length;
    int lines = 0;

    for (; start > 0; start--)
        if (start < length && text[start - 1] == '\n' && ++lines == LOG_TAIL_LINES)
            return start;
    if (is_cut) {
        const char *end = memchr(text, '\n', length);

        if (end && end + 1 < text + length)
            start = (size_t)(end + 1 - text);
    }
    return start;
}

size_t
log_lines_tail(const struct log_lines *lines, char *buf, size_t size)
{
    size_t length = lines->tail_length < size ? lines->tail_length : size - 1;
    size_t from = (lines->tail_end + LOG_TAIL_SIZE - length) % LOG_TAIL_SIZE;
    size_t first = LOG_TAIL_SIZE - from < length ? LOG_TAIL_SIZE - from : length;
    size_t start;

    memcpy(buf, lines->tail + from, first);
    memcpy(buf + first, lines->tail, length - first);
    start = start_of_tail(buf, length, length < lines->tail_length || length == LOG_TAIL_SIZE);
    memmove(buf, buf + start, length - start);
    buf[length - start] = '\0';
    return length - start;
}
