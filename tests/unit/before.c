/* SPDX-License-Identifier: Apache-2.0 */
#include "before.h"

static const char precious[] = "/tmp/precious"; /* what the link leads to */

static enum before now;

void
set_before(enum before before)
{
    now = before;
    instance_setup(NULL);
    switch (before) {
    case BEFORE_STALE:
        crash(server(SERVER));
        break;
    case BEFORE_FOREIGN:
        write_pidfile_of(SERVER);
        fake_pass_ms(60000);
        break;
    case BEFORE_LINK:
        fake_make(precious, FAKE_REGULAR, "4711\n");
        fake_make(PIDFILE, FAKE_SYMLINK, precious);
        break;
    case BEFORE_NOTHING:
    case BEFORE_COUNT:
        break;
    }
    fake_watch();
}

enum before
before_now(void)
{
    return now;
}

bool
is_as_before(enum before before)
{
    const struct fake_file *pidfile = fake_find(PIDFILE);

    switch (before) {
    case BEFORE_STALE:
        return pidfile_names(SERVER) && state_names(SERVER);
    case BEFORE_FOREIGN:
        return pidfile_names(SERVER) && fake_find(STATE) == NULL;
    case BEFORE_LINK:
        return pidfile != NULL && pidfile->kind == FAKE_SYMLINK && fake_find(STATE) == NULL
               && fake_holds(precious, "4711\n");
    case BEFORE_NOTHING:
    case BEFORE_COUNT:
        break;
    }
    return pidfile == NULL && fake_find(STATE) == NULL;
}

/* ---- The rival --------------------------------------------------------------------------- */

int rivals_answer;

void
set_scene(enum before before)
{
    set_before(before);
    fake_spawn(RIVAL);
    rivals_answer = -ENOTCONN;
}

void
rival_starts(void *ignored)
{
    (void)ignored;
    rivals_answer = start_as(RIVAL);
}

void
rival_writes(void *ignored)
{
    (void)ignored;
    fake_become(RIVAL);
    rivals_answer = vortex_pidfile_write(PIDFILE, NULL);
}

bool
is_refusal(int r)
{
    return r == -EEXIST || r == -EBUSY;
}
