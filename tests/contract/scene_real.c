/* SPDX-License-Identifier: Apache-2.0 */
/* The scene on this machine: a temporary directory. The children are in scene_children.c. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "scene.h"
#include "scene_real.h"

static char directory[4096];
static struct rlimit file_size;

void
scene_check(int r)
{
    if (r < 0)
        fail_msg("the scene could not be set: %s", strerror(errno));
}

/* ---- Begin and end ----------------------------------------------------------------------- */

bool
scene_begin(int argc, char **argv)
{
    if (argc < 5 || strcmp(argv[1], "--after-exec") != 0)
        return false;
    snprintf(directory, sizeof(directory), "%s", argv[3]);
    scene_live_on(contract_acts[atoi(argv[2])](argv[4]));
}

int
scene_setup(void **state)
{
    const char *base = getenv("TMPDIR");

    (void)state;
    umask(022);
    snprintf(directory, sizeof(directory), "%s/vortex-contract-XXXXXX",
             base != NULL && base[0] == '/' ? base : "/tmp");
    if (mkdtemp(directory) == NULL || chmod(directory, 0755) < 0) {
        perror(directory);
        return -1;
    }
    return 0;
}

static int
remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

int
scene_teardown(void **state)
{
    (void)state;
    scene_end_children();
    umask(022);
    if (chdir("/") < 0)
        return -1;
    return nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

bool
scene_has_users(void)
{
    const char *probe = scene_path("scene-probe");
    int fd;
    bool can;

    if (geteuid() != 0)
        return false;
    fd = open(probe, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    scene_check(fd);
    can = fchown(fd, SCENE_USER, (gid_t)-1) == 0;
    close(fd);
    scene_check(unlink(probe));
    return can;
}

/* ---- Files ------------------------------------------------------------------------------- */

const char *
scene_path(const char *name)
{
    static char paths[4][8192];
    static int next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
    return path;
}

void
scene_write(const char *name, const char *content, unsigned mode)
{
    int fd = open(scene_path(name), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);

    scene_check(fd);
    assert_int_equal(write(fd, content, strlen(content)), strlen(content));
    scene_check(fchmod(fd, mode));
    scene_check(close(fd));
}

void
scene_mkdir(const char *name, unsigned mode)
{
    scene_check(mkdir(scene_path(name), 0700));
    scene_check(chmod(scene_path(name), mode));
}

void
scene_symlink(const char *target, const char *name)
{
    scene_check(symlink(target, scene_path(name)));
}

void
scene_fifo(const char *name)
{
    scene_check(mkfifo(scene_path(name), 0644));
}

void
scene_link(const char *name, const char *second)
{
    scene_check(link(scene_path(name), scene_path(second)));
}

void
scene_chown(const char *name, uint32_t user)
{
    scene_check(lchown(scene_path(name), user, (gid_t)-1));
}

void
scene_remove(const char *name)
{
    scene_check(remove(scene_path(name)));
}

void
scene_set_age(const char *name, int seconds)
{
    struct timespec times[2];

    scene_check(clock_gettime(CLOCK_REALTIME, &times[1]));
    times[1].tv_sec -= seconds;
    times[0] = times[1];
    scene_check(utimensat(AT_FDCWD, scene_path(name), times, AT_SYMLINK_NOFOLLOW));
}

bool
scene_exists(const char *name)
{
    struct stat st;

    return lstat(scene_path(name), &st) == 0;
}

bool
scene_holds(const char *name, const char *text)
{
    char buf[8192];
    ssize_t n;
    int fd = open(scene_path(name), O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return false;
    n = read(fd, buf, sizeof(buf));
    close(fd);
    return n == (ssize_t)strlen(text) && memcmp(buf, text, strlen(text)) == 0;
}

unsigned
scene_mode(const char *name)
{
    struct stat st;

    scene_check(lstat(scene_path(name), &st));
    return st.st_mode & 07777;
}

void
scene_umask(unsigned mask)
{
    umask(mask);
}

void
scene_chdir(void)
{
    scene_check(chdir(directory));
}

static int
take_lease(const char *name)
{
    int fd = open(scene_path(name), O_RDWR | O_CLOEXEC);

    if (fd < 0 || signal(SIGIO, SIG_IGN) == SIG_ERR)
        return -1;
    return fcntl(fd, F_SETLEASE, F_WRLCK);
}

bool
scene_lease(const char *name)
{
    int result;

    scene_fork(take_lease, name, &result);
    return result == 0;
}

void
scene_fill_disk(void)
{
    struct rlimit none;

    scene_check(getrlimit(RLIMIT_FSIZE, &file_size));
    none = file_size;
    none.rlim_cur = 0;
    signal(SIGXFSZ, SIG_IGN);
    scene_check(setrlimit(RLIMIT_FSIZE, &none));
}

void
scene_free_disk(void)
{
    scene_check(setrlimit(RLIMIT_FSIZE, &file_size));
    signal(SIGXFSZ, SIG_DFL);
}

bool
scene_has_steady_clock(void)
{
    return false; /* as far as the test knows */
}
