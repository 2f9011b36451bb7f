/* SPDX-License-Identifier: Apache-2.0 */
/* reload and signal. */
#include "cmd/cmd.h"

int
cmd_reload(const struct args *args)
{
    struct instance instance;
    struct reload_result result;
    int status;

    if (!find_instance(args, &instance, &status))
        return status;
    if (through_manager(args, &instance, &status)) {
        instance_free(&instance);
        return status;
    }
    reload_server(instance.pidfile, instance.config.reload_signal, args->assume_running, &result);
    status = say_reload(args, instance.pidfile, &result);
    instance_free(&instance);
    return status;
}

int
cmd_signal(const struct args *args)
{
    struct instance instance;
    int64_t pid;
    int status, r;

    if (!find_instance(args, &instance, &status))
        return status;
    r = signal_server(instance.pidfile, args->signal, args->assume_running, &pid);
    status = say_signalled(args->verb->name, args->name, instance.pidfile, "--assume running", r);
    instance_free(&instance);
    return status;
}
