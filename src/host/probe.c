/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/probing.h"

#define TAKEN_CONNECT_MS 200
#define TAKEN_ANSWER_MS  2000

/* ---- A life ------------------------------------------------------------------------------ */

static bool
is_connection(const struct probe *probe)
{
    enum condition_kind kind = probe->condition->kind;

    return kind == CONDITION_TCP || kind == CONDITION_UNIX || kind == CONDITION_HTTP;
}

int
probe_new(const struct condition *condition, const struct os_launch *as, int timeout_ms,
          struct probe **ret_probe)
{
    struct probe *probe = malloc(sizeof *probe);
    int error;

    assert(condition_is_asked(condition));
    if (!probe)
        return -ENOMEM;
    *probe = (struct probe){
        .condition = condition,
        .as = as,
        .timeout_ms = timeout_ms,
        .deadline_ms = -1,
        .handle = OS_NONE,
        .output = OS_NONE,
    };
    snprintf(probe->why, sizeof probe->why, "%s: not asked yet", condition->name);
    error = is_connection(probe) ? connect_prepare(probe) : 0;
    if (error)
        probe_free(probe);
    else
        *ret_probe = probe;
    return error;
}

void
probe_set_output(struct probe *probe, intptr_t output)
{
    probe->output = output;
}

void
probe_free(struct probe *probe)
{
    if (!probe)
        return;
    probe_break_off(probe);
    free(probe->request);
    free(probe);
}

void
probe_break_off(struct probe *probe)
{
    if (probe->stage == STAGE_RUNNING)
        os_command_kill(probe->child);
    probe->handle = os_handle_close(probe->handle);
    probe->stage = STAGE_IDLE;
    probe->deadline_ms = -1;
}

/* ---- Answers ----------------------------------------------------------------------------- */

enum probe_answer
probe_fail(struct probe *probe, const char *format, ...)
{
    int length =
        snprintf(probe->why, sizeof probe->why, "%.*s: ", WHY_MAX / 2, probe->condition->name);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(probe->why + length, sizeof probe->why - (size_t)length, format, arguments);
    va_end(arguments);
    probe_break_off(probe);
    probe->has_failed = true;
    return PROBE_FAILS;
}

enum probe_answer
probe_hold(struct probe *probe)
{
    probe_break_off(probe);
    return PROBE_HOLDS;
}

static enum probe_answer
expire(struct probe *probe)
{
    enum probe_answer answer = is_connection(probe) ? connect_expire(probe) : PROBE_PENDING;

    if (answer != PROBE_PENDING)
        return answer;
    return probe->timeout_ms % 1000 == 0
               ? probe_fail(probe, "no answer within %d s", probe->timeout_ms / 1000)
               : probe_fail(probe, "no answer within %d ms", probe->timeout_ms);
}

/* ---- file and exec ----------------------------------------------------------------------- */

static enum probe_answer
ask_file(struct probe *probe)
{
    int error = os_path_check(probe->condition->path);

    return error ? probe_fail(probe, "%s", strerror(-error)) : probe_hold(probe);
}

static enum probe_answer
ask_command(struct probe *probe)
{
    struct os_launch launch = {
        .umask = -1,
        .nice = OS_NICE_KEEP,
        .oom_score_adjust = OS_OOM_KEEP,
    };
    int error;

    /* It hangs in the kernel: one is enough. */
    if (probe->child > 0)
        return probe_fail(probe, "killed, but not dead yet");
    if (probe->as)
        launch = *probe->as;
    launch.argv = (const char *const *)probe->condition->command;
    if (probe->output != OS_OURS)
        launch.output = NULL;
    error = os_command_start(&launch, probe->output, &probe->child);
    if (error)
        return probe_fail(probe, "%s", strerror(-error));
    probe->stage = STAGE_RUNNING;
    return PROBE_PENDING;
}

int64_t
probe_child(const struct probe *probe)
{
    return probe->child;
}

enum probe_answer
probe_child_ended(struct probe *probe, int status)
{
    bool was_asked = probe->stage == STAGE_RUNNING;
    const char *name = status < 0 ? os_signal_name(-status) : NULL;

    probe->child = 0;
    if (!was_asked)
        return PROBE_PENDING;
    probe->stage = STAGE_IDLE;
    if (status == 0)
        return probe_hold(probe);
    if (name)
        return probe_fail(probe, "killed by %s", name);
    if (status < 0)
        return probe_fail(probe, "killed by signal %d", -status);
    if (status == 127)
        return probe_fail(probe, "exit status 127: is there such a program?");
    return probe_fail(probe, "exit status %d", status);
}

/* ---- Asking ------------------------------------------------------------------------------ */

enum probe_answer
probe_begin(struct probe *probe, int64_t now_ms)
{
    probe_break_off(probe);
    if (!probe->has_failed) /* else the last answer says more */
        snprintf(probe->why, sizeof probe->why, "%.*s: no answer yet", WHY_MAX / 2,
                 probe->condition->name);
    probe->deadline_ms = probe->timeout_ms < 0 ? -1 : now_ms + probe->timeout_ms;
    if (is_connection(probe))
        return connect_begin(probe, now_ms);
    return probe->condition->kind == CONDITION_FILE ? ask_file(probe) : ask_command(probe);
}

enum probe_answer
probe_continue(struct probe *probe, bool ready, int64_t now_ms)
{
    assert(probe->stage != STAGE_IDLE);
    if (ready && is_connection(probe)) {
        enum probe_answer answer = connect_continue(probe, now_ms);

        if (answer != PROBE_PENDING)
            return answer;
    }
    if (probe->deadline_ms >= 0 && now_ms >= probe->deadline_ms)
        return expire(probe);
    return PROBE_PENDING;
}

int64_t
probe_earlier(int64_t a_ms, int64_t b_ms)
{
    return a_ms < 0 || (b_ms >= 0 && b_ms < a_ms) ? b_ms : a_ms;
}

bool
probe_is_taken(struct probe *probe)
{
    int64_t begun_ms = os_monotonic_ms(), now_ms = begun_ms;
    enum probe_answer answer;

    if (!is_connection(probe))
        return false;
    answer = probe_begin(probe, now_ms);
    while (answer == PROBE_PENDING) {
        bool connecting = probe->stage == STAGE_CONNECTING;
        int64_t end_ms = begun_ms + (connecting ? TAKEN_CONNECT_MS : TAKEN_ANSWER_MS);
        struct os_source source;

        if (now_ms >= end_ms || !probe_source(probe, &source))
            break;
        if (os_wait(&source, 1, probe_earlier(end_ms, probe->deadline_ms)) < 0)
            break;
        now_ms = os_monotonic_ms();
        answer = probe_continue(probe, source.ready, now_ms);
    }
    probe_break_off(probe);
    probe->has_failed = false; /* that was no answer of the server's */
    return answer == PROBE_HOLDS;
}

bool
probe_source(const struct probe *probe, struct os_source *ret_source)
{
    if (probe->handle == OS_NONE)
        return false;
    *ret_source = (struct os_source){
        .handle = probe->handle,
        .wants_write = probe->stage == STAGE_CONNECTING || probe->stage == STAGE_SENDING,
    };
    return true;
}

int64_t
probe_deadline(const struct probe *probe)
{
    return probe->deadline_ms;
}

const char *
probe_why(const struct probe *probe)
{
    return probe->why;
}
