/* SPDX-License-Identifier: Apache-2.0 */
/* What is left where identities prove nothing (-Dos=posix): numbers, boots, and the lock. */
#include "instance.h"

static int
plain_setup(void **state)
{
    int r = instance_setup(state);

    fake_take_proof_away();
    return r;
}

#define PLAIN_TEST(name) cmocka_unit_test_setup(name, plain_setup)

static void
a_living_server_runs(void **state)
{
    (void)state;
    server(SERVER);
    assert_verdict(VORTEX_RUNNING, SERVER);
    assert_int_equal(start(), -EEXIST);
}

static void
a_dead_server_is_stale(void **state)
{
    (void)state;
    crash(server(SERVER));
    assert_verdict(VORTEX_STALE, SERVER);
    assert_int_equal(start(), 0);
}

static void
another_boot_makes_it_stale(void **state)
{
    (void)state;
    server(SERVER);
    fake_reboot();
    fake_spawn(SERVER);
    assert_verdict(VORTEX_STALE, SERVER);
    assert_int_equal(start(), 0);
}

static void
a_free_lock_shows_a_start_that_the_number_is_anothers(void **state)
{
    (void)state;
    crash(server(SERVER));
    fake_reuse(SERVER);
    assert_int_equal(start(), 0);
    assert_true(pidfile_names(FAKE_SELF));
}

static void
a_removed_lock_lets_no_second_server_in(void **state)
{
    (void)state;
    server(SERVER);
    fake_remove(LOCK);
    assert_verdict(VORTEX_RUNNING, SERVER);
    assert_int_equal(start(), -EEXIST);
    assert_true(pidfile_names(SERVER) && state_names(SERVER));
}

static void
what_failed_by_its_own_word_is_over(void **state)
{
    (void)state;
    crash(server(SUPERVISOR));
    fake_remove(LOCK);
    fake_remove(PIDFILE);
    fake_reuse(SUPERVISOR);
    add_to_state("server-pid=4711");
    fake_reuse(SERVER);
    assert_verdict(VORTEX_RUNNING, SUPERVISOR); /* as far as the numbers tell */
    add_to_state("phase=failed");
    assert_verdict(VORTEX_NOT_RUNNING, 0);
    assert_int_equal(start(), 0);
}

static void
a_server_without_its_supervisor_is_orphaned(void **state)
{
    struct fake_process *supervisor = lock_holder(SUPERVISOR), *hosted = fake_spawn(SERVER);

    (void)state;
    write_state(supervisor, hosted, HELD);
    write_pidfile_of(SUPERVISOR);
    crash(supervisor);
    assert_verdict(VORTEX_ORPHANED, SERVER);
    assert_int_equal(start(), -EEXIST);
    assert_int_equal(vortex_pidfile_remove(PIDFILE), -EBUSY);
}

static void
where_the_lock_was_let_go_of_the_number_is_believed(void **state)
{
    (void)state;
    crash(writer(SERVER));
    fake_reuse(SERVER);
    assert_int_equal(start(), -EEXIST); /* on the safe side: no second server */
}

static void
a_lock_that_cannot_be_asked_is_no_hindrance(void **state)
{
    (void)state;
    assert_verdict(VORTEX_NOT_RUNNING, 0);
    assert_int_equal(start(), 0);
    assert_verdict(VORTEX_RUNNING, FAKE_SELF);
}

/* What a restart sees under its claim, where the lock can be tried. */
static enum vortex_verdict
verdict_under_claim(void)
{
    struct vortex_report *report;
    struct claim claim;
    enum vortex_verdict seen;

    claim_init(&claim);
    assert_int_equal(claim_begin(&claim, PIDFILE, false), 0);
    assert_int_equal(claim_inspect(&claim, &report), 0);
    seen = vortex_report_verdict(report);
    assert_null(vortex_report_close(report));
    claim_end(&claim, false);
    assert_int_equal(fake_handles(), 0);
    return seen;
}

static void
a_restart_tries_the_lock(void **state)
{
    (void)state;
    server(SERVER);
    assert_int_equal(verdict_under_claim(), VORTEX_RUNNING);
    fake_become(SERVER);
    fake_fork(RIVAL); /* which has the lock, too */
    fake_become(FAKE_SELF);
    crash(fake_process(SERVER));
    assert_int_equal(verdict_under_claim(), VORTEX_BUSY);
    crash(fake_process(RIVAL));
    fake_reuse(SERVER);
    assert_int_equal(verdict(), VORTEX_RUNNING); /* as far as the number tells */
    assert_int_equal(verdict_under_claim(), VORTEX_STALE);
}

static void
a_users_pidfile_is_unproved(void **state)
{
    (void)state;
    fake_spawn(SERVER)->user = USER;
    write_pidfile_of(SERVER)->user = USER;
    assert_int_equal(verdict(), VORTEX_UNPROVED);
}

static void
a_foreign_pidfile_from_before_the_boot_is_stale(void **state)
{
    (void)state;
    write_pidfile_of(SERVER);
    fake_reboot();
    fake_spawn(SERVER);
    assert_verdict(VORTEX_STALE, SERVER);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLAIN_TEST(a_living_server_runs),
        PLAIN_TEST(a_dead_server_is_stale),
        PLAIN_TEST(another_boot_makes_it_stale),
        PLAIN_TEST(a_free_lock_shows_a_start_that_the_number_is_anothers),
        PLAIN_TEST(a_removed_lock_lets_no_second_server_in),
        PLAIN_TEST(what_failed_by_its_own_word_is_over),
        PLAIN_TEST(a_server_without_its_supervisor_is_orphaned),
        PLAIN_TEST(where_the_lock_was_let_go_of_the_number_is_believed),
        PLAIN_TEST(a_lock_that_cannot_be_asked_is_no_hindrance),
        PLAIN_TEST(a_restart_tries_the_lock),
        PLAIN_TEST(a_users_pidfile_is_unproved),
        PLAIN_TEST(a_foreign_pidfile_from_before_the_boot_is_stale),
    };

    return cmocka_run_group_tests_name("plain", tests, NULL, NULL);
}
