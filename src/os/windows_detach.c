/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Into the background, without a fork: this program is started once more with the same command line,
 * and a variable of its environment tells it that it is the child, whose it is, and which handles it
 * has inherited. It comes by the same way to the same call, and goes on from there.
 */
#include "os/windows.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VARIABLE L"VORTEX_DETACHED"

/* ---- The child ----------------------------------------------------------------------------- */

struct inherited {
    HANDLE channel;
    HANDLE claim; /* or NULL */
};

/* Is this the child, and of whom? Somebody else's child may have that variable too. */
static bool
read_inherited(struct inherited *ret)
{
    WCHAR text[80];
    unsigned long long parent, channel, claim;
    DWORD n = GetEnvironmentVariableW(VARIABLE, text, sizeof(text) / sizeof(text[0]));

    if (n == 0 || n >= sizeof(text) / sizeof(text[0])
        || swscanf(text, L"%llu %llx %llx", &parent, &channel, &claim) != 3
        || (int64_t)parent != os_parent())
        return false;
    *ret = (struct inherited){(HANDLE)(uintptr_t)channel, (HANDLE)(uintptr_t)claim};
    return true;
}

static void
write_inherited(const struct inherited *inherited, int64_t parent)
{
    WCHAR text[80];

    (void)_snwprintf(text, sizeof(text) / sizeof(text[0]), L"%I64d %I64x %I64x", parent,
                     (int64_t)(uintptr_t)inherited->channel, (int64_t)(uintptr_t)inherited->claim);
    (void)SetEnvironmentVariableW(VARIABLE, text);
}

HANDLE
windows_inherited_claim(void)
{
    struct inherited inherited;
    HANDLE claim = NULL;

    if (read_inherited(&inherited) && inherited.claim != NULL) {
        claim = inherited.claim;
        inherited.claim = NULL;
        write_inherited(&inherited, os_parent());
    }
    return claim;
}

/* Ours from now on, and no child's. */
static int
become_child(HANDLE channel, struct os_child *self)
{
    int r;

    (void)SetEnvironmentVariableW(VARIABLE, NULL);
    (void)SetHandleInformation(channel, HANDLE_FLAG_INHERIT, 0);
    self->pid = 0;
    r = windows_end_new(WINDOWS_OUTPUT, channel, &self->channel);
    if (r == 0)
        windows_end_of(self->channel)->blocks = true;
    return r;
}

/* ---- The parent ---------------------------------------------------------------------------- */

static int
own_path(char *buf, size_t size)
{
    WCHAR path[WIDE_PATH_MAX];
    int r = windows_own_path(path, WIDE_PATH_MAX);

    return r < 0 ? r : windows_narrow(path, buf, size);
}

/* The same command line, word by word, by the program's own path. */
static int
spawn_again(struct windows_spawn *spawn, PROCESS_INFORMATION *ret)
{
    struct os_launch launch = {
        .nice = OS_NICE_KEEP, .no_input = true, .no_output = true, .passed_as = 0};
    char path[OS_PATH_MAX];
    char **argv;
    int count, r = own_path(path, sizeof(path));

    if (r < 0)
        return r;
    r = windows_arguments(&count, &argv);
    if (r < 0)
        return r;
    launch.argv = (const char *const *)argv;
    free(argv[0]);
    argv[0] = path;
    spawn->launch = &launch;
    r = windows_spawn(spawn, ret);
    spawn->launch = NULL;
    argv[0] = NULL;
    windows_arguments_free(count, argv);
    return r;
}

static int
start_child(struct inherited *inherited, struct os_child *child)
{
    struct windows_spawn spawn = {.flags = CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW};
    PROCESS_INFORMATION process;
    int r;

    spawn.also[0] = inherited->channel;
    spawn.also[1] = inherited->claim;
    write_inherited(inherited, os_self());
    r = spawn_again(&spawn, &process);
    (void)SetEnvironmentVariableW(VARIABLE, NULL);
    if (r < 0)
        return r;
    r = windows_child_add((int64_t)process.dwProcessId, process.hProcess, NULL);
    if (r == 0)
        child->pid = (int64_t)process.dwProcessId;
    if (r == 0)
        (void)ResumeThread(process.hThread);
    else
        (void)TerminateProcess(process.hProcess, WINDOWS_KILLED);
    CloseHandle(process.hThread);
    return r;
}

int
os_detach(bool lends, struct os_lock *lock, os_child_main *main, void *what,
          struct os_child *ret_child)
{
    struct inherited inherited = {0};
    struct os_child child;
    int r;

    (void)lends;
    if (read_inherited(&inherited)) {
        r = become_child(inherited.channel, &child);
        if (r == 0)
            main(what, &child);
        _Exit(1);
    }
    r = windows_pipe(true, &child.channel, &inherited.channel);
    if (r < 0)
        return r;
    if (lock != NULL)
        r = windows_duplicate(windows_lock_claim_handle(lock), true, &inherited.claim);
    if (r == 0)
        r = start_child(&inherited, &child);
    CloseHandle(inherited.channel);
    if (inherited.claim != NULL)
        CloseHandle(inherited.claim);
    if (r < 0)
        (void)os_handle_close(child.channel);
    else
        *ret_child = child;
    return r;
}

/* ---- Between both -------------------------------------------------------------------------- */

/*
 * A word is its length and then itself: that the other end is closed would say too little, for
 * whoever else inherited the channel may keep it (Wine 8's conhost does).
 */
int
os_child_tell(struct os_child *child, const void *data, size_t size)
{
    int64_t n = os_handle_write(child->channel, &size, sizeof(size));

    if (n > 0 && size > 0)
        n = os_handle_write(child->channel, data, size);
    child->channel = os_handle_close(child->channel);
    return n < 0 ? (int)n : 0;
}

/* 0; -EPIPE it ended without a word. */
static int
hear(intptr_t channel, void *data, size_t size)
{
    struct os_source source = {.handle = channel};
    size_t heard = 0;

    while (heard < size) {
        int r = os_wait(&source, 1, -1);
        int64_t n = r < 0 ? r : os_handle_read(channel, (char *)data + heard, size - heard);

        if (n == 0)
            return -EPIPE;
        if (n < 0 && n != -EAGAIN)
            return (int)n;
        heard += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

int
os_child_hear(struct os_child *child, void *data, size_t size, size_t *ret_size)
{
    size_t length = 0;
    int r = hear(child->channel, &length, sizeof(length));

    if (r == 0)
        r = length <= size ? hear(child->channel, data, length) : -EMSGSIZE;
    child->channel = os_handle_close(child->channel);
    if (r == 0)
        *ret_size = length;
    return r;
}

void
os_child_reap(struct os_child *child)
{
    struct os_hold hold;

    if (os_process_hold(child->pid, &hold) == 0) {
        (void)os_process_wait(&hold, -1);
        os_process_release(&hold);
    }
}

/* ---- Standard streams ---------------------------------------------------------------------- */

/* The child was started with none; its server inherits what stands here. */
int
os_detach_streams(const char *output)
{
    struct os_log log;
    int r;

    if (output == NULL)
        return 0;
    r = os_log_open(output, NULL, &log);
    if (r < 0)
        return r;
    if (!SetStdHandle(STD_OUTPUT_HANDLE, (HANDLE)log.handle)
        || !SetStdHandle(STD_ERROR_HANDLE, (HANDLE)log.handle))
        return windows_last_error();
    return 0;
}
