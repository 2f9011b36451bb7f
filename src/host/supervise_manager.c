/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a service manager hears of a supervisor: what differs from what it heard last. So each event
 * changes the supervisor's state, and here alone it is put into sd_notify(3)'s words.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/supervisor.h"

#define MARGIN_MS 5000 /* beyond a deadline of ours, for what has to be done then */

/* That is being put together. */
struct telling {
    char text[1024];
};

static bool
listens(const struct manager *m)
{
    return m->to.address[0] != '\0';
}

/* One more line of a message. */
static void
add_line(struct telling *message, const char *line)
{
    size_t length = strlen(message->text);

    snprintf(message->text + length, sizeof(message->text) - length, "%s%s", length > 0 ? "\n" : "",
             line);
}

static void
add_number(struct telling *message, const char *key, int64_t number)
{
    char line[64];

    snprintf(line, sizeof(line), "%s=%" PRId64, key, number);
    add_line(message, line);
}

/* ---- What is so -------------------------------------------------------------------------- */

static void
describe(const struct supervisor *s, char *buf, size_t size)
{
    bool waits = s->phase == PHASE_WAITING; /* of the state it is the start that is waited for */
    const char *phase = waits ? "restarting" : supervisor_phase_name(s->phase);
    const char *said = s->status_text;

    snprintf(buf, size, "STATUS=%s%s%s", phase, said[0] != '\0' ? ": " : "", said);
    for (char *p = buf; *p != '\0'; p++) /* a line of its own would be another assignment */
        if (*p == '\n')
            *p = ' ';
}

/* Until when the manager is to be patient, or NEVER. */
static int64_t
patience(const struct supervisor *s)
{
    int64_t until = s->deadline;

    if (s->phase == PHASE_READY || s->phase == PHASE_WAITING || s->phase == PHASE_ENDED)
        return NEVER;
    if (s->phase == PHASE_STARTING)
        until = gate_until(s->ready);
    else if (until == NEVER) /* a hook's time */
        until = job_deadline(s);
    return until == NEVER ? NEVER : until + MARGIN_MS;
}

static bool
is_stopping(const struct supervisor *s)
{
    return s->phase == PHASE_ENDED || (s->phase >= PHASE_PRE_STOP && s->after <= AFTER_FAIL);
}

/* ---- What is told ------------------------------------------------------------------------ */

static void
tell_progress(struct supervisor *s, struct telling *message)
{
    struct manager *m = &s->manager;

    if (s->phase == PHASE_READY && !(m->is_ready && !m->is_reloading)) {
        m->is_ready = true;
        m->is_reloading = false;
        add_line(message, "READY=1");
    } else if (s->phase == PHASE_RELOADING && m->is_ready && !m->is_reloading) {
        m->is_reloading = true;
        add_line(message, "RELOADING=1");
        add_number(message, "MONOTONIC_USEC", os_monotonic_us());
    } else if (is_stopping(s) && !m->is_stopping) {
        m->is_stopping = true;
        add_line(message, "STOPPING=1");
    }
}

/* A service of Windows shows that it goes on, as long as its start or its stop is waited for. */
static bool
is_awaited(const struct manager *m)
{
    return listens(m) && m->to.pulse_ms > 0 && (!m->is_ready || m->is_stopping);
}

static void
tell_patience(struct supervisor *s, int64_t now_ms, struct telling *message)
{
    struct manager *m = &s->manager;
    int64_t until = patience(s);
    bool beats = is_awaited(m) && now_ms >= m->pulse_ms;

    if (until == m->until_ms && !beats)
        return;
    m->until_ms = until;
    m->pulse_ms = now_ms + m->to.pulse_ms;
    if (beats && until < m->pulse_ms + m->to.pulse_ms) /* by then it hears of us again */
        until = m->pulse_ms + m->to.pulse_ms;
    if (until > now_ms)
        add_number(message, "EXTEND_TIMEOUT_USEC", (until - now_ms) * 1000);
}

static void
tell_status(struct supervisor *s, struct telling *message)
{
    struct manager *m = &s->manager;
    char text[sizeof(m->text)];

    describe(s, text, sizeof(text));
    if (strcmp(text, m->text) == 0)
        return;
    memcpy(m->text, text, sizeof(text));
    add_line(message, text);
}

/* Fed while all is well, as far as is known; a server that feeds it itself is alone in charge. */
static void
feed(struct supervisor *s, int64_t now_ms, struct telling *message)
{
    struct manager *m = &s->manager;

    if (m->feed_ms == NEVER || now_ms < m->feed_ms)
        return;
    m->feed_ms = now_ms + m->to.watchdog_ms / 2;
    if (!(s->phase == PHASE_READY && (s->unhealthy || m->is_fed)))
        add_line(message, "WATCHDOG=1");
}

void
manager_open(struct supervisor *s)
{
    struct manager *m = &s->manager;

    os_manager_take(&m->to);
    m->until_ms = NEVER;
    m->feed_ms = listens(m) && m->to.watchdog_ms > 0 ? 0 : NEVER;
}

void
manager_tell(struct supervisor *s, int64_t now_ms)
{
    struct manager *m = &s->manager;
    struct telling message;

    if (s->phase == PHASE_READY && m->to.newline != OS_NONE) {
        (void)os_notify_newline(m->to.newline);
        m->to.newline = OS_NONE;
    }
    if (!listens(m))
        return;
    message.text[0] = '\0';
    tell_progress(s, &message);
    tell_patience(s, now_ms, &message);
    tell_status(s, &message);
    feed(s, now_ms, &message);
    if (message.text[0] != '\0')
        (void)os_notify_send(m->to.address, message.text, OS_NONE, 0);
}

void
manager_pass_on(struct supervisor *s, const char *assignment, intptr_t passed)
{
    if (!listens(&s->manager))
        return;
    if (strcmp(assignment, "WATCHDOG=1") == 0)
        s->manager.is_fed = true;
    (void)os_notify_send(s->manager.to.address, assignment, passed, 0);
}

int64_t
manager_deadline(const struct supervisor *s)
{
    const struct manager *m = &s->manager;

    if (!is_awaited(m) || (m->feed_ms != NEVER && m->feed_ms < m->pulse_ms))
        return m->feed_ms;
    return m->pulse_ms;
}

void
manager_close(struct supervisor *s)
{
    manager_tell(s, os_monotonic_ms());
    s->manager.to.newline = os_handle_close(s->manager.to.newline);
}
