/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting for many things at once. Nothing here tells when a pipe can be read, so each end that is
 * read from has a read under way, into a buffer of its own, and an event that says when it is done.
 */
#include "os/windows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER 65536
#define JOB_MS 5

/* ---- Ends --------------------------------------------------------------------------------- */

static bool
is_read(const struct windows_end *end)
{
    return end->kind == WINDOWS_INPUT || end->kind == WINDOWS_BOTH;
}

static bool
is_written(const struct windows_end *end)
{
    return end->kind == WINDOWS_OUTPUT || end->kind == WINDOWS_BOTH;
}

static void
free_end(struct windows_end *end)
{
    DWORD n;

    if (end->reads && CancelIoEx(end->handle, &end->in))
        (void)GetOverlappedResult(end->handle, &end->in, &n, TRUE);
    if (end->writes) /* what was written is to arrive, if somebody reads it */
        (void)GetOverlappedResult(end->handle, &end->out, &n, FALSE);
    if (end->kind == WINDOWS_SUSPENDED && !end->is_over)
        (void)TerminateProcess(end->handle, WINDOWS_KILLED);
    if (end->thread != NULL)
        CloseHandle(end->thread);
    if (end->kind == WINDOWS_SOCKET)
        closesocket((SOCKET)end->handle);
    else if (end->handle != INVALID_HANDLE_VALUE)
        CloseHandle(end->handle);
    if (end->in.hEvent != NULL)
        CloseHandle(end->in.hEvent);
    if (end->out.hEvent != NULL)
        CloseHandle(end->out.hEvent);
    free(end->buffer);
    free(end->pending);
    free(end);
}

intptr_t
windows_end_share(intptr_t handle)
{
    if (handle != OS_NONE)
        (void)InterlockedIncrement(&windows_end_of(handle)->shares);
    return handle;
}

int
windows_end_new(enum windows_source kind, HANDLE handle, intptr_t *ret)
{
    struct windows_end *end = calloc(1, sizeof(*end));

    if (end == NULL) {
        if (kind == WINDOWS_SOCKET)
            closesocket((SOCKET)handle);
        else
            CloseHandle(handle);
        return -ENOMEM;
    }
    *end = (struct windows_end){.kind = kind, .handle = handle, .shares = 1};
    end->in.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    end->out.hEvent = CreateEventW(NULL, TRUE, TRUE, NULL);
    if (is_read(end))
        end->buffer = malloc(BUFFER);
    if (is_written(end))
        end->pending = malloc(BUFFER);
    if (end->in.hEvent == NULL || end->out.hEvent == NULL || (is_read(end) && end->buffer == NULL)
        || (is_written(end) && end->pending == NULL)) {
        free_end(end);
        return -ENOMEM;
    }
    *ret = (intptr_t)end;
    return 0;
}

intptr_t
os_handle_close(intptr_t handle)
{
    if (handle != OS_NONE && InterlockedDecrement(&windows_end_of(handle)->shares) == 0)
        free_end(windows_end_of(handle));
    return OS_NONE;
}

void
os_pipe_widen(intptr_t handle)
{
    (void)handle; /* its buffer is as large as a pipe of Linux anyway */
}

/* ---- Reading ------------------------------------------------------------------------------ */

/* Take what the read under way has brought, and begin one where there is none. */
static void
fill(struct windows_end *end)
{
    DWORD n = 0;

    if (end->length > 0 || end->is_over)
        return;
    if (!end->reads) {
        ResetEvent(end->in.hEvent);
        end->in = (OVERLAPPED){.hEvent = end->in.hEvent};
        end->reads = true;
        if (!ReadFile(end->handle, end->buffer, BUFFER, NULL, &end->in)
            && GetLastError() != ERROR_IO_PENDING && GetLastError() != ERROR_MORE_DATA) {
            end->reads = false;
            end->is_over = true;
            return;
        }
    }
    if (!GetOverlappedResult(end->handle, &end->in, &n, FALSE)
        && GetLastError() == ERROR_IO_INCOMPLETE)
        return;
    end->is_over = n == 0 && GetLastError() != ERROR_SUCCESS;
    end->reads = false;
    end->start = 0;
    end->length = n;
}

static int64_t
read_socket(struct windows_end *end, void *buf, size_t size)
{
    int n = recv((SOCKET)end->handle, buf, size > INT32_MAX ? INT32_MAX : (int)size, 0);

    return n < 0 ? windows_error((DWORD)WSAGetLastError()) : n;
}

int64_t
os_handle_read(intptr_t handle, void *buf, size_t size)
{
    struct windows_end *end = windows_end_of(handle);
    size_t n;

    if (end->kind == WINDOWS_SOCKET)
        return read_socket(end, buf, size);
    if (end->kind == WINDOWS_DEATH)
        return WaitForSingleObject(end->handle, 0) == WAIT_OBJECT_0 ? 0 : -EAGAIN;
    fill(end);
    if (end->length == 0)
        return end->is_over ? 0 : -EAGAIN;
    n = end->length < size ? end->length : size;
    memcpy(buf, end->buffer + end->start, n);
    end->start += n;
    end->length = end->kind == WINDOWS_BOTH ? 0 : end->length - n; /* a message is taken whole */
    return (int64_t)n;
}

/* ---- Writing ------------------------------------------------------------------------------ */

/* Did what was written before go? 0; -EAGAIN; -EPIPE. */
static int
drain(struct windows_end *end, bool wait)
{
    DWORD n;

    if (!end->writes)
        return 0;
    if (!GetOverlappedResult(end->handle, &end->out, &n, wait)) {
        if (GetLastError() == ERROR_IO_INCOMPLETE)
            return -EAGAIN;
        end->writes = false;
        return windows_last_error();
    }
    end->writes = false;
    return 0;
}

static int64_t
write_some(struct windows_end *end, const void *data, size_t size)
{
    DWORD n = size > BUFFER ? BUFFER : (DWORD)size;
    int r = drain(end, end->blocks);

    if (r < 0)
        return r;
    memcpy(end->pending, data, n);
    ResetEvent(end->out.hEvent);
    end->out = (OVERLAPPED){.hEvent = end->out.hEvent};
    if (!WriteFile(end->handle, end->pending, n, NULL, &end->out)
        && GetLastError() != ERROR_IO_PENDING) {
        SetEvent(end->out.hEvent);
        return windows_last_error();
    }
    end->writes = true;
    r = end->blocks ? drain(end, true) : 0;
    return r < 0 ? r : (int64_t)n;
}

int64_t
os_handle_write(intptr_t handle, const void *data, size_t size)
{
    struct windows_end *end = windows_end_of(handle);

    if (end->kind == WINDOWS_SOCKET)
        return os_connection_write(handle, data, size);
    return write_some(end, data, size);
}

int
os_datagram_send(intptr_t handle, const void *data, size_t size)
{
    int64_t n;

    if (size > BUFFER)
        return -EMSGSIZE;
    n = write_some(windows_end_of(handle), data, size);
    return n < 0 ? (int)n : 0;
}

/* ---- Waiting ------------------------------------------------------------------------------ */

static bool
socket_is_ready(const struct windows_end *end, bool wants_write)
{
    fd_set reads, writes, faults;
    struct timeval now = {0, 0};

    FD_ZERO(&reads);
    FD_ZERO(&writes);
    FD_ZERO(&faults);
    FD_SET((SOCKET)end->handle, wants_write ? &writes : &reads);
    FD_SET((SOCKET)end->handle, &faults); /* a refused connection */
    return select(0, &reads, &writes, &faults, &now) != 0;
}

static bool
is_ready(const struct os_source *source)
{
    struct windows_end *end = windows_end_of(source->handle);

    switch (end->kind) {
    case WINDOWS_SOCKET:
        return socket_is_ready(end, source->wants_write);
    case WINDOWS_DEATH:
    case WINDOWS_SIGNALS:
        return WaitForSingleObject(end->handle, 0) == WAIT_OBJECT_0;
    default:
        break;
    }
    if (source->wants_write)
        return drain(end, false) != -EAGAIN;
    fill(end);
    return end->length > 0 || end->is_over;
}

/* What tells that it may have become ready. */
static HANDLE
event_of(const struct os_source *source)
{
    struct windows_end *end = windows_end_of(source->handle);

    if (end->kind == WINDOWS_DEATH || end->kind == WINDOWS_SIGNALS)
        return end->handle;
    if (end->kind == WINDOWS_SOCKET) {
        ResetEvent(end->in.hEvent);
        (void)WSAEventSelect((SOCKET)end->handle, end->in.hEvent,
                             source->wants_write ? FD_CONNECT | FD_WRITE | FD_CLOSE
                                                 : FD_READ | FD_CLOSE);
    }
    return source->wants_write && end->kind != WINDOWS_SOCKET ? end->out.hEvent : end->in.hEvent;
}

static int
count_ready(struct os_source *sources, size_t count)
{
    int ready = 0;

    for (size_t i = 0; i < count; i++) {
        sources[i].ready = is_ready(&sources[i]);
        ready += sources[i].ready;
    }
    return ready;
}

static DWORD
left_until(int64_t deadline_ms)
{
    int64_t left;

    if (deadline_ms < 0)
        return INFINITE;
    left = deadline_ms - os_monotonic_ms();
    if (left < 0)
        return 0;
    return left >= INFINITE ? INFINITE - 1 : (DWORD)left;
}

int
os_wait(struct os_source *sources, size_t count, int64_t deadline_ms)
{
    HANDLE events[MAXIMUM_WAIT_OBJECTS];
    DWORD left;
    int ready;

    if (count > MAXIMUM_WAIT_OBJECTS)
        return -EINVAL;
    if (count == 1 && sources[0].wants_change) { /* a job doesn't tell: who asks looks again */
        Sleep(JOB_MS);
        return 0;
    }
    for (;;) {
        for (size_t i = 0; i < count; i++)
            events[i] = event_of(&sources[i]);
        ready = count_ready(sources, count);
        left = left_until(deadline_ms);
        if (ready > 0 || left == 0)
            return ready;
        if (count == 0)
            Sleep(left);
        else if (WaitForMultipleObjects((DWORD)count, events, FALSE, left) == WAIT_FAILED)
            return windows_last_error();
    }
}

/* The system takes from a working set what isn't used. */
int
os_wait_settled(struct os_source *sources, size_t count, int64_t deadline_ms)
{
    return os_wait(sources, count, deadline_ms);
}
