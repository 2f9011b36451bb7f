/* SPDX-License-Identifier: Apache-2.0 */
/* What else a probe asks: a path, a command; the same on all Unixes. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/os.h"
#include "os/posix.h"

int
os_path_check(const char *path)
{
    struct stat st;

    return stat(path, &st) < 0 ? -errno : 0;
}

/* ---- A command --------------------------------------------------------------------------- */

static void
become_command(const struct os_launch *launch, intptr_t output)
{
    const struct os_lock none = {.handle = OS_NONE};
    struct os_launch own = *launch;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    enum os_stage stage;
    int r;

    if (null < 0 || dup2(null, STDIN_FILENO) < 0)
        _exit(126);
    if (output == OS_NONE)
        output = null;
    if (output != OS_OURS
        && (dup2((int)output, STDOUT_FILENO) < 0 || dup2((int)output, STDERR_FILENO) < 0))
        _exit(126);
    /* One of the three may have been closed, and is it now. */
    if (null <= STDERR_FILENO)
        (void)fcntl(null, F_SETFD, 0);
    (void)setpgid(0, 0);
    own.listen_fds = 0; /* the sockets are the server's */
    r = os_launch_exec(&own, &none, &stage);
    _exit(r == -ENOENT ? 127 : 126);
}

int
os_command_start(const struct os_launch *launch, intptr_t output, int64_t *ret_pid)
{
    pid_t pid = fork();

    if (pid < 0)
        return -errno;
    if (pid == 0)
        become_command(launch, output);
    *ret_pid = pid;
    return 0;
}

void
os_command_kill(int64_t pid)
{
    assert(pid > 1);
    /* Stopped it makes no more children, and keeps those it has. */
    (void)kill((pid_t)-pid, SIGSTOP);
    posix_kill_below(pid);
    /* It may not have come so far as to lead a group; then there is nobody else in it. */
    if (kill((pid_t)-pid, SIGKILL) < 0)
        (void)kill((pid_t)pid, SIGKILL);
}
