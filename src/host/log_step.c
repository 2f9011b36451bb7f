/* SPDX-License-Identifier: Apache-2.0 */
/* From the server's pipe to the target, as fast as that takes it. */
#include "host/log_parts.h"

#define LOOK_MS     4       /* a writer that takes nothing for so long is looked at */
#define LOOKS       2       /* so often it must be found standing still */
#define PATIENCE_MS 1000    /* of a manager's log, which can't be looked at */
#define DRAIN_MS    2000    /* how long an end may take */
#define FIRST_READ  4096    /* most of what is read is short: no pages for that */
#define STAMPED     8192    /* so much fits the queue, were it all newlines with a time before */
#define STEP_MAX    1048576 /* bytes; then others have their turn */

/* ---- Handing on -------------------------------------------------------------------------- */

static void
be_patient(struct log *log, int64_t now_ms)
{
    log->look_ms = now_ms + (log_is_datagram(log) ? PATIENCE_MS : LOOK_MS);
    log->looks = 0;
    log->is_stuck = false;
}

/*
 * The target takes nothing. A writer that only waits for a processor is no reason to drop a line;
 * one that stands in the kernel, because its disk does, is.
 */
static void
look(struct log *log, int64_t now_ms)
{
    if (log_is_datagram(log)) {
        log->is_stuck = true;
    } else if (os_process_runs(log->writer.pid)) {
        be_patient(log, now_ms);
    } else {
        log->look_ms = now_ms + LOOK_MS;
        log->is_stuck = ++log->looks >= LOOKS;
    }
}

/* To the target, as much as it takes now. */
static size_t
hand_on(struct log *log, const char *data, size_t length, int64_t now_ms)
{
    size_t done = 0;
    int64_t n = 0;

    while (done < length && n >= 0) {
        n = log_is_datagram(log) ? log_datagram_send(&log->datagram, &log->settings, data + done,
                                                     length - done, now_ms)
                                 : os_handle_write(log->writer.feed[1], data + done, length - done);
        done += n > 0 ? (size_t)n : 0;
    }
    if (done > 0) {
        be_patient(log, now_ms);
        if (!log_is_datagram(log))
            log_writer_start(&log->writer, &log->settings, log->input, now_ms);
    }
    return done;
}

static void
flush_queue(struct log *log, int64_t now_ms)
{
    struct log_queue *queue = &log->queue;

    if (!queue->bytes && queue->dropped > 0)
        log_queue_say_dropped(queue);
    if (queue->bytes)
        log_queue_take(
            queue, hand_on(log, queue->bytes + queue->begin, queue->end - queue->begin, now_ms));
}

bool
log_is_waiting(const struct log *log)
{
    const struct log_queue *queue = &log->queue;

    return queue->bytes
           && (!log_is_datagram(log) || !queue->is_mid_line || queue->taken < queue->line_at);
}

static void
take_output(struct log *log, const char *data, size_t length, int64_t now_ms)
{
    bool was_waiting = log_is_waiting(log);

    log_lines_add(&log->lines, data, length);
    if (!log_is_datagram(log) && log_queue_is_passed(&log->queue)) {
        size_t done = hand_on(log, data, length, now_ms);

        log_queue_pass(&log->queue, data, done);
        data += done;
        length -= done;
    }
    if (length == 0)
        return;
    log_queue_put(&log->queue, data, length, log_error(log));
    if (!was_waiting) {
        be_patient(log, now_ms);
        flush_queue(log, now_ms);
    }
}

/* ---- Reading ----------------------------------------------------------------------------- */

bool
log_may_read(const struct log *log)
{
    return log->input != OS_NONE && !log->is_ending && (log->is_stuck || !log_is_waiting(log));
}

static int64_t
read_once(struct log *log, char *buf, size_t size, int64_t now_ms)
{
    size_t room = log_lines_room(&log->lines);
    int64_t n;

    if (size > room)
        size = room;
    if (log->settings.timestamps && size > STAMPED)
        size = STAMPED;
    n = os_handle_read(log->input, buf, size);
    if (n > 0)
        take_output(log, buf, (size_t)n, now_ms);
    log->is_read_out = n <= 0;
    return n;
}

/* Wide pipes make it half as fast again, measured; most servers never need them. */
static int64_t
read_in_bulk(struct log *log, char *pages, int64_t now_ms)
{
    int64_t n = read_once(log, pages, LOG_CHUNK, now_ms);

    if (n == LOG_CHUNK && !log->is_wide && !log_is_datagram(log)) {
        os_pipe_widen(log->output);
        os_pipe_widen(log->writer.feed[1]);
        log->is_wide = true;
    }
    return n;
}

static void
read_output(struct log *log, int64_t now_ms)
{
    char small[FIRST_READ], *pages;
    int64_t n = read_once(log, small, sizeof(small), now_ms);

    /* Watched lines are to be taken first. */
    if (log->lines.watched || (n < (int64_t)sizeof(small) && log->drain_ms < 0))
        return;
    pages = os_pages_new(LOG_CHUNK);
    for (int64_t done = 0; pages && n > 0 && done < STEP_MAX && log_may_read(log); done += n)
        n = read_in_bulk(log, pages, now_ms);
    os_pages_free(pages, LOG_CHUNK);
}

/* Nothing is left to read: hand on what is left to hand on, then let the writer end. */
static void
end_step(struct log *log, int64_t now_ms)
{
    if (log_is_datagram(log))
        log_queue_end_line(&log->queue);
    flush_queue(log, now_ms);
    if (!log->is_ending && !log->queue.bytes) {
        log->is_ending = true;
        log_writer_end(&log->writer);
    }
}

void
log_step(struct log *log, int64_t now_ms)
{
    if (log->input != OS_NONE) {
        flush_queue(log, now_ms);
        if (log_is_waiting(log) && !log->is_stuck && now_ms >= log->look_ms)
            look(log, now_ms);
        if (log_may_read(log))
            read_output(log, now_ms);
        if (log->drain_ms >= 0 && log->is_read_out)
            end_step(log, now_ms);
        if (log->writer.retry_ms >= 0)
            log_writer_start(&log->writer, &log->settings, log->input, now_ms);
    }
    if (log->drain_ms >= 0)
        log->is_done = log->input == OS_NONE || now_ms >= log->drain_ms
                       || (log->is_ending && log_writer_is_idle(&log->writer));
}

void
log_drain(struct log *log, int64_t now_ms)
{
    (void)log_watch_lines(log, false);
    log->drain_ms = now_ms + DRAIN_MS;
    log->is_read_out = false;
    log_step(log, now_ms);
}

bool
log_is_done(const struct log *log)
{
    return log->is_done;
}
