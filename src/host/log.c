/* SPDX-License-Identifier: Apache-2.0 */
#include "host/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/log_parts.h"

#define LOOK_MS     4       /* a writer that takes nothing for so long is looked at */
#define LOOKS       2       /* so often it must be found standing still */
#define PATIENCE_MS 1000    /* of a manager's log, which can't be looked at */
#define DRAIN_MS    2000    /* how long an end may take */
#define FIRST_READ  4096    /* most of what is read is short: no pages for that */
#define STAMPED     8192    /* so much fits the queue, were it all newlines with a time before */
#define STEP_MAX    1048576 /* bytes; then others have their turn */

struct log {
    struct log_settings settings;
    intptr_t input, output;
    struct log_queue queue;
    struct log_lines lines;
    struct log_writer writer;
    struct log_datagram datagram;
    int64_t look_ms;  /* when to look whether the target stands still */
    int looks;        /* how often it did, since it last took something */
    int64_t drain_ms; /* the end must have come by then; -1: no end in sight */
    bool is_stuck;    /* it stands still: the server comes first */
    bool is_read_out; /* nothing more was there when it was read last */
    bool is_ending;   /* drained, all was handed on */
    bool is_done;
};

static bool
is_datagram(const struct log *log)
{
    return log->settings.target == LOG_SYSLOG || log->settings.target == LOG_JOURNAL;
}

/* ---- Life -------------------------------------------------------------------------------- */

struct log_settings
log_settings_of(const struct config *config, const char *name)
{
    struct log_settings settings = {
        .target = config->log_target,
        .name = name,
        .file = config->log_file,
        .max_size = config->log_max_size,
        .keep = config->log_keep,
        .compress = config->log_compress,
        .timestamps = config->log_timestamps,
    };

    if (config->log) { /* [server] log: a file that only grows */
        settings.target = LOG_FILE;
        settings.file = config->log;
        settings.max_size = 0;
    }
    return settings;
}

static int
open_pipe(struct log *log)
{
    intptr_t ends[2];
    int error = os_pipe(ends);

    if (error)
        return error;
    log->input = ends[0];
    log->output = ends[1];
    return log->settings.target == LOG_FILE ? log_writer_open(&log->writer) : 0;
}

static int
open_target(struct log *log, const char **ret_why)
{
    struct os_log file = {.handle = OS_NONE};
    int error = 0;

    *ret_why = "the log file can't be opened";
    if (log->settings.target == LOG_FILE || log->settings.target == LOG_NONE)
        error = os_log_open(log->settings.target == LOG_FILE ? log->settings.file : "/dev/null",
                            NULL, &file);
    if (error || log->settings.target == LOG_INHERIT)
        return error;
    if (log->settings.target == LOG_NONE) {
        log->output = file.handle;
        return 0;
    }
    os_log_close(&file);
    *ret_why = "there is no pipe for its output";
    return open_pipe(log);
}

int
log_open(const struct log_settings *settings, struct log **ret, const char **ret_why)
{
    struct log *log = calloc(1, sizeof(*log));
    int error;

    *ret_why = "out of memory";
    if (!log)
        return -ENOMEM;
    log->settings = *settings;
    log->input = log->output = OS_NONE;
    log->queue.stamps = settings->timestamps;
    log->drain_ms = -1;
    log_writer_init(&log->writer);
    log_datagram_init(&log->datagram, settings->target);
    error = open_target(log, ret_why);
    if (error) {
        log_free(log);
        return error;
    }
    if (settings->target == LOG_FILE && settings->outlives)
        log_writer_start(&log->writer, &log->settings, log->input, os_monotonic_ms());
    *ret = log;
    return 0;
}

struct log *
log_free(struct log *log)
{
    if (!log)
        return NULL;
    log_queue_free(&log->queue);
    (void)log_lines_watch(&log->lines, false);
    log_writer_close(&log->writer);
    log_datagram_close(&log->datagram);
    log->input = os_handle_close(log->input);
    log->output = os_handle_close(log->output);
    free(log);
    return NULL;
}

intptr_t
log_output(const struct log *log)
{
    return log->output;
}

int64_t
log_child(const struct log *log)
{
    return log->writer.pid;
}

bool
log_child_ended(struct log *log, int64_t pid, int64_t now_ms)
{
    if (pid == 0 || pid != log->writer.pid)
        return false;
    log_writer_ended(&log->writer, now_ms);
    return true;
}

void
log_reopen(struct log *log)
{
    log_writer_reopen(&log->writer);
    log_datagram_close(&log->datagram);
    log->datagram.retry_ms = 0;
}

int
log_error(struct log *log)
{
    return is_datagram(log) ? log->datagram.error : log_writer_error(&log->writer);
}

/* ---- Handing on -------------------------------------------------------------------------- */

static void
be_patient(struct log *log, int64_t now_ms)
{
    log->look_ms = now_ms + (is_datagram(log) ? PATIENCE_MS : LOOK_MS);
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
    if (is_datagram(log)) {
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
        n = is_datagram(log) ? log_datagram_send(&log->datagram, &log->settings, data + done,
                                                 length - done, now_ms)
                             : os_handle_write(log->writer.feed[1], data + done, length - done);
        done += n > 0 ? (size_t)n : 0;
    }
    if (done > 0) {
        be_patient(log, now_ms);
        if (!is_datagram(log))
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

/* Has the target something to take? To a datagram belongs a whole line. */
static bool
is_waiting(const struct log *log)
{
    const struct log_queue *queue = &log->queue;

    return queue->bytes
           && (!is_datagram(log) || !queue->is_mid_line || queue->taken < queue->line_at);
}

static void
take_output(struct log *log, const char *data, size_t length, int64_t now_ms)
{
    bool was_waiting = is_waiting(log);

    log_lines_add(&log->lines, data, length);
    if (!is_datagram(log) && log_queue_is_passed(&log->queue)) {
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

static bool
may_read(const struct log *log)
{
    return log->input != OS_NONE && !log->is_ending && (log->is_stuck || !is_waiting(log));
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

static void
read_output(struct log *log, int64_t now_ms)
{
    char small[FIRST_READ], *pages;
    int64_t n = read_once(log, small, sizeof(small), now_ms);

    /* Watched lines are to be taken first. */
    if (log->lines.watched || (n < (int64_t)sizeof(small) && log->drain_ms < 0))
        return;
    pages = os_pages_new(LOG_CHUNK);
    for (int64_t done = 0; pages && n > 0 && done < STEP_MAX && may_read(log); done += n)
        n = read_once(log, pages, LOG_CHUNK, now_ms);
    os_pages_free(pages, LOG_CHUNK);
}

/* Nothing is left to read: hand on what is left to hand on, then let the writer end. */
static void
end_step(struct log *log, int64_t now_ms)
{
    if (is_datagram(log))
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
        if (is_waiting(log) && !log->is_stuck && now_ms >= log->look_ms)
            look(log, now_ms);
        if (may_read(log))
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
    log_step(log, now_ms);
}

bool
log_is_done(const struct log *log)
{
    return log->is_done;
}

/* ---- Waiting ----------------------------------------------------------------------------- */

size_t
log_sources(const struct log *log, struct os_source *ret_sources)
{
    intptr_t target = is_datagram(log) ? log->datagram.handle : log->writer.feed[1];
    size_t count = 0;

    if (may_read(log) && !(log->drain_ms >= 0 && log->is_read_out))
        ret_sources[count++] = (struct os_source){.handle = log->input};
    if (is_waiting(log) && target != OS_NONE)
        ret_sources[count++] = (struct os_source){.handle = target, .wants_write = true};
    return count;
}

static int64_t
earlier(int64_t a, int64_t b)
{
    if (a < 0 || b < 0)
        return a < 0 ? b : a;
    return a < b ? a : b;
}

int64_t
log_deadline(const struct log *log)
{
    int64_t deadline = log->is_done ? -1 : log->drain_ms;

    deadline = earlier(deadline, log->writer.retry_ms);
    if (is_waiting(log)) {
        deadline = earlier(deadline, log->datagram.retry_ms);
        if (!log->is_stuck)
            deadline = earlier(deadline, log->look_ms);
    }
    return deadline;
}

/* ---- What the server said ---------------------------------------------------------------- */

size_t
log_tail(const struct log *log, char *buf, size_t size)
{
    return log_lines_tail(&log->lines, buf, size);
}

void
log_tail_forget(struct log *log)
{
    log->lines.tail_length = 0;
}

int
log_watch_lines(struct log *log, bool watch)
{
    return log_lines_watch(&log->lines, watch);
}

bool
log_next_line(struct log *log, char *buf, size_t size)
{
    return log_lines_next(&log->lines, buf, size);
}
