/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lock file. "I live" is a handle that may write, which nobody else may have beside it: the
 * system lets go of it with the process. "I am changing these files" is a byte locked through
 * another handle, which may only read.
 */
#include "os/windows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CLAIM_BYTE  0x40000000 /* of its high part: far behind the end of the file */
#define SHARE_CLAIM (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)
#define SHARE_LIFE  (FILE_SHARE_READ | FILE_SHARE_DELETE)

struct windows_lock {
    HANDLE claim;
    HANDLE life; /* or INVALID_HANDLE_VALUE */
    WCHAR path[];
};

static struct windows_lock *
of(const struct os_lock *lock)
{
    return (struct windows_lock *)lock->handle;
}

/* Once, without the patience of windows_open: a lock that is held stays so. */
static HANDLE
open_once(const WCHAR *path, DWORD access, DWORD share)
{
    return CreateFileW(path, access, share, NULL, OPEN_EXISTING,
                       FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_BACKUP_SEMANTICS, NULL);
}

static HANDLE
open_lock_file(const WCHAR *path, bool create, bool *ret_made)
{
    DWORD access = GENERIC_READ | READ_CONTROL;
    SECURITY_ATTRIBUTES security;
    HANDLE file = windows_open(path, access, SHARE_CLAIM, OPEN_EXISTING, NULL);
    DWORD error;

    *ret_made = false;
    if (file != INVALID_HANDLE_VALUE || !create || windows_last_error() != -ENOENT)
        return file;
    if (windows_security_new(WINDOWS_PRIVATE, &security) < 0)
        return INVALID_HANDLE_VALUE;
    file = windows_open(path, access, SHARE_CLAIM, CREATE_NEW, &security);
    error = GetLastError();
    windows_security_free(&security);
    *ret_made = file != INVALID_HANDLE_VALUE;
    if (error == ERROR_FILE_EXISTS)
        return open_lock_file(path, false, ret_made);
    SetLastError(error);
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
    *lock = (struct windows_lock){.claim = file, .life = INVALID_HANDLE_VALUE};
    memcpy(lock->path, path, size);
    *ret_lock = (struct os_lock){(intptr_t)lock, id, made};
    if (ret_trusted != NULL)
        *ret_trusted = speaker.scope == OS_SPEAKS_FOR_ALL;
    return 0;
}

static int
lock_byte(HANDLE file)
{
    OVERLAPPED at = {.OffsetHigh = CLAIM_BYTE};

    if (LockFileEx(file, LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &at))
        return 0;
    return GetLastError() == ERROR_IO_PENDING ? -EWOULDBLOCK : windows_last_error();
}

static void
unlock_byte(HANDLE file)
{
    OVERLAPPED at = {.OffsetHigh = CLAIM_BYTE};

    (void)UnlockFileEx(file, 0, 1, 0, &at);
}

int
os_lock_claim(struct os_lock *lock)
{
    return lock_byte(of(lock)->claim);
}

int
os_lock_unclaim(struct os_lock *lock)
{
    unlock_byte(of(lock)->claim);
    return 0;
}

int
os_lock_take(struct os_lock *lock)
{
    struct windows_lock *own = of(lock);

    if (own->life != INVALID_HANDLE_VALUE)
        return 0;
    own->life = open_once(own->path, GENERIC_WRITE, SHARE_LIFE);
    if (own->life != INVALID_HANDLE_VALUE)
        return 0;
    /* Removed, or being so: whoever looks whether it is in its place sees that. */
    if (windows_last_error() == -EBUSY || windows_last_error() == -ENOENT)
        return -EWOULDBLOCK;
    return windows_last_error();
}

enum os_lock_seen
os_lock_ask(const struct os_dir *dir, const char *name)
{
    enum os_lock_seen seen = OS_LOCK_FREE;
    WCHAR path[WIDE_PATH_MAX];
    HANDLE file;

    if (windows_in_dir(dir, name, path, WIDE_PATH_MAX) < 0)
        return OS_LOCK_UNKNOWN;
    /* For that instant nobody else can begin to live; a claim tries again. */
    file = open_once(path, GENERIC_READ, SHARE_LIFE);
    if (file == INVALID_HANDLE_VALUE) {
        if (GetLastError() == ERROR_SHARING_VIOLATION)
            return OS_LOCK_HELD;
        return windows_last_error() == -ENOENT ? OS_LOCK_MISSING : OS_LOCK_UNKNOWN;
    }
    if (lock_byte(file) == -EWOULDBLOCK)
        seen = OS_LOCK_CLAIMED;
    else
        unlock_byte(file);
    CloseHandle(file);
    return seen;
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
