/* SPDX-License-Identifier: Apache-2.0 */
/* The server of a supervisor: forked, told when to exec, reaped. The same on all Unixes. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/os.h"
#include "os/posix.h"

/* What a child says that could not become the server. */
struct refusal {
    int error;
    enum os_stage stage;
};

/* End of file: the supervisor died before the state named us, so nobody would know us. */
static void
wait_for_go(int go)
{
    char byte;
    ssize_t n;

    do
        n = read(go, &byte, 1);
    while (n < 0 && errno == EINTR);
    if (n != 1) /* model: supervise eof */
        _exit(1);
}

static int
take_output(intptr_t output)
{
    if (output == OS_NONE)
        return 0;
    if (dup2((int)output, STDOUT_FILENO) < 0 || dup2((int)output, STDERR_FILENO) < 0)
        return -errno;
    return 0;
}

/* What has a number that is promised to the server would be closed before its time. */
static int
out_of_the_way(int fd, const struct os_launch *launch)
{
    if (fd != launch->passed_as && fd >= posix_passed_end(launch))
        return fd;
    return fcntl(fd, F_DUPFD_CLOEXEC, posix_beyond_passed(launch));
}

/* Only the exec waits for the word to go: all else is done while the parent names us. */
static void
server_main(const struct os_launch *launch, const struct os_lock *lock, intptr_t output,
            int64_t parent, int go, int channel)
{
    struct refusal refusal = {.stage = OS_STAGE_DETACH};
    struct os_launch own_launch = *launch;
    struct os_lock own = *lock;

    own_launch.dies_with = parent;
    setsid();
    channel = out_of_the_way(channel, launch);
    go = out_of_the_way(go, launch);
    if (launch->passed_as > STDERR_FILENO && launch->stored_count > 0)
        own_launch.passed =
            fcntl((int)launch->passed, F_DUPFD_CLOEXEC, posix_beyond_passed(launch));
    refusal.error = take_output(output);
    /* A killed supervisor doesn't free the claim of a server that lives on. */
    if (refusal.error == 0)
        refusal.error = os_lock_pass_on(&own, true);
    if (refusal.error == 0)
        refusal.error = posix_launch_prepare(&own_launch, &own, &refusal.stage);
    wait_for_go(go);
    if (refusal.error == 0)
        refusal.error = posix_launch_exec(&own_launch, &refusal.stage);
    (void)!write(channel, &refusal, sizeof(refusal));
    _exit(1);
}

int
os_server_fork(const struct os_launch *launch, const struct os_lock *lock, intptr_t output,
               bool dies_with_us, struct os_server *ret)
{
    int64_t self = os_self();
    int channel[2], go[2];
    pid_t pid;
    int r;

    if (pipe2(channel, O_CLOEXEC) < 0)
        return -errno;
    if (pipe2(go, O_CLOEXEC) < 0) {
        r = -errno;
        close(channel[0]);
        close(channel[1]);
        return r;
    }
    pid = posix_fork_into(launch->cgroup);
    r = pid < 0 ? -errno : 0;
    if (pid == 0) {
        close(go[1]);
        close(channel[0]);
        server_main(launch, lock, output, dies_with_us ? self : 0, go[0], channel[1]);
    }
    close(go[0]);
    close(channel[1]);
    if (r < 0) {
        close(go[1]);
        close(channel[0]);
        return r;
    }
    *ret = (struct os_server){pid, channel[0], go[1]};
    return 0;
}

int
os_server_go(struct os_server *server, enum os_stage *ret_stage)
{
    struct os_child child = {server->pid, server->channel};
    struct refusal refusal;
    size_t heard = 0;
    int r = (int)os_handle_write(server->go, "", 1);

    server->go = posix_closed(server->go);
    if (r == 1)
        r = os_child_hear(&child, &refusal, sizeof(refusal), &heard);
    else
        child.channel = posix_closed(child.channel);
    server->channel = OS_NONE;
    if (r < 0 || heard == 0)
        return r;
    *ret_stage = heard == sizeof(refusal) ? refusal.stage : OS_STAGE_EXEC;
    return heard == sizeof(refusal) ? refusal.error : -EIO;
}

int
os_reap(struct os_death *ret_death)
{
    int status;
    pid_t pid;

    do
        pid = waitpid(-1, &status, WNOHANG);
    while (pid < 0 && errno == EINTR);
    if (pid <= 0)
        return pid == 0 ? 0 : -errno;
    *ret_death = (struct os_death){.pid = pid};
    if (WIFSIGNALED(status)) {
        ret_death->signal = WTERMSIG(status);
        ret_death->core = WCOREDUMP(status);
    } else {
        ret_death->code = WEXITSTATUS(status);
    }
    return 1;
}
