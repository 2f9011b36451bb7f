/* SPDX-License-Identifier: Apache-2.0 */
/* What outlives a server and keeps its lock: it blocks a start, is named, and is ended on request. */
#include "harness.h"

static const char *
named(pid_t pid)
{
    return text_of("pid %d", (int)pid);
}

static void
a_leftover_makes_it_busy_and_is_named(void **state)
{
    struct world *w = *state;
    pid_t server = START_WITH(w, "web", "--fork-leftover"), leftover = hear(w, "leftover");
    const struct answer *answer;

    need_linux();
    kill_hard(server);

    answer = VORTEX(w, "status", "web");
    expect_exit(answer, 4);
    expect_says(answer->out, "web: busy");
    expect_says(answer->out, named(leftover));
    answer = VORTEX(w, "start", "web", "--", w->toy);
    expect_exit(answer, 1);
    expect_says(answer->err, named(leftover));
    expect_unsignalled(w, leftover);
}

static void
stop_spares_a_leftover_and_tells_of_it(void **state)
{
    struct world *w = *state;
    pid_t server = START_WITH(w, "web", "--fork-leftover"), leftover = hear(w, "leftover");
    const struct answer *answer;

    need_linux();
    answer = VORTEX(w, "stop", "web");
    expect_exit(answer, 1);
    expect_says(answer->err, named(leftover));
    expect_says(answer->err, "--leftovers");
    assert_int_equal(hear(w, "TERM"), server);
    assert_false(lives(server));

    answer = VORTEX(w, "stop", "web");
    expect_exit(answer, 1);
    expect_says(answer->err, named(leftover));
    expect_unsignalled(w, leftover);
}

static void
a_clean_up_takes_the_pidfile_and_leaves_them(void **state)
{
    struct world *w = *state;
    pid_t server = START_WITH(w, "web", "--fork-leftover"), leftover = hear(w, "leftover");

    need_linux();
    expect_exit(VORTEX(w, "stop", "web", "--clean"), 0);
    assert_int_equal(pid_in(in_run(w, "web.pid")), server);
    kill_hard(server);

    expect_exit(VORTEX(w, "stop", "web", "--clean"), 0);
    assert_false(is_there(in_run(w, "web.pid")));
    expect_exit(VORTEX(w, "start", "web", "--", w->toy), 1);
    expect_unsignalled(w, leftover);
    expect_exit(VORTEX(w, "stop", "web", "--leftovers"), 0);
    assert_false(lives(leftover));
    expect_no_files(w, "web");
}

static void
stop_leftovers_ends_the_server_and_them(void **state)
{
    struct world *w = *state;
    pid_t server = START_WITH(w, "web", "--fork-leftover"), leftover = hear(w, "leftover");
    const struct answer *answer;

    need_linux();
    answer = VORTEX(w, "stop", "web", "--leftovers");

    expect_exit(answer, 0);
    expect_says(answer->out, "ended 1");
    assert_false(lives(server));
    assert_false(lives(leftover));
    expect_no_files(w, "web");
}

static void
stop_leftovers_ends_those_of_a_server_that_is_long_dead(void **state)
{
    struct world *w = *state;
    pid_t server = START_WITH(w, "web", "--fork-leftover"), leftover = hear(w, "leftover");

    need_linux();
    kill_hard(server);

    expect_exit(VORTEX(w, "stop", "web", "--leftovers"), 0);
    assert_false(lives(leftover));
    expect_no_files(w, "web");
    START(w, "web");
}

static void
what_has_a_session_of_its_own_is_spared_even_then(void **state)
{
    struct world *w = *state;
    pid_t server = START_WITH(w, "web", "--setsid-leftover"), leftover = hear(w, "leftover");
    const struct answer *answer;

    need_linux();
    answer = VORTEX(w, "stop", "web", "--leftovers");

    expect_exit(answer, 1);
    expect_says(answer->err, named(leftover));
    assert_false(lives(server));
    expect_unsignalled(w, leftover);
}

static void
what_is_of_the_callers_session_is_spared_even_then(void **state)
{
    struct world *w = *state;
    struct task run =
        BACKGROUND(w, "run", "web", "--", w->toy, "--report", w->report, "--fork-leftover");
    pid_t leftover = hear(w, "leftover");
    const struct answer *answer;

    need_linux();
    hear(w, "ready");
    answer = VORTEX(w, "stop", "web", "--leftovers");

    expect_exit(answer, 1);
    assert_false(lives(run.pid));
    expect_unsignalled(w, leftover);
}

static void
what_does_not_hold_the_lock_is_spared_even_then(void **state)
{
    struct world *w = *state;
    pid_t server = START_WITH(w, "web", "--close-all", "--fork-leftover");
    pid_t leftover = hear(w, "leftover");

    need_linux();
    expect_exit(VORTEX(w, "stop", "web", "--leftovers"), 0);

    assert_false(lives(server));
    expect_no_files(w, "web");
    assert_int_equal(hear(w, "TERM"), server);
    expect_unsignalled(w, leftover);
}

static void
without_inherit_lock_a_leftover_blocks_nobody(void **state)
{
    struct world *w = *state;
    const char *config = config_write(w, "web", "[pidfile]\ninherit-lock = no\n");
    pid_t server, leftover;

    need_linux();
    expect_exit(VORTEX(w, "start", "web", "-c", config, "--", w->toy, "--report", w->report,
                       "--fork-leftover"),
                0);
    server = hear(w, "ready");
    leftover = hear(w, "leftover");

    expect_exit(VORTEX(w, "stop", "web"), 0);
    assert_int_equal(hear(w, "TERM"), server);
    expect_no_files(w, "web");
    START(w, "web");
    expect_unsignalled(w, leftover);
}

static void
restart_is_refused_by_a_leftover_and_names_it(void **state)
{
    struct world *w = *state;
    pid_t leftover;
    const struct answer *answer;

    need_linux();
    START_WITH(w, "web", "--fork-leftover");
    leftover = hear(w, "leftover");
    answer = VORTEX(w, "restart", "web", "--", w->toy);

    expect_exit(answer, 1);
    expect_says(answer->err, named(leftover));
    expect_unsignalled(w, leftover);
}

static void
restart_leftovers_makes_room_for_the_new_server(void **state)
{
    struct world *w = *state;
    pid_t server = START_WITH(w, "web", "--fork-leftover"), leftover = hear(w, "leftover");

    need_linux();
    expect_exit(VORTEX(w, "restart", "web", "--leftovers", "--", w->toy, "--report", w->report), 0);

    assert_false(lives(server));
    assert_false(lives(leftover));
    assert_int_equal(hear(w, "ready"), pid_in(in_run(w, "web.pid")));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        PROMISE(a_leftover_makes_it_busy_and_is_named),
        PROMISE(stop_spares_a_leftover_and_tells_of_it),
        PROMISE(a_clean_up_takes_the_pidfile_and_leaves_them),
        PROMISE(stop_leftovers_ends_the_server_and_them),
        PROMISE(stop_leftovers_ends_those_of_a_server_that_is_long_dead),
        PROMISE(what_has_a_session_of_its_own_is_spared_even_then),
        PROMISE(what_is_of_the_callers_session_is_spared_even_then),
        PROMISE(what_does_not_hold_the_lock_is_spared_even_then),
        PROMISE(without_inherit_lock_a_leftover_blocks_nobody),
        PROMISE(restart_is_refused_by_a_leftover_and_names_it),
        PROMISE(restart_leftovers_makes_room_for_the_new_server),
    };

    return RUN_SUITE("leftovers", false, tests);
}
