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

/* Does what *pattern's [ ] stands for contain c? It is behind it then; without an end it is none. */
static bool
matches_set(const WCHAR **pattern, WCHAR c)
{
    const WCHAR *p = *pattern + 1;
    bool negated = *p == L'!' || *p == L'^', found = false;

    p += negated;
    for (const WCHAR *first = p; *p != L']' || p == first; p++) {
        WCHAR low = towupper(*p);

        if (low == L'\0')
            return false;
        if (p[1] == L'-' && p[2] != L']' && p[2] != L'\0')
            p += 2;
        found = found || (low <= c && c <= towupper(*p));
    }
    *pattern = p + 1;
    return found != negated;
}

/* As a shell has it, but for the case of letters; the system's own knows no [ ], and odd * and ?. */
static bool
matches(const WCHAR *pattern, const WCHAR *name)
{
    const WCHAR *star = NULL, *from = NULL; /* the last *, and what it has taken up to */

    if (name[0] == L'.' && pattern[0] != L'.')
        return false;
    while (*name != L'\0') {
        const WCHAR *rest = pattern;
        bool fits;

        if (*pattern == L'*') {
            star = ++pattern;
            from = name;
            continue;
        }
        if (*pattern == L'[') {
            fits = matches_set(&rest, towupper(*name));
        } else {
            fits = *pattern == L'?' || towupper(*pattern) == towupper(*name);
            rest++;
        }
        if (fits) {
            pattern = rest;
            name++;
        } else if (star != NULL) {
            pattern = star;
            name = ++from;
        } else {
            return false;
        }
    }
    while (*pattern == L'*')
        pattern++;
    return *pattern == L'\0';
}

/* The names in "DIRECTORY\*": all, or those of regular files that match. */
static int
list_names(const WCHAR *all, const WCHAR *pattern, char (**ret_names)[OS_NAME_MAX],
           size_t *ret_count)
{
    char(*names)[OS_NAME_MAX] = NULL;
    WIN32_FIND_DATAW found;
    size_t count = 0;
    HANDLE search = FindFirstFileW(all, &found);
    int r = 0;

    if (search == INVALID_HANDLE_VALUE)
        return windows_last_error();
    do {
        char(*more)[OS_NAME_MAX];

        if (is_dots(found.cFileName)
            || (pattern != NULL
                && ((found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY)
                    || !matches(pattern, found.cFileName))))
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
    return list_names(wcscat(pattern, L"*"), NULL, ret_names, ret_count);
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

/* Only the last component is a pattern. */
int
os_glob(const char *pattern, char ***ret_paths)
{
    size_t prefix = strlen(pattern), count = 0;
    char(*names)[OS_NAME_MAX] = NULL;
    WCHAR wide[WIDE_PATH_MAX], last[OS_NAME_MAX];
    char directory[OS_PATH_MAX];
    char **paths;
    int r;

    while (prefix > 0 && strchr("/\\:", pattern[prefix - 1]) == NULL)
        prefix--;
    r = windows_wide(pattern + prefix, last, OS_NAME_MAX);
    if (r == 0)
        r = snprintf(directory, sizeof(directory), "%.*s*", (int)prefix, pattern) < OS_PATH_MAX
                ? windows_path(directory, wide, WIDE_PATH_MAX)
                : -ENAMETOOLONG;
    if (r == 0)
        r = list_names(wide, last, &names, &count);
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

int
os_stream_open(const char *path, FILE **ret_stream)
{
    WCHAR wide[WIDE_PATH_MAX];
    FILE *stream;
    DWORD attributes;
    int r = windows_path(path, wide, WIDE_PATH_MAX);

    if (r < 0)
        return r;
    attributes = GetFileAttributesW(wide);
    if (attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY))
        return -EISDIR;
    stream = _wfopen(wide, L"rb");
    if (stream == NULL)
        return errno > 0 ? -errno : -EIO;
    *ret_stream = stream;
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
