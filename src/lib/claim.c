/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The claim protocol: every change of the files happens under the lock, and is made only over what
 * was judged. The steps are numbered as where the protocol is written down, and in core.h.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/core.h"

#define SLEEP_MAX_MS  100  /* many who wait must not starve the one they wait for */
#define REMOVED_TRIES 1000 /* against somebody who removes the lock without end */

void
claim_init(struct claim *claim)
{
    *claim = (struct claim){
        .paths = {.dir = {.handle = OS_NONE}},
        .lock = {.handle = OS_NONE},
        .process = os_self(),
    };
}

static void
close_lock(struct claim *c)
{
    os_lock_close(&c->lock);
    c->claimed = c->held = false;
}

void
claim_abandon(struct claim *c)
{
    close_lock(c);
    paths_close(&c->paths);
}

void
claim_inherit(struct claim *c)
{
    c->process = os_self();
}

/* ---- Steps 1 and 2: the lock ------------------------------------------------------------- */

static void
name_temporaries(struct claim *c)
{
    int length = (int)(OS_NAME_MAX - TEMPORARY_MAX);

    snprintf(c->pidfile_new, sizeof(c->pidfile_new), "%.*s.%" PRIx64 ".new", length,
             c->paths.pidfile, c->lock.id.inode);
    snprintf(c->state_new, sizeof(c->state_new), "%.*s.state.%" PRIx64 ".new", length,
             c->paths.pidfile, c->lock.id.inode);
}

/* Does somebody live whom we can name? -EEXIST; 0 nobody seen. */
static int
see_owner(struct claim *c, enum os_lock_seen lock)
{
    struct look look;
    int r;

    look_once(&c->paths, lock, c->published ? &c->mine : NULL, &look);
    if (look_lives(&look)) {
        c->owner = look.pid;
        r = -EEXIST;
    } else {
        r = look_error(&look);
    }
    look_close(&look);
    return r;
}

static int
sleep_until(int64_t end, int *ms)
{
    int64_t left = end - os_monotonic_ms();

    if (left <= 0)
        return -EBUSY;
    os_sleep_ms(*ms < left ? *ms : (int)left);
    *ms = *ms * 2 > SLEEP_MAX_MS ? SLEEP_MAX_MS : *ms * 2;
    return 0;
}

static int
begin_lock(struct claim *c, bool eager)
{
    int64_t end = os_monotonic_ms() + (c->never_wait ? 0 : CLAIM_WAIT_MS);
    bool replaced = false;
    int ms = 1;

    for (int i = 0; i < REMOVED_TRIES; i++) {
        int r = os_lock_open(&c->paths.dir, c->paths.lock, true, &c->lock, &c->trusted);

        if (r < 0)
            return r;
        /* Whoever could open it may hold it for ever; it must not be trusted the next time. */
        if (!c->trusted && !replaced && c->paths.dir.speaker.scope == OS_SPEAKS_FOR_ALL) {
            replaced = true;
            (void)claim_remove_lock(c);
            close_lock(c);
            continue;
        }
        r = os_lock_claim(&c->lock);            /* model: claim 1 byte */
        if (r == 0 && claim_lock_in_place(c)) { /* model: claim 1 place */
            name_temporaries(c);
            c->claimed = true;
            return 0;
        }
        close_lock(c);
        if (r == 0)
            continue;
        if (r == -EWOULDBLOCK)
            r = eager ? see_owner(c, OS_LOCK_CLAIMED) : 0; /* model: claim 1 owner */
        if (r == 0)
            r = sleep_until(end, &ms);
        if (r < 0)
            return r;
    }
    return -EBUSY;
}

int
claim_begin(struct claim *c, const char *path, bool eager)
{
    int r = paths_open(path, true, &c->paths);

    if (r < 0)
        return r;
    r = c->allow_remote ? 0 : os_dir_is_remote(&c->paths.dir);
    if (r == 1)
        r = -EREMOTE;
    if (r == 0)
        r = begin_lock(c, eager);
    if (r < 0)
        claim_abandon(c);
    return r;
}

/*
 * The lock is held by this very process, which inherited it over exec and is the owner by
 * identity. The claim goes on under the inherited handle.
 */
static int
adopt(struct claim *c)
{
    struct os_lock lock;
    struct look look;
    int r = 0;

    look_once(&c->paths, OS_LOCK_HELD, NULL, &look);
    if (look.verdict != VORTEX_RUNNING || look.pid != os_self() || !look.has_pidfile)
        r = -ENOENT;
    else
        r = os_lock_adopt(c->lock.id, &lock);
    if (r == 0) {
        close_lock(c);
        c->lock = lock;
        c->held = c->adopted = c->published = true;
        c->claimed = os_lock_claim(&c->lock) == 0;
        c->mine = look.pidfile.id;
    }
    look_close(&look);
    return r;
}

/*
 * Whoever can open a lock file can hold it for ever. Where that may be just anybody, a held lock
 * proves nothing: put a new file in its place. A living owner is known by the state.
 */
static int
replace_lock(struct claim *c)
{
    int r = claim_remove_lock(c);

    if (r < 0)
        return r;
    close_lock(c);
    return begin_lock(c, false);
}

int
claim_take(struct claim *c)
{
    int64_t end = os_monotonic_ms() + (c->never_wait ? 0 : TAKE_WAIT_MS);
    bool replaced = false;
    int ms = 1, r;

    assert(c->claimed);
    /* model: claim 2 flock */
    while ((r = os_lock_take(&c->lock)) != 0 || !claim_lock_in_place(c)) {
        if (r == 0) { /* removed under our hands: from step 1 */ /* model: claim 2 place */
            close_lock(c);
            r = begin_lock(c, true);
        } else if (r == -EWOULDBLOCK) {
            if (adopt(c) == 0)
                return 0;
            r = see_owner(c, OS_LOCK_HELD); /* model: claim 2 owner */
            if (r == 0 && !c->trusted && !replaced) {
                replaced = true;
                r = replace_lock(c);
            } else if (r == 0) {
                r = sleep_until(end, &ms);
            }
        }
        if (r < 0)
            return r;
    }
    c->held = true;
    return 0;
}

int
claim_take_again(struct claim *c)
{
    int r;

    close_lock(c);
    r = begin_lock(c, true);
    return r < 0 ? r : claim_take(c);
}
