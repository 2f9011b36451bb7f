/* SPDX-License-Identifier: Apache-2.0 */
/* A daemon of somebody else, linked with libvortex's DLL: linked PIDFILE */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <vortex.h>

int
main(int argc, char **argv)
{
    struct vortex_lock *lock;
    struct vortex_lock *second = NULL;
    vortex_pid owner = 0, pid = 0;
    bool is_alive = false;
    int r = argc == 2 ? vortex_pidfile_write_locked(argv[1], &lock, NULL) : -EINVAL;

    if (r < 0) {
        printf("%s\n", strerror(-r));
        return 1;
    }
    r = vortex_pidfile_is_running(argv[1], &is_alive, &pid);
    printf("libvortex %s: running %d, known %d\n", vortex_version(), is_alive, r == 0 && pid > 0);
    r = vortex_pidfile_write_locked(argv[1], &second, &owner);
    printf("twice: %s\n", r < 0 ? "refused" : "granted");
    vortex_lock_unlock(lock);
    r = vortex_pidfile_is_running(argv[1], &is_alive, &pid);
    printf("unlocked: %s\n", r == -ENOENT || (r == 0 && !is_alive) ? "gone" : "still there");
    return 0;
}
