/* SPDX-License-Identifier: Apache-2.0 */
/* Services as their manager has them: asked, started, stopped. */
#include "os/windows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define POLL_MS      50
#define PATIENCE_MS  30000 /* for a next checkpoint, at least */
#define CONFIG_BYTES 8192  /* QueryServiceConfig takes no more */

int
windows_service_open(const char *name, DWORD manager_access, DWORD access, SC_HANDLE *ret)
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
    SC_HANDLE service = NULL;
    DWORD size;
    int r = windows_service_open(name, SC_MANAGER_CONNECT,
                                 SERVICE_QUERY_STATUS | SERVICE_QUERY_CONFIG, &service);

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
    SC_HANDLE service = NULL;
    int r = windows_service_open(name, SC_MANAGER_CONNECT, SERVICE_START | SERVICE_QUERY_STATUS,
                                 &service);

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

int
windows_service_stop(SC_HANDLE service)
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
    SC_HANDLE service = NULL;
    int r = windows_service_open(name, SC_MANAGER_CONNECT, SERVICE_STOP | SERVICE_QUERY_STATUS,
                                 &service);

    if (r < 0)
        return r;
    r = windows_service_stop(service);
    CloseServiceHandle(service);
    return r;
}
