/* SPDX-License-Identifier: Apache-2.0 */
/* What a look reads: the pidfile and the state beside it, as they stood at one moment. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/core.h"

#define READ_TRIES 100 /* against somebody who changes the files without end */

/* ---- The files --------------------------------------------------------------------------- */

int
paths_open(const char *path, bool create, struct paths *ret_paths)
{
    struct paths p;
    size_t length;
    int r = os_dir_open(path, create, &p.dir, p.pidfile);

    if (r < 0)
        return r;
    length = strlen(p.pidfile);
    if (length + TEMPORARY_MAX > sizeof(p.pidfile)) {
        os_dir_close(&p.dir);
        return -ENAMETOOLONG;
    }
    snprintf(p.lock, sizeof(p.lock), "%.*s.lock", (int)length, p.pidfile);
    snprintf(p.state, sizeof(p.state), "%.*s.state", (int)length, p.pidfile);
    *ret_paths = p;
    return 0;
}

void
paths_close(struct paths *paths)
{
    os_dir_close(&paths->dir);
}

static void
read_pidfile(const struct paths *paths, struct look *look)
{
    char data[PIDFILE_MAX];
    size_t length;
    int r = os_file_read(&paths->dir, paths->pidfile, data, sizeof(data), &length, &look->pidfile);

    look->has_pidfile = r != -ENOENT;
    if (r == 0)
        r = pidfile_parse(data, length, &look->content);
    look->pid = look->content;
    look->read_error = r;
}

/* A state that is unreadable for good, is broken, or was written by just anybody counts as none. */
static void
read_state(const struct paths *paths, struct look *look, struct os_speaker *ret_speaker)
{
    char data[STATE_MAX + 1];
    size_t length;
    struct os_file file;
    int r = os_file_read(&paths->dir, paths->state, data, sizeof(data), &length, &file);

    look->has_state = r == 0 && file.speaker.scope != OS_SPEAKS_FOR_NOBODY
                      && state_parse(data, length, &look->state) == 0;
    if (look->has_state)
        *ret_speaker = file.speaker;
    if (r == 0)
        look->state_id = file.id;
    look->lacks_state = os_error_will_pass(r);
    if (look->lacks_state)
        look->error = r;
}

bool
look_is_named(const struct look *look)
{
    return look->has_state && look->content != 0
           && (look->content == look->state.owner.pid || look->content == look->state.server.pid);
}

/*
 * Was the pidfile removed or replaced before the state was read? Whoever does so does it before he
 * touches the state; and of its number, which was a dead server's, that state says no more.
 */
static bool
is_torn(const struct paths *paths, const struct look *look)
{
    struct os_file_id now;

    if (look->read_error < 0 || look_is_named(look))
        return false;
    return os_file_identify(&paths->dir, paths->pidfile, &now) < 0
           || !os_same_file(&now, &look->pidfile.id) || now.written_ns != look->pidfile.written_ns;
}

/* The pidfile is published first and the state after it: read in that order too. */
void
look_read(const struct paths *paths, struct look *look, struct os_speaker *ret_speaker)
{
    const struct look fresh = *look;
    bool torn = true;

    for (int i = 0; i < READ_TRIES && torn; i++) {
        *look = fresh;
        read_pidfile(paths, look);            /* model: look pidfile */
        read_state(paths, look, ret_speaker); /* model: look state */
        torn = is_torn(paths, look);
    }
    look->lacks_state = look->lacks_state || torn;
}
