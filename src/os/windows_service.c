/* SPDX-License-Identifier: Apache-2.0 */
/*
 * This process as a service: what the service manager asks comes as signals, and what it is told
 * by sd_notify(3)'s words becomes the service's status. The dispatcher has a thread of its own; the
 * main thread goes on as if started by hand.
 */
#include "os/windows.h"
#include "windows_messages.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESS        "service" /* of the manager, in NOTIFY_SOCKET */
#define PULSE_MS       2000  /* so often a checkpoint rises, while a start or stop is waited for */
#define FIRST_HINT_MS  10000 /* before the supervisor says how long it takes */
#define CONTROL_RELOAD 128   /* beside PARAMCHANGE, for who can send no other */
#define END_MS         5000  /* for the dispatcher to return, once all is told */

/* There is one of it in a process, and the system's callbacks have no other way to find it. */
static struct {
    bool is_service;
    CRITICAL_SECTION guard;
    SERVICE_STATUS_HANDLE handle;
    SERVICE_STATUS status;
    HANDLE events[2]; /* it began; or the dispatcher has ended */
    WCHAR name[OS_NAME_MAX];
} service;

enum { BEGAN, DISPATCHED };

/* ---- The status --------------------------------------------------------------------------- */

static bool
is_pending(DWORD state)
{
    return state == SERVICE_START_PENDING || state == SERVICE_STOP_PENDING;
}

/* A state that it is in already is a sign of life. Back from stopping leads nothing but the end. */
static void
set_state(DWORD state, DWORD hint_ms)
{
    SERVICE_STATUS *status = &service.status;

    EnterCriticalSection(&service.guard);
    if (status->dwCurrentState == SERVICE_STOP_PENDING && state != SERVICE_STOPPED)
        state = SERVICE_STOP_PENDING;
    status->dwCheckPoint = !is_pending(state)                ? 0
                           : state == status->dwCurrentState ? status->dwCheckPoint + 1
                                                             : 1;
    status->dwWaitHint = is_pending(state) ? hint_ms : 0;
    status->dwCurrentState = state;
    status->dwControlsAccepted = 0;
    if (state == SERVICE_RUNNING)
        status->dwControlsAccepted =
            SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_PRESHUTDOWN | SERVICE_ACCEPT_PARAMCHANGE;
    (void)SetServiceStatus(service.handle, status);
    LeaveCriticalSection(&service.guard);
}

static DWORD
state_now(void)
{
    DWORD state;

    EnterCriticalSection(&service.guard);
    state = service.status.dwCurrentState;
    LeaveCriticalSection(&service.guard);
    return state;
}

/* ---- What the service manager asks --------------------------------------------------------- */

static DWORD WINAPI
control(DWORD code, DWORD type, void *data, void *context)
{
    (void)type;
    (void)data;
    (void)context;
    switch (code) {
    case SERVICE_CONTROL_STOP:
    case SERVICE_CONTROL_PRESHUTDOWN:
        set_state(SERVICE_STOP_PENDING, FIRST_HINT_MS);
        windows_raise(os_signal_number("TERM"));
        return NO_ERROR;
    case SERVICE_CONTROL_PARAMCHANGE:
    case CONTROL_RELOAD:
        windows_raise(os_signal_number("HUP"));
        return NO_ERROR;
    case SERVICE_CONTROL_INTERROGATE: /* the manager knows it: each change was told */
        return NO_ERROR;
    default:
        return ERROR_CALL_NOT_IMPLEMENTED;
    }
}

static void WINAPI
service_main(DWORD count, WCHAR **arguments)
{
    (void)count;
    (void)_snwprintf(service.name, OS_NAME_MAX - 1, L"%ls", arguments[0]);
    service.handle = RegisterServiceCtrlHandlerExW(service.name, control, NULL);
    service.is_service = service.handle != NULL;
    if (service.is_service)
        set_state(SERVICE_START_PENDING, FIRST_HINT_MS);
    SetEvent(service.events[BEGAN]);
}

static DWORD WINAPI
dispatch(void *context)
{
    static WCHAR any[] = L""; /* of a process with one service the name isn't looked at */
    const SERVICE_TABLE_ENTRYW table[] = {{any, service_main}, {NULL, NULL}};

    (void)context;
    (void)StartServiceCtrlDispatcherW(table);
    SetEvent(service.events[DISPATCHED]);
    return 0;
}

/* Asked of the dispatcher itself, Wine 8 would think about it for 10 s. */
static bool
is_services_child(void)
{
    PROCESSENTRY32W parent;

    return windows_find_process(os_parent(), &parent)
           && _wcsicmp(parent.szExeFile, L"services.exe") == 0;
}

bool
windows_is_service(void)
{
    return service.is_service;
}

void
windows_service_name(char *buf, size_t size)
{
    if (!service.is_service || windows_narrow(service.name, buf, size) < 0)
        buf[0] = '\0';
}

/* ---- Begin and end ------------------------------------------------------------------------- */

/*
 * A service has no console, and Ctrl-Break reaches only who shares one. Its streams stay what they
 * were: that console shows itself to nobody.
 */
static void
make_console(void)
{
    static const DWORD ids[3] = {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE};
    HANDLE streams[3];

    for (size_t i = 0; i < 3; i++)
        streams[i] = GetStdHandle(ids[i]);
    (void)AllocConsole();
    for (size_t i = 0; i < 3; i++)
        SetStdHandle(ids[i], streams[i]);
}

/* A handle that was closed isn't given to a file: they have no numbers that programs count by. */
void
os_program_begin(int *argc, char ***argv)
{
    HANDLE thread;

    (void)windows_arguments(argc, argv); /* where that fails, main()'s own have to do */
    if (!is_services_child())
        return;
    InitializeCriticalSection(&service.guard);
    service.status.dwServiceType = SERVICE_WIN32_OWN_PROCESS;
    for (size_t i = 0; i < 2; i++)
        service.events[i] = CreateEventW(NULL, TRUE, FALSE, NULL);
    thread = CreateThread(NULL, 0, dispatch, NULL, 0, NULL);
    if (thread == NULL)
        return;
    CloseHandle(thread);
    /* The second comes first where it is somebody else's child, of a failure action for one. */
    (void)WaitForMultipleObjects(2, service.events, FALSE, INFINITE);
    if (service.is_service) {
        make_console();
        (void)_putenv("NOTIFY_SOCKET=" ADDRESS);
    }
}

void
os_program_end(int status)
{
    if (!service.is_service)
        return;
    if (status != 0) {
        service.status.dwWin32ExitCode = ERROR_SERVICE_SPECIFIC_ERROR;
        service.status.dwServiceSpecificExitCode = (DWORD)status;
    }
    set_state(SERVICE_STOPPED, 0);
    (void)WaitForSingleObject(service.events[DISPATCHED], END_MS);
}

bool
os_report_error(const char *text)
{
    WCHAR wide[4096];
    const WCHAR *strings[] = {wide};
    HANDLE log;

    if (!service.is_service || windows_wide(text, wide, 4096) < 0)
        return false;
    log = RegisterEventSourceW(NULL, service.name);
    if (log == NULL)
        return false;
    (void)ReportEventW(log, EVENTLOG_ERROR_TYPE, 0, WINDOWS_MESSAGE_ERROR, NULL, 1, 0, strings,
                       NULL);
    DeregisterEventSource(log);
    return true;
}

/* ---- What the service manager is told ------------------------------------------------------ */

void
os_manager_take(struct os_manager *ret)
{
    *ret = (struct os_manager){.newline = OS_NONE};
    if (!service.is_service)
        return;
    snprintf(ret->address, sizeof(ret->address), "%s", ADDRESS);
    ret->pulse_ms = PULSE_MS;
    (void)_putenv("NOTIFY_SOCKET=");
}

/* While it reloads it runs: no state of a service says more. */
static void
take_line(const char *line)
{
    static const char extend[] = "EXTEND_TIMEOUT_USEC=";

    if (strncmp(line, "READY=1", 7) == 0) {
        set_state(SERVICE_RUNNING, 0);
    } else if (strncmp(line, "STOPPING=1", 10) == 0) {
        set_state(SERVICE_STOP_PENDING, FIRST_HINT_MS);
    } else if (strncmp(line, extend, strlen(extend)) == 0) {
        int64_t hint_ms = strtoll(line + strlen(extend), NULL, 10) / 1000;
        DWORD state = state_now();

        if (is_pending(state))
            set_state(state, hint_ms > INT32_MAX ? INT32_MAX : (DWORD)hint_ms);
    }
}

int
os_notify_send(const char *address, const char *text, intptr_t passed, int64_t pid)
{
    (void)passed;
    (void)pid;
    if (!service.is_service)
        return -ENOTSUP;
    if (strcmp(address, ADDRESS) != 0)
        return -EPROTONOSUPPORT;
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        take_line(line);
    }
    return 0;
}
