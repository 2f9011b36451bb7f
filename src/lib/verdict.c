/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is alive: the one decision. The state's identity speaks first, the lock second, the bare
 * number last; and a process is named only after it was pinned and compared. The rows are those
 * of vortex(1), VERDICTS.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/core.h"

#define SETTLE_MS 50

/* ---- The pidfile's content --------------------------------------------------------------- */

int
look_content(const struct look *look)
{
    struct os_hold hold;
    int r;

    switch (look->read_error) {
    case 0:
        break;
    case -ELOOP:
    case -EISDIR:
    case -EMEDIUMTYPE:
        return -EBADMSG;
    case -EMLINK:
        return -EPERM;
    default:
        return look->read_error;
    }
    /* Process 1 is nobody's server, unless the state proves it. */
    if (look->content == 1 && (look->verdict != VORTEX_RUNNING || look->pid != 1))
        return -EBADMSG;
    if (look->pidfile.speaker.scope == OS_SPEAKS_FOR_NOBODY)
        return -EPERM;
    if (look->pidfile.speaker.scope != OS_SPEAKS_FOR_USER
        || os_process_hold(look->content, &hold) < 0)
        return 0;
    r = os_process_is_of(&hold, &look->pidfile.speaker);
    os_process_release(&hold);
    return r == 0 ? -EPERM : 0;
}

/* ---- An identity ------------------------------------------------------------------------- */

enum life {
    LIVES = 1,
    DEAD,
    UNTRUSTED, /* the file may not speak for that process */
    UNKNOWN,   /* it can't be compared */
    ELSEWHERE, /* it is of another pid namespace: its number means nothing here */
};

/* The kernel let go of the owner's lock, which was for life. */
static bool
is_let_go(const struct look *look)
{
    return look->state.lock_held && look->lock == OS_LOCK_FREE;
}

/* It said itself that it failed, and removed its pidfile: the state is left, for the post-mortem. */
static bool
has_failed(const struct look *look)
{
    char phase[16];

    return !look->has_pidfile && state_get(&look->state, "phase", phase, sizeof(phase))
           && strcmp(phase, "failed") == 0;
}

/* Is the pinned one alive, the same, and one that the state may speak for? */
static enum life
ask_pinned(const struct look *look, const struct os_identity *id, const struct os_hold *hold,
           const struct os_speaker *speaker)
{
    enum os_comparison same = os_process_compare(hold, id);

    if (same != OS_SAME)
        return same == OS_OTHER ? DEAD : UNKNOWN;
    /* Where a number is all there is to compare, these are better evidence. */
    if (!os_identity_is_proof()
        && (has_failed(look) || (id == &look->state.owner && is_let_go(look))))
        return DEAD;
    switch (os_process_is_of(hold, speaker)) {
    case 1:
        return LIVES;
    case 0:
        return UNTRUSTED;
    default:
        return UNKNOWN;
    }
}

static void
note_error(struct look *look, int r)
{
    if (os_error_will_pass(r))
        look->error = r;
}

/* look->hold is set where it lives. */
static enum life
ask_identity(struct look *look, const struct os_identity *id, const struct os_speaker *speaker)
{
    struct os_hold hold;
    enum life life;
    int r;

    /* A lock that is held proves that it is no other boot, but another view of the boot's id. */
    if (id->pid == 0 || (os_boot_differs(id) == 1 && look->lock != OS_LOCK_HELD))
        return DEAD;
    if (os_namespace_differs(id) == 1)
        return ELSEWHERE;
    r = os_process_hold(id->pid, &hold);
    note_error(look, r);
    if (r < 0)
        return r == -ESRCH ? DEAD : UNKNOWN;
    life = ask_pinned(look, id, &hold, speaker);
    if (life == UNKNOWN) /* the comparison doesn't say why: the same want stops this */
        note_error(look, os_boot_differs(id));
    if (life == LIVES)
        look->hold = hold;
    else
        os_process_release(&hold);
    return life;
}

/* ---- The rows ---------------------------------------------------------------------------- */

static void
decide(struct look *look, enum vortex_verdict verdict, const char *reason)
{
    look->verdict = verdict;
    look->reason = reason;
}

static void
decide_invalid(struct look *look, int error, const char *reason)
{
    look->error = error;
    decide(look, VORTEX_INVALID, reason);
}

/* What stands there instead of a file with a number. */
static void
decide_unreadable(struct look *look)
{
    int error = look_content(look);

    switch (look->read_error) {
    case -EBADMSG:
        decide_invalid(look, error, "its content is not a process id");
        break;
    case -ELOOP:
        decide_invalid(look, error, "it is a symbolic link");
        break;
    case -EISDIR:
        decide_invalid(look, error, "it is a directory");
        break;
    case -EMEDIUMTYPE:
        decide_invalid(look, error, "it is not a regular file");
        break;
    case -EMLINK:
        decide_invalid(look, error, "it has a second name (hard link)");
        break;
    default:
        look->error = error;
        decide(look, VORTEX_UNPROVED,
               error == -EACCES ? "it may not be read: Permission denied" : "it can't be read");
        break;
    }
}

/* Rows 5 to 8: a number of which the state doesn't speak. A foreign tool wrote it. */
static void
decide_number(struct look *look, const struct paths *paths)
{
    struct os_hold hold;
    int r = os_process_hold(look->pid, &hold);

    if (r == -ESRCH) {
        decide(look, VORTEX_STALE, "there is no such process");
        return;
    }
    if (r < 0) {
        note_error(look, r);
        decide(look, VORTEX_UNPROVED, "its process can't be examined");
        return;
    }
    r = os_process_is_of(&hold, &look->pidfile.speaker);
    if (r == 0) {
        decide_invalid(look, -EPERM, "it belongs to a user who doesn't own that process");
    } else if (r < 0) {
        decide(look, VORTEX_UNPROVED, "it can't be told who owns that process");
    } else {
        r = os_process_is_younger(&hold, &paths->dir, &look->pidfile);
        if (r == 1)
            decide(look, VORTEX_STALE, "that process is younger than the pidfile: a reused pid");
        else if (r == 0 || look->pid == os_self())
            decide(look, VORTEX_RUNNING, "that process is older than the pidfile");
        else
            decide(look, VORTEX_UNPROVED,
                   "it can't be told whether that process is older than the pidfile");
    }
    if (look->verdict == VORTEX_RUNNING)
        look->hold = hold;
    else
        os_process_release(&hold);
}

/* Rows 4 to 10, where the state names nobody who lives and nobody holds the lock. */
static void
decide_pidfile(struct look *look, const struct paths *paths)
{
    const struct state *state = look->has_state ? &look->state : NULL;
    bool named = look_is_named(look);

    if (!look->has_pidfile && look->lock == OS_LOCK_UNKNOWN && state == NULL)
        decide(look, VORTEX_UNPROVED, "the lock can't be asked");
    else if (!look->has_pidfile)
        decide(look, VORTEX_NOT_RUNNING, "there is no pidfile");
    else if (look->read_error < 0)
        decide_unreadable(look);
    else if (named && os_boot_differs(&state->owner) == 1)
        decide(look, VORTEX_STALE, "it is from before the last boot");
    else if (named)
        decide(look, VORTEX_STALE, "its process has ended");
    else if (look->content == 1)
        decide_invalid(look, -EBADMSG, "process 1 is nobody's server, unless the state proves it");
    else if (look->pidfile.speaker.scope == OS_SPEAKS_FOR_NOBODY)
        decide_invalid(look, -EPERM, "others may write it or replace it");
    else
        decide_number(look, paths);
}

/* A rival is whoever lives; what this claim itself published is none. */
static bool
is_mine(const struct look *look, const struct os_file_id *mine)
{
    /* Its content too: an inode number is soon another file's. */
    return mine != NULL && look->has_pidfile && look->content == os_self()
           && os_same_file(&look->pidfile.id, mine);
}

static void
decide_all(struct look *look, const struct paths *paths, const struct os_speaker *speaker)
{
    enum life owner = DEAD, server = DEAD;

    if (look->has_state) {
        owner = ask_identity(look, &look->state.owner, speaker);
        if (owner != LIVES && owner != UNKNOWN) /* an orphan's supervisor is surely gone */
            server = ask_identity(look, &look->state.server, speaker);
        if (owner == UNTRUSTED || server == UNTRUSTED)
            look->has_state = false;
    }
    if (owner == LIVES) {
        decide(look, VORTEX_RUNNING, "its process lives");
        look->pid = look->state.owner.pid;
    } else if (server == LIVES) {
        decide(look, VORTEX_ORPHANED, "its supervisor was killed, the server lives");
        look->pid = look->state.server.pid;
    } else if (look->lock == OS_LOCK_HELD) {
        decide(look, VORTEX_BUSY,
               owner == UNTRUSTED || server == UNTRUSTED
                   ? "somebody holds the lock, and the state may not speak for that process: its "
                     "directory is another user's"
                   : "somebody holds the lock");
    } else if (look->lock == OS_LOCK_CLAIMED) {
        decide(look, VORTEX_BUSY, "a start or a stop is under way");
    } else if (owner == UNKNOWN || server == UNKNOWN) {
        decide(look, VORTEX_UNPROVED, "its process can't be compared with the state");
        look->pid = look->state.owner.pid;
    } else if (look->lacks_state) {
        decide(look, VORTEX_UNPROVED, "its state can't be read just now");
    } else if (owner == ELSEWHERE && !is_let_go(look) && !has_failed(look)) {
        decide(look, VORTEX_UNPROVED, "it is of another pid namespace");
    } else {
        decide_pidfile(look, paths);
    }
}

void
look_once(const struct paths *paths, enum os_lock_seen lock, const struct os_file_id *mine,
          struct look *ret_look)
{
    struct look look = {.lock = lock, .hold = {0, OS_NONE}};
    struct os_speaker speaker = {OS_SPEAKS_FOR_ALL, 0};

    look_read(paths, &look, &speaker);
    if (is_mine(&look, mine)) {
        decide(&look, VORTEX_NOT_RUNNING, "the pidfile is this claim's own");
        look.has_state = false;
    } else {
        decide_all(&look, paths, &speaker);
    }
    *ret_look = look;
}

int
look_error(const struct look *look)
{
    return !look_lives(look) && os_error_will_pass(look->error) ? look->error : 0;
}

int
look_settled(const struct paths *paths, const struct claim *ours, struct look *ret_look)
{
    int64_t end = os_monotonic_ms() + SETTLE_MS;
    int64_t left;
    int r;

    for (int ms = 1;; ms *= 2) {
        enum os_lock_seen lock = os_lock_ask(&paths->dir, paths->lock);

        if (ours != NULL && lock == OS_LOCK_CLAIMED)
            lock = claim_lock_seen(ours);
        look_once(paths, lock, NULL, ret_look);
        r = look_error(ret_look);
        left = end - os_monotonic_ms();
        if (r < 0 || ret_look->verdict != VORTEX_BUSY || left <= 0)
            return r;
        look_close(ret_look);
        os_sleep_ms(ms < left ? ms : (int)left);
    }
}

void
look_close(struct look *look)
{
    if (look->hold.pid != 0)
        os_process_release(&look->hold);
    look->hold = (struct os_hold){0, OS_NONE};
}
