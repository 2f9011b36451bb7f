/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in a directory, and where ours is. */
#include "os/windows.h"

#include <errno.h>
#include <shlobj.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Names in a directory ------------------------------------------------------------------ */

static bool
is_dots(const WCHAR *name)
{
    return wcscmp(name, L".") == 0 || wcscmp(name, L"..") == 0;
}

/* The names that are regular files, or all. */
static int
list_names(WCHAR *pattern, bool only_files, char (**ret_names)[OS_NAME_MAX], size_t *ret_count)
{
    char(*names)[OS_NAME_MAX] = NULL;
    WIN32_FIND_DATAW found;
    size_t count = 0;
    HANDLE search = FindFirstFileW(pattern, &found);
    int r = 0;

    if (search == INVALID_HANDLE_VALUE)
        return windows_last_error();
    do {
        char(*more)[OS_NAME_MAX];

        if (is_dots(found.cFileName)
            || (only_files && (found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY)))
            continue;
        more = realloc(names, (count + 1) * sizeof(*names));
        if (more == NULL) {
            r = -ENOMEM;
            break;
        }
        names = more;
        if (windows_narrow(found.cFileName, names[count], OS_NAME_MAX) == 0)
            count++; /* a name that is no text can't be ours */
    } while (FindNextFileW(search, &found));
    FindClose(search);
    if (r < 0) {
        free(names);
        return r;
    }
    *ret_names = names;
    *ret_count = count;
    return 0;
}

int
os_dir_names(const char *path, char (**ret_names)[OS_NAME_MAX], size_t *ret_count)
{
    WCHAR pattern[WIDE_PATH_MAX];
    DWORD attributes;
    int r = windows_path(path, pattern, WIDE_PATH_MAX - 3);

    if (r < 0)
        return r;
    attributes = GetFileAttributesW(pattern);
    if (attributes == INVALID_FILE_ATTRIBUTES)
        return windows_last_error();
    if (!(attributes & FILE_ATTRIBUTE_DIRECTORY))
        return -ENOTDIR;
    if (pattern[wcslen(pattern) - 1] != L'\\')
        wcscat(pattern, L"\\");
    return list_names(wcscat(pattern, L"*"), false, ret_names, ret_count);
}

static int
compare_paths(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
free_paths(char **paths)
{
    for (size_t i = 0; paths != NULL && paths[i] != NULL; i++)
        free(paths[i]);
    free(paths);
}

/* The system's wildcards, * and ?, in the last component, which is all that it knows. */
int
os_glob(const char *pattern, char ***ret_paths)
{
    size_t prefix = strlen(pattern), count = 0;
    char(*names)[OS_NAME_MAX] = NULL;
    WCHAR wide[WIDE_PATH_MAX];
    char **paths;
    int r = windows_path(pattern, wide, WIDE_PATH_MAX);

    while (prefix > 0 && strchr("/\\:", pattern[prefix - 1]) == NULL)
        prefix--;
    if (r == 0)
        r = list_names(wide, true, &names, &count);
    if (r < 0)
        return r == -ENOMEM ? r : -ENOENT;
    paths = calloc(count + 1, sizeof(*paths));
    r = paths == NULL ? -ENOMEM : 0;
    for (size_t i = 0; r == 0 && i < count; i++) {
        size_t size = prefix + strlen(names[i]) + 1;

        paths[i] = malloc(size);
        if (paths[i] == NULL)
            r = -ENOMEM;
        else
            snprintf(paths[i], size, "%.*s%s", (int)prefix, pattern, names[i]);
    }
    free(names);
    if (r == 0 && count == 0)
        r = -ENOENT;
    if (r < 0) {
        free_paths(paths);
        return r;
    }
    qsort(paths, count, sizeof(*paths), compare_paths);
    *ret_paths = paths;
    return 0;
}

/* ---- Paths --------------------------------------------------------------------------------- */

int
os_path_identify(const char *path, struct os_file_id *ret_id)
{
    WCHAR wide[WIDE_PATH_MAX];
    struct os_file_id id = {0};
    HANDLE file;
    int r = windows_path(path, wide, WIDE_PATH_MAX);

    if (r < 0)
        return r;
    file = CreateFileW(wide, FILE_READ_ATTRIBUTES,
                       FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                       FILE_FLAG_BACKUP_SEMANTICS, NULL);
    if (file == INVALID_HANDLE_VALUE)
        return windows_last_error();
    (void)windows_judge(file, &id);
    CloseHandle(file);
    *ret_id = id;
    return 0;
}

int
os_path_check(const char *path)
{
    struct os_file_id id;

    return os_path_identify(path, &id);
}

/* "C:\x", "C:/x", "\\server\share\x" and the like: not "\x", which is on the current drive. */
bool
os_path_is_absolute(const char *path)
{
    bool has_drive = ((path[0] | 0x20) >= 'a' && (path[0] | 0x20) <= 'z') && path[1] == ':';
    const char *rest = has_drive ? path + 2 : path + 1;

    return path[0] != '\0' && (rest[0] == '\\' || rest[0] == '/')
           && (has_drive || path[0] == '\\' || path[0] == '/');
}

/* What of ours stands below one of the system's folders. */
static int
below(const KNOWNFOLDERID *folder, const char *rest, char *buf, size_t size)
{
    char base[OS_PATH_MAX];
    WCHAR *path = NULL;
    int n, r = SHGetKnownFolderPath(folder, KF_FLAG_DEFAULT, NULL, &path) == S_OK
                   ? windows_narrow(path, base, sizeof(base))
                   : -ENOENT;

    CoTaskMemFree(path);
    if (r < 0)
        return r;
    n = snprintf(buf, size, "%s%s", base, rest);
    return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

int
os_config_directory(char *buf, size_t size)
{
    return below(&FOLDERID_ProgramData, "\\Vortex", buf, size);
}

int
os_runtime_directory(char *buf, size_t size)
{
    const char *given = getenv("RUNTIME_DIRECTORY");
    int n;

    if (given != NULL && given[0] != '\0') {
        n = snprintf(buf, size, "%s", given);
        return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
    }
    return below(os_is_root() || windows_is_service() ? &FOLDERID_ProgramData
                                                      : &FOLDERID_LocalAppData,
                 "\\Vortex\\run", buf, size);
}
