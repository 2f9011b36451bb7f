/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lock file. "I live" is a handle that may write, beside which nobody else may have such a one;
 * "I am changing these files" is a handle that may read, likewise. The system lets go of both with
 * the process, and a child can inherit them. Whoever only asks which file it is does neither.
 */
#include "os/windows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SHARE_ALL   (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)
#define SHARE_CLAIM (FILE_SHARE_WRITE | FILE_SHARE_DELETE)
#define SHARE_LIFE  (FILE_SHARE_READ | FILE_SHARE_DELETE)
#define ASKING_MS   5 /* who asks holds it for an instant: not for so many tries, a ms apart */

struct windows_lock {
    HANDLE file;
    HANDLE claim; /* or INVALID_HANDLE_VALUE */
    HANDLE life;  /* likewise */
    WCHAR path[];
};

static struct windows_lock *
of(const struct os_lock *lock)
{
    return (struct windows_lock *)lock->handle;
}

static HANDLE
open_lock_file(const WCHAR *path, bool create, bool *ret_made)
{
    const struct windows_new how = {
        .access = FILE_READ_ATTRIBUTES | READ_CONTROL,
        .share = SHARE_ALL,
        .disposition = CREATE_NEW,
        .flags = WINDOWS_ITSELF,
        .readers = WINDOWS_PRIVATE,
    };
    HANDLE file = windows_open(path, how.access, how.share);

    *ret_made = false;
    if (file != INVALID_HANDLE_VALUE || !create || windows_last_error() != -ENOENT)
        return file;
    file = windows_make(path, &how);
    *ret_made = file != INVALID_HANDLE_VALUE;
    if (!*ret_made && GetLastError() == ERROR_FILE_EXISTS)
        file = windows_open(path, how.access, how.share);
    return file;
}

int
os_lock_open(const struct os_dir *dir, const char *name, bool create, struct os_lock *ret_lock,
             bool *ret_trusted)
{
    struct os_speaker speaker = dir->speaker;
    struct windows_lock *lock;
    WCHAR path[WIDE_PATH_MAX];
    struct os_file_id id;
    HANDLE file;
    size_t size;
    bool made;
    int r = windows_in_dir(dir, name, path, WIDE_PATH_MAX);

    if (r < 0)
        return r;
    file = open_lock_file(path, create, &made);
    if (file == INVALID_HANDLE_VALUE)
        return windows_last_error();
    r = windows_judge(file, &id);
    size = (wcslen(path) + 1) * sizeof(*path);
    lock = r == 0 ? malloc(sizeof(*lock) + size) : NULL;
    if (lock == NULL) {
        CloseHandle(file);
        return r < 0 ? r : -ENOMEM;
    }
    windows_note_speaker(&speaker, file, WINDOWS_CONTENTS);
    *lock = (struct windows_lock){file, INVALID_HANDLE_VALUE, INVALID_HANDLE_VALUE};
    memcpy(lock->path, path, size);
    *ret_lock = (struct os_lock){(intptr_t)lock, id, made};
    if (ret_trusted != NULL)
        *ret_trusted = speaker.scope == OS_SPEAKS_FOR_ALL;
    return 0;
}

/* One of the two handles: 0; -EWOULDBLOCK another has it. */
static int
open_exclusively(const WCHAR *path, DWORD access, DWORD share, HANDLE *ret)
{
    HANDLE file = INVALID_HANDLE_VALUE;
    int r = -EBUSY;

    for (int i = 0; i < ASKING_MS && r == -EBUSY; i++) {
        if (i > 0)
            Sleep(1);
        file = windows_open_once(path, access, share);
        r = file == INVALID_HANDLE_VALUE ? windows_last_error() : 0;
    }
    if (r == 0)
        *ret = file;
    /* Removed, or being so: whoever looks whether it is in its place sees that. */
    return r == -EBUSY || r == -ENOENT ? -EWOULDBLOCK : r;
}

static bool
is_of_lock(HANDLE file, const struct os_lock *lock)
{
    struct os_file_id id;

    return windows_judge(file, &id) == 0 && os_same_file(&id, &lock->id);
}

int
os_lock_claim(struct os_lock *lock)
{
    struct windows_lock *own = of(lock);
    HANDLE inherited;

    if (own->claim != INVALID_HANDLE_VALUE)
        return 0;
    inherited = windows_inherited_claim();
    if (inherited != NULL && is_of_lock(inherited, lock)) {
        own->claim = inherited;
        return 0;
    }
    return open_exclusively(own->path, FILE_READ_DATA, SHARE_CLAIM, &own->claim);
}

int
os_lock_unclaim(struct os_lock *lock)
{
    of(lock)->claim = (HANDLE)windows_close((intptr_t)of(lock)->claim);
    return 0;
}

int
os_lock_take(struct os_lock *lock)
{
    struct windows_lock *own = of(lock);

    if (own->life != INVALID_HANDLE_VALUE)
        return 0;
    return open_exclusively(own->path, FILE_WRITE_DATA, SHARE_LIFE, &own->life);
}

/* Could we open it so? Where not, somebody else has done. */
static bool
is_open(const WCHAR *path, DWORD access)
{
    HANDLE file = windows_open_once(path, access, SHARE_ALL);

    if (file != INVALID_HANDLE_VALUE)
        CloseHandle(file);
    return file == INVALID_HANDLE_VALUE && GetLastError() == ERROR_SHARING_VIOLATION;
}

enum os_lock_seen
os_lock_ask(const struct os_dir *dir, const char *name)
{
    WCHAR path[WIDE_PATH_MAX];
    HANDLE file;

    if (windows_in_dir(dir, name, path, WIDE_PATH_MAX) < 0)
        return OS_LOCK_UNKNOWN;
    if (is_open(path, FILE_WRITE_DATA))
        return OS_LOCK_HELD;
    if (is_open(path, FILE_READ_DATA))
        return OS_LOCK_CLAIMED;
    file = windows_open_once(path, FILE_READ_DATA, SHARE_ALL);
    if (file == INVALID_HANDLE_VALUE)
        return windows_last_error() == -ENOENT ? OS_LOCK_MISSING : OS_LOCK_UNKNOWN;
    CloseHandle(file);
    return OS_LOCK_FREE;
}

HANDLE
windows_lock_claim_handle(const struct os_lock *lock)
{
    return of(lock)->claim;
}

/* No lock is inherited: a server's job ends with its supervisor. */
int
os_lock_adopt(struct os_file_id id, struct os_lock *ret_lock)
{
    (void)id;
    (void)ret_lock;
    return -ENOENT;
}

int
os_lock_pass_on(struct os_lock *lock, bool inherit)
{
    (void)lock;
    return inherit ? -ENOTSUP : 0;
}

void
os_lock_close(struct os_lock *lock)
{
    struct windows_lock *own = of(lock);

    if (lock->handle != OS_NONE) {
        windows_close((intptr_t)own->life);
        windows_close((intptr_t)own->claim);
        windows_close((intptr_t)own->file);
        free(own);
    }
    lock->handle = OS_NONE;
}

/* The job of the holder ends with it, so nobody holds a lock whom the state doesn't know. */
int
os_lock_holders(const struct os_dir *dir, const char *name, int64_t *ret_pids, size_t max)
{
    (void)dir;
    (void)name;
    (void)ret_pids;
    (void)max;
    return -ENOTSUP;
}
