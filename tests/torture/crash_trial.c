/* SPDX-License-Identifier: Apache-2.0 */
/* One trial, in namespaces of its own: what is there before, the disturbed command, the aftermath. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crash.h"

static const char *const other_verbs[OTHERS] = {
    [OTHER_START] = "start",
    [OTHER_STOP] = "stop",
    [OTHER_STATUS] = "status",
};

/* ---- Before ------------------------------------------------------------------------------ */

/* Nothing that a trial does reaches beyond these; control groups are out of sight. */
static void
seclude(const struct tools *tools)
{
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0
        || mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0
        || mount("tmpfs", tools->directory, "tmpfs", 0, "mode=0755") < 0)
        fail("mount: %s", strerror(errno));
    (void)mount("tmpfs", "/sys/fs/cgroup", "tmpfs", 0, NULL);
}

static void
prepare(struct trial *t)
{
    world_make(t);
    world_add_bystander(t, 0);
    if (t->scenario->before == BEFORE_NOTHING)
        return;
    if (world_run(t, "start") != 0 || !world_wait_servers(t, 1))
        fail("no server could be started");
    t->old = world_state_pid(t, "pid");
    if (t->scenario->before == BEFORE_RUNNING)
        return;
    kill(t->old, SIGKILL);
    while (kill(t->old, 0) == 0) /* until it is reaped, and its number free */
        world_step(t, now_ms() + WATCHDOG_MS);
    world_add_bystander(t, t->old);
    t->old = 0;
}

static void
begin(struct trial *t)
{
    const struct scenario *s = t->scenario;
    const char *words[WORDS_MAX] = {t->tools->self, s->library, world_path(t, "web.pid"), NULL};

    t->ready = 0;
    if (s->verb != NULL)
        world_words(t, s->verb, words);
    tracer_begin(&t->tracer, words, world_path(t, "disturbed"));
}

/* ---- The disturbed command ---------------------------------------------------------------- */

/* What stays waits for events, and has come where it should: not to somebody else's end. */
static bool
has_settled(const struct trial *t)
{
    const struct tracer *tracer = &t->tracer;

    return t->scenario->ready > 0 && t->ready >= t->scenario->ready && tracer_is_quiet(tracer)
           && (tracer->root_ended
               || (strcmp(t->scenario->verb, "run") == 0
                   && world_state_pid(t, "pid") == tracer->root));
}

/* All have ended or become servers, or that. */
static bool
is_finished(struct trial *t)
{
    if (t->tracer.held != 0)
        return false;
    if (t->tracer.count == 0)
        return true;
    if (!has_settled(t))
        return false;
    if (!t->scenario->stops)
        return true;
    if (!t->asked)
        kill(t->tracer.root, SIGTERM);
    t->asked = true;
    return false;
}

/* Another command, to its end, while one is held. */
static void
run_other(struct trial *t, int64_t end)
{
    enum other other = t->tracer.point.other;
    const char *words[WORDS_MAX];
    pid_t pids[PEOPLE_MAX];
    int before = world_servers(t, pids);

    world_words(t, other_verbs[other], words);
    world_begin(t, words);
    while (t->waited != 0) {
        world_step(t, end);
        if (now_ms() >= end)
            fail("%s hangs meanwhile", other_verbs[other]);
    }
    after_other(t, other, t->status, before);
    tracer_release(&t->tracer);
}

static void
disturb(struct trial *t)
{
    int64_t end = now_ms() + WATCHDOG_MS;

    begin(t);
    while (!is_finished(t)) {
        world_step(t, end);
        if (t->tracer.held != 0)
            run_other(t, end);
        if (now_ms() >= end)
            fail("it hangs");
    }
}

int
trial_main(const struct scenario *scenario, const struct tools *tools, const struct point *point,
           struct seen *seen, int *seen_count)
{
    struct trial t = {.scenario = scenario, .tools = tools};

    t.tracer.point = *point;
    t.tracer.seen = seen;
    seclude(tools);
    prepare(&t);
    disturb(&t);
    if (seen_count != NULL)
        *seen_count = t.tracer.seen_count;
    t.tracer.seen = NULL;
    t.tracer.point.mode = MODE_NONE; /* what stays is left alone from now on */
    after_all(&t, point->mode == MODE_NONE || point->mode == MODE_ERROR);
    return point->mode != MODE_NONE && !t.tracer.reached ? TRIAL_UNREACHED : 0;
}
