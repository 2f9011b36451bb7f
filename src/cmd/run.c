/* SPDX-License-Identifier: Apache-2.0 */
/* run and start: the same but for the background. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "cmd/cmd.h"

typedef void launcher(const struct launch_request *request, struct launch_result *ret);

static void
in_background(const struct launch_request *request, struct launch_result *ret)
{
    launch_start(request, NULL, ret);
    if (ret->error == 0)
        say_line("started '%s' (pid %" PRId64 ")", request->instance->name, ret->pid);
}

static int
launch(const struct args *args, launcher *go)
{
    struct instance instance;
    struct launch_request request;
    struct launch_result result;
    char **command;
    int status = EXIT_DONE;

    if (!find_instance(args, &instance, &status))
        return status;
    if (args->verb->run == cmd_start && through_manager(args, &instance, &status)) {
        instance_free(&instance);
        return status;
    }
    if (!find_command(args, &instance, &command)) {
        instance_free(&instance);
        return EXIT_NOT_CONFIGURED;
    }
    request = launch_request_of(args, &instance, command);
    go(&request, &result);
    if (result.error < 0
        && !(args->if_stopped && result.stage == OS_STAGE_NONE && result.error == -EEXIST))
        status = say_launch_failure(args->verb->name, &request, &result);
    else if (result.error == 0) {
        status = result.exit_status;
        if (result.why[0] != '\0')
            say_error("'%s' ended: %s", instance.name, result.why);
    }
    free(result.tail);
    instance_free(&instance);
    return status;
}

int
cmd_run(const struct args *args)
{
    return launch(args, launch_run);
}

int
cmd_start(const struct args *args)
{
    return launch(args, in_background);
}
