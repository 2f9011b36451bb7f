/* SPDX-License-Identifier: Apache-2.0 */
/* Directories that are kept open, and the small files in them. */
#include "os/windows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)
#define RETRIES   50 /* of 2 ms: a virus scanner has long let go then */

/* ---- Opening ------------------------------------------------------------------------------ */

static bool
is_momentary(DWORD error)
{
    return error == ERROR_SHARING_VIOLATION || error == ERROR_DELETE_PENDING;
}

HANDLE
windows_open(const WCHAR *path, DWORD access, DWORD share, DWORD disposition,
             SECURITY_ATTRIBUTES *security)
{
    HANDLE file = INVALID_HANDLE_VALUE;

    for (int i = 0; i < RETRIES; i++) {
        file = CreateFileW(path, access, share, security, disposition,
                           FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_BACKUP_SEMANTICS, NULL);
        if (file != INVALID_HANDLE_VALUE || !is_momentary(GetLastError()))
            break;
        Sleep(2);
    }
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

/* ---- Directories -------------------------------------------------------------------------- */

/* The path of which a directory on the way is a part, with its backslash. */
static int
open_way(const WCHAR *path, bool create, HANDLE *ret)
{
    SECURITY_ATTRIBUTES security;
    HANDLE dir;
    int r;

    /* Not shared for deletion, so nobody renames or replaces it as long as it is open. */
    dir = windows_open(path, FILE_LIST_DIRECTORY | READ_CONTROL, FILE_SHARE_READ | FILE_SHARE_WRITE,
                       OPEN_EXISTING, NULL);
    if (dir == INVALID_HANDLE_VALUE && create && windows_last_error() == -ENOENT) {
        r = windows_security_new(WINDOWS_READABLE, &security);
        if (r < 0)
            return r;
        r = CreateDirectoryW(path, &security) || GetLastError() == ERROR_ALREADY_EXISTS
                ? 0
                : windows_last_error();
        windows_security_free(&security);
        if (r < 0)
            return r;
        return open_way(path, false, ret);
    }
    if (dir == INVALID_HANDLE_VALUE)
        return windows_last_error();
    *ret = dir;
    return 0;
}

static bool
is_directory(HANDLE dir)
{
    struct os_file_id id;

    return windows_judge(dir, &id) == -EISDIR;
}

/* How much of an absolute path is its root, which is there and needs no walk: "\\?\C:\". */
static size_t
root_length(const WCHAR *path)
{
    const WCHAR *rest = path + 4;
    int parts = 1;

    if (wcsncmp(path, L"\\\\?\\UNC\\", 8) == 0) {
        rest = path + 8;
        parts = 2; /* a server and its share */
    }
    while (*rest != L'\0' && parts > 0)
        if (*rest++ == L'\\')
            parts--;
    return (size_t)(rest - path);
}

/*
 * From the root down, each step kept until the next is open. The path ends in a backslash; it is
 * cut and mended at each.
 */
static int
walk(WCHAR *path, bool create, HANDLE *ret, struct os_speaker *speaker)
{
    size_t at = root_length(path);
    HANDLE dir = INVALID_HANDLE_VALUE;
    int r = 0;

    for (;;) {
        WCHAR cut = path[at];
        HANDLE next;

        path[at] = L'\0';
        r = open_way(path, create, &next);
        path[at] = cut;
        dir = (HANDLE)windows_close((intptr_t)dir);
        if (r < 0)
            return r;
        dir = next;
        if (!is_directory(dir))
            r = -ENOTDIR;
        if (r < 0)
            break;
        windows_note_speaker(speaker, dir, WINDOWS_WAY);
        if (cut == L'\0')
            break;
        at += wcscspn(path + at + 1, L"\\") + 1;
        if (path[at] == L'\\' && path[at + 1] == L'\0')
            path[at] = L'\0';
    }
    if (r == 0)
        *ret = dir;
    else
        windows_close((intptr_t)dir);
    return r;
}

/* Where the last component of a path begins. */
static const char *
last_of(const char *path)
{
    const char *name = path;

    for (const char *p = path; *p != '\0'; p++)
        if (*p == '/' || *p == '\\' || (*p == ':' && p == path + 1))
            name = p + 1;
    return name;
}

static int
open_directory(const WCHAR *path, bool create, struct os_dir *ret)
{
    size_t length = wcslen(path);
    struct windows_dir *dir = malloc(sizeof(*dir) + (length + 2) * sizeof(WCHAR));
    int r;

    if (dir == NULL)
        return -ENOMEM;
    memcpy(dir->path, path, (length + 1) * sizeof(WCHAR));
    ret->speaker = (struct os_speaker){OS_SPEAKS_FOR_ALL, 0};
    r = walk(dir->path, create, &dir->handle, &ret->speaker);
    if (r < 0) {
        free(dir);
        return r;
    }
    length = wcslen(dir->path);
    if (dir->path[length - 1] != L'\\') {
        dir->path[length++] = L'\\';
        dir->path[length] = L'\0';
    }
    dir->length = length;
    ret->handle = (intptr_t)dir;
    return 0;
}

int
os_dir_open(const char *path, bool create, struct os_dir *ret_dir, char *ret_name)
{
    const char *name = last_of(path);
    WCHAR wide[WIDE_PATH_MAX];
    char way[OS_PATH_MAX + 8];
    struct os_dir dir;
    int n, r;

    if (path[0] == '\0')
        return -ENOENT;
    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return -EISDIR;
    if (strlen(name) >= OS_NAME_MAX)
        return -ENAMETOOLONG;
    /* With a dot: "C:" alone would be that drive's current directory, and so it shall be. */
    n = snprintf(way, sizeof(way), "%.*s.", (int)(name - path), path);
    if (n < 0 || (size_t)n >= sizeof(way))
        return -ENAMETOOLONG;
    r = windows_path(way, wide, WIDE_PATH_MAX);
    if (r == 0)
        r = open_directory(wide, create, &dir);
    if (r < 0)
        return r;
    *ret_dir = dir;
    memcpy(ret_name, name, strlen(name) + 1);
    return 0;
}

void
os_dir_close(struct os_dir *dir)
{
    struct windows_dir *own = (struct windows_dir *)dir->handle;

    if (dir->handle != OS_NONE) {
        CloseHandle(own->handle);
        free(own);
    }
    dir->handle = OS_NONE;
}

int
os_dir_is_remote(const struct os_dir *dir)
{
    const struct windows_dir *own = (const struct windows_dir *)dir->handle;
    WCHAR root[MAX_PATH];

    if (wcsncmp(own->path, L"\\\\?\\UNC\\", 8) == 0)
        return 1;
    if (!GetVolumePathNameW(own->path, root, MAX_PATH))
        return 0;
    return GetDriveTypeW(root) == DRIVE_REMOTE;
}

int
windows_in_dir(const struct os_dir *dir, const char *name, WCHAR *buf, size_t size)
{
    const struct windows_dir *own = (const struct windows_dir *)dir->handle;

    if (own->length >= size)
        return -ENAMETOOLONG;
    memcpy(buf, own->path, own->length * sizeof(*buf));
    return windows_wide(name, buf + own->length, size - own->length);
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
    HANDLE file = windows_open(path, GENERIC_READ | READ_CONTROL, SHARE_ALL, OPEN_EXISTING, NULL);
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
    file = windows_open(path, FILE_READ_ATTRIBUTES, SHARE_ALL, OPEN_EXISTING, NULL);
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
    enum windows_access access = mode == 0600   ? WINDOWS_PRIVATE
                                 : mode == 0640 ? WINDOWS_LOG
                                                : WINDOWS_READABLE;
    SECURITY_ATTRIBUTES security;
    HANDLE file;
    DWORD error;
    int r = windows_security_new(access, &security);

    if (r < 0) {
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
        return INVALID_HANDLE_VALUE;
    }
    file = windows_open(path, GENERIC_WRITE | DELETE, FILE_SHARE_READ | FILE_SHARE_DELETE,
                        CREATE_NEW, &security);
    error = GetLastError();
    windows_security_free(&security);
    SetLastError(error);
    return file;
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

    for (int i = 0; r == 0 && i < RETRIES; i++) {
        r = remove_path(path);
        if (r != -EBUSY)
            break;
        r = 0;
        Sleep(2);
    }
    return r;
}
