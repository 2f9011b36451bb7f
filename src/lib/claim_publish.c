/* SPDX-License-Identifier: Apache-2.0 */
/* Steps 3 to 6 of a claim: decide and publish. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/core.h"

#define PUBLISH_TRIES 1000 /* against somebody who changes the pidfile without end */

/* The state of this process, written aside. */
static int
prepare_state(struct claim *c, bool lock_held, const struct state_words *words)
{
    struct os_file_id id;
    char data[STATE_MAX];
    size_t length;
    int64_t since = words != NULL && words->since != 0 ? words->since : os_wall_seconds();
    int r = process_know_self(&c->self);

    if (r < 0)
        return r;
    length = state_format(&c->self, lock_held, since, words, data);
    return os_file_create(&c->paths.dir, c->state_new, data, length, 0644, &id);
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
    /* model: claim 3 decide */
    look_once(&c->paths, claim_lock_seen(c), c->published ? &c->mine : NULL, &look);
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
            r = claim_take_again(c);
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
