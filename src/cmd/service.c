/* SPDX-License-Identifier: Apache-2.0 */
/* service: an instance as the system's own service. */
#include <string.h>

#include "cmd/cmd.h"

#define HOW_MAX 1024

static const char *const actions[] = {"install", "uninstall", "start", "stop", "status", NULL};

static int
say_state(const char *name)
{
    struct service_state state;
    int r = service_ask(name, &state);

    if (r < 0) {
        (void)say_failure("ask", name, r, "the service manager");
        return 4;
    }
    if (!state.is_installed) {
        say_line("'%s' is no service: see 'vortex service install %s'", name, name);
        return 4; /* as LSB has it for status: not known */
    }
    say_line("%s: %s, %s%s%s", state.title, state.word,
             state.is_automatic ? "started with the machine" : "not started with the machine",
             state.user[0] != '\0' ? ", as " : "", state.user);
    return state.is_running ? 0 : 3;
}

static int
act(const struct args *args, const struct instance *instance)
{
    struct service_request request = {instance, args->config, args->pidfile, args->user};
    char how[HOW_MAX] = "";
    const char *action = args->action;
    int r;

    if (strcmp(action, "status") == 0)
        return say_state(args->name);
    if (strcmp(action, "install") == 0)
        r = service_install(&request, how, sizeof(how));
    else if (strcmp(action, "uninstall") == 0)
        r = service_uninstall(&request, how, sizeof(how));
    else
        r = service_act(args->name, action, how, sizeof(how));
    if (r != 0) {
        say_error("cannot %s service '%s': %s", action, args->name, how);
        return say_refusal(r);
    }
    say_line("%s%s service '%s'%s%s", action, say_past(action), args->name,
             how[0] != '\0' ? ": " : "", how);
    return EXIT_DONE;
}

static bool
is_action(const char *text)
{
    for (size_t i = 0; actions[i] != NULL; i++)
        if (strcmp(actions[i], text) == 0)
            return true;
    return false;
}

int
cmd_service(const struct args *args)
{
    struct instance instance;
    const char *best;
    int status;

    if (args->action == NULL || !is_action(args->action)) {
        best = args->action != NULL ? nearest(args->action, actions) : NULL;
        say_error("'service' takes install, uninstall, start, stop or status%s%s%s",
                  best != NULL ? ": did you mean '" : "", best != NULL ? best : "",
                  best != NULL ? "'?" : ", and then a name");
        return EXIT_USAGE;
    }
    if (args->user != NULL && strcmp(args->action, "install") != 0) {
        say_error("--user is for 'service install' alone");
        return EXIT_USAGE;
    }
    if (!find_instance(args, &instance, &status))
        return status;
    status = act(args, &instance);
    instance_free(&instance);
    return status;
}
