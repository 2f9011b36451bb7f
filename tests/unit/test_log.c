/* SPDX-License-Identifier: Apache-2.0 */
/* The whole log, driven as a supervisor drives it; tests/torture/log.c has the large numbers. */
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "log_fixture.h"

static struct log_settings
settings_of(enum log_target target)
{
    return (struct log_settings){.target = target, .name = "web", .file = path, .keep = 5};
}

static struct log *
open_log(const struct log_settings *settings)
{
    const char *why;
    struct log *log = NULL;

    assert_int_equal(log_open(settings, &log, &why), 0);
    return log;
}

static void
say(const struct log *log, const char *text)
{
    assert_int_equal(write((int)log_output(log), text, strlen(text)), strlen(text));
}

/* Sleep until something is to be done, and do it. Children's ends are waited for, not signalled. */
static void
turn(struct log *log)
{
    struct os_source sources[LOG_SOURCES_MAX];
    size_t count = log_sources(log, sources);
    int64_t deadline = log_deadline(log), soon = os_monotonic_ms() + 5;
    int64_t pid;

    assert_true(os_wait(sources, count, deadline >= 0 && deadline < soon ? deadline : soon) >= 0);
    log_step(log, os_monotonic_ms());
    pid = log_child(log);
    if (pid && waitpid((pid_t)pid, NULL, WNOHANG) == pid)
        assert_true(log_child_ended(log, pid, os_monotonic_ms()));
}

static void
end_log(struct log *log)
{
    log_drain(log, os_monotonic_ms());
    while (!log_is_done(log))
        turn(log);
    assert_int_equal(log_child(log), 0);
    log_free(log);
}

/* Turn until that is in the file. */
static void
wait_for_text(struct log *log, const char *name, const char *text)
{
    for (bool found = false; !found;) {
        size_t length;
        char *data;

        turn(log);
        if (!stands(name))
            continue;
        data = read_file(name, &length);
        found = strcmp(data, text) == 0;
        free(data);
    }
}

/* ---- Targets ----------------------------------------------------------------------------- */

static void
what_the_server_says_is_in_the_file(void **state)
{
    struct log_settings settings = settings_of(LOG_FILE);
    struct log *log = open_log(&settings);
    char tail[64];

    (void)state;
    assert_int_equal(log_child(log), 0); /* nothing was said: no writer */
    say(log, "one\ntwo\n");
    say(log, "thr");
    wait_for_text(log, "web.log", "one\ntwo\nthr");
    say(log, "ee");
    end_log(log);
    expect_file("web.log", "one\ntwo\nthree");

    log = open_log(&settings);
    say(log, "\nfour\n");
    log_step(log, os_monotonic_ms());
    assert_int_equal(log_tail(log, tail, sizeof(tail)), 6);
    assert_string_equal(tail, "\nfour\n");
    log_tail_forget(log);
    assert_int_equal(log_tail(log, tail, sizeof(tail)), 0);
    end_log(log);
    expect_file("web.log", "one\ntwo\nthree\nfour\n");
}

static void
a_file_that_cannot_be_opened_is_said_at_once(void **state)
{
    struct log_settings settings = settings_of(LOG_FILE);
    struct log *log = NULL;
    const char *why;

    (void)state;
    settings.file = "/nonexistent/web.log";
    assert_int_equal(log_open(&settings, &log, &why), -ENOENT);
    assert_string_equal(why, "the log file can't be opened");
    assert_null(log);
    assert_null(log_free(NULL));
}

static void
inherit_and_none_have_nothing_to_do(void **state)
{
    static const enum log_target targets[] = {LOG_INHERIT, LOG_NONE};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct log_settings settings = settings_of(targets[i]);
        struct log *log = open_log(&settings);
        struct os_source sources[LOG_SOURCES_MAX];

        assert_int_equal(log_output(log) == OS_NONE, targets[i] == LOG_INHERIT);
        if (targets[i] == LOG_NONE)
            say(log, "nobody hears it\n");
        assert_int_equal(log_sources(log, sources), 0);
        assert_int_equal(log_deadline(log), -1);
        assert_int_equal(log_error(log), 0);
        log_reopen(log);
        end_log(log);
    }
}

static void
a_manager_that_is_not_there_keeps_no_server_waiting(void **state)
{
    struct log_settings settings = settings_of(LOG_SYSLOG);
    struct log *log = open_log(&settings);
    int64_t now_ms = os_monotonic_ms();
    struct os_source sources[LOG_SOURCES_MAX];

    (void)state;
    if (access("/dev/log", F_OK) == 0) {
        print_message("SKIPPED: there is a syslog\n");
        log_free(log);
        skip();
    }
    say(log, "one\n");
    log_step(log, now_ms);
    assert_int_equal(log_error(log), -ENOENT);
    assert_int_equal(log_sources(log, sources), 0);
    assert_true(log_deadline(log) >= 0);
    log_step(log, now_ms + 1000);
    assert_int_equal(log_sources(log, sources), 1); /* it is read again, to keep or to drop */
    log_free(log);
}

static void
each_line_has_its_time_where_that_is_said(void **state)
{
    struct log_settings settings = settings_of(LOG_FILE);
    struct log *log;
    size_t length;
    char *data;

    (void)state;
    settings.timestamps = true;
    log = open_log(&settings);
    say(log, "one\ntwo\n");
    end_log(log);
    data = read_file("web.log", &length);
    assert_int_equal(length, 2 * (25 + 4));
    assert_memory_equal(data + 10, "T", 1);
    assert_memory_equal(data + 23, "Z one\n", 6);
    assert_memory_equal(data + 52, "Z two\n", 6);
    free(data);
}

/* ---- What goes wrong --------------------------------------------------------------------- */

static void
a_killed_writer_loses_nothing_that_it_had_not_read(void **state)
{
    struct log_settings settings = settings_of(LOG_FILE);
    struct log *log = open_log(&settings);
    pid_t writer;

    (void)state;
    say(log, "one\n");
    wait_for_text(log, "web.log", "one\n");
    writer = (pid_t)log_child(log);
    assert_true(writer > 0);
    assert_false(log_child_ended(log, writer + 1, 0));
    kill(writer, SIGSTOP);
    say(log, "two\n");
    log_step(log, os_monotonic_ms());
    kill(writer, SIGKILL);
    wait_for_text(log, "web.log", "one\ntwo\n");
    assert_true(log_child(log) != writer);
    end_log(log);
}

static void
a_renamed_file_is_reopened(void **state)
{
    struct log_settings settings = settings_of(LOG_FILE);
    struct log *log = open_log(&settings);

    (void)state;
    say(log, "one\n");
    wait_for_text(log, "web.log", "one\n");
    rename(path, name_in("web.log.old"));
    log_reopen(log);
    say(log, "two\n");
    end_log(log);
    expect_file("web.log.old", "one\n");
    expect_file("web.log", "two\n");
}

static void
limit_files(pid_t pid, rlim_t size)
{
    struct rlimit limit;

    assert_int_equal(prlimit(pid, RLIMIT_FSIZE, NULL, &limit), 0);
    limit.rlim_cur = size == RLIM_INFINITY ? limit.rlim_max : size;
    assert_int_equal(prlimit(pid, RLIMIT_FSIZE, &limit, NULL), 0);
}

/* The server says more than all buffers hold; none of its writes waits for long. */
static int
say_too_much(struct log *log)
{
    int said = 0;

    for (; said < 10000; said++) {
        char line[101];

        snprintf(line, sizeof(line), "%099d\n", said);
        while (write((int)log_output(log), line, 100) < 0) {
            assert_int_equal(errno, EAGAIN);
            turn(log);
        }
    }
    return said;
}

static void
a_full_disk_drops_lines_and_says_how_many(void **state)
{
    struct log_settings settings = settings_of(LOG_FILE);
    struct log *log = open_log(&settings);
    int said, found = 0, dropped = 0;
    size_t length;
    char *data, *save = NULL;

    (void)state;
    assert_return_code(fcntl((int)log_output(log), F_SETFL, O_NONBLOCK | O_WRONLY), 0);
    say(log, "begin\n");
    wait_for_text(log, "web.log", "begin\n");
    limit_files((pid_t)log_child(log), 50);
    said = say_too_much(log);
    assert_int_equal(log_error(log), -EFBIG);
    limit_files((pid_t)log_child(log), RLIM_INFINITY);
    end_log(log);

    data = read_file("web.log", &length);
    assert_string_equal(strtok_r(data, "\n", &save), "begin");
    for (char *line; (line = strtok_r(NULL, "\n", &save));) {
        int count;

        if (sscanf(line, "vortex: %d lines dropped: File too large", &count) == 1) {
            assert_non_null(strstr(line, "dropped: File too large"));
            dropped += count;
        } else {
            assert_int_equal(strlen(line), 99);
            assert_int_equal(atoi(line), found + dropped);
            found++;
        }
    }
    assert_true(dropped > 0);
    assert_int_equal(found + dropped, said);
    free(data);
}

static void
an_end_on_a_full_disk_comes_nevertheless(void **state)
{
    struct log_settings settings = settings_of(LOG_FILE);
    struct log *log = open_log(&settings);
    int64_t begin_ms;

    (void)state;
    say(log, "begin\n");
    wait_for_text(log, "web.log", "begin\n");
    limit_files((pid_t)log_child(log), 6);
    say(log, "never\n");
    begin_ms = os_monotonic_ms();
    log_drain(log, begin_ms);
    while (!log_is_done(log))
        turn(log);
    assert_true(os_monotonic_ms() - begin_ms < 5000);
    if (log_child(log)) {
        kill((pid_t)log_child(log), SIGKILL);
        waitpid((pid_t)log_child(log), NULL, 0);
    }
    log_free(log);
    expect_file("web.log", "begin\n");
}

/* ---- What outlives the supervisor -------------------------------------------------------- */

/* A supervisor that is dead before its server says the second line. */
static void
supervise_and_die(void)
{
    struct log_settings settings = settings_of(LOG_FILE);
    struct log *log;
    const char *why;
    int alive[2];
    char end;

    settings.outlives = true;
    if (log_open(&settings, &log, &why) < 0 || pipe2(alive, O_CLOEXEC) < 0)
        _exit(1);
    if (fork() == 0) {
        int output = dup((int)log_output(log));

        log_free(log);
        close(alive[1]);
        dprintf(output, "supervised\n");
        (void)!read(alive[0], &end, 1); /* until it is dead */
        dprintf(output, "alone\n");
        _exit(0);
    }
    /* The writer must have been there before: it is, from the start. */
    _exit(log_child(log) > 0 ? 0 : 1);
}

static void
the_writer_goes_on_for_a_server_that_outlives_its_supervisor(void **state)
{
    int status, ended = 0;

    (void)state;
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
    if (fork() == 0)
        supervise_and_die();
    while (wait(&status) > 0) { /* the supervisor, the server and the writer */
        assert_int_equal(status, 0);
        ended++;
    }
    assert_int_equal(ended, 3);
    expect_file("web.log", "supervised\nalone\n");
}

static void
watched_lines_can_be_read_beside(void **state)
{
    struct log_settings settings = settings_of(LOG_FILE);
    struct log *log = open_log(&settings);
    char line[32];

    (void)state;
    assert_int_equal(log_watch_lines(log, true), 0);
    say(log, "one\ntwo\n");
    log_step(log, os_monotonic_ms());
    assert_true(log_next_line(log, line, sizeof(line)));
    assert_string_equal(line, "one");
    assert_true(log_next_line(log, line, sizeof(line)));
    assert_string_equal(line, "two");
    assert_false(log_next_line(log, line, sizeof(line)));
    log_watch_lines(log, false);
    say(log, "three\n");
    end_log(log);
    expect_file("web.log", "one\ntwo\nthree\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_the_server_says_is_in_the_file, set_up, tear_down),
        cmocka_unit_test(a_file_that_cannot_be_opened_is_said_at_once),
        cmocka_unit_test(inherit_and_none_have_nothing_to_do),
        cmocka_unit_test(a_manager_that_is_not_there_keeps_no_server_waiting),
        cmocka_unit_test_setup_teardown(each_line_has_its_time_where_that_is_said, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_killed_writer_loses_nothing_that_it_had_not_read, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_renamed_file_is_reopened, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_drops_lines_and_says_how_many, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_end_on_a_full_disk_comes_nevertheless, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            the_writer_goes_on_for_a_server_that_outlives_its_supervisor, set_up, tear_down),
        cmocka_unit_test_setup_teardown(watched_lines_can_be_read_beside, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
