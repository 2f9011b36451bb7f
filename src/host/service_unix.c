/* SPDX-License-Identifier: Apache-2.0 */
/* An instance as a service of systemd, OpenRC or sysvinit, by the units and scripts of units/. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/host.h"

#define SYSTEMD "/run/systemd/system" /* sd_booted(3) */
#define OPENRC  "/run/openrc/softlevel"
#define SCRIPT  "/etc/init.d/vortex"

enum init { INIT_NONE = 0, INIT_SYSTEMD, INIT_OPENRC, INIT_SYSV };

static enum init
init_here(void)
{
    if (os_path_check(SYSTEMD) == 0)
        return INIT_SYSTEMD;
    if (os_path_check(OPENRC) == 0)
        return INIT_OPENRC;
    return os_path_check(SCRIPT) == 0 ? INIT_SYSV : INIT_NONE;
}

/* What systemd, or OpenRC, calls the instance. */
static bool
name_of(enum init init, const char *instance, char *buf, size_t size)
{
    bool is_default = strcmp(instance, "vortex") == 0;
    int n;

    if (init == INIT_SYSTEMD)
        return systemd_unit_name(instance, buf, size);
    n = snprintf(buf, size, "vortex%s%s", is_default ? "" : ".", is_default ? "" : instance);
    return n > 0 && (size_t)n < size;
}

static const char *
scope(void)
{
    return os_is_root() ? "--system" : "--user";
}

/* 0; or what it ended with, and how says so. */
static int
run(const char *const *argv, char *how, size_t size)
{
    int r = os_run(argv, NULL, 0);

    if (r != 0)
        snprintf(how, size, "%s failed%s%s", argv[0], r < 0 ? ": " : ", as it says",
                 r < 0 ? strerror(-r) : "");
    return r;
}

static int
no_manager(char *how, size_t size)
{
    snprintf(how, size,
             "no systemd, OpenRC or %s here: let your service manager run 'vortex run "
             "NAME', as units/ shows for s6, runit and dinit",
             SCRIPT);
    return -ENOTSUP;
}

static bool
is_plain(const struct service_request *request, char *how, size_t size)
{
    if (request->config == NULL && request->pidfile == NULL && request->user == NULL)
        return true;
    snprintf(how, size,
             "the unit has its own --config, --pidfile and --user: leave them out, or "
             "see 'vortex unit'");
    return false;
}

/* ---- OpenRC and sysvinit ------------------------------------------------------------------- */

static int
openrc(const char *service, bool installs, char *how, size_t size)
{
    char path[OS_NAME_MAX + 32];
    const char *const link[] = {"ln", "-sfn", "vortex", path, NULL};
    const char *const add[] = {"rc-update", "add", service, "default", NULL};
    const char *const stop[] = {"rc-service", "--ifstarted", service, "stop", NULL};
    const char *const del[] = {"rc-update", "--all", "delete", service, NULL};
    const char *const unlink[] = {"rm", "-f", path, NULL};
    bool is_default = strcmp(service, "vortex") == 0;
    int r;

    snprintf(path, sizeof(path), "/etc/init.d/%s", service);
    if (installs) {
        r = is_default ? 0 : run(link, how, size);
        return r != 0 ? r : run(add, how, size);
    }
    r = run(stop, how, size);
    if (r == 0)
        r = run(del, how, size);
    return r != 0 || is_default ? r : run(unlink, how, size);
}

/* Its one script starts the instances that a variable names: a text that is the administrator's. */
static int
sysv(const char *instance, bool installs, char *how, size_t size)
{
    const char *const add[] = {"update-rc.d", "vortex", "defaults", NULL};
    int r = installs ? run(add, how, size) : 0;

    if (r == 0)
        snprintf(how, size, "%s '%s' %s INSTANCES in /etc/default/vortex",
                 installs ? "now see that" : "now take", instance,
                 installs ? "stands in" : "out of");
    return r;
}

/* ---- The verb ------------------------------------------------------------------------------ */

static int
change(const struct service_request *request, bool installs, char *how, size_t size)
{
    enum init init = init_here();
    char name[OS_NAME_MAX];
    const char *const enable[] = {"systemctl", scope(), "enable", name, NULL};
    const char *const disable[] = {"systemctl", scope(), "disable", "--now", name, NULL};

    if (!is_plain(request, how, size))
        return -EINVAL;
    if (init == INIT_NONE || !name_of(init, request->instance->name, name, sizeof(name)))
        return no_manager(how, size);
    if (init == INIT_SYSTEMD)
        return run(installs ? enable : disable, how, size);
    if (!os_is_root()) {
        snprintf(how, size, "run it as root");
        return -EACCES;
    }
    return init == INIT_OPENRC ? openrc(name, installs, how, size)
                               : sysv(request->instance->name, installs, how, size);
}

int
service_install(const struct service_request *request, char *ret_how, size_t size)
{
    return change(request, true, ret_how, size);
}

int
service_uninstall(const struct service_request *request, char *ret_how, size_t size)
{
    return change(request, false, ret_how, size);
}

int
service_act(const char *name, const char *verb, char *ret_how, size_t size)
{
    enum init init = init_here();
    char unit[OS_NAME_MAX];
    const char *const systemctl[] = {"systemctl", scope(), verb, unit, NULL};
    const char *const rc[] = {"rc-service", unit, verb, NULL};
    const char *const script[] = {SCRIPT, verb, name, NULL};

    if (init == INIT_NONE || !name_of(init, name, unit, sizeof(unit)))
        return no_manager(ret_how, size);
    return run(init == INIT_SYSTEMD ? systemctl : init == INIT_OPENRC ? rc : script, ret_how, size);
}

/* Does the command end well? What it says is for us alone. */
static bool
holds(const char *const *argv)
{
    char text[256];

    return os_run(argv, text, sizeof(text)) == 0;
}

int
service_ask(const char *name, struct service_state *ret)
{
    enum init init = init_here();
    char unit[OS_NAME_MAX], link[OS_NAME_MAX + 32];
    const char *const enabled[] = {"systemctl", scope(), "is-enabled", unit, NULL};
    const char *const active[] = {"systemctl", scope(), "is-active", unit, NULL};
    const char *const rc[] = {"rc-service", unit, "status", NULL};
    const char *const script[] = {SCRIPT, "status", name, NULL};

    memset(ret, 0, sizeof(*ret));
    if (init == INIT_NONE || !name_of(init, name, unit, sizeof(unit)))
        return -ENOTSUP;
    snprintf(link, sizeof(link), "/etc/runlevels/default/%s", unit);
    if (init == INIT_SYSTEMD)
        ret->is_automatic = holds(enabled);
    else
        ret->is_automatic = init == INIT_SYSV || os_path_check(link) == 0;
    ret->is_running = holds(init == INIT_SYSTEMD ? active : init == INIT_OPENRC ? rc : script);
    ret->is_installed = ret->is_automatic || ret->is_running;
    snprintf(ret->word, sizeof(ret->word), "%s", ret->is_running ? "running" : "stopped");
    snprintf(ret->title, sizeof(ret->title), "service %s", unit);
    return 0;
}
