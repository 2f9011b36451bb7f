/* SPDX-License-Identifier: Apache-2.0 */
/* Files that appear complete under their names, over nothing but what was judged. */
#include "os/windows.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define RETRIES      50
#define BACKUP       ".old"
#define RENAME_EX    22  /* FileRenameInfoEx: Windows 10 1709 */
#define RENAME_FLAGS 0x3 /* FILE_RENAME_FLAG_REPLACE_IF_EXISTS, _POSIX_SEMANTICS */

/* FILE_RENAME_INFO with room for a name, and the flags that older headers don't know. */
struct rename {
    DWORD flags;
    HANDLE root;
    DWORD length;
    WCHAR name[WIDE_PATH_MAX];
};

/* Also over a file that others have open, as long as they share its deletion. */
static BOOL
replace_open(const WCHAR *from, const WCHAR *to)
{
    struct rename rename = {.flags = RENAME_FLAGS, .length = (DWORD)(wcslen(to) * sizeof(*to))};
    HANDLE file = windows_open(from, DELETE | SYNCHRONIZE, FILE_SHARE_READ | FILE_SHARE_DELETE);
    DWORD error;
    BOOL done;

    if (file == INVALID_HANDLE_VALUE)
        return FALSE;
    memcpy(rename.name, to, rename.length + sizeof(*to));
    done = SetFileInformationByHandle(file, (FILE_INFO_BY_HANDLE_CLASS)RENAME_EX, &rename,
                                      (DWORD)sizeof(rename));
    error = GetLastError();
    CloseHandle(file);
    SetLastError(error);
    return done;
}

static int
rename_path(const WCHAR *from, const WCHAR *to, bool replace)
{
    int r = -EBUSY;

    for (int i = 0; i < RETRIES && (r == -EBUSY || r == -EACCES); i++) {
        if (i > 0)
            Sleep(2);
        if (replace && replace_open(from, to))
            return 0;
        /* Wine, and file systems other than NTFS. */
        if (MoveFileExW(from, to, replace ? MOVEFILE_REPLACE_EXISTING : 0))
            return 0;
        r = windows_last_error();
    }
    return r;
}

static int
two_paths(const struct os_dir *dir, const char *a, WCHAR *wide_a, const char *b, WCHAR *wide_b)
{
    int r = windows_in_dir(dir, a, wide_a, WIDE_PATH_MAX);

    return r < 0 ? r : windows_in_dir(dir, b, wide_b, WIDE_PATH_MAX);
}

int
os_file_rename(const struct os_dir *dir, const char *temp, const char *name)
{
    WCHAR from[WIDE_PATH_MAX], to[WIDE_PATH_MAX];
    int r = two_paths(dir, temp, from, name, to);
    DWORD attributes;

    if (r == 0)
        r = rename_path(from, to, true);
    if (r != -EACCES)
        return r;
    attributes = GetFileAttributesW(to);
    return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY)
               ? -EISDIR
               : r;
}

static bool
is_judged(const struct os_dir *dir, const char *name, const struct os_file_id *judged)
{
    struct os_file_id now;

    return os_file_identify(dir, name, &now) == 0 && os_same_file(&now, judged)
           && now.written_ns == judged->written_ns;
}

/* A directory has one name only: it makes way, and then the new file comes. */
static int
publish_in_two_steps(const struct os_dir *dir, const char *temp, const char *name,
                     const char *backup)
{
    WCHAR to[WIDE_PATH_MAX], aside[WIDE_PATH_MAX], from[WIDE_PATH_MAX];
    int r = two_paths(dir, name, to, backup, aside);

    if (r == 0)
        r = windows_in_dir(dir, temp, from, WIDE_PATH_MAX);
    if (r == 0)
        r = rename_path(to, aside, false);
    if (r == 0 && (r = rename_path(from, to, false)) < 0)
        (void)rename_path(aside, to, false);
    return r;
}

/*
 * There is no exchange: the former file gets a second name, which becomes TEMP as soon as the new
 * one stands in its place; so NAME always stands for one of both.
 */
static int
publish_over(const struct os_dir *dir, const char *temp, const char *name,
             const struct os_file_id *judged)
{
    WCHAR to[WIDE_PATH_MAX], aside[WIDE_PATH_MAX];
    char backup[OS_NAME_MAX + sizeof(BACKUP)];
    int r;

    snprintf(backup, sizeof(backup), "%s" BACKUP, temp);
    r = two_paths(dir, name, to, backup, aside);
    if (r < 0)
        return r;
    (void)os_file_remove(dir, backup);
    if (!CreateHardLinkW(aside, to, NULL)) {
        if (windows_last_error() == -ENOENT)
            return -EAGAIN;
        r = publish_in_two_steps(dir, temp, name, backup);
    } else if (!is_judged(dir, backup, judged)) {
        (void)os_file_remove(dir, backup);
        return -EAGAIN;
    } else {
        r = os_file_rename(dir, temp, name);
    }
    if (r == 0)
        return os_file_rename(dir, backup, temp);
    (void)os_file_remove(dir, backup);
    return r;
}

int
os_file_publish(const struct os_dir *dir, const char *temp, const char *name,
                const struct os_file_id *judged)
{
    WCHAR from[WIDE_PATH_MAX], to[WIDE_PATH_MAX];
    int r;

    if (judged != NULL)
        return is_judged(dir, name, judged) ? publish_over(dir, temp, name, judged) : -EAGAIN;
    r = two_paths(dir, temp, from, name, to);
    if (r == 0)
        r = rename_path(from, to, false);
    return r == -EEXIST ? -EAGAIN : r;
}

int
os_file_unpublish(const struct os_dir *dir, const char *temp, const char *name,
                  const struct os_file_id *judged)
{
    int r;

    if (judged == NULL)
        return os_file_remove(dir, name);
    r = os_file_rename(dir, temp, name);
    if (r < 0 && os_file_remove(dir, name) == 0) /* what comes back is a directory */
        r = os_file_rename(dir, temp, name);
    return r;
}
