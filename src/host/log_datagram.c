/* SPDX-License-Identifier: Apache-2.0 */
/* One datagram a line, to syslog (RFC 3164) or to the journal (its native protocol). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/log_parts.h"

#define LINE_MAX_BYTES 16384 /* a longer line becomes several */
#define HEADER_MAX     1024

#define PRIORITY_INFO      6
#define SYSLOG_DAEMON_INFO (3 * 8 + PRIORITY_INFO)

void
log_datagram_init(struct log_datagram *datagram, enum log_target target)
{
    *datagram = (struct log_datagram){
        .handle = OS_NONE,
        .path = target == LOG_JOURNAL ? "/run/systemd/journal/socket" : "/dev/log",
        .retry_ms = -1,
    };
}

void
log_datagram_close(struct log_datagram *datagram)
{
    datagram->handle = os_handle_close(datagram->handle);
}

/* ---- What is said ------------------------------------------------------------------------ */

static int
make_syslog(char *buf, size_t size, const char *name, const char *line, size_t length)
{
    char stamp[32];

    os_time_format_local(os_wall_seconds(), stamp, sizeof(stamp));
    return snprintf(buf, size, "<%d>%s %s: %.*s", SYSLOG_DAEMON_INFO, stamp, name, (int)length,
                    line);
}

static int
make_journal(char *buf, size_t size, const char *name, const char *line, size_t length)
{
    int header = snprintf(
        buf, size, "PRIORITY=%d\nSYSLOG_IDENTIFIER=%s\nVORTEX_INSTANCE=%s\nMESSAGE=", PRIORITY_INFO,
        name, name);

    /* Bytes as they are: a NUL does not end it. */
    memcpy(buf + header, line, length);
    buf[header + (int)length] = '\n';
    return header + (int)length + 1;
}

/* ---- Sending ----------------------------------------------------------------------------- */

static int
fail(struct log_datagram *datagram, int error, int64_t now_ms)
{
    log_datagram_close(datagram);
    datagram->error = error;
    datagram->delay_ms = log_delay(datagram->delay_ms);
    datagram->retry_ms = now_ms + datagram->delay_ms;
    return -EAGAIN;
}

static int
send_line(struct log_datagram *datagram, const char *message, size_t length, int64_t now_ms)
{
    int error;

    if (datagram->handle == OS_NONE && now_ms < datagram->retry_ms)
        return -EAGAIN;
    error = datagram->handle == OS_NONE ? os_datagram_open(datagram->path, &datagram->handle) : 0;
    if (!error)
        error = os_datagram_send(datagram->handle, message, length);
    if (error == -EAGAIN || error == -EMSGSIZE)
        return error;
    if (error)
        return fail(datagram, error, now_ms);
    datagram->error = 0;
    datagram->delay_ms = 0;
    datagram->retry_ms = -1;
    return 0;
}

int64_t
log_datagram_send(struct log_datagram *datagram, const struct log_settings *settings,
                  const char *data, size_t length, int64_t now_ms)
{
    char message[HEADER_MAX + LINE_MAX_BYTES + 1];
    const char *end = memchr(data, '\n', length < LINE_MAX_BYTES ? length : LINE_MAX_BYTES);
    size_t line = end ? (size_t)(end - data) : LINE_MAX_BYTES;
    int made, error;

    if (!end && length < LINE_MAX_BYTES)
        return -EAGAIN;
    made = settings->target == LOG_JOURNAL
               ? make_journal(message, sizeof(message), settings->name, data, line)
               : make_syslog(message, sizeof(message), settings->name, data, line);
    error = send_line(datagram, message, (size_t)made, now_ms);
    /* Too long for this system: nothing would change with time. */
    return error == -EAGAIN ? error : (int64_t)line + (end != NULL);
}
