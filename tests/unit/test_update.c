/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a living owner, written anew: a supervisor tells of its server. */
#include "instance.h"

static struct claim claim;

/* The current process owns the pidfile, and has begun to count its steps. */
static void
set_owner(void)
{
    instance_setup(NULL);
    claim_init(&claim);
    assert_int_equal(claim_all(&claim, PIDFILE, true, &(struct state_words){.phase = "starting"}),
                     0);
    claim_finish(&claim);
    fake_watch();
}

static int
update(const char *phase)
{
    return claim_update(&claim, &(struct state_words){.phase = phase});
}

static bool
phase_is(const char *phase)
{
    struct vortex_report *report;
    const char *value;
    bool same;

    assert_int_equal(vortex_pidfile_inspect(PIDFILE, &report), 0);
    value = vortex_report_get(report, "phase");
    same = value != NULL && strcmp(value, phase) == 0;
    assert_null(vortex_report_close(report));
    return same;
}

static void
an_update_changes_the_state_and_nothing_else(void **state)
{
    struct os_file_id before, after;
    struct paths paths;

    (void)state;
    set_owner();
    assert_int_equal(paths_open(PIDFILE, false, &paths), 0);
    assert_int_equal(os_file_identify(&paths.dir, paths.pidfile, &before), 0);
    assert_true(phase_is("starting"));
    assert_int_equal(update("ready"), 0);
    assert_true(phase_is("ready"));
    assert_int_equal(os_file_identify(&paths.dir, paths.pidfile, &after), 0);
    assert_int_equal(before.inode, after.inode);
    assert_int_equal(fake_find(STATE)->mode, 0644);
    assert_true(is_tidy());
    assert_verdict(VORTEX_RUNNING, FAKE_SELF);
    paths_close(&paths);
}

static void
an_update_asks_no_more_who_the_owner_is(void **state)
{
    (void)state;
    set_owner();
    assert_int_equal(update("ready"), 0);
    for (unsigned n = 1; n <= fake_steps(); n++)
        assert_string_not_equal(fake_step_name(n), "os_process_identify");
    assert_verdict(VORTEX_RUNNING, FAKE_SELF);
}

static void
a_forked_child_that_takes_the_claim_over_names_itself(void **state)
{
    (void)state;
    set_owner();
    fake_fork(SERVER);
    fake_become(SERVER);
    claim_inherit(&claim);
    assert_int_equal(update("ready"), 0);
    crash(fake_process(FAKE_SELF));
    fake_spawn(RIVAL);
    fake_become(RIVAL);
    assert_verdict(VORTEX_RUNNING, SERVER);
}

static void
a_failed_update_leaves_the_old_state(void **state)
{
    static const int errors[] = {EIO, ENOSPC, EACCES, EMFILE, ENOMEM};

    (void)state;
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        bool reached = true;

        for (unsigned n = 1; reached; n++) {
            int r;

            set_owner();
            fake_fail_at(n, errors[i]);
            r = update("ready");
            reached = fake_steps() >= n;
            fake_fail_at(0, 0);
            assert_true(phase_is(r == 0 ? "ready" : "starting"));
            assert_true(is_tidy());
            assert_verdict(VORTEX_RUNNING, FAKE_SELF);
            assert_true(r == 0 || update("ready") == 0);
        }
    }
}

static void
update_it(void *ignored)
{
    (void)ignored;
    (void)update("ready");
}

static void
a_crash_at_any_step_of_an_update_leaves_a_whole_state(void **state)
{
    bool reached = true;

    (void)state;
    for (unsigned n = 1; reached; n++) {
        set_owner();
        reached = fake_crash_at(n, update_it, NULL);
        if (!reached)
            fake_kill(fake_process(FAKE_SELF));
        fake_spawn(RIVAL);
        fake_become(RIVAL);
        assert_true(phase_is("ready") || phase_is("starting"));
        assert_verdict(VORTEX_STALE, FAKE_SELF);
        assert_int_equal(start(), 0);
        assert_true(is_tidy());
    }
}

static int answers[2];

static void
rival_tries(void *ignored)
{
    (void)ignored;
    answers[0] = start_as(RIVAL);
    fake_become(RIVAL);
    answers[1] = vortex_pidfile_remove(PIDFILE);
}

static void
who_starts_or_removes_during_an_update_is_refused_and_disturbs_nothing(void **state)
{
    bool reached = true;

    (void)state;
    for (unsigned n = 1; reached; n++) {
        set_owner();
        fake_spawn(RIVAL);
        fake_hook_at(n, rival_tries, NULL);
        assert_int_equal(update("ready"), 0);
        reached = fake_steps() >= n;
        fake_watch();
        if (reached) {
            assert_int_equal(answers[0], -EEXIST);
            assert_int_equal(answers[1], -EBUSY);
        }
        assert_true(phase_is("ready"));
        assert_true(is_tidy());
        assert_verdict(VORTEX_RUNNING, FAKE_SELF);
    }
}

/* ---- A hosted server --------------------------------------------------------------------- */

/* The current process hosts a child, which inherits the lock. */
static struct fake_process *
host(int64_t pid)
{
    static const struct state_reloads reloads = {
        .ended = 7, /* and none begun, which is said all the same */
        .failure = "x",
        .needs_restart = "server.user",
    };
    struct fake_process *child = fake_fork(pid);
    struct os_identity identity;
    struct os_hold hold;

    assert_int_equal(os_process_hold(pid, &hold), 0);
    assert_int_equal(os_process_identify(&hold, &identity), 0);
    os_process_release(&hold);
    assert_int_equal(claim_update(&claim, &(struct state_words){.phase = "ready",
                                                                .server = &identity,
                                                                .exit = "code 3",
                                                                .reloads = &reloads,
                                                                .restarts = 2}),
                     0);
    return child;
}

static void
a_hosted_server_survives_its_supervisor_and_is_found(void **state)
{
    struct vortex_report *report;
    struct fake_process *child;

    (void)state;
    set_owner();
    child = host(SERVER);
    assert_verdict(VORTEX_RUNNING, FAKE_SELF);
    assert_int_equal(vortex_pidfile_inspect(PIDFILE, &report), 0);
    assert_string_equal(vortex_report_get(report, "server-pid"), "4711");
    assert_string_equal(vortex_report_get(report, "exit"), "code 3");
    assert_string_equal(vortex_report_get(report, "restarts"), "2");
    assert_string_equal(vortex_report_get(report, "reloads"), "0");
    assert_string_equal(vortex_report_get(report, "reloaded"), "7");
    assert_string_equal(vortex_report_get(report, "reload-failure"), "x");
    assert_string_equal(vortex_report_get(report, "needs-restart"), "server.user");
    assert_null(vortex_report_close(report));
    fake_kill(fake_process(FAKE_SELF));
    fake_spawn(RIVAL);
    fake_become(RIVAL);
    assert_verdict(VORTEX_ORPHANED, SERVER);
    assert_int_equal(start(), -EEXIST);
    crash(child);
    assert_verdict(VORTEX_STALE, FAKE_SELF);
    fake_reuse(SERVER);
    assert_int_equal(start(), 0);
}

static void
what_a_supervisor_knows_is_told(void **state)
{
    const struct state_words words = {
        .phase = "starting",
        .not_ready = "tcp 127.0.0.1:80: Connection\nrefused",
        .health = "failing 2 of 3",
        .health_answer = "file /a: No such file or directory",
        .next_restart = 123456,
        .log = "/var/log/web.log",
        .since = 1767323045,
    };
    struct vortex_report *report;

    (void)state;
    set_owner();
    assert_int_equal(claim_update(&claim, &words), 0);
    assert_int_equal(vortex_pidfile_inspect(PIDFILE, &report), 0);
    assert_string_equal(vortex_report_get(report, "not-ready"),
                        "tcp 127.0.0.1:80: Connection refused");
    assert_string_equal(vortex_report_get(report, "health"), words.health);
    assert_string_equal(vortex_report_get(report, "health-answer"), words.health_answer);
    assert_string_equal(vortex_report_get(report, "next-restart"), "123456");
    assert_string_equal(vortex_report_get(report, "log"), words.log);
    assert_string_equal(vortex_report_get(report, "since"), "2026-01-02T03:04:05Z");
    assert_null(vortex_report_close(report));
}

/* The state stays one, and is read: a path is whole or isn't there, the command is cut. */
static void
words_of_any_length_leave_a_state_that_is_read(void **state)
{
    char text[5000], path[5000];
    const struct state_words words = {
        .phase = text,
        .command = text,
        .manager = text,
        .cgroup = path,
        .status = text,
        .exit = text,
        .restarts = UINT64_MAX,
        .not_ready = text,
        .health = text,
        .health_answer = text,
        .next_restart = UINT64_MAX,
        .log = path,
    };
    char value[STATE_MAX];
    struct state read;
    struct look look;
    struct paths paths;

    (void)state;
    for (size_t length = 1; length < sizeof(text); length += length < 1100 ? 1 : 500) {
        memset(text, 'x', length);
        memset(path, '/', length);
        text[length] = path[length] = '\0';
        set_owner();
        assert_int_equal(claim_update(&claim, &words), 0);
        assert_verdict(VORTEX_RUNNING, FAKE_SELF);
        assert_int_equal(paths_open(PIDFILE, false, &paths), 0);
        look_once(&paths, OS_LOCK_HELD, NULL, &look);
        read = look.state;
        assert_true(read.length <= STATE_MAX && strlen(read.text) == read.length);
        if (state_get(&read, "log", value, sizeof(value)))
            assert_string_equal(value, path);
        if (state_get(&read, "cgroup", value, sizeof(value)))
            assert_string_equal(value, path);
        assert_true(length > 1024 || state_get(&read, "phase", value, sizeof(value)));
        look_close(&look);
        paths_close(&paths);
    }
}

static void
a_command_is_cut_to_the_room_that_is_left(void **state)
{
    char text[1025], value[STATE_MAX];
    const struct state_words words = {
        .command = text, .manager = text, .status = text, .health_answer = text};
    const struct fake_file *file;
    struct state read;

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    set_owner();
    assert_int_equal(claim_update(&claim, &words), 0);
    file = fake_find(STATE);
    assert_int_equal(state_parse(file->data, file->length, &read), 0);
    assert_int_equal(file->length, STATE_MAX);
    assert_true(state_get(&read, "command", value, sizeof(value)));
    assert_in_range(strlen(value), 500, 1000);
}

static void
a_server_that_ended_is_forgotten(void **state)
{
    (void)state;
    set_owner();
    crash(host(SERVER));
    assert_int_equal(update("stopping"), 0);
    fake_reuse(SERVER);
    fake_kill(fake_process(FAKE_SELF));
    fake_spawn(RIVAL);
    fake_become(RIVAL);
    assert_verdict(VORTEX_STALE, FAKE_SELF);
}

static void
a_kept_state_names_nobody_who_lives(void **state)
{
    (void)state;
    set_owner();
    assert_int_equal(update("failed"), 0);
    claim.keep_state = true;
    claim_end(&claim, true);
    assert_null(fake_find(PIDFILE));
    assert_null(fake_find(LOCK));
    fake_kill(fake_process(FAKE_SELF));
    fake_spawn(RIVAL);
    fake_become(RIVAL);
    assert_true(phase_is("failed"));
    assert_int_equal(verdict(), VORTEX_NOT_RUNNING);
    assert_int_equal(start(), 0);
    assert_verdict(VORTEX_RUNNING, RIVAL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_update_changes_the_state_and_nothing_else),
        TEST(an_update_asks_no_more_who_the_owner_is),
        TEST(a_forked_child_that_takes_the_claim_over_names_itself),
        TEST(a_failed_update_leaves_the_old_state),
        TEST(a_crash_at_any_step_of_an_update_leaves_a_whole_state),
        TEST(who_starts_or_removes_during_an_update_is_refused_and_disturbs_nothing),
        TEST(a_hosted_server_survives_its_supervisor_and_is_found),
        TEST(what_a_supervisor_knows_is_told),
        TEST(words_of_any_length_leave_a_state_that_is_read),
        TEST(a_command_is_cut_to_the_room_that_is_left),
        TEST(a_server_that_ended_is_forgotten),
        TEST(a_kept_state_names_nobody_who_lives),
    };

    return cmocka_run_group_tests_name("update", tests, NULL, NULL);
}
