/* SPDX-License-Identifier: Apache-2.0 */
#include "place.h"

#include <stdio.h>
#include <windows.h>

bool
place_make(char *buf, size_t size)
{
    char above[MAX_PATH];

    if (GetTempPathA(sizeof(above), above) == 0)
        return false;
    snprintf(buf, size, "%svortex-test-%lu", above, GetCurrentProcessId());
    for (char *p = buf; *p != '\0'; p++)
        if (*p == '\\')
            *p = '/'; /* in a configuration a backslash would quote */
    return CreateDirectoryA(buf, NULL);
}

bool
place_mkdir(const char *path)
{
    return CreateDirectoryA(path, NULL);
}

bool
place_make_odd(const char *path)
{
    (void)path;
    return false;
}
