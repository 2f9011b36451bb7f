/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor: what happened (a signal, a death, an answer, a deadline) leads to the next phase,
 * and each phase waits for one thing. The state file is written at each change.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/supervisor.h"

#define TELL_AGAIN_MS 1000
#define SOURCES_MAX   (1 + WORD_SOURCES_MAX + LOG_SOURCES_MAX + CONDITIONS_MAX)

/* ---- What is told ------------------------------------------------------------------------ */

void
supervisor_set_phase(struct supervisor *s, enum phase phase)
{
    if (s->words->since == 0 || s->phase != phase)
        s->words->since = os_wall_seconds();
    s->phase = phase;
    s->deadline = NEVER;
    supervisor_tell_state(s);
    manager_tell(s, os_monotonic_ms());
}

const char *
supervisor_phase_name(enum phase phase)
{
    static const char *const names[] = {
        [PHASE_PRE_START] = "starting",  [PHASE_STARTING] = "starting",
        [PHASE_POST_START] = "starting", [PHASE_READY] = "ready",
        [PHASE_RELOADING] = "reloading", [PHASE_WAITING] = "starting",
        [PHASE_PRE_STOP] = "stopping",   [PHASE_STOPPING] = "stopping",
        [PHASE_POST_STOP] = "stopping",  [PHASE_ENDED] = "stopped",
    };

    return names[phase];
}

void
supervisor_tell_state(struct supervisor *s)
{
    bool leaves = s->phase == PHASE_READY && s->is_leaving;

    s->words->phase = s->failed ? "failed" : supervisor_phase_name(s->phase);
    if (leaves)
        s->words->phase = supervisor_phase_name(PHASE_STOPPING);
    s->words->server = s->server != 0 ? &s->identity : NULL;
    s->words->exit = s->exit_text;
    s->words->status = s->status_text;
    s->words->next_restart = s->phase == PHASE_WAITING ? (uint64_t)s->restart : 0;
    (void)answers_take(s);
    s->words->not_ready = s->answers.not_ready;
    s->words->health = s->answers.health;
    s->words->health_answer = s->answers.health_answer;
    /* A full disk doesn't end a server: the state is told once there is room. */
    s->untold = claim_update(s->claim, s->words);
}

void
supervisor_tell(struct supervisor *s, const struct launch_result *result)
{
    if (s->channel == NULL)
        return;
    if (result != NULL)
        output_tell_failure(s, result);
    else
        (void)os_child_tell(s->channel, NULL, 0);
    s->channel = NULL;
}

void
supervisor_end(struct supervisor *s, bool failed)
{
    s->failed = failed;
    server_end_descendants(s);
    os_cgroup_remove(&s->cgroup);
    supervisor_set_phase(s, PHASE_ENDED); /* model: supervise ended */
}

void
supervisor_child_ended(struct supervisor *s, int64_t pid, int status, int64_t now_ms)
{
    if ((s->log != NULL && log_child_ended(s->log, pid, now_ms)) || job_child_ended(s, pid, status))
        return;
    if (!gate_child_ended(s->ready, pid, status, now_ms)
        && !gate_child_ended(s->again, pid, status, now_ms))
        (void)gate_child_ended(s->health, pid, status, now_ms);
}

void
supervisor_say(struct supervisor *s, const char *what, const char *why)
{
    snprintf(s->status_text, sizeof(s->status_text), "%s: %s", what, why);
}

/* ---- What happens ------------------------------------------------------------------------ */

void
supervisor_reap(struct supervisor *s)
{
    struct os_death death;

    while (os_reap(&death) == 1) {
        int64_t now = os_monotonic_ms();
        int status = death.signal != 0 ? -death.signal : death.code;

        if (death.pid == s->server)
            life_server_died(s, &death);
        else
            supervisor_child_ended(s, death.pid, status, now);
    }
}

static void
take_signals(struct supervisor *s)
{
    int signal;

    while ((signal = os_signal_next(s->signals)) > 0) {
        int action = config_signal_action(&s->instance->config, signal);

        if (signal == os_signal_number("TERM") || action == SIGNAL_STOP)
            life_stop(s);
        else if (signal == os_signal_number("HUP") || action == SIGNAL_RELOAD)
            reload_ask(s);
        else if (signal != os_signal_number("CHLD") && action != SIGNAL_IGNORE)
            server_signal(s, action);
    }
    supervisor_reap(s);
}

static int64_t
earlier(int64_t a, int64_t b)
{
    if (a == NEVER || b == NEVER)
        return a == NEVER ? b : a;
    return a < b ? a : b;
}

/* To go to rest takes time that a server needs which only begins to serve: that is for later. */
static int
wait_or_rest(struct supervisor *s, struct os_source *sources, size_t count, int64_t deadline)
{
    bool rests = s->rest_ms != NEVER && os_monotonic_ms() >= s->rest_ms;

    if (!rests)
        return os_wait(sources, count, earlier(deadline, s->rest_ms));
    s->rest_ms = NEVER;
    return os_wait_settled(sources, count, deadline);
}

static void
step(struct supervisor *s)
{
    struct os_source sources[SOURCES_MAX] = {{.handle = s->signals}};
    const struct gate *gate = s->phase == PHASE_STARTING    ? s->ready
                              : s->phase == PHASE_RELOADING ? s->again
                                                            : s->health;
    size_t words = word_sources(s, sources + 1);
    size_t count = 1 + words;

    int64_t deadline = earlier(s->deadline, gate_deadline(gate));
    enum probe_answer answer;

    manager_tell(s, os_monotonic_ms());
    deadline = earlier(deadline, manager_deadline(s));
    deadline = earlier(deadline, earlier(job_deadline(s), reload_deadline(s)));
    if (s->log != NULL) {
        count += log_sources(s->log, sources + count);
        deadline = earlier(deadline, log_deadline(s->log));
    }
    count += gate_sources(gate, sources + count, SOURCES_MAX - count);
    if (s->untold < 0)
        deadline = earlier(deadline, os_monotonic_ms() + TELL_AGAIN_MS);
    if (wait_or_rest(s, sources, count, deadline) < 0)
        return;
    output_take(s);
    word_take(s, sources + 1, words); /* a last word comes before the death */
    if (sources[0].ready)
        take_signals(s);
    if (job_runs(s) && (answer = job_step(s, os_monotonic_ms())) != PROBE_PENDING)
        life_job_done(s, answer);
    life_ask_gates(s, sources, count);
    if (s->deadline != NEVER && os_monotonic_ms() >= s->deadline)
        life_time_has_come(s);
    if (s->untold < 0 && s->phase != PHASE_ENDED)
        supervisor_tell_state(s);
}

/* ---- Begin and end ----------------------------------------------------------------------- */

static int
make_gates(struct supervisor *s, struct launch_result *result)
{
    const struct config *config = &s->instance->config;
    struct gate_rules ready = gate_ready_rules(config), health = gate_health_rules(config);
    const struct condition *culprit = NULL;
    int r = gate_new(&config->ready, &ready, s->launch, &s->ready, &culprit);

    if (r == 0)
        r = reload_prepare(s);
    if (r == 0)
        r = gate_new(&config->health, &health, s->launch, &s->health, &culprit);
    if (r < 0 && culprit != NULL) {
        result->stage = OS_STAGE_READY;
        snprintf(result->why, sizeof(result->why), "%s: its host has no address", culprit->name);
    }
    return r;
}

/* What our starter left open for us would stay open as long as we live: a pipe, a terminal. */
static void
keep_own_handles(const struct supervisor *s)
{
    const intptr_t keep[] = {s->claim->lock.handle, s->claim->paths.dir.handle,
                             s->channel != NULL ? s->channel->channel : OS_NONE,
                             s->manager.to.newline};

    os_handles_keep(keep, sizeof(keep) / sizeof(keep[0]), s->listen_fds);
}

static void
host(struct supervisor *s)
{
    life_begin(s);
    while (s->phase != PHASE_ENDED) {
        reload_begin_pending(s);
        if (s->phase == PHASE_STARTING)
            life_ask_gates(s, NULL, 0); /* with nothing to wait for it is ready at once */
        if (s->phase != PHASE_ENDED)
            step(s);
    }
}

int
supervise(const struct launch_request *request, const struct os_launch *launch, struct claim *claim,
          struct state_words *words, struct os_child *channel, struct launch_result *result)
{
    struct supervisor s = {
        .instance = request->instance,
        .listen_fds = request->listen_fds,
        .launch = launch,
        .claim = claim,
        .words = words,
        .channel = channel,
        .signals = OS_NONE,
        .notify = OS_NONE,
        .store = {.watch = OS_NONE},
        .word_pipe = OS_NONE,
        .deadline = NEVER,
        .rest_ms = NEVER,
        .cgroup = {OS_NONE, OS_NONE, OS_NONE, "", ""},
        .main = {.handle = OS_NONE},
    };

    launch_result_init(result, OS_STAGE_DETACH);
    result->exit_status = 1;
    manager_open(&s);
    keep_own_handles(&s);
    result->error = policy_init(&s.policy, &request->instance->config.restart,
                                (uint64_t)os_monotonic_ms() ^ (uint64_t)os_self() << 32);
    if (result->error == 0)
        result->error = make_gates(&s, result);
    if (result->error == 0)
        result->error = output_open(&s, result);
    if (result->error == 0)
        result->error = word_open(&s);
    if (result->error == 0)
        result->error = os_supervisor_prepare(&s.signals);
    if (result->error == 0) {
        host(&s);
        manager_close(&s);
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
    reload_free(&s);
    word_close(&s);
    policy_free(&s.policy);
    (void)os_handle_close(s.signals);
    claim_end(claim, true);
    return result->exit_status;
}
