/* SPDX-License-Identifier: Apache-2.0 */
/* The public words that write and remove, line by line of vortex.h. */
#include "instance.h"

/* ---- Writing ----------------------------------------------------------------------------- */

static void
writing_holds_the_lock_only_while_it_works(void **state)
{
    vortex_pid owner = 77;

    (void)state;
    assert_int_equal(vortex_pidfile_write(PIDFILE, &owner), 0);
    assert_int_equal(owner, 77);
    assert_true(pidfile_names(FAKE_SELF) && state_names(FAKE_SELF));
    assert_null(fake_find(LOCK));
    assert_int_equal(fake_handles(), 0);
    assert_int_equal(vortex_pidfile_write(PIDFILE, &owner), -EEXIST);
    assert_int_equal(owner, FAKE_SELF);
    assert_true(pidfile_names(FAKE_SELF) && state_names(FAKE_SELF));
}

static void
writing_names_the_owner_on_eexist_only(void **state)
{
    vortex_pid owner = 77;

    (void)state;
    fake_find("/run")->remote = true;
    assert_int_equal(vortex_pidfile_write(PIDFILE, &owner), -EREMOTE);
    assert_int_equal(owner, 77);
    fake_find("/run")->remote = false;
    fake_make(LOCK, FAKE_SYMLINK, "/run/elsewhere");
    assert_int_equal(vortex_pidfile_write(PIDFILE, &owner), -ELOOP);
    assert_int_equal(owner, 77);
    fake_remove(LOCK);
    fake_spawn(SERVER)->hidden = true;
    write_pidfile_of(SERVER);
    assert_int_equal(vortex_pidfile_write(PIDFILE, &owner), -ENODATA);
    assert_int_equal(owner, 77);
    fake_process(SERVER)->hidden = false;
    assert_int_equal(vortex_pidfile_write(PIDFILE, NULL), -EEXIST);
    assert_int_equal(vortex_pidfile_write(PIDFILE, &owner), -EEXIST);
    assert_int_equal(owner, SERVER);
}

static void
unlocking_removes_what_was_written(void **state)
{
    struct vortex_lock *lock;

    (void)state;
    assert_int_equal(vortex_pidfile_write_locked(PIDFILE, &lock, NULL), 0);
    assert_true(pidfile_names(FAKE_SELF) && state_names(FAKE_SELF));
    assert_null(vortex_lock_unlock(lock));
    assert_int_equal(fake_count("/run"), 0);
    assert_int_equal(fake_handles(), 0);
}

static void
unlocking_removes_nothing_that_is_anothers(void **state)
{
    struct vortex_lock *lock;

    (void)state;
    assert_int_equal(vortex_pidfile_write_locked(PIDFILE, &lock, NULL), 0);
    write_pidfile_of(SERVER); /* another file of the same name */
    write_state(fake_spawn(SERVER), NULL, HELD);
    assert_null(vortex_lock_unlock(lock));
    assert_true(pidfile_names(SERVER) && state_names(SERVER));
}

static void
unlocking_is_not_deceived_by_a_reused_inode_number(void **state)
{
    struct vortex_lock *lock;

    (void)state;
    assert_int_equal(vortex_pidfile_write_locked(PIDFILE, &lock, NULL), 0);
    fake_remove(PIDFILE);
    write_pidfile_of(SERVER);
    fake_remove(STATE);
    write_state(fake_spawn(SERVER), NULL, HELD);
    assert_null(vortex_lock_unlock(lock));
    assert_true(pidfile_names(SERVER) && state_names(SERVER));
}

static void
remove_pidfile(void *ignored)
{
    (void)ignored;
    fake_remove(PIDFILE);
}

static void
unlocking_what_somebody_removes_meanwhile_removes_the_rest(void **state)
{
    bool reached = true;

    (void)state;
    for (unsigned n = 1; reached; n++) {
        struct vortex_lock *lock;

        instance_setup(NULL);
        assert_int_equal(vortex_pidfile_write_locked(PIDFILE, &lock, NULL), 0);
        fake_watch();
        fake_hook_at(n, remove_pidfile, NULL);
        assert_null(vortex_lock_unlock(lock));
        reached = fake_steps() >= n;
        assert_int_equal(fake_count("/run"), 0);
        assert_int_equal(fake_handles(), 0);
    }
}

static void
unlocking_in_a_forked_child_frees_the_childs_copy_only(void **state)
{
    struct vortex_lock *lock;
    struct fake_process *child;

    (void)state;
    assert_int_equal(vortex_pidfile_write_locked(PIDFILE, &lock, NULL), 0);
    child = fake_fork(RIVAL);
    fake_become(RIVAL);
    assert_null(vortex_lock_unlock(lock)); /* in a real child this memory is its own copy */
    assert_int_equal(fake_handles(), 0);
    fake_kill(child);
    fake_become(FAKE_SELF);
    assert_true(pidfile_names(FAKE_SELF) && state_names(FAKE_SELF));
    assert_int_equal(start_as(SUPERVISOR), -EEXIST);
    fake_remove(STATE);
    fake_remove(PIDFILE);
    assert_int_equal(verdict(), VORTEX_BUSY);
}

/* ---- Removing ---------------------------------------------------------------------------- */

static void
removing_is_idempotent(void **state)
{
    (void)state;
    assert_int_equal(vortex_pidfile_remove(PIDFILE), 0);
    assert_int_equal(fake_count("/run"), 0);
    assert_int_equal(vortex_pidfile_remove("/run/no/web.pid"), 0);
    assert_null(fake_find("/run/no"));
    crash(server(SERVER));
    assert_int_equal(vortex_pidfile_remove(PIDFILE), 0);
    assert_int_equal(fake_count("/run"), 0);
    assert_int_equal(vortex_pidfile_remove(PIDFILE), 0);
    assert_int_equal(fake_count("/run"), 0);
    assert_int_equal(fake_handles(), 0);
}

static void
ones_own_files_are_removed(void **state)
{
    (void)state;
    assert_int_equal(vortex_pidfile_write(PIDFILE, NULL), 0);
    assert_int_equal(vortex_pidfile_remove(PIDFILE), 0);
    assert_int_equal(fake_count("/run"), 0);
}

static void
ones_own_files_are_removed_while_the_lock_is_kept(void **state)
{
    struct vortex_lock *lock;

    (void)state;
    assert_int_equal(vortex_pidfile_write_locked(PIDFILE, &lock, NULL), 0);
    assert_int_equal(vortex_pidfile_remove(PIDFILE), 0);
    assert_null(fake_find(PIDFILE));
    assert_null(fake_find(STATE));
    assert_int_equal(start_as(RIVAL), -EBUSY); /* it is held all the same */
    assert_null(vortex_lock_unlock(lock));
    assert_int_equal(fake_count("/run"), 0);
}

static void
what_another_wrote_over_ones_own_pidfile_stays(void **state)
{
    (void)state;
    assert_int_equal(vortex_pidfile_write(PIDFILE, NULL), 0);
    fake_spawn(SERVER);
    write_pidfile_of(SERVER);
    assert_int_equal(vortex_pidfile_remove(PIDFILE), 0);
    assert_true(pidfile_names(SERVER));
    assert_null(fake_find(STATE)); /* that was ours */
}

static void
nobodys_files_are_removed(void **state)
{
    static const char *const contents[] = {"", "garbage", "4711\n", "1\n"};

    (void)state;
    for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
        write_pidfile(contents[i]);
        fake_make(STATE, FAKE_REGULAR, "broken");
        assert_int_equal(vortex_pidfile_remove(PIDFILE), 0);
        assert_int_equal(fake_count("/run"), 0);
    }
    fake_make(PIDFILE, FAKE_SYMLINK, "/tmp/elsewhere");
    fake_make("/tmp/elsewhere", FAKE_REGULAR, "precious");
    assert_int_equal(vortex_pidfile_remove(PIDFILE), 0);
    assert_true(fake_holds("/tmp/elsewhere", "precious"));
}

static void
what_a_crash_left_is_removed_too(void **state)
{
    (void)state;
    crash(server(SERVER));
    leave_temporaries();
    assert_int_equal(vortex_pidfile_remove(PIDFILE), 0);
    assert_int_equal(fake_count("/run"), 0);
}

static void
the_livings_files_are_not_removed(void **state)
{
    struct fake_process *supervisor, *hosted;

    (void)state;
    server(SERVER);
    assert_int_equal(vortex_pidfile_remove(PIDFILE), -EBUSY);
    assert_true(pidfile_names(SERVER) && state_names(SERVER) && fake_find(LOCK) != NULL);
    instance_setup(NULL);
    writer(SERVER);
    assert_int_equal(vortex_pidfile_remove(PIDFILE), -EBUSY);
    assert_true(pidfile_names(SERVER) && state_names(SERVER));
    instance_setup(NULL);
    supervisor = fake_spawn(SUPERVISOR);
    hosted = fake_spawn(SERVER);
    write_state(supervisor, hosted, HELD);
    write_pidfile_of(SUPERVISOR);
    crash(supervisor);
    assert_int_equal(vortex_pidfile_remove(PIDFILE), -EBUSY);
    assert_true(pidfile_names(SUPERVISOR) && state_names(SUPERVISOR));
    assert_int_equal(fake_handles(), 0);
}

static void
what_may_be_the_livings_is_not_removed(void **state)
{
    (void)state;
    lock_holder(RIVAL);
    write_pidfile("garbage");
    assert_int_equal(vortex_pidfile_remove(PIDFILE), -EBUSY);
    assert_true(fake_holds(PIDFILE, "garbage"));
    fake_kill(fake_process(RIVAL));
    fake_spawn(SERVER)->hidden = true;
    write_pidfile_of(SERVER);
    assert_int_equal(vortex_pidfile_remove(PIDFILE), -EBUSY);
    assert_true(pidfile_names(SERVER));
    assert_int_equal(fake_handles(), 0);
}

/* The lock that is made for the removal proves nothing of a server that an rm took its own from. */
static void
what_may_be_another_namespaces_is_not_removed(void **state)
{
    (void)state;
    server(1);
    fake_enter_namespace(42, 7);
    fake_remove(LOCK);
    assert_int_equal(vortex_pidfile_remove(PIDFILE), -EBUSY);
    assert_true(pidfile_names(1) && state_names(1));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(writing_holds_the_lock_only_while_it_works),
        TEST(writing_names_the_owner_on_eexist_only),
        TEST(unlocking_removes_what_was_written),
        TEST(unlocking_removes_nothing_that_is_anothers),
        TEST(unlocking_is_not_deceived_by_a_reused_inode_number),
        TEST(unlocking_what_somebody_removes_meanwhile_removes_the_rest),
        TEST(unlocking_in_a_forked_child_frees_the_childs_copy_only),
        TEST(removing_is_idempotent),
        TEST(ones_own_files_are_removed),
        TEST(ones_own_files_are_removed_while_the_lock_is_kept),
        TEST(what_another_wrote_over_ones_own_pidfile_stays),
        TEST(nobodys_files_are_removed),
        TEST(what_a_crash_left_is_removed_too),
        TEST(the_livings_files_are_not_removed),
        TEST(what_may_be_the_livings_is_not_removed),
        TEST(what_may_be_another_namespaces_is_not_removed),
    };

    return cmocka_run_group_tests_name("writing", tests, NULL, NULL);
}
