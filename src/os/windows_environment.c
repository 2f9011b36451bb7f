/* SPDX-License-Identifier: Apache-2.0 */
/* The environment of a child: ours, and over it what its launch says. */
#include "os/windows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t
name_length(const WCHAR *variable)
{
    return wcscspn(variable + 1, L"=") + 1; /* "=C:=C:\x" begins with one */
}

static bool
same_name(const WCHAR *a, const WCHAR *b)
{
    size_t length = name_length(a);

    return name_length(b) == length && _wcsnicmp(a, b, length) == 0;
}

static int
compare_names(const void *a, const void *b)
{
    return _wcsicmp(*(const WCHAR *const *)a, *(const WCHAR *const *)b);
}

/* list: all variables, COUNT of them; the block ends with an empty one, and is sorted. */
static WCHAR *
make_block(const WCHAR **list, size_t count)
{
    size_t size = 2;
    WCHAR *block, *at;

    qsort(list, count, sizeof(*list), compare_names);
    for (size_t i = 0; i < count; i++)
        size += wcslen(list[i]) + 1;
    block = at = malloc(size * sizeof(*block));
    for (size_t i = 0; block != NULL && i < count; i++) {
        wcscpy(at, list[i]);
        at += wcslen(at) + 1;
    }
    if (block != NULL)
        at[0] = at[1] = L'\0';
    return block;
}

static WCHAR *
widen(const char *text)
{
    size_t size = strlen(text) + 1;
    WCHAR *wide = malloc(size * sizeof(*wide));

    if (wide != NULL && windows_wide(text, wide, size) < 0) {
        free(wide);
        return NULL;
    }
    return wide;
}

/* Ours, and over it what the launch says. */
static int
merge(const WCHAR *ours, const char *const *env, WCHAR **ret_block)
{
    size_t added = 0, inherited = 0, count = 0;
    const WCHAR **list;
    WCHAR **own;
    int r = 0;

    while (env != NULL && env[added] != NULL)
        added++;
    for (const WCHAR *p = ours; *p != L'\0'; p += wcslen(p) + 1)
        inherited++;
    list = calloc(added + inherited + 1, sizeof(*list));
    own = calloc(added + 1, sizeof(*own));
    r = list == NULL || own == NULL ? -ENOMEM : 0;
    for (size_t i = added; r == 0 && i > 0; i--) { /* the last one of a name counts */
        bool is_set = false;

        own[i - 1] = widen(env[i - 1]);
        if (own[i - 1] == NULL || wcschr(own[i - 1], L'=') == NULL)
            r = -EINVAL;
        for (size_t k = 0; r == 0 && k < count && !is_set; k++)
            is_set = same_name(list[k], own[i - 1]);
        if (r == 0 && !is_set)
            list[count++] = own[i - 1];
    }
    for (const WCHAR *p = ours; r == 0 && *p != L'\0'; p += wcslen(p) + 1) {
        bool is_set = false;

        for (size_t k = 0; k < added && !is_set; k++)
            is_set = same_name(p, own[k]);
        if (!is_set)
            list[count++] = p;
    }
    if (r == 0)
        r = (*ret_block = make_block(list, count)) == NULL ? -ENOMEM : 0;
    for (size_t i = 0; own != NULL && i < added; i++)
        free(own[i]);
    free(own);
    free(list);
    return r;
}

int
windows_environment_new(const char *const *env, WCHAR **ret_block)
{
    WCHAR *ours = GetEnvironmentStringsW();
    int r = ours == NULL ? -ENOMEM : merge(ours, env, ret_block);

    if (ours != NULL)
        FreeEnvironmentStringsW(ours);
    return r;
}
