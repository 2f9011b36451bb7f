/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "cmd/cmd.h"
#include "host/log.h"

#define LINES_DEFAULT 20
#define POLL_MS       200
#define BLOCK         16384

/* false: nobody reads what we print. */
static bool
print_rest(struct log_reader *reader, int *ret_error)
{
    char block[BLOCK];
    int64_t n;

    while ((n = log_reader_read(reader, block, sizeof(block))) > 0)
        if (!say_bytes(block, (size_t)n))
            return false;
    *ret_error = (int)n;
    return true;
}

static int
print_log(const struct args *args, const char *path)
{
    struct log_reader *reader;
    bool is_read = true;
    int error =
        log_reader_open(path, args->lines < 0 ? LINES_DEFAULT : args->lines, args->follow, &reader);

    if (error == 0) {
        is_read = print_rest(reader, &error);
        while (args->follow && is_read && error == 0) {
            os_sleep_ms(POLL_MS);
            is_read = print_rest(reader, &error);
        }
        log_reader_free(reader);
    }
    if (error < 0)
        return say_failure("show the log of", args->name, error, path);
    return is_read ? EXIT_DONE : EXIT_FAILED;
}

int
cmd_logs(const struct args *args)
{
    struct instance instance;
    const char *path;
    int status;

    if (!find_instance(args, &instance, &status))
        return status;
    path = instance.config.log_file != NULL ? instance.config.log_file : instance.config.log;
    if (path != NULL) {
        status = print_log(args, path);
    } else {
        say_error("there is no log file of '%s': name one in %s, as 'file' in [log]", args->name,
                  instance.config_path);
        status = EXIT_NOT_CONFIGURED;
    }
    instance_free(&instance);
    return status;
}
