/* SPDX-License-Identifier: Apache-2.0 */
/* What all Unixes share: files, flock, time. Directories and trust are in posix_dir.c. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "os/os.h"
#include "os/posix.h"

#define ADOPT_FD_MAX 1024
#define PASS_ON_FD   200 /* out of the way of servers that count from 3 */

intptr_t
posix_closed(intptr_t handle)
{
    if (handle != OS_NONE)
        close((int)handle);
    return OS_NONE;
}

/* ---- Files ------------------------------------------------------------------------------- */

static int64_t
written_ns(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

struct os_file_id
posix_id_of(const struct stat *st)
{
    return (struct os_file_id){(uint64_t)st->st_dev, (uint64_t)st->st_ino, written_ns(st)};
}

bool
posix_unchanged(const struct os_file_id *a, const struct os_file_id *b)
{
    return os_same_file(a, b) && a->written_ns == b->written_ns;
}

/* A file that something may depend on: regular, one name. */
static int
judge_kind(const struct stat *st)
{
    if (S_ISDIR(st->st_mode))
        return -EISDIR;
    if (!S_ISREG(st->st_mode))
        return -EMEDIUMTYPE;
    return st->st_nlink > 1 ? -EMLINK : 0;
}

static int
read_all(int fd, char *buf, size_t size, size_t *ret_length)
{
    size_t length = 0;

    while (length < size) {
        ssize_t n = read(fd, buf + length, size - length);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        length += (size_t)n;
    }
    *ret_length = length;
    return 0;
}

static int
read_once(const struct os_dir *dir, const char *name, char *buf, size_t size, size_t *ret_length,
          struct os_file *ret_file)
{
    struct stat st;
    int r;
    int fd =
        openat((int)dir->handle, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd < 0) /* a socket answers ENXIO */
        return errno == ENXIO ? -EMEDIUMTYPE : -errno;
    r = fstat(fd, &st) < 0 ? -errno : judge_kind(&st);
    if (r == 0)
        r = read_all(fd, buf, size, ret_length);
    close(fd);
    if (r < 0)
        return r;
    ret_file->id = posix_id_of(&st);
    ret_file->speaker = dir->speaker;
    posix_note_speaker(&ret_file->speaker, &st);
    ret_file->written_ns = written_ns(&st);
    return 0;
}

int
os_file_read(const struct os_dir *dir, const char *name, char *buf, size_t size, size_t *ret_length,
             struct os_file *ret_file)
{
    int r = -EMLINK;

    /* Where a new file can only be published by link(), it has two names for a moment. */
    for (int i = 0; i < 20 && r == -EMLINK; i++) {
        if (i > 0)
            os_sleep_ms(1);
        r = read_once(dir, name, buf, size, ret_length, ret_file);
    }
    return r;
}

int
os_file_identify(const struct os_dir *dir, const char *name, struct os_file_id *ret_id)
{
    struct stat st;

    if (fstatat((int)dir->handle, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    *ret_id = posix_id_of(&st);
    return 0;
}

static int
write_all(int fd, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t n = write(fd, data, length);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        data += n;
        length -= (size_t)n;
    }
    return 0;
}

int
os_file_create(const struct os_dir *dir, const char *name, const char *data, size_t length,
               unsigned mode, struct os_file_id *ret_id)
{
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    struct stat st = {0};
    int fd, r;

    fd = openat((int)dir->handle, name, flags, (mode_t)mode);
    if (fd < 0 && errno == EEXIST) {
        r = os_file_remove(dir, name);
        if (r < 0 && r != -ENOENT)
            return r;
        fd = openat((int)dir->handle, name, flags, (mode_t)mode);
    }
    if (fd < 0)
        return -errno;
    r = write_all(fd, data, length);
    if (r == 0 && fstat(fd, &st) < 0)
        r = -errno;
    if (r == 0 && (st.st_mode & 07777) != (mode_t)mode && fchmod(fd, (mode_t)mode) < 0)
        r = -errno;
    if (close(fd) < 0 && r == 0)
        r = -errno;
    if (r < 0) {
        (void)unlinkat((int)dir->handle, name, 0);
        return r;
    }
    *ret_id = posix_id_of(&st);
    return 0;
}

int
os_file_rename(const struct os_dir *dir, const char *temp, const char *name)
{
    if (renameat((int)dir->handle, temp, (int)dir->handle, name) < 0)
        return -errno;
    return 0;
}

int
posix_publish(const struct os_dir *dir, const char *temp, const char *name,
              const struct os_file_id *judged)
{
    struct os_file_id now = {0};
    int r;

    if (judged == NULL) {
        if (linkat((int)dir->handle, temp, (int)dir->handle, name, 0) < 0)
            return errno == EEXIST ? -EAGAIN : -errno;
        return os_file_remove(dir, temp);
    }
    r = os_file_identify(dir, name, &now);
    if (r == -ENOENT || (r == 0 && !posix_unchanged(&now, judged)))
        return -EAGAIN;
    return r < 0 ? r : os_file_rename(dir, temp, name);
}

int
os_file_remove(const struct os_dir *dir, const char *name)
{
    int r;

    if (unlinkat((int)dir->handle, name, 0) == 0)
        return 0;
    r = -errno;
    if ((r == -EISDIR || r == -EPERM) && unlinkat((int)dir->handle, name, AT_REMOVEDIR) == 0)
        return 0;
    return r;
}

/* ---- The lock ---------------------------------------------------------------------------- */

static int
open_lock_file(const struct os_dir *dir, const char *name, bool create, bool *ret_made)
{
    int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

    *ret_made = false;
    for (;;) {
        int fd = openat((int)dir->handle, name, flags); /* model: claim 1 open */

        if (fd >= 0 || errno != ENOENT || !create)
            return fd < 0 ? -errno : fd;
        /* model: claim 1 make */
        fd = openat((int)dir->handle, name, flags | O_CREAT | O_EXCL, 0600);
        *ret_made = fd >= 0;
        if (fd >= 0 || errno != EEXIST)
            return fd < 0 ? -errno : fd;
    }
}

int
os_lock_open(const struct os_dir *dir, const char *name, bool create, struct os_lock *ret_lock,
             bool *ret_trusted)
{
    struct os_speaker speaker = dir->speaker;
    struct stat st;
    bool trusted, made;
    int r = 0;
    int fd = dir->strays ? -EXDEV : open_lock_file(dir, name, create, &made);

    if (fd < 0)
        return fd == -ENXIO ? -EMEDIUMTYPE : fd;
    r = fstat(fd, &st) < 0 ? -errno : judge_kind(&st);
    if (r < 0) {
        close(fd);
        return r;
    }
    posix_note_speaker(&speaker, &st);
    trusted = speaker.scope == OS_SPEAKS_FOR_ALL && (st.st_mode & 077) == 0;
    /* On a user's way it may be another file of ours that was moved here: hands off. */
    if (dir->speaker.scope == OS_SPEAKS_FOR_ALL && (st.st_mode & 07777) != 0600)
        (void)fchmod(fd, 0600);
    *ret_lock = (struct os_lock){fd, posix_id_of(&st), made};
    if (ret_trusted != NULL)
        *ret_trusted = trusted;
    return 0;
}

int
posix_flock(intptr_t handle)
{
    while (flock((int)handle, LOCK_EX | LOCK_NB) < 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}

int
os_lock_adopt(struct os_file_id id, struct os_lock *ret_lock)
{
    for (int fd = 3; fd < ADOPT_FD_MAX; fd++) {
        int flags = fcntl(fd, F_GETFD);
        struct os_lock lock = {.handle = fd, .id = id};
        struct os_file_id found;
        struct stat st;

        /* What this process opened itself is close-on-exec: only an exec leaves one without. */
        if (flags < 0 || (flags & FD_CLOEXEC) || fstat(fd, &st) < 0)
            continue;
        found = posix_id_of(&st);
        if (!os_same_file(&found, &id) || os_lock_take(&lock) < 0)
            continue;
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
        *ret_lock = lock;
        return 0;
    }
    return -ENOENT;
}

int
os_lock_pass_on(struct os_lock *lock, bool inherit)
{
    int fd;

    if (!inherit)
        return fcntl((int)lock->handle, F_SETFD, FD_CLOEXEC) < 0 ? -errno : 0;
    fd = fcntl((int)lock->handle, F_DUPFD, PASS_ON_FD);
    if (fd < 0 && (errno == EINVAL || errno == EMFILE)) /* a low limit */
        fd = fcntl((int)lock->handle, F_DUPFD, 3);
    if (fd < 0)
        return -errno;
    close((int)lock->handle);
    lock->handle = fd;
    return 0;
}

void
os_lock_close(struct os_lock *lock)
{
    lock->handle = posix_closed(lock->handle);
}

/* ---- Time -------------------------------------------------------------------------------- */

int64_t
os_monotonic_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t
os_monotonic_ms(void)
{
    return os_monotonic_us() / 1000;
}

int64_t
os_wall_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec;
}

/*
 * By hand: gmtime_r and strftime make glibc look for the local time zone, seven system calls of a
 * start. Days are counted from 1 March of year 0, in eras of 400 years, whose leap days repeat.
 */
void
os_time_format(int64_t wall_seconds, char *buf, size_t size)
{
    int64_t days = wall_seconds / 86400 + 719468, second = wall_seconds % 86400;
    int64_t era = days / 146097, of_era = days % 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153; /* 0 is March */
    int64_t day = of_year - (153 * month + 2) / 5 + 1;
    int n = snprintf(buf, size, "%04d-%02d-%02dT%02d:%02d:%02dZ",
                     (int)(year + era * 400 + (month >= 10 ? 1 : 0)),
                     (int)(month < 10 ? month + 3 : month - 9), (int)day, (int)(second / 3600),
                     (int)(second / 60 % 60), (int)(second % 60));
    if (n < 0 || (size_t)n >= size)
        buf[0] = '\0';
}

void
os_sleep_ms(int ms)
{
    struct timespec left = {ms / 1000, (long)(ms % 1000) * 1000000};

    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}

int64_t
os_self(void)
{
    return (int64_t)getpid();
}

int64_t
os_parent(void)
{
    return (int64_t)getppid();
}

bool
os_is_root(void)
{
    return geteuid() == 0;
}
