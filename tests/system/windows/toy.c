/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server that misbehaves on request, and a hand in this Windows for the scripts.
 *
 * toy stay             live, and do nothing
 * toy ignore           the same, deaf to Ctrl-C and Ctrl-Break
 * toy say WORD...      print them, and live
 * toy children N       start N more of itself, print all their pids, and live
 * toy exit CODE        end at once with that exit status
 * toy slow FILE MS     make that file after so many milliseconds, and live
 * toy listen PORT MS   listen there after so many milliseconds, and live
 * toy flood BYTES      print so many, in lines of 64, and live
 * toy arguments ...    print each in brackets, and live
 * toy lives PID        exit status 0: that process lives; 1: it doesn't
 * toy end PID          TerminateProcess
 * toy race N VORTEX    N times: start the built-in server twice at one instant, and stop it; exit
 *                      status 0: each time one of the two did, and the other was told so
 */
#include <winsock2.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
stay(void)
{
    fflush(stdout);
    Sleep(INFINITE);
    return 0;
}

static int
start_children(int count)
{
    char path[MAX_PATH], line[MAX_PATH + 16];

    GetModuleFileNameA(NULL, path, sizeof(path));
    snprintf(line, sizeof(line), "\"%s\" stay", path);
    for (int i = 0; i < count; i++) {
        STARTUPINFOA startup = {.cb = sizeof(startup)};
        PROCESS_INFORMATION process;

        if (CreateProcessA(path, line, NULL, NULL, FALSE, CREATE_NEW_PROCESS_GROUP, NULL, NULL,
                           &startup, &process))
            printf("child %lu\n", process.dwProcessId);
    }
    return stay();
}

static int
listen_at(int port, int ms)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((u_short)port)};
    WSADATA data;
    SOCKET listener;

    Sleep((DWORD)ms);
    WSAStartup(MAKEWORD(2, 2), &data);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0
        || listen(listener, 8) != 0)
        return 9;
    return stay();
}

static int
make_file(const char *path, int ms)
{
    FILE *file;

    Sleep((DWORD)ms);
    file = fopen(path, "w");
    if (file != NULL)
        fclose(file);
    return stay();
}

static int
flood(long bytes)
{
    for (long i = 0; i < bytes; i += 64)
        printf("%062ld\n", i); /* and a carriage return */
    return stay();
}

static int
ask(DWORD pid)
{
    HANDLE process = OpenProcess(SYNCHRONIZE, FALSE, pid);

    return process != NULL && WaitForSingleObject(process, 0) == WAIT_TIMEOUT ? 0 : 1;
}

static int
end(DWORD pid)
{
    HANDLE process = OpenProcess(PROCESS_TERMINATE | SYNCHRONIZE, FALSE, pid);

    if (process == NULL || !TerminateProcess(process, 1))
        return 1;
    return WaitForSingleObject(process, 10000) == WAIT_OBJECT_0 ? 0 : 1;
}

/* ---- Two at one instant -------------------------------------------------------------------- */

static HANDLE
begin(const char *vortex, const char *arguments, HANDLE *ret_thread)
{
    STARTUPINFOA startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION process;
    char line[2 * MAX_PATH];

    snprintf(line, sizeof(line), "\"%s\" %s", vortex, arguments);
    if (!CreateProcessA(vortex, line, NULL, NULL, FALSE, CREATE_SUSPENDED, NULL, NULL, &startup,
                        &process)) {
        printf("%s: not created, error %lu\n", line, GetLastError());
        exit(3);
    }
    *ret_thread = process.hThread;
    return process.hProcess;
}

/* Its exit status. */
static int
await(HANDLE process, HANDLE thread)
{
    DWORD status = 99;

    if (WaitForSingleObject(process, 60000) == WAIT_OBJECT_0)
        GetExitCodeProcess(process, &status);
    CloseHandle(thread);
    CloseHandle(process);
    return (int)status;
}

static int
race(int rounds, const char *vortex)
{
    for (int i = 0; i < rounds; i++) {
        HANDLE processes[2], threads[2], stop, thread;
        int first, second, stopped;

        for (int k = 0; k < 2; k++)
            processes[k] = begin(vortex, "start -p x.pid", &threads[k]);
        for (int k = 0; k < 2; k++)
            ResumeThread(threads[k]);
        first = await(processes[0], threads[0]);
        second = await(processes[1], threads[1]);
        if (first + second != 1 || first * second != 0) {
            printf("round %d: the exit statuses are %d and %d\n", i, first, second);
            return 1;
        }
        stop = begin(vortex, "stop -p x.pid", &thread);
        ResumeThread(thread);
        stopped = await(stop, thread);
        if (stopped != 0) {
            printf("round %d: the exit status of the stop is %d\n", i, stopped);
            return 2;
        }
    }
    return 0;
}

/* -------------------------------------------------------------------------------------------- */

static BOOL WINAPI
ignore(DWORD event)
{
    (void)event;
    return TRUE;
}

int
main(int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "stay";
    int number = argc > 2 ? atoi(argv[2]) : 0;

    if (strcmp(verb, "children") == 0)
        return start_children(number);
    if (strcmp(verb, "exit") == 0)
        return number;
    if (strcmp(verb, "slow") == 0 && argc > 3)
        return make_file(argv[2], atoi(argv[3]));
    if (strcmp(verb, "listen") == 0 && argc > 3)
        return listen_at(number, atoi(argv[3]));
    if (strcmp(verb, "flood") == 0)
        return flood(number);
    if (strcmp(verb, "lives") == 0)
        return ask((DWORD)number);
    if (strcmp(verb, "end") == 0)
        return end((DWORD)number);
    if (strcmp(verb, "race") == 0 && argc > 3)
        return race(number, argv[3]);
    if (strcmp(verb, "ignore") == 0)
        SetConsoleCtrlHandler(ignore, TRUE);
    for (int i = 2; i < argc; i++)
        printf(strcmp(verb, "arguments") == 0 ? "[%s]\n" : "%s\n", argv[i]);
    return stay();
}
