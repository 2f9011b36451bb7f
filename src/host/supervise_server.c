/* SPDX-License-Identifier: Apache-2.0 */
/* The server of a supervisor: started, stopped step by step, and all that it leaves behind. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/supervisor.h"

#define TREE_WAIT_MS 10000 /* for killed descendants that sleep in the kernel */

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
kill_descendants(int64_t spared)
{
    int stop_signal = os_signal_number("STOP");
    int before = 0, seen = os_descendants_signal(stop_signal, spared);
    struct os_pace former;

    if (seen == 0)
        return;
    os_hurry(&former);
    while (seen > before) {
        before = seen;
        seen = os_descendants_signal(stop_signal, spared);
    }
    (void)os_descendants_signal(os_signal_number("KILL"), spared);
    os_hurry_end(&former);
}

/* At once, whoever their parents are; the tree below is for those who went to another group. */
static void
kill_group(const struct supervisor *s, int64_t end)
{
    struct os_source change = {.handle = s->cgroup.events, .wants_change = true};

    if (os_cgroup_kill(&s->cgroup) < 0)
        return;
    while (os_cgroup_is_populated(&s->cgroup) && os_monotonic_ms() < end)
        (void)os_wait(&change, 1, end);
}

/* One for each start; the next one stands where the former stood. */
static void
make_group(struct supervisor *s)
{
    char name[OS_NAME_MAX];

    if (s->cgroup.handle != OS_NONE && os_cgroup_renew(&s->cgroup) == 0)
        return;
    cgroup_name(&s->claim->paths, name, sizeof(name));
    if (os_cgroup_make(name, &s->cgroup) == 0)
        s->words->cgroup = s->cgroup.path;
}

static int64_t
log_writer(const struct supervisor *s)
{
    return s->log != NULL ? log_child(s->log) : 0;
}

/* Take note of all that are dead: -ECHILD none is left; 0 some live. */
static int
reap_all(struct supervisor *s)
{
    struct os_death death;
    int r;

    while ((r = os_reap(&death)) == 1) {
        int64_t now = os_monotonic_ms();
        int status = death.signal != 0 ? -death.signal : death.code;

        supervisor_child_ended(s, death.pid, status, now);
        if (death.pid == s->server)
            server_ended(s, &death);
    }
    return r;
}

void
server_end_descendants(struct supervisor *s)
{
    int64_t end = os_monotonic_ms() + TREE_WAIT_MS;

    gate_stop(s->ready); /* their commands are children too */
    gate_stop(s->health);
    gate_stop(s->again);
    job_break_off(s);
    /* Orphans come to us: without a child there is no descendant. */
    if (reap_all(s) == -ECHILD && !os_cgroup_is_populated(&s->cgroup))
        return;
    kill_group(s, end);
    do {
        kill_descendants(log_writer(s));
        if (reap_all(s) != 0 || os_is_childless(log_writer(s)))
            break;
        wait_for_deaths(s, 5);
    } while (os_monotonic_ms() < end);
}

/* ---- Start ------------------------------------------------------------------------------- */

static int
fork_named(struct supervisor *s, struct os_server *server)
{
    struct os_launch launch = *s->launch;
    struct os_hold hold;
    intptr_t end;
    int r = word_prepare(s, &launch, &end);

    make_group(s);
    launch.cgroup = &s->cgroup;
    launch.stored = s->store.handles;
    launch.stored_names = (const char *const *)s->store.names;
    launch.stored_count = s->store.count;
    if (s->log != NULL) { /* it goes through us */
        launch.output = NULL;
        launch.no_output = false;
    }
    if (r == 0)
        /* model: supervise fork */
        r = os_server_fork(&launch, &s->claim->lock, s->log != NULL ? log_output(s->log) : OS_NONE,
                           !s->instance->config.outlives_supervisor, server);
    (void)os_handle_close(end);
    if (r < 0)
        return r;
    r = os_process_hold(server->pid, &hold);
    if (r == 0) {
        r = os_process_identify(&hold, &s->identity);
        os_process_release(&hold);
    }
    if (r == 0) {
        s->server = server->pid;
        s->was_forked = true;
        s->since_ms = os_monotonic_ms();
        supervisor_set_phase(s, PHASE_STARTING); /* model: supervise name */
        r = s->untold; /* whom the state doesn't name would be nobody's, were we killed */
    }
    return r;
}

/* Whoever answers already would be taken for the server, which can't have that address. */
static int
refuse_stranger(struct supervisor *s, struct launch_result *result)
{
    bool may_be = s->listen_fds > 0 || s->instance->config.allows_stranger;
    const struct condition *taken = may_be ? NULL : gate_taken(s->ready);

    if (taken == NULL)
        return 0;
    result->stage = OS_STAGE_READY;
    snprintf(result->why, sizeof(result->why),
             "%.*s is answered already, before the server was started: does another program have "
             "that address?",
             (int)sizeof(result->why) / 2, taken->name);
    return -EADDRINUSE;
}

int
server_start(struct supervisor *s, struct launch_result *result)
{
    struct os_server server = {.channel = OS_NONE, .go = OS_NONE};
    int r = refuse_stranger(s, result);

    if (r < 0)
        return r;
    result->stage = OS_STAGE_DETACH;
    r = fork_named(s, &server);
    if (r == 0)
        return os_server_go(&server, &result->stage); /* model: supervise go */
    (void)os_handle_close(server.go);                 /* its end ends the child */
    (void)os_handle_close(server.channel);
    if (r == s->untold) {
        result->stage = OS_STAGE_NONE;
        snprintf(result->why, sizeof(result->why), "%.*s.state: %s", (int)sizeof(result->why) / 2,
                 s->instance->pidfile, strerror(-r));
    }
    return r;
}

/* ---- Stop -------------------------------------------------------------------------------- */

void
server_signal(const struct supervisor *s, int signal)
{
    struct os_hold hold;

    if (s->server != 0 && s->main.pid == s->server) {
        (void)os_process_signal(&s->main, signal);
        return;
    }
    /* Our own child: its number is its own until we reap it. */
    if (s->server == 0 || os_process_hold(s->server, &hold) < 0)
        return;
    (void)os_process_signal(&hold, signal);
    os_process_release(&hold);
}

/* The sequence of the configuration, else its signal and timeout; then KILL, always. */
static struct stop_step
step_of(const struct supervisor *s)
{
    const struct config *config = &s->instance->config;
    size_t count = 0;

    while (config->sequence[count].signal != 0)
        count++;
    if (s->stop_step < count)
        return config->sequence[s->stop_step];
    if (count == 0 && s->stop_step == 0)
        return (struct stop_step){config->stop_signal, config->stop_timeout_ms};
    return (struct stop_step){os_signal_number("KILL"), NEVER};
}

static void
signal_step(struct supervisor *s)
{
    server_signal(s, step_of(s).signal); /* model: supervise stop */
}

static void
take_step(struct supervisor *s)
{
    int timeout_ms = step_of(s).timeout_ms;

    s->deadline = timeout_ms < 0 ? NEVER : os_monotonic_ms() + timeout_ms;
    if (s->stop_step > 0 || s->instance->config.stop_command == NULL)
        signal_step(s);
    else if (job_begin(s, JOB_STOP) == PROBE_FAILS)
        server_stop_command_done(s, PROBE_FAILS);
}

void
server_stop_command_done(struct supervisor *s, enum probe_answer answer)
{
    int timeout_ms = step_of(s).timeout_ms;

    if (answer == PROBE_HOLDS) /* it has the rest of its time to end */
        return;
    supervisor_say(s, "stopping by signal", s->job.why);
    supervisor_tell_state(s);
    s->deadline = timeout_ms < 0 ? NEVER : os_monotonic_ms() + timeout_ms;
    signal_step(s);
}

void
server_stop(struct supervisor *s)
{
    s->stop_step = 0;
    gate_stop(s->ready);
    gate_stop(s->health);
    supervisor_set_phase(s, PHASE_STOPPING);
    take_step(s);
}

void
server_stop_further(struct supervisor *s)
{
    job_break_off(s);
    s->stop_step++;
    take_step(s);
}

/* "code 3", "signal SEGV core" */
void
server_ended(struct supervisor *s, const struct os_death *death)
{
    const char *name = os_signal_name(death->signal);
    const char *core = death->core ? " core" : "";

    s->server = 0;
    s->up_ms = os_monotonic_ms() - s->since_ms;
    os_process_release(&s->main);
    if (death->signal == 0 && death->code < 0)
        snprintf(s->exit_text, sizeof(s->exit_text), "unknown");
    else if (death->signal == 0)
        snprintf(s->exit_text, sizeof(s->exit_text), "code %d", death->code);
    else if (name != NULL)
        snprintf(s->exit_text, sizeof(s->exit_text), "signal %s%s", name, core);
    else
        snprintf(s->exit_text, sizeof(s->exit_text), "signal %d%s", death->signal, core);
    s->exit_status = death->signal != 0 ? 128 + death->signal : death->code;
    if (s->exit_status < 0)
        s->exit_status = 1;
}
