/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "place.h"
#include "real.h"

bool
real_dir_open(struct os_dir *ret)
{
    char path[OS_PATH_MAX], file[OS_PATH_MAX + 8], name[OS_NAME_MAX];

    if (!place_make(path, sizeof(path)))
        return false;
    snprintf(file, sizeof(file), "%s/name", path);
    return os_dir_open(file, false, ret, name) == 0;
}

bool
real_lacks_pidfd(void)
{
    struct os_hold hold;

    if (os_process_hold(os_self(), &hold) == -ENOSYS) {
        puts("SKIPPED: valgrind has no pidfd");
        return true;
    }
    os_process_release(&hold);
    return false;
}
