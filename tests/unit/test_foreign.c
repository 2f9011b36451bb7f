/* SPDX-License-Identifier: Apache-2.0 */
/* Who is alive: the one decision (design.md, section 2), where only a number or nothing speaks. */
#include "instance.h"

/* ---- Rows 5 to 7: a number of which the state doesn't speak ------------------------------ */

static void
a_foreign_pidfile_without_its_process_is_stale(void **state)
{
    struct fake_process *dead = fake_spawn(SERVER);

    (void)state;
    write_pidfile_of(SERVER);
    fake_make(STATE, FAKE_REGULAR, "broken");
    fake_kill(dead);
    assert_verdict(VORTEX_STALE, SERVER);
    fake_reap(dead);
    assert_verdict(VORTEX_STALE, SERVER);
    fake_remove(STATE);
    assert_verdict(VORTEX_STALE, SERVER);
    write_state(fake_reuse(INNOCENT), NULL, HELD);
    crash(fake_process(INNOCENT));
    assert_verdict(VORTEX_STALE, SERVER);
}

static void
a_threads_number_is_stale(void **state)
{
    (void)state;
    fake_spawn(SERVER)->thread = true;
    write_pidfile_of(SERVER);
    assert_verdict(VORTEX_STALE, SERVER);
}

static void
a_foreign_pidfile_older_than_its_process_is_stale(void **state)
{
    (void)state;
    write_pidfile_of(SERVER);
    fake_pass_ms(2001);
    fake_spawn(SERVER);
    assert_verdict(VORTEX_STALE, SERVER);
}

static void
within_two_seconds_a_foreign_pidfile_is_running(void **state)
{
    (void)state;
    write_pidfile_of(SERVER); /* some tools write it just before they fork */
    fake_pass_ms(2000);
    fake_spawn(SERVER);
    assert_verdict(VORTEX_RUNNING, SERVER);
}

static void
a_foreign_pidfile_younger_than_its_process_is_running(void **state)
{
    (void)state;
    fake_spawn(SERVER);
    fake_pass_ms(60000);
    write_pidfile_of(SERVER);
    assert_verdict(VORTEX_RUNNING, SERVER);
    fake_make(STATE, FAKE_REGULAR, "broken");
    assert_verdict(VORTEX_RUNNING, SERVER);
}

static void
a_foreign_pidfile_over_a_stale_state_is_judged_by_itself(void **state)
{
    (void)state;
    crash(server(SERVER));
    fake_spawn(RIVAL);
    write_pidfile_of(RIVAL);
    assert_verdict(VORTEX_RUNNING, RIVAL);
    crash(fake_process(RIVAL));
    assert_verdict(VORTEX_STALE, RIVAL);
}

/* ---- Row 8: it can't be proved ----------------------------------------------------------- */

static void
an_identity_that_cannot_be_compared_is_unproved(void **state)
{
    struct fake_process *owner = fake_spawn(SERVER);

    (void)state;
    owner->pidfd_inode = 0;
    write_state(owner, NULL, RELEASED);
    write_pidfile_of(SERVER);
    owner->hidden = true;
    assert_verdict(VORTEX_UNPROVED, SERVER);
    owner->hidden = false;
    assert_verdict(VORTEX_RUNNING, SERVER);
    fake_hide_proc(true);
    assert_verdict(VORTEX_UNPROVED, SERVER);
}

static void
a_pidfile_of_another_namespace_is_unproved_where_no_lock_speaks(void **state)
{
    (void)state;
    writer(1);
    fake_enter_namespace(42, 7);
    assert_int_equal(verdict(), VORTEX_UNPROVED);
    fake_spawn(1);
    assert_int_equal(verdict(), VORTEX_UNPROVED);
}

static void
a_missing_lock_proves_nothing_of_another_namespace(void **state)
{
    (void)state;
    server(1);
    fake_enter_namespace(42, 7);
    fake_remove(LOCK);
    assert_int_equal(verdict(), VORTEX_UNPROVED);
}

static void
what_failed_in_another_namespace_by_its_own_word_is_over(void **state)
{
    (void)state;
    crash(server(SERVER));
    fake_enter_namespace(42, 7);
    fake_remove(LOCK);
    add_to_state("phase=failed");
    assert_int_equal(verdict(), VORTEX_UNPROVED); /* the pidfile speaks against it */
    fake_remove(PIDFILE);
    assert_int_equal(verdict(), VORTEX_NOT_RUNNING);
    assert_int_equal(start(), 0);
}

static void
what_said_nothing_of_an_end_in_another_namespace_is_unproved(void **state)
{
    (void)state;
    server(SERVER);
    fake_enter_namespace(42, 7);
    fake_remove(LOCK);
    fake_remove(PIDFILE);
    assert_int_equal(verdict(), VORTEX_UNPROVED);
    add_to_state("phase=ready");
    assert_int_equal(verdict(), VORTEX_UNPROVED);
}

static void
a_start_in_another_namespace_makes_no_lock_that_proves_anything(void **state)
{
    (void)state;
    server(1);
    fake_enter_namespace(42, 7);
    fake_remove(LOCK);
    assert_int_equal(start(), -ENODATA);
    assert_true(pidfile_names(1) && state_names(1));
}

static void
a_restart_in_another_namespace_makes_no_lock_that_proves_anything(void **state)
{
    struct vortex_report *report;
    struct claim claim;

    (void)state;
    server(1);
    fake_enter_namespace(42, 7);
    fake_remove(LOCK);
    claim_init(&claim);
    assert_int_equal(claim_begin(&claim, PIDFILE, false), 0);
    assert_int_equal(claim_inspect(&claim, &report), 0);
    assert_int_equal(vortex_report_verdict(report), VORTEX_UNPROVED);
    assert_null(vortex_report_close(report));
    claim_end(&claim, false);
    assert_true(pidfile_names(1) && state_names(1));
}

static void
another_boot_in_another_namespace_is_stale_though_no_lock_speaks(void **state)
{
    (void)state;
    writer(1);
    fake_reboot();
    fake_enter_namespace(42, 1);
    assert_verdict(VORTEX_STALE, 1);
    assert_int_equal(start(), 0);
}

static void
a_stepped_clock_leaves_a_foreign_pidfile_unproved(void **state)
{
    (void)state;
    fake_spawn(SERVER);
    write_pidfile_of(SERVER);
    fake_step_clock(-86400);
    assert_verdict(VORTEX_UNPROVED, SERVER);
}

/* As a server asks that wrote its pidfile by itself: of its own life no clock has to tell. */
static void
a_stepped_clock_leaves_no_doubt_about_oneself(void **state)
{
    (void)state;
    write_pidfile_of(FAKE_SELF);
    fake_step_clock(-86400);
    assert_verdict(VORTEX_RUNNING, FAKE_SELF);
    assert_int_equal(vortex_pidfile_remove(PIDFILE), 0);
    assert_null(fake_find(PIDFILE));
}

static void
a_stepped_clock_does_not_matter_to_our_own_files(void **state)
{
    struct fake_process *process = server(SERVER);

    (void)state;
    fake_step_clock(-86400);
    assert_verdict(VORTEX_RUNNING, SERVER);
    crash(process);
    fake_spawn(SERVER);
    assert_verdict(VORTEX_STALE, SERVER);
}

static void
on_a_remote_directory_a_foreign_pidfile_is_unproved(void **state)
{
    (void)state;
    fake_spawn(SERVER);
    write_pidfile_of(SERVER);
    fake_find("/run")->remote = true;
    assert_verdict(VORTEX_UNPROVED, SERVER);
}

static void
a_foreign_pidfile_of_a_hidden_process_is_unproved(void **state)
{
    (void)state;
    fake_spawn(SERVER)->hidden = true;
    write_pidfile_of(SERVER);
    assert_verdict(VORTEX_UNPROVED, SERVER);
}

static void
a_pidfile_that_may_not_be_read_is_unproved(void **state)
{
    (void)state;
    fake_spawn(SERVER);
    write_pidfile_of(SERVER)->mode = 0600;
    fake_spawn(RIVAL)->user = USER;
    fake_become(RIVAL);
    assert_int_equal(verdict(), VORTEX_UNPROVED);
    fake_become(FAKE_SELF);
    fake_find(PIDFILE)->leased = true;
    assert_int_equal(verdict(), VORTEX_UNPROVED);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_foreign_pidfile_without_its_process_is_stale),
        TEST(a_threads_number_is_stale),
        TEST(a_foreign_pidfile_older_than_its_process_is_stale),
        TEST(within_two_seconds_a_foreign_pidfile_is_running),
        TEST(a_foreign_pidfile_younger_than_its_process_is_running),
        TEST(a_foreign_pidfile_over_a_stale_state_is_judged_by_itself),
        TEST(an_identity_that_cannot_be_compared_is_unproved),
        TEST(a_pidfile_of_another_namespace_is_unproved_where_no_lock_speaks),
        TEST(a_missing_lock_proves_nothing_of_another_namespace),
        TEST(what_failed_in_another_namespace_by_its_own_word_is_over),
        TEST(what_said_nothing_of_an_end_in_another_namespace_is_unproved),
        TEST(a_start_in_another_namespace_makes_no_lock_that_proves_anything),
        TEST(a_restart_in_another_namespace_makes_no_lock_that_proves_anything),
        TEST(another_boot_in_another_namespace_is_stale_though_no_lock_speaks),
        TEST(a_stepped_clock_leaves_a_foreign_pidfile_unproved),
        TEST(a_stepped_clock_leaves_no_doubt_about_oneself),
        TEST(a_stepped_clock_does_not_matter_to_our_own_files),
        TEST(on_a_remote_directory_a_foreign_pidfile_is_unproved),
        TEST(a_foreign_pidfile_of_a_hidden_process_is_unproved),
        TEST(a_pidfile_that_may_not_be_read_is_unproved),
    };

    return cmocka_run_group_tests_name("foreign", tests, NULL, NULL);
}
