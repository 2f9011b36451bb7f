/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The claim protocol: every change of the files happens under the lock, and is made only over what
 * was judged. The steps are numbered as where the protocol is written down, and in core.h.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/core.h"

#define SLEEP_MAX_MS  100  /* many who wait must not starve the one they wait for */
#define REMOVED_TRIES 1000 /* against somebody who removes the lock without end */
#define PUBLISH_TRIES 1000 /* or changes the pidfile */

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

/* ---- Steps 3 to 6: decide and publish ---------------------------------------------------- */

/* The state of this process, written aside. */
static int
prepare_state(struct claim *c, bool lock_held, const struct state_words *words)
{
    struct os_file_id id;
    char data[STATE_MAX];
    size_t length = 0;
    int64_t since = words != NULL && words->since != 0 ? words->since : os_wall_seconds();
    int r = process_know_self(&c->self);

    if (r == 0)
        r = state_format(&c->self, lock_held, since, words, data, sizeof(data), &length);
    if (r == 0)
        r = os_file_create(&c->paths.dir, c->state_new, data, length, 0644, &id);
    return r;
}

/* What will stand in the files, written aside. */
static int
prepare(struct claim *c, bool lock_held, const struct state_words *words)
{
    char data[PIDFILE_MAX];
    int length, r = prepare_state(c, lock_held, words);

    if (r < 0)
        return r;
    length = snprintf(data, sizeof(data), "%" PRId64 "\n", c->self.pid);
    return os_file_create(&c->paths.dir, c->pidfile_new, data, (size_t)length, 0644, &c->mine);
}

/* What stood under the two names while nobody was seen to live there; NULL: nothing. */
struct judged {
    struct os_file_id ids[2];
    const struct os_file_id *pidfile, *state;
};

static const struct os_file_id *
identify(const struct os_dir *dir, const char *name, struct os_file_id *id)
{
    return os_file_identify(dir, name, id) == 0 ? id : NULL;
}

/* Only what is still this claim's own: after an rm of the lock another may be published by now. */
static void
take_back(const struct claim *c, const struct os_file_id *judged)
{
    struct os_file_id id;
    const struct os_file_id *now = identify(&c->paths.dir, c->paths.pidfile, &id);

    if (now == NULL || os_same_file(now, &c->mine)) /* model: unpublish compare */
        (void)os_file_unpublish(&c->paths.dir, c->pidfile_new, c->paths.pidfile, judged);
}

/* Steps 4 and 5. */
static int
publish(struct claim *c, const struct judged *judged)
{
    const struct os_dir *dir = &c->paths.dir;
    /* model: claim 4 */
    int r = os_file_publish(dir, c->pidfile_new, c->paths.pidfile, judged->pidfile);

    if (r < 0)
        return r;
    r = os_file_publish(dir, c->state_new, c->paths.state, judged->state); /* model: claim 5 */
    if (r == 0) {
        /* What stood there before; a directory that isn't empty stays where it was. */
        r = judged->pidfile != NULL ? os_file_remove(dir, c->pidfile_new) : 0;
        if (r == 0 || r == -ENOENT) {
            if (judged->state != NULL)
                (void)os_file_remove(dir, c->state_new); /* model: claim 5 tidy */
            c->published = true;
            return 0;
        }
        (void)os_file_unpublish(dir, c->state_new, c->paths.state, judged->state);
        r = -EISDIR;
    }
    take_back(c, judged->pidfile);
    return r;
}

/*
 * Was something else read than what was identified? It may be back in its place by the time of the
 * publication, which would not notice.
 */
static bool
differs(const struct os_file_id *known, const struct os_file_id *seen)
{
    return seen->inode != 0 && (known == NULL || !os_same_file(known, seen));
}

/*
 * Step 3. Had a file been replaced between the two that identify it and the look, then publishing
 * over the former finds that out.
 */
static int
judge(struct claim *c, struct judged *ret_judged)
{
    struct judged *j = ret_judged;
    struct look look;
    int r = 0;

    j->state = identify(&c->paths.dir, c->paths.state, &j->ids[1]);     /* model: claim 3 state */
    j->pidfile = identify(&c->paths.dir, c->paths.pidfile, &j->ids[0]); /* model: claim 3 pidfile */
    look_once(&c->paths, c->lock.made ? OS_LOCK_MISSING : OS_LOCK_FREE,
              c->published ? &c->mine : NULL, &look); /* model: claim 3 decide */
    if (look_lives(&look)) {
        c->owner = look.pid;
        r = -EEXIST;
    } else if (look.verdict == VORTEX_UNPROVED && c->assume != ASSUME_STALE) {
        r = look.error == -EACCES || look_error(&look) < 0 ? look.error : -ENODATA;
    } else if (differs(j->pidfile, &look.pidfile.id) /* model: claim 3 same */
               || differs(j->state, &look.state_id)) {
        r = -EAGAIN;
    } else {
        cgroup_discard(&c->paths, &look);
    }
    look_close(&look);
    return r;
}

/* Step 6, where the lock is gone: all over again, and our own pidfile is no rival. */
static int
take_again(struct claim *c)
{
    int r;

    close_lock(c);
    r = begin_lock(c, true);
    return r < 0 ? r : claim_take(c);
}

int
claim_publish(struct claim *c, bool lock_held, const struct state_words *words)
{
    int r = -EAGAIN;

    assert(c->held);
    if (c->adopted)
        return 0;
    for (int i = 0; i < PUBLISH_TRIES && r == -EAGAIN; i++) {
        struct os_file_id mine = c->mine;
        struct judged judged;

        r = judge(c, &judged);
        if (r == 0)
            r = prepare(c, lock_held, words); /* model: claim 3 aside */
        if (r == 0)
            r = publish(c, &judged);
        if (r == 0 && claim_lock_in_place(c)) /* model: claim 6 place */
            return 0;
        if (r == 0) {
            r = take_again(c);
            r = r == 0 ? -EAGAIN : r;
        } else {
            claim_remove_temporaries(c); /* model: claim 4 again */
            c->mine = mine;
        }
    }
    return r == -EAGAIN ? -EBUSY : r;
}

int
claim_all(struct claim *c, const char *path, bool lock_held, const struct state_words *words)
{
    int r = claim_begin(c, path, true);

    if (r < 0)
        return r;
    r = claim_take(c);
    if (r == 0)
        r = claim_publish(c, lock_held, words);
    if (r < 0)
        claim_end(c, true);
    return r;
}

int
claim_try(struct claim *c)
{
    int r = prepare_state(c, true, NULL);

    (void)os_file_remove(&c->paths.dir, c->state_new);
    return r;
}

int
claim_update(struct claim *c, const struct state_words *words)
{
    int r = prepare_state(c, true, words);

    if (r == 0)
        r = os_file_rename(&c->paths.dir, c->state_new, c->paths.state);
    if (r < 0)
        (void)os_file_remove(&c->paths.dir, c->state_new);
    return r;
}
