/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cmd/cmd.h"

static int
act(int argc, char **argv)
{
    struct args args;
    int r = args_parse(argc, argv, &args);

    if (r != EXIT_DONE) /* of status, 2 would say "a lock file only" */
        return args.verb != NULL && args.verb->run == cmd_status ? EXIT_NOT_PERMITTED : r;
    if (args.help || args.verb->run == NULL) {
        if (args.verb->options == 0 && !args.help)
            say_line("vortex %s", vortex_version());
        else
            say_help(args.help ? args.verb : args.topic);
        return EXIT_DONE;
    }
    return args.verb->run(&args);
}

int
main(int argc, char **argv)
{
    int status;

    os_program_begin(&argc, &argv);
    status = act(argc, argv);
    os_program_end(status);
    return status;
}
