/* SPDX-License-Identifier: Apache-2.0 */
/* Which program this is, and how it was called: main() has the system's code page, we UTF-8. */
#include "os/windows.h"

#include <errno.h>
#include <shellapi.h>
#include <stdlib.h>

void
windows_arguments_free(int count, char **arguments)
{
    for (int i = 0; arguments != NULL && i < count; i++)
        free(arguments[i]);
    free(arguments);
}

static int
narrow_new(const WCHAR *wide, char **ret)
{
    size_t size = 3 * wcslen(wide) + 1; /* no character of 16 bits takes more */
    char *text = malloc(size);
    int r = text == NULL ? -ENOMEM : windows_narrow(wide, text, size);

    if (r < 0)
        free(text);
    else
        *ret = text;
    return r;
}

int
windows_arguments(int *ret_count, char ***ret_arguments)
{
    int count = 0, r;
    WCHAR **wide = CommandLineToArgvW(GetCommandLineW(), &count);
    char **arguments;

    if (wide == NULL)
        return windows_last_error();
    arguments = calloc((size_t)count + 1, sizeof(*arguments));
    r = arguments == NULL ? -ENOMEM : 0;
    for (int i = 0; r == 0 && i < count; i++)
        r = narrow_new(wide[i], &arguments[i]);
    LocalFree(wide);
    if (r < 0) {
        windows_arguments_free(count, arguments);
        return r;
    }
    *ret_count = count;
    *ret_arguments = arguments;
    return 0;
}

int
windows_own_path(WCHAR *buf, size_t size)
{
    DWORD length = GetModuleFileNameW(NULL, buf, (DWORD)size);

    if (length == 0)
        return windows_last_error();
    return length < size ? 0 : -ENAMETOOLONG;
}
