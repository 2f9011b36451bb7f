/* SPDX-License-Identifier: Apache-2.0 */
/* run and start: the server is the process that the pidfile names, once, or nothing is left. */
#include <fcntl.h>
#include <sys/file.h>

#include "harness.h"

/* ---- The server -------------------------------------------------------------------------- */

static void
run_becomes_the_process_that_the_pidfile_names(void **state)
{
    struct world *w = *state;
    struct task run = BACKGROUND(w, "run", "web", "--", w->toy, "--report", w->report);
    pid_t server = hear(w, "ready");

    assert_int_equal(server, run.pid);
    assert_int_equal(pid_in(in_run(w, "web.pid")), run.pid);
}

static void
a_signal_by_hand_to_the_pidfiles_number_reaches_the_server(void **state)
{
    struct world *w = *state;
    pid_t server = START(w, "web");

    expect_exit(PROGRAM(w, "sh", "-c", "kill -HUP $(cat \"$0\")", in_run(w, "web.pid")), 0);

    assert_int_equal(hear(w, "HUP"), server);
}

static void
start_is_back_after_the_exec_and_says_the_pid(void **state)
{
    struct world *w = *state;
    const struct answer *answer = VORTEX(w, "start", "web", "--", w->toy);
    char program[WAY_SIZE] = "", toy[WAY_SIZE] = "";
    pid_t server = pid_said(answer->out);

    expect_exit(answer, 0);
    assert_string_equal(answer->out, text_of("started 'web' (pid %d)\n", (int)server));
    assert_true(readlink(text_of("/proc/%d/exe", (int)server), program, sizeof(program) - 1) > 0);
    assert_non_null(realpath(w->toy, toy));
    assert_string_equal(program, toy);
}

static void
the_pidfile_holds_the_number_and_nothing_else(void **state)
{
    struct world *w = *state;
    pid_t server = START(w, "web");

    assert_string_equal(file_read(in_run(w, "web.pid")), text_of("%d\n", (int)server));
}

static unsigned
mode_of(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static void
the_files_modes_are_the_same_under_any_umask(void **state)
{
    static const mode_t umasks[] = {0, 022, 077, 0777};
    struct world *w = *state;

    for (size_t i = 0; i < sizeof(umasks) / sizeof(umasks[0]); i++) {
        mode_t before = umask(umasks[i]);
        const struct answer *answer = VORTEX(w, "start", "web", "--", w->toy);

        umask(before);
        expect_exit(answer, 0);
        assert_int_equal(mode_of(in_run(w, "web.pid")), 0644);
        assert_int_equal(mode_of(in_run(w, "web.pid.lock")), 0600);
        assert_int_equal(mode_of(in_run(w, "web.pid.state")), 0644);
        expect_exit(VORTEX(w, "stop", "web"), 0);
    }
}

static void
a_server_in_the_background_keeps_nothing_of_its_caller(void **state)
{
    struct world *w = *state;
    const struct answer *answer = PROGRAM(w, "sh", "-c", "exec \"$0\" \"$@\" </dev/zero", w->vortex,
                                          "start", "web", "--", w->toy, "--report", w->report);
    pid_t server = hear(w, "ready");

    expect_exit(answer, 0);
    assert_int_equal(getsid(server), server);
    for (int fd = 0; fd <= 2; fd++) {
        char target[WAY_SIZE] = "";
        const char *link = text_of("/proc/%d/fd/%d", (int)server, fd);

        assert_true(readlink(link, target, sizeof(target) - 1) > 0);
        assert_string_equal(target, "/dev/null");
    }
}

static void
two_instances_live_side_by_side(void **state)
{
    struct world *w = *state;
    pid_t web = START(w, "web"), mail = START(w, "mail@1.example");

    expect_exit(VORTEX(w, "stop", "web"), 0);

    assert_false(lives(web));
    expect_unsignalled(w, mail);
}

static void
a_pidfile_elsewhere_is_made_with_its_directories(void **state)
{
    struct world *w = *state;
    const char *pidfile = in_dir(w, "a/b/c.pid");
    const struct answer *answer = VORTEX(w, "start", "web", "-p", pidfile, "--", w->toy);

    expect_exit(answer, 0);
    assert_int_equal(pid_in(pidfile), pid_said(answer->out));
    assert_true(is_there(in_dir(w, "a/b/c.pid.lock")));
    expect_no_files(w, "web");
}

static void
the_built_in_server_answers_hup_and_cleans_up_at_term(void **state)
{
    struct world *w = *state;
    struct task run = BACKGROUND(w, "run", "-c", config_write(w, "vortex", "%s", ""));

    /* nothing says when it is there, but another start that is refused because of it */
    while (VORTEX(w, "status")->status != 0)
        assert_true(task_goes_on(&run));
    expect_exit(VORTEX(w, "reload"), 0);
    assert_true(task_goes_on(&run));
    assert_int_equal(kill(run.pid, SIGTERM), 0);

    expect_exit(task_end(&run), 0);
    expect_no_files(w, "vortex");
}

/* ---- The lock ---------------------------------------------------------------------------- */

static bool
is_locked(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    bool locked;

    assert_true(fd >= 0);
    locked = flock(fd, LOCK_EX | LOCK_NB) < 0;
    close(fd);
    return locked;
}

static void
the_server_itself_holds_the_lock_for_its_life(void **state)
{
    struct world *w = *state;
    pid_t server = START(w, "web");
    bool locked_in_life = is_locked(in_run(w, "web.pid.lock"));

    kill_hard(server);

    assert_true(locked_in_life);
    assert_false(is_locked(in_run(w, "web.pid.lock")));
}

static void
without_inherit_lock_the_server_holds_none_and_is_guarded_all_the_same(void **state)
{
    struct world *w = *state;
    const char *config = config_write(w, "web", "[pidfile]\ninherit-lock = no\n");
    pid_t server;

    need_linux();
    expect_exit(VORTEX(w, "start", "web", "-c", config, "--", w->toy, "--report", w->report), 0);
    server = hear(w, "ready");

    expect_silent(PROGRAM(w, "ls", "-l", text_of("/proc/%d/fd", (int)server))->out, ".lock");
    assert_string_equal(state_value(in_run(w, "web.pid.state"), "lock"), "released");
    expect_exit(VORTEX(w, "start", "web", "-c", config, "--", w->toy), 1);
    expect_exit(VORTEX(w, "stop", "web"), 0);
    assert_int_equal(hear(w, "TERM"), server);
    expect_no_files(w, "web");
}

/* ---- Once -------------------------------------------------------------------------------- */

static void
a_second_start_is_refused_and_names_the_first(void **state)
{
    struct world *w = *state;
    pid_t server = START(w, "web");
    const char *words[] = {"start", "run"};

    for (size_t i = 0; i < 2; i++) {
        const struct answer *answer = VORTEX(w, words[i], "web", "--", w->toy);

        expect_exit(answer, 1);
        expect_says(answer->err, text_of("vortex: cannot %s 'web': already running", words[i]));
        expect_says(answer->err, text_of("(pid %d, since 20", (int)server));
        assert_int_equal(strchr(answer->err, '\n')[1], '\0');
    }
    assert_int_equal(pid_in(in_run(w, "web.pid")), server);
    expect_unsignalled(w, server);
}

static void
with_if_stopped_a_second_start_is_no_failure(void **state)
{
    struct world *w = *state;
    pid_t server = START(w, "web");
    const struct answer *answer = VORTEX(w, "start", "web", "--if-stopped", "--", w->toy);

    expect_exit(answer, 0);
    assert_string_equal(answer->err, "");
    assert_int_equal(pid_in(in_run(w, "web.pid")), server);
}

static void
eight_starts_at_once_make_one_server(void **state)
{
    struct world *w = *state;
    struct task starts[8];
    int done = 0;

    for (size_t i = 0; i < 8; i++)
        starts[i] = BACKGROUND(w, "start", "web", "--", w->toy, "--report", w->report);
    for (size_t i = 0; i < 8; i++) {
        int status = task_end(&starts[i])->status;

        assert_true(status == 0 || status == 1);
        done += status == 0;
    }
    assert_int_equal(done, 1);
    assert_int_equal(hear(w, "ready"), pid_in(in_run(w, "web.pid")));
    expect_unsignalled(w, pid_in(in_run(w, "web.pid"))); /* and no second toy said anything */
    assert_string_equal(w->heard, "");
}

static void
after_kill_9_the_next_start_takes_over_at_once(void **state)
{
    struct world *w = *state;
    pid_t first = START(w, "web"), second;

    kill_hard(first);
    expect_exit(VORTEX(w, "status", "web"), 1);
    second = START(w, "web");

    assert_int_not_equal(second, first);
    assert_int_equal(pid_in(in_run(w, "web.pid")), second);
    expect_no_temporaries(w);
}

/* ---- Failures ---------------------------------------------------------------------------- */

static void
a_missing_program_is_5(void **state)
{
    static const char *const programs[] = {"/nowhere/program", "no-such-program", "./program"};
    struct world *w = *state;

    for (size_t i = 0; i < 3; i++) {
        const struct answer *answer = VORTEX(w, "start", "web", "--", programs[i]);

        expect_exit(answer, 5);
        expect_says(answer->err, text_of("program '%s': No such file", programs[i]));
        expect_exit(VORTEX(w, "run", "web", "--", programs[i]), 5);
        expect_no_files(w, "web");
    }
}

static void
a_part_of_path_that_may_not_be_searched_says_nothing_of_a_program(void **state)
{
    struct world *w = *state;
    const struct answer *answer;

    need_root();
    assert_int_equal(mkdir(in_dir(w, "closed"), 0700), 0);
    assert_int_equal(chown(w->run, NOBODY, NOBODY), 0);
    w->as_nobody = true;
    w->path = text_of("%s:%s", in_dir(w, "closed"), getenv("PATH"));

    answer = VORTEX(w, "start", "web", "--", "no-such-program");
    expect_exit(answer, 5);
    expect_says(answer->err, "No such file");
    expect_exit(VORTEX(w, "start", "web", "--", "sleep", "1000"), 0);
    expect_exit(VORTEX(w, "stop", "web"), 0);
}

static void
a_program_that_may_not_be_executed_is_4(void **state)
{
    struct world *w = *state;

    file_write(in_dir(w, "program"), "#!/bin/sh\n");
    expect_exit(VORTEX(w, "start", "web", "--", in_dir(w, "program")), 4);
    expect_exit(VORTEX(w, "run", "web", "--", "./program"), 4);
    expect_exit(VORTEX(w, "start", "web", "--", w->dir), 4);
    expect_no_files(w, "web");
}

static void
a_failure_after_the_claim_leaves_no_file(void **state)
{
    struct world *w = *state;
    const char *config = config_write(w, "web", "[server]\nlog = %s/nowhere/log\n", w->dir);
    const struct answer *answer;

    /* The program is there, but what shall interpret it is not: only the exec finds that out. */
    file_write(in_dir(w, "program"), "#!/nowhere/shell\n");
    assert_int_equal(chmod(in_dir(w, "program"), 0755), 0);
    expect_exit(VORTEX(w, "start", "web", "--", in_dir(w, "program")), 5);
    expect_no_files(w, "web");
    expect_exit(VORTEX(w, "run", "web", "--", in_dir(w, "program")), 5);
    expect_no_files(w, "web");

    answer = VORTEX(w, "start", "web", "-c", config, "--", w->toy);
    expect_exit(answer, 1);
    expect_says(answer->err, "nowhere/log");
    expect_no_files(w, "web");
}

static void
a_missing_user_or_group_is_named(void **state)
{
    struct world *w = *state;
    const char *config = config_write(w, "web", "[server]\nuser = no-such-user\n");
    const struct answer *answer = VORTEX(w, "start", "web", "-c", config, "--", w->toy);

    expect_exit(answer, 1);
    expect_says(answer->err, "there is no user 'no-such-user'");
    config = config_write(w, "web", "[server]\ngroup = no-such-group\n");
    answer = VORTEX(w, "run", "web", "-c", config, "--", w->toy);
    expect_exit(answer, 1);
    expect_says(answer->err, "there is no group 'no-such-group'");
    expect_no_files(w, "web");
}

static void
a_directory_that_may_not_be_written_is_4(void **state)
{
    struct world *w = *state;
    const struct answer *answer;

    need_root();
    w->as_nobody = true;
    answer = VORTEX(w, "start", "web", "--", "sleep", "1000");

    expect_exit(answer, 4);
    expect_says(answer->err, in_run(w, "web.pid"));
    expect_no_files(w, "web");
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        PROMISE(run_becomes_the_process_that_the_pidfile_names),
        PROMISE(a_signal_by_hand_to_the_pidfiles_number_reaches_the_server),
        PROMISE(start_is_back_after_the_exec_and_says_the_pid),
        PROMISE(the_pidfile_holds_the_number_and_nothing_else),
        PROMISE(the_files_modes_are_the_same_under_any_umask),
        PROMISE(a_server_in_the_background_keeps_nothing_of_its_caller),
        PROMISE(two_instances_live_side_by_side),
        PROMISE(a_pidfile_elsewhere_is_made_with_its_directories),
        PROMISE(the_built_in_server_answers_hup_and_cleans_up_at_term),
        PROMISE(the_server_itself_holds_the_lock_for_its_life),
        PROMISE(without_inherit_lock_the_server_holds_none_and_is_guarded_all_the_same),
        PROMISE(a_second_start_is_refused_and_names_the_first),
        PROMISE(with_if_stopped_a_second_start_is_no_failure),
        PROMISE(eight_starts_at_once_make_one_server),
        PROMISE(after_kill_9_the_next_start_takes_over_at_once),
        PROMISE(a_missing_program_is_5),
        PROMISE(a_part_of_path_that_may_not_be_searched_says_nothing_of_a_program),
        PROMISE(a_program_that_may_not_be_executed_is_4),
        PROMISE(a_failure_after_the_claim_leaves_no_file),
        PROMISE(a_missing_user_or_group_is_named),
        PROMISE(a_directory_that_may_not_be_written_is_4),
    };

    return RUN_SUITE("run and start", false, tests);
}
