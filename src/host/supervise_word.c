/* SPDX-License-Identifier: Apache-2.0 */
/* The server's own word: sd_notify's messages, and a newline on a descriptor. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/message.h"
#include "host/supervisor.h"

#define MESSAGE_MAX 4096

/* The server itself, or one of its session: the socket's name is no secret. */
static bool
may_speak(const struct supervisor *s, int64_t pid)
{
    struct os_hold hold;
    bool may;

    if (pid == 0 || s->server == 0)
        return false;
    if (pid == s->server)
        return true;
    if (os_process_hold(pid, &hold) < 0)
        return false;
    may = os_process_belongs(&hold, s->server, "") == 1;
    os_process_release(&hold);
    return may;
}

static void
take_word(struct supervisor *s, const struct message_word *word)
{
    int64_t until;

    switch (word->kind) {
    case MESSAGE_READY:
        gate_notified(s->ready);
        break;
    case MESSAGE_MANAGERS:
        manager_pass_on(s, word->text);
        break;
    case MESSAGE_STATUS:
        snprintf(s->status_text, sizeof(s->status_text), "%s", word->text);
        supervisor_tell_state(s);
        break;
    case MESSAGE_EXTEND_TIMEOUT:
        until = os_monotonic_ms() + word->ms;
        if (s->phase == PHASE_STARTING)
            gate_extend(s->ready, until);
        else if (s->phase == PHASE_STOPPING && s->deadline != NEVER && until > s->deadline)
            s->deadline = until;
        break;
    case MESSAGE_OTHER:
        break;
    }
}

static void
take_messages(struct supervisor *s)
{
    char buf[MESSAGE_MAX];
    int64_t length, pid;

    while ((length = os_notify_read(s->notify, buf, sizeof(buf), &pid)) >= 0) {
        struct message message = message_open(buf, (size_t)length);
        struct message_word word;

        if (!may_speak(s, pid))
            continue;
        while (message_next(&message, &word))
            take_word(s, &word);
    }
}

static void
take_newline(struct supervisor *s)
{
    char buf[256];
    int64_t n;

    while ((n = os_handle_read(s->word_pipe, buf, sizeof(buf))) > 0)
        if (memchr(buf, '\n', (size_t)n) != NULL)
            gate_newline(s->ready, s->word_fd);
    if (n == 0) /* closed: nothing more will come */
        s->word_pipe = os_handle_close(s->word_pipe);
}

int
word_open(struct supervisor *s)
{
    const struct conditions *ready = &s->request->instance->config.ready;

    for (size_t i = 0; i < ready->count; i++)
        if (ready->list[i].kind == CONDITION_FD)
            s->word_fd = ready->list[i].fd;
    return conditions_have(ready, CONDITION_NOTIFY)
               ? os_notify_open(s->manager.to.watchdog_ms, &s->notify)
               : 0;
}

int
word_prepare(struct supervisor *s, struct os_launch *launch, intptr_t *ret_end)
{
    intptr_t ends[2];
    int r;

    *ret_end = OS_NONE;
    if (s->word_fd == 0)
        return 0;
    s->word_pipe = os_handle_close(s->word_pipe);
    r = os_pipe(ends);
    if (r < 0)
        return r;
    s->word_pipe = ends[0];
    *ret_end = launch->passed = ends[1];
    launch->passed_as = s->word_fd;
    return 0;
}

size_t
word_sources(const struct supervisor *s, struct os_source *out)
{
    size_t count = 0;

    if (s->notify != OS_NONE)
        out[count++] = (struct os_source){.handle = s->notify};
    if (s->word_pipe != OS_NONE)
        out[count++] = (struct os_source){.handle = s->word_pipe};
    return count;
}

void
word_take(struct supervisor *s, const struct os_source *sources, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!sources[i].ready)
            continue;
        if (sources[i].handle == s->notify)
            take_messages(s);
        else
            take_newline(s);
    }
}

void
word_close(struct supervisor *s)
{
    s->notify = os_handle_close(s->notify);
    s->word_pipe = os_handle_close(s->word_pipe);
}
