/* SPDX-License-Identifier: Apache-2.0 */
/* Probes that connect: tcp and unix hold where it is accepted, http where the answer is good. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/probing.h"

/*
 * How much more of a good answer is read, and how long: so that its sender sees an orderly end.
 * Long enough for a page; short enough that nobody waits for a stream that never ends.
 */
#define LINGER_BYTES ((size_t)64 << 10)
#define LINGER_MS    20

/* ---- Before ------------------------------------------------------------------------------ */

/* Host: without the port where that is the usual one. */
static int
make_request(struct probe *probe)
{
    static const char format[] = "GET %s HTTP/1.1\r\nHost: %s%s%s%s\r\nUser-Agent: vortex\r\n"
                                 "Accept: */*\r\nConnection: close\r\n\r\n";
    const struct condition *condition = probe->condition;
    bool is_ipv6 = strchr(condition->host, ':') != NULL;
    char port[16] = "";
    size_t size;

    if (condition->port != 80)
        snprintf(port, sizeof port, ":%d", condition->port);
    size = sizeof format + strlen(condition->path) + strlen(condition->host) + sizeof port;
    probe->request = malloc(size);
    if (!probe->request)
        return -ENOMEM;
    snprintf(probe->request, size, format, condition->path, is_ipv6 ? "[" : "", condition->host,
             is_ipv6 ? "]" : "", port);
    return 0;
}

int
connect_prepare(struct probe *probe)
{
    const struct condition *condition = probe->condition;
    int count;

    if (condition->kind == CONDITION_UNIX) {
        probe->address_count = 1;
        return os_address_unix(condition->path, &probe->addresses[0]);
    }
    count = os_address_resolve(condition->host, condition->port, probe->addresses, ADDRESSES_MAX);
    if (count < 0)
        return count;
    probe->address_count = (size_t)count;
    return condition->kind == CONDITION_HTTP ? make_request(probe) : 0;
}

/* ---- http -------------------------------------------------------------------------------- */

/* The status of "HTTP/1.1 200"; 0: it is none, as far as it came. */
static int
http_status(const struct probe *probe)
{
    const char *text = probe->answer;
    int status = 0;

    if (probe->received < STATUS_LENGTH || strncmp(text, "HTTP/1.", 7) != 0 || text[8] != ' ')
        return 0;
    for (size_t i = 9; i < STATUS_LENGTH; i++) {
        if (text[i] < '0' || text[i] > '9')
            return 0;
        status = status * 10 + (text[i] - '0');
    }
    return status;
}

static enum probe_answer
judge_answer(struct probe *probe)
{
    int status = http_status(probe);

    if (status >= 200 && status < 400)
        return probe_hold(probe);
    if (status > 0)
        return probe_fail(probe, "status %d", status);
    return probe->received == 0 ? probe_fail(probe, "closed without an answer")
                                : probe_fail(probe, "the answer is not HTTP");
}

static void
keep_received(struct probe *probe, const char *data, size_t length)
{
    for (size_t i = 0; i < length && probe->received + i < STATUS_LENGTH; i++)
        probe->answer[probe->received + i] = data[i];
    probe->received += length;
}

static enum probe_answer
receive(struct probe *probe, int64_t now_ms)
{
    for (;;) {
        char data[4096];
        int64_t n = os_handle_read(probe->handle, data, sizeof data);
        bool is_known = probe->received >= STATUS_LENGTH;

        if (n == -EAGAIN)
            return PROBE_PENDING;
        if (n < 0 && !is_known)
            return probe_fail(probe, "%s", strerror((int)-n));
        if (n <= 0)
            return judge_answer(probe);
        keep_received(probe, data, (size_t)n);
        if (probe->received >= STATUS_LENGTH && http_status(probe) == 0)
            return judge_answer(probe);
        if (probe->received > LINGER_BYTES)
            return judge_answer(probe);
        if (!is_known && probe->received >= STATUS_LENGTH
            && (probe->deadline_ms < 0 || probe->deadline_ms > now_ms + LINGER_MS))
            probe->deadline_ms = now_ms + LINGER_MS;
    }
}

static enum probe_answer
send_request(struct probe *probe, int64_t now_ms)
{
    size_t length = strlen(probe->request);

    probe->stage = STAGE_SENDING;
    while (probe->sent < length) {
        int64_t n =
            os_connection_write(probe->handle, probe->request + probe->sent, length - probe->sent);

        if (n == -EAGAIN)
            return PROBE_PENDING;
        if (n < 0)
            return probe_fail(probe, "%s", strerror((int)-n));
        probe->sent += (size_t)n;
    }
    probe->stage = STAGE_READING;
    return receive(probe, now_ms);
}

/* ---- Connecting -------------------------------------------------------------------------- */

static enum probe_answer
connected(struct probe *probe, int64_t now_ms)
{
    /* Where one address answered, the next asking begins with it. */
    probe->first = (probe->first + probe->tried - 1) % probe->address_count;
    probe->tried = 1;
    return probe->request ? send_request(probe, now_ms) : probe_hold(probe);
}

/* The first one says most: the others may be there by name only. */
static void
note_error(struct probe *probe, int error)
{
    if (probe->error == 0)
        probe->error = error;
}

/* Try the addresses that are left. */
static enum probe_answer
try_next(struct probe *probe, int64_t now_ms)
{
    while (probe->tried < probe->address_count) {
        size_t at = (probe->first + probe->tried) % probe->address_count;
        int error;

        probe->handle = os_handle_close(probe->handle);
        probe->tried++;
        error = os_connect(&probe->addresses[at], &probe->handle);
        if (error == 0)
            return connected(probe, now_ms);
        if (error == -EINPROGRESS)
            return PROBE_PENDING;
        note_error(probe, error);
    }
    return probe_fail(probe, "%s", strerror(-probe->error));
}

enum probe_answer
connect_begin(struct probe *probe, int64_t now_ms)
{
    probe->stage = STAGE_CONNECTING;
    probe->tried = 0;
    probe->error = 0;
    probe->sent = 0;
    probe->received = 0;
    return try_next(probe, now_ms);
}

enum probe_answer
connect_continue(struct probe *probe, int64_t now_ms)
{
    int error;

    switch (probe->stage) {
    case STAGE_SENDING:
        return send_request(probe, now_ms);
    case STAGE_READING:
        return receive(probe, now_ms);
    default:
        break;
    }
    error = os_connect_result(probe->handle);
    if (error == -EINPROGRESS)
        return PROBE_PENDING;
    if (error == 0)
        return connected(probe, now_ms);
    note_error(probe, error);
    return try_next(probe, now_ms);
}

enum probe_answer
connect_expire(struct probe *probe)
{
    /* An address that doesn't answer is not what the next asking begins with. */
    if (probe->stage == STAGE_CONNECTING)
        probe->first = (probe->first + probe->tried) % probe->address_count;
    return probe->received >= STATUS_LENGTH ? judge_answer(probe) : PROBE_PENDING;
}
