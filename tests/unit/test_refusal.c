/* SPDX-License-Identifier: Apache-2.0 */
/* The claim protocol, undisturbed: whom it refuses for, and how long it waits. */
#include "instance.h"

/* ---- Whom it refuses for ----------------------------------------------------------------- */

static int64_t
owner_found(int expected)
{
    vortex_pid owner = -1;
    struct vortex_lock *lock = NULL;

    assert_int_equal(vortex_pidfile_write_locked(PIDFILE, &lock, &owner), expected);
    assert_null(lock);
    assert_int_equal(fake_handles(), 0);
    assert_true(is_tidy());
    return owner;
}

static void
a_living_server_is_named(void **state)
{
    (void)state;
    server(SERVER);
    assert_int_equal(owner_found(-EEXIST), SERVER);
    assert_true(pidfile_names(SERVER));
    assert_true(state_names(SERVER));
    fake_remove(LOCK);
    fake_remove(PIDFILE);
    assert_int_equal(owner_found(-EEXIST), SERVER);
}

static void
a_living_writer_is_named(void **state)
{
    (void)state;
    writer(SERVER);
    assert_int_equal(owner_found(-EEXIST), SERVER);
    assert_true(pidfile_names(SERVER));
}

static void
an_orphaned_server_is_named(void **state)
{
    struct fake_process *supervisor = fake_spawn(SUPERVISOR), *hosted = fake_spawn(SERVER);

    (void)state;
    write_state(supervisor, hosted, HELD);
    write_pidfile_of(SUPERVISOR);
    crash(supervisor);
    assert_int_equal(owner_found(-EEXIST), SERVER);
    assert_true(pidfile_names(SUPERVISOR));
}

static void
a_living_foreign_server_is_named(void **state)
{
    (void)state;
    fake_spawn(SERVER);
    fake_pass_ms(60000);
    write_pidfile_of(SERVER);
    assert_int_equal(owner_found(-EEXIST), SERVER);
    assert_true(pidfile_names(SERVER));
    assert_null(fake_find(STATE));
}

static void
the_caller_itself_is_somebody_too(void **state)
{
    (void)state;
    assert_int_equal(start(), 0);
    assert_int_equal(start(), -EEXIST);
    assert_verdict(VORTEX_RUNNING, FAKE_SELF);
}

static void
a_holder_who_cannot_be_named_is_nobody_in_particular(void **state)
{
    (void)state;
    lock_holder(RIVAL);
    assert_int_equal(owner_found(-EEXIST), 0);
}

static void
an_unproved_pidfile_is_refused_unless_it_is_assumed_stale(void **state)
{
    struct claim claim;

    (void)state;
    fake_spawn(SERVER)->hidden = true;
    write_pidfile_of(SERVER);
    owner_found(-ENODATA);
    assert_true(pidfile_names(SERVER));
    claim_init(&claim);
    claim.assume = ASSUME_STALE;
    assert_int_equal(claim_all(&claim, PIDFILE, true, NULL), 0);
    assert_true(pidfile_names(FAKE_SELF));
    claim_end(&claim, true);
}

static void
what_is_assumed_stale_is_not_the_living(void **state)
{
    struct claim claim;

    (void)state;
    server(SERVER);
    claim_init(&claim);
    claim.assume = ASSUME_STALE;
    assert_int_equal(claim_all(&claim, PIDFILE, true, NULL), -EEXIST);
    assert_int_equal(claim.owner, SERVER);
}

static void
a_remote_directory_is_refused_unless_allowed(void **state)
{
    struct claim claim;

    (void)state;
    fake_find("/run")->remote = true;
    assert_int_equal(start(), -EREMOTE);
    assert_int_equal(fake_count("/run"), 0);
    claim_init(&claim);
    claim.allow_remote = true;
    assert_int_equal(claim_all(&claim, PIDFILE, true, NULL), 0);
    claim_end(&claim, true);
}

static void
a_lock_that_is_a_link_is_refused(void **state)
{
    (void)state;
    fake_make(LOCK, FAKE_SYMLINK, "/run/elsewhere");
    assert_int_equal(start(), -ELOOP);
    assert_null(fake_find("/run/elsewhere"));
    assert_null(fake_find(PIDFILE));
}

/* ---- How long it waits ------------------------------------------------------------------- */

static void
a_living_server_is_refused_at_once(void **state)
{
    int64_t before;

    (void)state;
    server(SERVER);
    before = os_monotonic_ms();
    assert_int_equal(start(), -EEXIST);
    assert_int_equal(os_monotonic_ms(), before);
}

static void
a_claim_under_way_is_waited_for_a_second(void **state)
{
    struct claim other;
    int64_t before = os_monotonic_ms();

    (void)state;
    fake_spawn(RIVAL);
    fake_become(RIVAL);
    claim_init(&other);
    assert_int_equal(claim_begin(&other, PIDFILE, true), 0);
    fake_become(FAKE_SELF);
    assert_int_equal(start(), -EBUSY);
    assert_in_range(os_monotonic_ms() - before, CLAIM_WAIT_MS, CLAIM_WAIT_MS + 50);
    assert_int_equal(fake_handles(), 0);
}

static void
kill_it(void *process)
{
    fake_kill(process);
}

static void
a_claim_gets_in_as_soon_as_the_other_is_over(void **state)
{
    struct claim other;
    int64_t before = os_monotonic_ms();

    (void)state;
    fake_spawn(RIVAL);
    fake_become(RIVAL);
    claim_init(&other);
    assert_int_equal(claim_begin(&other, PIDFILE, true), 0);
    fake_become(FAKE_SELF);
    fake_after_ms(500, kill_it, fake_process(RIVAL));
    assert_int_equal(start(), 0);
    assert_in_range(os_monotonic_ms() - before, 500, 550);
}

static void
a_dying_holder_is_waited_for_a_moment(void **state)
{
    int64_t before = os_monotonic_ms();

    (void)state;
    fake_after_ms(200, kill_it, lock_holder(RIVAL));
    assert_int_equal(start(), 0);
    assert_in_range(os_monotonic_ms() - before, 200, 250);
}

static void
a_holder_who_stays_is_refused_after_a_moment(void **state)
{
    int64_t before = os_monotonic_ms();

    (void)state;
    lock_holder(RIVAL);
    assert_int_equal(start(), -EBUSY);
    assert_in_range(os_monotonic_ms() - before, TAKE_WAIT_MS, TAKE_WAIT_MS + 50);
    assert_null(fake_find(PIDFILE));
}

static void
a_foreign_flock_is_waited_for_and_then_refused(void **state)
{
    (void)state;
    fake_make(LOCK, FAKE_REGULAR, "")->mode = 0600;
    fake_find(LOCK)->flocked = true;
    assert_int_equal(start(), -EBUSY);
    fake_find(LOCK)->flocked = false;
    assert_int_equal(start(), 0);
}

/* A user opened the lock while everybody could, and holds it by that call for ever. */
static void
hold_as_user(int (*call)(struct os_lock *))
{
    struct paths paths;
    struct os_lock lock;

    fake_make(LOCK, FAKE_REGULAR, "")->mode = 0666;
    fake_spawn(RIVAL)->user = USER;
    fake_become(RIVAL);
    assert_int_equal(paths_open(PIDFILE, false, &paths), 0);
    assert_int_equal(os_lock_open(&paths.dir, paths.lock, false, &lock, NULL), 0);
    assert_int_equal(call(&lock), 0);
    fake_become(FAKE_SELF);
}

static void
who_could_open_the_lock_does_not_block_a_start_by_living(void **state)
{
    (void)state;
    hold_as_user(os_lock_take);
    assert_int_equal(start(), 0);
    assert_verdict(VORTEX_RUNNING, FAKE_SELF);
    assert_int_equal(fake_find(LOCK)->mode, 0600);
}

static void
who_could_open_the_lock_does_not_block_a_start_by_claiming(void **state)
{
    (void)state;
    hold_as_user(os_lock_claim);
    assert_int_equal(start(), 0);
    assert_verdict(VORTEX_RUNNING, FAKE_SELF);
    assert_int_equal(fake_find(LOCK)->mode, 0600);
}

static void
a_lock_that_was_open_to_all_is_not_trusted_the_next_time_either(void **state)
{
    (void)state;
    hold_as_user(os_lock_take);
    assert_int_equal(vortex_pidfile_remove(PIDFILE), 0); /* opens the lock as well */
    assert_int_equal(start(), 0);
    assert_verdict(VORTEX_RUNNING, FAKE_SELF);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_living_server_is_named),
        TEST(a_living_writer_is_named),
        TEST(an_orphaned_server_is_named),
        TEST(a_living_foreign_server_is_named),
        TEST(the_caller_itself_is_somebody_too),
        TEST(a_holder_who_cannot_be_named_is_nobody_in_particular),
        TEST(an_unproved_pidfile_is_refused_unless_it_is_assumed_stale),
        TEST(what_is_assumed_stale_is_not_the_living),
        TEST(a_remote_directory_is_refused_unless_allowed),
        TEST(a_lock_that_is_a_link_is_refused),
        TEST(a_living_server_is_refused_at_once),
        TEST(a_claim_under_way_is_waited_for_a_second),
        TEST(a_claim_gets_in_as_soon_as_the_other_is_over),
        TEST(a_dying_holder_is_waited_for_a_moment),
        TEST(a_holder_who_stays_is_refused_after_a_moment),
        TEST(a_foreign_flock_is_waited_for_and_then_refused),
        TEST(who_could_open_the_lock_does_not_block_a_start_by_living),
        TEST(who_could_open_the_lock_does_not_block_a_start_by_claiming),
        TEST(a_lock_that_was_open_to_all_is_not_trusted_the_next_time_either),
    };

    return cmocka_run_group_tests_name("refusal", tests, NULL, NULL);
}
