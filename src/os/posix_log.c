/* SPDX-License-Identifier: Apache-2.0 */
/* Files that grow, and who is told what a server says; the same on all Unixes. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "os/os.h"
#include "os/posix.h"

/* ---- Memory, time ------------------------------------------------------------------------ */

void *
os_pages_new(size_t size)
{
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (pages == MAP_FAILED)
        return NULL;
    return pages;
}

void *
os_pages_free(void *pages, size_t size)
{
    if (pages != NULL)
        munmap(pages, size);
    return NULL;
}

int64_t
os_wall_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void
os_time_format_local(int64_t wall_seconds, char *buf, size_t size)
{
    time_t seconds = (time_t)wall_seconds;
    struct tm local;

    if (localtime_r(&seconds, &local) == NULL || strftime(buf, size, "%b %e %H:%M:%S", &local) == 0)
        buf[0] = '\0';
}

/* ---- Handles ----------------------------------------------------------------------------- */

int
os_feed(intptr_t ret_ends[2])
{
    intptr_t ends[2];
    int r = os_pipe(ends);

    if (r < 0)
        return r;
    if (fcntl((int)ends[1], F_SETFL, O_NONBLOCK) < 0) {
        r = -errno;
        (void)posix_closed(ends[0]);
        (void)posix_closed(ends[1]);
        return r;
    }
    ret_ends[0] = ends[0];
    ret_ends[1] = ends[1];
    return 0;
}

int
os_pair(intptr_t ret_ends[2])
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        return -errno;
    ret_ends[0] = ends[0];
    ret_ends[1] = ends[1];
    return 0;
}

/* ---- Paths ------------------------------------------------------------------------------- */

int
os_path_identify(const char *path, struct os_file_id *ret_id)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return -errno;
    *ret_id = posix_id_of(&st);
    return 0;
}

/* ---- Log files --------------------------------------------------------------------------- */

static int
take_handle(int fd, bool others, struct os_log *ret)
{
    struct stat st;
    int r = 0;

    if (fstat(fd, &st) < 0)
        r = -errno;
    else if (S_ISDIR(st.st_mode))
        r = -EISDIR;
    else if (others && st.st_nlink > 1)
        r = -EMLINK;
    if (r < 0) {
        close(fd);
        return r;
    }
    *ret = (struct os_log){fd, posix_id_of(&st), (int64_t)st.st_size, S_ISREG(st.st_mode)};
    return 0;
}

static void
make_alike(int fd, const struct os_log *like)
{
    struct stat st;

    if (like == NULL || like->handle == OS_NONE || fstat((int)like->handle, &st) < 0)
        return;
    (void)!fchown(fd, st.st_uid, st.st_gid);
    (void)fchmod(fd, st.st_mode & 0777);
}

/* ---- Where a log stands -------------------------------------------------------------------- */

/* A descriptor by its number, as /dev/stdout ends in: its name is a link that only the kernel reads. */
static bool
is_descriptor(const char *path)
{
    const char *name = strrchr(path, '/');

    return (strncmp(path, "/proc/", 6) == 0 || strncmp(path, "/dev/fd/", 8) == 0)
           && name[1 + strspn(name + 1, "0123456789")] == '\0';
}

static int
open_at(const struct os_dir *dir, const char *name, int flags, const struct os_log *like)
{
    int fd;

    do {
        fd = openat((int)dir->handle, name, flags);
        if (fd < 0 && errno == ENOENT && (flags & O_ACCMODE) == O_WRONLY) {
            fd = openat((int)dir->handle, name, flags | O_CREAT | O_EXCL, 0640);
            if (fd >= 0)
                make_alike(fd, like);
        }
    } while (fd < 0 && (errno == EEXIST || errno == EINTR)); /* somebody made it in between */
    return fd < 0 ? -errno : fd;
}

/* Put what the link PATH names, which is NAME in that directory, in place of PATH. */
static int
follow(const struct os_dir *dir, const char *name, char *path)
{
    char target[OS_PATH_MAX];
    ssize_t n = readlinkat((int)dir->handle, name, target, sizeof(target) - 1);
    size_t kept;

    if (n < 0)
        return -errno;
    target[n] = '\0';
    kept = target[0] == '/' ? 0 : strlen(path) - strlen(name);
    if (kept + (size_t)n >= OS_PATH_MAX)
        return -ENAMETOOLONG;
    memcpy(path + kept, target, (size_t)n + 1);
    return 0;
}

/* Links are followed one by one, since each may lead to where others have a say. */
static int
open_log(const char *path, int flags, const struct os_log *like, struct os_log *ret)
{
    char now[OS_PATH_MAX];
    size_t length = strlen(path);

    if (length >= sizeof(now))
        return -ENAMETOOLONG;
    memcpy(now, path, length + 1);
    for (int links = 0; links < POSIX_LINKS_MAX; links++) {
        char name[OS_NAME_MAX];
        struct os_dir dir;
        int fd, r = os_dir_open_to_change(now, &dir, name);
        bool others;

        if (r < 0)
            return r;
        others = dir.speaker.scope != OS_SPEAKS_FOR_ALL;
        fd = open_at(&dir, name, flags | (is_descriptor(now) && !others ? 0 : O_NOFOLLOW), like);
        r = fd == -ELOOP && !others ? follow(&dir, name, now) : fd;
        os_dir_close(&dir);
        if (fd >= 0)
            return take_handle(fd, others, ret);
        if (r < 0)
            return r;
    }
    return -ELOOP;
}

int
os_log_open(const char *path, const struct os_log *like, struct os_log *ret)
{
    /* O_NONBLOCK: for a named pipe, which else waits for a reader */
    return open_log(path, O_WRONLY | O_APPEND | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, like, ret);
}

int
os_log_read(const char *path, struct os_log *ret)
{
    struct os_log log = {.handle = OS_NONE};
    int r = open_log(path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, NULL, &log);

    if (r < 0)
        return r;
    if (!log.is_regular) {
        os_log_close(&log);
        return -EMEDIUMTYPE;
    }
    *ret = log;
    return 0;
}

int
os_log_create(const char *path, const struct os_log *like, struct os_log *ret)
{
    char name[OS_NAME_MAX];
    struct os_dir dir;
    int fd, r = os_dir_open_to_change(path, &dir, name);

    if (r < 0)
        return r;
    (void)unlinkat((int)dir.handle, name, 0);
    fd = openat((int)dir.handle, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    r = fd < 0 ? -errno : 0;
    os_dir_close(&dir);
    if (r < 0)
        return r;
    make_alike(fd, like);
    return take_handle(fd, false, ret);
}

int64_t
os_log_read_at(const struct os_log *log, int64_t offset, void *buf, size_t size)
{
    ssize_t n;

    do
        n = pread((int)log->handle, buf, size, (off_t)offset);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

int64_t
os_log_write(const struct os_log *log, const void *data, size_t size)
{
    return os_handle_write(log->handle, data, size);
}

int64_t
os_log_size(const struct os_log *log)
{
    struct stat st;

    return fstat((int)log->handle, &st) < 0 ? -errno : (int64_t)st.st_size;
}

void
os_log_close(struct os_log *log)
{
    log->handle = posix_closed(log->handle);
}

/* ---- Datagrams --------------------------------------------------------------------------- */

int
os_datagram_open(const char *path, intptr_t *ret_handle)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
        int r = -errno;

        close(fd);
        return r;
    }
    *ret_handle = fd;
    return 0;
}

int
os_datagram_send(intptr_t handle, const void *data, size_t size)
{
    ssize_t n;

    do
        n = send((int)handle, data, size, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    /* ENOBUFS: the receiver's queue is full, in the words of the BSDs */
    return n >= 0 ? 0 : errno == ENOBUFS ? -EAGAIN : -errno;
}
