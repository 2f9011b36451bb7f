/* SPDX-License-Identifier: Apache-2.0 */
/* Commands beside the server, which a supervisor never waits for: an exec probe that speaks. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "host/supervisor.h"

/* ---- What is to be run ------------------------------------------------------------------- */

static char **
command_of(const struct config *config, enum job_kind kind)
{
    switch (kind) {
    case JOB_PRE_START:
        return config->hooks[HOOK_PRE_START];
    case JOB_POST_START:
        return config->hooks[HOOK_POST_START];
    case JOB_PRE_STOP:
        return config->hooks[HOOK_PRE_STOP];
    case JOB_POST_STOP:
        return config->hooks[HOOK_POST_STOP];
    case JOB_STOP:
        return config->stop_command;
    case JOB_RELOAD:
        return config->reload_command;
    }
    return NULL;
}

/* Those of a stop and a reload have the time of what they are for. */
static int
timeout_of(const struct config *config, enum job_kind kind)
{
    return kind == JOB_STOP || kind == JOB_RELOAD ? -1 : config->hook_timeout_ms;
}

/* The server's environment, and what a command beside it wants to know. */
static bool
make_environment(struct supervisor *s, enum job_kind kind)
{
    const char *const *inherited = s->launch->env;
    struct job *job = &s->job;
    size_t count = 0, at = 0;

    while (inherited != NULL && inherited[count] != NULL)
        count++;
    job->environment = calloc(count + 4, sizeof(*job->environment));
    if (job->environment == NULL)
        return false;
    for (; at < count; at++)
        job->environment[at] = inherited[at];
    snprintf(job->name, sizeof(job->name), "VORTEX_NAME=%s", s->instance->name);
    job->environment[at++] = job->name;
    if (s->server != 0) {
        snprintf(job->pid, sizeof(job->pid), "VORTEX_PID=%" PRId64, s->server);
        job->environment[at++] = job->pid;
    }
    if (kind == JOB_POST_STOP && s->was_forked) {
        snprintf(job->exit, sizeof(job->exit), "VORTEX_EXIT=%s", s->exit_text);
        job->environment[at++] = job->exit;
    }
    return true;
}

/* Its output goes where the server's does. */
static intptr_t
output_of(const struct supervisor *s)
{
    intptr_t output = s->log != NULL ? log_output(s->log) : OS_NONE;

    return output != OS_NONE ? output : OS_OURS;
}

/* ---- A life ------------------------------------------------------------------------------ */

static void
end(struct supervisor *s)
{
    probe_free(s->job.probe);
    s->job.probe = NULL;
    free(s->job.environment);
    s->job.environment = NULL;
}

/* With an answer it is over; why it failed is kept. */
static enum probe_answer
settle(struct supervisor *s, enum probe_answer answer)
{
    if (answer == PROBE_FAILS)
        snprintf(s->job.why, sizeof(s->job.why), "%s", probe_why(s->job.probe));
    if (answer != PROBE_PENDING)
        end(s);
    return answer;
}

enum probe_answer
job_begin(struct supervisor *s, enum job_kind kind)
{
    static const char *const names[] = {
        [JOB_PRE_START] = "pre-start", [JOB_POST_START] = "post-start",
        [JOB_PRE_STOP] = "pre-stop",   [JOB_POST_STOP] = "post-stop",
        [JOB_STOP] = "stop command",   [JOB_RELOAD] = "reload command",
    };
    const struct config *config = &s->instance->config;
    struct job *job = &s->job;
    char **command = command_of(config, kind);

    job_break_off(s);
    if (command == NULL)
        return PROBE_HOLDS;
    snprintf(job->title, sizeof(job->title), "%s", names[kind]);
    job->condition = (struct condition){
        .kind = CONDITION_EXEC,
        .name = job->title,
        .command = command,
    };
    job->as = *s->launch;
    job->as.dies_with = config->outlives_supervisor ? 0 : os_self();
    if (!make_environment(s, kind)
        || probe_new(&job->condition, &job->as, timeout_of(config, kind), &job->probe) < 0) {
        end(s);
        snprintf(job->why, sizeof(job->why), "%s: out of memory", names[kind]);
        return PROBE_FAILS;
    }
    job->as.env = job->environment;
    probe_set_output(job->probe, output_of(s));
    job->answer = PROBE_PENDING;
    return settle(s, probe_begin(job->probe, os_monotonic_ms()));
}

bool
job_runs(const struct supervisor *s)
{
    return s->job.probe != NULL;
}

int64_t
job_deadline(const struct supervisor *s)
{
    return job_runs(s) ? probe_deadline(s->job.probe) : NEVER;
}

enum probe_answer
job_step(struct supervisor *s, int64_t now_ms)
{
    if (s->job.answer == PROBE_PENDING)
        s->job.answer = probe_continue(s->job.probe, false, now_ms);
    return settle(s, s->job.answer);
}

void
job_break_off(struct supervisor *s)
{
    if (job_runs(s))
        end(s);
}

bool
job_child_ended(struct supervisor *s, int64_t pid, int status)
{
    if (!job_runs(s) || pid <= 0 || probe_child(s->job.probe) != pid)
        return false;
    s->job.answer = probe_child_ended(s->job.probe, status);
    return true;
}
