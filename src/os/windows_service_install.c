/* SPDX-License-Identifier: Apache-2.0 */
/* A service as it is made, or made anew, and removed: all that the service manager keeps of it. */
#include "os/windows.h"

#include <aclapi.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACCOUNT_MAX (OS_NAME_MAX + 16)
#define DAY_S       86400
#define EVENT_LOG   L"SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\"

/* Its command line, quoted: "C:\Program Files\Vortex\vortex.exe" run NAME [-c ...] [-p ...]. */
static int
command_line(const struct os_service *s, WCHAR **ret)
{
    WCHAR program[WIDE_PATH_MAX];
    const char *argv[8] = {"", "run", s->name};
    size_t n = 3;
    int r = windows_own_path(program, WIDE_PATH_MAX);

    if (r < 0)
        return r;
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

    if (r == 0)
        r = windows_own_path(program, WIDE_PATH_MAX);
    if (r < 0)
        return r;
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

/* The virtual account that Windows has for each service. buf: ACCOUNT_MAX. */
static int
account_of(const char *name, WCHAR *buf)
{
    static const WCHAR domain[] = L"NT SERVICE\\";
    size_t length = wcslen(domain);

    memcpy(buf, domain, sizeof(domain));
    return windows_wide(name, buf + length, ACCOUNT_MAX - length);
}

/*
 * Its account may make files in the runtime directory, and replace nothing there that is another's:
 * what the sticky bit is elsewhere.
 */
static int
change_access(const char *runtime_file, const char *name, ACCESS_MODE mode)
{
    WCHAR *end, path[WIDE_PATH_MAX], account[ACCOUNT_MAX];
    EXPLICIT_ACCESSW entry = {.grfAccessPermissions =
                                  FILE_GENERIC_READ | FILE_TRAVERSE | FILE_ADD_FILE,
                              .grfAccessMode = mode};
    SECURITY_DESCRIPTOR *security;
    ACL *list, *changed;
    DWORD error;
    int r = windows_path(runtime_file, path, WIDE_PATH_MAX);

    if (r == 0 && (end = wcsrchr(path, L'\\')) != NULL)
        *end = L'\0';
    if (r == 0)
        r = account_of(name, account);
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
    WCHAR account[ACCOUNT_MAX], domain[256];
    BYTE sid[SECURITY_MAX_SID_SIZE];
    DWORD size = sizeof(sid), length = 256;
    SID_NAME_USE use;

    return account_of(name, account) == 0
           && LookupAccountNameW(NULL, account, sid, &size, domain, &length, &use);
}

/* The service, new or as it is to be. */
static int
make(SC_HANDLE manager, const struct os_service *s, const WCHAR *command, SC_HANDLE *ret)
{
    WCHAR name[OS_NAME_MAX], title[OS_NAME_MAX + 16], user[OS_NAME_MAX];
    SC_HANDLE service = NULL;
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
    SC_HANDLE service = NULL;
    int r = windows_service_open(name, SC_MANAGER_CONNECT,
                                 DELETE | SERVICE_STOP | SERVICE_QUERY_STATUS, &service);

    if (r < 0)
        return r;
    r = windows_service_stop(service);
    if (r == 0 && has_account(name))
        (void)change_access(runtime_file, name, REVOKE_ACCESS);
    if (r == 0 && !DeleteService(service) && GetLastError() != ERROR_SERVICE_MARKED_FOR_DELETE)
        r = windows_last_error();
    CloseServiceHandle(service);
    if (r == 0 && event_key(name, key, 512) == 0)
        (void)RegDeleteKeyW(HKEY_LOCAL_MACHINE, key);
    return r;
}
