/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor's side of the writer. A write to a file system that stands still blocks in the
 * kernel, whoever does it: so a helper process does it, and the supervisor fills a pipe.
 */
#include <string.h>

#include "host/log_parts.h"

int64_t
log_delay(int64_t delay_ms)
{
    if (delay_ms == 0)
        return 50;
    return delay_ms >= 1000 ? 2000 : 2 * delay_ms;
}

void
log_writer_init(struct log_writer *writer)
{
    *writer = (struct log_writer){
        .feed = {OS_NONE, OS_NONE},
        .control = OS_NONE,
        .retry_ms = -1,
    };
}

int
log_writer_open(struct log_writer *writer)
{
    return os_feed(writer->feed);
}

void
log_writer_close(struct log_writer *writer)
{
    writer->feed[1] = os_handle_close(writer->feed[1]);
    writer->feed[0] = os_handle_close(writer->feed[0]);
    writer->control = os_handle_close(writer->control);
}

static void
tell(const struct log_writer *writer, enum log_order order)
{
    char word = (char)order;

    if (writer->control != OS_NONE)
        (void)os_datagram_send(writer->control, &word, 1);
}

/* ---- Its life ---------------------------------------------------------------------------- */

static int
be_helper(const void *what, const intptr_t *handles)
{
    const struct log_helper_handles named = {handles[0], handles[1], handles[2]};

    return log_helper_run(what, &named);
}

static int
start_helper(struct log_writer *writer, const struct log_settings *settings, intptr_t input)
{
    intptr_t ends[2];
    int r = os_pair(ends);

    if (r == 0) {
        intptr_t handles[] = {writer->feed[0], ends[1], input};

        r = os_helper_start(be_helper, settings, handles, sizeof(handles) / sizeof(handles[0]),
                            &writer->pid);
        (void)os_handle_close(ends[1]);
        if (r == 0)
            writer->control = ends[0];
        else
            (void)os_handle_close(ends[0]);
    }
    return r;
}

void
log_writer_start(struct log_writer *writer, const struct log_settings *settings, intptr_t input,
                 int64_t now_ms)
{
    int r;

    if (writer->pid != 0 || now_ms < writer->retry_ms)
        return;
    r = start_helper(writer, settings, input);
    if (r < 0) {
        writer->error = r;
        writer->delay_ms = log_delay(writer->delay_ms);
        writer->retry_ms = now_ms + writer->delay_ms;
        return;
    }
    writer->retry_ms = -1;
    if (writer->is_ending)
        tell(writer, LOG_ORDER_END);
}

static bool
has_feed(const struct log_writer *writer)
{
    struct os_source source = {.handle = writer->feed[0]};

    return os_wait(&source, 1, 0) > 0;
}

void
log_writer_ended(struct log_writer *writer, int64_t now_ms)
{
    (void)log_writer_error(writer);
    writer->control = os_handle_close(writer->control);
    writer->pid = 0;
    writer->retry_ms = -1;
    if (!has_feed(writer)) {
        writer->delay_ms = 0;
        return;
    }
    /* It was idle and went just when something came, or it was killed. */
    writer->delay_ms = log_delay(writer->delay_ms);
    writer->retry_ms = now_ms + writer->delay_ms;
}

void
log_writer_end(struct log_writer *writer)
{
    writer->is_ending = true;
    if (writer->pid != 0)
        tell(writer, LOG_ORDER_END);
    else if (has_feed(writer))
        writer->retry_ms = 0;
}

bool
log_writer_is_idle(const struct log_writer *writer)
{
    return writer->pid == 0 && writer->retry_ms < 0;
}

void
log_writer_reopen(const struct log_writer *writer)
{
    tell(writer, LOG_ORDER_REOPEN);
}

int
log_writer_error(struct log_writer *writer)
{
    int error;

    while (writer->control != OS_NONE
           && os_handle_read(writer->control, &error, sizeof(error)) == (int64_t)sizeof(error))
        writer->error = error;
    return writer->error;
}
