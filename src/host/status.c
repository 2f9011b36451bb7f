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
        snprintf(buf, size, "systemd unit %s", facts->unit);
    else if (facts->owner[0] != '\0')
        snprintf(buf, size, "user %s", facts->owner);
    else
        buf[0] = '\0';
}

static void
copy_value(struct vortex_report *report, const char *key, char *buf, size_t size)
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

static void
describe(struct vortex_process *process, struct status *status)
{
    struct os_process_facts facts;

    os_process_describe(&process->hold, &facts);
    status->uptime_ms = facts.age_ms;
    status->memory_bytes = facts.memory_bytes;
    manager_of(&facts, status->manager, sizeof(status->manager));
}

int
status_read(const char *name, const char *pidfile, struct status *ret)
{
    struct vortex_report *report;
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
    };
    snprintf(ret->name, sizeof(ret->name), "%s", name);
    snprintf(ret->pidfile, sizeof(ret->pidfile), "%s", pidfile);
    copy_value(report, "phase", ret->phase, sizeof(ret->phase));
    copy_value(report, "since", ret->since, sizeof(ret->since));
    copy_value(report, "exit", ret->exit, sizeof(ret->exit));
    copy_value(report, "status", ret->status, sizeof(ret->status));
    ret->server_pid = number_value(report, "server-pid");
    ret->restarts = number_value(report, "restarts");
    copy_value(report, "command", ret->command, sizeof(ret->command));
    copy_value(report, "manager", ret->manager, sizeof(ret->manager));
    if (vortex_report_process(report) != NULL)
        describe(vortex_report_process(report), ret);
    vortex_report_close(report);
    return 0;
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
