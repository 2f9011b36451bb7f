/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An instance that is systemd's: what is done to it behind systemd's back makes the unit's state
 * untrue, and a unit with Restart= undoes it. So it is done through systemd.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/service.h"

const char manager_unit_kind[] = "systemd unit ";

#define BOOTED "/run/systemd/system" /* sd_booted(3) */

bool
systemd_is_booted(void)
{
    return os_path_check(BOOTED) == 0;
}

const char *
systemd_scope(const struct manager_unit *unit)
{
    return unit->is_users ? "--user" : "--system";
}

/* From within the unit itself, as its ExecStart= or ExecReload=, it would wait for itself. */
static bool
is_within(const char *unit)
{
    struct os_process_facts facts;

    os_self_describe(&facts);
    return strcmp(facts.unit, unit) == 0;
}

/* Is that process the unit's main one, for this manager? */
static bool
is_main(const struct manager_unit *unit, int64_t pid)
{
    const char *const argv[] = {"systemctl", systemd_scope(unit), "show", "--property=MainPID",
                                "--value",   unit->name,          NULL};
    char text[64], *end;

    /* A line that isn't whole may hold the beginning of another number. */
    return os_run(argv, text, sizeof(text)) == 0 && strtoll(text, &end, 10) == pid && *end == '\n';
}

bool
manager_unit_of(const struct status *status, const char *verb, struct manager_unit *ret)
{
    const char *prefix = manager_unit_kind;
    struct manager_unit unit = {.is_users = false};

    (void)verb; /* all of them */
    if (status->pid == 0 || strncmp(status->manager, prefix, strlen(prefix)) != 0
        || !systemd_is_booted())
        return false;
    snprintf(unit.name, sizeof(unit.name), "%s", status->manager + strlen(prefix));
    if (is_within(unit.name))
        return false;
    /* A server that was started by hand within some unit is none of that unit's business. */
    while (!is_main(&unit, status->pid)) {
        if (unit.is_users)
            return false;
        unit.is_users = true;
    }
    *ret = unit;
    return true;
}

bool
systemd_unit_of(const char *instance, struct manager_unit *ret)
{
    struct manager_unit unit = {.is_users = !os_is_root()};
    /* A user has no unit but the template. */
    bool is_plain = !unit.is_users && strcmp(instance, "vortex") == 0;
    int n = is_plain ? snprintf(unit.name, sizeof(unit.name), "vortex.service")
                     : snprintf(unit.name, sizeof(unit.name), "vortex@%s.service", instance);

    *ret = unit;
    return n > 0 && (size_t)n < sizeof(unit.name);
}

bool
manager_unit_enabled(const char *instance, struct manager_unit *ret)
{
    struct manager_unit unit;
    const char *argv[] = {"systemctl", NULL, "is-enabled", "--quiet", unit.name, NULL};

    if (!systemd_is_booted() || !systemd_unit_of(instance, &unit) || is_within(unit.name))
        return false;
    argv[1] = systemd_scope(&unit);
    if (os_run(argv, NULL, 0) != 0)
        return false;
    *ret = unit;
    return true;
}

int
manager_act(const struct manager_unit *unit, const char *verb)
{
    const char *const argv[] = {"systemctl", systemd_scope(unit), verb, unit->name, NULL};

    return os_run(argv, NULL, 0);
}

void
manager_advice(const struct manager_unit *unit, const char *verb, int result, char *buf,
               size_t size)
{
    (void)result; /* systemctl said it */
    snprintf(buf, size, "systemctl %s %s failed: see 'systemctl %sstatus %s'", verb, unit->name,
             unit->is_users ? "--user " : "", unit->name);
}
