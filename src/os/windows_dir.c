/* SPDX-License-Identifier: Apache-2.0 */
/* Directories that are kept open, and the way to them. */
#include "os/windows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Not shared for deletion, so nobody renames or replaces it as long as it is open. */
static HANDLE
open_step(const WCHAR *path)
{
    return windows_open(path, FILE_LIST_DIRECTORY | READ_CONTROL,
                        FILE_SHARE_READ | FILE_SHARE_WRITE);
}

static int
make_step(const WCHAR *path)
{
    SECURITY_ATTRIBUTES security;
    int r = windows_security_new(WINDOWS_READABLE, &security);

    if (r < 0)
        return r;
    if (!CreateDirectoryW(path, &security) && GetLastError() != ERROR_ALREADY_EXISTS)
        r = windows_last_error();
    windows_security_free(&security);
    return r;
}

/* The path of which a directory on the way is a part, with its backslash. */
static int
open_way(const WCHAR *path, bool create, HANDLE *ret)
{
    HANDLE dir = open_step(path);

    if (dir == INVALID_HANDLE_VALUE && create && windows_last_error() == -ENOENT) {
        int r = make_step(path);

        if (r < 0)
            return r;
        dir = open_step(path);
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
        HANDLE next = INVALID_HANDLE_VALUE;

        path[at] = L'\0';
        r = open_way(path, create, &next);
        path[at] = cut;
        windows_close((intptr_t)dir);
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

/* No component of a path, and not all before the last, may be longer than on any other system. */
static bool
is_too_long(const char *path, const char *name)
{
    size_t length = 0;

    for (const char *p = path; *p != '\0' && length < OS_NAME_MAX; p++)
        length = *p == '/' || *p == '\\' ? 0 : length + 1;
    return length >= OS_NAME_MAX || name - path >= OS_PATH_MAX;
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
    *ret = (struct os_dir){OS_NONE, {OS_SPEAKS_FOR_ALL, 0}, false};
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
    if (is_too_long(path, name))
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
