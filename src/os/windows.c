/* SPDX-License-Identifier: Apache-2.0 */
/* Errors, names, time, and this very process. */
#include "os/windows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EPOCH_TICKS 116444736000000000ULL /* 1970, in 100 ns since 1601 */

/* ---- Errors ------------------------------------------------------------------------------- */

static const struct {
    DWORD windows;
    int number;
} errors[] = {
    {ERROR_FILE_NOT_FOUND, ENOENT},
    {ERROR_PATH_NOT_FOUND, ENOENT},
    {ERROR_INVALID_NAME, ENOENT},
    {ERROR_BAD_PATHNAME, ENOENT},
    {ERROR_BAD_NETPATH, ENOENT},
    {ERROR_INVALID_DRIVE, ENOENT},
    {ERROR_MOD_NOT_FOUND, ENOENT},
    {ERROR_ACCESS_DENIED, EACCES},
    {ERROR_PRIVILEGE_NOT_HELD, EPERM},
    {ERROR_NOT_OWNER, EPERM},
    {ERROR_SHARING_VIOLATION, EBUSY},
    {ERROR_LOCK_VIOLATION, EWOULDBLOCK},
    {ERROR_USER_MAPPED_FILE, EBUSY},
    {ERROR_DELETE_PENDING, EBUSY},
    {ERROR_BUSY, EBUSY},
    {ERROR_FILE_EXISTS, EEXIST},
    {ERROR_ALREADY_EXISTS, EEXIST},
    {ERROR_DIR_NOT_EMPTY, ENOTEMPTY},
    {ERROR_DIRECTORY, ENOTDIR},
    {ERROR_FILENAME_EXCED_RANGE, ENAMETOOLONG},
    {ERROR_BUFFER_OVERFLOW, ENAMETOOLONG},
    {ERROR_CANT_RESOLVE_FILENAME, ELOOP},
    {ERROR_WRITE_PROTECT, EROFS},
    {ERROR_DISK_FULL, ENOSPC},
    {ERROR_HANDLE_DISK_FULL, ENOSPC},
    {ERROR_NOT_ENOUGH_QUOTA, ENOSPC},
    {ERROR_NOT_ENOUGH_MEMORY, ENOMEM},
    {ERROR_OUTOFMEMORY, ENOMEM},
    {ERROR_COMMITMENT_LIMIT, ENOMEM},
    {ERROR_TOO_MANY_OPEN_FILES, EMFILE},
    {ERROR_INVALID_HANDLE, EBADF},
    {ERROR_INVALID_PARAMETER, EINVAL},
    {ERROR_INVALID_FUNCTION, ENOTSUP},
    {ERROR_NOT_SUPPORTED, ENOTSUP},
    {ERROR_CALL_NOT_IMPLEMENTED, ENOSYS},
    {ERROR_BAD_EXE_FORMAT, ENOEXEC},
    {ERROR_EXE_MACHINE_TYPE_MISMATCH, ENOEXEC},
    {ERROR_BROKEN_PIPE, EPIPE},
    {ERROR_NO_DATA, EPIPE},
    {ERROR_PIPE_NOT_CONNECTED, EPIPE},
    {ERROR_PIPE_BUSY, EAGAIN},
    {ERROR_IO_PENDING, EAGAIN},
    {ERROR_SEM_TIMEOUT, ETIMEDOUT},
    {WAIT_TIMEOUT, ETIMEDOUT},
    {ERROR_NO_UNICODE_TRANSLATION, EILSEQ},
    {ERROR_NONE_MAPPED, ENOENT},
    {ERROR_SERVICE_DOES_NOT_EXIST, ENOENT},
    {ERROR_SERVICE_MARKED_FOR_DELETE, EBUSY},
    {ERROR_DUPLICATE_SERVICE_NAME, EEXIST},
    {ERROR_INVALID_SERVICE_ACCOUNT, ENXIO}, /* there is no such user, or a password is missing */
    {ERROR_SERVICE_LOGON_FAILED, ENXIO},
    {ERROR_SERVICE_REQUEST_TIMEOUT, ETIMEDOUT},
    {WSAEWOULDBLOCK, EAGAIN},
    {WSAEINPROGRESS, EINPROGRESS},
    {WSAEALREADY, EINPROGRESS},
    {WSAECONNREFUSED, ECONNREFUSED},
    {WSAECONNRESET, ECONNRESET},
    {WSAECONNABORTED, ECONNRESET},
    {WSAETIMEDOUT, ETIMEDOUT},
    {WSAEHOSTUNREACH, EHOSTUNREACH},
    {WSAENETUNREACH, ENETUNREACH},
    {WSAEADDRNOTAVAIL, EADDRNOTAVAIL},
    {WSAEAFNOSUPPORT, EAFNOSUPPORT},
    {WSAEACCES, EACCES},
    {WSAENOTCONN, ENOTCONN},
    {WSAESHUTDOWN, EPIPE},
    {WSAEMFILE, EMFILE},
    {WSAENOBUFS, ENOMEM},
    {WSAHOST_NOT_FOUND, ENXIO},
    {WSATRY_AGAIN, EAGAIN},
    {WSANO_DATA, ENXIO},
};

int
windows_error(DWORD error)
{
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        if (errors[i].windows == error)
            return -errors[i].number;
    return -EIO;
}

int
windows_last_error(void)
{
    return windows_error(GetLastError());
}

/* ---- Names -------------------------------------------------------------------------------- */

int
windows_wide(const char *text, WCHAR *buf, size_t size)
{
    if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, buf, (int)size) > 0)
        return 0;
    return GetLastError() == ERROR_INSUFFICIENT_BUFFER ? -ENAMETOOLONG : -EILSEQ;
}

int
windows_narrow(const WCHAR *text, char *buf, size_t size)
{
    if (WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, text, -1, buf, (int)size, NULL, NULL)
        > 0)
        return 0;
    return GetLastError() == ERROR_INSUFFICIENT_BUFFER ? -ENAMETOOLONG : -EILSEQ;
}

/* "C:\x" is "\\?\C:\x", "\\server\x" is "\\?\UNC\server\x"; what has a prefix keeps it. */
static const WCHAR *
prefix_for(const WCHAR *full, size_t *ret_skip)
{
    *ret_skip = 0;
    if (wcsncmp(full, L"\\\\?\\", 4) == 0 || wcsncmp(full, L"\\\\.\\", 4) == 0)
        return L"";
    if (wcsncmp(full, L"\\\\", 2) != 0)
        return L"\\\\?\\";
    *ret_skip = 2;
    return L"\\\\?\\UNC\\";
}

int
windows_path(const char *path, WCHAR *buf, size_t size)
{
    WCHAR given[WIDE_PATH_MAX], full[WIDE_PATH_MAX];
    const WCHAR *prefix;
    size_t skip, length;
    DWORD n;
    int r = windows_wide(path, given, WIDE_PATH_MAX);

    if (r < 0)
        return r;
    n = GetFullPathNameW(given, WIDE_PATH_MAX, full, NULL);
    if (n == 0)
        return windows_last_error();
    if (n >= WIDE_PATH_MAX)
        return -ENAMETOOLONG;
    prefix = prefix_for(full, &skip);
    length = wcslen(prefix);
    if (length + n - skip >= size)
        return -ENAMETOOLONG;
    memcpy(buf, prefix, length * sizeof(*buf));
    memcpy(buf + length, full + skip, (n - skip + 1) * sizeof(*buf));
    return 0;
}

int
windows_duplicate(HANDLE handle, bool inherited, HANDLE *ret)
{
    if (!DuplicateHandle(GetCurrentProcess(), handle, GetCurrentProcess(), ret, 0, inherited,
                         DUPLICATE_SAME_ACCESS))
        return windows_last_error();
    return 0;
}

intptr_t
windows_close(intptr_t handle)
{
    if (handle != OS_NONE)
        CloseHandle((HANDLE)handle);
    return OS_NONE;
}

/* ---- Time --------------------------------------------------------------------------------- */

uint64_t
windows_ticks(FILETIME time)
{
    return (uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime;
}

int64_t
windows_ns(FILETIME time)
{
    return ((int64_t)windows_ticks(time) - (int64_t)EPOCH_TICKS) * 100;
}

int64_t
os_monotonic_us(void)
{
    LARGE_INTEGER frequency, now;

    QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&now);
    return now.QuadPart / frequency.QuadPart * 1000000
           + now.QuadPart % frequency.QuadPart * 1000000 / frequency.QuadPart;
}

int64_t
os_monotonic_ms(void)
{
    return os_monotonic_us() / 1000;
}

int64_t
os_wall_ms(void)
{
    FILETIME now;

    GetSystemTimeAsFileTime(&now);
    return windows_ns(now) / 1000000;
}

int64_t
os_wall_seconds(void)
{
    return os_wall_ms() / 1000;
}

static FILETIME
filetime_of(int64_t wall_seconds)
{
    uint64_t ticks = (uint64_t)wall_seconds * 10000000 + EPOCH_TICKS;

    return (FILETIME){(DWORD)ticks, (DWORD)(ticks >> 32)};
}

void
os_time_format(int64_t wall_seconds, char *buf, size_t size)
{
    FILETIME time = filetime_of(wall_seconds);
    SYSTEMTIME utc;
    int n = -1;

    if (wall_seconds >= 0 && FileTimeToSystemTime(&time, &utc))
        n = snprintf(buf, size, "%04d-%02d-%02dT%02d:%02d:%02dZ", utc.wYear, utc.wMonth, utc.wDay,
                     utc.wHour, utc.wMinute, utc.wSecond);
    if (n < 0 || (size_t)n >= size)
        buf[0] = '\0';
}

void
os_time_format_local(int64_t wall_seconds, char *buf, size_t size)
{
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    FILETIME time = filetime_of(wall_seconds);
    SYSTEMTIME utc, here;
    int n = -1;

    if (wall_seconds >= 0 && FileTimeToSystemTime(&time, &utc)
        && SystemTimeToTzSpecificLocalTime(NULL, &utc, &here))
        n = snprintf(buf, size, "%s %2d %02d:%02d:%02d", months[here.wMonth - 1], here.wDay,
                     here.wHour, here.wMinute, here.wSecond);
    if (n < 0 || (size_t)n >= size)
        buf[0] = '\0';
}

void
os_sleep_ms(int ms)
{
    Sleep(ms > 0 ? (DWORD)ms : 0);
}

/* ---- This process ------------------------------------------------------------------------- */

int64_t
os_self(void)
{
    return (int64_t)GetCurrentProcessId();
}

bool
windows_find_process(int64_t pid, PROCESSENTRY32W *ret)
{
    HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    PROCESSENTRY32W entry = {.dwSize = sizeof(entry)};
    bool found = false;

    if (all == INVALID_HANDLE_VALUE)
        return false;
    for (BOOL more = Process32FirstW(all, &entry); more && !found;
         more = found || Process32NextW(all, &entry))
        found = (int64_t)entry.th32ProcessID == pid;
    CloseHandle(all);
    if (found)
        *ret = entry;
    return found;
}

int64_t
os_parent(void)
{
    PROCESSENTRY32W self;

    return windows_find_process(os_self(), &self) ? (int64_t)self.th32ParentProcessID : 0;
}

/* Elevated: what root is elsewhere. */
bool
os_is_root(void)
{
    TOKEN_ELEVATION elevation = {0};
    HANDLE token;
    DWORD size;

    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
        return false;
    if (!GetTokenInformation(token, TokenElevation, &elevation, sizeof(elevation), &size))
        elevation.TokenIsElevated = 0;
    CloseHandle(token);
    return elevation.TokenIsElevated != 0;
}

/* ---- Signals: numbers for what a console, a service or another vortex asks ----------------- */

static const struct {
    const char *name;
    int number;
} signals[] = {
    {"HUP", 1},   {"INT", 2},   {"QUIT", 3},  {"KILL", 9},   {"USR1", 10},
    {"USR2", 12}, {"TERM", 15}, {"CHLD", 17}, {"BREAK", 21}, {"WINCH", 28},
};

int
os_signal_number(const char *name)
{
    bool is_number = strspn(name, "0123456789") == strlen(name) && strlen(name) < 4;
    int number = is_number ? atoi(name) : 0;

    if (strncmp(name, "SIG", 3) == 0)
        name += 3;
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        if (strcmp(signals[i].name, name) == 0 || signals[i].number == number)
            return signals[i].number;
    return -EINVAL;
}

const char *
os_signal_name(int number)
{
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        if (signals[i].number == number)
            return signals[i].name;
    return NULL;
}
