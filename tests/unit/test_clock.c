/* SPDX-License-Identifier: Apache-2.0 */
/* A clock that was put back or forward, or is a namespace's own: no age, and no start, is invented. */
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
#include <sys/vfs.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/linux.h"
#include "real.h"

#define SECOND        INT64_C(1000000000)
#define INITIAL_PIDNS 0xEFFFFFFCu

/* ---- The other clocks -------------------------------------------------------------------- */

static struct {
    uint64_t pid_namespace; /* ours; 0: as it is */
    int64_t made, sys_made; /* what was there at boot, when made is not 0 */
    int64_t tmpfs_made;     /* the directory's file system; 0: it is on a disk */
    bool has_offsets;       /* of a time namespace: in the file "offsets" */
} clocks;

static struct {
    struct os_dir dir;
    struct os_hold self;
    struct os_identity known; /* by the clock that there is */
} scene;

int __real_fstatfs64(int fd, struct statfs *ret);
int __wrap_fstatfs64(int fd, struct statfs *ret);
int __real_ioctl(int fd, unsigned long what, ...);
int __wrap_ioctl(int fd, unsigned long what, ...);
int64_t __real_linux_made_ns(int dir, const char *path);
int64_t __wrap_linux_made_ns(int dir, const char *path);
int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __real_stat64(const char *path, struct stat *ret);
int __wrap_stat64(const char *path, struct stat *ret);

int
__wrap_fstatfs64(int fd, struct statfs *ret)
{
    int r = __real_fstatfs64(fd, ret);

    if (clocks.made != 0)
        ret->f_type = clocks.tmpfs_made != 0 ? TMPFS_MAGIC : EXT4_SUPER_MAGIC;
    return r;
}

/* Which namespaces a process is of, asked by its pidfd. */
int
__wrap_ioctl(int fd, unsigned long what, ...)
{
    if (!clocks.has_offsets)
        return __real_ioctl(fd, what, 0);
    errno = ENOTTY;
    return -1;
}

int
__wrap_open64(const char *path, int flags, ...)
{
    va_list ap;
    int mode;

    if (clocks.has_offsets && strcmp(path, "/proc/self/timens_offsets") == 0)
        return openat((int)scene.dir.handle, "offsets", flags);
    va_start(ap, flags);
    mode = va_arg(ap, int);
    va_end(ap);
    return __real_open64(path, flags, mode);
}

int64_t
__wrap_linux_made_ns(int dir, const char *path)
{
    if (clocks.made == 0)
        return __real_linux_made_ns(dir, path);
    if (path[0] == '\0')
        return clocks.tmpfs_made;
    return strcmp(path, "/sys") == 0 ? clocks.sys_made : clocks.made;
}

int
__wrap_stat64(const char *path, struct stat *ret)
{
    int r = __real_stat64(path, ret);

    if (r == 0 && clocks.pid_namespace != 0)
        ret->st_ino = clocks.pid_namespace;
    return r;
}

/* ---- The scene --------------------------------------------------------------------------- */

static int
set_up(void **state)
{
    (void)state;
    memset(&clocks, 0, sizeof(clocks));
    return !real_dir_open(&scene.dir) || os_process_hold(os_self(), &scene.self) < 0
           || os_process_identify(&scene.self, &scene.known) < 0;
}

static int
tear_down(void **state)
{
    (void)state;
    os_process_release(&scene.self);
    os_dir_close(&scene.dir);
    return 0;
}

/* ---- A namespace's own ------------------------------------------------------------------- */

static uint64_t
start_with_offsets(const char *text)
{
    struct os_identity id;
    int fd = openat((int)scene.dir.handle, "offsets", O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(dprintf(fd, "%s", text), strlen(text));
    close(fd);
    clocks.has_offsets = true;
    assert_int_equal(os_process_identify(&scene.self, &id), 0);
    clocks.has_offsets = false;
    assert_true(id.pidfd_inode == scene.known.pidfd_inode);
    return id.start;
}

/* There a start seems later, or earlier, than everywhere else. */
static void
in_a_time_namespace_a_start_is_known_to_a_tick_or_not_at_all(void **state)
{
    const uint64_t hz = (uint64_t)sysconf(_SC_CLK_TCK);

    (void)state;
    assert_int_equal(start_with_offsets("monotonic 0 0\nboottime 0 0\n"), scene.known.start);
    assert_int_equal(start_with_offsets("monotonic 0 0\nboottime -100 0\n"),
                     scene.known.start + 100 * hz);
    assert_int_equal(start_with_offsets("monotonic 0 0\nboottime -100 500000000\n"),
                     scene.known.start + 100 * hz - hz / 2);
    assert_int_equal(start_with_offsets("monotonic 0 0\nboottime 100 1\n"), 0);
    assert_int_equal(start_with_offsets("monotonic 0 0\n"), scene.known.start);
    assert_int_equal(start_with_offsets("boottime soon\n"), scene.known.start);
}

/* ---- Put back, and forward --------------------------------------------------------------- */

/* Was this process born after a file was written, so many seconds ago? */
static int
is_younger_than_file_of(int64_t seconds)
{
    struct os_file file = {.written_ns = linux_clock_ns(CLOCK_REALTIME) - seconds * SECOND};

    return os_process_is_younger(&scene.self, &scene.dir, &file);
}

static int64_t
boot(void)
{
    return linux_clock_ns(CLOCK_REALTIME) - linux_clock_ns(CLOCK_BOOTTIME);
}

static void
a_clock_that_was_put_back_makes_no_age(void **state)
{
    (void)state;
    clocks.made = boot();
    clocks.sys_made = boot() + 86400 * SECOND; /* by the clock of that moment */
    clocks.pid_namespace = INITIAL_PIDNS;
    assert_int_equal(is_younger_than_file_of(3600), -ENODATA);
    clocks.pid_namespace = 4711; /* a container's is made when it starts */
    assert_int_equal(is_younger_than_file_of(3600), 1);
    assert_int_equal(is_younger_than_file_of(-3600), -ENODATA); /* written in the future */
}

static void
a_clock_that_was_put_forward_makes_no_age_of_what_is_older(void **state)
{
    (void)state;
    clocks.made = clocks.sys_made = boot() - 86400 * SECOND;
    assert_int_equal(is_younger_than_file_of(2 * 86400), -ENODATA);
    assert_int_equal(is_younger_than_file_of(3600), 1);
}

static void
a_tmpfs_that_seems_older_than_the_boot_tells_of_it_too(void **state)
{
    (void)state;
    clocks.made = clocks.sys_made = boot();
    assert_int_equal(is_younger_than_file_of(2 * 86400), 1);
    clocks.tmpfs_made = boot() - 86400 * SECOND;
    assert_int_equal(is_younger_than_file_of(2 * 86400), -ENODATA);
    assert_int_equal(is_younger_than_file_of(3600), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(in_a_time_namespace_a_start_is_known_to_a_tick_or_not_at_all),
        TEST(a_clock_that_was_put_back_makes_no_age),
        TEST(a_clock_that_was_put_forward_makes_no_age_of_what_is_older),
        TEST(a_tmpfs_that_seems_older_than_the_boot_tells_of_it_too),
    };
    if (real_lacks_pidfd())
        return 77;
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
