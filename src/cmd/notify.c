/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"

#define WAIT_MS 5000

/* KEY=VALUE, one line: it would be another's assignment otherwise. */
static bool
is_assignment(const char *word)
{
    size_t key = strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

    return key > 0 && word[key] == '=' && strchr(word, '\n') == NULL;
}

/* The words as lines: false, they are too many. */
static bool
join(char *const *words, char *buf, size_t size)
{
    size_t length = 0;

    for (; *words != NULL; words++) {
        int n = snprintf(buf + length, size - length, "%s%s", length > 0 ? "\n" : "", *words);

        if (n < 0 || (size_t)n >= size - length)
            return false;
        length += (size_t)n;
    }
    return true;
}

static bool
says_ready(char *const *words)
{
    for (; *words != NULL; words++)
        if (strcmp(*words, "READY=1") == 0)
            return true;
    return false;
}

/* In the script's name: it is the service, and this process is gone in a moment. */
static int
tell(const struct args *args, const char *text)
{
    int r = args->fd_said ? -ENOTCONN : notify_send(text, os_parent());

    if (r == 0)
        return vortex_notify_barrier(args->timeout_ms == TIMEOUT_UNSAID ? WAIT_MS
                                                                        : args->timeout_ms);
    return r == -ENOTCONN && says_ready(args->words) ? notify_newline() : r;
}

int
cmd_notify(const struct args *args)
{
    char text[4096];
    int r;

    for (char **word = args->words; *word != NULL; word++)
        if (!is_assignment(*word)) {
            say_error("'%s' can't be told: it takes KEY=VALUE, such as READY=1 or STATUS=text",
                      *word);
            return EXIT_USAGE;
        }
    if (args->fd_said && !says_ready(args->words)) {
        say_error("a descriptor can be told READY=1 alone");
        return EXIT_USAGE;
    }
    r = join(args->words, text, sizeof(text)) ? tell(args, text) : -EMSGSIZE;
    if (r == 0)
        return EXIT_DONE;
    if (r == -ENOTCONN)
        say_error("cannot notify: no service manager listens: NOTIFY_SOCKET is not set");
    else if (r == -ETIMEDOUT)
        say_error("told, but the service manager has not read it in time");
    else
        say_error("cannot notify: %s", strerror(-r));
    return EXIT_FAILED;
}
