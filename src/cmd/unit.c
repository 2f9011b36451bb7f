/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "host/unit.h"

#define UNIT_MAX 65536

int
cmd_unit(const struct args *args)
{
    char text[UNIT_MAX];
    struct instance instance;
    struct unit_request request = {
        .instance = &instance,
        .program = VORTEX_BINDIR "/vortex",
        .listen = args->listen,
    };
    int status;

    if (!find_instance(args, &instance, &status))
        return status;
    if (args->config != NULL && args->config[0] != '/') {
        say_error("--config of a unit must be an absolute path, not '%s'", args->config);
        status = EXIT_USAGE;
    } else if (instance.config.command == NULL) {
        say_error("cannot make a unit of '%s': %s has no [server] command", args->name,
                  instance.config_path);
        status = EXIT_NOT_CONFIGURED;
    } else if (!unit_write(&request, text, sizeof(text))) {
        say_error("cannot make a unit of '%s': it is longer than %d bytes", args->name, UNIT_MAX);
        status = EXIT_FAILED;
    } else {
        status = say_bytes(text, strlen(text)) ? EXIT_DONE : EXIT_FAILED;
    }
    instance_free(&instance);
    return status;
}
