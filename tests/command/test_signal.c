/* SPDX-License-Identifier: Apache-2.0 */
/* reload, signal and wait. */
#include "harness.h"

static void
reload_sends_hup(void **state)
{
    struct world *w = *state;
    pid_t server = START(w, "web");
    const struct answer *answer = VORTEX(w, "reload", "web");

    expect_exit(answer, 0);
    assert_int_equal(hear(w, "HUP"), server);
    expect_unsignalled(w, server);
}

static void
reload_sends_the_configured_signal(void **state)
{
    struct world *w = *state;
    const char *config = config_write(w, "web", "[reload]\nsignal = USR2\n");
    pid_t server = START(w, "web");

    expect_exit(VORTEX(w, "reload", "web", "-c", config), 0);
    assert_int_equal(hear(w, "USR2"), server);
    expect_unsignalled(w, server);
}

static void
signal_sends_any_signal_by_name_or_number(void **state)
{
    static const struct {
        const char *said;
        const char *heard;
    } rows[] = {{"USR1", "USR1"}, {"SIGUSR2", "USR2"},    {"28", "WINCH"},
                {"CONT", "CONT"}, {"RTMIN+2", "RTMIN+2"}, {"SIGRTMIN", "RTMIN+0"}};
    struct world *w = *state;
    pid_t server = START(w, "web");

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        expect_exit(VORTEX(w, "signal", "web", "-s", rows[i].said), 0);
        assert_int_equal(hear(w, rows[i].heard), server);
    }
    expect_unsignalled(w, server);
}

static void
without_a_server_reload_and_signal_are_7(void **state)
{
    struct world *w = *state;
    const struct answer *answer = VORTEX(w, "reload", "web");

    expect_exit(answer, 7);
    expect_says(answer->err, "vortex: cannot reload 'web': not running");
    expect_exit(VORTEX(w, "signal", "web", "-s", "HUP"), 7);
    kill_hard(START(w, "web"));
    expect_exit(VORTEX(w, "reload", "web"), 7);
    expect_exit(VORTEX(w, "signal", "web", "-s", "HUP"), 7);
    assert_true(is_there(in_run(w, "web.pid"))); /* what is dead is left for the post-mortem */
    assert_true(is_there(in_run(w, "web.pid.state")));
}

static void
who_may_not_signal_is_told_so_and_it_is_4(void **state)
{
    struct world *w = *state;
    pid_t server;

    need_root();
    server = START(w, "web");
    w->as_nobody = true;

    expect_exit(VORTEX(w, "reload", "web"), 4);
    expect_exit(VORTEX(w, "signal", "web", "-s", "KILL"), 4);
    expect_unsignalled(w, server);
}

static void
signal_without_a_signal_is_misuse(void **state)
{
    struct world *w = *state;

    expect_exit(VORTEX(w, "signal", "web"), 2);
    expect_exit(VORTEX(w, "signal", "web", "-s", "HUPP"), 2);
    expect_exit(VORTEX(w, "signal", "web", "-s", "0"), 2);
    expect_exit(VORTEX(w, "signal", "web", "-s", "-1"), 2);
    expect_exit(VORTEX(w, "signal", "web", "-s", "65"), 2);
}

/* ---- wait -------------------------------------------------------------------------------- */

static void
wait_is_back_when_the_server_has_ended(void **state)
{
    struct world *w = *state;
    pid_t server = START(w, "web");
    struct task wait = BACKGROUND(w, "wait", "web");

    expect_exit(VORTEX(w, "signal", "web", "-s", "HUP"), 0);
    hear(w, "HUP");
    assert_true(task_goes_on(&wait));
    kill_hard(server);

    expect_exit(task_end(&wait), 0);
}

static void
wait_with_a_timeout_is_1_while_the_server_lives(void **state)
{
    struct world *w = *state;
    pid_t server = START(w, "web");
    const struct answer *answer = VORTEX(w, "wait", "web", "--timeout", "50ms");

    expect_exit(answer, 1);
    expect_says(answer->err, "still runs");
    expect_unsignalled(w, server);
}

static void
wait_for_nobody_is_done(void **state)
{
    struct world *w = *state;

    expect_exit(VORTEX(w, "wait", "web"), 0);
    expect_exit(VORTEX(w, "wait", "web", "-p", in_dir(w, "nowhere/web.pid")), 0);
    kill_hard(START(w, "web"));
    expect_exit(VORTEX(w, "wait", "web"), 0);
    expect_exit(VORTEX(w, "wait", "web", "-t", "0"), 0);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        PROMISE(reload_sends_hup),
        PROMISE(reload_sends_the_configured_signal),
        PROMISE(signal_sends_any_signal_by_name_or_number),
        PROMISE(without_a_server_reload_and_signal_are_7),
        PROMISE(who_may_not_signal_is_told_so_and_it_is_4),
        PROMISE(signal_without_a_signal_is_misuse),
        PROMISE(wait_is_back_when_the_server_has_ended),
        PROMISE(wait_with_a_timeout_is_1_while_the_server_lives),
        PROMISE(wait_for_nobody_is_done),
    };

    return RUN_SUITE("reload, signal and wait", false, tests);
}
