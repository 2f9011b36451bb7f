/* SPDX-License-Identifier: Apache-2.0 */
/* How an instance fares, for people and programs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/host.h"
#include "lib/core.h"

void
manager_of(const struct os_process_facts *facts, char *buf, size_t size)
{
    if (facts->unit[0] != '\0')
        snprintf(buf, size, "%s%s", manager_unit_kind, facts->unit);
    else if (facts->owner[0] != '\0')
        snprintf(buf, size, "user %s", facts->owner);
    else
        buf[0] = '\0';
}

void
report_copy(struct vortex_report *report, const char *key, char *buf, size_t size)
{
    const char *value = vortex_report_get(report, key);

    snprintf(buf, size, "%s", value != NULL ? value : "");
}

static int64_t
number_value(struct vortex_report *report, const char *key)
{
    const char *value = vortex_report_get(report, key);
    uint64_t number;

    if (value == NULL || number_parse(value, strlen(value), &number) < 0 || number > INT64_MAX)
        return 0;
    return (int64_t)number;
}

/* ---- What a supervisor says -------------------------------------------------------------- */

/* A number at the start of a text, and what follows its mark: true. */
static bool
take_number(const char **text, const char *mark, int64_t *ret)
{
    size_t length = strcspn(*text, mark[0] != '\0' ? mark : "\n");
    uint64_t number;

    if (number_parse(*text, length, &number) < 0 || number > INT32_MAX
        || strncmp(*text + length, mark, strlen(mark)) != 0)
        return false;
    *ret = (int64_t)number;
    *text += length + strlen(mark);
    return true;
}

void
status_take_exit(const char *text, struct status *ret)
{
    size_t length;

    ret->exit_code = -1;
    ret->exit_signal[0] = '\0';
    ret->exit_core = false;
    snprintf(ret->exit, sizeof(ret->exit), "%s", text);
    if (strncmp(text, "code ", 5) == 0) {
        text += 5;
        (void)take_number(&text, "", &ret->exit_code);
    } else if (strncmp(text, "signal ", 7) == 0) {
        text += 7;
        length = strcspn(text, " ");
        snprintf(ret->exit_signal, sizeof(ret->exit_signal), "%.*s", (int)length, text);
        ret->exit_core = strcmp(text + length, " core") == 0;
    }
}

void
status_take_health(const char *text, struct status *ret)
{
    int64_t failures, limit;

    ret->health_failures = ret->health_limit = 0;
    ret->health[0] = '\0';
    if (strcmp(text, "none") == 0 || strcmp(text, "pending") == 0 || strcmp(text, "ok") == 0) {
        snprintf(ret->health, sizeof(ret->health), "%s", text);
    } else if (strncmp(text, "failing ", 8) == 0) {
        text += 8;
        if (!take_number(&text, " of ", &failures) || !take_number(&text, "", &limit))
            return;
        snprintf(ret->health, sizeof(ret->health), "failing");
        ret->health_failures = failures;
        ret->health_limit = limit;
    }
}

/*
 * The monotonic clock is the one that the supervisor waits by: no step of the wall clock moves it,
 * and a process that lives is of this boot.
 */
static void
take_next_restart(struct vortex_report *report, struct status *ret)
{
    int64_t at = number_value(report, "next-restart"), now = os_monotonic_ms();

    if (at > 0 && at - now <= INT32_MAX)
        ret->next_restart_ms = at > now ? at - now : 0;
}

/* What only a supervisor that lives knows of the present. */
static void
take_answers(struct vortex_report *report, struct status *ret)
{
    char health[64];

    report_copy(report, "not-ready", ret->not_ready, sizeof(ret->not_ready));
    report_copy(report, "health", health, sizeof(health));
    status_take_health(health, ret);
    if (ret->health[0] != '\0')
        report_copy(report, "health-answer", ret->health_answer, sizeof(ret->health_answer));
    take_next_restart(report, ret);
}

/* What the process itself is asked for. */
static void
describe(struct vortex_process *process, struct status *status)
{
    struct os_process_facts facts;

    os_process_describe(&process->hold, &facts);
    status->memory_bytes = facts.memory_bytes;
    /* Windows tells nobody whose service a process is: it said it itself. */
    if (facts.unit[0] == '\0'
        && strncmp(status->manager, manager_unit_kind, strlen(manager_unit_kind)) == 0)
        return;
    manager_of(&facts, status->manager, sizeof(status->manager));
}

static int
read_status(const char *name, const char *pidfile, bool asks, struct status *ret)
{
    struct vortex_process *process;
    struct vortex_report *report;
    char exit[64];
    int r = vortex_pidfile_inspect(pidfile, &report);

    if (r < 0)
        return r;
    *ret = (struct status){
        .verdict = vortex_report_verdict(report),
        .reason = vortex_report_reason(report),
        .pid = vortex_report_pid(report),
        .has_lock = vortex_report_has_lock(report),
        .uptime_ms = -1,
        .memory_bytes = -1,
        .next_restart_ms = -1,
    };
    snprintf(ret->name, sizeof(ret->name), "%s", name);
    snprintf(ret->pidfile, sizeof(ret->pidfile), "%s", pidfile);
    report_copy(report, "phase", ret->phase, sizeof(ret->phase));
    report_copy(report, "since", ret->since, sizeof(ret->since));
    report_copy(report, "exit", exit, sizeof(exit));
    status_take_exit(exit, ret);
    report_copy(report, "status", ret->status, sizeof(ret->status));
    ret->server_pid = number_value(report, "server-pid");
    ret->restarts = number_value(report, "restarts");
    report_copy(report, "log", ret->log, sizeof(ret->log));
    report_copy(report, "command", ret->command, sizeof(ret->command));
    report_copy(report, "manager", ret->manager, sizeof(ret->manager));
    process = vortex_report_process(report);
    if (process != NULL)
        ret->uptime_ms = os_process_age_ms(&process->hold);
    if (process != NULL && asks)
        describe(process, ret);
    if (ret->verdict == VORTEX_RUNNING)
        take_answers(report, ret);
    vortex_report_close(report);
    return 0;
}

int
status_read(const char *name, const char *pidfile, struct status *ret)
{
    return read_status(name, pidfile, true, ret);
}

int
status_glance(const char *name, const char *pidfile, struct status *ret)
{
    return read_status(name, pidfile, false, ret);
}

bool
status_runs(const char *name, const char *pidfile, struct status *ret)
{
    return status_read(name, pidfile, ret) == 0 && ret->pid != 0 && status_lives(ret);
}

bool
status_lives(const struct status *status)
{
    return status->verdict == VORTEX_RUNNING || status->verdict == VORTEX_ORPHANED;
}

int
status_exit(const struct status *status)
{
    switch (status->verdict) {
    case VORTEX_RUNNING:
    case VORTEX_ORPHANED:
        return 0;
    case VORTEX_STALE:
    case VORTEX_INVALID:
        return 1;
    case VORTEX_NOT_RUNNING:
        return status->has_lock ? 2 : 3;
    case VORTEX_BUSY:
    case VORTEX_UNPROVED:
        break;
    }
    return 4;
}

const char *
status_word(enum vortex_verdict verdict)
{
    switch (verdict) {
    case VORTEX_RUNNING:
        return "running";
    case VORTEX_ORPHANED:
        return "orphaned";
    case VORTEX_BUSY:
        return "busy";
    case VORTEX_STALE:
        return "stale";
    case VORTEX_UNPROVED:
        return "unproved";
    case VORTEX_INVALID:
        return "invalid";
    case VORTEX_NOT_RUNNING:
        break;
    }
    return "not running";
}
