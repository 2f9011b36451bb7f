/* SPDX-License-Identifier: Apache-2.0 */
/* Processes, by handle; the time of its creation tells one from all others of that number. */
#include "os/windows.h"

#include <errno.h>
#include <psapi.h>
#include <sddl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REUSE_NS    2000000000LL /* younger than a file by more than that: a reused number */
#define KILL_SIGNAL 9

/* ---- Pinned ------------------------------------------------------------------------------- */

int
os_process_hold(int64_t pid, struct os_hold *ret_hold)
{
    HANDLE process;

    if (pid <= 0 || pid > UINT32_MAX)
        return -ESRCH;
    process = OpenProcess(SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION, FALSE, (DWORD)pid);
    if (process == NULL)
        return GetLastError() == ERROR_INVALID_PARAMETER ? -ESRCH : windows_last_error();
    /* A dead one can be opened as long as somebody has a handle; 5 to 7 open number 4. */
    if (GetProcessId(process) != (DWORD)pid || WaitForSingleObject(process, 0) == WAIT_OBJECT_0) {
        CloseHandle(process);
        return -ESRCH;
    }
    *ret_hold = (struct os_hold){pid, (intptr_t)process};
    return 0;
}

void
os_process_release(struct os_hold *hold)
{
    hold->handle = windows_close(hold->handle);
    hold->pid = 0;
}

static bool
born(const struct os_hold *hold, FILETIME *ret_born)
{
    FILETIME exited, kernel, user;

    return GetProcessTimes((HANDLE)hold->handle, ret_born, &exited, &kernel, &user);
}

int
os_process_identify(const struct os_hold *hold, struct os_identity *ret_identity)
{
    struct os_identity identity = {.pid = hold->pid};
    FILETIME birth;

    if (!born(hold, &birth))
        return windows_last_error();
    identity.start = windows_ticks(birth);
    *ret_identity = identity;
    return 0;
}

enum os_comparison
os_process_compare(const struct os_hold *hold, const struct os_identity *known)
{
    struct os_identity now = {0};

    if (known->start == 0 || os_process_identify(hold, &now) < 0)
        return OS_UNKNOWN;
    return now.pid == known->pid && now.start == known->start ? OS_SAME : OS_OTHER;
}

bool
os_identity_is_proof(void)
{
    return true;
}

/* No process of another boot has that time of creation, so nobody needs to ask. */
int
os_boot_differs(const struct os_identity *known)
{
    (void)known;
    return -ENODATA;
}

int
os_namespace_differs(const struct os_identity *known)
{
    (void)known;
    return -ENODATA;
}

int
os_process_is_younger(const struct os_hold *hold, const struct os_dir *dir,
                      const struct os_file *file)
{
    FILETIME birth;

    if (!born(hold, &birth) || os_dir_is_remote(dir))
        return -ENODATA;
    if (file->written_ns > os_wall_ms() * 1000000 + REUSE_NS)
        return -ENODATA; /* written in the future: the clock was put back */
    return windows_ns(birth) > file->written_ns + REUSE_NS;
}

int
os_process_is_of(const struct os_hold *hold, const struct os_speaker *speaker)
{
    uint64_t user;

    if (speaker->scope != OS_SPEAKS_FOR_USER)
        return speaker->scope == OS_SPEAKS_FOR_ALL;
    if (windows_process_user((HANDLE)hold->handle, &user) < 0)
        return -ENODATA;
    return user == speaker->user;
}

bool
os_speaks_for(const struct os_speaker *speaker, const char *user)
{
    const struct os_hold self = {.handle = (intptr_t)GetCurrentProcess()};

    (void)user; /* as us, or not at all */
    return os_process_is_of(&self, speaker) != 0;
}

int
os_process_wait(const struct os_hold *hold, int timeout_ms)
{
    DWORD r =
        WaitForSingleObject((HANDLE)hold->handle, timeout_ms < 0 ? INFINITE : (DWORD)timeout_ms);

    if (r == WAIT_FAILED)
        return windows_last_error();
    return r == WAIT_TIMEOUT ? -ETIMEDOUT : 0;
}

/* ---- Signalled ---------------------------------------------------------------------------- */

/* While it is held its number is its own, so a second handle is one of it. */
static int
kill(const struct os_hold *hold)
{
    HANDLE process = OpenProcess(PROCESS_TERMINATE, FALSE, (DWORD)hold->pid);
    int r = 0;

    if (process == NULL)
        return GetLastError() == ERROR_ACCESS_DENIED ? -EPERM : windows_last_error();
    if (!TerminateProcess(process, WINDOWS_KILLED))
        r = os_process_wait(hold, 0) == 0 ? -ESRCH : windows_last_error();
    CloseHandle(process);
    return r == -EACCES ? -EPERM : r;
}

static BOOL CALLBACK
close_window(HWND window, LPARAM pid)
{
    DWORD owner = 0;

    (void)GetWindowThreadProcessId(window, &owner);
    if (owner == (DWORD)pid)
        (void)PostMessageW(window, WM_CLOSE, 0, 0);
    return TRUE;
}

/*
 * A child of ours leads a console group, and is asked by Ctrl-Break, which is the one of the two
 * that such a group can get; who has windows is asked to close them.
 */
static int
ask_child(const struct os_hold *hold, int signal)
{
    if (!windows_is_child(hold->pid)
        || (signal != os_signal_number("TERM") && signal != os_signal_number("INT")
            && signal != os_signal_number("QUIT") && signal != os_signal_number("BREAK")))
        return -ENOTSUP;
    (void)EnumWindows(close_window, (LPARAM)hold->pid);
    return GenerateConsoleCtrlEvent(CTRL_BREAK_EVENT, (DWORD)hold->pid) ? 0 : -ENOTSUP;
}

int
os_process_signal(const struct os_hold *hold, int signal)
{
    FILETIME birth;
    WCHAR name[80];
    HANDLE event;
    BOOL done;

    if (signal != 0 && os_signal_name(signal) == NULL)
        return -EINVAL;
    if (os_process_wait(hold, 0) == 0)
        return -ESRCH;
    if (signal == 0)
        return 0;
    if (signal == KILL_SIGNAL)
        return kill(hold);
    if (!born(hold, &birth))
        return windows_last_error();
    windows_signal_event(hold->pid, windows_ticks(birth), signal, name,
                         sizeof(name) / sizeof(*name));
    event = OpenEventW(EVENT_MODIFY_STATE, FALSE, name);
    if (event == NULL)
        return GetLastError() == ERROR_ACCESS_DENIED ? -EPERM : ask_child(hold, signal);
    done = SetEvent(event);
    CloseHandle(event);
    return done ? 0 : -EIO;
}

void
windows_signal_event(int64_t pid, uint64_t start, int signal, WCHAR *buf, size_t size)
{
    (void)_snwprintf(buf, size - 1, L"Global\\vortex-%I64d-%I64x-%d", pid, start, signal);
    buf[size - 1] = L'\0';
}

/* ---- Described ---------------------------------------------------------------------------- */

/* There are no sessions with leaders here: what belongs to a server is in its job. */
int
os_process_belongs(const struct os_hold *hold, int64_t session, const char *cgroup)
{
    (void)hold;
    (void)session;
    (void)cgroup;
    return 0;
}

bool
os_process_runs(int64_t pid)
{
    (void)pid;
    return false;
}

int64_t
os_process_age_ms(const struct os_hold *hold)
{
    FILETIME birth;

    if (os_process_wait(hold, 0) == 0 || !born(hold, &birth))
        return -1;
    return os_wall_ms() - windows_ns(birth) / 1000000;
}

static void
describe(HANDLE process, struct os_process_facts *facts)
{
    *facts = (struct os_process_facts){.memory_bytes = -1};
    if (WaitForSingleObject(process, 0) != WAIT_OBJECT_0) /* of the dead nothing is said */
        windows_process_owner(process, facts->owner, sizeof(facts->owner));
}

void
os_self_describe(struct os_process_facts *facts)
{
    describe(GetCurrentProcess(), facts);
    windows_service_name(facts->unit, sizeof(facts->unit));
}

void
os_process_describe(const struct os_hold *hold, struct os_process_facts *facts)
{
    PROCESS_MEMORY_COUNTERS memory = {.cb = sizeof(memory)};

    describe((HANDLE)hold->handle, facts);
    if (os_process_wait(hold, 0) != 0
        && GetProcessMemoryInfo((HANDLE)hold->handle, &memory, sizeof(memory)))
        facts->memory_bytes = (int64_t)memory.WorkingSetSize;
}
