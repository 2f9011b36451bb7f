/* SPDX-License-Identifier: Apache-2.0 */
/* An instance as a service of Windows, which has the instance's name. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/unit.h"

#define STOP_LONGEST_MS 3600000 /* no shutdown of a machine waits longer */

const char manager_unit_kind[] = "service ";

/* Without the quotes, an installer of another hand may have made it: `install` puts that right. */
static bool
is_ours(const char *command, const char *name)
{
    static const char program[] = "vortex.exe";
    const char *at = strstr(command, program);
    char rest[OS_NAME_MAX + 8];
    size_t length;

    if (at == NULL)
        return false;
    at += strlen(program);
    at += *at == '"';
    snprintf(rest, sizeof(rest), " run %s", name);
    length = strlen(rest);
    return strncmp(at, rest, length) == 0 && (at[length] == '\0' || at[length] == ' ');
}

/* Is there one, and is it ours? */
static int
ask(const char *name, struct os_service_facts *ret)
{
    int r = os_service_ask(name, ret);

    return r < 0 || is_ours(ret->command, name) ? r : -EEXIST;
}

static const char *
word_of(enum os_service_state state)
{
    static const char *const words[] = {
        [OS_SERVICE_STOPPED] = "stopped",
        [OS_SERVICE_STARTING] = "starting",
        [OS_SERVICE_RUNNING] = "running",
        [OS_SERVICE_STOPPING] = "stopping",
    };

    return words[state];
}

static void
say_why(const char *name, int error, char *buf, size_t size)
{
    if (error == -EEXIST)
        snprintf(buf, size, "service '%s' isn't one of vortex: choose another name", name);
    else if (error == -ENOENT)
        snprintf(buf, size, "it is not installed: see 'vortex service install %s'", name);
    else if (error == -EACCES)
        snprintf(buf, size, "run it as an administrator, elevated");
    else if (error == -ENXIO)
        snprintf(buf, size,
                 "there is no such user, or one with a password, which "
                 "'sc config %s obj= ... password= ...' takes",
                 name);
    else if (error == -ETIMEDOUT)
        snprintf(buf, size, "it shows no progress: see 'vortex status %s'", name);
    else
        snprintf(buf, size, "%s", strerror(-error));
}

/* ---- Through the service manager ----------------------------------------------------------- */

bool
manager_unit_of(const struct status *status, const char *verb, struct manager_unit *ret)
{
    struct os_service_facts facts;

    /* A reload by us waits until the server is ready again; the manager's would not. */
    if (strcmp(verb, "reload") == 0 || ask(status->name, &facts) < 0 || facts.pid != status->pid)
        return false;
    *ret = (struct manager_unit){.is_users = false};
    snprintf(ret->name, sizeof(ret->name), "%s", status->name);
    return true;
}

bool
manager_unit_enabled(const char *instance, struct manager_unit *ret)
{
    struct os_service_facts facts;

    if (ask(instance, &facts) < 0)
        return false;
    *ret = (struct manager_unit){.is_users = false};
    snprintf(ret->name, sizeof(ret->name), "%s", instance);
    return true;
}

/* A server's own exit status can't be told from an error's number, so it is made one. */
static int
start(const char *name, char *buf, size_t size)
{
    int code = 0, r = os_service_start(name, &code);

    if (r == -ECHILD)
        snprintf(buf, size, "it ended with %d: see 'vortex status %s' and the event log", code,
                 name);
    else if (r < 0)
        say_why(name, r, buf, size);
    return r;
}

int
manager_act(const struct manager_unit *unit, const char *verb)
{
    char why[256];
    int r = strcmp(verb, "start") == 0 ? 0 : os_service_stop(unit->name);

    return r < 0 || strcmp(verb, "stop") == 0 ? r : start(unit->name, why, sizeof(why));
}

void
manager_advice(const struct manager_unit *unit, const char *verb, int result, char *buf,
               size_t size)
{
    (void)verb;
    if (result == -ECHILD)
        snprintf(buf, size, "its service ended: see 'vortex status %s' and the event log",
                 unit->name);
    else
        say_why(unit->name, result, buf, size);
}

/* ---- The verb ------------------------------------------------------------------------------ */

int
service_check(const struct service_request *request, char *ret_how, size_t size)
{
    (void)request;
    (void)ret_how;
    (void)size;
    return 0;
}

bool
service_config(const char *name, char *buf, size_t size)
{
    (void)name;
    (void)buf;
    (void)size;
    return false;
}

int
service_install(const struct service_request *request, char *ret_how, size_t size)
{
    const struct instance *in = request->instance;
    char description[OS_PATH_MAX + 64], user[OS_NAME_MAX + 16];
    int stop_ms = unit_stop_ms(&in->config);
    struct os_service service = {
        .name = in->name,
        .description = description,
        .config = request->config,
        .pidfile = request->pidfile,
        .user = request->user != NULL ? request->user : user,
        .runtime_file = in->pidfile,
        .stop_ms = stop_ms < 0 || stop_ms > STOP_LONGEST_MS ? STOP_LONGEST_MS : stop_ms,
    };
    struct os_service_facts facts;
    int r = ask(in->name, &facts);

    snprintf(description, sizeof(description), "The server of %.800s, hosted by Vortex",
             in->config_path);
    snprintf(user, sizeof(user), "NT SERVICE\\%s", in->name);
    if (r == 0 || r == -ENOENT)
        r = os_is_root() ? os_service_install(&service) : -EACCES;
    if (r < 0)
        say_why(in->name, r, ret_how, size);
    return r;
}

int
service_uninstall(const struct service_request *request, char *ret_how, size_t size)
{
    const struct instance *in = request->instance;
    struct os_service_facts facts;
    int r = ask(in->name, &facts);

    if (r == 0)
        r = os_is_root() ? os_service_remove(in->name, in->pidfile) : -EACCES;
    if (r == -ENOENT) {
        snprintf(ret_how, size, "it was not installed");
        return 0;
    }
    if (r < 0)
        say_why(in->name, r, ret_how, size);
    return r;
}

int
service_act(const char *name, const char *verb, char *ret_how, size_t size)
{
    struct os_service_facts facts;
    int r = ask(name, &facts);

    if (r == 0 && strcmp(verb, "start") == 0)
        return start(name, ret_how, size);
    if (r == 0)
        r = os_service_stop(name);
    if (r < 0)
        say_why(name, r, ret_how, size);
    return r;
}

int
service_ask(const char *name, struct service_state *ret, char *ret_how, size_t size)
{
    struct os_service_facts facts;
    int r = ask(name, &facts);

    memset(ret, 0, sizeof(*ret));
    snprintf(ret->title, sizeof(ret->title), "service %s", name);
    if (r == -ENOENT || r == -EEXIST)
        return 0;
    if (r < 0) {
        say_why(name, r, ret_how, size);
        return r;
    }
    ret->is_installed = true;
    ret->is_automatic = facts.is_automatic;
    ret->is_running = facts.state != OS_SERVICE_STOPPED;
    snprintf(ret->word, sizeof(ret->word), "%s", word_of(facts.state));
    snprintf(ret->user, sizeof(ret->user), "%s", facts.user);
    return 0;
}
