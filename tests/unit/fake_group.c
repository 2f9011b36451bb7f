/* SPDX-License-Identifier: Apache-2.0 */
/* Control groups in memory: each process has the name of its own. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_machine.h"
#include "fake_os.h"

static struct machine *const m = &fake_machine;

/* Nobody looks for an empty one. */
void
os_cgroup_discard(const char *path)
{
    (void)path;
}

int
os_cgroup_end(const char *path, int timeout_ms)
{
    int r = fake_step(__func__);
    int count = 0;

    for (int i = 0; r == 0 && i < PROCESSES_MAX; i++) {
        struct fake_process *process = &m->processes[i];

        if (process->life != FAKE_ALIVE || strcmp(process->cgroup, path) != 0)
            continue;
        if (process->stuck) {
            fake_wait_until(m->monotonic_ms + timeout_ms, NULL, NULL);
            return -ETIMEDOUT;
        }
        fake_kill(process);
        count++;
    }
    return r < 0 ? r : count;
}
