/* SPDX-License-Identifier: Apache-2.0 */
/* Handles, and the lock, which lives and dies with them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_machine.h"
#include "fake_os.h"

static struct machine *const m = &fake_machine;

/* ---- Handles ----------------------------------------------------------------------------- */

static struct descriptor *
free_descriptor(void)
{
    for (int i = 0; i < DESCRIPTORS_MAX; i++)
        if (m->descriptors[i].opened == NULL)
            return &m->descriptors[i];
    fail_msg("too many descriptors");
    return NULL;
}

static struct opened *
free_opened(void)
{
    for (int i = 0; i < OPENED_MAX; i++)
        if (m->opened[i].references == 0)
            return &m->opened[i];
    fail_msg("too many open files");
    return NULL;
}

intptr_t
fake_open(struct fake_file *file, struct fake_process *process)
{
    struct descriptor *descriptor = free_descriptor();
    struct opened *opened = free_opened();

    *opened = (struct opened){.references = 1, .file = file, .process = process};
    if (file != NULL)
        file->opened++;
    *descriptor =
        (struct descriptor){.opened = opened, .owner = m->current, .number = ++m->last_number};
    return descriptor->number;
}

struct descriptor *
fake_descriptor(intptr_t handle)
{
    for (int i = 0; i < DESCRIPTORS_MAX; i++) {
        struct descriptor *descriptor = &m->descriptors[i];

        if (descriptor->opened != NULL && descriptor->owner == m->current
            && descriptor->number == handle)
            return descriptor;
    }
    fail_msg("process %lld uses a handle which it hasn't opened: %lld",
             m->current == NULL ? 0LL : (long long)m->current->pid, (long long)handle);
    return NULL;
}

void
fake_close(struct descriptor *descriptor)
{
    struct opened *opened = descriptor->opened;

    descriptor->opened = NULL;
    if (--opened->references > 0 || opened->file == NULL)
        return;
    if (--opened->file->opened == 0 && opened->file->links == 0)
        opened->file->kind = 0;
}

void
fake_close_all(const struct fake_process *owner, bool but_inherited)
{
    for (int i = 0; i < DESCRIPTORS_MAX; i++) {
        struct descriptor *descriptor = &m->descriptors[i];

        if (descriptor->opened == NULL || descriptor->owner != owner)
            continue;
        if (but_inherited && descriptor->inherit)
            descriptor->inherited = true;
        else
            fake_close(descriptor);
    }
}

struct fake_process *
fake_fork(int64_t pid)
{
    const struct fake_process *parent = m->current;
    struct fake_process *child = fake_spawn(pid);

    child->user = parent->user;
    child->saved_user = parent->saved_user;
    child->session = parent->session;
    memcpy(child->cgroup, parent->cgroup, sizeof(child->cgroup));
    for (int i = 0; i < DESCRIPTORS_MAX; i++) {
        const struct descriptor *original = &m->descriptors[i];
        struct descriptor *copy;

        if (original->opened == NULL || original->owner != parent)
            continue;
        copy = free_descriptor();
        *copy = *original;
        copy->owner = child;
        copy->opened->references++;
    }
    return child;
}

void
fake_exec(void)
{
    fake_close_all(m->current, true);
}

unsigned
fake_handles(void)
{
    unsigned count = 0;

    for (int i = 0; i < DESCRIPTORS_MAX; i++)
        count += m->descriptors[i].opened != NULL && m->descriptors[i].owner == m->current;
    return count;
}

/* ---- The lock ---------------------------------------------------------------------------- */

/* Whether somebody but that one claims the file, or lives by it. */
static bool
is_claimed(const struct fake_file *file, const struct opened *but)
{
    for (int i = 0; i < OPENED_MAX; i++) {
        const struct opened *opened = &m->opened[i];

        if (opened->references > 0 && opened->file == file && opened != but && opened->claims)
            return true;
    }
    return false;
}

static bool
is_held(const struct fake_file *file, const struct opened *but)
{
    for (int i = 0; i < OPENED_MAX; i++) {
        const struct opened *opened = &m->opened[i];

        if (opened->references > 0 && opened->file == file && opened != but && opened->lives)
            return true;
    }
    return false;
}

int
os_lock_open(const struct os_dir *dir, const char *name, bool create, struct os_lock *ret_lock,
             bool *ret_trusted)
{
    struct fake_file *directory = fake_directory(dir);
    struct os_speaker speaker = dir->speaker;
    int r = fake_step(__func__);
    struct fake_file *file = fake_lookup(directory, name);
    bool made = file == NULL;

    if (r < 0)
        return r;
    if (dir->strays)
        return -EXDEV;
    if (file == NULL && !create)
        return -ENOENT;
    if (file == NULL && directory->links == 0)
        return -ENOENT;
    if (file == NULL && !fake_may(directory, 02))
        return -EACCES;
    if (file == NULL)
        file = fake_new_file(directory, name, FAKE_REGULAR, 0600);
    r = fake_judge_kind(file);
    if (r == -ELOOP || r == -EISDIR)
        return r;
    if (!fake_may(file, 06))
        return -EACCES;
    if (r < 0)
        return r;
    fake_note_speaker(&speaker, file);
    if (ret_trusted != NULL)
        *ret_trusted = speaker.scope == OS_SPEAKS_FOR_ALL && (file->mode & 077) == 0;
    if (dir->speaker.scope == OS_SPEAKS_FOR_ALL
        && (m->current->user == 0 || m->current->user == file->user))
        file->mode = 0600;
    *ret_lock = (struct os_lock){fake_open(file, NULL), fake_id(file), made};
    return 0;
}

int
os_lock_claim(struct os_lock *lock)
{
    int r = fake_step(__func__);
    struct opened *opened = fake_descriptor(lock->handle)->opened;

    if (r < 0)
        return r;
    if (is_claimed(opened->file, opened))
        return -EWOULDBLOCK;
    opened->claims = true;
    return 0;
}

int
os_lock_unclaim(struct os_lock *lock)
{
    int r = fake_step(__func__);

    if (r < 0)
        return r;
    fake_descriptor(lock->handle)->opened->claims = false;
    return 0;
}

int
os_lock_take(struct os_lock *lock)
{
    int r = fake_step(__func__);
    struct opened *opened = fake_descriptor(lock->handle)->opened;

    if (r < 0)
        return r;
    if (is_held(opened->file, opened) || opened->file->flocked)
        return -EWOULDBLOCK;
    opened->lives = true;
    return 0;
}

enum os_lock_seen
os_lock_ask(const struct os_dir *dir, const char *name)
{
    int r = fake_step(__func__);
    const struct fake_file *file = fake_lookup(fake_directory(dir), name);

    if (r < 0)
        return OS_LOCK_UNKNOWN;
    if (file == NULL)
        return OS_LOCK_MISSING;
    if (file->kind == FAKE_SYMLINK || !fake_may(file, 04) || m->no_proof)
        return OS_LOCK_UNKNOWN;
    if (is_held(file, NULL))
        return OS_LOCK_HELD;
    return is_claimed(file, NULL) ? OS_LOCK_CLAIMED : OS_LOCK_FREE;
}

int
os_lock_adopt(struct os_file_id id, struct os_lock *ret_lock)
{
    int r = fake_step(__func__);

    if (r < 0)
        return r;
    for (int i = 0; i < DESCRIPTORS_MAX; i++) {
        struct descriptor *descriptor = &m->descriptors[i];
        struct opened *opened = descriptor->opened;

        if (opened == NULL || descriptor->owner != m->current || !descriptor->inherited
            || opened->file == NULL || opened->file->inode != id.inode)
            continue;
        if (is_held(opened->file, opened))
            continue;
        opened->lives = true;
        descriptor->inherited = false;
        descriptor->inherit = false;
        *ret_lock = (struct os_lock){descriptor->number, id, false};
        return 0;
    }
    return -ENOENT;
}

int
os_lock_pass_on(struct os_lock *lock, bool inherit)
{
    int r = fake_step(__func__);
    struct descriptor *descriptor = fake_descriptor(lock->handle);

    if (r < 0)
        return r;
    descriptor->inherit = inherit;
    if (inherit) /* it moves */
        lock->handle = descriptor->number = ++m->last_number;
    return 0;
}

void
os_lock_close(struct os_lock *lock)
{
    (void)fake_step(__func__);
    if (lock->handle != OS_NONE)
        fake_close(fake_descriptor(lock->handle));
    lock->handle = OS_NONE;
}

int
os_lock_holders(const struct os_dir *dir, const char *name, int64_t *ret_pids, size_t max)
{
    int r = fake_step(__func__);
    const struct fake_file *file = fake_lookup(fake_directory(dir), name);
    size_t count = 0;

    if (r < 0)
        return r;
    for (int i = 0; i < DESCRIPTORS_MAX && count < max; i++) {
        const struct descriptor *descriptor = &m->descriptors[i];
        const struct fake_process *owner = descriptor->owner;

        if (file == NULL || descriptor->opened == NULL || descriptor->opened->file != file
            || !descriptor->opened->lives || owner->pid_namespace != m->pid_namespace)
            continue;
        if (m->current->user == 0 || m->current->user == owner->user)
            ret_pids[count++] = owner->pid;
    }
    return (int)count;
}
