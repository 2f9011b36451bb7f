/* SPDX-License-Identifier: Apache-2.0 */
/* A claim that a server inherited over exec, as of vortex run: it is adopted, by the server alone. */
#include "instance.h"

/* The current process claims as `vortex run` does, and becomes the server. */
static void
run(void)
{
    struct claim claim;

    claim_init(&claim);
    assert_int_equal(claim_all(&claim, PIDFILE, true, NULL), 0);
    claim_finish(&claim);
    assert_int_equal(os_lock_pass_on(&claim.lock, true), 0);
    fake_exec();
}

static void
a_server_that_was_run_adopts_its_claim(void **state)
{
    struct vortex_lock *lock, *second = NULL;
    vortex_pid owner = 77;

    (void)state;
    run();
    assert_int_equal(vortex_pidfile_write_locked(PIDFILE, &lock, &owner), 0);
    assert_int_equal(owner, 77);
    assert_true(pidfile_names(FAKE_SELF) && state_names(FAKE_SELF) && is_tidy());
    assert_int_equal(vortex_pidfile_write_locked(PIDFILE, &second, &owner), -EEXIST);
    assert_int_equal(owner, FAKE_SELF);
    assert_int_equal(start_as(RIVAL), -EEXIST);
    assert_null(vortex_lock_unlock(lock));
    assert_int_equal(fake_count("/run"), 0);
    assert_int_equal(fake_handles(), 0);
}

static void
a_server_that_was_run_may_take_the_lock_alone(void **state)
{
    struct vortex_lock *lock;

    (void)state;
    run();
    assert_int_equal(vortex_pidfile_lock(PIDFILE, &lock), 0);
    assert_true(pidfile_names(FAKE_SELF) && state_names(FAKE_SELF));
    assert_int_equal(start_as(RIVAL), -EEXIST);
    assert_null(vortex_lock_unlock(lock));
    assert_int_equal(fake_handles(), 0);
}

static void
a_server_that_was_run_may_write_and_keeps_its_life(void **state)
{
    (void)state;
    run();
    assert_int_equal(vortex_pidfile_write(PIDFILE, NULL), 0);
    assert_verdict(VORTEX_RUNNING, FAKE_SELF);
    fake_remove(PIDFILE);
    fake_remove(STATE);
    assert_int_equal(verdict(), VORTEX_BUSY); /* its lock is still held */
}

static void
rival_claims(void *lock)
{
    struct paths paths;

    fake_become(RIVAL);
    if (paths_open(PIDFILE, false, &paths) < 0)
        return;
    if (os_lock_open(&paths.dir, paths.lock, false, lock, NULL) == 0)
        (void)os_lock_claim(lock);
    paths_close(&paths);
}

/* A rival begins a claim at step n, and never ends it. */
static bool
adopt_beside_at(unsigned n)
{
    struct os_lock rivals;
    struct vortex_lock *lock;
    bool reached;
    int r;

    instance_setup(NULL);
    run();
    fake_spawn(RIVAL);
    fake_watch();
    fake_hook_at(n, rival_claims, &rivals);
    r = vortex_pidfile_write_locked(PIDFILE, &lock, NULL);
    reached = fake_steps() >= n;
    assert_true(r == 0 || r == -EEXIST);
    assert_true(pidfile_names(FAKE_SELF) && state_names(FAKE_SELF) && is_tidy());
    assert_verdict(VORTEX_RUNNING, FAKE_SELF);
    if (r == 0) {
        assert_null(vortex_lock_unlock(lock));
        assert_null(fake_find(PIDFILE));
        assert_int_equal(fake_handles(), 0);
    }
    return reached;
}

static void
a_server_that_was_run_lives_on_beside_anothers_claim(void **state)
{
    (void)state;
    for (unsigned n = 1; adopt_beside_at(n); n++)
        ;
}

static void
who_lost_its_pidfile_is_told_that_it_lives(void **state)
{
    struct vortex_lock *lock = NULL;
    vortex_pid owner = 77;

    (void)state;
    run();
    fake_remove(PIDFILE);
    assert_int_equal(vortex_pidfile_write_locked(PIDFILE, &lock, &owner), -EEXIST);
    assert_int_equal(owner, FAKE_SELF);
    assert_verdict(VORTEX_RUNNING, FAKE_SELF);
    assert_int_equal(start_as(RIVAL), -EEXIST);
}

static void
another_process_adopts_nothing(void **state)
{
    struct vortex_lock *lock = NULL;
    vortex_pid owner = 77;

    (void)state;
    run();
    fake_fork(RIVAL); /* a worker, which has the descriptor too */
    fake_become(RIVAL);
    assert_int_equal(vortex_pidfile_write_locked(PIDFILE, &lock, &owner), -EEXIST);
    assert_int_equal(owner, FAKE_SELF);
    assert_null(lock);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_server_that_was_run_adopts_its_claim),
        TEST(a_server_that_was_run_may_take_the_lock_alone),
        TEST(a_server_that_was_run_may_write_and_keeps_its_life),
        TEST(a_server_that_was_run_lives_on_beside_anothers_claim),
        TEST(who_lost_its_pidfile_is_told_that_it_lives),
        TEST(another_process_adopts_nothing),
    };

    return cmocka_run_group_tests_name("adopted", tests, NULL, NULL);
}
