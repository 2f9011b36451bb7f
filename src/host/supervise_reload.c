/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reload: our own configuration is read again, the server is told, and then it is waited for
 * until it is ready again. The state counts what was begun and what has ended, so that whoever asks
 * for one can tell its own from an earlier one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/supervisor.h"

/*
 * A server that takes a signal serves on for a moment as it did before, or dies of it: so long it
 * is not asked whether it is ready again; and one that sends READY=1 gets longer for RELOADING=1,
 * once: one that was silent then would cost each later reload that time for nothing.
 */
#define SIGNAL_MOMENT_MS 100
#define WORD_MOMENT_MS   1000

#define FAILED  "reload failed"
#define WAITING "these wait for a restart"

/* ---- Begin and end ----------------------------------------------------------------------- */

int
reload_prepare(struct supervisor *s)
{
    const struct conditions *ready = &s->instance->config.ready;
    struct gate_rules rules = gate_ready_rules(&s->instance->config);

    s->reload.told = (struct state_reloads){
        .failure = s->reload.failure,
        .needs_restart = s->reload.needs_restart,
    };
    s->words->reloads = &s->reload.told;
    rules.timeout_ms = -1; /* it is the reload's */
    s->asked.list = calloc(ready->count + 1, sizeof(*s->asked.list));
    if (s->asked.list == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < ready->count; i++)
        if (condition_is_asked(&ready->list[i]))
            s->asked.list[s->asked.count++] = ready->list[i];
    return gate_new(&s->asked, &rules, s->launch, &s->again, NULL);
}

void
reload_free(struct supervisor *s)
{
    gate_free(s->again);
    free(s->asked.list); /* what is in it is the configuration's */
    s->asked = (struct conditions){0};
}

static void
fail(struct supervisor *s, const char *why)
{
    snprintf(s->reload.failure, sizeof(s->reload.failure), "%s", why);
}

/* The last one that was begun has ended: as failure says. */
static void
count_ended(struct supervisor *s)
{
    if (s->reload.is_asked)
        s->reload.told.ended = s->reload.told.begun;
    s->reload.is_asked = false;
}

static bool
begins_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* For status. What the server says of itself gives way to a failure only. */
static void
say_outcome(struct supervisor *s)
{
    if (begins_with(s->status_text, FAILED) || begins_with(s->status_text, WAITING))
        s->status_text[0] = '\0';
    if (s->reload.failure[0] != '\0')
        supervisor_say(s, FAILED, s->reload.failure);
    else if (s->reload.needs_restart[0] != '\0' && s->status_text[0] == '\0')
        supervisor_say(s, WAITING, s->reload.needs_restart);
}

/* In PHASE_RELOADING. */
static void
end(struct supervisor *s)
{
    job_break_off(s);
    gate_stop(s->again);
    count_ended(s);
    say_outcome(s);
    s->unhealthy = false;
    gate_start(s->health, os_monotonic_ms());
    supervisor_set_phase(s, PHASE_READY);
}

void
reload_give_up(struct supervisor *s, const char *why)
{
    if (s->reload.is_asked || s->reload.is_pending)
        fail(s, why);
    if (s->reload.is_pending) {
        s->reload.told.begun++;
        s->reload.is_asked = true;
    }
    s->reload.is_pending = false;
    count_ended(s);
    gate_stop(s->again);
}

/* ---- Our own configuration --------------------------------------------------------------- */

static void
apply(struct supervisor *s, struct config *newer)
{
    struct gate_rules rules = gate_health_rules(newer);
    const struct condition *culprit = NULL;
    struct gate *health = NULL;
    int r = gate_new(&newer->health, &rules, s->launch, &health, &culprit);

    if (r == 0)
        r = policy_renew(&s->policy, &newer->restart);
    if (r < 0) {
        snprintf(s->reload.failure, sizeof(s->reload.failure), "%s: %s",
                 culprit != NULL ? culprit->name : "health",
                 culprit != NULL ? "its host has no address" : strerror(-r));
        gate_free(health);
        return;
    }
    if (config_renew(&s->instance->config, newer, s->reload.needs_restart,
                     sizeof(s->reload.needs_restart))) {
        struct gate *old = s->health;

        s->health = health;
        health = old;
    }
    gate_free(health);
}

/* What can be applied is; false: nothing was, and failure says why. */
static bool
read_again(struct supervisor *s)
{
    const struct instance *in = s->instance;
    struct config_mistakes mistakes;
    struct config newer;
    int r;

    config_init(&newer);
    r = config_read(&newer, in->config_path, in->name, in->pidfile, true, &mistakes);
    if (r == 0)
        apply(s, &newer);
    else if (mistakes.count > 1)
        snprintf(s->reload.failure, sizeof(s->reload.failure), "%.220s (and %zu more)",
                 mistakes.lines[0], mistakes.count - 1);
    else if (mistakes.count > 0)
        fail(s, mistakes.lines[0]);
    else if (r != -ENOENT || in->has_config)
        snprintf(s->reload.failure, sizeof(s->reload.failure), "%.200s: %s", in->config_path,
                 strerror(-r));
    config_free(&newer);
    config_mistakes_free(&mistakes);
    return s->reload.failure[0] == '\0';
}

/* ---- The server -------------------------------------------------------------------------- */

static void
ask_again(struct supervisor *s)
{
    s->reload.stage = RELOAD_PROBES;
    gate_start(s->again, os_monotonic_ms());
    if (gate_known(s->again) == GATE_OPEN)
        end(s);
}

/* It was told. Now it has the word, where it is one of those who speak. */
static void
wait_for_server(struct supervisor *s, int moment_ms)
{
    bool speaks = conditions_have(&s->instance->config.ready, CONDITION_NOTIFY);
    struct reload *reload = &s->reload;

    if (reload->is_ready || (!speaks && moment_ms == 0)) {
        ask_again(s);
        return;
    }
    reload->stage = RELOAD_WORD;
    if (speaks && !reload->says_never)
        moment_ms = WORD_MOMENT_MS;
    else if (speaks)
        moment_ms = SIGNAL_MOMENT_MS;
    reload->moment_ms = os_monotonic_ms() + moment_ms;
    if (speaks && (reload->said || reload->says_always))
        reload->moment_ms = NEVER;
}

static void
enter(struct supervisor *s)
{
    int timeout_ms = s->instance->config.reload_timeout_ms;

    s->reload.said = s->reload.is_ready = false;
    s->reload.stage = RELOAD_COMMAND;
    gate_stop(s->health);
    supervisor_set_phase(s, PHASE_RELOADING);
    s->deadline = timeout_ms < 0 ? NEVER : os_monotonic_ms() + timeout_ms;
}

static bool
is_being_stopped(const struct supervisor *s)
{
    return s->is_leaving || s->phase >= PHASE_PRE_STOP;
}

static void
begin(struct supervisor *s)
{
    s->reload.told.begun++;
    s->reload.is_asked = true;
    s->reload.is_pending = false;
    s->reload.failure[0] = '\0';
    if (is_being_stopped(s))
        fail(s, "the server is being stopped");
    else
        (void)read_again(s);
    if (s->reload.failure[0] != '\0' || s->phase != PHASE_READY) { /* the next start reads it all */
        count_ended(s);
        if (s->phase == PHASE_READY)
            say_outcome(s);
        supervisor_tell_state(s);
        return;
    }
    enter(s);
    if (s->instance->config.reload_command == NULL) {
        server_signal(s, s->instance->config.reload_signal);
        wait_for_server(s, SIGNAL_MOMENT_MS);
    } else if (job_begin(s, JOB_RELOAD) == PROBE_FAILS) {
        reload_command_done(s, PROBE_FAILS);
    }
}

void
reload_ask(struct supervisor *s)
{
    if (s->log != NULL)
        log_reopen(s->log);
    if (s->phase == PHASE_STARTING || s->phase == PHASE_POST_START || s->phase == PHASE_RELOADING)
        s->reload.is_pending = true;
    else
        begin(s);
}

void
reload_begin_pending(struct supervisor *s)
{
    if (s->reload.is_pending && s->phase == PHASE_READY)
        begin(s);
}

/* ---- What happens then ------------------------------------------------------------------- */

void
reload_command_done(struct supervisor *s, enum probe_answer answer)
{
    if (answer == PROBE_HOLDS) {
        wait_for_server(s, 0);
        return;
    }
    fail(s, s->job.why);
    end(s);
}

void
reload_step(struct supervisor *s, const struct os_source *sources, size_t count)
{
    int64_t now = os_monotonic_ms();
    struct reload *reload = &s->reload;

    if (reload->stage == RELOAD_WORD && reload->moment_ms != NEVER && now >= reload->moment_ms) {
        reload->says_never = true;
        ask_again(s);
    } else if (reload->stage == RELOAD_PROBES
               && gate_step(s->again, sources, count, now) == GATE_OPEN)
        end(s);
}

void
reload_expire(struct supervisor *s)
{
    const struct reload *reload = &s->reload;

    if (job_runs(s))
        fail(s, "reload command: its time is over");
    else if (reload->stage == RELOAD_WORD)
        fail(s, "the server has not sent READY=1 again");
    else
        fail(s, gate_why(s->again));
    end(s);
}

int64_t
reload_deadline(const struct supervisor *s)
{
    if (s->phase != PHASE_RELOADING)
        return NEVER;
    return s->reload.stage == RELOAD_WORD     ? s->reload.moment_ms
           : s->reload.stage == RELOAD_PROBES ? gate_deadline(s->again)
                                              : NEVER;
}

void
reload_said_reloading(struct supervisor *s)
{
    s->reload.says_always = true;
    s->reload.says_never = false;
    if (s->phase == PHASE_READY && !s->is_leaving) { /* by its own will */
        s->reload.failure[0] = '\0';
        enter(s);
        s->reload.stage = RELOAD_WORD;
    } else if (s->phase != PHASE_RELOADING) {
        return;
    }
    s->reload.said = true;
    s->reload.is_ready = false;
    s->reload.moment_ms = NEVER;
    if (s->reload.stage == RELOAD_PROBES) { /* it said so late */
        gate_stop(s->again);
        s->reload.stage = RELOAD_WORD;
    }
}

void
reload_said_ready(struct supervisor *s)
{
    if (s->phase != PHASE_RELOADING)
        return;
    s->reload.is_ready = true;
    if (s->reload.stage == RELOAD_WORD)
        ask_again(s);
}
