/* SPDX-License-Identifier: Apache-2.0 */
/* Log files, and memory that goes back to the system. */
#include "os/windows.h"

#include <errno.h>
#include <string.h>

#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

/* ---- Memory -------------------------------------------------------------------------------- */

void *
os_pages_new(size_t size)
{
    return VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
}

void *
os_pages_free(void *pages, size_t size)
{
    (void)size; /* what was allocated at once is freed at once */
    if (pages != NULL)
        (void)VirtualFree(pages, 0, MEM_RELEASE);
    return NULL;
}

/* ---- Files --------------------------------------------------------------------------------- */

static int
take_handle(HANDLE file, bool others, struct os_log *ret)
{
    struct os_file_id id;
    LARGE_INTEGER size;
    int r = windows_judge(file, &id);

    if (r == -EMLINK && !others)
        r = 0;
    if (r == 0 && !GetFileSizeEx(file, &size))
        r = windows_last_error();
    if (r < 0) {
        CloseHandle(file);
        return r;
    }
    *ret = (struct os_log){(intptr_t)file, id, size.QuadPart, true};
    return 0;
}

static HANDLE
open_path(const WCHAR *path, DWORD access, DWORD disposition, bool follow)
{
    const struct windows_new how = {
        .access = access,
        .share = SHARE_ALL,
        .disposition = disposition,
        .flags = follow ? FILE_FLAG_BACKUP_SEMANTICS : WINDOWS_ITSELF,
        .readers = WINDOWS_PRIVATE,
    };

    return windows_make_once(path, &how);
}

/* Only appended to: a right that has no place to write at. */
int
os_log_open(const char *path, const struct os_log *like, struct os_log *ret)
{
    WCHAR wide[WIDE_PATH_MAX];
    char name[OS_NAME_MAX];
    struct os_dir dir;
    HANDLE file;
    bool others;
    int r = os_dir_open_to_change(path, &dir, name);

    (void)like; /* a new file has the access list of all logs */
    if (r < 0)
        return r;
    others = dir.speaker.scope != OS_SPEAKS_FOR_ALL;
    os_dir_close(&dir);
    r = windows_path(path, wide, WIDE_PATH_MAX);
    if (r < 0)
        return r;
    file = open_path(wide, FILE_APPEND_DATA | FILE_READ_ATTRIBUTES | SYNCHRONIZE, OPEN_ALWAYS,
                     !others);
    if (file == INVALID_HANDLE_VALUE)
        return windows_last_error();
    return take_handle(file, others, ret);
}

int
os_log_create(const char *path, const struct os_log *like, struct os_log *ret)
{
    WCHAR wide[WIDE_PATH_MAX];
    HANDLE file;
    int r = windows_path(path, wide, WIDE_PATH_MAX);

    (void)like;
    if (r < 0)
        return r;
    (void)DeleteFileW(wide);
    file = open_path(wide, GENERIC_WRITE, CREATE_NEW, false);
    return file == INVALID_HANDLE_VALUE ? windows_last_error() : take_handle(file, false, ret);
}

int
os_log_read(const char *path, struct os_log *ret)
{
    WCHAR wide[WIDE_PATH_MAX];
    HANDLE file;
    int r = windows_path(path, wide, WIDE_PATH_MAX);

    if (r < 0)
        return r;
    file = CreateFileW(wide, GENERIC_READ, SHARE_ALL, NULL, OPEN_EXISTING,
                       FILE_FLAG_BACKUP_SEMANTICS, NULL);
    return file == INVALID_HANDLE_VALUE ? windows_last_error() : take_handle(file, false, ret);
}

int64_t
os_log_read_at(const struct os_log *log, int64_t offset, void *buf, size_t size)
{
    OVERLAPPED at = {.Offset = (DWORD)offset, .OffsetHigh = (DWORD)((uint64_t)offset >> 32)};
    DWORD n = 0;

    if (ReadFile((HANDLE)log->handle, buf, size > UINT32_MAX ? UINT32_MAX : (DWORD)size, &n, &at))
        return n;
    return GetLastError() == ERROR_HANDLE_EOF ? 0 : windows_last_error();
}

int64_t
os_log_write(const struct os_log *log, const void *data, size_t size)
{
    DWORD n = 0;

    if (!WriteFile((HANDLE)log->handle, data, size > UINT32_MAX ? UINT32_MAX : (DWORD)size, &n,
                   NULL))
        return windows_last_error();
    return n;
}

int64_t
os_log_size(const struct os_log *log)
{
    LARGE_INTEGER size;

    return GetFileSizeEx((HANDLE)log->handle, &size) ? size.QuadPart : windows_last_error();
}

void
os_log_close(struct os_log *log)
{
    log->handle = windows_close(log->handle);
}

/* ---- Where there are no sockets of a log --------------------------------------------------- */

int
os_datagram_open(const char *path, intptr_t *ret_handle)
{
    (void)path;
    (void)ret_handle;
    return -ENOTSUP;
}
