/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tracer by ptrace(2): it follows the command and all that it forks, numbers the processes and
 * the calls of each from its main() on, and does to one of them what the point says. Who executes another program, or
 * calls pause(), has become a server and is let go.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crash.h"

#define CALL_STOP (SIGTRAP | 0x80) /* PTRACE_O_TRACESYSGOOD */
#define OPTIONS                                                                                    \
    (PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE        \
     | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)

/* ---- Who --------------------------------------------------------------------------------- */

static struct tracee *
find(struct tracer *t, pid_t pid)
{
    for (int i = 0; i < t->count; i++)
        if (t->tracees[i].pid == pid)
            return &t->tracees[i];
    return NULL;
}

static struct tracee *
add(struct tracer *t, pid_t pid)
{
    if (t->count == TRACEES_MAX)
        fail("the command has more than %d processes", TRACEES_MAX);
    t->tracees[t->count] = (struct tracee){.pid = pid, .process = ++t->processes};
    return &t->tracees[t->count++];
}

static void
drop(struct tracer *t, struct tracee *one)
{
    if (t->held == one->pid)
        t->held = 0;
    *one = t->tracees[--t->count];
}

static void
go_on(pid_t pid, int signal)
{
    if (ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(intptr_t)signal) < 0 && errno != ESRCH)
        fail("PTRACE_SYSCALL: %s", strerror(errno));
}

/* It has become a server. */
static void
let_go(struct tracer *t, struct tracee *one)
{
    if (one->pid == t->root)
        t->root_ended = t->root_became = true;
    if (ptrace(PTRACE_DETACH, one->pid, NULL, NULL) < 0 && errno != ESRCH)
        fail("PTRACE_DETACH: %s", strerror(errno));
    drop(t, one);
}

/* ---- The disturbance --------------------------------------------------------------------- */

static bool
is_point(const struct tracer *t, const struct tracee *one, enum mode mode)
{
    return t->point.mode == mode && t->point.process == one->process && t->point.call == one->calls;
}

static void
get_registers(pid_t pid, struct user_regs_struct *ret)
{
    if (ptrace(PTRACE_GETREGS, pid, NULL, ret) < 0 && errno != ESRCH)
        fail("PTRACE_GETREGS: %s", strerror(errno));
}

static void
set_registers(pid_t pid, const struct user_regs_struct *registers)
{
    if (ptrace(PTRACE_SETREGS, pid, NULL, registers) < 0 && errno != ESRCH)
        fail("PTRACE_SETREGS: %s", strerror(errno));
}

static void
record(struct tracer *t, const struct tracee *one, uint64_t number, const struct call_kind *kind)
{
    if (t->seen == NULL)
        return;
    if (t->seen_count == CALLS_MAX)
        fail("more than %d calls", CALLS_MAX);
    t->seen[t->seen_count++] = (struct seen){one->process, one->calls, kind, number};
}

static bool
waits_for_event(uint64_t number)
{
    return number == SYS_ppoll || number == SYS_poll;
}

/* Another run may have another call there, which has no such error. */
static bool
may_fail(const struct call_kind *kind, int error)
{
    for (size_t i = 0; kind != NULL && i < sizeof(kind->errors) / sizeof(kind->errors[0]); i++)
        if (kind->errors[i] == error)
            return true;
    return false;
}

/* False: it is not to go on. */
static bool
enter_call(struct tracer *t, struct tracee *one, const struct __ptrace_syscall_info *info)
{
    uint64_t arguments[6];
    const struct call_kind *kind;

    for (int i = 0; i < 6; i++)
        arguments[i] = info->entry.args[i];
    kind = call_find(one->pid, info->entry.nr, arguments);
    one->inside = true;
    if (!t->counts) { /* the loader's last call: it unmaps the cache of libraries */
        t->counts = info->entry.nr == SYS_munmap;
        return true;
    }
    one->waits = waits_for_event(info->entry.nr);
    one->calls++;
    record(t, one, info->entry.nr, kind);
    if (info->entry.nr == SYS_pause) {
        let_go(t, one);
        return false;
    }
    if (is_point(t, one, MODE_BEFORE)) {
        t->reached = true;
        one->waits = false; /* whatever that call is, it dies */
        kill(one->pid, SIGKILL);
        return false;
    }
    if (is_point(t, one, MODE_HOLD)) {
        t->reached = true;
        t->held = one->pid;
        return false;
    }
    if (is_point(t, one, MODE_ERROR) && may_fail(kind, t->point.error)) {
        struct user_regs_struct registers = {0};

        t->reached = one->fails = true;
        get_registers(one->pid, &registers);
        if (kind == NULL || !kind->is_made) {
            registers.orig_rax = (unsigned long long)-1; /* no such call: nothing is done */
            set_registers(one->pid, &registers);
        }
    }
    return true;
}

static bool
leave_call(struct tracer *t, struct tracee *one)
{
    if (!one->inside)
        return true; /* of the exec with which all began */
    one->inside = false;
    if (one->fails) {
        struct user_regs_struct registers = {0};

        one->fails = false;
        get_registers(one->pid, &registers);
        registers.rax = (unsigned long long)-t->point.error;
        set_registers(one->pid, &registers);
    }
    if (is_point(t, one, MODE_AFTER)) {
        t->reached = true;
        kill(one->pid, SIGKILL);
        return false;
    }
    return true;
}

static void
take_call(struct tracer *t, struct tracee *one)
{
    struct __ptrace_syscall_info info;
    pid_t pid = one->pid;
    bool goes_on;

    if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(info), &info) < 0) {
        if (errno != ESRCH)
            fail("PTRACE_GET_SYSCALL_INFO: %s", strerror(errno));
        return;
    }
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
        goes_on = enter_call(t, one, &info);
    else
        goes_on = leave_call(t, one);
    if (goes_on)
        go_on(pid, 0);
}

/* ---- What it is told --------------------------------------------------------------------- */

static void
take_exec(struct tracer *t, struct tracee *one)
{
    if (one->pid == t->root && !t->begun) {
        t->begun = true;
        go_on(one->pid, 0);
    } else if (leave_call(t, one)) {
        let_go(t, one);
    }
}

/* Has it ended, a moment ago? */
static bool
has_ended(const struct tracer *t, pid_t pid)
{
    for (int i = 0; i < TRACEES_MAX; i++)
        if (t->ended[i] == pid)
            return true;
    return false;
}

/* The child may have been heard of before its parent's word, and may be dead by now. */
static void
take_fork(struct tracer *t, pid_t parent)
{
    unsigned long child = 0;

    if (ptrace(PTRACE_GETEVENTMSG, parent, NULL, &child) == 0 && find(t, (pid_t)child) == NULL
        && !has_ended(t, (pid_t)child))
        (void)add(t, (pid_t)child);
    go_on(parent, 0);
}

static bool
is_stop_signal(int number)
{
    return number == SIGSTOP || number == SIGTSTP || number == SIGTTIN || number == SIGTTOU;
}

static void
take_stop(struct tracer *t, struct tracee *one, int status)
{
    int number = WSTOPSIG(status);

    switch (status >> 16) {
    case PTRACE_EVENT_EXEC:
        take_exec(t, one);
        break;
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
    case PTRACE_EVENT_CLONE:
        take_fork(t, one->pid);
        break;
    case PTRACE_EVENT_STOP:
        if (!is_stop_signal(number))
            go_on(one->pid, 0);
        else if (ptrace(PTRACE_LISTEN, one->pid, NULL, NULL) < 0 && errno != ESRCH)
            fail("PTRACE_LISTEN: %s", strerror(errno));
        break;
    default:
        if (number == CALL_STOP)
            take_call(t, one);
        else
            go_on(one->pid, number);
        break;
    }
}

bool
tracer_take(struct tracer *t, pid_t pid, int status)
{
    struct tracee *one = find(t, pid);

    if (WIFSTOPPED(status)) {
        take_stop(t, one != NULL ? one : add(t, pid), status);
        return true;
    }
    if (pid == t->root && !t->root_ended) {
        t->root_ended = true;
        t->root_status = status;
    }
    if (one == NULL)
        return false;
    t->ended[t->ended_count++ % TRACEES_MAX] = pid;
    drop(t, one);
    return true;
}

void
tracer_begin(struct tracer *t, const char *const *argv, const char *output)
{
    int go[2];
    char byte = 0;

    if (pipe(go) < 0)
        fail("pipe: %s", strerror(errno));
    t->root = fork();
    if (t->root == 0) {
        close(go[1]);
        if (read(go[0], &byte, 1) != 1)
            _exit(126);
        close(go[0]);
        world_exec(argv, output);
    }
    close(go[0]);
    if (t->root < 0 || ptrace(PTRACE_SEIZE, t->root, NULL, (void *)OPTIONS) < 0)
        fail("PTRACE_SEIZE: %s", strerror(errno));
    (void)add(t, t->root);
    if (write(go[1], &byte, 1) != 1)
        fail("the command is gone");
    close(go[1]);
}

void
tracer_release(struct tracer *t)
{
    pid_t pid = t->held;

    t->held = 0;
    if (pid != 0)
        go_on(pid, 0);
}

bool
tracer_has(const struct tracer *t, pid_t pid)
{
    for (int i = 0; i < t->count; i++)
        if (t->tracees[i].pid == pid)
            return true;
    return false;
}

bool
tracer_is_quiet(const struct tracer *t)
{
    for (int i = 0; i < t->count; i++)
        if (!t->tracees[i].inside || !t->tracees[i].waits)
            return false;
    return true;
}
