/* SPDX-License-Identifier: Apache-2.0 */
/* Pinned processes, and the leftovers of dead ones. Opening is in pidfile.c: it is a verdict. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core.h"

#define HOLDERS_MAX 1024

int
process_know_self(struct os_identity *self)
{
    struct os_hold hold;
    int r;

    if (self->pid == os_self())
        return 0;
    r = os_process_hold(os_self(), &hold);
    if (r < 0)
        return r;
    r = os_process_identify(&hold, self);
    os_process_release(&hold);
    return r;
}

vortex_pid
vortex_process_pid(const struct vortex_process *p)
{
    return p->hold.pid;
}

int
vortex_process_signal(struct vortex_process *p, int signal)
{
    return os_process_signal(&p->hold, signal);
}

int
vortex_process_wait(struct vortex_process *p, int timeout_ms)
{
    return os_process_wait(&p->hold, timeout_ms);
}

struct vortex_process *
vortex_process_close(struct vortex_process *p)
{
    if (p != NULL) {
        os_process_release(&p->hold);
        free(p);
    }
    return NULL;
}

/* ---- The control group of a server ------------------------------------------------------- */

#define FNV_BASIS 14695981039346656037u
#define FNV_PRIME 1099511628211u

static uint64_t
mix(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *bytes = data;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * FNV_PRIME;
    return hash;
}

/* "vortex-web-0123456789abcdef": for people the name, for us the directory and the name. */
void
cgroup_name(const struct paths *paths, char *buf, size_t size)
{
    struct os_file_id id = {0};
    uint64_t hash;
    char readable[65];
    size_t length = 0;

    (void)os_file_identify(&paths->dir, ".", &id);
    hash = mix(FNV_BASIS, &id.device, sizeof(id.device));
    hash = mix(hash, &id.inode, sizeof(id.inode));
    hash = mix(hash, paths->pidfile, strlen(paths->pidfile));
    for (const char *p = paths->pidfile; *p != '\0' && length < sizeof(readable) - 1; p++) {
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z')
                     || (*p >= '0' && *p <= '9') || strchr("@_-", *p) != NULL;

        if (strcmp(p, ".pid") == 0)
            break;
        readable[length++] = '_';
        if (plain)
            readable[length - 1] = *p;
    }
    readable[length] = '\0';
    snprintf(buf, size, "vortex-%s-%016" PRIx64, readable, hash);
}

/* The group in that state, if it is one that a supervisor of this pidfile made. */
static bool
own_cgroup(const struct paths *paths, const struct state *state, char *buf, size_t size)
{
    char name[OS_NAME_MAX];
    const char *slash;
    size_t length;

    if (!state_get(state, "cgroup", buf, size) || (slash = strrchr(buf, '/')) == NULL)
        return false;
    cgroup_name(paths, name, sizeof(name));
    length = strlen(name);
    return strncmp(slash + 1, name, length) == 0
           && (slash[1 + length] == '\0' || slash[1 + length] == '.');
}

void
cgroup_discard(const struct paths *paths, const struct look *look)
{
    char cgroup[STATE_MAX];

    if (look->has_state && own_cgroup(paths, &look->state, cgroup, sizeof(cgroup)))
        os_cgroup_discard(cgroup);
}

/* ---- Who else holds the lock ------------------------------------------------------------- */

int
vortex_pidfile_holders(const char *path, vortex_pid *ret_pids, size_t max)
{
    struct paths paths;
    int r = paths_open(path, false, &paths);

    if (r < 0)
        return r == -ENOENT ? 0 : r;
    r = os_lock_holders(&paths.dir, paths.lock, ret_pids, max);
    paths_close(&paths);
    return r;
}

/* Does that pid still hold the lock, now that it is pinned? */
static bool
still_holds(const struct paths *paths, int64_t pid)
{
    int64_t pids[HOLDERS_MAX];
    int count = os_lock_holders(&paths->dir, paths->lock, pids, HOLDERS_MAX);

    for (int i = 0; i < count; i++)
        if (pids[i] == pid)
            return true;
    return false;
}

/* Does nobody live there, still? The last may have ended and a start have got the dead one's number. */
static bool
is_ownerless(const struct paths *paths)
{
    struct look look;
    bool ownerless;

    /* The lock, which leftovers hold, is left out: it would hide who can't be examined just now. */
    look_once(paths, OS_LOCK_UNKNOWN, NULL, &look);
    ownerless = !look_lives(&look) && look.verdict != VORTEX_UNPROVED;
    look_close(&look);
    return ownerless;
}

static int
left_until(int64_t end)
{
    int64_t left = end - os_monotonic_ms();

    return left > 0 ? (int)left : 0;
}

/*
 * 1 ended; 0 it is none of the instance's, or gone already. A leftover doesn't have the number of
 * one that is dead; and what a new server has started was started after its state was published.
 */
static int
end_leftover(const struct paths *paths, const struct state *state, int64_t pid, int64_t end)
{
    struct os_hold hold;
    char cgroup[STATE_MAX];
    int kill_signal = os_signal_number("KILL");
    int r = 0;

    if (pid == os_self() || pid == state->owner.pid || pid == state->server.pid
        || os_process_hold(pid, &hold) < 0)
        return 0;
    if (!state_get(state, "cgroup", cgroup, sizeof(cgroup)))
        cgroup[0] = '\0';
    if ((os_process_belongs(&hold, state->owner.pid, cgroup)
         || os_process_belongs(&hold, state->server.pid, cgroup))
        && still_holds(paths, pid) && is_ownerless(paths)) {
        r = os_process_signal(&hold, kill_signal);
        if (r == 0)
            r = os_process_wait(&hold, left_until(end));
        r = r == 0 || r == -ESRCH ? 1 : r;
    }
    os_process_release(&hold);
    return r;
}

static int
end_leftovers(const struct paths *paths, const struct state *state, int64_t end)
{
    int64_t pids[HOLDERS_MAX];
    int ended = 0;
    int count = os_lock_holders(&paths->dir, paths->lock, pids, HOLDERS_MAX);

    if (count < 0)
        return count;
    for (int i = 0; i < count; i++) {
        int r = end_leftover(paths, state, pids[i], end);

        if (r < 0)
            return r;
        ended += r;
    }
    return ended;
}

/* In a supervisor's own group are its server's processes alone: that needs no other proof. */
static int
end_all(const struct paths *paths, const struct state *state, int timeout_ms)
{
    int64_t end = os_monotonic_ms() + timeout_ms;
    char cgroup[STATE_MAX];
    int grouped = 0, others;

    if (own_cgroup(paths, state, cgroup, sizeof(cgroup)))
        grouped = os_cgroup_end(cgroup, timeout_ms);
    if (grouped < 0)
        return grouped;
    others = end_leftovers(paths, state, end);
    return others < 0 ? others : grouped + others;
}

int
vortex_pidfile_end_leftovers(const char *path, int timeout_ms)
{
    struct paths paths;
    struct look look;
    int r = paths_open(path, false, &paths);

    if (r < 0)
        return r == -ENOENT ? 0 : r;
    r = look_settled(&paths, NULL, &look);
    if (r == 0) {
        if (look_lives(&look))
            r = -EBUSY;
        else if (look.has_state && os_boot_differs(&look.state.owner) == 0
                 && os_namespace_differs(&look.state.owner) == 0)
            r = end_all(&paths, &look.state, timeout_ms);
        look_close(&look);
    }
    paths_close(&paths);
    return r;
}
