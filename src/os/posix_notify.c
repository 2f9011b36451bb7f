/* SPDX-License-Identifier: Apache-2.0 */
/* What a service manager says in the environment, and the newline that some of them wait for. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/os.h"
#include "os/posix.h"

int
os_notify_fd_take(intptr_t *ret_handle)
{
    const char *text = getenv("NOTIFY_FD");
    unsigned long fd;

    if (text == NULL || text[0] == '\0')
        return -ENOTCONN;
    if (!posix_decimal(text, &fd) || fd <= STDERR_FILENO || fd > 65535
        || fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
        return -EINVAL;
    (void)unsetenv("NOTIFY_FD");
    *ret_handle = (intptr_t)fd;
    return 0;
}

int
os_notify_fd_give(intptr_t handle)
{
    char text[24];

    if (fcntl((int)handle, F_GETFD) < 0)
        return -errno;
    snprintf(text, sizeof(text), "%ld", (long)handle);
    return setenv("NOTIFY_FD", text, 1) < 0 ? -errno : 0;
}

int
os_notify_newline(intptr_t handle)
{
    sigset_t broken, former, pending;
    int64_t n;
    int signal;

    /* Where nobody reads any more, a daemon that says "ready" must not die of it. */
    sigemptyset(&broken);
    sigaddset(&broken, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &broken, &former);
    n = os_handle_write(handle, "\n", 1);
    if (n == -EPIPE && !sigismember(&former, SIGPIPE) && sigpending(&pending) == 0
        && sigismember(&pending, SIGPIPE))
        (void)sigwait(&broken, &signal);
    (void)pthread_sigmask(SIG_SETMASK, &former, NULL);
    (void)os_handle_close(handle);
    return n < 0 ? (int)n : 0;
}

int64_t
os_watchdog_ms(void)
{
    const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    unsigned long number;
    char *end;
    long long interval;

    /* Of our parent's environment it may be our parent's. */
    if (pid != NULL && (!posix_decimal(pid, &number) || number != (unsigned long)getpid()))
        return 0;
    if (usec == NULL || usec[0] < '0' || usec[0] > '9')
        return 0;
    errno = 0;
    interval = strtoll(usec, &end, 10);
    return *end == '\0' && errno == 0 ? (int64_t)interval / 1000 : 0;
}

bool
os_watchdog_pass_on(void)
{
    return getenv("WATCHDOG_PID") != NULL && os_watchdog_ms() > 0 && unsetenv("WATCHDOG_PID") == 0;
}

void
os_manager_take(struct os_manager *ret)
{
    const char *address = getenv("NOTIFY_SOCKET");

    *ret = (struct os_manager){.newline = OS_NONE, .watchdog_ms = os_watchdog_ms()};
    if (address != NULL && strlen(address) < sizeof(ret->address))
        snprintf(ret->address, sizeof(ret->address), "%s", address);
    (void)os_notify_fd_take(&ret->newline);
    (void)unsetenv("NOTIFY_SOCKET");
    (void)unsetenv("WATCHDOG_USEC");
    (void)unsetenv("WATCHDOG_PID");
}
