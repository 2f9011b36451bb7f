/* SPDX-License-Identifier: Apache-2.0 */
/* stop: the right process, to its death, and no file is left. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/inotify.h>

#include "harness.h"

/* A FIFO on which a toy with --linger waits after TERM. */
static const char *
linger_make(const struct world *w)
{
    const char *path = in_dir(w, "linger");

    assert_int_equal(mkfifo(path, 0600), 0);
    return path;
}

/* The toy, which has it open for reading or soon will, may end now. */
static void
linger_end(const char *path)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    close(fd);
}

/* ---- The usual --------------------------------------------------------------------------- */

static void
stop_sends_term_and_no_file_is_left(void **state)
{
    struct world *w = *state;
    pid_t server = START(w, "web");
    const struct answer *answer = VORTEX(w, "stop", "web");

    expect_exit(answer, 0);
    assert_string_equal(answer->out, text_of("stopped 'web' (pid %d)\n", (int)server));
    assert_false(lives(server));
    assert_int_equal(hear(w, "TERM"), server);
    assert_string_equal(w->heard, "");
    expect_no_files(w, "web");
}

static void
stop_is_back_when_the_server_is_dead_and_not_before(void **state)
{
    struct world *w = *state;
    const char *linger = linger_make(w);
    pid_t server = START_WITH(w, "web", "--linger", linger);
    struct task stop = BACKGROUND(w, "stop", "web");

    hear(w, "TERM");
    assert_true(task_goes_on(&stop));
    assert_int_equal(pid_in(in_run(w, "web.pid")), server);
    linger_end(linger);

    expect_exit(task_end(&stop), 0);
    assert_false(lives(server));
    expect_no_files(w, "web");
}

static void
two_stops_at_once_are_both_done(void **state)
{
    struct world *w = *state;
    const char *linger = linger_make(w);
    pid_t server = START_WITH(w, "web", "--linger", linger);
    struct task first = BACKGROUND(w, "stop", "web");
    struct task second;

    hear(w, "TERM");
    second = BACKGROUND(w, "stop", "web");
    linger_end(linger);

    expect_exit(task_end(&first), 0);
    expect_exit(task_end(&second), 0);
    assert_false(lives(server));
    expect_no_files(w, "web");
}

static void
stop_of_nobody_is_done_and_makes_nothing(void **state)
{
    struct world *w = *state;
    const struct answer *answer = VORTEX(w, "stop", "web");

    expect_exit(answer, 0);
    expect_says(answer->out, "'web' is not running");
    expect_no_files(w, "web");
    expect_exit(VORTEX(w, "stop", "web", "-p", in_dir(w, "nowhere/web.pid")), 0);
    assert_false(is_there(in_dir(w, "nowhere")));
    w->as_nobody = geteuid() == 0; /* nor is a right needed */
    expect_exit(VORTEX(w, "stop", "web"), 0);
}

static void
stop_of_a_dead_server_removes_what_it_left(void **state)
{
    struct world *w = *state;

    kill_hard(START(w, "web"));
    assert_true(is_there(in_run(w, "web.pid")));

    expect_exit(VORTEX(w, "stop", "web"), 0);
    expect_no_files(w, "web");
}

static void
a_clean_up_is_for_the_dead_alone(void **state)
{
    struct world *w = *state;
    pid_t server = START(w, "web");
    const struct answer *answer;

    expect_exit(VORTEX(w, "stop", "web", "--clean"), 0);
    expect_unsignalled(w, server);
    assert_int_equal(pid_in(in_run(w, "web.pid")), server);

    kill_hard(server);
    answer = VORTEX(w, "stop", "web", "--clean");
    expect_exit(answer, 0);
    assert_string_equal(answer->out, "");
    expect_no_files(w, "web");
    expect_exit(VORTEX(w, "stop", "web", "--clean"), 0);
}

static void
bystanders_hear_of_no_stop(void **state)
{
    struct world *w = *state;
    struct bystander before = bystander_start();
    pid_t server = START(w, "web");
    struct bystander after = bystander_start();
    pid_t toy = toy_start_alone(w);

    expect_exit(VORTEX(w, "stop", "web", "--leftovers"), 0);

    assert_false(lives(server));
    assert_int_equal(hear(w, "TERM"), server);
    bystander_expect_unharmed(&before);
    bystander_expect_unharmed(&after);
    expect_unsignalled(w, toy);
}

/* ---- Options and keys -------------------------------------------------------------------- */

static void
after_the_timeout_comes_kill(void **state)
{
    struct world *w = *state;
    pid_t server = START_WITH(w, "web", "--ignore-term");
    const struct answer *answer = VORTEX(w, "stop", "web", "--timeout", "100ms");

    expect_exit(answer, 0);
    expect_says(answer->out, "by KILL after the timeout");
    assert_int_equal(hear(w, "TERM"), server);
    assert_false(lives(server));
    expect_no_files(w, "web");
}

static void
a_suspended_server_is_ended_by_kill_too(void **state)
{
    struct world *w = *state;
    pid_t server = START(w, "web");

    assert_int_equal(kill(server, SIGSTOP), 0);
    expect_exit(VORTEX(w, "stop", "web", "-t", "50ms"), 0);

    assert_false(lives(server));
    expect_no_files(w, "web");
}

static void
with_no_kill_who_survives_is_left_alone_and_it_is_1(void **state)
{
    struct world *w = *state;
    pid_t server = START_WITH(w, "web", "--ignore-term");
    const struct answer *answer = VORTEX(w, "stop", "web", "-t", "100ms", "--no-kill");

    expect_exit(answer, 1);
    expect_says(answer->err, text_of("pid %d still runs", (int)server));
    assert_int_equal(hear(w, "TERM"), server);
    assert_int_equal(pid_in(in_run(w, "web.pid")), server);
    expect_exit(VORTEX(w, "status", "web"), 0);
    expect_unsignalled(w, server);
}

static void
the_signal_may_be_chosen(void **state)
{
    static const char *const names[] = {"INT", "SIGINT", "2"};
    struct world *w = *state;

    for (size_t i = 0; i < 3; i++) {
        pid_t server = START(w, "web");

        expect_exit(VORTEX(w, "stop", "web", "--signal", names[i]), 0);
        assert_int_equal(hear(w, "INT"), server);
        assert_string_equal(w->heard, "");
    }
}

static void
signal_and_timeout_may_be_configured(void **state)
{
    struct world *w = *state;
    const char *config = config_write(w, "web", "[stop]\nsignal = USR1\ntimeout = 100ms\n");
    pid_t server = START(w, "web");
    const struct answer *answer = VORTEX(w, "stop", "web", "-c", config);

    expect_exit(answer, 0);
    expect_says(answer->out, "by KILL");
    assert_int_equal(hear(w, "USR1"), server);
    assert_string_equal(w->heard, "");
}

/* ---- Servers that misbehave -------------------------------------------------------------- */

static void
a_server_that_closed_everything_is_known_without_its_pidfile(void **state)
{
    struct world *w = *state;
    pid_t server = START_WITH(w, "web", "--close-all");

    need_linux();
    assert_int_equal(unlink(in_run(w, "web.pid")), 0);

    expect_exit(VORTEX(w, "status", "web"), 0);
    expect_exit(VORTEX(w, "start", "web", "--", w->toy), 1);
    expect_exit(VORTEX(w, "stop", "web"), 0);
    assert_int_equal(hear(w, "TERM"), server);
    expect_no_files(w, "web");
}

static void
a_server_is_known_by_its_lock_when_pidfile_and_state_are_removed(void **state)
{
    struct world *w = *state;
    pid_t server = START(w, "web");

    assert_int_equal(unlink(in_run(w, "web.pid")), 0);
    assert_int_equal(unlink(in_run(w, "web.pid.state")), 0);

    expect_exit(VORTEX(w, "status", "web"), 4);
    expect_exit(VORTEX(w, "start", "web", "--", w->toy), 1);
    expect_exit(VORTEX(w, "stop", "web"), 1);
    expect_unsignalled(w, server);
}

/* Wait until that file was opened so often. */
static void
wait_for_opens(const char *path, size_t count)
{
    char events[64 * sizeof(struct inotify_event)];
    struct pollfd opens = {.fd = inotify_init1(IN_CLOEXEC), .events = POLLIN};
    int64_t end = deadline();

    assert_true(inotify_add_watch(opens.fd, path, IN_OPEN) >= 0);
    for (size_t seen = 0; seen < count;) {
        ssize_t n;

        assert_true(poll_until(&opens, 1, end));
        n = read(opens.fd, events, sizeof(events));
        assert_true(n > 0);
        seen += (size_t)n / sizeof(struct inotify_event); /* of a file, they have no name */
    }
    close(opens.fd);
}

/* As on a loaded machine, where one look isn't long enough. */
static void
a_stop_waits_for_a_start_that_has_not_said_who_it_is(void **state)
{
    struct world *w = *state;
    const char *path = in_run(w, "web.pid.state"), *aside = in_run(w, "aside");
    pid_t server;
    struct task stop;

    need_linux();
    server = START(w, "web");
    assert_int_equal(unlink(in_run(w, "web.pid")), 0);
    assert_int_equal(rename(path, aside), 0);

    stop = BACKGROUND(w, "stop", "web");
    wait_for_opens(in_run(w, "web.pid.lock"), 40);
    assert_int_equal(rename(aside, path), 0);

    expect_exit(task_end(&stop), 0);
    assert_false(lives(server));
    expect_no_files(w, "web");
}

static void
a_server_whose_main_thread_exited_is_alive_and_is_stopped(void **state)
{
    struct world *w = *state;
    pid_t server = START_WITH(w, "web", "--main-thread-exits");

    expect_exit(VORTEX(w, "status", "web"), 0);
    expect_exit(VORTEX(w, "start", "web", "--", w->toy), 1);
    expect_exit(VORTEX(w, "stop", "web"), 0);
    assert_int_equal(hear(w, "TERM"), server);
    assert_false(lives(server));
}

static void
a_server_that_hides_its_memory_is_known_to_its_user(void **state)
{
    struct world *w = *state;
    pid_t server;

    need_root();
    toy_bring(w);
    assert_int_equal(chown(w->run, NOBODY, NOBODY), 0);
    w->as_nobody = true;
    server = START_WITH(w, "web", "--nondumpable");

    expect_exit(VORTEX(w, "status", "web"), 0);
    expect_exit(VORTEX(w, "start", "web", "--", w->toy), 1);
    expect_exit(VORTEX(w, "stop", "web"), 0);
    assert_int_equal(hear(w, "TERM"), server);
    expect_no_files(w, "web");
}

static void
who_may_not_signal_the_server_is_told_so_and_it_is_4(void **state)
{
    struct world *w = *state;
    pid_t server;
    const struct answer *answer;

    need_root();
    server = START(w, "web");
    w->as_nobody = true;
    answer = VORTEX(w, "stop", "web");

    expect_exit(answer, 4);
    expect_says(answer->err, "not permitted");
    assert_int_equal(pid_in(in_run(w, "web.pid")), server);
    expect_exit(VORTEX(w, "status", "web"), 0);
    expect_unsignalled(w, server);
}

static void
who_may_not_remove_the_files_is_told_that_the_server_is_dead(void **state)
{
    struct world *w = *state;
    const struct answer *answer;
    pid_t server;

    need_root();
    toy_bring(w);
    assert_int_equal(chown(w->run, NOBODY, NOBODY), 0);
    w->as_nobody = true;
    server = START(w, "web");
    assert_int_equal(chown(w->run, 0, 0), 0);
    answer = VORTEX(w, "stop", "web");

    expect_exit(answer, 4);
    expect_says(answer->err, "'web' is dead, but its files can't be removed");
    assert_false(lives(server));
    assert_true(is_there(in_run(w, "web.pid")));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        PROMISE(stop_sends_term_and_no_file_is_left),
        PROMISE(stop_is_back_when_the_server_is_dead_and_not_before),
        PROMISE(two_stops_at_once_are_both_done),
        PROMISE(a_stop_waits_for_a_start_that_has_not_said_who_it_is),
        PROMISE(stop_of_nobody_is_done_and_makes_nothing),
        PROMISE(stop_of_a_dead_server_removes_what_it_left),
        PROMISE(a_clean_up_is_for_the_dead_alone),
        PROMISE(bystanders_hear_of_no_stop),
        PROMISE(after_the_timeout_comes_kill),
        PROMISE(a_suspended_server_is_ended_by_kill_too),
        PROMISE(with_no_kill_who_survives_is_left_alone_and_it_is_1),
        PROMISE(the_signal_may_be_chosen),
        PROMISE(signal_and_timeout_may_be_configured),
        PROMISE(a_server_that_closed_everything_is_known_without_its_pidfile),
        PROMISE(a_server_is_known_by_its_lock_when_pidfile_and_state_are_removed),
        PROMISE(a_server_whose_main_thread_exited_is_alive_and_is_stopped),
        PROMISE(a_server_that_hides_its_memory_is_known_to_its_user),
        PROMISE(who_may_not_signal_the_server_is_told_so_and_it_is_4),
        PROMISE(who_may_not_remove_the_files_is_told_that_the_server_is_dead),
    };

    return RUN_SUITE("stop", false, tests);
}
