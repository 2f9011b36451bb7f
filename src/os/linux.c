/* SPDX-License-Identifier: Apache-2.0 */
/* Processes on Linux (5.3 and later): pidfd pins them, /proc and pidfs tell them apart. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "os/linux.h"
#include "os/os.h"
#include "os/posix.h"

#define PIDFS_MAGIC   0x50494446
#define TMPFS_MAGIC   0x01021994
#define INITIAL_PIDNS 0xEFFFFFFCu /* the kernel's PROC_PID_INIT_INO */
#define INITIAL_TIME  0xEFFFFFFAu /* and PROC_TIME_INIT_INO */
#define NS            1000000000LL
#define AGE_SLACK     (2 * NS)
#define BOOT_SLACK    (300 * NS) /* a kernel mounts its own file systems long before that */

#define GET_PID_NAMESPACE  _IO(0xFF, 5) /* PIDFD_GET_PID_NAMESPACE, Linux 6.11 */
#define GET_TIME_NAMESPACE _IO(0xFF, 7)

/* ---- /proc ------------------------------------------------------------------------------- */

static int
read_proc(const char *path, char *buf, size_t size)
{
    ssize_t n;
    int r = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    n = read(fd, buf, size - 1);
    if (n < 0)
        r = -errno;
    else
        buf[n] = '\0';
    close(fd);
    return r;
}

int
linux_read_proc_of(int64_t pid, const char *what, char *buf, size_t size)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%lld/%s", (long long)pid, what);
    return read_proc(path, buf, size);
}

int
linux_stat_field(int64_t pid, int n, uint64_t *ret)
{
    char buf[1024];
    char *p;
    int r = linux_read_proc_of(pid, "stat", buf, sizeof(buf));

    if (r < 0)
        return r;
    p = strrchr(buf, ')'); /* the name may hold anything else */
    for (int i = 2; p != NULL && i < n; i++)
        p = strchr(p + 1, ' ');
    if (p == NULL)
        return -ENODATA;
    *ret = strtoull(p + 1, NULL, 10);
    return 0;
}

/* This process's own, by its pidfd: at half the price of /proc. 0: this kernel can't. */
static uint64_t
namespace_by(const struct os_hold *self, unsigned long which)
{
    struct stat st;
    uint64_t inode = 0;
    int fd = self->pid == os_self() ? ioctl((int)self->handle, which, 0) : -1;

    if (fd < 0)
        return 0;
    if (fstat(fd, &st) == 0)
        inode = (uint64_t)st.st_ino;
    close(fd);
    return inode;
}

/* In a time namespace of its own, a reader sees start times shifted: undo it. */
static int
shift_of_start(int64_t *ret_ticks)
{
    long hz = sysconf(_SC_CLK_TCK);
    long long seconds = 0, nanoseconds = 0;
    char buf[256];
    char *p;
    int r = read_proc("/proc/self/timens_offsets", buf, sizeof(buf));

    *ret_ticks = 0;
    if (r < 0)
        return os_error_will_pass(r) ? r : 0; /* before Linux 5.6 there are no time namespaces */
    p = strstr(buf, "boottime");
    if (p == NULL || sscanf(p, "boottime %lld %lld", &seconds, &nanoseconds) != 2)
        return 0;
    if (nanoseconds % (NS / hz) != 0)
        return -ENODATA; /* not a whole tick: the rounding can't be undone */
    *ret_ticks = seconds * hz + nanoseconds / (NS / hz);
    return 0;
}

static int
start_of(const struct os_hold *hold, uint64_t *ret_start)
{
    uint64_t seen;
    int64_t shift = 0;
    int r = linux_stat_field(hold->pid, LINUX_STAT_START, &seen);

    if (r == 0 && namespace_by(hold, GET_TIME_NAMESPACE) != INITIAL_TIME)
        r = shift_of_start(&shift);
    if (r == 0)
        *ret_start = (uint64_t)((int64_t)seen - shift);
    return r;
}

static uint64_t
own_namespace(void)
{
    struct stat st;

    return stat("/proc/self/ns/pid", &st) == 0 ? (uint64_t)st.st_ino : 0;
}

/* Empty where it isn't known. */
static int
read_boot(char *buf, size_t size)
{
    int r = read_proc("/proc/sys/kernel/random/boot_id", buf, size);

    if (r < 0)
        buf[0] = '\0';
    buf[strcspn(buf, "\n")] = '\0';
    return r;
}

/* ---- Pinned processes -------------------------------------------------------------------- */

int
os_process_hold(int64_t pid, struct os_hold *ret_hold)
{
    struct pollfd p = {.events = POLLIN};

    if (pid < 1 || pid > INT32_MAX)
        return -ESRCH;
    p.fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
    if (p.fd < 0) /* EINVAL, ENOENT: the number is a thread's, so no process has it */
        return errno == EINVAL || errno == ENOENT ? -ESRCH
               : errno == EPERM                   ? -ENOSYS /* an older container's seccomp */
                                                  : -errno;
    if (poll(&p, 1, 0) > 0) { /* dead, only not reaped yet */
        close(p.fd);
        return -ESRCH;
    }
    *ret_hold = (struct os_hold){pid, p.fd};
    return 0;
}

void
os_process_release(struct os_hold *hold)
{
    hold->handle = posix_closed(hold->handle);
}

/* pidfs (Linux 6.9 and later) gives each process an inode number that no other has in a boot; 0: none. */
static int
pidfd_inode(const struct os_hold *hold, uint64_t *ret_inode)
{
    int pidfd = (int)hold->handle;
    struct statfs fs;
    struct stat st;

    *ret_inode = 0;
    if (fstatfs(pidfd, &fs) < 0 || (fs.f_type == PIDFS_MAGIC && fstat(pidfd, &st) < 0))
        return -errno;
    if (fs.f_type == PIDFS_MAGIC)
        *ret_inode = (uint64_t)st.st_ino;
    return 0;
}

int
os_process_identify(const struct os_hold *hold, struct os_identity *ret_identity)
{
    struct os_identity id = {.pid = hold->pid};
    int r = start_of(hold, &id.start);

    if (r < 0 && os_error_will_pass(r))
        return r;
    r = pidfd_inode(hold, &id.pidfd_inode);
    if (r < 0 && os_error_will_pass(r))
        return r;
    id.pid_namespace = namespace_by(hold, GET_PID_NAMESPACE);
    if (id.pid_namespace == 0)
        id.pid_namespace = own_namespace();
    r = read_boot(id.boot, sizeof(id.boot));
    if (r < 0 && os_error_will_pass(r))
        return r;
    /* What was read by number is the held one's only if that still lives. */
    if (os_process_wait(hold, 0) == 0)
        return -ESRCH;
    *ret_identity = id;
    return 0;
}

enum os_comparison
os_process_compare(const struct os_hold *hold, const struct os_identity *known)
{
    uint64_t start = 0, inode = 0;
    int boot = os_boot_differs(known);

    /* A start time alone, to a tick, may be another process's too. */
    if (boot >= 0 && known->pidfd_inode != 0 && pidfd_inode(hold, &inode) < 0)
        return OS_UNKNOWN;
    if (inode != 0 && inode != known->pidfd_inode)
        return OS_OTHER;
    if (boot == 0 && inode != 0)
        return OS_SAME;
    if (boot == 1 && inode == 0)
        return OS_OTHER;
    if (boot < 0 || known->start == 0 || start_of(hold, &start) < 0)
        return OS_UNKNOWN;
    if (os_process_wait(hold, 0) == 0)
        return OS_OTHER;
    return start == known->start ? OS_SAME : OS_OTHER;
}

bool
os_identity_is_proof(void)
{
    return true;
}

int
os_boot_differs(const struct os_identity *known)
{
    char boot[sizeof(known->boot)];
    int r = read_boot(boot, sizeof(boot));

    if (os_error_will_pass(r))
        return r;
    if (boot[0] == '\0' || known->boot[0] == '\0')
        return -ENODATA;
    return strcmp(boot, known->boot) != 0;
}

int
os_namespace_differs(const struct os_identity *known)
{
    uint64_t own = own_namespace();

    if (own == 0 || known->pid_namespace == 0)
        return -ENODATA;
    return own != known->pid_namespace;
}

int
os_process_signal(const struct os_hold *hold, int signal_number)
{
    if (syscall(SYS_pidfd_send_signal, (int)hold->handle, signal_number, NULL, 0) < 0)
        return -errno;
    return 0;
}

int
os_process_wait(const struct os_hold *hold, int timeout_ms)
{
    struct pollfd p = {.fd = (int)hold->handle, .events = POLLIN};
    int n = poll(&p, 1, timeout_ms < 0 ? -1 : timeout_ms);

    if (n < 0)
        return -errno;
    return n == 0 ? -ETIMEDOUT : 0;
}

/* ---- Whose, and how old ------------------------------------------------------------------ */

int
linux_uids_of(const struct os_hold *hold, uint32_t *ret_real, uint32_t *ret_saved)
{
    char buf[2048];
    unsigned real, effective, saved;
    const char *line;
    int r = linux_read_proc_of(hold->pid, "status", buf, sizeof(buf));

    if (r < 0)
        return -ENODATA;
    line = strstr(buf, "\nUid:"); /* the name, further up, is escaped: it holds no newline */
    if (line == NULL || sscanf(line, "\nUid: %u %u %u", &real, &effective, &saved) != 3)
        return -ENODATA;
    if (os_process_wait(hold, 0) == 0)
        return -ESRCH;
    *ret_real = real;
    *ret_saved = saved;
    return 0;
}

int
os_process_is_of(const struct os_hold *hold, const struct os_speaker *speaker)
{
    uint32_t real, saved;
    int r;

    if (speaker->scope != OS_SPEAKS_FOR_USER)
        return speaker->scope == OS_SPEAKS_FOR_ALL;
    r = linux_uids_of(hold, &real, &saved);
    if (r < 0)
        return r == -ESRCH ? 0 : r;
    return real == speaker->user && saved == speaker->user;
}

int64_t
linux_clock_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return now.tv_sec * NS + now.tv_nsec;
}

/*
 * Is the wall clock, reckoned back to the boot, good for the moment when the file was written?
 * What the kernel made at boot (and a tmpfs, which can't be older) is the witness: where it seems
 * older than the boot, the clock was put forward by at least that much since; and a file that is
 * too young to have been written before that step is judged by today's clock.
 */
static bool
clock_holds(const struct os_dir *dir, int64_t written, int64_t boot, int64_t uptime)
{
    static const char *const witnesses[] = {"/dev", "/sys", "/proc"};
    struct statfs fs;
    int64_t made = linux_made_ns(AT_FDCWD, "/sys");
    bool tmpfs = fstatfs((int)dir->handle, &fs) == 0 && fs.f_type == TMPFS_MAGIC;
    int64_t oldest = tmpfs ? linux_made_ns((int)dir->handle, "") : 0;

    if (written > boot + uptime + AGE_SLACK)
        return false; /* written in the future: the clock was put back */
    if (own_namespace() == INITIAL_PIDNS && made > boot + BOOT_SLACK)
        return false; /* put back since the boot; in a container /sys may well be younger */
    for (size_t i = 0; i < sizeof(witnesses) / sizeof(witnesses[0]); i++) {
        made = linux_made_ns(AT_FDCWD, witnesses[i]);
        if (made != 0 && (oldest == 0 || made < oldest))
            oldest = made;
    }
    if (oldest == 0 || oldest >= boot - AGE_SLACK)
        return true;
    return written > oldest + uptime + AGE_SLACK;
}

int
os_process_is_younger(const struct os_hold *hold, const struct os_dir *dir,
                      const struct os_file *file)
{
    int64_t uptime = linux_clock_ns(CLOCK_BOOTTIME);
    int64_t boot = linux_clock_ns(CLOCK_REALTIME) - uptime;
    uint64_t ticks;
    int64_t born;

    if (os_dir_is_remote(dir) != 0 || !clock_holds(dir, file->written_ns, boot, uptime))
        return -ENODATA;
    /* Both sides as this reader's time namespace shows them. */
    if (linux_stat_field(hold->pid, LINUX_STAT_START, &ticks) < 0)
        return -ENODATA;
    if (os_process_wait(hold, 0) == 0)
        return -ENODATA;
    born = boot + (int64_t)(ticks * (uint64_t)(NS / sysconf(_SC_CLK_TCK)));
    return born > file->written_ns + AGE_SLACK;
}
