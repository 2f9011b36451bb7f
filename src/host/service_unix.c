/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An instance as a service of this machine: whose, and is it there? Where no service manager runs, as
 * in a chroot or while an image is made, it is the one that this file system would boot.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/service.h"

enum manager { NOBODY = 0, SYSTEMD, SCRIPTS };

static enum manager
manager_here(void)
{
    enum service_script script = service_script_kind();
    enum manager scripts = script != SERVICE_SCRIPT_NONE ? SCRIPTS : NOBODY;
    struct os_file_id systemd;

    if (systemd_is_booted())
        return SYSTEMD;
    if (openrc_is_booted())
        return scripts;
    if (os_path_identify("/lib/systemd/systemd", &systemd) == 0
        && os_path_is("/sbin/init", &systemd))
        return SYSTEMD;
    /* A package may bring a script to a file system that boots nothing, or something else. */
    return os_path_check(script == SERVICE_SCRIPT_OPENRC ? "/sbin/openrc-run" : "/etc/inittab") == 0
               ? scripts
               : NOBODY;
}

static bool
is_systemds(void)
{
    return manager_here() == SYSTEMD;
}

static int
no_manager(const char *name, char *how, size_t size)
{
    snprintf(how, size,
             "there is no systemd here, and no OpenRC or sysvinit with " SERVICE_SCRIPT ": have "
             "what starts servers here run 'vortex run %s', as the examples for s6, runit and "
             "dinit do",
             name);
    return -ENOTSUP;
}

int
service_check(const struct service_request *request, char *ret_how, size_t size)
{
    enum manager manager = manager_here();

    if (manager == NOBODY)
        return no_manager(request->name, ret_how, size);
    if (manager != SYSTEMD && !os_is_root()) { /* of systemd a user has one, too */
        snprintf(ret_how, size, "only root may: run it as root");
        return -EACCES;
    }
    if (request->config == NULL && request->pidfile == NULL && request->user == NULL)
        return 0;
    snprintf(ret_how, size,
             "--config, --pidfile and --user are the unit's or the script's to say: leave them "
             "out, or see 'vortex unit %s'",
             request->name);
    return -EINVAL;
}

/* A user's own, as the unit has it: %E/vortex/NAME.conf. */
static bool
own_config(const char *name, char *buf, size_t size)
{
    const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    bool is_said = xdg != NULL && xdg[0] == '/';

    if (!is_said && home == NULL)
        return false;
    snprintf(buf, size, "%s%s/vortex/%s.conf", is_said ? xdg : home, is_said ? "" : "/.config",
             name);
    return true;
}

bool
service_config(const char *name, char *buf, size_t size)
{
    char directory[OS_PATH_MAX];

    if (!os_is_root() && is_systemds())
        return own_config(name, buf, size);
    if (strcmp(name, "vortex") == 0 || os_config_directory(directory, sizeof(directory)) < 0)
        return false;
    snprintf(buf, size, "%s/%s.conf", directory, name);
    return true;
}

int
service_install(const struct service_request *request, char *ret_how, size_t size)
{
    return is_systemds() ? systemd_install(request->name, ret_how, size)
                         : script_install(request->name, ret_how, size);
}

int
service_uninstall(const struct service_request *request, char *ret_how, size_t size)
{
    return is_systemds() ? systemd_uninstall(request->name, ret_how, size)
                         : script_uninstall(request->name, ret_how, size);
}

int
service_act(const char *name, const char *verb, char *ret_how, size_t size)
{
    return is_systemds() ? systemd_act(name, verb, ret_how, size)
                         : script_act(name, verb, ret_how, size);
}

int
service_ask(const char *name, struct service_state *ret, char *ret_how, size_t size)
{
    enum manager manager = manager_here();
    int r = 0;

    memset(ret, 0, sizeof(*ret));
    if (manager == NOBODY)
        return no_manager(name, ret_how, size);
    if (manager == SYSTEMD)
        r = systemd_ask(name, ret, ret_how, size);
    else
        script_ask(name, ret);
    ret->is_installed = ret->is_automatic || ret->is_running;
    return r;
}
