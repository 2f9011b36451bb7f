/* SPDX-License-Identifier: Apache-2.0 */
/* The public words, line by line of vortex.h, where test_claim.c and test_verdict.c are silent. */
#include <stdlib.h>

#include "instance.h"

/* ---- Reading and asking ------------------------------------------------------------------ */

static void
reading_says_what_stands_there_and_nothing_of_life(void **state)
{
    vortex_pid pid = 77;

    (void)state;
    assert_int_equal(vortex_pidfile_read(PIDFILE, &pid), -ENOENT);
    assert_int_equal(vortex_pidfile_read("/run/no/web.pid", &pid), -ENOENT);
    assert_int_equal(pid, 77);
    write_pidfile_of(SERVER);
    assert_int_equal(vortex_pidfile_read(PIDFILE, &pid), 0);
    assert_int_equal(pid, SERVER);
    assert_int_equal(fake_handles(), 0);
}

static void
reading_a_pidfile_that_may_not_be_read_is_refused(void **state)
{
    vortex_pid pid = 77;

    (void)state;
    write_pidfile_of(SERVER)->mode = 0600;
    fake_spawn(RIVAL)->user = USER;
    fake_become(RIVAL);
    assert_int_equal(vortex_pidfile_read(PIDFILE, &pid), -EACCES);
    assert_int_equal(pid, 77);
}

static void
asking_answers_with_the_living_and_with_the_stale(void **state)
{
    bool alive = true;
    vortex_pid pid = 77;

    (void)state;
    assert_int_equal(vortex_pidfile_is_running(PIDFILE, &alive, &pid), -ENOENT);
    assert_true(alive);
    assert_int_equal(pid, 77);
    server(SERVER);
    alive = false;
    assert_int_equal(vortex_pidfile_is_running(PIDFILE, &alive, &pid), 0);
    assert_true(alive);
    assert_int_equal(pid, SERVER);
    crash(fake_process(SERVER));
    assert_int_equal(vortex_pidfile_is_running(PIDFILE, &alive, NULL), 0);
    assert_false(alive);
    assert_int_equal(vortex_pidfile_is_running(PIDFILE, &alive, &pid), 0);
    assert_int_equal(pid, SERVER);
    assert_int_equal(fake_handles(), 0);
}

static void
an_orphaned_server_counts_as_running(void **state)
{
    struct fake_process *supervisor = fake_spawn(SUPERVISOR), *hosted = fake_spawn(SERVER);
    bool alive = false;
    vortex_pid pid = 77;

    (void)state;
    write_state(supervisor, hosted, HELD);
    write_pidfile_of(SUPERVISOR);
    crash(supervisor);
    assert_int_equal(vortex_pidfile_is_running(PIDFILE, &alive, &pid), 0);
    assert_true(alive);
    assert_int_equal(pid, SERVER);
}

static void
asking_says_why_it_cannot_answer(void **state)
{
    bool alive = true;
    vortex_pid pid = 77;
    struct fake_process *holder = lock_holder(RIVAL);

    (void)state;
    assert_int_equal(vortex_pidfile_is_running(PIDFILE, &alive, &pid), -EBUSY);
    fake_kill(holder);
    fake_spawn(SERVER)->hidden = true;
    write_pidfile_of(SERVER);
    assert_int_equal(vortex_pidfile_is_running(PIDFILE, &alive, &pid), -ENODATA);
    assert_int_equal(pid, 77);
    assert_true(alive);
}

struct rival {
    struct paths paths;
    struct os_lock lock;
    int answer;
};

static void
take_everything(void *arg)
{
    struct rival *rival = arg;

    fake_become(RIVAL);
    rival->answer = paths_open(PIDFILE, false, &rival->paths);
    if (rival->answer == 0)
        rival->answer = os_lock_open(&rival->paths.dir, "web.pid.lock", false, &rival->lock, NULL);
    if (rival->answer == 0)
        rival->answer = os_lock_claim(&rival->lock);
    if (rival->answer == 0)
        rival->answer = os_lock_take(&rival->lock);
}

static void
asking_disturbs_nobody_at_any_step(void **state)
{
    bool reached = true;

    (void)state;
    for (unsigned n = 1; reached; n++) {
        struct rival rival = {.answer = 0};
        bool alive;

        instance_setup(NULL);
        crash(server(SERVER));
        fake_spawn(RIVAL);
        fake_watch();
        fake_hook_at(n, take_everything, &rival);
        (void)vortex_pidfile_is_running(PIDFILE, &alive, NULL);
        reached = fake_steps() >= n;
        assert_int_equal(rival.answer, 0);
        assert_int_equal(fake_count("/run"), 3);
        assert_true(pidfile_names(SERVER) && state_names(SERVER));
    }
}

/* ---- The lock ---------------------------------------------------------------------------- */

static void
a_lock_writes_nothing_and_excludes_others(void **state)
{
    struct vortex_lock *lock, *second = NULL;

    (void)state;
    assert_int_equal(vortex_pidfile_lock(PIDFILE, &lock), 0);
    assert_int_equal(fake_count("/run"), 1);
    assert_int_equal(vortex_pidfile_lock(PIDFILE, &second), -EWOULDBLOCK);
    fake_spawn(RIVAL);
    fake_become(RIVAL);
    assert_int_equal(vortex_pidfile_lock(PIDFILE, &second), -EWOULDBLOCK);
    assert_null(second);
    fake_become(FAKE_SELF);
    assert_null(vortex_lock_unlock(lock));
    assert_int_equal(fake_count("/run"), 0);
    assert_int_equal(fake_handles(), 0);
    fake_become(RIVAL);
    assert_int_equal(vortex_pidfile_lock(PIDFILE, &lock), 0);
    assert_null(vortex_lock_unlock(lock));
    assert_null(vortex_lock_unlock(NULL));
}

static void
a_contended_lock_is_refused_without_waiting(void **state)
{
    struct vortex_lock *lock = NULL;
    struct rival rival;
    int64_t before;

    (void)state;
    server(SERVER);
    before = os_monotonic_ms();
    assert_int_equal(vortex_pidfile_lock(PIDFILE, &lock), -EWOULDBLOCK);
    assert_int_equal(os_monotonic_ms(), before);
    crash(fake_process(SERVER));
    fake_spawn(RIVAL);
    take_everything(&rival);
    assert_int_equal(os_lock_unclaim(&rival.lock), 0);
    assert_int_equal(os_lock_claim(&rival.lock), 0);
    fake_become(FAKE_SELF);
    before = os_monotonic_ms();
    assert_int_equal(vortex_pidfile_lock(PIDFILE, &lock), -EWOULDBLOCK);
    assert_int_equal(os_monotonic_ms(), before);
    assert_null(lock);
    assert_int_equal(fake_handles(), 0);
}

static void
a_lock_of_a_dead_process_is_free(void **state)
{
    struct vortex_lock *lock, *leaked;

    (void)state;
    fake_spawn(RIVAL);
    fake_become(RIVAL);
    assert_int_equal(vortex_pidfile_lock(PIDFILE, &leaked), 0);
    fake_become(FAKE_SELF);
    fake_kill(fake_process(RIVAL));
    assert_int_equal(vortex_pidfile_lock(PIDFILE, &lock), 0);
    assert_null(vortex_lock_unlock(lock));
    free(leaked); /* its memory, which a real death would free */
}

static void
a_lock_refuses_links_and_remote_directories(void **state)
{
    struct vortex_lock *lock = NULL;

    (void)state;
    fake_make(LOCK, FAKE_SYMLINK, "/run/elsewhere");
    assert_int_equal(vortex_pidfile_lock(PIDFILE, &lock), -ELOOP);
    fake_remove(LOCK);
    fake_find("/run")->remote = true;
    assert_int_equal(vortex_pidfile_lock(PIDFILE, &lock), -EREMOTE);
    assert_null(lock);
    assert_int_equal(fake_handles(), 0);
}

static void
a_lock_is_not_inherited_over_exec(void **state)
{
    struct vortex_lock *leaked;

    (void)state;
    fake_spawn(RIVAL);
    fake_become(RIVAL);
    assert_int_equal(vortex_pidfile_write_locked(PIDFILE, &leaked, NULL), 0);
    fake_exec();
    fake_become(FAKE_SELF);
    assert_verdict(VORTEX_RUNNING, RIVAL); /* the identity goes on */
    fake_kill(fake_process(RIVAL));
    assert_verdict(VORTEX_STALE, RIVAL);
    free(leaked); /* its memory, which a real death would free */
}

/* ---- Reports ----------------------------------------------------------------------------- */

static void
a_report_shows_the_state_and_the_lock(void **state)
{
    struct vortex_report *report;

    (void)state;
    server(SERVER);
    assert_int_equal(vortex_pidfile_inspect(PIDFILE, &report), 0);
    assert_true(vortex_report_has_lock(report));
    assert_string_equal(vortex_report_get(report, "pid"), "4711");
    assert_null(vortex_report_get(report, "pi"));
    assert_null(vortex_report_get(report, "nothing"));
    assert_int_equal(vortex_process_pid(vortex_report_process(report)), SERVER);
    assert_null(vortex_report_close(report));
    assert_null(vortex_report_close(NULL));
}

static void
the_last_state_survives_the_death(void **state)
{
    struct vortex_report *report;

    (void)state;
    crash(server(SERVER));
    assert_int_equal(vortex_pidfile_inspect(PIDFILE, &report), 0);
    assert_int_equal(vortex_report_verdict(report), VORTEX_STALE);
    assert_string_equal(vortex_report_get(report, "pid"), "4711");
    assert_null(vortex_report_process(report));
    assert_null(vortex_report_close(report));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reading_says_what_stands_there_and_nothing_of_life),
        TEST(reading_a_pidfile_that_may_not_be_read_is_refused),
        TEST(asking_answers_with_the_living_and_with_the_stale),
        TEST(an_orphaned_server_counts_as_running),
        TEST(asking_says_why_it_cannot_answer),
        TEST(asking_disturbs_nobody_at_any_step),
        TEST(a_lock_writes_nothing_and_excludes_others),
        TEST(a_contended_lock_is_refused_without_waiting),
        TEST(a_lock_of_a_dead_process_is_free),
        TEST(a_lock_refuses_links_and_remote_directories),
        TEST(a_lock_is_not_inherited_over_exec),
        TEST(a_report_shows_the_state_and_the_lock),
        TEST(the_last_state_survives_the_death),
    };

    return cmocka_run_group_tests_name("pidfile", tests, NULL, NULL);
}
