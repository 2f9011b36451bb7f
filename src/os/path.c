/* SPDX-License-Identifier: Apache-2.0 */
/* Of paths, by the seam itself: the same for each port. */
#include <errno.h>

#include "os/os.h"

bool
os_path_is(const char *path, const struct os_file_id *id)
{
    struct os_file_id found = {0};

    return os_path_identify(path, &found) == 0 && os_same_file(&found, id);
}

int
os_dir_open_to_change(const char *path, struct os_dir *ret_dir, char *ret_name)
{
    int r = os_dir_open(path, false, ret_dir, ret_name);

    if (r < 0 || !ret_dir->strays)
        return r;
    os_dir_close(ret_dir);
    return -EXDEV;
}
