/* SPDX-License-Identifier: Apache-2.0 */
/* service: an instance as the system's own service. */
#include <errno.h>
#include <string.h>

#include "cmd/cmd.h"

#define HOW_MAX 1024

static const char *const actions[] = {"install", "uninstall", "start", "stop", "status", NULL};

static int
say_state(const char *name)
{
    struct service_state state;
    char how[HOW_MAX] = "";

    if (service_ask(name, &state, how, sizeof(how)) < 0) {
        say_error("cannot tell the status of service '%s': %s", name, how);
        return 4;
    }
    if (!state.is_installed) {
        say_line("'%s' is no service: see 'vortex service install %s'", name, name);
        return 4; /* as LSB has it for status: not known */
    }
    say_line("%s: %s, %sstarted %s%s%s", state.title, state.word, state.is_automatic ? "" : "not ",
             state.is_users ? "at your login" : "with the machine",
             state.user[0] != '\0' ? ", as " : "", state.user);
    return state.is_running ? 0 : 3;
}

static int
refuse(const struct args *args, const char *action, int result, const char *how)
{
    say_error("cannot %s service '%s': %s", action, args->name, how);
    return result == -EINVAL ? EXIT_USAGE : say_refusal(result);
}

static int
act(const struct args *args, const char *action, const struct service_request *request)
{
    char how[HOW_MAX] = "";
    int r;

    if (strcmp(action, "install") == 0)
        r = service_install(request, how, sizeof(how));
    else if (strcmp(action, "uninstall") == 0)
        r = service_uninstall(request, how, sizeof(how));
    else
        r = service_act(args->name, action, how, sizeof(how));
    if (r != 0)
        return refuse(args, action, r, how);
    say_line("%s%s service '%s'%s%s", action, say_past(action), args->name,
             how[0] != '\0' ? ": " : "", how);
    return EXIT_DONE;
}

/* What is to run needs its configuration without a mistake; what is to end doesn't. */
static bool
find(const struct args *args, bool is_to_run, struct instance *ret, int *ret_exit)
{
    const struct verb verb = {.name = args->action}; /* for what is said of a failure */
    struct args mine = *args;
    struct config_mistakes mistakes;
    char path[OS_PATH_MAX];

    mine.verb = &verb;
    if (args->config == NULL && service_config(args->name, path, sizeof(path)))
        mine.config = path;
    if (!is_to_run) {
        (void)instance_load(mine.name, mine.config, mine.pidfile, ret, &mistakes);
        config_mistakes_free(&mistakes);
        return true;
    }
    if (mine.config == path && os_path_check(path) == -ENOENT) {
        say_error("cannot %s service '%s': there is no %s: write it first%s", args->action,
                  args->name, path, os_is_root() ? "" : ", or run this as root");
        *ret_exit = os_is_root() ? EXIT_NOT_CONFIGURED : EXIT_NOT_PERMITTED;
        return false;
    }
    return find_instance(&mine, ret, ret_exit);
}

static bool
is_action(const char *text)
{
    for (size_t i = 0; actions[i] != NULL; i++)
        if (strcmp(actions[i], text) == 0)
            return true;
    return false;
}

static bool
takes_options(const struct args *args)
{
    const char *option = args->user != NULL ? "user" : args->now ? "now" : NULL;

    if (option == NULL || strcmp(args->action, "install") == 0)
        return true;
    say_error("--%s is for 'service install' alone", option);
    return false;
}

int
cmd_service(const struct args *args)
{
    struct instance instance;
    struct service_request request = {args->name, &instance, args->config, args->pidfile,
                                      args->user};
    char how[HOW_MAX];
    const char *best;
    int status, r;
    bool is_to_run;

    if (args->action == NULL || !is_action(args->action)) {
        best = args->action != NULL ? nearest(args->action, actions) : NULL;
        say_error("'service' takes install, uninstall, start, stop or status%s%s%s",
                  best != NULL ? ": did you mean '" : "", best != NULL ? best : "",
                  best != NULL ? "'?" : ", and then a name");
        return EXIT_USAGE;
    }
    if (!takes_options(args))
        return EXIT_USAGE;
    if (strcmp(args->action, "status") == 0)
        return say_state(args->name);
    r = service_check(&request, how, sizeof(how));
    if (r < 0)
        return refuse(args, args->action, r, how);
    is_to_run = strcmp(args->action, "install") == 0 || strcmp(args->action, "start") == 0;
    if (!find(args, is_to_run, &instance, &status))
        return status;
    status = act(args, args->action, &request);
    if (status == EXIT_DONE && args->now)
        status = act(args, "start", &request);
    instance_free(&instance);
    return status;
}
