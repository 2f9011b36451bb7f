/* SPDX-License-Identifier: Apache-2.0 */
/* The writer itself: a process which may stand still with its file system. */
#include <errno.h>
#include <string.h>

#include "host/log_parts.h"

#define IDLE_MS 3000 /* then it goes, and comes back with the next output: it costs memory */
#define LAST_MS 1000 /* how long it goes on trying once it was told to end */

struct helper {
    const struct log_settings *settings;
    intptr_t feed, control, input;
    struct log_file file;
    struct log_compression compression;
    char *buffer; /* LOG_CHUNK bytes; NULL while it is empty */
    size_t length;
    int64_t retry_ms; /* not before that; -1: at once */
    int64_t delay_ms;
    int64_t end_ms; /* it was told to end: then, written or not; -1 */
    int told;       /* the last error that the supervisor was told */
    bool is_alone;  /* the supervisor is dead */
    bool is_over;
};

static void
report(struct helper *helper, int error)
{
    if (error != helper->told && helper->control != OS_NONE)
        (void)os_datagram_send(helper->control, &error, sizeof(error));
    helper->told = error;
}

/* ---- Compression ------------------------------------------------------------------------- */

static void
compress_next(struct helper *helper)
{
    int error = log_compress_next(&helper->compression, helper->settings);

    if (error)
        report(helper, error);
}

static void
end_compression(struct helper *helper, bool kill_it)
{
    int error = log_compress_end(&helper->compression, helper->settings, kill_it);

    if (kill_it)
        return;
    if (error)
        report(helper, error);
    else
        compress_next(helper);
}

/* ---- Writing ----------------------------------------------------------------------------- */

static void
fail(struct helper *helper, int error, int64_t now_ms)
{
    report(helper, error);
    helper->delay_ms = log_delay(helper->delay_ms);
    helper->retry_ms = now_ms + helper->delay_ms;
    if (helper->end_ms >= 0 && now_ms >= helper->end_ms)
        helper->is_over = true;
    if (helper->is_alone) /* nobody else would keep the server from waiting for us */
        helper->length = 0;
}

/* false: it failed. */
static bool
write_once(struct helper *helper, bool flush, int64_t now_ms)
{
    size_t count;
    int error = log_file_put(&helper->file, helper->buffer, helper->length, flush, now_ms, &count);

    helper->length -= count;
    memmove(helper->buffer, helper->buffer + count, helper->length);
    if (helper->file.was_rotated)
        compress_next(helper);
    helper->file.was_rotated = false;
    if (error) {
        fail(helper, error, now_ms);
        return false;
    }
    helper->retry_ms = -1;
    helper->delay_ms = 0;
    report(helper, helper->file.trouble);
    return true;
}

static bool
write_out(struct helper *helper, bool flush, int64_t now_ms)
{
    if (!write_once(helper, flush, now_ms))
        return false;
    /* It may be full of one line. */
    return helper->length < LOG_CHUNK || write_once(helper, true, now_ms);
}

static void
obey(struct helper *helper)
{
    char order;
    int64_t n;

    while (helper->control != OS_NONE
           && (n = os_handle_read(helper->control, &order, 1)) != -EAGAIN) {
        if (n <= 0)
            helper->control = os_handle_close(helper->control);
        else if (order == LOG_ORDER_REOPEN)
            helper->file.reopen = true;
        else if (order == LOG_ORDER_END)
            helper->end_ms = os_monotonic_ms() + LAST_MS;
    }
}

/* Nobody feeds us any more. */
static void
end_feed(struct helper *helper)
{
    if (helper->end_ms >= 0 || helper->is_alone || helper->input == OS_NONE)
        helper->is_over = true;
    helper->is_alone = true;
    helper->feed = helper->input;
}

/* Once around: false, there is nothing more now. */
static bool
pump_once(struct helper *helper)
{
    int64_t now_ms = os_monotonic_ms(), n = -EAGAIN;
    bool ends = helper->end_ms >= 0;

    if (helper->length < LOG_CHUNK)
        n = os_handle_read(helper->feed, helper->buffer + helper->length,
                           LOG_CHUNK - helper->length);
    if (n > 0)
        helper->length += (size_t)n;
    obey(helper); /* between: what was said after an order to reopen is in the new file */
    if (!write_out(helper, n <= 0, now_ms))
        return false;
    if (n == 0)
        end_feed(helper);
    else if (n < 0 && ends)
        helper->is_over = true;
    return n > 0 || (!ends && helper->end_ms >= 0); /* once more: what was said before the end */
}

static void
pump(struct helper *helper)
{
    if (helper->retry_ms > os_monotonic_ms())
        return;
    if (!helper->buffer && !(helper->buffer = os_pages_new(LOG_CHUNK))) {
        fail(helper, -ENOMEM, os_monotonic_ms());
        return;
    }
    while (pump_once(helper))
        ;
    if (helper->length == 0)
        helper->buffer = os_pages_free(helper->buffer, LOG_CHUNK);
}

/* ---- Waiting ----------------------------------------------------------------------------- */

static int64_t
deadline(const struct helper *helper)
{
    if (helper->retry_ms >= 0)
        return helper->retry_ms;
    if (helper->settings->outlives || helper->is_alone || helper->compression.child.pid)
        return -1;
    return os_monotonic_ms() + IDLE_MS;
}

static void
wait_for_something(struct helper *helper)
{
    struct os_source sources[3];
    size_t count = 0, compression = 3;
    int ready;

    if (helper->control != OS_NONE)
        sources[count++] = (struct os_source){.handle = helper->control};
    if (helper->compression.child.pid) {
        compression = count;
        sources[count++] = (struct os_source){.handle = helper->compression.child.channel};
    }
    if (helper->retry_ms < 0)
        sources[count++] = (struct os_source){.handle = helper->feed};
    ready = os_wait(sources, count, deadline(helper));
    if (ready < 0 || (ready == 0 && helper->retry_ms < 0))
        helper->is_over = true;
    if (compression < count && sources[compression].ready)
        end_compression(helper, false);
}

int
log_helper_run(const struct log_settings *settings, const struct log_helper_handles *handles)
{
    struct helper helper = {
        .settings = settings,
        .feed = handles->feed,
        .control = handles->control,
        .input = handles->input,
        .compression = {.child = {0, OS_NONE}},
        .retry_ms = -1,
        .end_ms = -1,
    };

    log_file_init(&helper.file, settings);
    compress_next(&helper); /* what an earlier one left */
    while (!helper.is_over) {
        obey(&helper);
        pump(&helper);
        if (!helper.is_over)
            wait_for_something(&helper);
    }
    if (helper.compression.child.pid)
        end_compression(&helper, true);
    log_file_close(&helper.file);
    helper.buffer = os_pages_free(helper.buffer, LOG_CHUNK);
    return helper.length > 0;
}
