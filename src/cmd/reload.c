/* SPDX-License-Identifier: Apache-2.0 */
/* reload and signal. */
#include "cmd/cmd.h"

static int
send(const struct args *args, int signal)
{
    struct instance instance;
    int64_t pid;
    int status, r;

    if (!find_instance(args, &instance, &status))
        return status;
    if (signal == 0 && through_systemd(args, &instance, &status)) {
        instance_free(&instance);
        return status;
    }
    r = signal_server(instance.pidfile, signal > 0 ? signal : instance.config.reload_signal,
                      args->assume_running, &pid);
    status = say_signalled(args->verb->name, args->name, instance.pidfile, "--assume running", r);
    instance_free(&instance);
    return status;
}

int
cmd_reload(const struct args *args)
{
    return send(args, 0);
}

int
cmd_signal(const struct args *args)
{
    return send(args, args->signal);
}
