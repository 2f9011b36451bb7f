/* SPDX-License-Identifier: Apache-2.0 */
/* Ask for a reload, and follow it by the state of the supervisor. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/host.h"
#include "lib/core.h"

/* A look at the state after a 16th of the time that the reload has taken, and at most so seldom. */
#define LOOK_PART   16
#define LOOK_MAX_MS 1000
#define BEGIN_MS    5000 /* for a supervisor whose server is ready */

static bool
get_count(struct vortex_report *report, const char *key, uint64_t *ret)
{
    const char *value = vortex_report_get(report, key);

    *ret = 0;
    return value != NULL && number_parse(value, strlen(value), ret) == 0;
}

/* Has it begun, or must it wait for what is under way? */
static bool
is_heard(struct vortex_report *report, uint64_t number)
{
    const char *phase;
    uint64_t begun;

    if (get_count(report, "reloads", &begun) && begun >= number)
        return true;
    phase = vortex_report_get(report, "phase");
    return phase == NULL || strcmp(phase, "ready") != 0;
}

/* Has that reload ended, or a later one? 1, 0; -ESRCH there is nobody any more. */
static int
look(const char *pidfile, int64_t supervisor, uint64_t number, bool is_late,
     struct reload_result *result)
{
    struct vortex_report *report;
    uint64_t ended;
    int r = vortex_pidfile_inspect(pidfile, &report);

    if (r < 0)
        return r;
    if (vortex_report_verdict(report) != VORTEX_RUNNING || vortex_report_pid(report) != supervisor)
        r = -ESRCH;
    else if (get_count(report, "reloaded", &ended) && ended >= number)
        r = 1;
    else if (is_late && !is_heard(report, number))
        r = -ECANCELED;
    if (r == -ECANCELED)
        snprintf(result->why, sizeof(result->why),
                 "its supervisor does not begin: it stands still, or can't write %.150s.state: "
                 "make room there",
                 pidfile);
    if (r == 1) {
        report_copy(report, "reload-failure", result->why, sizeof(result->why));
        report_copy(report, "needs-restart", result->needs_restart, sizeof(result->needs_restart));
    }
    vortex_report_close(report);
    return r;
}

/* The wait is on the supervisor: its death ends it. */
static int
follow(const char *pidfile, const struct os_hold *supervisor, uint64_t number,
       struct reload_result *result)
{
    int64_t begin = os_monotonic_ms(), took = 0;
    int r;

    while ((r = look(pidfile, supervisor->pid, number, took >= BEGIN_MS, result)) == 0) {
        int64_t ms = took / LOOK_PART + 1;

        r = os_process_wait(supervisor, ms > LOOK_MAX_MS ? LOOK_MAX_MS : (int)ms);
        if (r == 0)
            return -ESRCH;
        if (r != -ETIMEDOUT && r != -EINTR)
            return r;
        took = os_monotonic_ms() - begin;
    }
    if (r < 0)
        return r;
    return result->why[0] != '\0' ? -ECANCELED : 0;
}

void
reload_server(const char *pidfile, int signal, bool assume_running, struct reload_result *ret)
{
    struct vortex_report *report;
    uint64_t begun;
    int64_t pid;
    int r = vortex_pidfile_inspect(pidfile, &report);

    *ret = (struct reload_result){.error = r};
    if (r < 0)
        return;
    /* The count is read before the signal: whatever begins after that has heard of it. */
    if (vortex_report_verdict(report) == VORTEX_RUNNING && get_count(report, "reloads", &begun)) {
        const struct os_hold *hold = &vortex_report_process(report)->hold;

        ret->error = os_process_signal(hold, os_signal_number("HUP"));
        ret->is_waited = ret->error == 0;
        if (ret->is_waited)
            ret->error = follow(pidfile, hold, begun + 1, ret);
    } else {
        ret->error = signal_server(pidfile, signal, assume_running, &pid);
    }
    vortex_report_close(report);
}
