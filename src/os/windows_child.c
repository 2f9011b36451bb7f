/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Children and signals, which other systems keep in the kernel: who was started and hasn't been
 * reaped, and what was asked of this process by another vortex, a console or the service manager.
 */
#include "os/windows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHILDREN_MAX 256
#define CHILD_SIGNAL 17
#define SIGNALS_MAX  32

struct child {
    int64_t pid; /* 0: free */
    HANDLE process;
    HANDLE wait;
    HANDLE job; /* that it alone is in, with all that comes of it; or NULL */
};

/* What a kernel would have of this process. There is one of each, and Windows' own callbacks have
 * no other way to find them. */
static struct {
    CRITICAL_SECTION guard;
    INIT_ONCE once;
    struct child children[CHILDREN_MAX];
    HANDLE event; /* set while a signal is pending */
    volatile LONG pending;
    HANDLE asked[SIGNALS_MAX];
} kernel = {.once = INIT_ONCE_STATIC_INIT};

static BOOL CALLBACK
make_kernel(INIT_ONCE *once, void *what, void **context)
{
    (void)once;
    (void)what;
    (void)context;
    InitializeCriticalSection(&kernel.guard);
    kernel.event = CreateEventW(NULL, TRUE, FALSE, NULL);
    return kernel.event != NULL;
}

static int
prepare(void)
{
    return InitOnceExecuteOnce(&kernel.once, make_kernel, NULL, NULL) ? 0 : -ENOMEM;
}

/* ---- Signals ------------------------------------------------------------------------------ */

void
windows_raise(int signal)
{
    if (prepare() < 0)
        return;
    (void)InterlockedOr(&kernel.pending, 1L << signal);
    SetEvent(kernel.event);
}

/* The next one that is pending: its number, or 0. */
static int
take_signal(void)
{
    ResetEvent(kernel.event);
    for (int signal = 1; signal < SIGNALS_MAX; signal++) {
        LONG bit = 1L << signal;

        if (InterlockedAnd(&kernel.pending, ~bit) & bit) {
            if (kernel.pending != 0)
                SetEvent(kernel.event);
            return signal;
        }
    }
    return 0;
}

static void CALLBACK
was_asked(void *context, BOOLEAN timed_out)
{
    (void)timed_out;
    windows_raise((int)(intptr_t)context);
}

static BOOL WINAPI
console_said(DWORD event)
{
    /* A service outlives its users' sessions, and hears of a shutdown from its manager. */
    if (windows_is_service() && (event == CTRL_LOGOFF_EVENT || event == CTRL_SHUTDOWN_EVENT))
        return TRUE;
    windows_raise(event == CTRL_C_EVENT ? os_signal_number("INT") : os_signal_number("TERM"));
    /* After a close, a logoff or a shutdown the system ends us as soon as this returns. */
    if (event != CTRL_C_EVENT && event != CTRL_BREAK_EVENT)
        Sleep(INFINITE);
    return TRUE;
}

/* An event for each signal that another vortex may send. */
static int
listen_to(const char *const *names, size_t count)
{
    struct os_identity self;
    const struct os_hold own = {os_self(), (intptr_t)GetCurrentProcess()};
    int r = os_process_identify(&own, &self);

    for (size_t i = 0; r == 0 && i < count; i++) {
        int signal = os_signal_number(names[i]);
        SECURITY_ATTRIBUTES security;
        HANDLE wait;
        WCHAR name[80];

        if (kernel.asked[signal] != NULL)
            continue;
        windows_signal_event(self.pid, self.start, signal, name, sizeof(name) / sizeof(*name));
        r = windows_security_new(WINDOWS_PRIVATE, &security);
        if (r < 0)
            break;
        kernel.asked[signal] = CreateEventW(&security, FALSE, FALSE, name);
        if (kernel.asked[signal] == NULL
            || !RegisterWaitForSingleObject(&wait, kernel.asked[signal], was_asked,
                                            (void *)(intptr_t)signal, INFINITE, WT_EXECUTEDEFAULT))
            r = windows_last_error();
        windows_security_free(&security);
    }
    return r;
}

static int
listen_to_all(void)
{
    static const char *const names[] = {"TERM", "INT", "QUIT", "HUP", "USR1", "USR2", "WINCH"};
    int r = prepare();

    if (r == 0)
        r = listen_to(names, sizeof(names) / sizeof(names[0]));
    if (r == 0 && !SetConsoleCtrlHandler(console_said, TRUE))
        r = windows_last_error();
    return r;
}

int
os_supervisor_prepare(intptr_t *ret_signals)
{
    HANDLE event = NULL;
    int r = listen_to_all();

    if (r == 0)
        r = windows_duplicate(kernel.event, false, &event);
    return r < 0 ? r : windows_end_new(WINDOWS_SIGNALS, event, ret_signals);
}

int
os_signal_next(intptr_t signals)
{
    (void)signals; /* there is one such handle */
    return take_signal();
}

int
os_event_prepare(void)
{
    return listen_to_all();
}

enum os_event
os_event_wait(void)
{
    for (;;) {
        int signal;

        (void)WaitForSingleObject(kernel.event, INFINITE);
        signal = take_signal();
        if (signal == os_signal_number("HUP"))
            return OS_EVENT_RELOAD;
        if (signal == os_signal_number("TERM") || signal == os_signal_number("INT"))
            return OS_EVENT_STOP;
    }
}

/* ---- Children ----------------------------------------------------------------------------- */

static void CALLBACK
child_ended(void *context, BOOLEAN timed_out)
{
    (void)context;
    (void)timed_out;
    windows_raise(CHILD_SIGNAL);
}

int
windows_child_add(int64_t pid, HANDLE process, HANDLE job)
{
    struct child *child = NULL;
    int r = prepare();

    if (r < 0)
        return r;
    EnterCriticalSection(&kernel.guard);
    for (size_t i = 0; i < CHILDREN_MAX && child == NULL; i++)
        if (kernel.children[i].pid == 0)
            child = &kernel.children[i];
    r = child != NULL ? 0 : -EAGAIN;
    if (r == 0) {
        *child = (struct child){pid, process, NULL, job};
        if (!RegisterWaitForSingleObject(&child->wait, process, child_ended, NULL, INFINITE,
                                         WT_EXECUTEONLYONCE)) {
            r = windows_last_error();
            *child = (struct child){0};
        }
    }
    LeaveCriticalSection(&kernel.guard);
    return r;
}

static struct child *
find(int64_t pid)
{
    for (size_t i = 0; i < CHILDREN_MAX; i++)
        if (kernel.children[i].pid == pid)
            return &kernel.children[i];
    return NULL;
}

bool
windows_is_child(int64_t pid)
{
    return pid != 0 && find(pid) != NULL;
}

HANDLE
windows_child_job(int64_t pid)
{
    const struct child *child = pid != 0 ? find(pid) : NULL;

    return child != NULL ? child->job : NULL;
}

/* An unhandled exception is an exit status, as 0xC0000005 is an access violation. */
static void
read_death(struct os_death *death, const struct child *child)
{
    DWORD code = 0;

    *death = (struct os_death){.pid = child->pid};
    if (child->pid < 0) /* a thread */
        (void)GetExitCodeThread(child->process, &code);
    else
        (void)GetExitCodeProcess(child->process, &code);
    death->code = code > INT32_MAX ? -1 : (int)code;
    if (code == WINDOWS_KILLED)
        death->signal = os_signal_number("KILL");
}

int
os_reap(struct os_death *ret_death)
{
    size_t alive = 0;

    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        struct child *child = &kernel.children[i];

        if (child->pid == 0)
            continue;
        alive++;
        if (WaitForSingleObject(child->process, 0) != WAIT_OBJECT_0)
            continue;
        read_death(ret_death, child);
        (void)UnregisterWaitEx(child->wait, NULL);
        CloseHandle(child->process);
        if (child->job != NULL)
            CloseHandle(child->job);
        *child = (struct child){0};
        return 1;
    }
    return alive > 0 ? 0 : -ECHILD;
}

bool
os_is_childless(int64_t spared)
{
    for (size_t i = 0; i < CHILDREN_MAX; i++)
        if (kernel.children[i].pid != 0 && kernel.children[i].pid != spared)
            return false;
    return true;
}

bool
os_is_descendant(const struct os_hold *hold)
{
    return windows_is_child(hold->pid);
}

/* Those below a child are in its job, and end with that. */
int
os_descendants_signal(int signal_number, int64_t spared)
{
    int count = 0;

    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        const struct child *child = &kernel.children[i];

        if (child->pid <= 0 || child->pid == spared || signal_number != os_signal_number("KILL"))
            continue;
        if (child->job != NULL)
            (void)TerminateJobObject(child->job, WINDOWS_KILLED);
        else
            (void)TerminateProcess(child->process, WINDOWS_KILLED);
        count++;
    }
    return count;
}

void
os_hurry(struct os_pace *ret_former)
{
    *ret_former = (struct os_pace){0, (int)GetPriorityClass(GetCurrentProcess())};
    (void)SetPriorityClass(GetCurrentProcess(), HIGH_PRIORITY_CLASS);
}

void
os_hurry_end(const struct os_pace *former)
{
    (void)SetPriorityClass(GetCurrentProcess(), (DWORD)former->priority);
}

/* ---- A helper: a thread ------------------------------------------------------------------- */

#define HANDLES_MAX 8

struct helper {
    os_helper_main *main;
    const void *what;
    size_t count;
    intptr_t handles[HANDLES_MAX];
};

static DWORD WINAPI
be_helper(void *context)
{
    struct helper *helper = context;
    int status = helper->main(helper->what, helper->handles);

    for (size_t i = 0; i < helper->count; i++)
        (void)os_handle_close(helper->handles[i]);
    free(helper);
    return (DWORD)status;
}

int
os_helper_start(os_helper_main *main, const void *what, const intptr_t *handles, size_t count,
                int64_t *ret_pid)
{
    struct helper *helper = count <= HANDLES_MAX ? malloc(sizeof(*helper)) : NULL;
    HANDLE thread;
    DWORD id;
    int r;

    if (helper == NULL)
        return count > HANDLES_MAX ? -EINVAL : -ENOMEM;
    *helper = (struct helper){.main = main, .what = what, .count = count};
    for (size_t i = 0; i < count; i++)
        helper->handles[i] = windows_end_share(handles[i]);
    thread = CreateThread(NULL, 0, be_helper, helper, CREATE_SUSPENDED, &id);
    r = thread != NULL ? windows_child_add(-(int64_t)id, thread, NULL) : windows_last_error();
    if (r == 0) {
        *ret_pid = -(int64_t)id;
        (void)ResumeThread(thread);
        return 0;
    }
    if (thread != NULL)
        CloseHandle(thread); /* it never runs */
    for (size_t i = 0; i < count; i++)
        (void)os_handle_close(helper->handles[i]);
    free(helper);
    return r;
}
