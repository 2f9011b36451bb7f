/* SPDX-License-Identifier: Apache-2.0 */
/* stop and restart. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"

int
cmd_stop(const struct args *args)
{
    struct instance instance;
    struct stop_request request;
    struct stop_result result;
    int status;

    if (!find_instance(args, &instance, &status))
        return status;
    if (args->clean || !through_manager(args, &instance, &status)) {
        request = stop_request_of(args, &instance);
        stop_server(&request, &result);
        status = say_stop("stop", &request, args->name, &result);
    }
    instance_free(&instance);
    return status;
}

/*
 * What runs was started by a command line of its own, and nothing here says which: the built-in
 * server must not take its place.
 */
static bool
would_replace(const struct instance *instance, char **command)
{
    struct status status;

    return command == NULL && !instance->has_config
           && status_read(instance->name, instance->pidfile, &status) == 0
           && status.verdict == VORTEX_RUNNING && status.command[0] != '\0'
           && strncmp(status.command, "vortex (", strlen("vortex (")) != 0;
}

static int
restart(const struct args *args, struct instance *instance, char **command)
{
    struct stop_request stop = stop_request_of(args, instance);
    struct launch_request launch = launch_request_of(args, instance, command);
    struct stop_result stopped = {0};
    struct launch_result launched;
    int status;

    if (!restart_server(&stop, &launch, &stopped, &launched))
        return say_stop("restart", &stop, args->name, &stopped);
    if (launched.error < 0) {
        status = say_launch_failure(stopped.pid != 0 ? "start the stopped" : "restart", &launch,
                                    &launched);
        free(launched.tail);
        return status;
    }
    say_line("restarted '%s' (pid %" PRId64 ")", args->name, launched.pid);
    return EXIT_DONE;
}

int
cmd_restart(const struct args *args)
{
    struct instance instance;
    char **command;
    int status;

    if (!find_instance(args, &instance, &status))
        return status;
    if (through_manager(args, &instance, &status)) {
        /* done, or it was said why not */
    } else if (!find_command(args, &instance, &command)) {
        status = EXIT_NOT_CONFIGURED;
    } else if (would_replace(&instance, command)) {
        say_error("cannot restart '%s': it was started by a command of its own, and there is no "
                  "%s: give the command after --",
                  args->name, instance.config_path);
        status = EXIT_NOT_CONFIGURED;
    } else {
        status = restart(args, &instance, command);
    }
    instance_free(&instance);
    return status;
}
