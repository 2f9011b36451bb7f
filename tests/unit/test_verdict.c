/* SPDX-License-Identifier: Apache-2.0 */
/* Who is alive: the one decision (design.md, section 2), where the state or the lock speaks. */
#include "instance.h"

/* ---- Row 1: the state's process is alive ------------------------------------------------- */

static void
the_states_process_runs(void **state)
{
    (void)state;
    server(SERVER);
    assert_verdict(VORTEX_RUNNING, SERVER);
}

static void
the_states_process_runs_though_it_let_go_of_the_lock(void **state)
{
    (void)state;
    writer(SERVER);
    assert_verdict(VORTEX_RUNNING, SERVER);
    assert_null(fake_find(LOCK));
}

static void
the_states_process_runs_whatever_the_pidfile_holds(void **state)
{
    static const char *const contents[] = {"", "\n", "garbage", "0\n", "-1\n", "1\n", "99999\n"};

    (void)state;
    server(SERVER);
    for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
        write_pidfile(contents[i]);
        assert_verdict(VORTEX_RUNNING, SERVER);
    }
    fake_spawn(INNOCENT);
    write_pidfile_of(INNOCENT);
    assert_verdict(VORTEX_RUNNING, SERVER);
}

static void
the_states_process_runs_whatever_stands_for_the_pidfile(void **state)
{
    (void)state;
    server(SERVER);
    fake_remove(PIDFILE);
    assert_verdict(VORTEX_RUNNING, SERVER);
    fake_make(PIDFILE, FAKE_SYMLINK, "/run/nowhere");
    assert_verdict(VORTEX_RUNNING, SERVER);
    fake_make(PIDFILE, FAKE_DIRECTORY, NULL);
    assert_verdict(VORTEX_RUNNING, SERVER);
    fake_make(PIDFILE, FAKE_FIFO, NULL);
    assert_verdict(VORTEX_RUNNING, SERVER);
    write_pidfile("4711\n")->mode = 0666;
    assert_verdict(VORTEX_RUNNING, SERVER);
}

static void
process_1_runs_where_its_identity_says_so(void **state)
{
    (void)state;
    server(1);
    assert_verdict(VORTEX_RUNNING, 1);
}

static void
a_process_is_recognised_without_pidfs(void **state)
{
    struct fake_process *old = fake_spawn(SERVER);

    (void)state;
    old->pidfd_inode = 0;
    write_state(old, NULL, RELEASED);
    assert_verdict(VORTEX_RUNNING, SERVER);
}

static void
a_hidden_process_is_recognised_by_its_pidfd(void **state)
{
    (void)state;
    server(SERVER)->hidden = true;
    assert_verdict(VORTEX_RUNNING, SERVER);
}

/* ---- Row 2: the supervisor is gone, its server lives ------------------------------------- */

static void
a_server_without_its_supervisor_is_orphaned(void **state)
{
    struct fake_process *supervisor = fake_spawn(SUPERVISOR), *hosted = fake_spawn(SERVER);

    (void)state;
    write_state(supervisor, hosted, HELD);
    write_pidfile_of(SUPERVISOR);
    assert_verdict(VORTEX_RUNNING, SUPERVISOR);
    crash(supervisor);
    assert_verdict(VORTEX_ORPHANED, SERVER);
    lock_holder(RIVAL); /* a descendant which inherited it */
    assert_verdict(VORTEX_ORPHANED, SERVER);
    fake_reuse(SUPERVISOR);
    assert_verdict(VORTEX_ORPHANED, SERVER);
}

static void
without_both_it_is_stale(void **state)
{
    struct fake_process *supervisor = fake_spawn(SUPERVISOR), *hosted = fake_spawn(SERVER);

    (void)state;
    write_state(supervisor, hosted, HELD);
    write_pidfile_of(SUPERVISOR);
    crash(supervisor);
    crash(hosted);
    assert_verdict(VORTEX_STALE, SUPERVISOR);
    fake_reuse(SERVER);
    assert_verdict(VORTEX_STALE, SUPERVISOR);
}

/* ---- Row 3: the lock is held, and nobody is named ---------------------------------------- */

static void
a_held_lock_without_a_living_identity_is_busy(void **state)
{
    (void)state;
    lock_holder(RIVAL);
    assert_int_equal(verdict(), VORTEX_BUSY);
    write_pidfile("garbage");
    assert_int_equal(verdict(), VORTEX_BUSY);
    write_pidfile_of(RIVAL); /* a held lock proves that somebody lives, never which number */
    assert_int_equal(verdict(), VORTEX_BUSY);
    fake_make(STATE, FAKE_REGULAR, "broken");
    assert_int_equal(verdict(), VORTEX_BUSY);
}

static void
leftovers_that_hold_the_lock_are_busy(void **state)
{
    struct fake_process *dead;

    (void)state;
    dead = server(SERVER);
    fake_become(SERVER);
    fake_fork(RIVAL);
    fake_become(FAKE_SELF);
    crash(dead);
    assert_int_equal(verdict(), VORTEX_BUSY);
    fake_reuse(SERVER);
    assert_int_equal(verdict(), VORTEX_BUSY);
    crash(fake_process(RIVAL));
    assert_int_equal(verdict(), VORTEX_STALE);
}

static void
kill_it(void *process)
{
    fake_kill(process);
}

static void
a_lock_that_is_let_go_of_in_a_moment_is_not_busy(void **state)
{
    (void)state;
    fake_after_ms(20, kill_it, lock_holder(RIVAL));
    assert_int_equal(verdict(), VORTEX_NOT_RUNNING);
}

static void
looking_takes_a_twentieth_of_a_second_at_most(void **state)
{
    int64_t before = os_monotonic_ms();

    (void)state;
    assert_int_equal(verdict(), VORTEX_NOT_RUNNING);
    assert_int_equal(os_monotonic_ms(), before);
    lock_holder(RIVAL);
    assert_int_equal(verdict(), VORTEX_BUSY);
    assert_in_range(os_monotonic_ms() - before, 1, 50);
}

/* ---- Row 4: both name one who is dead ---------------------------------------------------- */

static void
a_dead_process_leaves_a_stale_pidfile(void **state)
{
    struct fake_process *dead = server(SERVER);

    (void)state;
    fake_kill(dead);
    assert_verdict(VORTEX_STALE, SERVER); /* a zombie */
    fake_reap(dead);
    assert_verdict(VORTEX_STALE, SERVER);
}

static void
another_process_with_the_number_makes_it_stale(void **state)
{
    (void)state;
    crash(server(SERVER));
    fake_reuse(SERVER);
    assert_verdict(VORTEX_STALE, SERVER);
    fake_process(SERVER)->pidfd_inode = 0; /* by its start, too */
    assert_verdict(VORTEX_STALE, SERVER);
}

static void
an_older_process_with_the_number_makes_it_stale(void **state)
{
    struct fake_process *older = fake_spawn(RIVAL), *dead = server(SERVER);

    (void)state;
    crash(dead);
    older->pid = SERVER; /* the clock is of no use then: the identity is */
    assert_verdict(VORTEX_STALE, SERVER);
}

/* A server that writes its own number where its supervisor is to stand. */
static void
a_dead_supervised_servers_number_is_not_an_older_process(void **state)
{
    struct fake_process *older = fake_spawn(RIVAL), *hosted = fake_spawn(SERVER);
    struct fake_process *supervisor = fake_spawn(SUPERVISOR);

    (void)state;
    fake_pass_ms(60000);
    write_state(supervisor, hosted, HELD);
    write_pidfile_of(SERVER);
    crash(supervisor);
    crash(hosted);
    older->pid = SERVER;
    assert_verdict(VORTEX_STALE, SERVER);
}

static void
another_boot_makes_it_stale(void **state)
{
    (void)state;
    server(SERVER);
    fake_reboot();
    assert_verdict(VORTEX_STALE, SERVER);
    fake_spawn(SERVER);
    assert_verdict(VORTEX_STALE, SERVER);
}

/* Within a container's service the boot id may be another than beside it. */
static void
another_boot_id_is_believed_less_than_the_lock(void **state)
{
    struct fake_process *living = server(SERVER);
    struct fake_file *file = fake_find(STATE);

    (void)state;
    strstr(file->data, "boot=")[strlen("boot=")] = 'x';
    assert_verdict(VORTEX_RUNNING, SERVER);
    living->start++; /* an innocent with the number, and somebody who holds the lock */
    assert_verdict(VORTEX_BUSY, SERVER);
    living->start--;
    fake_kill(living);
    fake_reap(living);
    assert_verdict(VORTEX_STALE, SERVER);
}

static void
a_restarted_containers_held_lock_that_is_free_makes_it_stale(void **state)
{
    (void)state;
    server(1);
    fake_kill(fake_process(1));
    fake_enter_namespace(42, 7);
    assert_verdict(VORTEX_STALE, 1);
    fake_spawn(1);
    assert_verdict(VORTEX_STALE, 1);
}

static void
another_containers_held_lock_is_busy(void **state)
{
    (void)state;
    server(1);
    fake_enter_namespace(42, 7);
    fake_spawn(1);
    assert_int_equal(verdict(), VORTEX_BUSY);
}

/* ---- Row 10: nobody ---------------------------------------------------------------------- */

static void
without_a_pidfile_nobody_runs(void **state)
{
    (void)state;
    assert_verdict(VORTEX_NOT_RUNNING, 0);
    fake_make(LOCK, FAKE_REGULAR, "");
    assert_verdict(VORTEX_NOT_RUNNING, 0);
    crash(server(SERVER));
    fake_remove(PIDFILE);
    assert_int_equal(verdict(), VORTEX_NOT_RUNNING);
    fake_reuse(SERVER);
    assert_int_equal(verdict(), VORTEX_NOT_RUNNING);
}

static void
without_a_directory_nobody_runs(void **state)
{
    struct vortex_report *report;

    (void)state;
    assert_int_equal(vortex_pidfile_inspect("/run/no/web.pid", &report), 0);
    assert_int_equal(vortex_report_verdict(report), VORTEX_NOT_RUNNING);
    assert_false(vortex_report_has_lock(report));
    assert_null(vortex_report_close(report));
    assert_null(fake_find("/run/no"));
}

static void
every_verdict_has_a_reason(void **state)
{
    (void)state;
    assert_string_not_equal(reason(), "");
    write_pidfile("garbage");
    assert_string_not_equal(reason(), "");
    write_pidfile_of(SERVER);
    assert_string_not_equal(reason(), "");
    fake_pass_ms(3000);
    crash(server(SERVER));
    assert_string_not_equal(reason(), "");
    server(RIVAL);
    assert_string_not_equal(reason(), "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_states_process_runs),
        TEST(the_states_process_runs_though_it_let_go_of_the_lock),
        TEST(the_states_process_runs_whatever_the_pidfile_holds),
        TEST(the_states_process_runs_whatever_stands_for_the_pidfile),
        TEST(process_1_runs_where_its_identity_says_so),
        TEST(a_process_is_recognised_without_pidfs),
        TEST(a_hidden_process_is_recognised_by_its_pidfd),
        TEST(a_server_without_its_supervisor_is_orphaned),
        TEST(without_both_it_is_stale),
        TEST(a_held_lock_without_a_living_identity_is_busy),
        TEST(leftovers_that_hold_the_lock_are_busy),
        TEST(a_lock_that_is_let_go_of_in_a_moment_is_not_busy),
        TEST(looking_takes_a_twentieth_of_a_second_at_most),
        TEST(a_dead_process_leaves_a_stale_pidfile),
        TEST(another_process_with_the_number_makes_it_stale),
        TEST(an_older_process_with_the_number_makes_it_stale),
        TEST(a_dead_supervised_servers_number_is_not_an_older_process),
        TEST(another_boot_makes_it_stale),
        TEST(another_boot_id_is_believed_less_than_the_lock),
        TEST(a_restarted_containers_held_lock_that_is_free_makes_it_stale),
        TEST(another_containers_held_lock_is_busy),
        TEST(without_a_pidfile_nobody_runs),
        TEST(without_a_directory_nobody_runs),
        TEST(every_verdict_has_a_reason),
    };

    return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
