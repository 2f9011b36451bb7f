/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a server: pre-start, started, ready, post-start; then its end, whatever led to it:
 * pre-stop, the stop's sequence, post-stop; and what comes after that.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/supervisor.h"

#define REST_AFTER_MS 500

/* ---- Hooks ------------------------------------------------------------------------------- */

/* In a phase of its own, which the state tells where there is a hook to wait for. */
static enum probe_answer
run_hook(struct supervisor *s, enum phase phase, enum job_kind kind)
{
    enum probe_answer answer;

    s->phase = phase;
    s->deadline = NEVER;
    answer = job_begin(s, kind);
    if (answer == PROBE_PENDING)
        supervisor_tell_state(s);
    return answer;
}

/* ---- The end of a server ----------------------------------------------------------------- */

static void
wait_for_restart(struct supervisor *s, int64_t until_ms)
{
    if (s->after == AFTER_POLICY && s->said_errno == 0) /* else it says why */
        s->status_text[0] = '\0';
    s->restart = until_ms;
    if (until_ms > os_monotonic_ms())
        supervisor_set_phase(s, PHASE_WAITING);
    else /* nobody can see it wait; the start tells the state */
        s->phase = PHASE_WAITING;
    s->deadline = until_ms;
}

static void
plan_restart(struct supervisor *s, bool failed, int code)
{
    int64_t now = os_monotonic_ms();
    int delay_ms = 0;

    server_end_descendants(s); /* a worker that lives on would keep the port */
    switch (policy_ended(&s->policy, failed, code, s->up_ms, now, &delay_ms)) {
    case POLICY_END:
        supervisor_end(s, failed);
        return;
    case POLICY_GIVE_UP:
        snprintf(s->status_text, sizeof(s->status_text), "gave up: too many restarts");
        supervisor_end(s, true);
        return;
    case POLICY_RESTART:
        break;
    }
    wait_for_restart(s, now + delay_ms);
}

/* Whatever the policy says of a server that ends by itself: this one was ended to be restarted. */
static void
restart_anyway(struct supervisor *s)
{
    if (s->policy.settings.policy != RESTART_NO) {
        plan_restart(s, true, -1);
        return;
    }
    server_end_descendants(s);
    wait_for_restart(s, os_monotonic_ms() + s->policy.settings.delay_min_ms);
}

static void
go_on_after_end(struct supervisor *s)
{
    switch (s->after) {
    case AFTER_END:
        /* It was asked to; a container's status is its server's own. */
        s->exit_status = os_self() == 1 ? s->exit_status : 0;
        supervisor_end(s, false);
        break;
    case AFTER_FAIL:
        s->exit_status = s->exit_status != 0 ? s->exit_status : 1;
        supervisor_end(s, true);
        break;
    case AFTER_RESTART:
        s->exit_status = s->exit_status != 0 ? s->exit_status : 1;
        plan_restart(s, true, -1);
        break;
    case AFTER_RESTART_ANYWAY:
        restart_anyway(s);
        break;
    case AFTER_POLICY:
        if (s->ended_badly && s->said_errno != 0)
            supervisor_say(s, "the server failed", strerror(s->said_errno));
        plan_restart(s, s->ended_badly, s->ended_code);
        break;
    }
}

static void
post_stop_done(struct supervisor *s, enum probe_answer answer)
{
    if (answer == PROBE_PENDING)
        return;
    if (answer == PROBE_FAILS && s->status_text[0] == '\0')
        supervisor_say(s, "hook failed", s->job.why);
    go_on_after_end(s);
}

/* It is dead, or never was. What it left dies before the hook: a worker would keep the port. */
static void
server_gone(struct supervisor *s)
{
    server_end_descendants(s);
    post_stop_done(s, run_hook(s, PHASE_POST_STOP, JOB_POST_STOP));
}

static void
pre_stop_done(struct supervisor *s, enum probe_answer answer)
{
    if (answer == PROBE_PENDING)
        return;
    if (answer == PROBE_FAILS && s->status_text[0] == '\0')
        supervisor_say(s, "hook failed", s->job.why);
    if (s->server == 0)
        server_gone(s);
    else
        server_stop(s);
}

/* Stop it, whatever it does now; then comes what s->after says. */
static void
begin_end(struct supervisor *s)
{
    bool was_ready = (s->phase == PHASE_READY && !s->is_leaving) || s->phase == PHASE_RELOADING;

    reload_give_up(s, "the server is being stopped");
    job_break_off(s);
    gate_stop(s->ready);
    gate_stop(s->health);
    if (s->server == 0)
        server_gone(s);
    else
        pre_stop_done(s, was_ready ? run_hook(s, PHASE_PRE_STOP, JOB_PRE_STOP) : PROBE_HOLDS);
}

void
life_stop(struct supervisor *s)
{
    struct launch_result stopped = {
        .error = -ECANCELED,
        .stage = OS_STAGE_READY,
        .why = "it was stopped before",
    };

    s->after = AFTER_END;
    if (s->phase >= PHASE_PRE_STOP)
        return;
    s->status_text[0] = '\0';
    if (s->channel != NULL)
        supervisor_tell(s, &stopped);
    if (s->phase == PHASE_WAITING) { /* a stop beats a pending restart, at once */
        s->exit_status = 0;
        supervisor_end(s, false);
        return;
    }
    begin_end(s);
}

/* A server that dies before it is ready: whoever waits for it hears how it ended. */
static void
tell_early_death(struct supervisor *s, const struct os_death *death)
{
    struct launch_result result = {.error = -ECHILD, .stage = OS_STAGE_READY};

    if (s->channel == NULL || (s->phase != PHASE_STARTING && s->phase != PHASE_POST_START))
        return;
    if (death->signal != 0)
        snprintf(result.why, sizeof(result.why),
                 "the server was ended by signal %d before it was ready", death->signal);
    else
        snprintf(result.why, sizeof(result.why),
                 "the server ended with status %d before it was ready", death->code);
    if (s->said_errno != 0)
        snprintf(result.why + strlen(result.why), sizeof(result.why) - strlen(result.why), ": %s",
                 strerror(s->said_errno));
    supervisor_tell(s, &result);
    s->policy.settings.policy = RESTART_NO; /* a failed start leaves nothing running */
}

/* A server that said STOPPING=1 may end by a signal of the usual ones, as by status 0. */
static bool
ended_badly(const struct supervisor *s, const struct os_death *death)
{
    static const char *const clean[] = {"TERM", "INT", "HUP", "PIPE"};

    for (size_t i = 0; s->is_leaving && i < sizeof(clean) / sizeof(clean[0]); i++)
        if (death->signal == os_signal_number(clean[i]))
            return false;
    return death->signal != 0 || (death->code != 0 && !(s->is_leaving && death->code < 0));
}

void
life_server_died(struct supervisor *s, const struct os_death *death)
{
    tell_early_death(s, death);
    server_ended(s, death);
    if (s->phase == PHASE_PRE_STOP || s->phase == PHASE_STOPPING) {
        if (!job_runs(s)) /* else that comes to its end, or to that of its time */
            server_gone(s);
        return;
    }
    reload_give_up(s, "the server ended");
    s->ended_badly = ended_badly(s, death);
    s->ended_code = death->signal != 0 ? -1 : death->code;
    s->after = AFTER_POLICY;
    server_gone(s);
}

/* ---- Start, ready, healthy --------------------------------------------------------------- */

/* Whoever waits for it hears why, and nothing is left running; else the policy decides. */
static void
start_failed(struct supervisor *s, enum os_stage stage, const char *why)
{
    struct launch_result result = {.error = -ECHILD, .stage = stage};

    snprintf(result.why, sizeof(result.why), "%s", why);
    s->after = s->channel != NULL ? AFTER_FAIL : AFTER_RESTART;
    supervisor_tell(s, &result);
    begin_end(s);
}

static void
start_server(struct supervisor *s)
{
    struct launch_result result;

    launch_result_init(&result, OS_STAGE_NONE);
    gate_start(s->ready, os_monotonic_ms()); /* what it knew was of the last one */
    result.error = server_start(s, &result);
    if (result.error == 0) {
        gate_start(s->ready, os_monotonic_ms());
        if (s->log != NULL && gate_wants_lines(s->ready))
            (void)log_watch_lines(s->log, true);
        return;
    }
    supervisor_say(s, "cannot start", result.why[0] != '\0' ? result.why : strerror(-result.error));
    s->exit_status = 1;
    s->after = AFTER_FAIL;
    /* The stranger may go away, a full disk have room again, descriptors or pids be free. */
    if ((result.error == -EADDRINUSE || s->untold < 0 || result.error == -EAGAIN
         || os_error_will_pass(result.error))
        && s->words->restarts > 0)
        s->after = AFTER_RESTART;
    supervisor_tell(s, &result);
    server_gone(s);
}

static void
pre_start_done(struct supervisor *s, enum probe_answer answer)
{
    if (answer == PROBE_HOLDS) {
        start_server(s);
    } else if (answer == PROBE_FAILS) {
        supervisor_say(s, "cannot start", s->job.why);
        start_failed(s, OS_STAGE_HOOK, s->job.why);
    }
}

void
life_begin(struct supervisor *s)
{
    if (s->log != NULL)
        log_tail_forget(s->log);
    s->was_forked = s->is_leaving = s->reload.says_never = false;
    s->said_errno = 0;
    s->up_ms = 0;
    s->rest_ms = NEVER;
    pre_start_done(s, run_hook(s, PHASE_PRE_START, JOB_PRE_START));
}

static void
post_start_done(struct supervisor *s, enum probe_answer answer)
{
    if (answer == PROBE_HOLDS) {
        s->unhealthy = false;
        gate_start(s->health, os_monotonic_ms());
        supervisor_set_phase(s, PHASE_READY);
        supervisor_tell(s, NULL);
        s->rest_ms = os_monotonic_ms() + REST_AFTER_MS;
    } else if (answer == PROBE_FAILS) {
        supervisor_say(s, "cannot start", s->job.why);
        start_failed(s, OS_STAGE_HOOK, s->job.why);
    }
}

static void
become_ready(struct supervisor *s)
{
    if (s->log != NULL)
        (void)log_watch_lines(s->log, false);
    post_start_done(s, run_hook(s, PHASE_POST_START, JOB_POST_START));
}

static void
never_ready(struct supervisor *s)
{
    supervisor_say(s, "not ready", gate_why(s->ready));
    start_failed(s, OS_STAGE_READY, gate_why(s->ready));
}

static void
judge_health(struct supervisor *s, enum gate_answer answer)
{
    enum health_action action = s->instance->config.health_action;

    if (answer == GATE_OPEN && s->unhealthy) {
        s->unhealthy = false;
        s->status_text[0] = '\0';
        supervisor_set_phase(s, PHASE_READY);
    } else if (answer == GATE_FAILED && !s->unhealthy) {
        s->unhealthy = true;
        supervisor_say(s, "not healthy", gate_why(s->health));
        if (action == HEALTH_NONE) {
            supervisor_set_phase(s, PHASE_READY);
            return;
        }
        s->after = action == HEALTH_STOP ? AFTER_FAIL : AFTER_RESTART_ANYWAY;
        begin_end(s);
    }
}

/* ---- What led on ------------------------------------------------------------------------- */

void
life_ask_gates(struct supervisor *s, const struct os_source *sources, size_t count)
{
    int64_t now = os_monotonic_ms();
    enum gate_answer answer;

    if (s->phase == PHASE_STARTING) {
        answer = gate_step(s->ready, sources, count, now);
        if (answer == GATE_OPEN)
            become_ready(s);
        else if (answer == GATE_FAILED)
            never_ready(s);
    } else if (s->phase == PHASE_RELOADING) {
        reload_step(s, sources, count);
    } else if (s->phase == PHASE_READY && !s->is_leaving && s->instance->config.health.count > 0) {
        judge_health(s, gate_step(s->health, sources, count, now));
    }
    if (answers_take(s))
        supervisor_tell_state(s);
}

void
life_time_has_come(struct supervisor *s)
{
    if (s->phase == PHASE_WAITING) {
        s->words->restarts++;
        s->status_text[0] = '\0';
        life_begin(s);
    } else if (s->phase == PHASE_STOPPING && s->server == 0) {
        server_gone(s); /* its command took too long */
    } else if (s->phase == PHASE_STOPPING) {
        server_stop_further(s);
    } else if (s->phase == PHASE_RELOADING) {
        reload_expire(s);
    } else if (s->phase == PHASE_READY && s->is_leaving) {
        s->after = AFTER_RESTART;
        begin_end(s);
    }
}

/* The command that this phase waits for has ended. */
void
life_job_done(struct supervisor *s, enum probe_answer answer)
{
    if (s->phase == PHASE_PRE_START)
        pre_start_done(s, answer);
    else if (s->phase == PHASE_POST_START)
        post_start_done(s, answer);
    else if (s->phase == PHASE_RELOADING)
        reload_command_done(s, answer);
    else if (s->phase == PHASE_PRE_STOP)
        pre_stop_done(s, answer);
    else if (s->phase == PHASE_POST_STOP)
        post_stop_done(s, answer);
    else if (s->server == 0)
        server_gone(s);
    else
        server_stop_command_done(s, answer);
}
