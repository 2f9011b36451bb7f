/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A word to the service manager: sd_notify(3)'s protocol where NOTIFY_SOCKET names a socket, else
 * a newline on the descriptor which NOTIFY_FD names.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core.h"

#define MESSAGE_MAX     4096 /* bytes; systemd reads no more */
#define NAME_MAX_LENGTH 255  /* of a stored descriptor */

static const char *
notify_socket(void)
{
    const char *address = getenv("NOTIFY_SOCKET");

    return address != NULL && address[0] != '\0' ? address : NULL;
}

int
notify_send(const char *text, int64_t pid)
{
    const char *address = notify_socket();

    if (address == NULL)
        return -ENOTCONN;
    return strlen(text) > MESSAGE_MAX ? -EMSGSIZE : os_notify_send(address, text, OS_NONE, pid);
}

int
notify_newline(void)
{
    intptr_t newline;
    int r = os_notify_fd_take(&newline);

    return r < 0 ? r : os_notify_newline(newline);
}

int
vortex_notify_ready(void)
{
    int r = notify_send("READY=1", 0);

    return r != -ENOTCONN ? r : notify_newline();
}

int
vortex_notify_reloading(void)
{
    char text[64];

    /* The time lets the manager tell this reload's end from that of an earlier one. */
    snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRId64, os_monotonic_us());
    return notify_send(text, 0);
}

int
vortex_notify_stopping(void)
{
    return notify_send("STOPPING=1", 0);
}

int
vortex_notify_status(const char *text)
{
    char line[1024];

    snprintf(line, sizeof(line), "STATUS=%s", text);
    for (char *p = line; *p != '\0'; p++) /* another line would be another assignment */
        if (*p == '\n' || *p == '\r')
            *p = ' ';
    return notify_send(line, 0);
}

int
vortex_notify_watchdog(void)
{
    return notify_send("WATCHDOG=1", 0);
}

int
vortex_notify_extend_timeout(int64_t timeout_ms)
{
    char text[64];

    if (timeout_ms < 0 || timeout_ms > INT64_MAX / 1000)
        return -EINVAL;
    snprintf(text, sizeof(text), "EXTEND_TIMEOUT_USEC=%" PRId64, timeout_ms * 1000);
    return notify_send(text, 0);
}

int
vortex_notify_main_pid(vortex_pid pid)
{
    char text[64];

    if (pid <= 0)
        return -EINVAL;
    snprintf(text, sizeof(text), "MAINPID=%" PRId64, pid);
    return notify_send(text, 0);
}

int
vortex_notify_barrier(int timeout_ms)
{
    const char *address = notify_socket();
    struct os_source end = {.handle = OS_NONE};
    intptr_t ends[2];
    int r;

    if (address == NULL)
        return -ENOTCONN;
    r = os_pipe(ends);
    if (r < 0)
        return r;
    r = os_notify_send(address, "BARRIER=1", ends[1], 0);
    (void)os_handle_close(ends[1]);
    end.handle = ends[0]; /* at its end once the manager has come to our message, and closed it */
    if (r == 0)
        r = os_wait(&end, 1, timeout_ms < 0 ? -1 : os_monotonic_ms() + timeout_ms);
    (void)os_handle_close(ends[0]);
    return r < 0 ? r : end.ready ? 0 : -ETIMEDOUT;
}

/* As systemd has it: a colon divides the names in LISTEN_FDNAMES. */
bool
notify_is_descriptor_name(const char *text)
{
    size_t length = strlen(text);

    for (const char *c = text; *c != '\0'; c++)
        if (*c < ' ' || *c >= 0x7f || *c == ':')
            return false;
    return length > 0 && length <= NAME_MAX_LENGTH;
}

int
vortex_notify_store_fd(int fd, const char *name)
{
    const char *address = notify_socket();
    char text[NAME_MAX_LENGTH + 32];

    if (fd < 0)
        return -EBADF;
    if (name != NULL && !notify_is_descriptor_name(name))
        return -EINVAL;
    snprintf(text, sizeof(text), "FDSTORE=1%s%s", name != NULL ? "\nFDNAME=" : "",
             name != NULL ? name : "");
    return address == NULL ? -ENOTCONN : os_notify_send(address, text, fd, 0);
}

int64_t
vortex_notify_watchdog_interval(void)
{
    return os_watchdog_ms();
}
