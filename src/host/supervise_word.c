/* SPDX-License-Identifier: Apache-2.0 */
/* The server's own word: sd_notify's messages, and a newline on a descriptor. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "host/message.h"
#include "host/supervisor.h"

#define MESSAGE_MAX 4096
#define TURN_MAX    512 /* messages of one turn: whoever floods us, others have theirs */

/* The server itself, or another one below us: the socket's name is no secret. */
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
    may = os_process_belongs(&hold, s->server, "") == 1 || os_is_descendant(&hold);
    os_process_release(&hold);
    return may;
}

/* From now on another process below us is the server. */
static void
take_main_pid(struct supervisor *s, int64_t pid)
{
    struct os_identity identity;
    struct os_hold hold;

    if (pid < 2 || pid == s->server || (s->log != NULL && pid == log_child(s->log))
        || os_process_hold(pid, &hold) < 0)
        return;
    if (!os_is_descendant(&hold) || os_process_identify(&hold, &identity) < 0) {
        os_process_release(&hold);
        return;
    }
    os_process_release(&s->main);
    s->main = hold;
    s->server = hold.pid;
    s->identity = identity;
    supervisor_tell_state(s);
}

/* STOPPING=1: it ends by its own will, in its own time, which is no longer than that of a stop. */
static void
take_leave(struct supervisor *s)
{
    int timeout_ms = s->instance->config.stop_timeout_ms;

    if (s->is_leaving || (s->phase != PHASE_READY && s->phase != PHASE_RELOADING))
        return;
    s->is_leaving = true;
    reload_give_up(s, "the server is stopping");
    job_break_off(s);
    gate_stop(s->health);
    supervisor_set_phase(s, PHASE_READY);
    s->deadline = timeout_ms < 0 ? NEVER : os_monotonic_ms() + timeout_ms;
}

static void
extend_timeout(struct supervisor *s, int64_t ms)
{
    int64_t until = os_monotonic_ms() + ms;

    if (s->phase == PHASE_STARTING)
        gate_extend(s->ready, until);
    else if ((s->phase == PHASE_STOPPING || s->phase == PHASE_RELOADING || s->is_leaving)
             && s->deadline != NEVER && until > s->deadline)
        s->deadline = until;
}

static void
take_word(struct supervisor *s, const struct message_word *word)
{

    switch (word->kind) {
    case MESSAGE_READY:
        gate_notified(s->ready);
        reload_said_ready(s);
        break;
    case MESSAGE_RELOADING:
        reload_said_reloading(s);
        break;
    case MESSAGE_STOPPING:
        take_leave(s);
        break;
    case MESSAGE_STATUS:
        snprintf(s->status_text, sizeof(s->status_text), "%s", word->text);
        supervisor_tell_state(s);
        break;
    case MESSAGE_EXTEND_TIMEOUT:
        extend_timeout(s, word->number);
        break;
    case MESSAGE_MAIN_PID:
        take_main_pid(s, word->number);
        break;
    case MESSAGE_ERRNO:
        s->said_errno = (int)word->number;
        manager_pass_on(s, word->text, OS_NONE);
        break;
    case MESSAGE_MANAGERS:
        manager_pass_on(s, word->text, OS_NONE);
        break;
    default:
        break;
    }
}

/* These speak of what came with the message, in whatever order. */
static void
take_store_word(struct stored_word *stored, const struct message_word *word)
{
    switch (word->kind) {
    case MESSAGE_FD_STORE:
        stored->stores = true;
        break;
    case MESSAGE_FD_REMOVE:
        stored->removes = true;
        break;
    case MESSAGE_FD_NO_POLL:
        stored->is_unwatched = true;
        break;
    case MESSAGE_FD_NAME:
        store_name(stored, word->text);
        break;
    default:
        break;
    }
}

/* false: there is none. */
static bool
take_message(struct supervisor *s)
{
    char buf[MESSAGE_MAX];
    struct os_handles handles;
    struct stored_word stored = {.stores = false};
    struct message message;
    struct message_word word;
    bool may;
    int64_t pid, length = os_notify_read(s->notify, buf, sizeof(buf), &pid, &handles);

    if (length < 0)
        return false;
    message = message_open(buf, (size_t)length);
    may = may_speak(s, pid);
    while (may && message_next(&message, &word)) {
        take_store_word(&stored, &word);
        take_word(s, &word);
    }
    store_take(s, &stored, &handles);
    return true;
}

/* false: there is nothing more. */
static bool
take_newline(struct supervisor *s)
{
    char buf[256];
    int64_t n = os_handle_read(s->word_pipe, buf, sizeof(buf));

    if (n > 0 && memchr(buf, '\n', (size_t)n) != NULL)
        gate_newline(s->ready, s->word_fd);
    if (n == 0) /* closed: nothing more will come */
        s->word_pipe = os_handle_close(s->word_pipe);
    return n > 0;
}

static void
take_turn(struct supervisor *s, bool (*take)(struct supervisor *))
{
    for (int i = 0; i < TURN_MAX && take(s); i++)
        ;
}

/* The server that was named by MAINPID= is dead; where it was no child of ours nobody says how. */
static void
take_death(struct supervisor *s)
{
    const struct os_death unknown = {.pid = s->main.pid, .code = -1};

    supervisor_reap(s);
    if (s->server != 0 && s->main.pid == s->server && os_process_wait(&s->main, 0) == 0)
        life_server_died(s, &unknown);
}

int
word_open(struct supervisor *s)
{
    const struct config *config = &s->instance->config;
    const struct conditions *ready = &config->ready;
    int r;

    for (size_t i = 0; i < ready->count; i++)
        if (ready->list[i].kind == CONDITION_FD)
            s->word_fd = ready->list[i].fd;
    if (!conditions_have(ready, CONDITION_NOTIFY) && config->store_max == 0)
        return 0;
    r = store_open(s);
    return r < 0 ? r : os_notify_open(s->manager.to.watchdog_ms, config->store_max, &s->notify);
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
    if (s->store.watch != OS_NONE)
        out[count++] = (struct os_source){.handle = s->store.watch};
    if (s->main.pid != 0 && s->main.handle != OS_NONE)
        out[count++] = (struct os_source){.handle = s->main.handle};
    return count;
}

void
word_take(struct supervisor *s, const struct os_source *sources, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!sources[i].ready)
            continue;
        if (sources[i].handle == s->notify)
            take_turn(s, take_message);
        else if (sources[i].handle == s->word_pipe)
            take_turn(s, take_newline);
        else if (sources[i].handle == s->store.watch)
            store_drop_dead(s);
        else
            take_death(s);
    }
}

void
word_close(struct supervisor *s)
{
    store_close(s);
    s->notify = os_handle_close(s->notify);
    s->word_pipe = os_handle_close(s->word_pipe);
}
