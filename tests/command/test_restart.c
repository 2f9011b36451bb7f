/* SPDX-License-Identifier: Apache-2.0 */
/* restart: another process under the same claim, or the old one lives on. */
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

#include "harness.h"

#define STARTERS 8

static void
restart_replaces_the_process(void **state)
{
    struct world *w = *state;
    pid_t before = START(w, "web"), after;
    const struct answer *answer = VORTEX(w, "restart", "web", "--", w->toy, "--report", w->report);

    expect_exit(answer, 0);
    assert_int_equal(hear(w, "TERM"), before);
    after = hear(w, "ready");
    assert_string_equal(answer->out, text_of("restarted 'web' (pid %d)\n", (int)after));
    assert_false(lives(before));
    assert_int_equal(pid_in(in_run(w, "web.pid")), after);
    expect_exit(VORTEX(w, "status", "web"), 0);
    expect_unsignalled(w, after);
}

static void
restart_by_the_configuration_needs_no_command(void **state)
{
    struct world *w = *state;
    const char *config =
        config_write(w, "web", "[server]\ncommand = %s --report %s\n", w->toy, w->report);
    pid_t before, after;

    expect_exit(VORTEX(w, "start", "web", "-c", config), 0);
    before = hear(w, "ready");
    expect_exit(VORTEX(w, "restart", "web", "-c", config), 0);
    after = hear(w, "ready");

    assert_int_not_equal(after, before);
    assert_int_equal(pid_in(in_run(w, "web.pid")), after);
}

static void
restart_of_nobody_starts(void **state)
{
    struct world *w = *state;

    expect_exit(VORTEX(w, "restart", "web", "--", w->toy, "--report", w->report), 0);
    assert_int_equal(hear(w, "ready"), pid_in(in_run(w, "web.pid")));
}

static void
restart_of_a_dead_server_starts(void **state)
{
    struct world *w = *state;

    kill_hard(START(w, "web"));
    expect_exit(VORTEX(w, "restart", "web", "--", w->toy, "--report", w->report), 0);
    assert_int_equal(hear(w, "ready"), pid_in(in_run(w, "web.pid")));
}

static void
the_new_server_holds_the_lock_as_the_old_one_did(void **state)
{
    struct world *w = *state;
    pid_t server;

    START(w, "web");
    expect_exit(VORTEX(w, "restart", "web", "--", w->toy, "--report", w->report), 0);
    server = hear(w, "ready");
    assert_int_equal(unlink(in_run(w, "web.pid")), 0);
    assert_int_equal(unlink(in_run(w, "web.pid.state")), 0);

    expect_exit(VORTEX(w, "start", "web", "--", w->toy), 1);
    kill_hard(server);
    START(w, "web");
}

/* ---- What can't be started is not stopped ------------------------------------------------- */

static void
expect_old_lives_on(struct world *w, pid_t server)
{
    assert_int_equal(pid_in(in_run(w, "web.pid")), server);
    expect_exit(VORTEX(w, "status", "web"), 0);
    expect_unsignalled(w, server);
}

static void
with_a_missing_program_the_old_server_lives_on(void **state)
{
    struct world *w = *state;
    pid_t server = START(w, "web");
    const struct answer *answer = VORTEX(w, "restart", "web", "--", "/nowhere/program");

    expect_exit(answer, 5);
    expect_says(answer->err, "cannot restart 'web': program '/nowhere/program'");
    expect_old_lives_on(w, server);
}

static void
with_a_missing_user_or_directory_the_old_server_lives_on(void **state)
{
    static const char *const keys[] = {"user = no-such-user", "group = no-such-group",
                                       "directory = /nowhere"};
    struct world *w = *state;
    pid_t server = START(w, "web");

    for (size_t i = 0; i < 3; i++) {
        const char *config = config_write(w, "web", "[server]\n%s\n", keys[i]);

        expect_exit(VORTEX(w, "restart", "web", "-c", config, "--", w->toy), 1);
        expect_old_lives_on(w, server);
    }
}

static void
with_a_mistake_in_the_configuration_the_old_server_lives_on(void **state)
{
    struct world *w = *state;
    pid_t server = START(w, "web");
    const char *config = config_write(w, "web", "[server]\ncomand = %s\n", w->toy);

    expect_exit(VORTEX(w, "restart", "web", "-c", config), 6);
    expect_old_lives_on(w, server);
}

static void
without_a_command_a_server_that_had_one_is_not_replaced(void **state)
{
    struct world *w = *state;
    const char *names[] = {"web", "vortex"};

    for (size_t i = 0; i < 2; i++) {
        pid_t server = START(w, names[i]);
        const struct answer *answer = VORTEX(w, "restart", names[i]);

        expect_exit(answer, 6);
        expect_says(answer->err, text_of("cannot restart '%s'", names[i]));
        assert_int_equal(pid_in(in_run(w, text_of("%s.pid", names[i]))), server);
        expect_unsignalled(w, server);
    }
}

static void
who_survives_a_restart_with_no_kill_lives_on(void **state)
{
    struct world *w = *state;
    pid_t server = START_WITH(w, "web", "--ignore-term");

    expect_exit(VORTEX(w, "restart", "web", "-t", "50ms", "--no-kill", "--", w->toy), 1);

    assert_int_equal(hear(w, "TERM"), server);
    expect_old_lives_on(w, server);
}

/* ---- One claim --------------------------------------------------------------------------- */

/* Each writes its number after each attempt, and ends when nobody reads any more. */
static void
keep_starting(struct world *w, int pipe, char which)
{
    ssize_t n;

    (void)signal(SIGPIPE, SIG_IGN);
    do {
        const struct answer *answer = VORTEX(w, "start", "web", "--", w->toy);

        if (answer->status != 1)
            _exit(1);
        n = write(pipe, &which, 1);
    } while (n == 1);
    _exit(0);
}

/* Until each of them has tried so often again. */
static void
wait_for_attempts(int pipe, int wanted)
{
    int made[STARTERS] = {0}, waiting = STARTERS;

    while (waiting > 0) {
        struct pollfd event = {.fd = pipe, .events = POLLIN};
        char which;

        assert_int_equal(poll(&event, 1, DEADLINE_MS), 1);
        assert_int_equal(read(pipe, &which, 1), 1);
        if (++made[(int)which] == wanted)
            waiting--;
    }
}

static void
no_other_start_comes_between(void **state)
{
    struct world *w = *state;
    const char *linger = in_dir(w, "linger");
    pid_t starters[STARTERS], before, after;
    struct task restart;
    int attempts[2], fd, status;

    need_linux();
    assert_int_equal(pipe2(attempts, O_CLOEXEC), 0);
    assert_int_equal(mkfifo(linger, 0600), 0);
    before = START_WITH(w, "web", "--linger", linger);
    for (int i = 0; i < STARTERS; i++) {
        starters[i] = fork();
        if (starters[i] == 0) {
            close(attempts[0]);
            keep_starting(w, attempts[1], (char)i);
        }
    }
    close(attempts[1]);
    wait_for_attempts(attempts[0], 1);
    restart = BACKGROUND(w, "restart", "web", "--", w->toy, "--report", w->report);
    assert_int_equal(hear(w, "TERM"), before);
    wait_for_attempts(attempts[0], 2); /* while the old one is dying */
    assert_true(task_goes_on(&restart));
    fd = open(linger, O_WRONLY | O_CLOEXEC);
    close(fd);
    expect_exit(task_end(&restart), 0);
    after = hear(w, "ready");
    wait_for_attempts(attempts[0], 2); /* and when the new one is there */
    close(attempts[0]);

    for (int i = 0; i < STARTERS; i++) {
        assert_int_equal(waitpid(starters[i], &status, 0), starters[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(pid_in(in_run(w, "web.pid")), after);
    assert_true(lives(after));
    assert_false(lives(before));
}

static void
parallel_restarts_leave_one_server(void **state)
{
    struct world *w = *state;
    struct task restarts[4];
    pid_t server, ready;
    int done = 0;

    need_linux();
    START(w, "web");
    for (size_t i = 0; i < 4; i++)
        restarts[i] = BACKGROUND(w, "restart", "web", "--", w->toy, "--report", w->report);
    for (size_t i = 0; i < 4; i++)
        done += task_end(&restarts[i])->status == 0;

    assert_true(done >= 1);
    server = pid_in(in_run(w, "web.pid"));
    while ((ready = hear(w, "ready")) != server)
        assert_false(lives(ready));
    expect_exit(VORTEX(w, "status", "web"), 0);
    assert_true(lives(server));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        PROMISE(restart_replaces_the_process),
        PROMISE(restart_by_the_configuration_needs_no_command),
        PROMISE(restart_of_nobody_starts),
        PROMISE(restart_of_a_dead_server_starts),
        PROMISE(the_new_server_holds_the_lock_as_the_old_one_did),
        PROMISE(with_a_missing_program_the_old_server_lives_on),
        PROMISE(with_a_missing_user_or_directory_the_old_server_lives_on),
        PROMISE(with_a_mistake_in_the_configuration_the_old_server_lives_on),
        PROMISE(without_a_command_a_server_that_had_one_is_not_replaced),
        PROMISE(who_survives_a_restart_with_no_kill_lives_on),
        PROMISE(no_other_start_comes_between),
        PROMISE(parallel_restarts_leave_one_server),
    };

    return RUN_SUITE("restart", false, tests);
}
