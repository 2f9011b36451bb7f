/* SPDX-License-Identifier: Apache-2.0 */
/* Files and locks as Linux has them: OFD locks, RENAME_EXCHANGE, lock holders in fdinfo. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h> /* RENAME_EXCHANGE, which musl lacks */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "os/os.h"
#include "os/posix.h"

#define CLAIM_BYTE 0 /* "I am changing these files" */
#define LIFE_BYTE  1 /* beside the flock, which can't be asked about */

#define WIDE_PIPE 262144 /* bytes; a megabyte was no faster */

#define CLOEXEC_RANGE (1U << 2) /* CLOSE_RANGE_CLOEXEC, Linux 5.11 */

/* ---- The lock ---------------------------------------------------------------------------- */

static int
byte_lock(const struct os_lock *lock, short type, off_t byte)
{
    struct flock fl = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};

    if (fcntl((int)lock->handle, F_OFD_SETLK, &fl) == 0)
        return 0;
    return errno == EACCES || errno == EAGAIN ? -EWOULDBLOCK : -errno;
}

int
os_lock_claim(struct os_lock *lock)
{
    return byte_lock(lock, F_WRLCK, CLAIM_BYTE);
}

int
os_lock_unclaim(struct os_lock *lock)
{
    return byte_lock(lock, F_UNLCK, CLAIM_BYTE);
}

int
os_lock_take(struct os_lock *lock)
{
    int r = posix_flock(lock->handle);

    /* Nobody takes the byte without the flock: whoever has it is another tool, and no rival. */
    if (r == 0)
        (void)byte_lock(lock, F_WRLCK, LIFE_BYTE);
    return r;
}

/* 1, 0, or -1: it can't be told. */
static int
is_locked(int fd, off_t byte)
{
    struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};

    return fcntl(fd, F_OFD_GETLK, &fl) < 0 ? -1 : fl.l_type != F_UNLCK;
}

enum os_lock_seen
os_lock_ask(const struct os_dir *dir, const char *name)
{
    enum os_lock_seen seen = OS_LOCK_FREE;
    int locked;
    int fd =
        openat((int)dir->handle, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd < 0)
        return errno == ENOENT ? OS_LOCK_MISSING : OS_LOCK_UNKNOWN;
    locked = is_locked(fd, LIFE_BYTE); /* model: ask life */
    if (locked > 0)
        seen = OS_LOCK_HELD;
    else if (locked == 0 && (locked = is_locked(fd, CLAIM_BYTE)) > 0) /* model: ask claim */
        seen = OS_LOCK_CLAIMED;
    if (locked < 0)
        seen = OS_LOCK_UNKNOWN;
    close(fd);
    return seen;
}

/* ---- Who holds it ------------------------------------------------------------------------ */

struct wanted {
    uint64_t inode;
    char device[24]; /* as the kernel prints it, or empty: not to be compared */
};

/* "lock:\t1: FLOCK  ADVISORY  WRITE 12345 fe:00:4711 0 EOF", proc(5). */
static bool
is_lock_line(const char *line, const struct wanted *wanted)
{
    char kind[16], device[24];
    unsigned long long inode;

    if (sscanf(line, "lock: %*d: %15s %*s %*s %*d %23[0-9a-f:]", kind, device) != 2)
        return false;
    if (strcmp(kind, "FLOCK") != 0 || strrchr(device, ':') == NULL)
        return false;
    inode = strtoull(strrchr(device, ':') + 1, NULL, 10);
    return inode == wanted->inode
           && (wanted->device[0] == '\0'
               || strncmp(device, wanted->device, strlen(wanted->device)) == 0);
}

static bool
fdinfo_holds(int dir, const char *name, const struct wanted *wanted)
{
    char text[2048];
    char *save = NULL;
    ssize_t n;
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return false;
    n = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (n <= 0)
        return false;
    text[n] = '\0';
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        if (is_lock_line(line, wanted))
            return true;
    return false;
}

/* A directory stream of PATH whose entries that are numbers come one after the other. */
static const char *
next_number(DIR *stream)
{
    struct dirent *entry;

    while ((entry = readdir(stream)) != NULL)
        if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9')
            return entry->d_name;
    return NULL;
}

static bool
task_holds(const char *task, const struct wanted *wanted)
{
    DIR *stream = opendir(task);
    const char *name;
    bool found = false;

    while (!found && stream != NULL && (name = next_number(stream)) != NULL)
        found = fdinfo_holds(dirfd(stream), name, wanted);
    if (stream != NULL)
        closedir(stream);
    return found;
}

/* By task: a process whose main thread has exited shows no descriptors of its own. */
static bool
process_holds(const char *pid, const struct wanted *wanted)
{
    char path[128];
    DIR *stream;
    const char *task;
    bool found = false;

    snprintf(path, sizeof(path), "/proc/%.20s/task", pid);
    stream = opendir(path);
    while (!found && stream != NULL && (task = next_number(stream)) != NULL) {
        snprintf(path, sizeof(path), "/proc/%.20s/task/%.20s/fdinfo", pid, task);
        found = task_holds(path, wanted);
    }
    if (stream != NULL)
        closedir(stream);
    return found;
}

/* On btrfs and overlay stat() shows another device than the kernel's lock table: leave it out. */
static int
describe_wanted(const struct os_dir *dir, const char *name, struct wanted *ret)
{
    struct statfs fs;
    struct stat st;

    if (fstatat((int)dir->handle, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    *ret = (struct wanted){.inode = (uint64_t)st.st_ino};
    if (fstatfs((int)dir->handle, &fs) == 0 && (uint32_t)fs.f_type != 0x9123683E
        && (uint32_t)fs.f_type != 0x794C7630)
        snprintf(ret->device, sizeof(ret->device), "%02x:%02x:", major(st.st_dev),
                 minor(st.st_dev));
    return 0;
}

int
os_lock_holders(const struct os_dir *dir, const char *name, int64_t *ret_pids, size_t max)
{
    struct wanted wanted;
    const char *pid;
    size_t count = 0;
    DIR *proc;
    int r = describe_wanted(dir, name, &wanted);

    if (r < 0)
        return r == -ENOENT ? 0 : r;
    proc = opendir("/proc");
    if (proc == NULL)
        return -errno;
    while (count < max && (pid = next_number(proc)) != NULL)
        if (process_holds(pid, &wanted))
            ret_pids[count++] = strtoll(pid, NULL, 10);
    closedir(proc);
    return (int)count;
}

/* ---- Files ------------------------------------------------------------------------------- */

static int
rename_as(const struct os_dir *dir, const char *from, const char *to, unsigned flags)
{
    if (syscall(SYS_renameat2, (int)dir->handle, from, (int)dir->handle, to, flags) < 0)
        return -errno;
    return 0;
}

int
os_file_publish(const struct os_dir *dir, const char *temp, const char *name,
                const struct os_file_id *judged)
{
    struct os_file_id own, out;
    int r;

    if (judged == NULL) {
        /* A rename never shows two names for one file, which link() does. */
        r = rename_as(dir, temp, name, RENAME_NOREPLACE); /* model: publish new */
        if (r == -EINVAL)
            return posix_publish(dir, temp, name, NULL);
        return r == -EEXIST ? -EAGAIN : r;
    }
    r = os_file_identify(dir, temp, &own);
    if (r < 0)
        return r;
    r = rename_as(dir, temp, name, RENAME_EXCHANGE); /* model: publish exchange */
    if (r == -EINVAL) /* as on ZFS before 2.2: the file system knows no such flag */
        return posix_publish(dir, temp, name, judged);
    if (r == -ENOENT)
        return -EAGAIN;
    if (r < 0)
        return r;
    r = os_file_identify(dir, temp, &out);
    if (r == 0 && posix_unchanged(&out, judged)) /* model: publish compare */
        return 0;
    /* What comes back may be a third one's, who published over ours: then that belongs there. */
    if (rename_as(dir, temp, name, RENAME_EXCHANGE) == 0 /* model: publish back */
        && os_file_identify(dir, temp, &out) == 0 && !os_same_file(&out, &own))
        (void)rename_as(dir, temp, name, RENAME_EXCHANGE); /* model: publish forth */
    return -EAGAIN;
}

int
os_file_unpublish(const struct os_dir *dir, const char *temp, const char *name,
                  const struct os_file_id *judged)
{
    int r;

    if (judged == NULL)
        return os_file_remove(dir, name);            /* model: unpublish remove */
    r = rename_as(dir, temp, name, RENAME_EXCHANGE); /* model: unpublish exchange */
    if (r == -ENOENT) { /* NAME is gone: only the old one has to come back */
        r = rename_as(dir, temp, name, RENAME_NOREPLACE); /* model: unpublish put */
        if (r == 0)
            return 0;
    }
    if (r == -ENOENT || r == -EINVAL) /* posix_publish kept no old one */
        return os_file_remove(dir, name);
    return r < 0 ? r : os_file_remove(dir, temp);
}

int
os_dir_is_remote(const struct os_dir *dir)
{
    /* NFS, SMB, SMB2, CIFS, AFS, Ceph, 9p, Lustre, OCFS2, GFS2: linux/magic.h and statfs(2) */
    static const uint32_t remote[] = {0x6969,     0x517B,     0xFE534D42, 0xFF534D42, 0x5346414F,
                                      0x00C36400, 0x01021997, 0x0BD00BD0, 0x7461636F, 0x01161970};
    struct statfs fs;

    if (fstatfs((int)dir->handle, &fs) < 0)
        return -errno;
    for (size_t i = 0; i < sizeof(remote) / sizeof(remote[0]); i++)
        if ((uint32_t)fs.f_type == remote[i])
            return 1;
    return 0;
}

/* ---- Descriptors ------------------------------------------------------------------------- */

static void
keep_range_from_exec(unsigned first, unsigned last)
{
    if (first > last || syscall(SYS_close_range, first, last, CLOEXEC_RANGE) == 0)
        return;
    /* Before Linux 5.11, one by one; a limit may have been lowered since, so not up to that. */
    for (unsigned fd = first; fd <= last && fd < 65536; fd++)
        (void)fcntl((int)fd, F_SETFD, FD_CLOEXEC);
}

void
posix_keep_from_exec(int from, intptr_t keep)
{
    if (keep < from) {
        keep_range_from_exec((unsigned)from, UINT_MAX);
        return;
    }
    keep_range_from_exec((unsigned)from, (unsigned)keep - 1);
    keep_range_from_exec((unsigned)keep + 1, UINT_MAX);
}

void
posix_close_range(int first, int last)
{
    if (syscall(SYS_close_range, (unsigned)first, last < 0 ? UINT_MAX : (unsigned)last, 0) == 0)
        return;
    for (int fd = first; fd < 65536 && (last < 0 || fd <= last); fd++) /* before Linux 5.9 */
        (void)close(fd);
}

void
os_pipe_widen(intptr_t handle)
{
    (void)fcntl((int)handle, F_SETPIPE_SZ, WIDE_PIPE);
}
