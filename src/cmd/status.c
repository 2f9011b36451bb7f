/* SPDX-License-Identifier: Apache-2.0 */
/* status and list. */
#include <stdio.h>
#include <stdlib.h>

#include "cmd/cmd.h"

static size_t
read_all(const struct args *args, const char *directory, char **names, struct status *all)
{
    bool whole = args->json || args->prometheus;
    size_t count = 0;

    for (size_t i = 0; names[i] != NULL; i++) {
        char pidfile[OS_PATH_MAX];

        if (snprintf(pidfile, sizeof(pidfile), "%s/%s.pid", directory, names[i])
                < (int)sizeof(pidfile)
            && (whole ? status_read : status_glance)(names[i], pidfile, &all[count]) == 0)
            count++;
    }
    return count;
}

static void
say_all(const struct args *args, const struct status *all, size_t count)
{
    if (args->prometheus) {
        say_prometheus(all, count);
        return;
    }
    if (!args->json) {
        say_list(all, count);
        return;
    }
    say_line("[");
    for (size_t i = 0; i < count; i++)
        say_status_json(&all[i], i + 1 < count);
    say_line("]");
}

int
cmd_list(const struct args *args)
{
    char directory[OS_PATH_MAX];
    char **names;
    struct status *all;
    size_t count = 0;
    int r = instance_list(directory, &names);

    if (r < 0)
        return say_failure("list", "all", r, directory);
    while (names[count] != NULL)
        count++;
    all = calloc(count + 1, sizeof(*all));
    if (all == NULL) {
        words_free(names);
        say_error("cannot list: out of memory");
        return EXIT_FAILED;
    }
    say_all(args, all, read_all(args, directory, names, all));
    words_free(names);
    free(all);
    return EXIT_DONE;
}

int
cmd_status(const struct args *args)
{
    struct instance instance;
    struct status status;
    int exit_status, r;

    if (args->prometheus)
        return cmd_list(args);
    if (!find_instance(args, &instance, &exit_status))
        return status_exit(&(struct status){.verdict = VORTEX_UNPROVED});
    r = status_read(args->name, instance.pidfile, &status);
    if (r < 0) {
        say_failure("tell the status of", args->name, r, instance.pidfile);
        exit_status = status_exit(&(struct status){.verdict = VORTEX_UNPROVED});
    } else {
        if (args->json)
            say_status_json(&status, false);
        else
            say_status(&status);
        exit_status = status_exit(&status);
    }
    instance_free(&instance);
    return exit_status;
}
