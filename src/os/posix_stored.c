/* SPDX-License-Identifier: Apache-2.0 */
/* What a server gets from descriptor 3 on: passed sockets, then what was stored for it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/os.h"
#include "os/posix.h"

/* First out of the way, all of them, then each to its place. */
int
posix_pass_stored(const struct os_launch *l)
{
    int first = POSIX_FIRST_PASSED + l->listen_fds, moved[OS_STORED_MAX];

    if (l->stored_count > OS_STORED_MAX)
        return -EINVAL;
    for (size_t i = 0; i < l->stored_count; i++)
        if ((moved[i] = fcntl((int)l->stored[i], F_DUPFD_CLOEXEC, posix_beyond_passed(l))) < 0)
            return -errno;
    for (size_t i = 0; i < l->stored_count; i++)
        if (dup2(moved[i], first + (int)i) < 0)
            return -errno;
    return 0;
}

int
posix_beyond_passed(const struct os_launch *l)
{
    int end = posix_passed_end(l);

    return l->passed_as >= end ? l->passed_as + 1 : end;
}

int
posix_passed_end(const struct os_launch *l)
{
    return POSIX_FIRST_PASSED + l->listen_fds + (int)l->stored_count;
}

static size_t
count_names(const char *names)
{
    size_t count = 1;

    for (; *names != '\0'; names++)
        count += *names == ':';
    return count;
}

/* LISTEN_FDNAMES has one a descriptor, or sd_listen_fds_with_names(3) refuses them all. */
static int
name_stored(const struct os_launch *l)
{
    const char *before = getenv("LISTEN_FDNAMES");
    bool fits = before != NULL && l->listen_fds > 0 && count_names(before) == (size_t)l->listen_fds;
    size_t size = (fits ? strlen(before) : (size_t)l->listen_fds * sizeof("unknown")) + 2, length;
    char *names;
    int r;

    for (size_t i = 0; i < l->stored_count; i++)
        size += strlen(l->stored_names[i]) + 1;
    names = malloc(size);
    if (names == NULL)
        return -ENOMEM;
    length = (size_t)snprintf(names, size, "%s", fits ? before : "");
    for (int i = 0; !fits && i < l->listen_fds; i++)
        length += (size_t)snprintf(names + length, size - length, "%sunknown", i > 0 ? ":" : "");
    for (size_t i = 0; i < l->stored_count; i++)
        length += (size_t)snprintf(names + length, size - length, "%s%s",
                                   l->listen_fds > 0 || i > 0 ? ":" : "", l->stored_names[i]);
    r = setenv("LISTEN_FDNAMES", names, 1) < 0 ? -errno : 0;
    free(names);
    return r;
}

/* LISTEN_PID named the process which they were passed to: it is to name the server. */
int
posix_name_passed(const struct os_launch *l)
{
    int count = l->listen_fds + (int)l->stored_count;
    char number[24];

    if (count == 0)
        return 0;
    snprintf(number, sizeof(number), "%lld", (long long)getpid());
    if (setenv("LISTEN_PID", number, 1) < 0)
        return -errno;
    if (l->stored_count == 0)
        return 0;
    snprintf(number, sizeof(number), "%d", count);
    if (setenv("LISTEN_FDS", number, 1) < 0)
        return -errno;
    return name_stored(l);
}
