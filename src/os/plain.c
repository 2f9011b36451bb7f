/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instead of linux.c and linux_lock.c (-Dos=posix): what POSIX alone can say. What is lost:
 *
 *   a reused pid is told from its predecessor only across boots, by the time of the file;
 *   between finding a process alive and signalling it, its pid may be reused;
 *   waiting for a death asks again and again, every 10 ms;
 *   there is no claim byte: `restart` may lose its place to another start;
 *   status can't ask about the lock, lock holders can't be named, network file systems aren't seen;
 *   a dead process that its parent has not reaped yet counts as alive;
 *   a pidfile changed by a foreign tool in the very moment of a start is overwritten.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utmpx.h>

#include "os/os.h"
#include "os/posix.h"

#define POLL_MS 10
#define NS      1000000000LL

/* ---- Processes --------------------------------------------------------------------------- */

/* The time of the last boot in seconds, or 0 where the system keeps no such record. */
static int64_t
boot_seconds(void)
{
    const struct utmpx *record = NULL;
    struct utmpx wanted = {.ut_type = BOOT_TIME};
    int64_t seconds = 0;

    setutxent();
    record = getutxid(&wanted);
    if (record != NULL)
        seconds = (int64_t)record->ut_tv.tv_sec;
    endutxent();
    return seconds;
}

static int
exists(int64_t pid)
{
    if (kill((pid_t)pid, 0) == 0 || errno == EPERM)
        return 0;
    return -errno;
}

int
os_process_hold(int64_t pid, struct os_hold *ret_hold)
{
    if (pid < 1 || pid > INT_MAX || exists(pid) < 0)
        return -ESRCH;
    *ret_hold = (struct os_hold){pid, 0};
    return 0;
}

void
os_process_release(struct os_hold *hold)
{
    hold->handle = OS_NONE;
}

int
os_process_identify(const struct os_hold *hold, struct os_identity *ret_identity)
{
    *ret_identity = (struct os_identity){.pid = hold->pid};
    if (boot_seconds() > 0)
        snprintf(ret_identity->boot, sizeof(ret_identity->boot), "time:%lld",
                 (long long)boot_seconds());
    return 0;
}

enum os_comparison
os_process_compare(const struct os_hold *hold, const struct os_identity *known)
{
    (void)hold; /* it was alive when it was held: there is nothing else to compare */
    return os_boot_differs(known) == 1 ? OS_OTHER : OS_SAME;
}

bool
os_identity_is_proof(void)
{
    return false;
}

int
os_boot_differs(const struct os_identity *known)
{
    struct os_identity now;

    (void)os_process_identify(&(struct os_hold){os_self(), 0}, &now);
    if (now.boot[0] == '\0' || known->boot[0] == '\0')
        return -ENODATA;
    return strcmp(now.boot, known->boot) != 0;
}

int
os_namespace_differs(const struct os_identity *known)
{
    (void)known;
    return 0;
}

/* No process is older than the boot: a file from before that names nobody who lives. */
int
os_process_is_younger(const struct os_hold *hold, const struct os_dir *dir,
                      const struct os_file *file)
{
    (void)hold;
    (void)dir;
    return file->written_ns < (boot_seconds() - 2) * NS;
}

int
os_process_is_of(const struct os_hold *hold, const struct os_speaker *speaker)
{
    (void)hold;
    /* POSIX doesn't tell whose a process is. */
    return speaker->scope == OS_SPEAKS_FOR_USER ? -ENODATA : speaker->scope == OS_SPEAKS_FOR_ALL;
}

int
os_process_signal(const struct os_hold *hold, int signal_number)
{
    return kill((pid_t)hold->pid, signal_number) < 0 ? -errno : 0;
}

int
os_process_wait(const struct os_hold *hold, int timeout_ms)
{
    int64_t end = os_monotonic_ms() + timeout_ms;

    while (exists(hold->pid) == 0) {
        if (timeout_ms >= 0 && os_monotonic_ms() >= end)
            return -ETIMEDOUT;
        os_sleep_ms(POLL_MS);
    }
    return 0;
}

int
os_process_belongs(const struct os_hold *hold, int64_t session, const char *cgroup)
{
    (void)cgroup;
    return session > 1 && getsid((pid_t)hold->pid) == (pid_t)session;
}

int64_t
os_process_age_ms(const struct os_hold *hold)
{
    (void)hold;
    return -1;
}

void
os_process_describe(const struct os_hold *hold, struct os_process_facts *facts)
{
    (void)hold;
    *facts = (struct os_process_facts){.memory_bytes = -1};
}

void
os_self_describe(struct os_process_facts *facts)
{
    *facts = (struct os_process_facts){.memory_bytes = -1};
}

bool
os_process_runs(int64_t pid)
{
    (void)pid;
    return false;
}

/* ---- What a server is launched with ------------------------------------------------------ */

/* Those that POSIX has. */
int
posix_limit_number(enum os_limit_kind kind)
{
    switch (kind) {
    case OS_LIMIT_CPU:
        return RLIMIT_CPU;
    case OS_LIMIT_FSIZE:
        return RLIMIT_FSIZE;
    case OS_LIMIT_DATA:
        return RLIMIT_DATA;
    case OS_LIMIT_STACK:
        return RLIMIT_STACK;
    case OS_LIMIT_CORE:
        return RLIMIT_CORE;
    case OS_LIMIT_NOFILE:
        return RLIMIT_NOFILE;
    case OS_LIMIT_AS:
        return RLIMIT_AS;
    default:
        return -1;
    }
}

bool
os_launch_can(enum os_stage stage)
{
    if (stage >= OS_STAGE_LIMIT && stage < OS_STAGE_LIMIT + OS_LIMIT_KINDS) {
        int number = posix_limit_number((enum os_limit_kind)(stage - OS_STAGE_LIMIT));

        return number >= 0;
    }
    return stage != OS_STAGE_OOM && stage != OS_STAGE_IO && stage != OS_STAGE_CPUS
           && stage != OS_STAGE_NO_NEW_PRIVILEGES;
}

int
posix_set_oom(int adjust)
{
    (void)adjust;
    return -ENOTSUP;
}

int
posix_set_io(enum os_io_class class, int priority)
{
    (void)class;
    (void)priority;
    return -ENOTSUP;
}

int
posix_set_cpus(const struct os_cpus *cpus)
{
    (void)cpus;
    return -ENOTSUP;
}

int
posix_no_new_privileges(void)
{
    return -ENOTSUP;
}

/* ---- Locks and files --------------------------------------------------------------------- */

/* Without OFD locks the flock alone keeps two claims apart. */
int
os_lock_claim(struct os_lock *lock)
{
    (void)lock;
    return 0;
}

int
os_lock_unclaim(struct os_lock *lock)
{
    (void)lock;
    return 0;
}

int
os_lock_take(struct os_lock *lock)
{
    return posix_flock(lock->handle);
}

enum os_lock_seen
os_lock_ask(const struct os_dir *dir, const char *name)
{
    struct os_file_id id;

    return os_file_identify(dir, name, &id) == -ENOENT ? OS_LOCK_MISSING : OS_LOCK_UNKNOWN;
}

int
os_lock_holders(const struct os_dir *dir, const char *name, int64_t *ret_pids, size_t max)
{
    (void)dir;
    (void)name;
    (void)ret_pids;
    (void)max;
    return -ENOTSUP;
}

int
os_file_publish(const struct os_dir *dir, const char *temp, const char *name,
                const struct os_file_id *judged)
{
    return posix_publish(dir, temp, name, judged);
}

int
os_file_unpublish(const struct os_dir *dir, const char *temp, const char *name,
                  const struct os_file_id *judged)
{
    (void)temp;
    (void)judged; /* what was replaced by a rename is gone */
    return os_file_remove(dir, name);
}

int
os_dir_is_remote(const struct os_dir *dir)
{
    (void)dir;
    return 0;
}

void
posix_reset_signals(void)
{
    sigset_t none;

    for (int s = 1; s < NSIG; s++)
        if (s != SIGKILL && s != SIGSTOP)
            (void)signal(s, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

void
posix_keep_from_exec(int from, intptr_t keep)
{
    long max = sysconf(_SC_OPEN_MAX);

    for (int fd = from; fd < (max > 0 && max < 65536 ? (int)max : 65536); fd++)
        if (fd != (int)keep)
            (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

void
posix_close_range(int first, int last)
{
    long max = sysconf(_SC_OPEN_MAX);
    int end = max > 0 && max < 65536 ? (int)max : 65536;

    for (int fd = first; fd < end && (last < 0 || fd <= last); fd++)
        (void)close(fd);
}

void
os_pipe_widen(intptr_t handle)
{
    (void)handle;
}
