/* SPDX-License-Identifier: Apache-2.0 */
/* What a launch can ask for here, and what it can't. */
#include "os/windows.h"

#include <errno.h>
#include <string.h>

/* There is no exec; accounts, limits and file modes are those of the service and its job. */
bool
os_launch_can(enum os_stage stage)
{
    switch (stage) {
    case OS_STAGE_NONE:
    case OS_STAGE_PROGRAM:
    case OS_STAGE_DIRECTORY:
    case OS_STAGE_OUTPUT:
    case OS_STAGE_NICE:
    case OS_STAGE_CPUS:
    case OS_STAGE_DETACH:
    case OS_STAGE_READY:
    case OS_STAGE_HOOK:
        return true;
    default:
        return false;
    }
}

static int
check_directory(const char *directory)
{
    WCHAR path[WIDE_PATH_MAX];
    DWORD attributes;
    int r = windows_path(directory, path, WIDE_PATH_MAX);

    if (r < 0)
        return r;
    attributes = GetFileAttributesW(path);
    if (attributes == INVALID_FILE_ATTRIBUTES)
        return windows_last_error();
    return attributes & FILE_ATTRIBUTE_DIRECTORY ? 0 : -ENOTDIR;
}

int
os_launch_check(const struct os_launch *l, enum os_stage *ret_stage)
{
    WCHAR program[WIDE_PATH_MAX];
    enum os_stage stage = OS_STAGE_DIRECTORY;
    int r = l->directory != NULL ? check_directory(l->directory) : 0;

    if (r == 0) {
        stage = OS_STAGE_USER;
        r = l->user != NULL ? -ENOTSUP : 0;
    }
    if (r == 0 && l->argv != NULL) {
        stage = OS_STAGE_PROGRAM;
        r = windows_find_program(l->argv[0], program, WIDE_PATH_MAX);
    }
    if (r < 0)
        *ret_stage = stage;
    return r;
}

int
os_launch_exec(const struct os_launch *launch, const struct os_lock *lock, enum os_stage *ret_stage)
{
    (void)launch;
    (void)lock;
    *ret_stage = OS_STAGE_EXEC;
    return -ENOTSUP;
}

int
os_listen_fds(void)
{
    return 0;
}

/* A child inherits what is listed for it, and nothing else. */
void
os_handles_keep(const intptr_t *keep, size_t count, int listen_fds)
{
    (void)keep;
    (void)count;
    (void)listen_fds;
}
