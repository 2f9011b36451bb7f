/* SPDX-License-Identifier: Apache-2.0 */
/* What a server finds itself in: what the configuration says, and nothing of the caller's. */
#include "harness.h"

/* The output of a shell's script that is run as the server of a configuration. */
static const char *
script_under(struct world *w, const char *keys, const char *script)
{
    const char *config = config_write(w, "web", "[server]\n%s\n", keys);
    const struct answer *answer = VORTEX(w, "run", "web", "-c", config, "--", "sh", "-c", script);

    expect_exit(answer, 0);
    assert_string_equal(answer->err, "");
    return answer->out;
}

/* ---- Keys -------------------------------------------------------------------------------- */

static void
umask_is_applied(void **state)
{
    assert_string_equal(script_under(*state, "umask = 0027", "umask"), "0027\n");
}

static void
directory_is_applied(void **state)
{
    assert_string_equal(script_under(*state, "directory = /usr", "pwd"), "/usr\n");
}

static void
a_program_is_sought_from_the_servers_directory(void **state)
{
    struct world *w = *state;
    const char *config = config_write(w, "web", "[server]\ndirectory = /bin\n");
    const struct answer *answer = VORTEX(w, "run", "web", "-c", config, "--", "./echo", "here");

    expect_exit(answer, 0);
    assert_string_equal(answer->out, "here\n");
}

static void
environment_is_added_and_the_last_word_wins(void **state)
{
    static const char keys[] = "environment = A=1 'B=two words'\n"
                               "environment = A=3 HOME=/home\n";

    assert_string_equal(script_under(*state, keys, "echo \"$A|$B|$HOME|$LC_ALL\""),
                        "3|two words|/home|C\n");
}

static void
environment_file_stands_below_environment(void **state)
{
    struct world *w = *state;
    const char *keys = text_of("environment = A=line\nenvironment-file = %s\n"
                               "environment-file = -/nowhere/file",
                               in_dir(w, "env"));

    file_write(in_dir(w, "env"), "# a comment\nA=file\nB=\"of the file\"\n");
    assert_string_equal(script_under(w, keys, "echo \"$A|$B\""), "line|of the file\n");
}

static void
nice_is_applied(void **state)
{
    assert_string_equal(script_under(*state, "nice = 7", "nice"), "7\n");
}

static void
oom_score_adjust_is_applied(void **state)
{
    need_linux();
    assert_string_equal(
        script_under(*state, "oom-score-adjust = 321", "cat /proc/self/oom_score_adj"), "321\n");
}

static void
limits_are_applied_soft_and_hard(void **state)
{
    static const char keys[] = "limit-nofile = 123\nlimit-core = 0";

    assert_string_equal(
        script_under(*state, keys, "ulimit -S -n; ulimit -H -n; ulimit -S -c; ulimit -H -c"),
        "123\n123\n0\n0\n");
}

static void
the_lock_is_kept_under_a_low_limit(void **state)
{
    struct world *w = *state;
    const char *config = config_write(w, "web", "[server]\nlimit-nofile = 64\n");

    expect_exit(VORTEX(w, "start", "web", "-c", config, "--", w->toy, "--report", w->report), 0);
    assert_int_equal(unlink(in_run(w, "web.pid")), 0);
    assert_int_equal(unlink(in_run(w, "web.pid.state")), 0);

    expect_exit(VORTEX(w, "status", "web"), 4);
    expect_exit(VORTEX(w, "start", "web", "--", w->toy), 1);
}

static void
log_takes_both_outputs_and_is_never_cut(void **state)
{
    struct world *w = *state;
    const char *config = config_write(w, "web", "[server]\nlog = %s/log\n", w->dir);
    struct stat st;

    file_write(in_dir(w, "log"), "before\n");
    for (int i = 0; i < 2; i++) {
        const struct answer *answer =
            VORTEX(w, "start", "web", "-c", config, "--", "sh", "-c", "echo out; echo err >&2");

        expect_exit(answer, 0);
        assert_string_equal(answer->err, "");
        wait_for_death(pid_said(answer->out));
    }
    assert_string_equal(file_read(in_dir(w, "log")), "before\nout\nerr\nout\nerr\n");

    assert_int_equal(unlink(in_dir(w, "log")), 0);
    expect_exit(VORTEX(w, "start", "web", "-c", config, "--", w->toy), 0);
    assert_int_equal(stat(in_dir(w, "log"), &st), 0);
    assert_int_equal(st.st_mode & 07777 & ~0640U, 0);
}

/* ---- Where it starts --------------------------------------------------------------------- */

static const char *
directory_of(pid_t pid)
{
    static char target[WAY_SIZE];
    ssize_t length = readlink(text_of("/proc/%d/cwd", (int)pid), target, sizeof(target) - 1);

    assert_true(length > 0);
    target[length] = '\0';
    return target;
}

static void
a_configured_command_starts_in_the_root_directory(void **state)
{
    struct world *w = *state;
    const char *config = config_write(w, "web", "[server]\ncommand = %s\n", w->toy);
    const struct answer *answer = VORTEX(w, "start", "web", "-c", config);

    expect_exit(answer, 0);
    assert_string_equal(directory_of(pid_said(answer->out)), "/");
}

static void
a_command_given_here_keeps_the_directory_of_here(void **state)
{
    struct world *w = *state;
    pid_t server;

    w->directory = "/usr/bin";
    server = START(w, "web");
    assert_string_equal(directory_of(server), "/usr/bin");
}

/* ---- User and group ---------------------------------------------------------------------- */

static uid_t
owner_of(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_uid;
}

static void
with_user_the_server_has_lost_every_right_of_root(void **state)
{
    struct world *w = *state;
    const char *said;

    need_root();
    said = script_under(w, "user = 65534",
                        "grep -E '^(Uid|Gid|Groups|Cap(Prm|Eff)):' /proc/self/status");

    expect_says(said, "Uid:\t65534\t65534\t65534\t65534\n");
    expect_says(said, "Gid:\t65534\t65534\t65534\t65534\n");
    expect_says(said, "Groups:\t65534 \n");
    expect_says(said, "CapPrm:\t0000000000000000\n");
    expect_says(said, "CapEff:\t0000000000000000\n");
    assert_int_equal(owner_of(in_run(w, "web.pid")), 0);
    assert_int_equal(owner_of(in_run(w, "web.pid.lock")), 0);
    assert_int_equal(owner_of(in_run(w, "web.pid.state")), 0);
}

static void
with_user_the_server_lives_in_that_users_home(void **state)
{
    static const char script[] = "echo \"$USER|$LOGNAME|$HOME\"; getent passwd nobody | "
                                 "(IFS=:; read n p u g c home s; echo \"$n|$n|$home\")";
    struct world *w = *state;
    const char *said, *second;

    need_root();
    said = script_under(w, "user = nobody", script);
    second = strchr(said, '\n') + 1;

    assert_int_equal(2 * (second - said), (long)strlen(said));
    assert_memory_equal(said, second, strlen(second));
    expect_says(script_under(w, "user = nobody\nenvironment = HOME=/elsewhere", script),
                "nobody|nobody|/elsewhere\n");
}

static void
group_alone_changes_the_groups_and_not_the_user(void **state)
{
    const char *said;

    need_root();
    said = script_under(*state, "group = 4321", "grep -E '^(Uid|Gid|Groups):' /proc/self/status");

    expect_says(said, "Uid:\t0\t0\t0\t0\n");
    expect_says(said, "Gid:\t4321\t4321\t4321\t4321\n");
    expect_says(said, "Groups:\t \n");
}

static void
a_server_of_another_user_is_stopped_by_root(void **state)
{
    struct world *w = *state;
    const char *config = config_write(w, "web", "[server]\nuser = 65534\nlog = %s/log\n", w->dir);
    const struct answer *answer;

    need_root();
    answer = VORTEX(w, "start", "web", "-c", config, "--", "sleep", "1000");
    expect_exit(answer, 0);
    assert_int_equal(owner_of(text_of("/proc/%d", (int)pid_said(answer->out))), NOBODY);
    assert_int_equal(owner_of(in_dir(w, "log")), 0);

    expect_exit(VORTEX(w, "stop", "web"), 0);
    expect_no_files(w, "web");
}

static void
a_program_that_only_root_may_execute_fails_as_user_and_leaves_no_file(void **state)
{
    struct world *w = *state;
    const char *config = config_write(w, "web", "[server]\nuser = 65534\n");

    need_root();
    file_write(in_dir(w, "program"), "#!/bin/sh\n");
    assert_int_equal(chmod(in_dir(w, "program"), 0700), 0);

    expect_exit(VORTEX(w, "start", "web", "-c", config, "--", in_dir(w, "program")), 4);
    expect_no_files(w, "web");
}

/* ---- What the caller had ----------------------------------------------------------------- */

static void
signals_are_as_a_program_expects_them(void **state)
{
    struct world *w = *state;
    const struct answer *answer;

    w->hostile = true;
    answer = VORTEX(w, "run", "web", "--", "cat", "/proc/self/status");

    expect_exit(answer, 0);
    expect_says(answer->out, "SigBlk:\t0000000000000000\n");
    expect_says(answer->out, "SigIgn:\t0000000000000000\n");
}

static void
start_works_for_a_caller_who_ignores_the_death_of_children(void **state)
{
    struct world *w = *state;

    w->hostile = true;
    expect_exit(VORTEX(w, "start", "web", "--", w->toy), 0);
    expect_exit(VORTEX(w, "start", "mail", "--", "/nowhere/program"), 5);
    expect_exit(VORTEX(w, "stop", "web"), 0);
}

#define TELL_OPEN "for fd in 3 4 5 7 9; do test -e /proc/$$/fd/$fd && echo open $fd; done; true"

static void
descriptors_that_nobody_asked_for_are_closed(void **state)
{
    struct world *w = *state;
    const struct answer *answer =
        PROGRAM(w, "sh", "-c", "exec 3</dev/null 7</dev/null 9</dev/null; exec \"$0\" \"$@\"",
                w->vortex, "run", "web", "--", "sh", "-c", TELL_OPEN);

    expect_exit(answer, 0);
    assert_string_equal(answer->out, "");
}

static void
sockets_passed_to_this_very_process_are_kept(void **state)
{
    struct world *w = *state;
    const struct answer *answer = PROGRAM(w, "sh", "-c",
                                          "exec 3</dev/null 4</dev/null 5</dev/null;"
                                          "export LISTEN_PID=$$ LISTEN_FDS=2; exec \"$0\" \"$@\"",
                                          w->vortex, "run", "web", "--", "sh", "-c", TELL_OPEN);

    expect_exit(answer, 0);
    assert_string_equal(answer->out, "open 3\nopen 4\n");
}

static void
sockets_passed_to_another_process_are_closed(void **state)
{
    struct world *w = *state;
    const struct answer *answer = PROGRAM(w, "sh", "-c",
                                          "exec 3</dev/null;"
                                          "export LISTEN_PID=1 LISTEN_FDS=1; exec \"$0\" \"$@\"",
                                          w->vortex, "run", "web", "--", "sh", "-c", TELL_OPEN);

    expect_exit(answer, 0);
    assert_string_equal(answer->out, "");
}

#define FD_MAX 16 /* higher than any that vortex itself has open then */

static void
readiness_may_be_said_by_any_descriptor(void **state)
{
    struct world *w = *state;

    for (int fd = 3; fd <= FD_MAX; fd++) {
        const char *config =
            config_write(w, "web", "[ready]\nwhen = fd:%d\ntimeout = %dms\n", fd, DEADLINE_MS);

        expect_exit(VORTEX(w, "start", "web", "-c", config, "--", "sh", "-c",
                           text_of("echo >/dev/fd/%d; exec sleep 1000", fd)),
                    0);
        expect_exit(VORTEX(w, "stop", "web"), 0);
    }
}

static void
no_descriptor_of_readiness_hides_why_an_exec_failed(void **state)
{
    struct world *w = *state;

    file_write(in_dir(w, "program"), "#!/nowhere/interpreter\n");
    assert_int_equal(chmod(in_dir(w, "program"), 0755), 0);
    for (int fd = 3; fd <= FD_MAX; fd++) {
        const char *config = config_write(w, "web", "[ready]\nwhen = fd:%d\n", fd);

        expect_exit(VORTEX(w, "start", "web", "-c", config, "--", in_dir(w, "program")), 5);
    }
}

static void
closed_streams_lose_no_file(void **state)
{
    struct world *w = *state;
    const char *closed = "exec \"$0\" \"$@\" <&- >&- 2>&-";
    pid_t server;

    file_write(in_dir(w, "program"), "#!/nowhere/shell\n");
    assert_int_equal(chmod(in_dir(w, "program"), 0755), 0);
    expect_exit(
        PROGRAM(w, "sh", "-c", closed, w->vortex, "start", "web", "--", in_dir(w, "program")), 5);
    expect_no_files(w, "web");

    expect_exit(PROGRAM(w, "sh", "-c", closed, w->vortex, "start"), 0);
    server = pid_in(in_run(w, "vortex.pid"));
    kill(server, SIGTERM);
    wait_for_death(server);
    expect_no_files(w, "vortex");
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        PROMISE(umask_is_applied),
        PROMISE(directory_is_applied),
        PROMISE(a_program_is_sought_from_the_servers_directory),
        PROMISE(environment_is_added_and_the_last_word_wins),
        PROMISE(environment_file_stands_below_environment),
        PROMISE(nice_is_applied),
        PROMISE(oom_score_adjust_is_applied),
        PROMISE(limits_are_applied_soft_and_hard),
        PROMISE(the_lock_is_kept_under_a_low_limit),
        PROMISE(log_takes_both_outputs_and_is_never_cut),
        PROMISE(a_configured_command_starts_in_the_root_directory),
        PROMISE(a_command_given_here_keeps_the_directory_of_here),
        PROMISE(with_user_the_server_has_lost_every_right_of_root),
        PROMISE(with_user_the_server_lives_in_that_users_home),
        PROMISE(group_alone_changes_the_groups_and_not_the_user),
        PROMISE(a_server_of_another_user_is_stopped_by_root),
        PROMISE(a_program_that_only_root_may_execute_fails_as_user_and_leaves_no_file),
        PROMISE(signals_are_as_a_program_expects_them),
        PROMISE(start_works_for_a_caller_who_ignores_the_death_of_children),
        PROMISE(descriptors_that_nobody_asked_for_are_closed),
        PROMISE(sockets_passed_to_this_very_process_are_kept),
        PROMISE(sockets_passed_to_another_process_are_closed),
        PROMISE(closed_streams_lose_no_file),
        PROMISE(readiness_may_be_said_by_any_descriptor),
        PROMISE(no_descriptor_of_readiness_hides_why_an_exec_failed),
    };

    return RUN_SUITE("the server's setting", false, tests);
}
