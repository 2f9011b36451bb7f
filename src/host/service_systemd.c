/* SPDX-License-Identifier: Apache-2.0 */
/* An instance as a service of systemd: the units of units/systemd, enabled and disabled. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/service.h"

/* What systemd says of a unit. */
struct facts {
    bool answers; /* else only its files can be changed, for the next boot */
    bool is_found;
    bool is_masked;
    bool is_enabled;
    bool is_running; /* or starts, or stops */
    char active[32];
};

/* KEY's value, a line of its own: true. */
static bool
find_value(const char *text, const char *key, char *buf, size_t size)
{
    const char *at = strstr(text, key);

    if (at != NULL)
        snprintf(buf, size, "%.*s", (int)strcspn(at + strlen(key), "\n"), at + strlen(key));
    return at != NULL;
}

static void
take_facts(const char *text, struct facts *ret)
{
    char load[32], file[32];

    ret->answers = find_value(text, "LoadState=", load, sizeof(load))
                   && find_value(text, "ActiveState=", ret->active, sizeof(ret->active));
    if (!ret->answers || !find_value(text, "UnitFileState=", file, sizeof(file)))
        snprintf(file, sizeof(file), "%.*s", (int)strcspn(text, "\n"), text);
    ret->is_found = ret->answers ? strcmp(load, "not-found") != 0
                                 : file[0] != '\0' && strcmp(file, "not-found") != 0;
    ret->is_masked = strncmp(file, "masked", strlen("masked")) == 0;
    ret->is_enabled = strcmp(file, "enabled") == 0;
    ret->is_running = ret->active[0] != '\0' && strcmp(ret->active, "inactive") != 0
                      && strcmp(ret->active, "failed") != 0;
}

/* Of the running manager: 0; an error. What systemctl would say of it is left out. */
static int
show(const struct manager_unit *unit, const char *verb, const char *option, char *buf, size_t size)
{
    const char *const argv[] = {"env",       "SYSTEMD_LOG_LEVEL=emerg",
                                "systemctl", systemd_scope(unit),
                                verb,        unit->name,
                                option,      NULL};

    return os_run(argv, buf, size);
}

/* Ask the running manager, else, as in a chroot or an image, the files: 0; else how says why not. */
static int
ask(const char *name, struct manager_unit *ret_unit, struct facts *ret, char *how, size_t size)
{
    char text[256] = "";

    memset(ret, 0, sizeof(*ret));
    if (!systemd_unit_of(name, ret_unit)) {
        snprintf(how, size, "that name is too long for a unit's");
        return -ENAMETOOLONG;
    }
    if (systemd_is_booted()
        && show(ret_unit, "show", "--property=LoadState,ActiveState,UnitFileState", text,
                sizeof(text))
               != 0) {
        snprintf(how, size, "systemd can't be asked%s",
                 ret_unit->is_users ? " for your units: log in as that user, or run it as root"
                                    : "");
        return -ENOTCONN;
    }
    if (text[0] == '\0') /* it doesn't run, or, in a chroot, isn't asked */
        (void)show(ret_unit, "is-enabled", NULL, text, sizeof(text));
    take_facts(text, ret);
    return 0;
}

/* 0; else how says that it failed, and the tool why. */
static int
change(const struct manager_unit *unit, const char *verb, bool now, char *how, size_t size)
{
    const char *const argv[] = {"systemctl", systemd_scope(unit),  verb, "--quiet",
                                unit->name,  now ? "--now" : NULL, NULL};
    int r = os_run(argv, NULL, 0);

    if (r != 0)
        snprintf(how, size, "systemctl %s %s failed%s", verb, unit->name,
                 r == 127 ? ": there is no such program" : "");
    return r;
}

int
systemd_install(const char *name, char *ret_how, size_t size)
{
    struct manager_unit unit;
    struct facts facts;
    int r = ask(name, &unit, &facts, ret_how, size);

    if (r < 0)
        return r;
    if (!facts.is_found) {
        snprintf(ret_how, size,
                 "there is no %sunit %s: install Vortex's, or write what 'vortex unit %s' prints",
                 unit.is_users ? "user " : "", unit.name, name);
        return -ENOENT;
    }
    if (facts.is_masked) {
        snprintf(ret_how, size, "%s is masked: see 'systemctl %sunmask %s'", unit.name,
                 unit.is_users ? "--user " : "", unit.name);
        return -EBUSY;
    }
    r = change(&unit, "enable", false, ret_how, size);
    if (r == 0)
        snprintf(ret_how, size, "systemd unit %s is enabled%s", unit.name,
                 unit.is_users ? ", for your logins; 'loginctl enable-linger' makes that the "
                                 "start of the machine"
                               : "");
    return r;
}

int
systemd_uninstall(const char *name, char *ret_how, size_t size)
{
    struct manager_unit unit;
    struct facts facts;
    int r = ask(name, &unit, &facts, ret_how, size);

    if (r < 0)
        return r;
    if (!facts.is_enabled && !facts.is_running) {
        snprintf(ret_how, size, "it was not installed");
        return 0;
    }
    r = change(&unit, "disable", facts.answers, ret_how, size);
    if (r == 0)
        snprintf(ret_how, size, "systemd unit %s is disabled", unit.name);
    return r;
}

int
systemd_act(const char *name, const char *verb, char *ret_how, size_t size)
{
    struct manager_unit unit;
    struct facts facts;
    int r = ask(name, &unit, &facts, ret_how, size);

    if (r < 0)
        return r;
    if (!facts.answers) {
        snprintf(ret_how, size, "systemd doesn't run here: 'vortex %s %s' does without it", verb,
                 name);
        return -ENOTCONN;
    }
    r = manager_act(&unit, verb);
    if (r != 0)
        manager_advice(&unit, verb, r, ret_how, size);
    return r;
}

int
systemd_ask(const char *name, struct service_state *ret, char *ret_how, size_t size)
{
    static const char *const words[][2] = {
        {"active", "running"},        {"inactive", "stopped"}, {"activating", "starting"},
        {"deactivating", "stopping"}, {"", "stopped"},
    };
    struct manager_unit unit;
    struct facts facts;
    int r = ask(name, &unit, &facts, ret_how, size);

    if (r < 0)
        return r;
    ret->is_automatic = facts.is_enabled;
    ret->is_running = facts.is_running;
    ret->is_users = unit.is_users;
    snprintf(ret->word, sizeof(ret->word), "%s", facts.active);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(facts.active, words[i][0]) == 0)
            snprintf(ret->word, sizeof(ret->word), "%s", words[i][1]);
    snprintf(ret->title, sizeof(ret->title), "%s%s%s", unit.is_users ? "your " : "",
             manager_unit_kind, unit.name);
    return 0;
}
