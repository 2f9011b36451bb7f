/* SPDX-License-Identifier: Apache-2.0 */
/* How a claim ends: what is removed, by whom, and only what is one's own or nobody's. */
#include <assert.h>
#include <errno.h>

#include "lib/core.h"

/* An administrator's rm may have made room for another file under that name. */
bool
claim_lock_in_place(const struct claim *c)
{
    struct os_file_id now;

    return os_file_identify(&c->paths.dir, c->paths.lock, &now) == 0
           && os_same_file(&now, &c->lock.id);
}

int
claim_remove_lock(const struct claim *c)
{
    /* model: end place */
    int r = claim_lock_in_place(c) ? os_file_remove(&c->paths.dir, c->paths.lock) : 0;

    return r == -ENOENT ? 0 : r;
}

void
claim_finish(struct claim *c)
{
    (void)os_lock_unclaim(&c->lock); /* model: claim 7 */
    c->claimed = false;
}

/* Who waits for the claim byte finds the file gone, and doesn't work under it beside another. */
int
claim_finish_alone(struct claim *c)
{
    int r = claim_remove_lock(c); /* model: free lock */

    claim_finish(c);
    return r;
}

void
claim_remove_temporaries(const struct claim *c)
{
    (void)os_file_remove(&c->paths.dir, c->pidfile_new);
    (void)os_file_remove(&c->paths.dir, c->state_new);
}

/* Remove the state unless it speaks of somebody else by now. */
static int
remove_state(const struct claim *c, const struct look *look)
{
    int r;

    if (look->has_state && look->verdict == VORTEX_RUNNING && look->pid != os_self())
        return 0;
    cgroup_discard(&c->paths, look);
    r = os_file_remove(&c->paths.dir, c->paths.state);
    return r == -ENOENT ? 0 : r;
}

static void
remove_published(const struct claim *c)
{
    struct look look;
    int r = 0;

    look_once(&c->paths, OS_LOCK_FREE, NULL, &look);
    /* Its content too: an inode number is soon another file's. */
    if (look.has_pidfile && look.content == os_self() && os_same_file(&look.pidfile.id, &c->mine))
        r = os_file_remove(&c->paths.dir, c->paths.pidfile); /* model: end pidfile */
    else if (os_error_will_pass(look.read_error))
        r = look.read_error;
    /* A pidfile that stays keeps its state, which tells that its number is a dead one's. */
    if ((r == 0 || r == -ENOENT) && !look.lacks_state && !c->keep_state)
        (void)remove_state(c, &look); /* model: end state */
    look_close(&look);
}

void
claim_end(struct claim *c, bool remove)
{
    if (c->process != os_self()) {
        claim_abandon(c);
        return;
    }
    if (remove && c->published)
        remove_published(c);
    /* Not under another's claim: a restart counts on this very lock file. */
    /* model: end byte */
    if (c->lock.handle != OS_NONE && (c->claimed || os_lock_claim(&c->lock) == 0)
        && (c->held || os_lock_take(&c->lock) == 0)) { /* model: end flock */
        /* First: they are named after it, so under another one nobody finds them. */
        claim_remove_temporaries(c); /* model: end aside */
        (void)claim_remove_lock(c);  /* model: end lock */
    }
    claim_abandon(c); /* model: end close */
}

/* Under the claim byte: may the files be removed, and which pidfile was it that was judged? */
static int
judge_removal(struct claim *c, struct look *ret_look)
{
    enum os_lock_seen lock = claim_lock_seen(c);
    int r = os_lock_take(&c->lock); /* model: clear flock */

    /* Under the claim byte nobody becomes the owner, so leftovers are all that a lock can prove. */
    if (r == -EWOULDBLOCK)
        lock = c->assume == ASSUME_LEFTOVERS ? OS_LOCK_UNKNOWN : OS_LOCK_HELD;
    else if (r < 0)
        return r;
    else
        c->held = true;
    look_once(&c->paths, lock, NULL, ret_look); /* model: clear decide */
    if (ret_look->verdict == VORTEX_RUNNING && ret_look->pid == os_self())
        return 0; /* its own, whoever holds the lock */
    if (ret_look->verdict == VORTEX_UNPROVED && c->assume == ASSUME_STALE)
        return 0;
    if (ret_look->verdict == VORTEX_STALE || ret_look->verdict == VORTEX_INVALID
        || ret_look->verdict == VORTEX_NOT_RUNNING)
        return 0;
    r = look_error(ret_look);
    return r < 0 ? r : -EBUSY;
}

/* 0: what was judged is gone, or another's by now. */
static int
remove_judged(const struct claim *c, const struct os_file_id *judged)
{
    struct os_file_id now;
    int r = os_file_identify(&c->paths.dir, c->paths.pidfile, &now);

    if (r == 0 && os_same_file(&now, judged))                /* model: clear same */
        r = os_file_remove(&c->paths.dir, c->paths.pidfile); /* model: clear remove */
    return r == -ENOENT ? 0 : r;
}

int
claim_clear(struct claim *c)
{
    struct os_file_id before;
    struct look look = {.hold = {0, OS_NONE}};
    int there =
        os_file_identify(&c->paths.dir, c->paths.pidfile, &before); /* model: clear pidfile */
    int r;

    assert(c->claimed);
    if (there < 0 && there != -ENOENT)
        return there;
    r = judge_removal(c, &look);
    if (r == 0) {
        /* Where the state is ours, what the pidfile names may be another's to judge. */
        if (there == 0 && (look.verdict != VORTEX_RUNNING || look.content == os_self()))
            r = remove_judged(c, &before);
        /* Of leftovers, the state tells whose group they are in; and a pidfile keeps its own. */
        if (r == 0 && (c->held || c->assume != ASSUME_LEFTOVERS))
            r = remove_state(c, &look); /* model: clear state */
    }
    look_close(&look);
    return r;
}
