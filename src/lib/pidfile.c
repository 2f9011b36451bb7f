/* SPDX-License-Identifier: Apache-2.0 */
/* The public words about a pidfile; what they mean is in claim.c and verdict.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core.h"

struct vortex_lock {
    struct claim claim;
};

struct vortex_report {
    struct look look;
    struct vortex_process process;
    char value[STATE_MAX];
};

/* ---- Asking ------------------------------------------------------------------------------ */

static int
look_at(const char *path, struct look *ret_look)
{
    struct paths paths;
    int r = paths_open(path, false, &paths);

    if (r < 0)
        return r;
    r = look_settled(&paths, NULL, ret_look);
    paths_close(&paths);
    return r;
}

/* What a caller hears of a verdict that names no living process; 0 for one that does. */
static int
error_of(const struct look *look)
{
    switch (look->verdict) {
    case VORTEX_RUNNING:
    case VORTEX_ORPHANED:
        return 0;
    case VORTEX_BUSY:
        return -EBUSY;
    case VORTEX_UNPROVED:
        return -ENODATA;
    case VORTEX_INVALID:
        return look->error;
    case VORTEX_STALE:
        return -ESRCH;
    case VORTEX_NOT_RUNNING:
        break;
    }
    return -ENOENT;
}

int
vortex_pidfile_read(const char *path, vortex_pid *ret_pid)
{
    struct paths paths;
    struct look look;
    int r = paths_open(path, false, &paths);

    if (r < 0)
        return r;
    look_once(&paths, os_lock_ask(&paths.dir, paths.lock), NULL, &look);
    paths_close(&paths);
    r = look.has_pidfile ? look_content(&look) : -ENOENT;
    if (r == 0)
        *ret_pid = look.content;
    look_close(&look);
    return r;
}

int
vortex_pidfile_is_running(const char *path, bool *ret_alive, vortex_pid *ret_pid)
{
    struct look look;
    int r = look_at(path, &look);

    if (r < 0)
        return r;
    r = error_of(&look);
    if (r == 0 || r == -ESRCH) {
        *ret_alive = r == 0;
        if (ret_pid != NULL)
            *ret_pid = look.pid;
        r = 0;
    }
    look_close(&look);
    return r;
}

int
vortex_process_open(const char *pidfile, struct vortex_process **ret_p)
{
    struct vortex_process *p;
    struct look look;
    int r = look_at(pidfile, &look);

    if (r == 0)
        r = error_of(&look);
    if (r < 0)
        return r == -ENOENT ? -ESRCH : r;
    p = malloc(sizeof(*p));
    if (p == NULL) {
        look_close(&look);
        return -ENOMEM;
    }
    p->hold = look.hold; /* the look's hold goes on in the process */
    *ret_p = p;
    return 0;
}

/* ---- Claiming ---------------------------------------------------------------------------- */

/* Who is there already, as a caller of the library hears it. */
static int
refusal(int r, const struct claim *claim, vortex_pid *ret_owner)
{
    if (r == -EBUSY)
        r = -EEXIST; /* somebody holds the lock who can't be named */
    if (r == -EEXIST && ret_owner != NULL)
        *ret_owner = claim->owner;
    return r;
}

int
vortex_pidfile_write(const char *path, vortex_pid *ret_owner)
{
    struct claim claim;
    int r;

    claim_init(&claim);
    r = claim_all(&claim, path, false, NULL);
    if (r < 0)
        return refusal(r, &claim, ret_owner);
    if (claim.adopted) { /* what was inherited for life is kept for life */
        claim_finish(&claim);
        claim.lock.handle = OS_NONE;
    }
    claim_end(&claim, false);
    return 0;
}

int
vortex_pidfile_write_locked(const char *path, struct vortex_lock **ret_lock, vortex_pid *ret_owner)
{
    struct vortex_lock *lock = malloc(sizeof(*lock));
    int r;

    if (lock == NULL)
        return -ENOMEM;
    claim_init(&lock->claim);
    r = claim_all(&lock->claim, path, true, NULL);
    if (r < 0) {
        r = refusal(r, &lock->claim, ret_owner);
        free(lock);
        return r;
    }
    claim_finish(&lock->claim);
    *ret_lock = lock;
    return 0;
}

int
vortex_pidfile_lock(const char *path, struct vortex_lock **ret_lock)
{
    struct vortex_lock *lock = malloc(sizeof(*lock));
    int r;

    if (lock == NULL)
        return -ENOMEM;
    claim_init(&lock->claim);
    lock->claim.never_wait = true;
    r = claim_begin(&lock->claim, path, false);
    if (r == 0) {
        r = claim_take(&lock->claim);
        if (r < 0)
            claim_end(&lock->claim, false);
    }
    if (r < 0) {
        free(lock);
        return r == -EEXIST || r == -EBUSY ? -EWOULDBLOCK : r;
    }
    claim_finish(&lock->claim);
    *ret_lock = lock;
    return 0;
}

struct vortex_lock *
vortex_lock_unlock(struct vortex_lock *lock)
{
    if (lock != NULL) {
        claim_end(&lock->claim, true);
        free(lock);
    }
    return NULL;
}

int
pidfile_remove(const char *path, enum assume assume)
{
    struct claim claim;
    struct paths paths;
    struct look look;
    int r = paths_open(path, false, &paths);

    if (r < 0) /* where there is no directory, there is no file */
        return r == -ENOENT ? 0 : r;
    look_once(&paths, os_lock_ask(&paths.dir, paths.lock), NULL, &look);
    paths_close(&paths);
    look_close(&look);
    if (!look.has_pidfile && !look.has_state && !look.lacks_state && look.lock == OS_LOCK_MISSING)
        return 0; /* nothing to remove, and no lock to make for it */
    claim_init(&claim);
    claim.allow_remote = true;
    claim.assume = assume;
    r = claim_begin(&claim, path, false);
    if (r < 0)
        return r;
    r = claim_clear(&claim);
    claim_end(&claim, false);
    return r;
}

int
vortex_pidfile_remove(const char *path)
{
    return pidfile_remove(path, ASSUME_NOTHING);
}

/* ---- Reports ----------------------------------------------------------------------------- */

/* look: what was seen; its hold goes on in the report. */
static int
report_on(struct look *look, struct vortex_report **ret_report)
{
    struct vortex_report *r = malloc(sizeof(*r));

    if (r == NULL) {
        look_close(look);
        return -ENOMEM;
    }
    r->look = *look;
    r->process.hold = look->hold;
    *ret_report = r;
    return 0;
}

int
vortex_pidfile_inspect(const char *path, struct vortex_report **ret_report)
{
    struct look look;
    int r = look_at(path, &look);

    if (r == -ENOENT) { /* no directory */
        look = (struct look){.verdict = VORTEX_NOT_RUNNING,
                             .reason = "there is no pidfile",
                             .lock = OS_LOCK_MISSING,
                             .hold = {0, OS_NONE}};
        r = 0;
    }
    return r < 0 ? r : report_on(&look, ret_report);
}

int
claim_inspect(struct claim *claim, struct vortex_report **ret_report)
{
    enum os_lock_seen lock = OS_LOCK_HELD;
    struct look look;
    int r;

    if (os_lock_ask(&claim->paths.dir, claim->paths.lock) != OS_LOCK_UNKNOWN) {
        r = look_settled(&claim->paths, claim, &look);
    } else { /* where it can't be asked, it can be tried: the claim is the caller's anyway */
        if (os_lock_take(&claim->lock) == 0)
            lock = claim_lock_seen(claim);
        look_once(&claim->paths, lock, NULL, &look);
        r = look_error(&look);
    }
    return r < 0 ? r : report_on(&look, ret_report);
}

enum vortex_verdict
vortex_report_verdict(const struct vortex_report *r)
{
    return r->look.verdict;
}

const char *
vortex_report_reason(const struct vortex_report *r)
{
    return r->look.reason;
}

int
vortex_report_error(const struct vortex_report *r)
{
    return r->look.error;
}

vortex_pid
vortex_report_pid(const struct vortex_report *r)
{
    return r->look.pid;
}

struct vortex_process *
vortex_report_process(struct vortex_report *r)
{
    return r->look.hold.pid != 0 ? &r->process : NULL;
}

const char *
vortex_report_get(struct vortex_report *r, const char *key)
{
    if (!r->look.has_state || !state_get(&r->look.state, key, r->value, sizeof(r->value)))
        return NULL;
    return r->value;
}

bool
vortex_report_has_lock(const struct vortex_report *r)
{
    return r->look.lock != OS_LOCK_MISSING;
}

struct vortex_report *
vortex_report_close(struct vortex_report *r)
{
    if (r != NULL) {
        look_close(&r->look);
        free(r);
    }
    return NULL;
}

const char *
vortex_version(void)
{
    return VORTEX_VERSION;
}
