/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linux refuses a call, any of them: whoever made it says so, or says what is still known; nobody
 * alive looks dead, what was published stays, and no handle is left open.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/os.h"
#include "os/posix.h"
#include "real.h"
#include "refusing.h"
#include "vortex.h"

#define MOST 1000

/* Beside those of refusing.c; test_cgroup.c has others in their place. */
REFUSING_CALL(int, access, -1, (const char *path, int mode), (path, mode))
REFUSING_CALL(ssize_t, fgetxattr, -1, (int fd, const char *name, void *value, size_t size),
              (fd, name, value, size))
REFUSING_CALL(FILE *, fopen64, NULL, (const char *path, const char *mode), (path, mode))
REFUSING_CALL(int, fstatfs64, -1, (int fd, struct statfs *ret), (fd, ret))
REFUSING_CALL(int, mkdirat, -1, (int dir, const char *name, mode_t mode), (dir, name, mode))
REFUSING_CALL(int, unlinkat, -1, (int dir, const char *name, int flags), (dir, name, flags))
REFUSING_CALL(ssize_t, write, -1, (int fd, const void *buf, size_t size), (fd, buf, size))

static struct {
    struct os_dir dir;
    struct os_identity self;
    pid_t child;
} scene;

static struct os_lock held; /* by us and our child */

static int
set_up(void **state)
{
    struct os_hold hold;

    (void)state;
    if (!real_dir_open(&scene.dir) || os_process_hold(os_self(), &hold) < 0)
        return -1;
    if (os_process_identify(&hold, &scene.self) < 0)
        return -1;
    os_process_release(&hold);
    if (os_lock_open(&scene.dir, "held", true, &held, NULL) < 0 || os_lock_take(&held) < 0)
        return -1;
    scene.child = fork(); /* which has the lock as we have */
    if (scene.child == 0)
        for (;;)
            pause();
    return scene.child < 0;
}

static int
tear_down(void **state)
{
    (void)state;
    if (scene.child > 0) {
        (void)kill(scene.child, SIGKILL);
        (void)waitpid(scene.child, NULL, 0);
    }
    os_lock_close(&held);
    os_dir_close(&scene.dir);
    return 0;
}

/* ---- Processes --------------------------------------------------------------------------- */

static void
expect_alive(const struct os_hold *hold, struct os_identity known)
{
    const struct os_speaker root = {OS_SPEAKS_FOR_USER, getuid()};
    struct os_file file = {.written_ns = 0};
    struct os_process_facts facts;
    int r;

    assert_int_not_equal(os_process_compare(hold, &known), OS_OTHER);
    known.pidfd_inode = 0; /* as a kernel without it would have written */
    assert_int_not_equal(os_process_compare(hold, &known), OS_OTHER);
    assert_int_not_equal(os_process_wait(hold, 0), 0);
    assert_int_not_equal(os_boot_differs(&known), 1);
    assert_int_not_equal(os_namespace_differs(&known), 1);
    refuse_expect(os_process_signal(hold, 0));
    r = os_process_is_of(hold, &root);
    assert_true(r == 1 || r == -ENODATA);
    file.written_ns = os_wall_ms() * 1000000;
    r = os_process_is_younger(hold, &scene.dir, &file);
    assert_true(r == 0 || r == -ENODATA);
    assert_true(os_process_runs(hold->pid) || refuse_has());
    os_process_describe(hold, &facts);
    assert_true(os_process_age_ms(hold) >= -1 && facts.memory_bytes >= -1);
    assert_int_equal(os_process_belongs(hold, 0, "/nowhere"), 0);
}

static void
identify(void)
{
    struct os_hold hold;
    struct os_identity id;
    int r = os_process_hold(os_self(), &hold);

    refuse_expect(r);
    if (r < 0)
        return;
    expect_alive(&hold, scene.self);
    r = os_process_identify(&hold, &id);
    refuse_expect(r);
    if (r == 0) {
        assert_true(id.start == scene.self.start || id.start == 0);
        assert_true(id.pidfd_inode == scene.self.pidfd_inode || id.pidfd_inode == 0);
        assert_true(id.pid_namespace == scene.self.pid_namespace || id.pid_namespace == 0);
        assert_true(strcmp(id.boot, scene.self.boot) == 0 || id.boot[0] == '\0');
    }
    os_process_release(&hold);
}

static void
who_lives_is_never_dead(void **state)
{
    (void)state;
    refuse_each(identify, MOST);
}

/* ---- Locks and files --------------------------------------------------------------------- */

static void
lock(void)
{
    struct os_lock mine;
    enum os_lock_seen seen;
    int r = os_lock_open(&scene.dir, "lock", true, &mine, NULL);
    bool is_taken;

    refuse_expect(r);
    if (r < 0)
        return;
    r = os_lock_claim(&mine); /* POSIX lets a kernel say EACCES of one that another has */
    refuse_expect(r == -EWOULDBLOCK && refuse_error() == EACCES ? 0 : r);
    r = os_lock_take(&mine);
    refuse_expect(r);
    is_taken = !refuse_has(); /* all of it */
    seen = os_lock_ask(&scene.dir, "lock");
    assert_true(!is_taken || seen == OS_LOCK_HELD || (refuse_has() && seen == OS_LOCK_UNKNOWN));
    refuse_expect(os_lock_pass_on(&mine, true));
    os_lock_close(&mine);
}

static void
a_lock_that_is_held_never_seems_free(void **state)
{
    (void)state;
    refuse_each(lock, MOST);
}

static void
find_holders(void)
{
    int64_t pids[4];
    int r = os_lock_holders(&scene.dir, "held", pids, 4);

    refuse_expect(r);
    assert_true(refuse_has() || r == 2);
    for (int i = 0; i < r; i++)
        assert_true(pids[i] == os_self() || pids[i] == scene.child);
}

static void
nobody_is_taken_for_a_holder(void **state)
{
    (void)state;
    refuse_each(find_holders, 15); /* of each process on this machine there are several */
}

static bool
is_there(const char *name)
{
    struct os_file_id id;
    bool seen = os_file_identify(&scene.dir, name, &id) == 0;

    return seen || refuse_has();
}

static void
publish(void)
{
    struct os_file_id id, judged;
    int r = os_file_create(&scene.dir, "temp", "x", 1, 0644, &id);

    refuse_expect(r);
    if (r == 0) {
        r = os_file_publish(&scene.dir, "temp", "name", NULL);
        refuse_expect(r == -EAGAIN && refuse_has() ? 0 : r);
        assert_true(r < 0 || is_there("name"));
    }
    if (r == 0 && os_file_identify(&scene.dir, "name", &judged) == 0
        && os_file_create(&scene.dir, "temp", "y", 1, 0644, &id) == 0) {
        r = os_file_publish(&scene.dir, "temp", "name", &judged);
        refuse_expect(r == -EAGAIN && refuse_has() ? 0 : r);
        assert_true(is_there("name"));
        if (r == 0)
            refuse_expect(os_file_unpublish(&scene.dir, "temp", "name", &judged));
        assert_true(is_there("name"));
    }
    r = os_dir_is_remote(&scene.dir);
    assert_true(r == 0 || refuse_has());
    refuse_end();
    (void)os_file_remove(&scene.dir, "temp");
    (void)os_file_remove(&scene.dir, "name");
}

static void
what_was_published_stays(void **state)
{
    (void)state;
    refuse_each(publish, MOST);
    refuse_each_with(publish, MOST, EINVAL); /* renameat2's flags: it must do without */
}

/* ---- Words and descriptors --------------------------------------------------------------- */

static void
notify(void)
{
    char text[256];
    struct os_handles handles = {.count = 0};
    intptr_t handle;
    int64_t pid, n;
    int r;

    (void)unsetenv("NOTIFY_SOCKET");
    r = os_notify_open(1000, 3, &handle);
    refuse_expect(r);
    if (r < 0)
        return;
    r = os_notify_send(getenv("NOTIFY_SOCKET"), "READY=1", STDIN_FILENO, scene.child);
    refuse_expect(r);
    n = os_notify_read(handle, text, sizeof(text), &pid, &handles);
    refuse_expect(r < 0 && n == -EAGAIN ? 0 : n);
    if (n > 0) {
        assert_string_equal(text, "READY=1");
        assert_int_equal(handles.count, 1);
        assert_true(pid == scene.child || pid == os_self());
    }
    r = vortex_notify_barrier(0);
    refuse_expect(r == -ETIMEDOUT || r == -ENOTCONN ? 0 : r); /* setenv was refused */
    for (size_t i = 0; i < handles.count; i++)
        (void)os_handle_close(handles.list[i]);
    (void)os_handle_close(handle);
}

static void
a_word_that_was_not_heard_was_not_said(void **state)
{
    (void)state;
    refuse_each(notify, MOST);
    refuse_each_with(notify, MOST, EINTR);
    refuse_each_with(notify, MOST, EPERM); /* another's name: then in our own */
    (void)unsetenv("NOTIFY_SOCKET");
    (void)unsetenv("WATCHDOG_USEC");
    (void)unsetenv("FDSTORE");
}

static void
keep(void)
{
    intptr_t watch;
    int ends[2], same, r;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    same = dup(ends[0]);
    assert_true(os_handle_is_same(ends[0], same) || refuse_has());
    assert_false(os_handle_is_same(ends[0], ends[1]));
    assert_false(os_handle_is_same(ends[0], STDIN_FILENO));
    r = os_watch_open(&watch);
    refuse_expect(r);
    if (r == 0) {
        r = os_watch_add(watch, ends[0]);
        refuse_expect(r);
        assert_int_equal(os_watch_next(watch), OS_NONE);
        close(ends[1]);
        ends[1] = -1;
        assert_int_equal(os_watch_next(watch), r < 0 ? OS_NONE : ends[0]);
        os_watch_remove(watch, ends[0]);
        (void)os_handle_close(watch);
    }
    close(same);
    close(ends[0]);
    if (ends[1] >= 0)
        close(ends[1]);
}

static void
two_descriptors_never_pass_for_one(void **state)
{
    (void)state;
    refuse_each(keep, MOST);
}

/* ---- A supervisor ------------------------------------------------------------------------ */

static void
supervise(void)
{
    struct os_hold child;
    intptr_t signals;
    int r;

    r = os_supervisor_prepare(&signals);
    refuse_expect(r);
    if (r == 0) {
        r = os_signal_next(signals);
        refuse_expect(r);
        (void)os_handle_close(signals);
    }
    /* What is forbidden can't be found, and so is not waited for. */
    assert_true(!os_is_childless(0) || refuse_error() == EACCES);
    assert_true(os_is_childless(scene.child) || refuse_has());
    assert_true(os_descendants_signal(0, 0) == 1 || refuse_has());
    assert_int_equal(os_descendants_signal(SIGKILL, scene.child), 0);
    if (os_process_hold(os_self(), &child) == 0) {
        assert_false(os_is_descendant(&child));
        os_process_release(&child);
    }
    if (os_process_hold(scene.child, &child) == 0) {
        assert_true(os_is_descendant(&child) || refuse_has());
        os_process_release(&child);
    }
}

static void
a_child_is_never_overlooked(void **state)
{
    sigset_t mask;

    (void)state;
    assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &mask), 0);
    refuse_each(supervise, MOST);
    (void)signal(SIGPIPE, SIG_DFL);
    assert_int_equal(pthread_sigmask(SIG_SETMASK, &mask, NULL), 0);
}

static void
hurry(void)
{
    struct os_pace former;

    os_hurry(&former);
    os_hurry_end(&former);
    refuse_end();
    assert_int_equal(sched_getscheduler(0), SCHED_OTHER);
}

static void
a_hurry_has_an_end(void **state)
{
    const struct sched_param param = {.sched_priority = 0};

    (void)state;
    refuse_at(0, 0, false);
    hurry();
    /* Where its end is refused, or was all that could be, it hurries on. */
    for (unsigned n = 1; n <= 3; n++) {
        struct os_pace former;

        refuse_at(n, EPERM, false);
        os_hurry(&former);
        os_hurry_end(&former);
        refuse_at(0, 0, false);
        assert_int_equal(sched_setscheduler(0, SCHED_OTHER, &param), 0);
    }
}

/* ---- A server ---------------------------------------------------------------------------- */

static bool
is_closed_by_exec(int fd)
{
    int flags;

    refuse_rest(true);
    flags = fcntl(fd, F_GETFD);
    refuse_rest(false);
    return flags == FD_CLOEXEC;
}

/* What a child does before its exec, of which a call is refused. Its exit status. */
static int
become(unsigned n)
{
    const struct os_cpus cpus = {.bits = {1}};
    struct os_cgroup cgroup = {.handle = STDIN_FILENO}; /* is none: then born into ours */
    int first = dup(STDIN_FILENO), kept = dup(STDIN_FILENO), last = dup(STDIN_FILENO);
    pid_t pid;

    refuse_at(n, ENOSYS, false);
    posix_keep_from_exec(first, kept);
    if (!is_closed_by_exec(first) || is_closed_by_exec(kept) || !is_closed_by_exec(last))
        return 1;
    refuse_at(n, ENOSYS, false);
    posix_keep_from_exec(kept, kept);
    refuse_at(n, ENOSYS, false);
    posix_close_range(kept, kept);
    refuse_at(n, ENOSYS, false);
    if (posix_set_oom(0) < 0 && !refuse_has())
        return 2;
    if (posix_set_cpus(&cpus) < 0 || (posix_no_new_privileges() < 0 && !refuse_has()))
        return 3;
    if (posix_die_with(getppid()) < 0 && !refuse_has())
        return 4;
    refuse_at(0, 0, false);
    if (posix_die_with(getpid()) != -ESRCH)
        return 5;
    pid = posix_fork_into(&cgroup);
    if (pid == 0)
        _exit(0);
    if (waitpid(pid, NULL, 0) != pid)
        return 6;
    posix_close_range(first, -1);
    return fcntl(last, F_GETFD) < 0 ? 0 : 7;
}

static void
an_older_kernel_does_without(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 8; n++) {
        int status = -1;
        pid_t pid = fork();

        if (pid == 0)
            _exit(become(n));
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_lives_is_never_dead),
        cmocka_unit_test(a_lock_that_is_held_never_seems_free),
        cmocka_unit_test(nobody_is_taken_for_a_holder),
        cmocka_unit_test(what_was_published_stays),
        cmocka_unit_test(a_word_that_was_not_heard_was_not_said),
        cmocka_unit_test(two_descriptors_never_pass_for_one),
        cmocka_unit_test(a_child_is_never_overlooked),
        cmocka_unit_test(a_hurry_has_an_end),
        cmocka_unit_test(an_older_kernel_does_without),
    };

    if (real_lacks_pidfd())
        return 77;
    return cmocka_run_group_tests_name("refused", tests, set_up, tear_down);
}
