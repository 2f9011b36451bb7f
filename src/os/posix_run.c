/* SPDX-License-Identifier: Apache-2.0 */
/* A command of the system's, run to its end. */
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/os.h"
#include "os/posix.h"

static void
become(const char *const *argv, int output)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (null < 0 || dup2(null, STDIN_FILENO) < 0
        || (output >= 0 && dup2(output, STDOUT_FILENO) < 0))
        _exit(127);
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

/* What doesn't fit is read and forgotten, so that nobody waits for us. */
static void
take_output(int fd, char *buf, size_t size)
{
    size_t length = 0;
    char rest[256] = {0};

    for (;;) {
        bool fits = length + 1 < size;
        int64_t n =
            os_handle_read(fd, fits ? buf + length : rest, fits ? size - 1 - length : sizeof(rest));

        if (n <= 0)
            break;
        length += fits ? (size_t)n : 0;
    }
    buf[length] = '\0';
}

int
os_run(const char *const *argv, char *buf, size_t size)
{
    int output[2] = {-1, -1};
    int status;
    pid_t pid;

    if (buf != NULL && pipe2(output, O_CLOEXEC) < 0)
        return -errno;
    pid = fork();
    if (pid == 0)
        become(argv, output[1]);
    if (pid < 0) {
        int r = -errno;

        (void)posix_closed(output[0]);
        (void)posix_closed(output[1]);
        return r;
    }
    (void)posix_closed(output[1]);
    if (buf != NULL)
        take_output(output[0], buf, size);
    (void)posix_closed(output[0]);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
