/* SPDX-License-Identifier: Apache-2.0 */
/* The small files in a directory. */
#include "os/windows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)
#define RETRIES   50 /* of 2 ms: a virus scanner has long let go then */

/* ---- Opening ------------------------------------------------------------------------------ */

/* Is it worth another try? Somebody, a virus scanner for one, shares it with nobody for a moment. */
static bool
try_again(HANDLE file, int *tries)
{
    DWORD error = GetLastError();

    if (file != INVALID_HANDLE_VALUE || ++*tries >= RETRIES
        || (error != ERROR_SHARING_VIOLATION && error != ERROR_DELETE_PENDING))
        return false;
    Sleep(2);
    return true;
}

HANDLE
windows_open_once(const WCHAR *path, DWORD access, DWORD share)
{
    return CreateFileW(path, access, share, NULL, OPEN_EXISTING, WINDOWS_ITSELF, NULL);
}

HANDLE
windows_open(const WCHAR *path, DWORD access, DWORD share)
{
    HANDLE file;
    int tries = 0;

    do
        file = windows_open_once(path, access, share);
    while (try_again(file, &tries));
    return file;
}

HANDLE
windows_make_once(const WCHAR *path, const struct windows_new *how)
{
    HANDLE file = INVALID_HANDLE_VALUE;
    SECURITY_ATTRIBUTES security;
    DWORD error = ERROR_NOT_ENOUGH_MEMORY;

    if (windows_security_new(how->readers, &security) == 0) {
        file = CreateFileW(path, how->access, how->share, &security, how->disposition, how->flags,
                           NULL);
        error = GetLastError();
        windows_security_free(&security);
    }
    SetLastError(error);
    return file;
}

HANDLE
windows_make(const WCHAR *path, const struct windows_new *how)
{
    HANDLE file;
    int tries = 0;

    do
        file = windows_make_once(path, how);
    while (try_again(file, &tries));
    return file;
}

int
windows_judge(HANDLE file, struct os_file_id *ret_id)
{
    BY_HANDLE_FILE_INFORMATION info;

    if (GetFileType(file) != FILE_TYPE_DISK)
        return -EMEDIUMTYPE;
    if (!GetFileInformationByHandle(file, &info))
        return windows_last_error();
    *ret_id = (struct os_file_id){
        .device = info.dwVolumeSerialNumber,
        .inode = (uint64_t)info.nFileIndexHigh << 32 | info.nFileIndexLow,
        .written_ns = windows_ns(info.ftLastWriteTime),
    };
    if (info.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT)
        return -ELOOP;
    if (info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY)
        return -EISDIR;
    return info.nNumberOfLinks > 1 ? -EMLINK : 0;
}

/* ---- Reading ------------------------------------------------------------------------------ */

static int
read_all(HANDLE file, char *buf, size_t size, size_t *ret_length)
{
    size_t length = 0;
    DWORD n = 1;

    while (length < size && n > 0) {
        if (!ReadFile(file, buf + length, (DWORD)(size - length), &n, NULL))
            return windows_last_error();
        length += n;
    }
    *ret_length = length;
    return 0;
}

static int
read_once(const WCHAR *path, char *buf, size_t size, size_t *ret_length, struct os_speaker speaker,
          struct os_file *ret_file)
{
    HANDLE file = windows_open(path, GENERIC_READ | READ_CONTROL, SHARE_ALL);
    struct os_file_id id;
    int r;

    if (file == INVALID_HANDLE_VALUE)
        return windows_last_error();
    r = windows_judge(file, &id);
    if (r == 0)
        r = read_all(file, buf, size, ret_length);
    if (r == 0) {
        windows_note_speaker(&speaker, file, WINDOWS_CONTENTS);
        *ret_file = (struct os_file){id, speaker, id.written_ns};
    }
    CloseHandle(file);
    return r;
}

int
os_file_read(const struct os_dir *dir, const char *name, char *buf, size_t size, size_t *ret_length,
             struct os_file *ret_file)
{
    WCHAR path[WIDE_PATH_MAX];
    int r = windows_in_dir(dir, name, path, WIDE_PATH_MAX);

    if (r < 0)
        return r;
    r = -EMLINK;
    /* A file that is being published over has two names for a moment. */
    for (int i = 0; i < 20 && r == -EMLINK; i++) {
        if (i > 0)
            os_sleep_ms(1);
        r = read_once(path, buf, size, ret_length, dir->speaker, ret_file);
    }
    return r;
}

int
os_file_identify(const struct os_dir *dir, const char *name, struct os_file_id *ret_id)
{
    WCHAR path[WIDE_PATH_MAX];
    struct os_file_id id = {0};
    HANDLE file;
    int r = windows_in_dir(dir, name, path, WIDE_PATH_MAX);

    if (r < 0)
        return r;
    file = windows_open(path, FILE_READ_ATTRIBUTES, SHARE_ALL);
    if (file == INVALID_HANDLE_VALUE)
        return windows_last_error();
    r = windows_judge(file, &id);
    CloseHandle(file);
    if (r < 0 && r != -EISDIR && r != -ELOOP && r != -EMLINK)
        return r;
    *ret_id = id;
    return 0;
}

/* ---- Writing ------------------------------------------------------------------------------ */

static HANDLE
create_new(const WCHAR *path, unsigned mode)
{
    const struct windows_new how = {
        .access = GENERIC_WRITE | DELETE,
        .share = FILE_SHARE_READ | FILE_SHARE_DELETE,
        .disposition = CREATE_NEW,
        .flags = WINDOWS_ITSELF,
        .readers = mode == 0644 ? WINDOWS_READABLE : WINDOWS_PRIVATE,
    };

    return windows_make(path, &how);
}

static int
write_all(HANDLE file, const char *data, size_t length)
{
    DWORD n;

    for (; length > 0; data += n, length -= n)
        if (!WriteFile(file, data, (DWORD)length, &n, NULL))
            return windows_last_error();
    return 0;
}

static int
remove_path(const WCHAR *path)
{
    DWORD error;

    if (DeleteFileW(path))
        return 0;
    error = GetLastError();
    if (error == ERROR_ACCESS_DENIED && RemoveDirectoryW(path))
        return 0;
    if (error == ERROR_ACCESS_DENIED && GetLastError() == ERROR_DIR_NOT_EMPTY)
        return -ENOTEMPTY;
    return windows_error(error);
}

int
os_file_create(const struct os_dir *dir, const char *name, const char *data, size_t length,
               unsigned mode, struct os_file_id *ret_id)
{
    WCHAR path[WIDE_PATH_MAX];
    struct os_file_id id = {0};
    HANDLE file;
    int r = windows_in_dir(dir, name, path, WIDE_PATH_MAX);

    if (r < 0)
        return r;
    file = create_new(path, mode);
    if (file == INVALID_HANDLE_VALUE && windows_last_error() == -EEXIST) {
        r = remove_path(path);
        if (r < 0 && r != -ENOENT)
            return r;
        file = create_new(path, mode);
    }
    if (file == INVALID_HANDLE_VALUE)
        return windows_last_error();
    r = write_all(file, data, length);
    CloseHandle(file); /* only then is the time of its writing what it stays */
    if (r == 0)
        r = os_file_identify(dir, name, &id);
    if (r < 0)
        (void)remove_path(path);
    else
        *ret_id = id;
    return r;
}

int
os_file_remove(const struct os_dir *dir, const char *name)
{
    WCHAR path[WIDE_PATH_MAX];
    int r = windows_in_dir(dir, name, path, WIDE_PATH_MAX);

    if (r < 0)
        return r;
    r = -EBUSY;
    for (int i = 0; i < RETRIES && r == -EBUSY; i++) {
        if (i > 0)
            Sleep(2);
        r = remove_path(path);
    }
    return r;
}
