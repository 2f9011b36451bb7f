/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "cmd/cmd.h"

int
cmd_wait(const struct args *args)
{
    struct instance instance;
    struct vortex_process *process;
    int status, r;

    if (!find_instance(args, &instance, &status))
        return status;
    r = vortex_process_open(instance.pidfile, &process);
    if (r == 0) {
        do {
            r = vortex_process_wait(process,
                                    args->timeout_ms == TIMEOUT_UNSAID ? -1 : args->timeout_ms);
        } while (r == -EINTR);
        vortex_process_close(process);
    }
    if (r == -ETIMEDOUT) {
        say_error("'%s' still runs after the timeout", args->name);
        status = EXIT_FAILED;
    } else if (r == -ESRCH || r == -EBADMSG || r == -EPERM) { /* nobody lives by that pidfile */
        status = EXIT_DONE;
    } else {
        status = say_signalled("wait for", args->name, instance.pidfile, "", r);
    }
    instance_free(&instance);
    return status;
}
