/* SPDX-License-Identifier: Apache-2.0 */
/* The claim protocol, undisturbed: what it writes and whom it replaces. */
#include "instance.h"

/* The current process's claim, up to step 6; the caller ends it. */
static int
claim_it(struct claim *claim)
{
    claim_init(claim);
    return claim_all(claim, PIDFILE, true, NULL);
}

/* ---- What it writes ---------------------------------------------------------------------- */

static void
a_claim_writes_three_files_with_their_modes(void **state)
{
    (void)state;
    assert_int_equal(start(), 0);
    assert_true(fake_holds(PIDFILE, "1000\n"));
    assert_true(state_names(FAKE_SELF));
    assert_true(fake_holds(LOCK, ""));
    assert_int_equal(fake_find(PIDFILE)->mode, 0644);
    assert_int_equal(fake_find(STATE)->mode, 0644);
    assert_int_equal(fake_find(LOCK)->mode, 0600);
    assert_true(is_tidy());
    assert_verdict(VORTEX_RUNNING, FAKE_SELF);
}

static void
the_state_says_who_owns_and_how(void **state)
{
    struct state_words words = {
        .phase = "ready", .command = "server\n--evil=1\npid=1", .manager = "test", .status = ""};
    struct claim claim;
    struct vortex_report *report;

    (void)state;
    claim_init(&claim);
    assert_int_equal(claim_all(&claim, PIDFILE, true, &words), 0);
    assert_int_equal(vortex_pidfile_inspect(PIDFILE, &report), 0);
    assert_string_equal(vortex_report_get(report, "pid"), "1000");
    assert_string_equal(vortex_report_get(report, "lock"), "held");
    assert_string_equal(vortex_report_get(report, "phase"), "ready");
    assert_string_equal(vortex_report_get(report, "manager"), "test");
    assert_string_equal(vortex_report_get(report, "command"), "server --evil=1 pid=1");
    assert_int_equal(strlen(vortex_report_get(report, "since")), strlen("2026-01-02T03:04:05Z"));
    assert_null(vortex_report_get(report, "status"));
    assert_null(vortex_report_get(report, "nothing"));
    assert_null(vortex_report_close(report));
    claim_end(&claim, true);
}

static void
a_claim_makes_missing_directories(void **state)
{
    struct claim claim;

    (void)state;
    claim_init(&claim);
    assert_int_equal(claim_all(&claim, "/run/new/deep/web.pid", true, NULL), 0);
    assert_true(fake_holds("/run/new/deep/web.pid", "1000\n"));
    claim_end(&claim, true);
    assert_int_equal(fake_count("/run/new/deep"), 0);
}

static void
a_claim_stays_where_it_was_made_whatever_the_working_directory(void **state)
{
    struct claim claim;

    (void)state;
    fake_chdir("/run");
    claim_init(&claim);
    assert_int_equal(claim_all(&claim, "web.pid", true, NULL), 0);
    fake_chdir("/tmp");
    claim_end(&claim, true);
    assert_int_equal(fake_count("/run"), 0);
    assert_int_equal(fake_count("/tmp"), 0);
}

static void
a_claim_removes_what_a_crash_left(void **state)
{
    (void)state;
    leave_temporaries();
    assert_int_equal(start(), 0);
    assert_true(fake_holds("/tmp/precious", "precious"));
    assert_true(is_tidy());
}

static void
nothing_is_left_open_after_the_end(void **state)
{
    struct claim claim;

    (void)state;
    assert_int_equal(claim_it(&claim), 0);
    claim_end(&claim, true);
    assert_int_equal(fake_handles(), 0);
    assert_int_equal(fake_count("/run"), 0);
}

/* ---- Whom it replaces -------------------------------------------------------------------- */

static void
the_dead_are_replaced(void **state)
{
    (void)state;
    crash(server(SERVER));
    assert_int_equal(start(), 0);
    assert_verdict(VORTEX_RUNNING, FAKE_SELF);
    assert_true(is_tidy());
}

static void
one_with_the_same_pid_as_the_dead_may_start(void **state)
{
    (void)state;
    crash(server(SERVER));
    assert_int_equal(start_as(SERVER), 0);
    assert_verdict(VORTEX_RUNNING, SERVER);
}

static void
a_reboot_is_survived(void **state)
{
    (void)state;
    server(SERVER);
    fake_reboot();
    fake_spawn(SERVER);
    assert_int_equal(start(), 0);
    assert_verdict(VORTEX_RUNNING, FAKE_SELF);
}

static void
a_container_starts_again_on_its_volume(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 3; i++) {
        fake_enter_namespace(42 + i, 1);
        assert_int_equal(start(), 0);
        assert_verdict(VORTEX_RUNNING, 1);
        fake_kill(fake_process(1));
    }
}

static void
whatever_stands_for_a_pidfile_is_replaced(void **state)
{
    static const enum fake_kind kinds[] = {FAKE_REGULAR, FAKE_SYMLINK, FAKE_FIFO, FAKE_DIRECTORY};

    (void)state;
    fake_make("/run/precious", FAKE_REGULAR, "4711\n");
    fake_link("/run/precious", "/run/second");
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct claim claim;

        fake_make(PIDFILE, kinds[i], kinds[i] == FAKE_SYMLINK ? "/run/precious" : NULL);
        assert_int_equal(claim_it(&claim), 0);
        assert_true(fake_holds(PIDFILE, "1000\n"));
        claim_end(&claim, true);
        assert_true(fake_holds("/run/precious", "4711\n"));
        assert_int_equal(fake_count("/run"), 2);
    }
}

static void
a_directory_with_something_in_it_is_not_replaced(void **state)
{
    (void)state;
    fake_make(PIDFILE, FAKE_DIRECTORY, NULL);
    fake_make("/run/web.pid/precious", FAKE_REGULAR, "precious");
    fake_make(STATE, FAKE_REGULAR, "old");
    assert_true(start() < 0);
    assert_true(fake_holds("/run/web.pid/precious", "precious"));
    assert_true(fake_holds(STATE, "old"));
    assert_true(is_tidy());
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_claim_writes_three_files_with_their_modes),
        TEST(the_state_says_who_owns_and_how),
        TEST(a_claim_makes_missing_directories),
        TEST(a_claim_stays_where_it_was_made_whatever_the_working_directory),
        TEST(a_claim_removes_what_a_crash_left),
        TEST(nothing_is_left_open_after_the_end),
        TEST(the_dead_are_replaced),
        TEST(one_with_the_same_pid_as_the_dead_may_start),
        TEST(a_reboot_is_survived),
        TEST(a_container_starts_again_on_its_volume),
        TEST(whatever_stands_for_a_pidfile_is_replaced),
        TEST(a_directory_with_something_in_it_is_not_replaced),
    };

    return cmocka_run_group_tests_name("claim", tests, NULL, NULL);
}
