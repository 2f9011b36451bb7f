/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd.h"

int
cmd_check(const struct args *args)
{
    struct instance instance;
    int status = EXIT_DONE;

    if (!find_instance(args, &instance, &status))
        return status;
    if (!instance.has_config) {
        say_error("there is no %s", instance.config_path);
        status = EXIT_NOT_CONFIGURED;
    } else {
        say_line("%s: no mistakes", instance.config_path);
        say_mode(&instance);
    }
    instance_free(&instance);
    return status;
}
