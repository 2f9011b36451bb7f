/* SPDX-License-Identifier: Apache-2.0 */
/* A log's life, and what it waits for; what it does then is in log_step.c. */
#include "host/log.h"

#include <errno.h>
#include <stdlib.h>

#include "host/log_parts.h"

bool
log_is_datagram(const struct log *log)
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
    return log_is_datagram(log) ? log->datagram.error : log_writer_error(&log->writer);
}

/* ---- Waiting ----------------------------------------------------------------------------- */

size_t
log_sources(const struct log *log, struct os_source *ret_sources)
{
    intptr_t target = log_is_datagram(log) ? log->datagram.handle : log->writer.feed[1];
    size_t count = 0;

    if (log_may_read(log) && !(log->drain_ms >= 0 && log->is_read_out))
        ret_sources[count++] = (struct os_source){.handle = log->input};
    if (log_is_waiting(log) && target != OS_NONE)
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
    if (log_is_waiting(log)) {
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
