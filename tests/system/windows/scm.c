/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small client of Windows' service manager, which shows what sc.exe of Wine doesn't.
 *
 *   scm start|stop NAME       and print the status at each change, until it is at rest
 *   scm query|config NAME     print the status; the configuration
 *   scm control NAME NUMBER   send a control: 6 is paramchange
 *   scm create NAME COMMAND   a service that isn't vortex's
 *   scm delete NAME
 *   scm exists FILE           a probe: 0 it does, 1 not
 *
 * Ends with the error's number, at most 255.
 */
#include <stdio.h>
#include <windows.h>

#define POLL_MS 20

static int
failed(const char *what)
{
    DWORD error = GetLastError();

    printf("%s: error %lu\n", what, error);
    return error < 255 ? (int)error : 255;
}

static void
print_status(const SERVICE_STATUS_PROCESS *s)
{
    static const char *const names[] = {"?",       "stopped",  "starting", "stopping",
                                        "running", "resuming", "pausing",  "paused"};

    printf("%s accepts=%lx code=%lu specific=%lu checkpoint=%lu hint=%lu pid=%lu\n",
           names[s->dwCurrentState & 7], s->dwControlsAccepted, s->dwWin32ExitCode,
           s->dwServiceSpecificExitCode, s->dwCheckPoint, s->dwWaitHint, s->dwProcessId);
    fflush(stdout);
}

static int
query(SC_HANDLE service, SERVICE_STATUS_PROCESS *ret)
{
    DWORD size;

    if (!QueryServiceStatusEx(service, SC_STATUS_PROCESS_INFO, (BYTE *)ret, sizeof(*ret), &size))
        return failed("query");
    return 0;
}

static int
watch(SC_HANDLE service)
{
    SERVICE_STATUS_PROCESS now, last = {0};
    int r;

    do {
        r = query(service, &now);
        if (r != 0)
            return r;
        if (now.dwCurrentState != last.dwCurrentState || now.dwCheckPoint != last.dwCheckPoint)
            print_status(&now);
        last = now;
        Sleep(POLL_MS);
    } while (now.dwCurrentState == SERVICE_START_PENDING
             || now.dwCurrentState == SERVICE_STOP_PENDING);
    return 0;
}

static int
print_config(SC_HANDLE service)
{
    static union {
        QUERY_SERVICE_CONFIGW config;
        SERVICE_DESCRIPTIONW description;
        SERVICE_PRESHUTDOWN_INFO preshutdown;
        BYTE bytes[8192];
    } u;
    DWORD size;

    if (!QueryServiceConfigW(service, &u.config, sizeof(u), &size))
        return failed("config");
    printf("type=%lx start=%lu command=%ls\n", u.config.dwServiceType, u.config.dwStartType,
           u.config.lpBinaryPathName);
    printf("user=%ls title=%ls\n", u.config.lpServiceStartName, u.config.lpDisplayName);
    if (QueryServiceConfig2W(service, SERVICE_CONFIG_DESCRIPTION, u.bytes, sizeof(u), &size))
        printf("description=%ls\n", u.description.lpDescription);
    if (QueryServiceConfig2W(service, SERVICE_CONFIG_PRESHUTDOWN_INFO, u.bytes, sizeof(u), &size))
        printf("preshutdown=%lu\n", u.preshutdown.dwPreshutdownTimeout);
    return 0;
}

static int
act(const WCHAR *verb, SC_HANDLE service, const WCHAR *value)
{
    SERVICE_STATUS_PROCESS now;
    SERVICE_STATUS status;
    int r;

    if (wcscmp(verb, L"start") == 0)
        return StartServiceW(service, 0, NULL) ? watch(service) : failed("start");
    if (wcscmp(verb, L"stop") == 0)
        return ControlService(service, SERVICE_CONTROL_STOP, &status) ? watch(service)
                                                                      : failed("stop");
    if (wcscmp(verb, L"control") == 0)
        return ControlService(service, wcstoul(value, NULL, 10), &status) ? 0 : failed("control");
    if (wcscmp(verb, L"config") == 0)
        return print_config(service);
    if (wcscmp(verb, L"delete") == 0)
        return DeleteService(service) ? 0 : failed("delete");
    r = query(service, &now);
    if (r == 0)
        print_status(&now);
    return r;
}

int
wmain(int argc, WCHAR **argv)
{
    SC_HANDLE manager, service;

    if (argc < 3)
        return ERROR_BAD_ARGUMENTS;
    if (wcscmp(argv[1], L"exists") == 0)
        return GetFileAttributesW(argv[2]) == INVALID_FILE_ATTRIBUTES;
    manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_ALL_ACCESS);
    if (manager == NULL)
        return failed("manager");
    if (wcscmp(argv[1], L"create") == 0 && argc > 3)
        return CreateServiceW(manager, argv[2], argv[2], SERVICE_ALL_ACCESS,
                              SERVICE_WIN32_OWN_PROCESS, SERVICE_DEMAND_START, SERVICE_ERROR_NORMAL,
                              argv[3], NULL, NULL, NULL, NULL, NULL)
                   ? 0
                   : failed("create");
    service = OpenServiceW(manager, argv[2], SERVICE_ALL_ACCESS);
    return service != NULL ? act(argv[1], service, argc > 3 ? argv[3] : L"0") : failed("open");
}
