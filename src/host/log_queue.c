/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/log_parts.h"

#define STAMP_MAX   48  /* "2026-01-02T03:04:05.678Z " */
#define WORD_MAX    256 /* what we say ourselves: room for it is never given away */
#define QUEUE_PAGES (LOG_QUEUE_MAX + WORD_MAX)

/* ---- Bytes ------------------------------------------------------------------------------- */

static size_t
length_of(const struct log_queue *queue)
{
    return queue->end - queue->begin;
}

static bool
has_room(const struct log_queue *queue, size_t length)
{
    return length_of(queue) + length <= LOG_QUEUE_MAX;
}

/* false: there is no memory. */
static bool
append(struct log_queue *queue, const char *data, size_t length)
{
    if (!queue->bytes && !(queue->bytes = os_pages_new(QUEUE_PAGES)))
        return false;
    if (queue->end + length > QUEUE_PAGES) {
        memmove(queue->bytes, queue->bytes + queue->begin, length_of(queue));
        queue->end -= queue->begin;
        queue->begin = 0;
    }
    assert(queue->end + length <= QUEUE_PAGES);
    memcpy(queue->bytes + queue->end, data, length);
    queue->end += length;
    return true;
}

void
log_queue_take(struct log_queue *queue, size_t length)
{
    queue->begin += length;
    queue->taken += (int64_t)length;
    if (queue->begin == queue->end)
        log_queue_free(queue);
}

void
log_queue_free(struct log_queue *queue)
{
    queue->bytes = os_pages_free(queue->bytes, QUEUE_PAGES);
    queue->begin = queue->end = 0;
}

/* ---- Lines ------------------------------------------------------------------------------- */

/* The time once for all lines that came together. */
static void
make_stamp(char *stamp)
{
    int64_t now = os_wall_ms();
    char seconds[32];

    os_time_format(now / 1000, seconds, sizeof(seconds));
    snprintf(stamp, STAMP_MAX, "%.19s.%03dZ ", seconds, (int)(now % 1000));
}

/* The line that is not finished is not to be there. What has left already gets an end. */
static void
take_line_back(struct log_queue *queue)
{
    if (!queue->is_mid_line)
        return;
    if (queue->line_at >= queue->taken)
        queue->end = queue->begin + (size_t)(queue->line_at - queue->taken);
    else
        (void)append(queue, "\n", 1);
    queue->is_mid_line = false;
    if (queue->begin == queue->end)
        log_queue_free(queue);
}

void
log_queue_say_dropped(struct log_queue *queue)
{
    char word[WORD_MAX] = "";
    int length;

    if (queue->stamps)
        make_stamp(word);
    length = (int)strlen(word);
    length += snprintf(word + length, sizeof(word) - (size_t)length,
                       "vortex: %" PRId64 " line%s dropped: %.100s\n", queue->dropped,
                       queue->dropped == 1 ? "" : "s",
                       queue->error ? strerror(-queue->error) : "the log was too slow");
    if (append(queue, word, (size_t)length)) {
        queue->dropped = 0;
        queue->error = 0;
    }
}

void
log_queue_end_line(struct log_queue *queue)
{
    if (queue->is_mid_line && append(queue, "\n", 1))
        queue->is_mid_line = false;
}

/* Once lines were dropped, half of it must be free: not a word about each single line. */
static bool
takes_again(struct log_queue *queue)
{
    if (queue->dropped > 0 && has_room(queue, LOG_QUEUE_MAX / 2))
        log_queue_say_dropped(queue);
    return queue->dropped == 0;
}

/* A line, or what there is of one. */
static void
put_piece(struct log_queue *queue, const char *data, size_t length, const char *stamp, int error)
{
    bool ends = data[length - 1] == '\n';
    size_t stamp_length = queue->is_mid_line ? 0 : strlen(stamp);

    if (queue->skips) {
        queue->skips = !ends;
        return;
    }
    if (takes_again(queue) && has_room(queue, stamp_length + length)) {
        if (!queue->is_mid_line)
            queue->line_at = queue->taken + (int64_t)length_of(queue);
        if (append(queue, stamp, stamp_length) && append(queue, data, length)) {
            queue->is_mid_line = !ends;
            return;
        }
    }
    take_line_back(queue);
    queue->dropped++;
    queue->error = error ? error : queue->error;
    queue->skips = !ends;
}

void
log_queue_put(struct log_queue *queue, const char *data, size_t length, int error)
{
    char stamp[STAMP_MAX] = "";

    if (queue->stamps)
        make_stamp(stamp);
    while (length > 0) {
        const char *end = memchr(data, '\n', length);
        size_t piece = end ? (size_t)(end + 1 - data) : length;

        put_piece(queue, data, piece, stamp, error);
        data += piece;
        length -= piece;
    }
}

/* ---- Past the queue ---------------------------------------------------------------------- */

bool
log_queue_is_passed(const struct log_queue *queue)
{
    return !queue->bytes && !queue->stamps && !queue->skips && queue->dropped == 0;
}

void
log_queue_pass(struct log_queue *queue, const char *data, size_t length)
{
    size_t line = length;

    while (line > 0 && data[line - 1] != '\n')
        line--;
    if (line > 0 || !queue->is_mid_line)
        queue->line_at = queue->taken + (int64_t)line;
    queue->is_mid_line = line < length;
    queue->taken += (int64_t)length;
}
