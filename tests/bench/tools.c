/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that start one server, and what they can do. */
#include "bench.h"

#include <stdlib.h>
#include <unistd.h>

/* ---- What is run ------------------------------------------------------------------------- */

void
start_command(const struct bench *b, enum tool t, const char *lock, const char *words[WORDS])
{
    const char *pidfile = b->w->pidfile;

    switch (t) {
    case VORTEX:
        PUT(words, b->path[t], "start", "-p", pidfile, "--", b->sleeper, b->w->ready);
        break;
    case DAEMONIZE:
        words = PUT(words, b->path[t], "-p", pidfile);
        if (lock != NULL)
            words = PUT(words, "-l", lock);
        PUT(words, b->sleeper, b->w->ready);
        break;
    case SSD:
        PUT(words, b->path[t], "--start", "--background", "--make-pidfile", "--pidfile", pidfile,
            "--exec", b->sleeper, "--", b->w->ready);
        break;
    case FLOCK:
        PUT(words, b->path[t], "--nonblock", "--no-fork", pidfile, b->sleeper, b->w->ready);
        break;
    case OUR_DAEMON:
    case BSD_DAEMON:
        PUT(words, b->path[t], pidfile, b->w->ready);
        break;
    default:
        PUT(words, b->path[t]);
        break;
    }
}

void
stop_command(const struct bench *b, enum tool t, const char *words[WORDS])
{
    if (t == VORTEX)
        PUT(words, b->path[t], "stop", "-p", b->w->pidfile);
    else
        PUT(words, b->path[t], "--stop", "--retry", "5", "--pidfile", b->w->pidfile, "--exec",
            b->sleeper);
}

void
status_command(const struct bench *b, enum tool t, const char *words[WORDS])
{
    PUT(words, b->path[t]);
    if (t == VORTEX)
        PUT(words + 1, "status", "-p", b->w->pidfile);
    else if (t == SSD)
        PUT(words + 1, "--status", "--pidfile", b->w->pidfile, "--exec", b->sleeper);
}

bool
is_floor(enum tool t)
{
    return t == EMPTY || t == STATIC;
}

bool
has_stop(enum tool t)
{
    return t == VORTEX || t == SSD || is_floor(t);
}

bool
has_return(enum tool t)
{
    return t <= SSD;
}

bool
has_pidfile(enum tool t)
{
    return t < EMPTY && t != FLOCK;
}

/* Where an administrator's PATH would find it. */
static const char *
find_peer(const char *name)
{
    static const char *const directories[] = {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
                                              "/usr/bin",        "/sbin",          "/bin"};

    for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
        char path[128];

        snprintf(path, sizeof(path), "%s/%s", directories[i], name);
        if (access(path, X_OK) == 0)
            return text_of("%s", path);
    }
    return NULL;
}

void
find_tools(struct bench *b)
{
    b->path[DAEMONIZE] = find_peer("daemonize");
    b->path[SSD] = find_peer("start-stop-daemon");
    b->path[FLOCK] = find_peer("flock");
    b->path[BSD_DAEMON] = find_peer("daemon-of-libbsd");
}
