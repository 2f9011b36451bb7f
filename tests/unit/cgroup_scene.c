/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cmocka.h>

#include "cgroup_scene.h"
#include "os/linux.h"
#include "place.h"
#include "refusing.h"

/* ---- The file system --------------------------------------------------------------------- */

struct cgroup_scene scene;

void
write_file(int dir, const char *name, const char *text)
{
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(dprintf(fd, "%s", text), strlen(text));
    close(fd);
}

int __real_linux_read_proc_of(int64_t pid, const char *what, char *buf, size_t size);
int __wrap_linux_read_proc_of(int64_t pid, const char *what, char *buf, size_t size);
int __wrap_access(const char *path, int mode);
ssize_t __wrap_fgetxattr(int fd, const char *name, void *value, size_t size);
FILE *__real_fopen64(const char *path, const char *mode);
FILE *__wrap_fopen64(const char *path, const char *mode);
int __wrap_fstatfs64(int fd, struct statfs *ret);
int __real_mkdirat(int dir, const char *name, mode_t mode);
int __wrap_mkdirat(int dir, const char *name, mode_t mode);
int __real_unlinkat(int dir, const char *name, int flags);
int __wrap_unlinkat(int dir, const char *name, int flags);
ssize_t __real_write(int fd, const void *buf, size_t size);
ssize_t __wrap_write(int fd, const void *buf, size_t size);

int
__wrap_linux_read_proc_of(int64_t pid, const char *what, char *buf, size_t size)
{
    if (strcmp(what, "cgroup") != 0)
        return __real_linux_read_proc_of(pid, what, buf, size);
    if (refuse_this())
        return -errno;
    snprintf(buf, size, "%s", scene.own);
    return 0;
}

int
__wrap_access(const char *path, int mode)
{
    assert_string_equal(path, "/run/systemd/system");
    assert_int_equal(mode, F_OK);
    return scene.is_booted ? 0 : -1;
}

ssize_t
__wrap_fgetxattr(int fd, const char *name, void *value, size_t size)
{
    assert_true(fd >= 0 && size > 0);
    if (refuse_this() || !scene.marked_by || strcmp(name, scene.marked_by) != 0)
        return -1;
    *(char *)value = scene.mark;
    return 1;
}

FILE *
__wrap_fopen64(const char *path, const char *mode)
{
    if (refuse_this())
        return NULL;
    return __real_fopen64(strcmp(path, "/proc/self/mountinfo") == 0 ? scene.mounts : path, mode);
}

int
__wrap_fstatfs64(int fd, struct statfs *ret)
{
    assert_true(fd >= 0);
    if (refuse_this())
        return -1;
    *ret = (struct statfs){.f_type = scene.is_other ? TMPFS_MAGIC : CGROUP2_SUPER_MAGIC};
    return 0;
}

/* The files of a group, in which is nobody. */
static void
write_files(int dir, const char *name)
{
    int fd;

    refuse_rest(true);
    fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    if (!scene.is_old)
        write_file(fd, "cgroup.kill", "");
    write_file(fd, "cgroup.events", "populated 0\nfrozen 0\n");
    write_file(fd, "cgroup.procs", "");
    refuse_rest(false);
    close(fd);
}

int
__wrap_mkdirat(int dir, const char *name, mode_t mode)
{
    if (refuse_this() || __real_mkdirat(dir, name, mode) < 0)
        return -1;
    write_files(dir, name);
    return 0;
}

/* A group where somebody is stays; else it goes with its files, but not with groups below. */
int
__wrap_unlinkat(int dir, const char *name, int flags)
{
    static const char *const files[] = {"cgroup.kill", "cgroup.events", "cgroup.procs"};
    char path[OS_PATH_MAX], text[64] = "";
    int fd, r;

    if (refuse_this())
        return -1;
    refuse_rest(true);
    snprintf(path, sizeof(path), "%s/cgroup.events", name);
    fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        assert_true(read(fd, text, sizeof(text) - 1) >= 0);
        close(fd);
    }
    for (size_t i = 0; i < 3 && !strstr(text, "populated 1"); i++) {
        snprintf(path, sizeof(path), "%s/%s", name, files[i]);
        (void)__real_unlinkat(dir, path, 0);
    }
    r = __real_unlinkat(dir, name, flags);
    refuse_rest(false);
    if (r < 0 && errno == ENOTEMPTY && strstr(text, "populated 0"))
        write_files(dir, name);
    return r;
}

/* To cgroup.kill: all in the group are dead. */
ssize_t
__wrap_write(int fd, const void *buf, size_t size)
{
    char link[64], path[OS_PATH_MAX], *end;
    ssize_t length;

    if (refuse_this())
        return -1;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    length = readlink(link, path, sizeof(path) - 1);
    path[length > 0 ? length : 0] = '\0';
    end = strstr(path, "cgroup.kill");
    if (end && !scene.is_deathless) {
        refuse_rest(true);
        strcpy(end, "cgroup.events");
        write_file(AT_FDCWD, path, "populated 0\n");
        refuse_rest(false);
    }
    return __real_write(fd, buf, size);
}

/* ---- Fixture ----------------------------------------------------------------------------- */

const char *
path_of(const char *group)
{
    static char path[OS_PATH_MAX + 1024];

    snprintf(path, sizeof(path), "%s%.1000s", scene.root, group);
    return path;
}

void
set_mount(const char *root, const char *point)
{
    char line[OS_PATH_MAX * 3];

    snprintf(line, sizeof(line),
             "20 1 0:5 / /proc rw - proc proc rw\n"
             "21 1 0:6 / / rw shared:1 - ext4 /dev/vda rw\n"
             "22 1 0:7 %s %s rw,nosuid shared:9 - cgroup2 cgroup2 rw\n",
             root, point);
    write_file(AT_FDCWD, scene.mounts, line);
}

void
make_group(const char *group)
{
    assert_int_equal(__wrap_mkdirat(AT_FDCWD, path_of(group), 0755), 0);
}

void
populate(const char *group, const char *pids)
{
    int fd = open(path_of(group), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_true(fd >= 0);
    write_file(fd, "cgroup.events", "populated 1\n");
    write_file(fd, "cgroup.procs", pids);
    close(fd);
}

bool
is_there(const char *group)
{
    struct stat st;

    return stat(path_of(group), &st) == 0;
}

int
cgroup_scene_setup(void **state)
{
    (void)state;
    memset(&scene, 0, sizeof(scene));
    scene.mark = '1';
    if (!place_make(scene.root, sizeof(scene.root) - 16))
        return -1;
    snprintf(scene.mounts, sizeof(scene.mounts), "%.4000s/mountinfo", scene.root);
    snprintf(scene.own, sizeof(scene.own), "1:cpu:/x\n0::/web.service\n");
    set_mount("/", scene.root);
    make_group("/web.service");
    return 0;
}
