/* SPDX-License-Identifier: Apache-2.0 */
/* What the trials run of this very program: the server that vortex hosts, and owners by the library. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crash.h"
#include "vortex.h"

#define BARRIER_MS 5000

static int told; /* for the handler */

static void
reload(int number)
{
    int before = errno;

    (void)number;
    (void)vortex_notify_reloading();
    (void)vortex_notify_ready();
    (void)!write(told, "H", 1);
    errno = before;
}

int
server_main(const char *directory, const char *life)
{
    char path[PATH_SIZE];
    struct sigaction hup = {.sa_handler = reload};

    snprintf(path, sizeof(path), "%s/told", directory);
    told = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (told < 0 || sigaction(SIGHUP, &hup, NULL) < 0)
        return 98;
    (void)vortex_notify_ready();
    (void)vortex_notify_barrier(BARRIER_MS); /* the supervisor knows it by then */
    if (write(told, "R", 1) != 1)
        return 97;
    snprintf(path, sizeof(path), "%s/died", directory);
    if (strcmp(life, "dies") == 0 && open(path, O_CREAT | O_EXCL | O_CLOEXEC, 0600) >= 0)
        return 1;
    for (;;)
        pause();
}

int
owner_main(const char *what, const char *path)
{
    struct vortex_lock *lock;
    int r = vortex_pidfile_write_locked(path, &lock, NULL);

    if (r < 0)
        return 1;
    if (strcmp(what, OWNER) == 0)
        pause();
    (void)vortex_lock_unlock(lock);
    return 0;
}
