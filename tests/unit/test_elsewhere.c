/* SPDX-License-Identifier: Apache-2.0 */
/* On other kernels and file systems than this machine has: less is known, and nothing is wrong. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/linux.h"
#include "os/posix.h"
#include "real.h"

#define DUPFD_QUERY (1024 + 3)

/* ---- The other machine ------------------------------------------------------------------- */

static struct {
    uint32_t file_system;   /* of everything; 0: as it is */
    bool has_other_devices; /* stat and the table of locks don't agree */
    long lacks;             /* a system call; 0: none */
    int lacks_by;           /* with that error */
    bool lacks_dupfd_query; /* of fcntl */
    bool lacks_links;       /* a second name of a file */
} elsewhere;

int __real_fcntl64(int fd, int what, ...);
int __wrap_fcntl64(int fd, int what, ...);
int __real_fstatat64(int dir, const char *name, struct stat *ret, int flags);
int __wrap_fstatat64(int dir, const char *name, struct stat *ret, int flags);
int __real_fstatfs64(int fd, struct statfs *ret);
int __wrap_fstatfs64(int fd, struct statfs *ret);
int __real_linkat(int from, const char *old, int to, const char *name, int flags);
int __wrap_linkat(int from, const char *old, int to, const char *name, int flags);
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

static struct {
    struct os_dir dir;
    struct os_hold self;
} scene;

static int
refused_by(int error)
{
    errno = error;
    return -1;
}

int
__wrap_fcntl64(int fd, int what, ...)
{
    va_list ap;
    long more;

    va_start(ap, what);
    more = va_arg(ap, long);
    va_end(ap);
    if (what == DUPFD_QUERY && elsewhere.lacks_dupfd_query)
        return refused_by(EINVAL);
    return __real_fcntl64(fd, what, more);
}

int
__wrap_fstatat64(int dir, const char *name, struct stat *ret, int flags)
{
    int r = __real_fstatat64(dir, name, ret, flags);

    if (r == 0 && elsewhere.has_other_devices)
        ret->st_dev++;
    return r;
}

int
__wrap_fstatfs64(int fd, struct statfs *ret)
{
    int r = __real_fstatfs64(fd, ret);

    if (r == 0 && elsewhere.file_system != 0)
        ret->f_type = (__typeof__(ret->f_type))elsewhere.file_system;
    return r;
}

int
__wrap_linkat(int from, const char *old, int to, const char *name, int flags)
{
    return elsewhere.lacks_links ? refused_by(EPERM) : __real_linkat(from, old, to, name, flags);
}

long
__wrap_syscall(long number, ...)
{
    va_list ap;
    long more[5];

    va_start(ap, number);
    for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
        more[i] = va_arg(ap, long);
    va_end(ap);
    return number == elsewhere.lacks
               ? refused_by(elsewhere.lacks_by)
               : __real_syscall(number, more[0], more[1], more[2], more[3], more[4]);
}

/* ---- The scene --------------------------------------------------------------------------- */

static int
set_up(void **state)
{
    (void)state;
    memset(&elsewhere, 0, sizeof(elsewhere));
    return !real_dir_open(&scene.dir) || os_process_hold(os_self(), &scene.self) < 0;
}

static int
tear_down(void **state)
{
    (void)state;
    os_process_release(&scene.self);
    os_dir_close(&scene.dir);
    return 0;
}

/* ---- File systems ------------------------------------------------------------------------ */

static void
a_directory_that_others_share_is_remote(void **state)
{
    static const uint32_t remote[] = {NFS_SUPER_MAGIC,   SMB_SUPER_MAGIC, 0xFE534D42, 0xFF534D42,
                                      AFS_SUPER_MAGIC,   0x00C36400,      V9FS_MAGIC, 0x0BD00BD0,
                                      OCFS2_SUPER_MAGIC, 0x01161970};
    static const uint32_t local[] = {EXT4_SUPER_MAGIC, TMPFS_MAGIC, XFS_SUPER_MAGIC,
                                     BTRFS_SUPER_MAGIC, OVERLAYFS_SUPER_MAGIC};

    (void)state;
    for (size_t i = 0; i < sizeof(remote) / sizeof(remote[0]); i++) {
        elsewhere.file_system = remote[i];
        assert_int_equal(os_dir_is_remote(&scene.dir), 1);
    }
    for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++) {
        elsewhere.file_system = local[i];
        assert_int_equal(os_dir_is_remote(&scene.dir), 0);
    }
}

static void
holders_are_found_where_the_kernel_names_another_device(void **state)
{
    struct os_lock lock;
    int64_t pid = 0;

    (void)state;
    assert_int_equal(os_lock_open(&scene.dir, "lock", true, &lock, NULL), 0);
    assert_int_equal(os_lock_take(&lock), 0);
    elsewhere.has_other_devices = true;
    elsewhere.file_system = EXT4_SUPER_MAGIC;
    assert_int_equal(os_lock_holders(&scene.dir, "lock", &pid, 1),
                     0); /* another file of that number */
    elsewhere.file_system = OVERLAYFS_SUPER_MAGIC;
    assert_int_equal(os_lock_holders(&scene.dir, "lock", &pid, 1), 1);
    assert_int_equal(pid, os_self());
    elsewhere.file_system = BTRFS_SUPER_MAGIC;
    assert_int_equal(os_lock_holders(&scene.dir, "lock", &pid, 1), 1);
    elsewhere.has_other_devices = false;
    os_lock_close(&lock);
}

static bool
is_there(const char *name)
{
    struct os_file_id id;

    return os_file_identify(&scene.dir, name, &id) == 0;
}

static void
without_flags_for_a_rename_a_link_and_two_steps_must_do(void **state)
{
    struct os_file_id id, judged;

    (void)state;
    elsewhere.lacks = SYS_renameat2;
    elsewhere.lacks_by = EINVAL;
    assert_int_equal(os_file_create(&scene.dir, "temp", "x", 1, 0644, &id), 0);
    elsewhere.lacks_links = true;
    assert_int_equal(os_file_publish(&scene.dir, "temp", "name", NULL), -EPERM);
    assert_true(is_there("temp") && !is_there("name"));
    elsewhere.lacks_links = false;
    assert_int_equal(os_file_publish(&scene.dir, "temp", "name", NULL), 0);
    assert_true(is_there("name") && !is_there("temp"));
    assert_int_equal(os_file_create(&scene.dir, "temp", "y", 1, 0644, &id), 0);
    assert_int_equal(os_file_publish(&scene.dir, "temp", "name", NULL), -EAGAIN);
    assert_true(is_there("name") && is_there("temp"));

    /* What is replaced is what was judged, and isn't kept. */
    assert_int_equal(os_file_publish(&scene.dir, "temp", "name", &id), -EAGAIN);
    assert_int_equal(os_file_identify(&scene.dir, "name", &judged), 0);
    assert_int_equal(os_file_publish(&scene.dir, "temp", "name", &judged), 0);
    assert_true(is_there("name") && !is_there("temp"));
    assert_int_equal(os_file_unpublish(&scene.dir, "temp", "name", &judged), 0);
    assert_false(is_there("name"));
    assert_int_equal(os_file_create(&scene.dir, "temp", "z", 1, 0644, &id), 0);
    assert_int_equal(os_file_publish(&scene.dir, "temp", "name", &judged), -EAGAIN);
}

/* ---- Kernels ----------------------------------------------------------------------------- */

static void
a_sandbox_without_pidfds_is_no_question_of_rights(void **state)
{
    struct os_hold hold;

    (void)state;
    elsewhere.lacks = SYS_pidfd_open;
    elsewhere.lacks_by = EPERM;
    assert_int_equal(os_process_hold(os_self(), &hold), -ENOSYS);
}

static void
without_pidfs_a_process_is_known_by_its_start(void **state)
{
    struct os_identity old, recent;

    (void)state;
    assert_int_equal(os_process_identify(&scene.self, &recent), 0);
    elsewhere.file_system = ANON_INODE_FS_MAGIC;
    assert_int_equal(os_process_identify(&scene.self, &old), 0);
    assert_int_equal(old.pidfd_inode, 0);
    assert_int_equal(os_process_compare(&scene.self, &old), OS_SAME);
    assert_int_equal(os_process_compare(&scene.self, &recent), OS_SAME);
    old.start++;
    assert_int_equal(os_process_compare(&scene.self, &old), OS_OTHER);
    recent.pidfd_inode = 4711; /* a newer kernel wrote it, before the boot of this one */
    recent.boot[0] = recent.boot[0] == 'x' ? 'y' : 'x';
    assert_int_equal(os_process_compare(&scene.self, &recent), OS_OTHER);
}

static void
with_pidfs_a_process_is_known_by_its_inode(void **state)
{
    struct os_identity known;

    (void)state;
    elsewhere.file_system = 0x50494446;
    assert_int_equal(os_process_identify(&scene.self, &known), 0);
    assert_int_not_equal(known.pidfd_inode, 0);
    known.start++;
    assert_int_equal(os_process_compare(&scene.self, &known), OS_SAME);
    known.boot[0] = known.boot[0] == 'x' ? 'y' : 'x';
    assert_int_equal(os_process_compare(&scene.self, &known), OS_OTHER); /* by its start, too */
    known.start--;
    assert_int_equal(os_process_compare(&scene.self, &known), OS_SAME); /* in a container */
    known.pidfd_inode++;
    assert_int_equal(os_process_compare(&scene.self, &known), OS_OTHER);
}

/* Each kernel has its own word for it. */
static void
a_threads_number_is_no_processs(void **state)
{
    struct os_hold hold;

    (void)state;
    elsewhere.lacks = SYS_pidfd_open;
    elsewhere.lacks_by = EINVAL;
    assert_int_equal(os_process_hold(os_self(), &hold), -ESRCH);
    elsewhere.lacks_by = ENOENT;
    assert_int_equal(os_process_hold(os_self(), &hold), -ESRCH);
    elsewhere.lacks_by = EMFILE;
    assert_int_equal(os_process_hold(os_self(), &hold), -EMFILE);
}

static void
where_descriptors_cannot_be_compared_one_sockets_end_is_one_inode(void **state)
{
    int sockets[2], pipes[2], same;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    assert_int_equal(pipe(pipes), 0);
    same = dup(sockets[0]);
    elsewhere.lacks = SYS_kcmp;
    elsewhere.lacks_by = EPERM;
    elsewhere.lacks_dupfd_query = true;
    assert_true(os_handle_is_same(sockets[0], same));
    assert_false(os_handle_is_same(sockets[0], sockets[1]));
    assert_false(os_handle_is_same(pipes[0], pipes[1])); /* which are of one inode */
    assert_false(os_handle_is_same(sockets[0], pipes[0]));
    close(same);
    assert_false(os_handle_is_same(sockets[0], same));
    assert_false(os_handle_is_same(same, sockets[0]));
    for (int i = 0; i < 2; i++) {
        close(sockets[i]);
        close(pipes[i]);
    }
}

static void
without_close_range_all_are_closed_one_by_one(void **state)
{
    int first = dup(STDIN_FILENO), second = dup(STDIN_FILENO), status = -1;
    pid_t pid = fork();

    (void)state;
    if (pid == 0) {
        elsewhere.lacks = SYS_close_range;
        elsewhere.lacks_by = ENOSYS;
        posix_close_range(first, -1);
        _exit(fcntl(first, F_GETFD) < 0 && fcntl(second, F_GETFD) < 0 ? 0 : 1);
    }
    close(first);
    close(second);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void
without_a_group_a_child_is_born_into_ours(void **state)
{
    const struct os_cgroup none = {.handle = OS_NONE};
    const struct os_cgroup *const groups[] = {NULL, &none};

    (void)state;
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        pid_t pid = posix_fork_into(groups[i]);
        int status = -1;

        if (pid == 0)
            _exit(7);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(WEXITSTATUS(status), 7);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_directory_that_others_share_is_remote),
        TEST(holders_are_found_where_the_kernel_names_another_device),
        TEST(without_flags_for_a_rename_a_link_and_two_steps_must_do),
        TEST(a_sandbox_without_pidfds_is_no_question_of_rights),
        TEST(without_pidfs_a_process_is_known_by_its_start),
        TEST(with_pidfs_a_process_is_known_by_its_inode),
        TEST(a_threads_number_is_no_processs),
        TEST(where_descriptors_cannot_be_compared_one_sockets_end_is_one_inode),
        TEST(without_close_range_all_are_closed_one_by_one),
        TEST(without_a_group_a_child_is_born_into_ours),
    };
    if (real_lacks_pidfd())
        return 77;
    return cmocka_run_group_tests_name("elsewhere", tests, NULL, NULL);
}
