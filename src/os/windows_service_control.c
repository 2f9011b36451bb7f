/* SPDX-License-Identifier: Apache-2.0 */
/* Services as their manager has them: made, removed, started, stopped, asked. */
#include "os/windows.h"

#include <aclapi.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POLL_MS      50
#define PATIENCE_MS  30000 /* for a next checkpoint, at least */
#define DAY_S        86400
#define CONFIG_BYTES 8192 /* QueryServiceConfig takes no more */
#define EVENT_LOG    L"SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\"

static int
open_service(const char *name, DWORD manager_access, DWORD access, SC_HANDLE *ret)
{
    WCHAR wide[OS_NAME_MAX];
    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, manager_access);
    int r = windows_wide(name, wide, OS_NAME_MAX);

    if (manager == NULL)
        return windows_last_error();
    if (r == 0) {
        *ret = OpenServiceW(manager, wide, access);
        if (*ret == NULL)
            r = windows_last_error();
    }
    CloseServiceHandle(manager);
    return r;
}

/* ---- Asked --------------------------------------------------------------------------------- */

static int
query(SC_HANDLE service, SERVICE_STATUS_PROCESS *ret)
{
    DWORD size;

    return QueryServiceStatusEx(service, SC_STATUS_PROCESS_INFO, (BYTE *)ret, sizeof(*ret), &size)
               ? 0
               : windows_last_error();
}

static int
code_of(const SERVICE_STATUS_PROCESS *status)
{
    return (int)(status->dwWin32ExitCode == ERROR_SERVICE_SPECIFIC_ERROR
                     ? status->dwServiceSpecificExitCode
                     : status->dwWin32ExitCode);
}

static enum os_service_state
state_of(DWORD state)
{
    switch (state) {
    case SERVICE_STOPPED:
        return OS_SERVICE_STOPPED;
    case SERVICE_START_PENDING:
        return OS_SERVICE_STARTING;
    case SERVICE_STOP_PENDING:
        return OS_SERVICE_STOPPING;
    default:
        return OS_SERVICE_RUNNING;
    }
}

int
os_service_ask(const char *name, struct os_service_facts *ret)
{
    QUERY_SERVICE_CONFIGW *config;
    SERVICE_STATUS_PROCESS status;
    SC_HANDLE service;
    DWORD size;
    int r = open_service(name, SC_MANAGER_CONNECT, SERVICE_QUERY_STATUS | SERVICE_QUERY_CONFIG,
                         &service);

    if (r < 0)
        return r;
    memset(ret, 0, sizeof(*ret));
    config = malloc(CONFIG_BYTES);
    r = config == NULL ? -ENOMEM : query(service, &status);
    if (r == 0 && !QueryServiceConfigW(service, config, CONFIG_BYTES, &size))
        r = windows_last_error();
    if (r == 0) {
        ret->state = state_of(status.dwCurrentState);
        ret->pid = (int64_t)status.dwProcessId;
        ret->code = code_of(&status);
        ret->is_automatic = config->dwStartType == SERVICE_AUTO_START;
        (void)windows_narrow(config->lpServiceStartName, ret->user, sizeof(ret->user));
        (void)windows_narrow(config->lpBinaryPathName, ret->command, sizeof(ret->command));
    }
    free(config);
    CloseServiceHandle(service);
    return r;
}

/* ---- Started and stopped ------------------------------------------------------------------- */

/* Until it is in no pending state; who shows no checkpoint for as long as it said hangs. */
static int
await(SC_HANDLE service, SERVICE_STATUS_PROCESS *status)
{
    DWORD checkpoint = 0, state = 0;
    int64_t until = 0;
    int r;

    for (;;) {
        r = query(service, status);
        if (r < 0 || status->dwCurrentState == SERVICE_RUNNING
            || status->dwCurrentState == SERVICE_STOPPED)
            return r;
        if (until == 0 || status->dwCheckPoint != checkpoint || status->dwCurrentState != state) {
            checkpoint = status->dwCheckPoint;
            state = status->dwCurrentState;
            until = os_monotonic_ms()
                    + (status->dwWaitHint > PATIENCE_MS ? status->dwWaitHint : PATIENCE_MS);
        }
        if (os_monotonic_ms() > until)
            return -ETIMEDOUT;
        os_sleep_ms(POLL_MS); /* the system has no event for it that works for all */
    }
}

int
os_service_start(const char *name, int *ret_code)
{
    SERVICE_STATUS_PROCESS status;
    SC_HANDLE service;
    int r = open_service(name, SC_MANAGER_CONNECT, SERVICE_START | SERVICE_QUERY_STATUS, &service);

    if (r < 0)
        return r;
    if (!StartServiceW(service, 0, NULL) && GetLastError() != ERROR_SERVICE_ALREADY_RUNNING)
        r = windows_last_error();
    if (r == 0)
        r = await(service, &status);
    if (r == 0 && status.dwCurrentState != SERVICE_RUNNING) {
        *ret_code = code_of(&status);
        r = -ECHILD;
    }
    CloseServiceHandle(service);
    return r;
}

/* The manager passes no control to a service that starts; the supervisor hears it of us. */
static int
stop_starting(SC_HANDLE service, SERVICE_STATUS_PROCESS *status)
{
    struct os_hold hold;

    if (os_process_hold((int64_t)status->dwProcessId, &hold) == 0) {
        (void)os_process_signal(&hold, os_signal_number("TERM"));
        os_process_release(&hold);
    }
    return await(service, status);
}

static int
stop(SC_HANDLE service)
{
    SERVICE_STATUS_PROCESS status;
    SERVICE_STATUS answer;
    int r = query(service, &status);

    if (r == 0 && status.dwCurrentState == SERVICE_START_PENDING)
        r = stop_starting(service, &status);
    if (r < 0 || status.dwCurrentState == SERVICE_STOPPED)
        return r;
    if (!ControlService(service, SERVICE_CONTROL_STOP, &answer)
        && GetLastError() != ERROR_SERVICE_NOT_ACTIVE
        && GetLastError() != ERROR_SERVICE_CANNOT_ACCEPT_CTRL) /* it stops already */
        return windows_last_error();
    r = await(service, &status);
    return r == 0 && status.dwCurrentState != SERVICE_STOPPED ? -EBUSY : r;
}

int
os_service_stop(const char *name)
{
    SC_HANDLE service;
    int r = open_service(name, SC_MANAGER_CONNECT, SERVICE_STOP | SERVICE_QUERY_STATUS, &service);

    if (r < 0)
        return r;
    r = stop(service);
    CloseServiceHandle(service);
    return r;
}

/* ---- Made ---------------------------------------------------------------------------------- */

/* Its command line, quoted: "C:\Program Files\Vortex\vortex.exe" run NAME [-c ...] [-p ...]. */
static int
command_line(const struct os_service *s, WCHAR **ret)
{
    WCHAR program[WIDE_PATH_MAX];
    const char *argv[8] = {"", "run", s->name};
    size_t n = 3;
    DWORD length = GetModuleFileNameW(NULL, program, WIDE_PATH_MAX);

    if (length == 0 || length >= WIDE_PATH_MAX)
        return length == 0 ? windows_last_error() : -ENAMETOOLONG;
    if (s->config != NULL) {
        argv[n++] = "-c";
        argv[n++] = s->config;
    }
    if (s->pidfile != NULL) {
        argv[n++] = "-p";
        argv[n++] = s->pidfile;
    }
    return windows_command_line(argv, program, WIDE_PATH_MAX, ret);
}

/* Wine 8 hasn't all of these; a Windows that refuses one is an error. */
static int
configure(SC_HANDLE service, DWORD what, void *value)
{
    if (ChangeServiceConfig2W(service, what, value)
        || GetLastError() == ERROR_INVALID_LEVEL /* of Wine; Windows 10 knows all of ours */
        || GetLastError() == ERROR_CALL_NOT_IMPLEMENTED)
        return 0;
    return windows_last_error();
}

/*
 * A server that fails comes up twice more; then somebody has to look: the third time it may be its
 * configuration, which no restart makes better. Where vortex reports a failure, and where it dies.
 */
static int
configure_failure(SC_HANDLE service)
{
    SC_ACTION actions[] = {
        {SC_ACTION_RESTART, 1000}, {SC_ACTION_RESTART, 30000}, {SC_ACTION_NONE, 0}};
    SERVICE_FAILURE_ACTIONSW failure = {DAY_S, NULL, NULL, 3, actions};
    SERVICE_FAILURE_ACTIONS_FLAG also_reported = {TRUE};
    int r = configure(service, SERVICE_CONFIG_FAILURE_ACTIONS, &failure);

    return r < 0 ? r : configure(service, SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, &also_reported);
}

static int
configure_rest(SC_HANDLE service, const struct os_service *s)
{
    SERVICE_DELAYED_AUTO_START_INFO delayed = {TRUE};
    SERVICE_SID_INFO sid = {SERVICE_SID_TYPE_UNRESTRICTED};
    SERVICE_PRESHUTDOWN_INFO preshutdown = {(DWORD)s->stop_ms};
    WCHAR text[1024];
    SERVICE_DESCRIPTIONW description = {text};
    int r = windows_wide(s->description, text, 1024);

    if (r == 0)
        r = configure(service, SERVICE_CONFIG_DESCRIPTION, &description);
    if (r == 0)
        r = configure(service, SERVICE_CONFIG_DELAYED_AUTO_START_INFO, &delayed);
    if (r == 0)
        r = configure(service, SERVICE_CONFIG_SERVICE_SID_INFO, &sid);
    if (r == 0)
        r = configure(service, SERVICE_CONFIG_PRESHUTDOWN_INFO, &preshutdown);
    return r < 0 ? r : configure_failure(service);
}

static int
event_key(const char *name, WCHAR *buf, size_t size)
{
    size_t length = wcslen(EVENT_LOG);

    memcpy(buf, EVENT_LOG, length * sizeof(*buf));
    return windows_wide(name, buf + length, size - length);
}

static int
make_event_source(const char *name)
{
    WCHAR key[512], program[WIDE_PATH_MAX];
    DWORD types = EVENTLOG_ERROR_TYPE | EVENTLOG_WARNING_TYPE | EVENTLOG_INFORMATION_TYPE;
    HKEY opened;
    LSTATUS error;
    int r = event_key(name, key, 512);

    if (r < 0)
        return r;
    if (GetModuleFileNameW(NULL, program, WIDE_PATH_MAX) == 0)
        return windows_last_error();
    error =
        RegCreateKeyExW(HKEY_LOCAL_MACHINE, key, 0, NULL, 0, KEY_SET_VALUE, NULL, &opened, NULL);
    if (error != ERROR_SUCCESS)
        return windows_error((DWORD)error);
    error = RegSetValueExW(opened, L"EventMessageFile", 0, REG_EXPAND_SZ, (const BYTE *)program,
                           (DWORD)((wcslen(program) + 1) * sizeof(*program)));
    if (error == ERROR_SUCCESS)
        error = RegSetValueExW(opened, L"TypesSupported", 0, REG_DWORD, (const BYTE *)&types,
                               sizeof(types));
    RegCloseKey(opened);
    return error == ERROR_SUCCESS ? 0 : windows_error((DWORD)error);
}

/*
 * Its account may make files in the runtime directory, and replace nothing there that is another's:
 * what the sticky bit is elsewhere.
 */
static int
change_access(const char *runtime_file, const char *name, ACCESS_MODE mode)
{
    WCHAR *end, path[WIDE_PATH_MAX], account[OS_NAME_MAX + 16] = L"NT SERVICE\\";
    EXPLICIT_ACCESSW entry = {.grfAccessPermissions =
                                  FILE_GENERIC_READ | FILE_GENERIC_EXECUTE | FILE_ADD_FILE,
                              .grfAccessMode = mode};
    SECURITY_DESCRIPTOR *security;
    ACL *list, *changed;
    DWORD error;
    int r = windows_path(runtime_file, path, WIDE_PATH_MAX);

    if (r == 0 && (end = wcsrchr(path, L'\\')) != NULL)
        *end = L'\0';
    if (r == 0)
        r = windows_wide(name, account + wcslen(account), OS_NAME_MAX);
    if (r < 0)
        return r;
    entry.Trustee = (TRUSTEEW){.TrusteeForm = TRUSTEE_IS_NAME, .ptstrName = account};
    error = GetNamedSecurityInfoW(path, SE_FILE_OBJECT, DACL_SECURITY_INFORMATION, NULL, NULL,
                                  &list, NULL, (void **)&security);
    if (error != ERROR_SUCCESS)
        return windows_error(error);
    error = SetEntriesInAclW(1, &entry, list, &changed);
    if (error == ERROR_SUCCESS) {
        error = SetNamedSecurityInfoW(path, SE_FILE_OBJECT, DACL_SECURITY_INFORMATION, NULL, NULL,
                                      changed, NULL);
        LocalFree(changed);
    }
    LocalFree(security);
    return error == ERROR_SUCCESS ? 0 : windows_error(error);
}

static bool
has_account(const char *name)
{
    WCHAR account[OS_NAME_MAX + 16] = L"NT SERVICE\\", domain[256];
    BYTE sid[SECURITY_MAX_SID_SIZE];
    DWORD size = sizeof(sid), length = 256;
    SID_NAME_USE use;

    return windows_wide(name, account + wcslen(account), OS_NAME_MAX) == 0
           && LookupAccountNameW(NULL, account, sid, &size, domain, &length, &use);
}

/* The service, new or as it is to be. */
static int
make(SC_HANDLE manager, const struct os_service *s, const WCHAR *command, SC_HANDLE *ret)
{
    WCHAR name[OS_NAME_MAX], title[OS_NAME_MAX + 16], user[OS_NAME_MAX];
    SC_HANDLE service;
    int r = windows_wide(s->name, name, OS_NAME_MAX);

    if (r == 0)
        r = windows_wide(s->user, user, OS_NAME_MAX);
    if (r < 0)
        return r;
    (void)_snwprintf(title, OS_NAME_MAX + 15, L"%ls (Vortex)", name);
    title[OS_NAME_MAX + 15] = L'\0';
    service = OpenServiceW(manager, name, SERVICE_ALL_ACCESS);
    if (service == NULL && GetLastError() == ERROR_SERVICE_DOES_NOT_EXIST)
        service = CreateServiceW(manager, name, title, SERVICE_ALL_ACCESS,
                                 SERVICE_WIN32_OWN_PROCESS, SERVICE_AUTO_START,
                                 SERVICE_ERROR_NORMAL, command, NULL, NULL, NULL, user, NULL);
    else if (service != NULL
             && !ChangeServiceConfigW(service, SERVICE_WIN32_OWN_PROCESS, SERVICE_AUTO_START,
                                      SERVICE_ERROR_NORMAL, command, NULL, NULL, NULL, user, NULL,
                                      title)) {
        r = windows_last_error();
        CloseServiceHandle(service);
        return r;
    }
    if (service == NULL)
        return windows_last_error();
    *ret = service;
    return 0;
}

int
os_service_install(const struct os_service *s)
{
    char name[OS_NAME_MAX];
    WCHAR *command = NULL;
    SC_HANDLE service = NULL, manager;
    struct os_dir dir;
    int r = os_dir_open(s->runtime_file, true, &dir, name); /* made, where it is missing */

    if (r < 0)
        return r;
    os_dir_close(&dir);
    manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE);
    r = manager == NULL ? windows_last_error() : command_line(s, &command);
    if (r == 0)
        r = make(manager, s, command, &service);
    if (r == 0)
        r = configure_rest(service, s);
    if (r == 0)
        r = make_event_source(s->name);
    if (r == 0 && has_account(s->name)) /* Wine 8 has no such accounts */
        r = change_access(s->runtime_file, s->name, GRANT_ACCESS);
    if (service != NULL)
        CloseServiceHandle(service);
    if (manager != NULL)
        CloseServiceHandle(manager);
    free(command);
    return r;
}

int
os_service_remove(const char *name, const char *runtime_file)
{
    WCHAR key[512];
    SC_HANDLE service;
    int r = open_service(name, SC_MANAGER_CONNECT, DELETE | SERVICE_STOP | SERVICE_QUERY_STATUS,
                         &service);

    if (r < 0)
        return r;
    r = stop(service);
    if (r == 0 && has_account(name))
        (void)change_access(runtime_file, name, REVOKE_ACCESS);
    if (r == 0 && !DeleteService(service) && GetLastError() != ERROR_SERVICE_MARKED_FOR_DELETE)
        r = windows_last_error();
    CloseServiceHandle(service);
    if (r == 0 && event_key(name, key, 512) == 0)
        (void)RegDeleteKeyW(HKEY_LOCAL_MACHINE, key);
    return r;
}
