/* SPDX-License-Identifier: Apache-2.0 */
/* Of paths, by the seam itself: the same for each port. */
#include "os/path.h"

#include "os/os.h"

bool
os_path_is(const char *path, const struct os_file_id *id)
{
    struct os_file_id found = {0};

    return os_path_identify(path, &found) == 0 && os_same_file(&found, id);
}

int
path_is_of_others(const char *path, bool *ret_others)
{
    char name[OS_NAME_MAX];
    struct os_dir dir;
    int r = os_dir_open(path, false, &dir, name);

    if (r < 0)
        return r;
    *ret_others = dir.speaker.scope != OS_SPEAKS_FOR_ALL;
    os_dir_close(&dir);
    return 0;
}
