/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor: what happened (a signal, a death, a deadline) leads to the next phase, and each
 * phase waits for one thing. The state file is written at each change.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/policy.h"
#include "host/supervise.h"

#define TREE_WAIT_MS 10000 /* for killed descendants that sleep in the kernel */
#define NEVER        (-1)

enum phase {
    PHASE_STARTING = 0, /* the server is forked, it isn't ready yet */
    PHASE_READY,
    PHASE_WAITING,  /* for the time of the restart */
    PHASE_STOPPING, /* for the server's death */
    PHASE_ENDED,
};

struct supervisor {
    const struct launch_request *request;
    const struct os_launch *launch;
    struct claim *claim;
    struct state_words *words;
    struct os_child *channel; /* NULL: nobody waits for us to be ready */
    intptr_t signals;

    enum phase phase;
    bool failed;      /* it ended for good, and not as it should */
    int64_t server;   /* its pid; 0: none lives */
    int64_t since_ms; /* when it was started */
    int64_t deadline; /* of this phase, or NEVER */
    size_t stop_step; /* the one whose timeout runs */
    int exit_status;  /* of the server that ended last */
    char exit_text[64];
    char status_text[128];
    struct os_identity identity; /* the server's */
    struct policy policy;
};

/* ---- What is told ------------------------------------------------------------------------ */

static void
set_phase(struct supervisor *s, enum phase phase)
{
    static const char *const names[] = {"starting", "ready", "starting", "stopping", "stopped"};

    s->phase = phase;
    s->deadline = NEVER;
    s->words->phase = s->failed ? "failed" : names[phase];
    s->words->server = s->server != 0 ? &s->identity : NULL;
    s->words->exit = s->exit_text;
    s->words->status = s->status_text;
    /* A full disk doesn't end a server: the state is told with the next change. */
    (void)claim_update(s->claim, s->words);
}

static void
tell_starter(struct supervisor *s, const struct launch_result *result)
{
    if (s->channel == NULL)
        return;
    (void)os_child_tell(s->channel, result, result != NULL ? sizeof(*result) : 0);
    s->channel = NULL;
}

/* "code 3", "signal SEGV core" */
static void
describe_death(struct supervisor *s, const struct os_death *death)
{
    const char *name = os_signal_name(death->signal);

    if (death->signal == 0)
        snprintf(s->exit_text, sizeof(s->exit_text), "code %d", death->code);
    else if (name != NULL)
        snprintf(s->exit_text, sizeof(s->exit_text), "signal %s%s", name,
                 death->core ? " core" : "");
    else
        snprintf(s->exit_text, sizeof(s->exit_text), "signal %d%s", death->signal,
                 death->core ? " core" : "");
    s->exit_status = death->signal != 0 ? 128 + death->signal : death->code;
}

/* ---- Descendants ------------------------------------------------------------------------- */

/* Sleep until a child ends, or for a moment: a fork bomb is killed round after round. */
static void
wait_for_deaths(const struct supervisor *s, int ms)
{
    struct os_source source = {.handle = s->signals};

    (void)os_wait(&source, 1, os_monotonic_ms() + ms);
}

/*
 * A fork bomb fills at once the room that a killed one leaves. Stopped ones keep their room, and
 * fork no more: so stop them all, until a look finds no new ones, and then kill.
 */
static void
kill_descendants(void)
{
    int stop_signal = os_signal_number("STOP");
    int before = 0, seen;

    while ((seen = os_descendants_signal(stop_signal)) > before)
        before = seen;
    if (seen > 0)
        (void)os_descendants_signal(os_signal_number("KILL"));
}

/* Kill what the server leaves behind, until nobody is left. */
static void
end_descendants(struct supervisor *s)
{
    int64_t end = os_monotonic_ms() + TREE_WAIT_MS;
    struct os_death death;
    int r;

    do {
        kill_descendants();
        while ((r = os_reap(&death)) == 1)
            if (death.pid == s->server) {
                s->server = 0;
                describe_death(s, &death);
            }
        if (r == 0)
            wait_for_deaths(s, 5);
    } while (r == 0 && os_monotonic_ms() < end);
}

/* ---- Starting ---------------------------------------------------------------------------- */

static void
end_for_good(struct supervisor *s, bool failed)
{
    s->failed = failed;
    end_descendants(s);
    set_phase(s, PHASE_ENDED);
}

/* The state names the server before it execs: nobody ever lives whom no file names. */
static int
fork_named(struct supervisor *s, struct os_server *server)
{
    struct os_hold hold;
    int r = os_server_fork(s->launch, &s->claim->lock, OS_NONE,
                           !s->request->instance->config.outlives_supervisor, server);

    if (r < 0)
        return r;
    r = os_process_hold(server->pid, &hold);
    if (r == 0) {
        r = os_process_identify(&hold, &s->identity);
        os_process_release(&hold);
    }
    if (r == 0) {
        s->server = server->pid;
        s->since_ms = os_monotonic_ms();
        set_phase(s, PHASE_STARTING);
    }
    return r;
}

static void
become_ready(struct supervisor *s)
{
    set_phase(s, PHASE_READY);
    tell_starter(s, NULL);
}

static void
start_server(struct supervisor *s)
{
    struct launch_result result = {.stage = OS_STAGE_DETACH};
    struct os_server server = {.channel = OS_NONE, .go = OS_NONE};

    result.error = fork_named(s, &server);
    if (result.error == 0)
        result.error = os_server_go(&server, &result.stage);
    if (result.error == 0) {
        become_ready(s);
        return;
    }
    (void)os_handle_close(server.go);
    (void)os_handle_close(server.channel);
    snprintf(s->status_text, sizeof(s->status_text), "cannot start: %s", strerror(-result.error));
    s->exit_status = 1;
    tell_starter(s, &result);
    end_for_good(s, true);
}

/* ---- Ending ------------------------------------------------------------------------------ */

static void
signal_server_of(const struct supervisor *s, int signal)
{
    struct os_hold hold;

    /* Our own child: its number is its own until we reap it. */
    if (s->server == 0 || os_process_hold(s->server, &hold) < 0)
        return;
    (void)os_process_signal(&hold, signal);
    os_process_release(&hold);
}

/* The sequence of the configuration, else its signal and timeout; then KILL, always. */
static struct stop_step
step_of(const struct supervisor *s, size_t step)
{
    const struct config *config = &s->request->instance->config;
    size_t count = 0;

    while (config->sequence[count].signal != 0)
        count++;
    if (step < count)
        return config->sequence[step];
    if (count == 0 && step == 0) {
        return (struct stop_step){config->stop_signal, config->stop_timeout_ms};
    }
    return (struct stop_step){os_signal_number("KILL"), NEVER};
}

static void
take_stop_step(struct supervisor *s)
{
    struct stop_step step = step_of(s, s->stop_step);

    signal_server_of(s, step.signal);
    s->deadline = step.timeout_ms < 0 ? NEVER : os_monotonic_ms() + step.timeout_ms;
}

static void
begin_stop(struct supervisor *s)
{
    if (s->phase == PHASE_STOPPING || s->phase == PHASE_ENDED)
        return;
    s->status_text[0] = '\0';
    if (s->server == 0) { /* a stop beats a pending restart, at once */
        s->exit_status = 0;
        end_for_good(s, false);
        return;
    }
    s->stop_step = 0;
    set_phase(s, PHASE_STOPPING);
    take_stop_step(s);
}

static void
plan_restart(struct supervisor *s, const struct os_death *death)
{
    bool failed = death->signal != 0 || death->code != 0;
    int64_t now = os_monotonic_ms();
    int delay_ms = 0;

    end_descendants(s); /* a worker that lives on would keep the port */
    switch (policy_ended(&s->policy, failed, death->signal != 0 ? -1 : death->code,
                         now - s->since_ms, now, &delay_ms)) {
    case POLICY_END:
        end_for_good(s, failed);
        return;
    case POLICY_GIVE_UP:
        snprintf(s->status_text, sizeof(s->status_text), "gave up: too many restarts");
        end_for_good(s, true);
        return;
    case POLICY_RESTART:
        break;
    }
    snprintf(s->status_text, sizeof(s->status_text), "restart in %d ms", delay_ms);
    set_phase(s, PHASE_WAITING);
    s->deadline = now + delay_ms;
}

static void
server_died(struct supervisor *s, const struct os_death *death)
{
    s->server = 0;
    describe_death(s, death);
    if (s->phase == PHASE_STOPPING) {
        s->exit_status = 0; /* it was asked to */
        end_for_good(s, false);
    } else {
        plan_restart(s, death);
    }
}

/* ---- What happens ------------------------------------------------------------------------ */

static void
reap_all(struct supervisor *s)
{
    struct os_death death;

    while (os_reap(&death) == 1)
        if (death.pid == s->server)
            server_died(s, &death);
}

static void
take_signals(struct supervisor *s)
{
    int signal;

    while ((signal = os_signal_next(s->signals)) > 0) {
        if (signal == os_signal_number("TERM"))
            begin_stop(s);
        else if (signal == os_signal_number("HUP"))
            signal_server_of(s, s->request->instance->config.reload_signal);
        else if (signal != os_signal_number("CHLD"))
            signal_server_of(s, signal);
    }
    reap_all(s);
}

static void
time_has_come(struct supervisor *s)
{
    if (s->phase == PHASE_WAITING) {
        s->words->restarts++;
        s->status_text[0] = '\0';
        start_server(s);
    } else if (s->phase == PHASE_STOPPING) {
        s->stop_step++;
        take_stop_step(s);
    }
}

static void
step(struct supervisor *s)
{
    struct os_source source = {.handle = s->signals};

    if (os_wait(&source, 1, s->deadline) < 0)
        return;
    if (source.ready)
        take_signals(s);
    if (s->deadline != NEVER && os_monotonic_ms() >= s->deadline)
        time_has_come(s);
}

int
supervise(const struct launch_request *request, const struct os_launch *launch, struct claim *claim,
          struct state_words *words, struct os_child *channel)
{
    struct supervisor s = {
        .request = request,
        .launch = launch,
        .claim = claim,
        .words = words,
        .channel = channel,
        .signals = OS_NONE,
        .deadline = NEVER,
    };
    struct launch_result result = {.stage = OS_STAGE_DETACH};

    policy_init(&s.policy, &request->instance->config.restart,
                (uint64_t)os_monotonic_ms() ^ (uint64_t)os_self() << 32);
    result.error = os_supervisor_prepare(&s.signals);
    if (result.error < 0) {
        tell_starter(&s, &result);
        claim_end(claim, true);
        return 1;
    }
    start_server(&s);
    while (s.phase != PHASE_ENDED)
        step(&s);
    (void)os_handle_close(s.signals);
    if (s.failed) /* the last state is left, for the post-mortem */
        claim->keep_state = true;
    claim_end(claim, true);
    return s.exit_status;
}

/* ---- Whether ----------------------------------------------------------------------------- */

const char *
supervise_reason(const struct launch_request *request)
{
    const struct config *config = &request->instance->config;

    if (request->command == NULL || config->supervise == SUPERVISE_NO)
        return NULL;
    if (config->supervise == SUPERVISE_YES)
        return "[server] supervise";
    if (config->restart.policy != RESTART_NO)
        return "[restart] policy";
    if (config->sequence[0].signal != 0)
        return "[stop] sequence";
    return NULL;
}
