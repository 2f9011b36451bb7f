/* SPDX-License-Identifier: Apache-2.0 */
/* start, stop, restart and reload of an instance that is the service manager's. */
#include <string.h>

#include "cmd/cmd.h"

/* The unit that this instance is, or is to be: true. */
static bool
find_unit(const struct args *args, const struct instance *instance, struct manager_unit *ret)
{
    struct status status;
    bool starts = args->verb->run == cmd_start || args->verb->run == cmd_restart;
    bool plain = args->command == NULL && args->config == NULL && args->pidfile == NULL;

    if (args->verb->run == cmd_start && !plain) /* by hand, whatever runs */
        return false;
    if (status_read(instance->name, instance->pidfile, &status) < 0)
        return false;
    if (status.verdict == VORTEX_RUNNING) /* a start is refused, and says by whom it runs */
        return args->verb->run != cmd_start && manager_unit_of(&status, args->verb->name, ret);
    return starts && plain && manager_unit_enabled(instance->name, ret);
}

/* What a service manager can't be told. */
static const char *
own_option(const struct args *args)
{
    return args->signal > 0                             ? "--signal"
           : args->timeout_ms != TIMEOUT_UNSAID         ? "--timeout"
           : args->no_kill                              ? "--no-kill"
           : args->leftovers                            ? "--leftovers"
           : args->assume_stale || args->assume_running ? "--assume"
                                                        : NULL;
}

bool
through_manager(const struct args *args, const struct instance *instance, int *ret_exit)
{
    const char *verb = args->verb->name, *option = own_option(args);
    struct manager_unit unit;
    char advice[1024];
    int r;

    if (args->direct || !find_unit(args, instance, &unit))
        return false;
    *ret_exit = EXIT_FAILED;
    if (option != NULL) {
        say_error("cannot %s '%s' through %s%s with %s: leave it out, or say --direct", verb,
                  instance->name, manager_unit_kind, unit.name, option);
        return true;
    }
    r = manager_act(&unit, verb);
    if (r == 0) {
        say_line("%s%s '%s' through %s%s", verb, say_past(verb), instance->name, manager_unit_kind,
                 unit.name);
        *ret_exit = EXIT_DONE;
    } else {
        manager_advice(&unit, verb, r, advice, sizeof(advice));
        say_error("cannot %s '%s': %s, or say --direct", verb, instance->name, advice);
        *ret_exit = say_refusal(r);
    }
    return true;
}
