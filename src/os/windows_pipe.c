/* SPDX-License-Identifier: Apache-2.0 */
/* Pipes: for a child, for a helper, and of messages. */
#include "os/windows.h"

#include <errno.h>
#include <stdio.h>

#define BUFFER 65536 /* bytes that a pipe holds */
#define NAME   64

/* Only pipes with a name can be waited for; the name is never used a second time. */
static int
make_pipe(DWORD access, DWORD mode, WCHAR *name, HANDLE *ret)
{
    static volatile LONG64 count; /* of this process: names must differ, nothing depends on it */
    HANDLE pipe;

    (void)_snwprintf(name, NAME, L"\\\\.\\pipe\\vortex-%lu-%I64d", GetCurrentProcessId(),
                     InterlockedIncrement64(&count));
    pipe =
        CreateNamedPipeW(name, access | FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE,
                         mode | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS, 1, BUFFER, BUFFER, 0, NULL);
    if (pipe == INVALID_HANDLE_VALUE)
        return windows_last_error();
    *ret = pipe;
    return 0;
}

static int
open_pipe(const WCHAR *name, DWORD access, DWORD flags, bool inherited, HANDLE *ret)
{
    SECURITY_ATTRIBUTES security = {sizeof(security), NULL, inherited};
    HANDLE pipe = CreateFileW(name, access, 0, &security, OPEN_EXISTING, flags, NULL);

    if (pipe == INVALID_HANDLE_VALUE)
        return windows_last_error();
    *ret = pipe;
    return 0;
}

int
windows_pipe(bool child_writes, intptr_t *ret_ours, HANDLE *ret_theirs)
{
    WCHAR name[NAME];
    HANDLE ours = NULL, theirs = NULL;
    int r = make_pipe(child_writes ? PIPE_ACCESS_INBOUND : PIPE_ACCESS_OUTBOUND, PIPE_TYPE_BYTE,
                      name, &ours);

    if (r < 0)
        return r;
    r = open_pipe(name, child_writes ? GENERIC_WRITE : GENERIC_READ, 0, true, &theirs);
    if (r < 0) {
        CloseHandle(ours);
        return r;
    }
    r = windows_end_new(child_writes ? WINDOWS_INPUT : WINDOWS_OUTPUT, ours, ret_ours);
    if (r < 0)
        CloseHandle(theirs);
    else
        *ret_theirs = theirs;
    return r;
}

static int
make_pair(DWORD access, DWORD mode, enum windows_source kind, intptr_t ret_ends[2])
{
    bool both = kind == WINDOWS_BOTH;
    WCHAR name[NAME];
    HANDLE first = NULL, second = NULL;
    intptr_t ours;
    int r = make_pipe(access, mode, name, &first);

    if (r < 0)
        return r;
    r = open_pipe(name, both ? GENERIC_READ | GENERIC_WRITE : GENERIC_WRITE, FILE_FLAG_OVERLAPPED,
                  false, &second);
    if (r < 0) {
        CloseHandle(first);
        return r;
    }
    if (both)
        (void)SetNamedPipeHandleState(second, &(DWORD){PIPE_READMODE_MESSAGE}, NULL, NULL);
    r = windows_end_new(kind, first, &ours);
    if (r < 0) {
        CloseHandle(second);
        return r;
    }
    r = windows_end_new(both ? kind : WINDOWS_OUTPUT, second, &ret_ends[1]);
    if (r < 0)
        (void)os_handle_close(ours);
    else
        ret_ends[0] = ours;
    return r;
}

/* For a child the other end is one that blocks: few programs can write to any other. */
int
os_pipe(intptr_t ret_ends[2])
{
    intptr_t ours;
    HANDLE theirs;
    int r = windows_pipe(true, &ours, &theirs);

    if (r < 0)
        return r;
    r = windows_end_new(WINDOWS_OUTPUT, theirs, &ret_ends[1]);
    if (r < 0) {
        (void)os_handle_close(ours);
        return r;
    }
    windows_end_of(ret_ends[1])->blocks = true;
    ret_ends[0] = ours;
    return 0;
}

int
os_feed(intptr_t ret_ends[2])
{
    return make_pair(PIPE_ACCESS_INBOUND, PIPE_TYPE_BYTE, WINDOWS_INPUT, ret_ends);
}

int
os_pair(intptr_t ret_ends[2])
{
    return make_pair(PIPE_ACCESS_DUPLEX, PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE, WINDOWS_BOTH,
                     ret_ends);
}
