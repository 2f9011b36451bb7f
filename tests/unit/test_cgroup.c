/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control groups without a cgroup file system, which few may write to: a folder stands in for it.
 * What a real one does is tried by tests/command/cgroup.sh and tests/system.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/linux.h"
#include "place.h"
#include "refusing.h"

/* ---- The file system --------------------------------------------------------------------- */

static struct {
    char root[OS_PATH_MAX]; /* is mounted as / of the groups */
    char own[OS_PATH_MAX];  /* /proc/self/cgroup */
    char mounts[OS_PATH_MAX];
    bool is_booted;    /* by systemd */
    bool is_other;     /* something else is mounted there */
    bool is_old;       /* Linux before 5.14, where no group is killed as one */
    bool is_deathless; /* who is in a group stays */
    const char *marked_by;
} scene;

static void
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
    *(char *)value = '1';
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

/* With the files of a group, in which is nobody. */
int
__wrap_mkdirat(int dir, const char *name, mode_t mode)
{
    int fd;

    if (refuse_this() || __real_mkdirat(dir, name, mode) < 0)
        return -1;
    refuse_rest(true);
    fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    if (!scene.is_old)
        write_file(fd, "cgroup.kill", "");
    write_file(fd, "cgroup.events", "populated 0\nfrozen 0\n");
    write_file(fd, "cgroup.procs", "");
    refuse_rest(false);
    close(fd);
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

/* Below the root, until the next call. */
static const char *
path_of(const char *group)
{
    static char path[OS_PATH_MAX + 1024];

    snprintf(path, sizeof(path), "%s%.1000s", scene.root, group);
    return path;
}

static void
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

static void
make_group(const char *group)
{
    assert_int_equal(__wrap_mkdirat(AT_FDCWD, path_of(group), 0755), 0);
}

static void
populate(const char *group, const char *pids)
{
    int fd = open(path_of(group), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_true(fd >= 0);
    write_file(fd, "cgroup.events", "populated 1\n");
    write_file(fd, "cgroup.procs", pids);
    close(fd);
}

static bool
is_there(const char *group)
{
    struct stat st;

    return stat(path_of(group), &st) == 0;
}

static int
set_up(void **state)
{
    (void)state;
    memset(&scene, 0, sizeof(scene));
    if (!place_make(scene.root, sizeof(scene.root) - 16))
        return -1;
    snprintf(scene.mounts, sizeof(scene.mounts), "%.4000s/mountinfo", scene.root);
    snprintf(scene.own, sizeof(scene.own), "1:cpu:/x\n0::/web.service\n");
    set_mount("/", scene.root);
    make_group("/web.service");
    return 0;
}

/* ---- Made and removed -------------------------------------------------------------------- */

static void
a_group_is_made_below_our_own_and_goes_with_all_below_it(void **state)
{
    struct os_cgroup group;

    (void)state;
    assert_int_equal(os_cgroup_make("web", &group), 0);
    assert_string_equal(group.path, "/web.service/web");
    assert_false(os_cgroup_is_populated(&group));
    make_group("/web.service/web/a");
    make_group("/web.service/web/a/b");
    assert_int_equal(os_cgroup_renew(&group), 0);
    assert_false(is_there("/web.service/web/a"));
    populate("/web.service/web", "4711\n");
    assert_true(os_cgroup_is_populated(&group));
    assert_int_equal(os_cgroup_kill(&group), 0);
    assert_false(os_cgroup_is_populated(&group));
    os_cgroup_remove(&group);
    assert_int_equal(group.handle, OS_NONE);
    assert_false(is_there("/web.service/web"));
    assert_int_equal(os_cgroup_kill(&group), 0);
    assert_false(os_cgroup_is_populated(&group));
    os_cgroup_remove(&group);
}

static void
a_name_where_somebody_is_gets_a_number(void **state)
{
    struct os_cgroup group;

    (void)state;
    make_group("/web.service/web");
    populate("/web.service/web", "4711\n");
    assert_int_equal(os_cgroup_make("web", &group), 0);
    assert_string_equal(group.path, "/web.service/web.2");
    populate("/web.service/web.2", "4712\n");
    assert_int_equal(os_cgroup_renew(&group), -EEXIST);
    for (int i = 3; i <= 8; i++) {
        char name[64];

        snprintf(name, sizeof(name), "/web.service/web.%d", i);
        make_group(name);
        populate(name, "1\n");
    }
    assert_int_equal(os_cgroup_make("web", &group), -EEXIST);
}

static void
what_can_not_be_killed_as_one_is_no_use(void **state)
{
    struct os_cgroup group;

    (void)state;
    scene.is_old = true;
    assert_int_equal(os_cgroup_make("web", &group), -ENOENT);
    scene.is_old = false;
    assert_int_equal(os_cgroup_make("web", &group), 0);
    scene.is_old = true;
    assert_int_equal(os_cgroup_renew(&group), -ENOENT);
}

/* ---- Where groups are -------------------------------------------------------------------- */

static void
expect_made(const char *own, const char *mount, int result)
{
    struct os_cgroup group;

    snprintf(scene.own, sizeof(scene.own), "%s", own);
    set_mount(mount, path_of(strcmp(mount, "/") == 0 ? "" : mount));
    assert_int_equal(os_cgroup_make("web", &group), result);
    if (result == 0)
        os_cgroup_remove(&group);
}

static void
our_own_group_is_found_by_the_mount_that_shows_it(void **state)
{
    char own[1024];

    (void)state;
    expect_made("0::/web.service\n", "/", 0);
    expect_made("0::/web.service\n", "/web.service", 0);
    expect_made("0::/\n", "/", 0);
    expect_made("0::/web.service\n", "/db.service", -ENOTSUP);
    expect_made("0::/web.service2\n", "/web.service", -ENOTSUP);
    expect_made("0::/../web.service\n", "/", -ENOTSUP); /* out of a namespace's sight */
    expect_made("1:name=systemd:/web.service\n", "/", -ENOTSUP);
    expect_made("0::/db.service\n", "/", -ENOENT);
    snprintf(own, sizeof(own), "0::/%0600d\n", 0);
    expect_made(own, "/", -ENOTSUP);
    scene.is_other = true;
    expect_made("0::/web.service\n", "/", -ENOTSUP);
    scene.is_other = false;
    write_file(AT_FDCWD, scene.mounts, "1 - cgroup2 \n");
    snprintf(scene.own, sizeof(scene.own), "0::/web.service\n");
    assert_int_equal(os_cgroup_make("web", &(struct os_cgroup){0}), -ENOTSUP);
}

static void
systemd_lets_only_what_it_delegates_be_changed(void **state)
{
    (void)state;
    scene.is_booted = true;
    make_group("/web.service/below");
    make_group("/plain");
    expect_made("0::/web.service/below\n", "/", -EPERM);
    expect_made("0::/plain\n", "/", -EPERM); /* no unit is in it */
    expect_made("0::/.service\n", "/", -EPERM);
    scene.marked_by = "user.delegate";
    expect_made("0::/web.service/below\n", "/", 0);
    expect_made("0::/plain\n", "/", -EPERM);
    expect_made("0::/db.service\n", "/", -EPERM); /* and is not there */
    scene.marked_by = "trusted.delegate";
    expect_made("0::/web.service\n", "/", 0);
}

/* ---- Somebody's who is dead -------------------------------------------------------------- */

static void
a_dead_ones_group_is_ended_and_removed(void **state)
{
    char path[1200];

    (void)state;
    make_group("/left");
    populate("/left", "4711\n4712\n");
    assert_int_equal(os_cgroup_end("/left", 1000), 2);
    assert_false(is_there("/left"));
    assert_int_equal(os_cgroup_end("/left", 0), 0);
    make_group("/left");
    assert_int_equal(os_cgroup_end("/left", 0), 0);
    make_group("/left");
    os_cgroup_discard("/left");
    assert_false(is_there("/left"));
    assert_int_equal(os_cgroup_end("left", 0), 0);
    snprintf(path, sizeof(path), "/%01100d", 0);
    assert_int_equal(os_cgroup_end(path, 0), 0);
    assert_int_equal(os_cgroup_end("/nowhere/left", 0), 0);
    make_group("/left");
    populate("/left", "4711\n");
    scene.is_deathless = true;
    assert_int_equal(os_cgroup_end("/left", 1), -ETIMEDOUT);
    assert_true(is_there("/left"));
}

/* ---- Refused ----------------------------------------------------------------------------- */

static void
make_and_remove(void)
{
    struct os_cgroup group;
    int r = os_cgroup_make("web", &group);

    assert_true(r == 0 || refuse_has());
    if (r == 0) {
        refuse_expect(os_cgroup_kill(&group));
        r = os_cgroup_renew(&group);
        assert_true(r == 0 || refuse_has());
        os_cgroup_remove(&group);
    }
    r = os_cgroup_end("/left", 1);
    assert_true(r == 1 || refuse_has());
    refuse_end();
    os_cgroup_discard("/web.service/web");
    assert_false(is_there("/web.service/web"));
}

static void
prepare(void)
{
    refuse_rest(true);
    if (!is_there("/left"))
        make_group("/left");
    populate("/left", "4711\n");
    refuse_rest(false);
    make_and_remove();
}

static void
a_refusal_leaves_no_group_and_no_handle(void **state)
{
    (void)state;
    scene.is_booted = true;
    scene.marked_by = "trusted.delegate";
    refuse_each(prepare, 1000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_group_is_made_below_our_own_and_goes_with_all_below_it, set_up),
        cmocka_unit_test_setup(a_name_where_somebody_is_gets_a_number, set_up),
        cmocka_unit_test_setup(what_can_not_be_killed_as_one_is_no_use, set_up),
        cmocka_unit_test_setup(our_own_group_is_found_by_the_mount_that_shows_it, set_up),
        cmocka_unit_test_setup(systemd_lets_only_what_it_delegates_be_changed, set_up),
        cmocka_unit_test_setup(a_dead_ones_group_is_ended_and_removed, set_up),
        cmocka_unit_test_setup(a_refusal_leaves_no_group_and_no_handle, set_up),
    };

    return cmocka_run_group_tests_name("cgroup", tests, NULL, NULL);
}
