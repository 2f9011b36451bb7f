/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor: what happened (a signal, a death, an answer, a deadline) leads to the next phase,
 * and each phase waits for one thing. The state file is written at each change.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/supervisor.h"

#define SOURCES_MAX (1 + WORD_SOURCES_MAX + LOG_SOURCES_MAX + CONDITIONS_MAX)

/* ---- What is told ------------------------------------------------------------------------ */

void
supervisor_set_phase(struct supervisor *s, enum phase phase)
{
    s->phase = phase;
    s->deadline = NEVER;
    supervisor_tell_state(s);
}

void
supervisor_tell_state(struct supervisor *s)
{
    static const char *const names[] = {"starting", "ready", "starting", "stopping", "stopped"};

    s->words->phase = s->failed ? "failed" : names[s->phase];
    s->words->server = s->server != 0 ? &s->identity : NULL;
    s->words->exit = s->exit_text;
    s->words->status = s->status_text;
    /* A full disk doesn't end a server: the state is told with the next change. */
    (void)claim_update(s->claim, s->words);
}

void
supervisor_tell(struct supervisor *s, const struct launch_result *result)
{
    if (s->channel == NULL)
        return;
    (void)os_child_tell(s->channel, result, result != NULL ? sizeof(*result) : 0);
    s->channel = NULL;
}

void
supervisor_end(struct supervisor *s, bool failed)
{
    s->failed = failed;
    server_end_descendants(s);
    supervisor_set_phase(s, PHASE_ENDED);
}

void
supervisor_child_ended(struct supervisor *s, int64_t pid, int status, int64_t now_ms)
{
    if (s->log != NULL && log_child_ended(s->log, pid, now_ms))
        return;
    if (!gate_child_ended(s->ready, pid, status, now_ms))
        (void)gate_child_ended(s->health, pid, status, now_ms);
}

static void
say_status_text(struct supervisor *s, const char *what, const char *why)
{
    snprintf(s->status_text, sizeof(s->status_text), "%s: %s", what, why);
}

/* ---- Start, ready, healthy --------------------------------------------------------------- */

/* A result is large, and only here touched: the memory of each supervisor counts. */
static void
fail_to_start(struct supervisor *s, int error, enum os_stage stage)
{
    struct launch_result result = {.error = error, .stage = stage};

    say_status_text(s, "cannot start", strerror(-error));
    s->exit_status = 1;
    supervisor_tell(s, &result);
    supervisor_end(s, true);
}

static void
start_server(struct supervisor *s)
{
    enum os_stage stage = OS_STAGE_NONE;
    int r;

    if (s->log != NULL)
        log_tail_forget(s->log);
    r = server_start(s, &stage);
    if (r < 0) {
        fail_to_start(s, r, stage);
        return;
    }
    gate_start(s->ready, os_monotonic_ms());
    if (s->log != NULL && gate_wants_lines(s->ready))
        (void)log_watch_lines(s->log, true);
}

static void
become_ready(struct supervisor *s)
{
    s->unhealthy = false;
    if (s->log != NULL)
        (void)log_watch_lines(s->log, false);
    gate_start(s->health, os_monotonic_ms());
    supervisor_set_phase(s, PHASE_READY);
    supervisor_tell(s, NULL);
    os_stack_release();
}

/* Whoever waits for it hears why, and nothing is left running; else the policy decides. */
static void
never_ready(struct supervisor *s)
{
    struct launch_result result = {.error = -ETIMEDOUT, .stage = OS_STAGE_READY};

    snprintf(result.why, sizeof(result.why), "%s", gate_why(s->ready));
    output_tail(s, &result);
    say_status_text(s, "not ready", result.why);
    s->after = s->channel != NULL ? AFTER_FAIL : AFTER_RESTART;
    supervisor_tell(s, &result);
    server_stop(s);
}

static void
judge_health(struct supervisor *s, enum gate_answer answer)
{
    enum health_action action = s->request->instance->config.health_action;

    if (answer == GATE_OPEN && s->unhealthy) {
        s->unhealthy = false;
        s->status_text[0] = '\0';
        supervisor_set_phase(s, PHASE_READY);
    } else if (answer == GATE_FAILED && !s->unhealthy) {
        s->unhealthy = true;
        say_status_text(s, "not healthy", gate_why(s->health));
        if (action == HEALTH_NONE) {
            supervisor_set_phase(s, PHASE_READY);
            return;
        }
        s->after = action == HEALTH_STOP ? AFTER_FAIL : AFTER_RESTART_ANYWAY;
        server_stop(s);
    }
}

static void
ask_gates(struct supervisor *s, const struct os_source *sources, size_t count)
{
    int64_t now = os_monotonic_ms();
    enum gate_answer answer;

    if (s->phase == PHASE_STARTING) {
        answer = gate_step(s->ready, sources, count, now);
        if (answer == GATE_OPEN)
            become_ready(s);
        else if (answer == GATE_FAILED)
            never_ready(s);
    } else if (s->phase == PHASE_READY && s->request->instance->config.health.count > 0) {
        judge_health(s, gate_step(s->health, sources, count, now));
    }
}

/* ---- The end of a server ----------------------------------------------------------------- */

static void
begin_stop(struct supervisor *s)
{
    s->after = AFTER_END;
    if (s->phase == PHASE_STOPPING || s->phase == PHASE_ENDED)
        return;
    s->status_text[0] = '\0';
    if (s->server == 0) { /* a stop beats a pending restart, at once */
        s->exit_status = 0;
        supervisor_end(s, false);
        return;
    }
    server_stop(s);
}

static void
plan_restart(struct supervisor *s, bool failed, int code)
{
    int64_t now = os_monotonic_ms();
    int delay_ms = 0;

    server_end_descendants(s); /* a worker that lives on would keep the port */
    switch (policy_ended(&s->policy, failed, code, now - s->since_ms, now, &delay_ms)) {
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
    if (delay_ms == 0) { /* nobody can see it wait; the start tells the state */
        s->phase = PHASE_WAITING;
    } else {
        snprintf(s->status_text, sizeof(s->status_text), "restart in %d ms", delay_ms);
        supervisor_set_phase(s, PHASE_WAITING);
    }
    s->deadline = now + delay_ms;
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
    supervisor_set_phase(s, PHASE_WAITING);
    s->deadline = os_monotonic_ms() + s->policy.settings.delay_min_ms;
}

static void
server_died(struct supervisor *s, const struct os_death *death)
{
    bool failed = death->signal != 0 || death->code != 0;

    server_ended(s, death);
    if (s->phase != PHASE_STOPPING) {
        plan_restart(s, failed, death->signal != 0 ? -1 : death->code);
        return;
    }
    switch (s->after) {
    case AFTER_END:
        s->exit_status = 0; /* it was asked to */
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
    }
}

/* ---- What happens ------------------------------------------------------------------------ */

/* A server that dies before it is ready: whoever waits for it hears how it ended. */
static void
tell_early_death(struct supervisor *s, const struct os_death *death)
{
    struct launch_result result = {.error = -ECHILD, .stage = OS_STAGE_READY};

    if (s->phase != PHASE_STARTING || s->channel == NULL)
        return;
    if (death->signal != 0)
        snprintf(result.why, sizeof(result.why),
                 "the server was ended by signal %d before it was "
                 "ready",
                 death->signal);
    else
        snprintf(result.why, sizeof(result.why),
                 "the server ended with status %d before it was ready", death->code);
    output_tail(s, &result);
    supervisor_tell(s, &result);
    s->policy.settings.policy = RESTART_NO; /* a failed start leaves nothing running */
}

void
supervisor_reap(struct supervisor *s)
{
    struct os_death death;

    while (os_reap(&death) == 1) {
        int64_t now = os_monotonic_ms();
        int status = death.signal != 0 ? -death.signal : death.code;

        if (death.pid == s->server) {
            tell_early_death(s, &death);
            server_died(s, &death);
        } else {
            supervisor_child_ended(s, death.pid, status, now);
        }
    }
}

static void
reload(struct supervisor *s)
{
    if (s->log != NULL)
        log_reopen(s->log);
    server_signal(s, s->request->instance->config.reload_signal);
}

static void
take_signals(struct supervisor *s)
{
    int signal;

    while ((signal = os_signal_next(s->signals)) > 0) {
        if (signal == os_signal_number("TERM"))
            begin_stop(s);
        else if (signal == os_signal_number("HUP"))
            reload(s);
        else if (signal != os_signal_number("CHLD"))
            server_signal(s, signal);
    }
    supervisor_reap(s);
}

static void
time_has_come(struct supervisor *s)
{
    if (s->phase == PHASE_WAITING) {
        s->words->restarts++;
        s->status_text[0] = '\0';
        start_server(s);
    } else if (s->phase == PHASE_STOPPING) {
        server_stop_further(s);
    }
}

static int64_t
earlier(int64_t a, int64_t b)
{
    if (a == NEVER || b == NEVER)
        return a == NEVER ? b : a;
    return a < b ? a : b;
}

static void
step(struct supervisor *s)
{
    struct os_source sources[SOURCES_MAX] = {{.handle = s->signals}};
    const struct gate *gate = s->phase == PHASE_STARTING ? s->ready : s->health;
    size_t words = word_sources(s, sources + 1);
    size_t count = 1 + words;

    int64_t deadline = earlier(s->deadline, gate_deadline(gate));

    if (s->log != NULL) {
        count += log_sources(s->log, sources + count);
        deadline = earlier(deadline, log_deadline(s->log));
    }
    count += gate_sources(gate, sources + count, SOURCES_MAX - count);
    if (os_wait(sources, count, deadline) < 0)
        return;
    output_take(s);
    word_take(s, sources + 1, words); /* a last word comes before the death */
    if (sources[0].ready)
        take_signals(s);
    ask_gates(s, sources, count);
    if (s->deadline != NEVER && os_monotonic_ms() >= s->deadline)
        time_has_come(s);
}

/* ---- Begin and end ----------------------------------------------------------------------- */

static int
make_gates(struct supervisor *s, struct launch_result *result)
{
    const struct config *config = &s->request->instance->config;
    struct gate_rules ready = gate_ready_rules(config), health = gate_health_rules(config);
    const struct condition *culprit = NULL;
    int r = gate_new(&config->ready, &ready, s->launch, &s->ready, &culprit);

    if (r == 0)
        r = gate_new(&config->health, &health, s->launch, &s->health, &culprit);
    if (r < 0 && culprit != NULL) {
        result->stage = OS_STAGE_READY;
        snprintf(result->why, sizeof(result->why), "%s: its host has no address", culprit->name);
    }
    return r;
}

static void
host(struct supervisor *s)
{
    start_server(s);
    while (s->phase != PHASE_ENDED) {
        if (s->phase == PHASE_STARTING)
            ask_gates(s, NULL, 0); /* with nothing to wait for it is ready at once */
        if (s->phase != PHASE_ENDED)
            step(s);
    }
}

int
supervise(const struct launch_request *request, const struct os_launch *launch, struct claim *claim,
          struct state_words *words, struct os_child *channel, struct launch_result *result)
{
    struct supervisor s = {
        .request = request,
        .launch = launch,
        .claim = claim,
        .words = words,
        .channel = channel,
        .signals = OS_NONE,
        .notify = OS_NONE,
        .word_pipe = OS_NONE,
        .deadline = NEVER,
    };

    policy_init(&s.policy, &request->instance->config.restart,
                (uint64_t)os_monotonic_ms() ^ (uint64_t)os_self() << 32);
    launch_result_init(result, OS_STAGE_DETACH);
    result->exit_status = 1;
    result->error = make_gates(&s, result);
    if (result->error == 0)
        result->error = output_open(&s, result);
    if (result->error == 0)
        result->error = word_open(&s);
    if (result->error == 0)
        result->error = os_supervisor_prepare(&s.signals);
    if (result->error == 0) {
        host(&s);
        result->exit_status = s.exit_status;
        if (s.failed) { /* the last state is left, for the post-mortem */
            claim->keep_state = true;
            snprintf(result->why, sizeof(result->why), "%.*s", (int)sizeof(result->why) - 1,
                     s.status_text);
        }
    } else {
        supervisor_tell(&s, result);
    }
    output_close(&s);
    gate_free(s.ready);
    gate_free(s.health);
    word_close(&s);
    (void)os_handle_close(s.signals);
    claim_end(claim, true);
    return result->exit_status;
}
