/* SPDX-License-Identifier: Apache-2.0 */
/* What a supervisor starts: a server in its job, commands beside it, filters. */
#include "os/windows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- A job: what a control group is on Linux ----------------------------------------------- */

int
os_cgroup_make(const char *name, struct os_cgroup *ret)
{
    struct os_cgroup job = {.events = OS_NONE, .parent = OS_NONE};
    HANDLE handle;
    int r;

    (void)name; /* without one nobody else can open it */
    r = windows_job_new(false, &handle);
    if (r < 0)
        return r;
    job.handle = (intptr_t)handle;
    *ret = job;
    return 0;
}

int
os_cgroup_kill(const struct os_cgroup *cgroup)
{
    if (cgroup->handle == OS_NONE)
        return -ENOENT;
    return TerminateJobObject((HANDLE)cgroup->handle, WINDOWS_KILLED) ? 0 : windows_last_error();
}

bool
os_cgroup_is_populated(const struct os_cgroup *cgroup)
{
    JOBOBJECT_BASIC_ACCOUNTING_INFORMATION info;

    return cgroup->handle != OS_NONE
           && QueryInformationJobObject((HANDLE)cgroup->handle, JobObjectBasicAccountingInformation,
                                        &info, sizeof(info), NULL)
           && info.ActiveProcesses > 0;
}

void
os_cgroup_remove(struct os_cgroup *cgroup)
{
    cgroup->handle = windows_close(cgroup->handle);
}

int
os_cgroup_renew(struct os_cgroup *cgroup)
{
    os_cgroup_remove(cgroup);
    return os_cgroup_make(cgroup->name, cgroup);
}

/* The jobs of a dead process are gone with it. */
void
os_cgroup_discard(const char *path)
{
    (void)path;
}

int
os_cgroup_end(const char *path, int timeout_ms)
{
    (void)path;
    (void)timeout_ms;
    return 0;
}

/* ---- A server ------------------------------------------------------------------------------ */

/* As soon as we are dead all in the job are, however we died. */
static int
let_die_with_us(HANDLE job)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};

    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
    if (!SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof(limits)))
        return windows_last_error();
    return 0;
}

/* It is there and hasn't begun: closing that handle ends it. */
static int
keep_suspended(const PROCESS_INFORMATION *process, struct os_server *ret)
{
    HANDLE own = NULL;
    intptr_t go = OS_NONE;
    int r = windows_duplicate(process->hProcess, false, &own);

    if (r == 0)
        r = windows_end_new(WINDOWS_SUSPENDED, own, &go);
    if (r < 0)
        return r;
    windows_end_of(go)->thread = process->hThread;
    *ret = (struct os_server){(int64_t)process->dwProcessId, OS_NONE, go};
    return 0;
}

int
os_server_fork(const struct os_launch *launch, const struct os_lock *lock, intptr_t output,
               bool dies_with_us, struct os_server *ret)
{
    HANDLE job = launch->cgroup != NULL && launch->cgroup->handle != OS_NONE
                     ? (HANDLE)launch->cgroup->handle
                     : NULL;
    HANDLE stream = output != OS_NONE ? windows_end_of(output)->handle : NULL;
    struct windows_spawn spawn = {
        .launch = launch,
        .streams = {NULL, stream, stream},
        .job = job,
        .flags = CREATE_NEW_PROCESS_GROUP, /* so that Ctrl-Break can be meant for it alone */
    };
    PROCESS_INFORMATION process = {0};
    int r;

    (void)lock; /* the job keeps a server from outliving who holds it */
    if (launch->passed_as > 2)
        return -ENOTSUP;
    r = job != NULL && dies_with_us ? let_die_with_us(job) : 0;
    if (r == 0)
        r = windows_spawn(&spawn, &process);
    if (r < 0)
        return r;
    r = windows_child_add((int64_t)process.dwProcessId, process.hProcess, NULL);
    if (r == 0)
        return keep_suspended(&process, ret);
    (void)TerminateProcess(process.hProcess, WINDOWS_KILLED);
    CloseHandle(process.hProcess);
    CloseHandle(process.hThread);
    return r;
}

int
os_server_go(struct os_server *server, enum os_stage *ret_stage)
{
    struct windows_end *end = windows_end_of(server->go);
    int r = ResumeThread(end->thread) != (DWORD)-1 ? 0 : windows_last_error();

    *ret_stage = OS_STAGE_EXEC;
    end->is_over = r == 0;
    server->go = os_handle_close(server->go);
    return r;
}

/* ---- A command beside it ------------------------------------------------------------------- */

int
os_command_start(const struct os_launch *launch, intptr_t output, int64_t *ret_pid)
{
    struct os_launch own = *launch;
    HANDLE stream = output >= 0 ? windows_end_of(output)->handle : NULL;
    struct windows_spawn spawn = {
        .launch = &own,
        .streams = {NULL, stream, stream},
        .flags = CREATE_NEW_PROCESS_GROUP,
    };
    PROCESS_INFORMATION process = {0};
    int r = windows_job_new(true, &spawn.job);

    if (r < 0)
        return r;
    own.no_input = true;
    if (output == OS_NONE)
        own.no_output = true;
    r = windows_spawn(&spawn, &process);
    if (r < 0) {
        CloseHandle(spawn.job);
        return r;
    }
    r = windows_child_add((int64_t)process.dwProcessId, process.hProcess, spawn.job);
    if (r == 0) {
        *ret_pid = (int64_t)process.dwProcessId;
        (void)ResumeThread(process.hThread);
    } else {
        CloseHandle(spawn.job); /* which kills it */
        CloseHandle(process.hProcess);
    }
    CloseHandle(process.hThread);
    return r;
}

void
os_command_kill(int64_t pid)
{
    HANDLE job = windows_child_job(pid);

    if (job != NULL)
        (void)TerminateJobObject(job, WINDOWS_KILLED);
}

/* ---- A program between two handles --------------------------------------------------------- */

int
os_filter_start(const char *const *argv, intptr_t input, intptr_t output,
                struct os_child *ret_child)
{
    const struct os_launch launch = {
        .argv = argv,
        .nice = 10,
        .no_output = true,
    };
    struct windows_spawn spawn = {
        .launch = &launch,
        .streams = {(HANDLE)input, (HANDLE)output, NULL},
        .flags = CREATE_NO_WINDOW,
    };
    PROCESS_INFORMATION process = {0};
    int r = windows_spawn(&spawn, &process);

    if (r < 0)
        return r;
    r = windows_end_new(WINDOWS_DEATH, process.hProcess, &ret_child->channel);
    if (r == 0) {
        ret_child->pid = (int64_t)process.dwProcessId;
        (void)ResumeThread(process.hThread);
    }
    CloseHandle(process.hThread);
    return r;
}

int
os_filter_end(struct os_child *child, bool kill_it)
{
    HANDLE process = windows_end_of(child->channel)->handle;
    DWORD code = 0;

    if (kill_it)
        (void)TerminateProcess(process, WINDOWS_KILLED);
    (void)WaitForSingleObject(process, INFINITE);
    (void)GetExitCodeProcess(process, &code);
    child->channel = os_handle_close(child->channel);
    return code > INT32_MAX ? WINDOWS_KILLED : (int)code;
}

/* What doesn't fit is read and forgotten, so that nobody waits for us. */
static void
take_output(intptr_t from, char *buf, size_t size)
{
    struct os_source source = {.handle = from};
    size_t length = 0;
    int64_t n = 1;

    while (n != 0 && os_wait(&source, 1, -1) > 0) {
        char rest[256];
        bool fits = length + 1 < size;

        n = os_handle_read(from, fits ? buf + length : rest,
                           fits ? size - 1 - length : sizeof(rest));
        if (n > 0 && fits)
            length += (size_t)n;
    }
    buf[length] = '\0';
}

int
os_run(const char *const *argv, char *buf, size_t size)
{
    const struct os_launch launch = {.argv = argv, .nice = OS_NICE_KEEP, .no_input = true};
    struct windows_spawn spawn = {.launch = &launch};
    PROCESS_INFORMATION process = {0};
    intptr_t ours = OS_NONE;
    DWORD code = 0;
    int r = buf != NULL ? windows_pipe(true, &ours, &spawn.streams[1]) : 0;

    if (r < 0)
        return r;
    r = windows_spawn(&spawn, &process);
    if (spawn.streams[1] != NULL)
        CloseHandle(spawn.streams[1]);
    if (r == 0) {
        (void)ResumeThread(process.hThread);
        if (buf != NULL)
            take_output(ours, buf, size);
        (void)WaitForSingleObject(process.hProcess, INFINITE);
        (void)GetExitCodeProcess(process.hProcess, &code);
        CloseHandle(process.hThread);
        CloseHandle(process.hProcess);
    }
    (void)os_handle_close(ours);
    if (r == -ENOENT || r == -ENOEXEC || r == -EACCES)
        return 127;
    return r < 0 ? r : (int)(code & 0xFFFF);
}
