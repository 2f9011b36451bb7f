/* SPDX-License-Identifier: Apache-2.0 */
/* From the command line and the configuration to what is asked of the host. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "cmd/cmd.h"

#define SUPERVISOR_SLACK_MS 15000

bool
find_instance(const struct args *args, struct instance *ret, int *ret_exit)
{
    struct config_mistakes mistakes;
    int r = instance_load(args->name, args->config, args->pidfile, ret, &mistakes);

    say_mistakes(&mistakes);
    config_mistakes_free(&mistakes);
    if (r == 0)
        return true;
    if (r == -EINVAL) { /* each mistake was said */
        *ret_exit = EXIT_NOT_CONFIGURED;
    } else {
        *ret_exit = say_failure(
            args->verb->run == cmd_status ? "tell the status of" : args->verb->name, args->name, r,
            ret->config_path != NULL ? ret->config_path : "its configuration");
        if (r == -ENOENT)
            *ret_exit = EXIT_NOT_CONFIGURED;
    }
    instance_free(ret);
    return false;
}

bool
find_command(const struct args *args, const struct instance *instance, char ***ret_command)
{
    *ret_command = args->command != NULL ? args->command : instance->config.command;
    if (*ret_command != NULL)
        return true;
    /* A typo in a name must not start something else under it. */
    if (!instance->has_config && strcmp(args->name, "vortex") != 0) {
        say_error("cannot %s '%s': there is no %s: write one, or give a command after --",
                  args->verb->name, args->name, instance->config_path);
        return false;
    }
    return true;
}

struct launch_request
launch_request_of(const struct args *args, struct instance *instance, char **command)
{
    return (struct launch_request){
        .instance = instance,
        .command = command,
        /* a command typed here means the paths of here */
        .keep_directory = args->command != NULL,
        .allow_remote = args->allow_remote,
        .assume_stale = args->assume_stale,
        .listen_fds = os_listen_fds(),
    };
}

/* How long the supervisor's own sequence may take, its hooks, and its KILL of what is left. */
static int
supervised_timeout(const struct config *config)
{
    int hooks = (config->hooks[HOOK_PRE_STOP] != NULL) + (config->hooks[HOOK_POST_STOP] != NULL);
    int64_t total = 0;

    if (hooks > 0 && config->hook_timeout_ms < 0)
        return -1;

    for (const struct stop_step *step = config->sequence; step->signal != 0; step++) {
        if (step->timeout_ms < 0)
            return -1;
        total += step->timeout_ms;
    }
    if (total == 0 && config->stop_timeout_ms < 0)
        return -1;
    total = (total == 0 ? config->stop_timeout_ms : total) + SUPERVISOR_SLACK_MS;
    if (config->stop_command != NULL) /* where it fails its step's signal comes after all */
        total += config->sequence[0].signal != 0 ? config->sequence[0].timeout_ms
                                                 : config->stop_timeout_ms;
    total += (int64_t)hooks * config->hook_timeout_ms;
    return total > INT_MAX ? INT_MAX : (int)total;
}

struct stop_request
stop_request_of(const struct args *args, const struct instance *instance)
{
    const struct config *config = &instance->config;

    return (struct stop_request){
        .pidfile = instance->pidfile,
        .signal = args->signal > 0 ? args->signal : config->stop_signal,
        .timeout_ms =
            args->timeout_ms != TIMEOUT_UNSAID ? args->timeout_ms : config->stop_timeout_ms,
        .supervised_timeout_ms =
            args->timeout_ms != TIMEOUT_UNSAID ? args->timeout_ms : supervised_timeout(config),
        .no_kill = args->no_kill,
        .leftovers = args->leftovers,
        .clean = args->clean,
        .assume = args->assume_running ? ASSUME_RUNNING
                  : args->assume_stale ? ASSUME_STALE
                                       : ASSUME_NOTHING,
        .allow_remote = args->allow_remote || config->allow_remote,
    };
}
