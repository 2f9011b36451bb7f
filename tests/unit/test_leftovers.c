/* SPDX-License-Identifier: Apache-2.0 */
/* What a dead server left is ended, and no other process, ever. */
#include <stdio.h>

#include "instance.h"

static struct fake_process *innocent;

/* A server with a worker in its session and a stranger to whom it gave the lock; then it dies. */
static void
set_leftovers(struct fake_process **ret_worker, struct fake_process **ret_stranger)
{
    server(SERVER);
    fake_become(SERVER);
    *ret_worker = fake_fork(RIVAL);
    *ret_stranger = fake_fork(INNOCENT);
    (*ret_stranger)->session = INNOCENT;
    fake_become(FAKE_SELF);
    crash(fake_process(SERVER));
}

static void
leftovers_of_the_session_are_ended_and_no_others(void **state)
{
    struct fake_process *worker, *stranger;
    vortex_pid holders[4];

    (void)state;
    set_leftovers(&worker, &stranger);
    assert_int_equal(verdict(), VORTEX_BUSY);
    assert_int_equal(vortex_pidfile_holders(PIDFILE, holders, 4), 2);
    assert_int_equal(vortex_pidfile_end_leftovers(PIDFILE, 1000), 1);
    assert_int_equal(worker->life, FAKE_ZOMBIE);
    assert_int_equal(stranger->signal_count, 0);
    assert_int_equal(vortex_pidfile_holders(PIDFILE, holders, 4), 1);
    assert_int_equal(holders[0], INNOCENT);
    assert_int_equal(fake_handles(), 0);
}

static void
leftovers_of_the_living_are_none(void **state)
{
    struct fake_process *worker;

    (void)state;
    server(SERVER);
    fake_become(SERVER);
    worker = fake_fork(RIVAL);
    fake_become(FAKE_SELF);
    assert_int_equal(vortex_pidfile_end_leftovers(PIDFILE, 1000), -EBUSY);
    assert_int_equal(worker->signal_count, 0);
}

static void
reuse_workers_pid(void *ignored)
{
    (void)ignored;
    innocent = fake_reuse(RIVAL);
    innocent->session = SERVER; /* of the same session, and yet it holds nothing */
}

static bool
end_leftovers_with_reuse_at(unsigned n)
{
    struct fake_process *worker, *stranger;
    bool reached;

    instance_setup(NULL);
    set_leftovers(&worker, &stranger);
    innocent = NULL;
    fake_watch();
    fake_hook_at(n, reuse_workers_pid, NULL);
    (void)vortex_pidfile_end_leftovers(PIDFILE, 1000);
    reached = fake_steps() >= n;
    if (innocent != NULL)
        assert_int_equal(innocent->signal_count, 0);
    assert_int_equal(stranger->signal_count, 0);
    return reached;
}

static void
a_reused_pid_is_no_leftover(void **state)
{
    (void)state;
    for (unsigned n = 1; end_leftovers_with_reuse_at(n); n++)
        ;
}

static void
end_for_good(struct fake_process *process)
{
    if (process == NULL)
        return;
    fake_kill(process);
    fake_reap(process);
}

/* The last of the old ones end, and a start gets the dead server's number, as its session's too. */
static void
start_with_the_dead_servers_number(void *ignored)
{
    (void)ignored;
    end_for_good(fake_process(RIVAL));
    end_for_good(fake_process(INNOCENT));
    fake_reuse(SERVER)->session = SERVER;
    if (start_as(SERVER) != 0) {
        innocent = NULL;
        return;
    }
    fake_become(SERVER);
    innocent = fake_fork(RIVAL + 100);
    fake_become(FAKE_SELF);
}

/* A start in the midst, and later a step that fails for want of a handle (0: none). Its steps. */
static unsigned
end_leftovers_with_a_start_at(unsigned n, unsigned failing)
{
    struct fake_process *worker, *stranger;

    instance_setup(NULL);
    set_leftovers(&worker, &stranger);
    innocent = NULL;
    fake_watch();
    fake_hook_at(n, start_with_the_dead_servers_number, NULL);
    fake_fail_at(failing, EMFILE);
    (void)vortex_pidfile_end_leftovers(PIDFILE, 1000);
    if (innocent != NULL) {
        assert_int_equal(innocent->signal_count, 0);
        assert_int_equal(fake_process(SERVER)->signal_count, 0);
    }
    return fake_steps();
}

static void
a_new_server_with_the_dead_ones_number_and_its_workers_are_no_leftovers(void **state)
{
    unsigned n = 1;

    (void)state;
    for (; end_leftovers_with_a_start_at(n, 0) >= n; n++)
        for (unsigned failing = n; end_leftovers_with_a_start_at(n, failing) >= failing; failing++)
            ;
    assert_true(n > 3);
}

static void
a_session_of_the_same_number_is_not_the_servers(void **state)
{
    struct fake_process *worker, *stranger;

    (void)state;
    set_leftovers(&worker, &stranger);
    fake_reboot();
    worker = fake_spawn(RIVAL);
    worker->session = SERVER;
    assert_int_equal(vortex_pidfile_end_leftovers(PIDFILE, 1000), 0);
    assert_int_equal(worker->signal_count, 0);
}

static void
leftovers_of_the_services_group_are_ended_whatever_their_session(void **state)
{
    struct fake_process *worker, *stranger;

    (void)state;
    set_leftovers(&worker, &stranger);
    worker->session = worker->pid; /* as by setsid */
    snprintf(worker->cgroup, sizeof(worker->cgroup), "/system.slice/web.service");
    add_to_state("cgroup=/system.slice/web.service");
    assert_int_equal(vortex_pidfile_end_leftovers(PIDFILE, 1000), 1);
    assert_int_equal(worker->life, FAKE_ZOMBIE);
    assert_int_equal(stranger->signal_count, 0);
}

static void
who_asks_is_no_leftover(void **state)
{
    struct fake_process *worker, *stranger;

    (void)state;
    set_leftovers(&worker, &stranger);
    fake_become(worker->pid);
    assert_int_equal(vortex_pidfile_end_leftovers(PIDFILE, 1000), 0);
    assert_int_equal(worker->life, FAKE_ALIVE);
}

/* ---- Of a supervised server -------------------------------------------------------------- */

/* A supervisor and its server, each of a session of its own, die; a worker of the server lives. */
static struct fake_process *
set_supervised(void)
{
    struct fake_process *supervisor = lock_holder(SUPERVISOR), *hosted, *worker;

    fake_become(SUPERVISOR);
    hosted = fake_fork(SERVER);
    hosted->session = SERVER;
    fake_become(SERVER);
    worker = fake_fork(RIVAL);
    fake_become(FAKE_SELF);
    write_state(supervisor, hosted, HELD);
    write_pidfile_of(SUPERVISOR);
    crash(supervisor);
    crash(hosted);
    return worker;
}

static void
leftovers_of_a_supervised_servers_session_are_ended(void **state)
{
    struct fake_process *worker = set_supervised();

    (void)state;
    assert_int_equal(vortex_pidfile_end_leftovers(PIDFILE, 1000), 1);
    assert_int_equal(worker->life, FAKE_ZOMBIE);
}

/* It leads a session of that number, holds the lock, and has not published yet. */
static void
a_start_with_a_supervised_servers_number_is_no_leftover(void **state)
{
    struct fake_process *started;

    (void)state;
    end_for_good(set_supervised());
    started = lock_holder(SERVER);
    assert_int_equal(vortex_pidfile_end_leftovers(PIDFILE, 1000), 0);
    assert_int_equal(started->signal_count, 0);
}

/* ---- The time that it takes -------------------------------------------------------------- */

#define SETTLE_MS 50 /* that a look takes */

static void
pass_two_seconds(void *ignored)
{
    (void)ignored;
    fake_pass_ms(2000);
}

/* A leftover doesn't die; and before step n two seconds pass, or later none. */
static bool
end_the_stuck_with_a_pause_at(unsigned n, int timeout_ms)
{
    struct fake_process *worker, *stranger;
    int64_t before, spent, most = 2000 + SETTLE_MS;
    bool reached;

    instance_setup(NULL);
    set_leftovers(&worker, &stranger);
    worker->stuck = true;
    before = os_monotonic_ms();
    fake_watch();
    fake_hook_at(n, pass_two_seconds, NULL);
    assert_int_equal(vortex_pidfile_end_leftovers(PIDFILE, timeout_ms), -ETIMEDOUT);
    reached = fake_steps() >= n;
    if (n < step_of("os_lock_holders") || n >= step_of("os_process_wait"))
        most += timeout_ms; /* else it takes from the time that was given */
    fake_watch();
    spent = os_monotonic_ms() - before;
    assert_in_range(spent, timeout_ms, most);
    assert_int_equal(worker->signal_count, 1);
    assert_int_equal(fake_handles(), 0);
    return reached;
}

static void
leftovers_that_stay_are_waited_for_as_long_as_was_said(void **state)
{
    (void)state;
    for (unsigned n = 1; end_the_stuck_with_a_pause_at(n, 0); n++)
        ;
    for (unsigned n = 1; end_the_stuck_with_a_pause_at(n, 1000); n++)
        ;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(leftovers_of_the_session_are_ended_and_no_others),
        TEST(leftovers_of_the_living_are_none),
        TEST(a_reused_pid_is_no_leftover),
        TEST(a_new_server_with_the_dead_ones_number_and_its_workers_are_no_leftovers),
        TEST(a_session_of_the_same_number_is_not_the_servers),
        TEST(leftovers_of_the_services_group_are_ended_whatever_their_session),
        TEST(who_asks_is_no_leftover),
        TEST(leftovers_of_a_supervised_servers_session_are_ended),
        TEST(a_start_with_a_supervised_servers_number_is_no_leftover),
        TEST(leftovers_that_stay_are_waited_for_as_long_as_was_said),
    };

    return cmocka_run_group_tests_name("leftovers", tests, NULL, NULL);
}
