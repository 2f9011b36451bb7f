/* SPDX-License-Identifier: Apache-2.0 */
/* What all Unixes share: directories, files, flock, time. Spawning is in posix_launch.c. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "os/os.h"
#include "os/posix.h"

#define LINKS_MAX    40 /* as the kernel counts */
#define ADOPT_FD_MAX 1024
#define PASS_ON_FD   200 /* out of the way of servers that count from 3 */

intptr_t
posix_close(intptr_t handle)
{
    if (handle != OS_NONE)
        close((int)handle);
    return OS_NONE;
}

/* ---- Trust ------------------------------------------------------------------------------- */

static void
speaker_add(struct os_speaker *speaker, uint32_t user)
{
    if (speaker->scope == OS_SPEAKS_FOR_ALL)
        *speaker = (struct os_speaker){OS_SPEAKS_FOR_USER, user};
    else if (speaker->user != user)
        speaker->scope = OS_SPEAKS_FOR_NOBODY;
}

/*
 * Who could have made this what it is. The asker's own files are spared the question about the
 * group: with a umask of 002 a user's files are writable by a group that is the user's own.
 */
static void
speaker_note(struct os_speaker *speaker, const struct stat *st)
{
    uid_t me = geteuid();
    mode_t others = (me != 0 && st->st_uid == me) ? S_IWOTH : S_IWGRP | S_IWOTH;
    bool sticky = S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX);

    if (st->st_uid != 0 && st->st_uid != me)
        speaker_add(speaker, st->st_uid);
    if (!S_ISLNK(st->st_mode) && (st->st_mode & others) && !sticky)
        speaker->scope = OS_SPEAKS_FOR_NOBODY;
}

/* ---- Directories ------------------------------------------------------------------------- */

struct walk {
    int fd;
    int links;
    struct os_speaker speaker;
    char rest[2 * OS_PATH_MAX]; /* what is still to be walked */
};

static int
walk_from_root(struct walk *w)
{
    struct stat st;
    int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) == 0)
        speaker_note(&w->speaker, &st);
    w->fd = (int)posix_close(w->fd);
    w->fd = fd;
    return 0;
}

/* Put a symbolic link's target in front of the rest. */
static int
walk_link(struct walk *w, const char *component)
{
    char target[OS_PATH_MAX];
    ssize_t length = readlinkat(w->fd, component, target, sizeof(target) - 1);
    size_t rest = strlen(w->rest);

    if (length < 0)
        return -errno;
    if (++w->links > LINKS_MAX)
        return -ELOOP;
    if ((size_t)length + 1 + rest >= sizeof(w->rest))
        return -ENAMETOOLONG;
    memmove(w->rest + length + 1, w->rest, rest + 1);
    memcpy(w->rest, target, (size_t)length);
    w->rest[length] = '/';
    return w->rest[0] == '/' ? walk_from_root(w) : 0;
}

/* Mode 0755 whatever the umask, where nobody can have put something else in its place. */
static int
make_component(const struct walk *w, const char *component)
{
    int fd;

    if (mkdirat(w->fd, component, 0755) < 0)
        return errno == EEXIST ? 0 : -errno;
    if (w->speaker.scope != OS_SPEAKS_FOR_ALL)
        return 0;
    fd = openat(w->fd, component, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0) {
        (void)fchmod(fd, 0755);
        close(fd);
    }
    return 0;
}

static int
open_component(const struct walk *w, const char *component, bool create)
{
    int fd = openat(w->fd, component, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    int r;

    if (fd >= 0 || errno != ENOENT || !create)
        return fd < 0 ? -errno : fd;
    r = make_component(w, component);
    if (r < 0)
        return r;
    fd = openat(w->fd, component, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int
walk_step(struct walk *w, const char *component, bool create)
{
    struct stat st;
    int fd = open_component(w, component, create);
    int r = 0;

    if (fd < 0)
        return fd;
    if (fstat(fd, &st) < 0)
        r = -errno;
    else if (!S_ISLNK(st.st_mode) && !S_ISDIR(st.st_mode))
        r = -ENOTDIR;
    if (r < 0) {
        close(fd);
        return r;
    }
    speaker_note(&w->speaker, &st);
    if (S_ISLNK(st.st_mode)) {
        close(fd);
        return walk_link(w, component);
    }
    close(w->fd);
    w->fd = fd;
    return 0;
}

static int
walk_all(struct walk *w, bool create)
{
    int r = walk_from_root(w);

    while (r == 0) {
        char component[OS_NAME_MAX];
        size_t skip = strspn(w->rest, "/");
        size_t length = strcspn(w->rest + skip, "/");

        if (length == 0)
            break;
        if (length >= sizeof(component))
            return -ENAMETOOLONG;
        memcpy(component, w->rest + skip, length);
        component[length] = '\0';
        memmove(w->rest, w->rest + skip + length, strlen(w->rest + skip + length) + 1);
        if (strcmp(component, ".") != 0)
            r = walk_step(w, component, create);
    }
    return r;
}

/* The absolute path of the directory: even a relative one has owners above it. */
static int
start_of_walk(const char *path, size_t length, char *buf, size_t size)
{
    size_t base = 0;

    if (path[0] != '/') {
        if (getcwd(buf, OS_PATH_MAX) == NULL)
            return -errno;
        base = strlen(buf);
        buf[base++] = '/';
    }
    if (length >= OS_PATH_MAX || base + length >= size)
        return -ENAMETOOLONG;
    memcpy(buf + base, path, length);
    buf[base + length] = '\0';
    return 0;
}

int
os_dir_open(const char *path, bool create, struct os_dir *ret_dir, char *ret_name)
{
    struct walk w = {.fd = (int)OS_NONE};
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    int r;

    if (path[0] == '\0')
        return -ENOENT;
    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return -EISDIR;
    if (strlen(name) >= OS_NAME_MAX)
        return -ENAMETOOLONG;
    r = start_of_walk(path, (size_t)(name - path), w.rest, sizeof(w.rest));
    if (r == 0)
        r = walk_all(&w, create);
    if (r < 0) {
        posix_close(w.fd);
        return r;
    }
    *ret_dir = (struct os_dir){w.fd, w.speaker};
    memcpy(ret_name, name, strlen(name) + 1);
    return 0;
}

void
os_dir_close(struct os_dir *dir)
{
    dir->handle = posix_close(dir->handle);
}

int
os_dir_names(const char *path, char (**ret_names)[OS_NAME_MAX], size_t *ret_count)
{
    char(*names)[OS_NAME_MAX] = NULL;
    size_t count = 0;
    DIR *stream = opendir(path);
    struct dirent *entry;
    int r = 0;

    if (stream == NULL)
        return -errno;
    while ((entry = readdir(stream)) != NULL) {
        char(*more)[OS_NAME_MAX];

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        more = realloc(names, (count + 1) * sizeof(*names));
        if (more == NULL) {
            r = -ENOMEM;
            break;
        }
        names = more;
        snprintf(names[count++], OS_NAME_MAX, "%s", entry->d_name);
    }
    closedir(stream);
    if (r < 0) {
        free(names);
        return r;
    }
    *ret_names = names;
    *ret_count = count;
    return 0;
}

/* ---- Files ------------------------------------------------------------------------------- */

static struct os_file_id
id_of(const struct stat *st)
{
    return (struct os_file_id){(uint64_t)st->st_dev, (uint64_t)st->st_ino};
}

bool
posix_same_file(const struct os_file_id *a, const struct os_file_id *b)
{
    return a->device == b->device && a->inode == b->inode;
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
    ret_file->id = id_of(&st);
    ret_file->speaker = dir->speaker;
    speaker_note(&ret_file->speaker, &st);
    ret_file->written_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
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
    *ret_id = id_of(&st);
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
    struct stat st;
    int fd, r;

    fd = openat((int)dir->handle, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST) {
        r = os_file_remove(dir, name);
        if (r < 0 && r != -ENOENT)
            return r;
        fd = openat((int)dir->handle, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                    0600);
    }
    if (fd < 0)
        return -errno;
    r = write_all(fd, data, length);
    if (r == 0 && fchmod(fd, (mode_t)mode) < 0)
        r = -errno;
    if (r == 0 && fstat(fd, &st) < 0)
        r = -errno;
    if (close(fd) < 0 && r == 0)
        r = -errno;
    if (r < 0) {
        (void)unlinkat((int)dir->handle, name, 0);
        return r;
    }
    *ret_id = id_of(&st);
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
        int fd = openat((int)dir->handle, name, flags);

        if (fd >= 0 || errno != ENOENT || !create)
            return fd < 0 ? -errno : fd;
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
    int fd = open_lock_file(dir, name, create, &made);

    if (fd < 0)
        return fd == -ENXIO ? -EMEDIUMTYPE : fd;
    r = fstat(fd, &st) < 0 ? -errno : judge_kind(&st);
    if (r < 0) {
        close(fd);
        return r;
    }
    speaker_note(&speaker, &st);
    trusted = speaker.scope == OS_SPEAKS_FOR_ALL && (st.st_mode & 077) == 0;
    /* On a user's way it may be another file of ours that was moved here: hands off. */
    if (dir->speaker.scope == OS_SPEAKS_FOR_ALL && (st.st_mode & 07777) != 0600)
        (void)fchmod(fd, 0600);
    *ret_lock = (struct os_lock){fd, id_of(&st), made};
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
        found = id_of(&st);
        if (!posix_same_file(&found, &id) || os_lock_take(&lock) < 0)
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
    lock->handle = posix_close(lock->handle);
}

/* ---- Time -------------------------------------------------------------------------------- */

int64_t
os_monotonic_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
os_wall_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec;
}

void
os_time_format(int64_t wall_seconds, char *buf, size_t size)
{
    time_t seconds = (time_t)wall_seconds;
    struct tm utc;

    if (gmtime_r(&seconds, &utc) == NULL || strftime(buf, size, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
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

/* ---- Names ------------------------------------------------------------------------------- */

int
os_runtime_directory(char *buf, size_t size)
{
    /* systemd's word for the unit's RuntimeDirectory=; the first of several. */
    const char *given = getenv("RUNTIME_DIRECTORY");
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    int n;

    if (given != NULL && given[0] == '/')
        n = snprintf(buf, size, "%.*s", (int)strcspn(given, ":"), given);
    else if (geteuid() == 0)
        n = snprintf(buf, size, "/run/vortex");
    else if (state != NULL && state[0] == '/')
        n = snprintf(buf, size, "%s/vortex", state);
    else if (home != NULL && home[0] == '/')
        n = snprintf(buf, size, "%s/.local/state/vortex", home);
    else
        return -ENOENT;
    return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}
