/* SPDX-License-Identifier: Apache-2.0 */
/* Processes in memory. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fake_machine.h"
#include "fake_os.h"

#define AGE_SLACK_NS (2 * SECOND_NS)
#define SIGNAL_KILL  9
#define SIGNAL_LAST  64

static struct machine *const m = &fake_machine;

/* ---- What tests do to them --------------------------------------------------------------- */

/* Whoever has the number in the current namespace, dead or alive. */
static struct fake_process *
owner_of(int64_t pid)
{
    for (int i = 0; i < PROCESSES_MAX; i++) {
        struct fake_process *process = &m->processes[i];

        if ((process->life == FAKE_ALIVE || process->life == FAKE_ZOMBIE) && process->pid == pid
            && process->pid_namespace == m->pid_namespace)
            return process;
    }
    return NULL;
}

struct fake_process *
fake_spawn(int64_t pid)
{
    uint64_t ticks = (uint64_t)m->monotonic_ms / 10;

    if (owner_of(pid) != NULL)
        fail_msg("pid %lld is taken", (long long)pid);
    for (int i = 0; i < PROCESSES_MAX; i++) {
        struct fake_process *process = &m->processes[i];

        if (process->life != 0)
            continue;
        /* A number comes again much later than a tick; here no time passes, so count. */
        m->last_start = m->last_start < ticks ? ticks : m->last_start + 1;
        *process = (struct fake_process){.life = FAKE_ALIVE,
                                         .pid = pid,
                                         .start = m->last_start,
                                         .pidfd_inode = ++m->last_pidfd_inode,
                                         .pid_namespace = m->pid_namespace,
                                         .born_ns = m->wall_ns,
                                         .session = pid};
        return process;
    }
    fail_msg("too many processes");
    return NULL;
}

void
fake_kill(struct fake_process *process)
{
    if (process->life != FAKE_ALIVE)
        return;
    process->life = FAKE_ZOMBIE;
    fake_close_all(process, false);
}

void
fake_reap(struct fake_process *process)
{
    assert_int_equal(process->life, FAKE_ZOMBIE);
    process->life = FAKE_GONE;
}

struct fake_process *
fake_reuse(int64_t pid)
{
    struct fake_process *owner = owner_of(pid);

    if (owner != NULL) {
        fake_kill(owner);
        fake_reap(owner);
    }
    return fake_spawn(pid);
}

struct fake_process *
fake_process(int64_t pid)
{
    struct fake_process *owner = owner_of(pid);

    return owner != NULL && owner->life == FAKE_ALIVE ? owner : NULL;
}

void
fake_become(int64_t pid)
{
    struct fake_process *process = fake_process(pid);

    if (process == NULL)
        fail_msg("there is no process %lld to become", (long long)pid);
    m->current = process;
}

void
fake_reboot(void)
{
    for (int i = 0; i < PROCESSES_MAX; i++) {
        if (m->processes[i].life == 0)
            continue;
        fake_kill(&m->processes[i]);
        m->processes[i].life = FAKE_GONE;
    }
    memset(m->controls, 0, sizeof(m->controls));
    memset(m->timers, 0, sizeof(m->timers));
    fake_pass_ms(60000);
    m->boots++;
    m->monotonic_ms = 30000;
    m->last_start = 0;
    m->last_pidfd_inode = 0;
    m->clock_stepped = false;
    m->current = fake_spawn(FAKE_SELF);
}

void
fake_boot(char *buf, size_t size)
{
    snprintf(buf, size, "00000000-0000-4000-8000-%012u", m->boots);
}

void
fake_enter_namespace(uint64_t pid_namespace, int64_t pid)
{
    m->pid_namespace = pid_namespace;
    m->current = fake_process(pid);
    if (m->current == NULL)
        m->current = fake_spawn(pid);
}

void
fake_hide_proc(bool hidden)
{
    m->proc_hidden = hidden;
}

/* ---- What os.h does with them ------------------------------------------------------------ */

static struct fake_process *
held(const struct os_hold *hold)
{
    struct fake_process *process = fake_descriptor(hold->handle)->opened->process;

    if (process == NULL)
        fail_msg("not a process's handle");
    return process;
}

static bool
is_shown(const struct fake_process *process)
{
    return !m->proc_hidden && !process->hidden;
}

int64_t
os_self(void)
{
    (void)fake_step(__func__);
    return m->current->pid;
}

int
os_process_hold(int64_t pid, struct os_hold *ret_hold)
{
    int r = fake_step(__func__);
    struct fake_process *process = fake_process(pid);

    if (r < 0)
        return r;
    if (process == NULL || process->thread)
        return -ESRCH;
    *ret_hold = (struct os_hold){pid, fake_open(NULL, process)};
    return 0;
}

void
os_process_release(struct os_hold *hold)
{
    (void)fake_step(__func__);
    if (hold->handle != OS_NONE)
        fake_close(fake_descriptor(hold->handle));
    hold->handle = OS_NONE;
}

static void
write_boot(char *buf, size_t size)
{
    if (m->proc_hidden)
        buf[0] = '\0';
    else
        fake_boot(buf, size);
}

int
os_process_identify(const struct os_hold *hold, struct os_identity *ret_identity)
{
    int r = fake_step(__func__);
    const struct fake_process *process = held(hold);

    if (r < 0)
        return r;
    if (process->life != FAKE_ALIVE)
        return -ESRCH;
    if (m->no_proof) {
        *ret_identity = (struct os_identity){.pid = process->pid};
        write_boot(ret_identity->boot, sizeof(ret_identity->boot));
        return 0;
    }
    *ret_identity = (struct os_identity){.pid = process->pid,
                                         .start = is_shown(process) ? process->start : 0,
                                         .pidfd_inode = process->pidfd_inode,
                                         .pid_namespace = m->proc_hidden ? 0 : m->pid_namespace};
    write_boot(ret_identity->boot, sizeof(ret_identity->boot));
    return 0;
}

static int
boot_differs(const struct os_identity *known)
{
    char boot[sizeof(known->boot)];

    write_boot(boot, sizeof(boot));
    if (boot[0] == '\0' || known->boot[0] == '\0')
        return -ENODATA;
    return strcmp(boot, known->boot) != 0;
}

enum os_comparison
os_process_compare(const struct os_hold *hold, const struct os_identity *known)
{
    int r = fake_step(__func__);
    const struct fake_process *process = held(hold);
    int boot = boot_differs(known);

    if (r < 0)
        return OS_UNKNOWN;
    if (m->no_proof)
        return boot == 1 ? OS_OTHER : OS_SAME;
    if (boot < 0)
        return OS_UNKNOWN;
    if (boot == 1 && (known->pidfd_inode == 0 || process->pidfd_inode != known->pidfd_inode))
        return OS_OTHER;
    if (boot == 0 && known->pidfd_inode != 0 && process->pidfd_inode != 0)
        return known->pidfd_inode == process->pidfd_inode ? OS_SAME : OS_OTHER;
    if (known->start == 0 || !is_shown(process) || process->life == FAKE_GONE)
        return OS_UNKNOWN;
    return process->life == FAKE_ALIVE && process->start == known->start ? OS_SAME : OS_OTHER;
}

bool
os_identity_is_proof(void)
{
    (void)fake_step(__func__);
    return !m->no_proof;
}

int
os_boot_differs(const struct os_identity *known)
{
    return fake_step(__func__) < 0 ? -ENODATA : boot_differs(known);
}

int
os_namespace_differs(const struct os_identity *known)
{
    int r = fake_step(__func__);

    if (m->no_proof)
        return 0;
    if (r < 0 || m->proc_hidden || known->pid_namespace == 0)
        return -ENODATA;
    return known->pid_namespace != m->pid_namespace;
}

int
os_process_is_younger(const struct os_hold *hold, const struct os_dir *dir,
                      const struct os_file *file)
{
    int r = fake_step(__func__);
    const struct fake_process *process = held(hold);

    if (m->no_proof && r == 0)
        return file->written_ns < m->wall_ns - m->monotonic_ms * (SECOND_NS / 1000) - AGE_SLACK_NS;
    if (r < 0 || fake_directory(dir)->remote || m->clock_stepped || !is_shown(process)
        || process->life != FAKE_ALIVE || file->written_ns > m->wall_ns + AGE_SLACK_NS)
        return -ENODATA;
    return process->born_ns > file->written_ns + AGE_SLACK_NS;
}

int
os_process_is_of(const struct os_hold *hold, const struct os_speaker *speaker)
{
    int r = fake_step(__func__);
    const struct fake_process *process = held(hold);

    if (speaker->scope != OS_SPEAKS_FOR_USER)
        return speaker->scope == OS_SPEAKS_FOR_ALL;
    if (r < 0 || !is_shown(process) || m->no_proof)
        return -ENODATA;
    return process->life == FAKE_ALIVE && process->user == speaker->user
           && process->saved_user == speaker->user;
}

int
os_process_signal(const struct os_hold *hold, int signal)
{
    int r = fake_step(__func__);
    struct fake_process *process = held(hold);

    if (r < 0)
        return r;
    if (signal < 0 || signal > SIGNAL_LAST)
        return -EINVAL;
    if (process->life == FAKE_GONE)
        return -ESRCH;
    if (m->current->user != 0 && m->current->user != process->user)
        return -EPERM;
    if (signal == 0 || process->life == FAKE_ZOMBIE)
        return 0;
    if (process->signal_count < FAKE_SIGNALS_MAX)
        process->signals[process->signal_count++] = signal;
    if (!process->stuck && (signal == SIGNAL_KILL || signal == process->dies_of))
        fake_kill(process);
    return 0;
}

int
os_signal_number(const char *name)
{
    if (strcmp(name, "KILL") == 0)
        return SIGNAL_KILL;
    return strcmp(name, "TERM") == 0 ? 15 : -EINVAL;
}

static bool
is_dead(const void *process)
{
    return ((const struct fake_process *)process)->life != FAKE_ALIVE;
}

int
os_process_wait(const struct os_hold *hold, int timeout_ms)
{
    int r = fake_step(__func__);
    const struct fake_process *process = held(hold);

    if (r < 0)
        return r;
    if (!is_dead(process) && timeout_ms != 0)
        fake_wait_until(timeout_ms < 0 ? INT64_MAX : m->monotonic_ms + timeout_ms, is_dead,
                        process);
    return is_dead(process) ? 0 : -ETIMEDOUT;
}

int
os_process_belongs(const struct os_hold *hold, int64_t session, const char *cgroup)
{
    int r = fake_step(__func__);
    const struct fake_process *process = held(hold);
    bool same_session = session > 1 && process->session == session;
    bool same_group = cgroup[0] != '\0' && strcmp(cgroup, process->cgroup) == 0;

    return r == 0 && process->life == FAKE_ALIVE && is_shown(process)
           && (same_session || same_group);
}

int64_t
os_process_age_ms(const struct os_hold *hold)
{
    int r = fake_step(__func__);
    const struct fake_process *process = held(hold);

    if (r < 0 || !is_shown(process) || process->life != FAKE_ALIVE)
        return -1;
    return (m->wall_ns - process->born_ns) / (SECOND_NS / 1000);
}

void
os_process_describe(const struct os_hold *hold, struct os_process_facts *ret_facts)
{
    int r = fake_step(__func__);
    const struct fake_process *process = held(hold);

    *ret_facts = (struct os_process_facts){.memory_bytes = -1};
    if (r < 0 || !is_shown(process) || process->life != FAKE_ALIVE)
        return;
    snprintf(ret_facts->cgroup, sizeof(ret_facts->cgroup), "%s", process->cgroup);
    snprintf(ret_facts->owner, sizeof(ret_facts->owner), "%u", (unsigned)process->user);
}
