/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "host/log_parts.h"

#define CHECK_MS  1000            /* how often the name is looked at while we write */
#define ROTATE_MS 1000            /* how long a failed rotation is left alone */
#define MARGIN    ((size_t)65536) /* where so little is left, no line is begun that has no end */

void
log_file_init(struct log_file *file, const struct log_settings *settings)
{
    *file = (struct log_file){.settings = settings, .out = {.handle = OS_NONE}};
}

void
log_file_close(struct log_file *file)
{
    os_log_close(&file->out);
    file->line = 0;
}

/* ---- Opening ----------------------------------------------------------------------------- */

static int
open_file(struct log_file *file, int64_t now_ms)
{
    struct os_log out;
    int error = os_log_open(file->settings->file, &file->out, &out);

    if (error)
        return error;
    log_file_close(file);
    file->out = out;
    file->checked_ms = now_ms;
    file->reopen = false;
    return 0;
}

/* Is the name still this file's? It may have been renamed or removed. A line is finished first. */
static int
check_file(struct log_file *file, int64_t now_ms)
{
    if (file->out.handle == OS_NONE)
        return open_file(file, now_ms);
    if (now_ms - file->checked_ms >= CHECK_MS) {
        file->checked_ms = now_ms;
        if (!os_path_is(file->settings->file, &file->out.id))
            file->reopen = true;
        else /* somebody may have emptied it */
            file->out.size = os_log_size(&file->out);
    }
    return file->reopen && file->line == 0 ? open_file(file, now_ms) : 0;
}

/* ---- Rotating ---------------------------------------------------------------------------- */

static bool
is_bounded(const struct log_file *file, int64_t now_ms)
{
    return file->settings->max_size > 0 && file->out.is_regular && now_ms >= file->rotate_ms;
}

/* Where that fails, it goes on in the present file. */
static void
rotate(struct log_file *file, int64_t now_ms)
{
    int error = 0;

    /* Another's file may stand under that name by now. */
    if (os_path_is(file->settings->file, &file->out.id))
        error = log_rotate(file->settings);
    if (!error)
        error = open_file(file, now_ms);
    file->trouble = error;
    file->was_rotated = true;
    if (error)
        file->rotate_ms = now_ms + ROTATE_MS;
}

/* ---- Writing ----------------------------------------------------------------------------- */

/* How much of it are whole lines? */
static size_t
whole_lines(const char *data, size_t length)
{
    while (length > 0 && data[length - 1] != '\n')
        length--;
    return length;
}

/* How much of a line, that has begun in this file already: all of it, as far as max-size. */
static size_t
rest_of_line(const struct log_file *file, const char *data, size_t length)
{
    const char *end = memchr(data, '\n', length);
    int64_t left = file->settings->max_size - file->line;

    if (end)
        length = (size_t)(end + 1 - data);
    if (left <= 0)
        return 0;
    return left < (int64_t)length ? (size_t)left : length;
}

/*
 * How much goes into the present file. 0: nothing does; rotate first, or, where *ret_waits, wait
 * until the line has its end.
 */
static size_t
next_piece(const struct log_file *file, const char *data, size_t length, bool flush,
           bool *ret_waits)
{
    int64_t max = file->settings->max_size, room = max - file->out.size;
    size_t margin = max / 4 < (int64_t)MARGIN ? (size_t)(max / 4) : MARGIN, whole;

    *ret_waits = false;
    if (file->line > 0)
        return rest_of_line(file, data, length);
    if (room < (int64_t)length) {
        whole = room > 0 ? whole_lines(data, (size_t)room) : 0;
        return whole == 0 && file->out.size == 0 ? (size_t)room : whole;
    }
    whole = whole_lines(data, length);
    if (whole == length || (whole == 0 && file->out.size == 0))
        return length;
    if (!flush) {
        *ret_waits = whole == 0;
        return whole;
    }
    return room - (int64_t)length >= (int64_t)margin ? length : whole;
}

static int64_t
append(struct log_file *file, const char *data, size_t length)
{
    int64_t n = os_log_write(&file->out, data, length);
    size_t whole;

    if (n <= 0)
        return n < 0 ? n : -EIO;
    whole = whole_lines(data, (size_t)n);
    file->line = whole > 0 ? n - (int64_t)whole : file->line + n;
    file->out.size += n;
    return n;
}

int
log_file_put(struct log_file *file, const char *data, size_t length, bool flush, int64_t now_ms,
             size_t *ret_count)
{
    *ret_count = 0;
    while (length > 0) {
        bool waits = false;
        size_t piece = length;
        int64_t n = check_file(file, now_ms);

        if (n == 0 && is_bounded(file, now_ms)) {
            piece = next_piece(file, data, length, flush, &waits);
            if (waits)
                return 0;
            if (piece == 0) {
                rotate(file, now_ms);
                continue;
            }
        }
        if (n == 0)
            n = append(file, data, piece);
        if (n < 0)
            return (int)n;
        data += n;
        length -= (size_t)n;
        *ret_count += (size_t)n;
    }
    return 0;
}
