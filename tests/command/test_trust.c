/* SPDX-License-Identifier: Apache-2.0 */
/* For whom a file speaks: what a user can write makes root signal nobody but that user's own. */
#include "harness.h"

static void
a_pidfile_that_may_not_be_read_is_unproved(void **state)
{
    struct world *w = *state;
    struct bystander bystander;
    const char *path = in_run(w, "web.pid");

    need_root();
    bystander = bystander_start();
    file_write(path, text_of("%d\n", (int)bystander.pid));
    assert_int_equal(chmod(path, 0), 0);
    assert_int_equal(chown(path, NOBODY, NOBODY), 0);
    assert_int_equal(chown(w->run, NOBODY, NOBODY), 0);
    w->as_nobody = true;

    expect_exit(VORTEX(w, "status", "web"), 4);
    expect_says(VORTEX(w, "status", "web")->out, "web: unproved");
    assert_int_not_equal(VORTEX(w, "start", "web", "--", "sleep", "1000")->status, 0);
    expect_exit(VORTEX(w, "reload", "web"), 4);
    expect_exit(VORTEX(w, "stop", "web"), 4);
    expect_exit(VORTEX(w, "stop", "web", "--assume", "running"), 4);
    assert_true(is_there(path));
    expect_exit(VORTEX(w, "start", "web", "--assume", "stale", "--", "sleep", "1000"), 0);
    expect_exit(VORTEX(w, "stop", "web"), 0);
    bystander_expect_unharmed(&bystander);
}

static void
a_users_pidfile_makes_root_signal_no_stranger(void **state)
{
    struct world *w = *state;
    struct bystander bystander;

    need_root();
    need_linux();
    bystander = bystander_start();
    file_write(in_run(w, "web.pid"), text_of("%d\n", (int)bystander.pid));
    assert_int_equal(chown(w->run, NOBODY, NOBODY), 0);

    expect_exit(VORTEX(w, "status", "web"), 1);
    expect_exit(VORTEX(w, "reload", "web"), 7);
    expect_exit(VORTEX(w, "stop", "web"), 0);
    bystander_expect_unharmed(&bystander);
}

/* A toy of the user nobody, whom a pidfile names in a directory of nobody's. */
static pid_t
start_nobodys(struct world *w)
{
    pid_t toy;

    toy_bring(w);
    w->as_nobody = true;
    toy = toy_start_alone(w);
    w->as_nobody = false;
    file_write(in_run(w, "web.pid"), text_of("%d\n", (int)toy));
    assert_int_equal(chown(in_run(w, "web.pid"), NOBODY, NOBODY), 0);
    assert_int_equal(chown(w->run, NOBODY, NOBODY), 0);
    return toy;
}

static void
a_users_pidfile_speaks_for_that_users_own_process(void **state)
{
    struct world *w = *state;
    pid_t toy;

    need_root();
    need_linux();
    toy = start_nobodys(w);

    if (VORTEX(w, "status", "web")->status == 4)
        skip_test("the clock was put since the boot: the age of a file tells nothing here");
    expect_exit(VORTEX(w, "status", "web"), 0);
    expect_exit(VORTEX(w, "reload", "web"), 0);
    assert_int_equal(hear(w, "HUP"), toy);
}

static void
one_users_pidfile_in_anothers_directory_speaks_for_neither(void **state)
{
    struct world *w = *state;
    pid_t toy;

    need_root();
    need_linux();
    toy = start_nobodys(w);
    assert_int_equal(chown(in_run(w, "web.pid"), NOBODY - 1, NOBODY), 0);

    expect_exit(VORTEX(w, "status", "web"), 1);
    expect_exit(VORTEX(w, "reload", "web"), 7);
    expect_exit(VORTEX(w, "stop", "web"), 0);
    expect_unsignalled(w, toy);
}

/* ---- The way there ----------------------------------------------------------------------- */

static void
a_pidfile_on_a_way_that_all_may_write_speaks_for_nobody(void **state)
{
    struct world *w = *state;
    struct bystander bystander;

    need_root();
    bystander = bystander_start();
    file_write(in_run(w, "web.pid"), text_of("%d\n", (int)bystander.pid));
    assert_int_equal(chmod(w->dir, 0777),
                     0); /* above: who may write it may put another run there */

    expect_says(VORTEX(w, "status", "web")->out, "web: invalid: others may write it or replace it");
    expect_exit(VORTEX(w, "reload", "web"), 7);
    assert_int_equal(chmod(w->dir, 01777), 0); /* as in /tmp, they may not */
    expect_silent(VORTEX(w, "status", "web")->out, "invalid");
    bystander_expect_unharmed(&bystander);
}

static void
a_link_on_the_way_is_followed_and_its_owner_counts(void **state)
{
    struct world *w = *state;
    const char *pidfile = in_dir(w, "link/web.pid");
    struct bystander bystander;

    need_root();
    bystander = bystander_start();
    assert_int_equal(symlink("run", in_dir(w, "link")), 0);
    file_write(in_run(w, "web.pid"), text_of("%d\n", (int)bystander.pid));
    expect_silent(VORTEX(w, "status", "web", "-p", pidfile)->out, "invalid");

    assert_int_equal(lchown(in_dir(w, "link"), NOBODY, NOBODY), 0);
    need_linux();
    expect_exit(VORTEX(w, "status", "web", "-p", pidfile), 1);
    expect_exit(VORTEX(w, "reload", "web", "-p", pidfile), 7);
    bystander_expect_unharmed(&bystander);
}

static void
a_user_can_not_block_roots_start_by_the_lock(void **state)
{
    struct world *w = *state;
    struct task user;

    need_root();
    file_write(in_run(w, "web.pid.lock"), "");
    assert_int_equal(chmod(in_run(w, "web.pid.lock"), 0666), 0); /* as a careless tool makes it */
    w->as_nobody = true;
    user = program_begin(w, WORDS("flock", in_run(w, "web.pid.lock"), "sh", "-c",
                                  "echo $$ held >\"$0\"; exec sleep 1000", w->report));
    w->as_nobody = false;
    hear(w, "held");

    START(w, "web");
    expect_exit(VORTEX(w, "status", "web"), 0);
    expect_exit(VORTEX(w, "stop", "web"), 0);
    assert_true(task_goes_on(&user));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        PROMISE(a_pidfile_that_may_not_be_read_is_unproved),
        PROMISE(a_users_pidfile_makes_root_signal_no_stranger),
        PROMISE(a_users_pidfile_speaks_for_that_users_own_process),
        PROMISE(one_users_pidfile_in_anothers_directory_speaks_for_neither),
        PROMISE(a_pidfile_on_a_way_that_all_may_write_speaks_for_nobody),
        PROMISE(a_link_on_the_way_is_followed_and_its_owner_counts),
        PROMISE(a_user_can_not_block_roots_start_by_the_lock),
    };

    return RUN_SUITE("trust", true, tests);
}
