/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scene on Windows: a temporary directory, and this program once more as each child. What a
 * Windows doesn't have ends the test that asks for it as skipped; contract_windows.c tells what is
 * promised instead.
 */
#include <windows.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scene.h"

#define CHILDREN_MAX 16
#define PATH_SIZE    8192
#define CHILD        "--child" /* INDEX DIRECTORY NAME: an act */
#define HEADLESS     (-1)      /* the index of none: the main thread ends */

static char directory[MAX_PATH];
static HANDLE children[CHILDREN_MAX];
static int child_count;
static HANDLE thread, thread_go;
static bool was_skipped; /* then the test hasn't closed what it opened, and its directory stays */

/* End the test where the scene could not be set. */
static void
check(BOOL done)
{
    if (!done)
        fail_msg("the scene could not be set: error %lu", GetLastError());
}

static void
lack(void)
{
    was_skipped = true;
    skip();
}

/* ---- Begin and end ----------------------------------------------------------------------- */

static DWORD WINAPI
live_on(void *result)
{
    DWORD n;
    int number = (int)(intptr_t)result;
    HANDLE output = GetStdHandle(STD_OUTPUT_HANDLE);

    if (WriteFile(output, &number, sizeof(number), &n, NULL)) {
        CloseHandle(output);
        Sleep(INFINITE);
    }
    return 1;
}

bool
scene_begin(int argc, char **argv)
{
    int index;

    if (argc < 5 || strcmp(argv[1], CHILD) != 0)
        return false;
    index = atoi(argv[2]);
    snprintf(directory, sizeof(directory), "%s", argv[3]);
    if (index == HEADLESS) {
        if (CreateThread(NULL, 0, live_on, NULL, 0, NULL) != NULL)
            ExitThread(0);
    } else {
        (void)live_on((void *)(intptr_t)contract_acts[index](argv[4]));
    }
    return true;
}

static BOOL
remove_tree(const WCHAR *path)
{
    WCHAR pattern[PATH_SIZE], entry[PATH_SIZE];
    WIN32_FIND_DATAW found;
    HANDLE search;

    if (DeleteFileW(path))
        return TRUE;
    _snwprintf(pattern, PATH_SIZE, L"%ls\\*", path);
    search = FindFirstFileW(pattern, &found);
    if (search == INVALID_HANDLE_VALUE)
        return FALSE;
    do {
        if (wcscmp(found.cFileName, L".") == 0 || wcscmp(found.cFileName, L"..") == 0)
            continue;
        _snwprintf(entry, PATH_SIZE, L"%ls\\%ls", path, found.cFileName);
        (void)remove_tree(entry);
    } while (FindNextFileW(search, &found));
    FindClose(search);
    return RemoveDirectoryW(path);
}

/* With a prefix, for its paths may be long. */
static BOOL
remove_scene(void)
{
    WCHAR path[MAX_PATH + 8];

    _snwprintf(path, MAX_PATH + 8, L"\\\\?\\%hs", directory);
    return remove_tree(path);
}

int
scene_setup(void **state)
{
    static unsigned count;
    char above[MAX_PATH];

    (void)state;
    if (GetTempPathA(sizeof(above), above) == 0)
        return -1;
    snprintf(directory, sizeof(directory), "%svortex-contract-%lu-%u", above, GetCurrentProcessId(),
             count++);
    was_skipped = false;
    (void)remove_scene();
    return CreateDirectoryA(directory, NULL) ? 0 : -1;
}

static void
end_children(void)
{
    for (int i = 0; i < child_count; i++) {
        TerminateProcess(children[i], 1);
        WaitForSingleObject(children[i], INFINITE);
        CloseHandle(children[i]);
    }
    child_count = 0;
    if (thread != NULL) {
        SetEvent(thread_go);
        WaitForSingleObject(thread, INFINITE);
        CloseHandle(thread);
        CloseHandle(thread_go);
        thread = NULL;
    }
}

int
scene_teardown(void **state)
{
    (void)state;
    end_children();
    return SetCurrentDirectoryA("C:\\") && (remove_scene() || was_skipped) ? 0 : -1;
}

bool
scene_has_users(void)
{
    was_skipped = true;
    return false; /* none whose password a test knows */
}

/* ---- Files ------------------------------------------------------------------------------- */

const char *
scene_path(const char *name)
{
    static char paths[4][PATH_SIZE];
    static int next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s\\%s", directory, name);
    return path;
}

static HANDLE
open_it(const char *name, DWORD access, DWORD disposition)
{
    return CreateFileA(scene_path(name), access,
                       FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, disposition,
                       FILE_FLAG_BACKUP_SEMANTICS, NULL);
}

void
scene_write(const char *name, const char *content, unsigned mode)
{
    HANDLE file = open_it(name, GENERIC_WRITE, CREATE_ALWAYS);
    DWORD n;

    (void)mode;
    check(file != INVALID_HANDLE_VALUE);
    check(WriteFile(file, content, (DWORD)strlen(content), &n, NULL));
    CloseHandle(file);
}

void
scene_mkdir(const char *name, unsigned mode)
{
    (void)mode;
    check(CreateDirectoryA(scene_path(name), NULL));
}

/* Only administrators make one, and Wine not even for them. */
void
scene_symlink(const char *target, const char *name)
{
    (void)target;
    (void)name;
    lack();
}

void
scene_fifo(const char *name)
{
    (void)name;
    lack();
}

void
scene_link(const char *name, const char *second)
{
    check(CreateHardLinkA(scene_path(second), scene_path(name), NULL));
}

void
scene_chown(const char *name, uint32_t user)
{
    (void)name;
    (void)user;
    lack();
}

void
scene_remove(const char *name)
{
    check(DeleteFileA(scene_path(name)) || RemoveDirectoryA(scene_path(name)));
}

void
scene_set_age(const char *name, int seconds)
{
    HANDLE file = open_it(name, FILE_WRITE_ATTRIBUTES, OPEN_EXISTING);
    ULARGE_INTEGER time;
    FILETIME written;

    check(file != INVALID_HANDLE_VALUE);
    GetSystemTimeAsFileTime(&written);
    time.LowPart = written.dwLowDateTime;
    time.HighPart = written.dwHighDateTime;
    time.QuadPart -= (ULONGLONG)(seconds * INT64_C(10000000));
    written.dwLowDateTime = time.LowPart;
    written.dwHighDateTime = time.HighPart;
    check(SetFileTime(file, NULL, NULL, &written));
    CloseHandle(file);
}

bool
scene_exists(const char *name)
{
    return GetFileAttributesA(scene_path(name)) != INVALID_FILE_ATTRIBUTES;
}

bool
scene_holds(const char *name, const char *text)
{
    HANDLE file = open_it(name, GENERIC_READ, OPEN_EXISTING);
    char buf[PATH_SIZE];
    DWORD n = 0;
    BOOL done;

    if (file == INVALID_HANDLE_VALUE)
        return false;
    done = ReadFile(file, buf, sizeof(buf), &n, NULL);
    CloseHandle(file);
    return done && n == strlen(text) && memcmp(buf, text, n) == 0;
}

unsigned
scene_mode(const char *name)
{
    (void)name;
    lack();
    return 0;
}

void
scene_umask(unsigned mask)
{
    (void)mask;
}

void
scene_chdir(void)
{
    check(SetCurrentDirectoryA(directory));
}

bool
scene_lease(const char *name)
{
    (void)name;
    return false;
}

void
scene_fill_disk(void)
{
    lack();
}

void
scene_free_disk(void)
{
}

bool
scene_has_steady_clock(void)
{
    return false; /* as far as the test knows */
}

/* ---- Processes --------------------------------------------------------------------------- */

static int64_t
start_child(int index, const char *name, int *ret_result)
{
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof(inherited), .bInheritHandle = TRUE};
    STARTUPINFOA startup = {.cb = sizeof(startup), .dwFlags = STARTF_USESTDHANDLES};
    PROCESS_INFORMATION process;
    char program[MAX_PATH], line[4 * MAX_PATH];
    HANDLE channel;
    DWORD n = 0;

    check(GetModuleFileNameA(NULL, program, sizeof(program)) != 0);
    snprintf(line, sizeof(line), "contract " CHILD " %d \"%s\" \"%s\"", index, directory, name);
    check(CreatePipe(&channel, &startup.hStdOutput, &inherited, 0));
    check(SetHandleInformation(channel, HANDLE_FLAG_INHERIT, 0));
    check(CreateProcessA(program, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process));
    CloseHandle(startup.hStdOutput);
    CloseHandle(process.hThread);
    assert_true(child_count < CHILDREN_MAX);
    children[child_count++] = process.hProcess;
    if (!ReadFile(channel, ret_result, sizeof(*ret_result), &n, NULL) || n != sizeof(*ret_result))
        fail_msg("a child ended before it could report");
    CloseHandle(channel);
    return process.dwProcessId;
}

int64_t
scene_fork(scene_act *act, const char *name, int *ret_result)
{
    int index = 0;

    while (contract_acts[index] != NULL && contract_acts[index] != act)
        index++;
    assert_non_null(contract_acts[index]);
    return start_child(index, name, ret_result);
}

int64_t
scene_fork_as(uint32_t user, uint32_t saved, scene_act *act, const char *name, int *ret_result)
{
    (void)user;
    (void)saved;
    (void)act;
    (void)name;
    *ret_result = 0;
    lack();
    return 0;
}

int64_t
scene_fork_exec(scene_act *before, scene_act *after, const char *name, int *ret_result)
{
    (void)before;
    return scene_fork(after, name, ret_result); /* nothing is inherited */
}

int64_t
scene_fork_headless(void)
{
    int result;

    return start_child(HEADLESS, "", &result);
}

static int
find_child(int64_t pid)
{
    for (int i = 0; i < child_count; i++)
        if (GetProcessId(children[i]) == (DWORD)pid)
            return i;
    fail_msg("%d is no child", (int)pid);
    return -1;
}

void
scene_kill(int64_t pid)
{
    HANDLE process = children[find_child(pid)];

    check(TerminateProcess(process, 1));
    check(WaitForSingleObject(process, INFINITE) == WAIT_OBJECT_0);
}

/* As long as somebody has a handle of it the number is taken. */
void
scene_reap(int64_t pid)
{
    int i = find_child(pid);

    CloseHandle(children[i]);
    children[i] = children[--child_count];
}

static DWORD WINAPI
be_a_thread(void *go)
{
    return WaitForSingleObject((HANDLE)go, INFINITE);
}

int64_t
scene_thread(void)
{
    DWORD id;

    thread_go = CreateEventW(NULL, TRUE, FALSE, NULL);
    check(thread_go != NULL);
    thread = CreateThread(NULL, 0, be_a_thread, thread_go, 0, &id);
    check(thread != NULL);
    return id;
}

void
scene_interrupt(void)
{
    lack();
}

void
scene_stop_interrupting(void)
{
}
