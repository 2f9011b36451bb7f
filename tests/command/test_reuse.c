/* SPDX-License-Identifier: Apache-2.0 */
/* Reused pids: an innocent who got a dead server's number is never taken for it. */
#include <errno.h>

#include "harness.h"

/* A server that is dead, and an innocent with its number. */
static struct bystander
replace_server(struct world *w)
{
    pid_t server;

    need_root();
    need_linux();
    server = START(w, "web");
    kill_hard(server);
    return bystander_start_as(server);
}

/* No verb does anything to whom the files seem to name; then a start takes over. */
static void
expect_stale_and_harmless(struct world *w, struct bystander *innocent)
{
    const struct answer *answer = VORTEX(w, "status", "web");

    expect_exit(answer, 1);
    expect_says(answer->out, "web: stale");
    expect_exit(VORTEX(w, "reload", "web"), 7);
    expect_exit(VORTEX(w, "signal", "web", "-s", "USR1"), 7);
    expect_exit(VORTEX(w, "reload", "web", "--assume", "running"), 7);
    expect_exit(VORTEX(w, "wait", "web"), 0);
    START(w, "web");
    expect_exit(VORTEX(w, "stop", "web"), 0);
    expect_no_files(w, "web");
    bystander_expect_unharmed(innocent);
}

/* ---- With a state ------------------------------------------------------------------------ */

static void
a_reused_pid_is_stale_and_never_signalled(void **state)
{
    struct world *w = *state;
    struct bystander innocent = replace_server(w);

    expect_stale_and_harmless(w, &innocent);
}

static void
a_reused_pid_is_never_stopped(void **state)
{
    struct world *w = *state;
    struct bystander innocent = replace_server(w);

    expect_exit(VORTEX(w, "stop", "web", "--leftovers", "-t", "50ms"), 0);

    expect_no_files(w, "web");
    bystander_expect_unharmed(&innocent);
}

static void
a_reused_pid_survives_a_restart(void **state)
{
    struct world *w = *state;
    struct bystander innocent = replace_server(w);

    expect_exit(VORTEX(w, "restart", "web", "--", w->toy, "--report", w->report), 0);

    assert_int_equal(hear(w, "ready"), pid_in(in_run(w, "web.pid")));
    bystander_expect_unharmed(&innocent);
}

/* On kernels without pidfs, and for those who read only that: the start time tells them apart. */
static void
a_reused_pid_is_known_by_its_start_time_alone(void **state)
{
    struct world *w = *state;
    struct bystander innocent = replace_server(w);
    const char *path = in_run(w, "web.pid.state");

    if (strstr(file_read(path), "\npidfd-inode=") != NULL)
        state_edit(path, "pidfd-inode", NULL);
    /* the innocent may well be born in the same tick as the server */
    state_edit(path, "start", text_of("%lld", atoll(state_value(path, "start")) - 1));

    expect_stale_and_harmless(w, &innocent);
}

static void
a_state_of_another_boot_names_nobody(void **state)
{
    struct world *w = *state;
    const char *path = in_run(w, "web.pid.state");
    pid_t toy;

    need_linux();
    toy = START(w, "web");
    state_edit(path, "boot", "00000000-0000-4000-8000-000000000000");
    if (strstr(file_read(path), "\npidfd-inode=")
        != NULL) { /* it is another view of the boot id alone */
        expect_exit(VORTEX(w, "status", "web"), 0);
        state_edit(path, "pidfd-inode",
                   text_of("%lld", atoll(state_value(path, "pidfd-inode")) + 1));
    }
    /* the same number and the same start, as it may well be in a boot sequence */
    expect_exit(VORTEX(w, "stop", "web"), 1); /* its lock is held all the same */
    expect_unsignalled(w, toy);

    assert_int_equal(unlink(in_run(w, "web.pid.lock")), 0);
    expect_says(VORTEX(w, "status", "web")->out, "web: stale: it is from before the last boot");
    expect_exit(VORTEX(w, "reload", "web"), 7);
    START(w, "web");
    expect_exit(VORTEX(w, "stop", "web"), 0);
    hear(w, "TERM"); /* the second toy's */
    expect_unsignalled(w, toy);
}

/* ---- Without a state --------------------------------------------------------------------- */

static void
without_a_state_who_is_younger_than_the_pidfile_is_innocent(void **state)
{
    struct world *w = *state;
    struct bystander innocent = replace_server(w);

    assert_int_equal(unlink(in_run(w, "web.pid.state")), 0);
    file_age(in_run(w, "web.pid"), 10);

    if (VORTEX(w, "status", "web")->status == 4)
        skip_test("the clock was put since the boot: the age of a file tells nothing here");
    expect_stale_and_harmless(w, &innocent);
}

static void
a_pidfile_of_another_tool_is_judged_beside_an_old_state(void **state)
{
    struct world *w = *state;
    struct bystander innocent;

    need_linux();
    kill_hard(START(w, "web"));
    innocent = bystander_start();
    file_write(in_run(w, "web.pid"), text_of("%d\n", (int)innocent.pid));
    file_age(in_run(w, "web.pid"), 10);

    if (VORTEX(w, "status", "web")->status == 4)
        skip_test("the clock was put since the boot: the age of a file tells nothing here");
    expect_stale_and_harmless(w, &innocent);
}

static void
a_pidfile_from_the_future_proves_nothing(void **state)
{
    struct world *w = *state;
    struct bystander innocent = bystander_start();
    const char *path = in_run(w, "web.pid");
    const struct answer *answer;

    need_linux();
    file_write(path, text_of("%d\n", (int)innocent.pid));
    file_age(path, -3600);

    answer = VORTEX(w, "status", "web");
    expect_exit(answer, 4);
    expect_says(answer->out, "web: unproved");
    answer = VORTEX(w, "start", "web", "--", w->toy);
    expect_exit(answer, 1);
    expect_says(answer->err, "--assume stale");
    answer = VORTEX(w, "stop", "web");
    expect_exit(answer, 1);
    expect_says(answer->err, "--assume running");
    expect_exit(VORTEX(w, "reload", "web"), 1);
    expect_exit(VORTEX(w, "restart", "web", "--", w->toy), 1);
    expect_exit(VORTEX(w, "start", "web", "--assume", "stale", "--", w->toy), 0);
    bystander_expect_unharmed(&innocent);
}

/* A toy whose pidfile proves nothing. */
static pid_t
start_unproved(struct world *w)
{
    pid_t toy = toy_start_alone(w);

    file_write(in_run(w, "web.pid"), text_of("%d\n", (int)toy));
    file_age(in_run(w, "web.pid"), -3600);
    return toy;
}

static void
assume_running_acts_on_an_unproved_process(void **state)
{
    struct world *w = *state;
    pid_t toy = start_unproved(w);

    need_linux();
    expect_exit(VORTEX(w, "reload", "web", "--assume", "running"), 0);
    assert_int_equal(hear(w, "HUP"), toy);
    expect_exit(VORTEX(w, "signal", "web", "-s", "USR1", "--assume", "running"), 0);
    assert_int_equal(hear(w, "USR1"), toy);
    expect_exit(VORTEX(w, "stop", "web", "--assume", "running"), 0);
    assert_int_equal(hear(w, "TERM"), toy);
    assert_false(lives(toy));
    expect_no_files(w, "web");
}

static void
restart_does_what_is_assumed_of_an_unproved_process(void **state)
{
    struct world *w = *state;
    pid_t toy;

    need_linux();
    toy = start_unproved(w);
    expect_exit(VORTEX(w, "restart", "web", "--assume", "running", "--", w->toy), 0);
    assert_int_equal(hear(w, "TERM"), toy);
    assert_false(lives(toy));
    expect_exit(VORTEX(w, "status", "web"), 0);
    expect_exit(VORTEX(w, "stop", "web"), 0);

    toy = start_unproved(w);
    expect_exit(VORTEX(w, "restart", "web", "--assume", "stale", "--", w->toy), 0);
    expect_exit(VORTEX(w, "status", "web"), 0);
    expect_unsignalled(w, toy);
}

/* ---- Of another pid namespace ------------------------------------------------------------ */

/* As a restarted container finds its volume: the number is somebody else's in here. */
static struct bystander
move_to_another_namespace(struct world *w, const char *lock)
{
    struct bystander innocent;
    const char *path = in_run(w, "web.pid.state");

    need_linux();
    kill_hard(START(w, "web"));
    innocent = bystander_start();
    file_write(in_run(w, "web.pid"), text_of("%d\n", (int)innocent.pid));
    state_edit(path, "pid", text_of("%d", (int)innocent.pid));
    state_edit(path, "pidns", "4026539999");
    state_edit(path, "lock", lock);
    return innocent;
}

static void
of_another_pid_namespace_with_its_lock_free_is_stale(void **state)
{
    struct world *w = *state;
    struct bystander innocent = move_to_another_namespace(w, "held");

    expect_stale_and_harmless(w, &innocent);
}

static void
of_another_pid_namespace_without_a_lock_is_unproved(void **state)
{
    struct world *w = *state;
    struct bystander innocent = move_to_another_namespace(w, "released");
    const struct answer *answer = VORTEX(w, "status", "web");

    expect_exit(answer, 4);
    expect_says(answer->out, "unproved: it is of another pid namespace");
    expect_exit(VORTEX(w, "start", "web", "--", w->toy), 1);
    expect_exit(VORTEX(w, "reload", "web"), 1);
    expect_exit(VORTEX(w, "stop", "web"), 1);
    expect_exit(VORTEX(w, "start", "web", "--assume", "stale", "--", w->toy), 0);
    expect_exit(VORTEX(w, "status", "web"), 0);
    bystander_expect_unharmed(&innocent);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        PROMISE(a_reused_pid_is_stale_and_never_signalled),
        PROMISE(a_reused_pid_is_never_stopped),
        PROMISE(a_reused_pid_survives_a_restart),
        PROMISE(a_reused_pid_is_known_by_its_start_time_alone),
        PROMISE(a_state_of_another_boot_names_nobody),
        PROMISE(without_a_state_who_is_younger_than_the_pidfile_is_innocent),
        PROMISE(a_pidfile_of_another_tool_is_judged_beside_an_old_state),
        PROMISE(a_pidfile_from_the_future_proves_nothing),
        PROMISE(assume_running_acts_on_an_unproved_process),
        PROMISE(restart_does_what_is_assumed_of_an_unproved_process),
        PROMISE(of_another_pid_namespace_with_its_lock_free_is_stale),
        PROMISE(of_another_pid_namespace_without_a_lock_is_unproved),
    };

    return RUN_SUITE("reused pids", true, tests);
}
