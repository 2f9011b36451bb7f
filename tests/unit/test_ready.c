/* SPDX-License-Identifier: Apache-2.0 */
/* Gates: the time is given in, files and commands say what holds. */
#define _XOPEN_SOURCE 700 /* mkdtemp */

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/ready.h"
#include "os/os.h"
#include "reading_fixture.h"

#define NOW ((int64_t)1000000) /* when the gates are started */

static const struct gate_rules readiness = {
    .interval_ms = 1000,
    .attempt_ms = 5000,
    .timeout_ms = 90000,
};
static const struct gate_rules health = {
    .is_health = true,
    .interval_ms = 10000,
    .attempt_ms = 5000,
    .timeout_ms = -1,
    .failures = 3,
};

/* ---- A gate ------------------------------------------------------------------------------ */

struct fixture {
    struct conditions conditions;
    struct gate *gate;
};

/* texts ends with NULL. */
static void
make(struct fixture *fixture, const struct gate_rules *rules, const char *const *texts)
{
    *fixture = (struct fixture){0};
    for (; *texts; texts++) {
        struct condition condition;
        const char *why;

        assert_int_equal(condition_parse(*texts, NULL, NULL, &condition, &why), 0);
        assert_int_equal(conditions_add(&fixture->conditions, &condition), 0);
    }
    assert_int_equal(gate_new(&fixture->conditions, rules, NULL, &fixture->gate, NULL), 0);
}

#define MAKE(fixture, rules, ...) make(fixture, rules, (const char *const[]){__VA_ARGS__, NULL})

static void
end(struct fixture *fixture)
{
    gate_free(fixture->gate);
    conditions_free(&fixture->conditions);
}

static enum gate_answer
step(struct fixture *fixture, int64_t now_ms)
{
    return gate_step(fixture->gate, NULL, 0, now_ms);
}

/* Step at each deadline until it is no more than that; how often that was. */
static int
step_until(struct fixture *fixture, int64_t until_ms)
{
    int count = 0;

    for (int64_t now_ms = gate_deadline(fixture->gate); now_ms >= 0 && now_ms <= until_ms;
         now_ms = gate_deadline(fixture->gate), count++)
        step(fixture, now_ms);
    return count;
}

/* Files in the test's directory, which is the working directory; conditions have its whole path. */
static char there[64], other[64];

static void
touch(const char *name)
{
    FILE *file = fopen(name, "w");

    assert_non_null(file);
    fclose(file);
}

/* ---- Readiness --------------------------------------------------------------------------- */

static void
without_conditions_it_is_open_once_it_is_started(void **state)
{
    struct fixture fixture, started;

    (void)state;
    make(&fixture, &readiness, (const char *const[]){NULL});
    MAKE(&started, &readiness, "started");
    assert_int_equal(gate_known(fixture.gate), GATE_PENDING);
    assert_int_equal(gate_known(started.gate), GATE_PENDING);
    assert_int_equal(gate_deadline(fixture.gate), -1);

    gate_start(fixture.gate, NOW);
    gate_start(started.gate, NOW);
    assert_int_equal(gate_known(fixture.gate), GATE_OPEN);
    assert_int_equal(step(&started, NOW), GATE_OPEN);
    assert_int_equal(gate_deadline(started.gate), -1);
    end(&fixture);
    end(&started);
}

static void
it_asks_at_once_then_within_a_200th_of_the_time_since(void **state)
{
    struct fixture fixture;

    (void)state;
    MAKE(&fixture, &readiness, there);
    gate_start(fixture.gate, NOW);
    assert_int_equal(gate_deadline(fixture.gate), NOW);
    assert_int_equal(step(&fixture, NOW), GATE_PENDING);
    assert_int_equal(gate_deadline(fixture.gate), NOW + 5);
    assert_int_equal(step(&fixture, NOW + 1000), GATE_PENDING);
    assert_int_equal(gate_deadline(fixture.gate), NOW + 1005);
    assert_int_equal(step(&fixture, NOW + 2000), GATE_PENDING);
    assert_int_equal(gate_deadline(fixture.gate), NOW + 2010);
    end(&fixture);
}

static void
it_never_asks_more_seldom_than_the_interval(void **state)
{
    const struct gate_rules patient = {.interval_ms = 200, .attempt_ms = 1, .timeout_ms = -1};
    const struct gate_rules hasty = {.interval_ms = 2, .attempt_ms = 1, .timeout_ms = -1};
    struct fixture fixture;

    (void)state;
    MAKE(&fixture, &patient, there);
    gate_start(fixture.gate, NOW);
    step(&fixture, NOW + 3600000);
    assert_int_equal(gate_deadline(fixture.gate), NOW + 3600200);
    end(&fixture);
    MAKE(&fixture, &hasty, there);
    gate_start(fixture.gate, NOW);
    step(&fixture, NOW);
    assert_int_equal(gate_deadline(fixture.gate), NOW + 2);
    end(&fixture);
}

static void
a_long_start_is_not_asked_too_often(void **state)
{
    struct fixture fixture;

    (void)state;
    MAKE(&fixture, &readiness, there);
    gate_start(fixture.gate, NOW);
    assert_in_range(step_until(&fixture, NOW + 90000), 1000, 1200);
    assert_int_equal(gate_known(fixture.gate), GATE_FAILED);
    end(&fixture);
}

static void
all_must_have_held_once_and_need_not_at_the_same_time(void **state)
{
    struct fixture fixture;

    (void)state;
    MAKE(&fixture, &readiness, there, other, "notify");
    gate_start(fixture.gate, NOW);
    touch("there");
    assert_int_equal(step(&fixture, NOW), GATE_PENDING);
    remove("there");
    touch("other");
    assert_int_equal(step(&fixture, NOW + 10), GATE_PENDING);
    remove("other");
    assert_string_equal(gate_why(fixture.gate), "the server has not sent READY=1");
    assert_int_equal(gate_deadline(fixture.gate), NOW + 90000);

    gate_notified(fixture.gate);
    assert_int_equal(gate_known(fixture.gate), GATE_OPEN);
    assert_int_equal(step(&fixture, NOW + 20), GATE_OPEN);
    assert_int_equal(step(&fixture, NOW + 90000), GATE_OPEN);
    assert_string_equal(gate_why(fixture.gate), "all hold");
    end(&fixture);
}

static void
what_does_not_hold_in_time_fails_it_and_is_named(void **state)
{
    struct fixture fixture;
    char why[128];

    (void)state;
    MAKE(&fixture, &readiness, "started", there);
    snprintf(why, sizeof why, "file %s: No such file or directory", there + strlen("file:"));
    gate_start(fixture.gate, NOW);
    assert_int_equal(step(&fixture, NOW + 89999), GATE_PENDING);
    assert_int_equal(gate_deadline(fixture.gate), NOW + 90000);
    assert_int_equal(step(&fixture, NOW + 90000), GATE_FAILED);
    assert_string_equal(gate_why(fixture.gate), why);

    touch("there");
    assert_int_equal(step(&fixture, NOW + 100000), GATE_FAILED);
    assert_int_equal(gate_deadline(fixture.gate), -1);
    remove("there");
    end(&fixture);
}

static void
who_holds_at_the_last_moment_is_in_time(void **state)
{
    struct fixture fixture;

    (void)state;
    MAKE(&fixture, &readiness, there);
    gate_start(fixture.gate, NOW);
    assert_int_equal(step(&fixture, NOW), GATE_PENDING);
    touch("there");
    assert_int_equal(step(&fixture, NOW + 100000), GATE_OPEN);
    remove("there");
    end(&fixture);
}

static void
its_time_can_be_extended_and_not_shortened(void **state)
{
    struct fixture fixture;

    (void)state;
    MAKE(&fixture, &readiness, "notify");
    gate_start(fixture.gate, NOW);
    gate_extend(fixture.gate, NOW + 10);
    assert_int_equal(gate_deadline(fixture.gate), NOW + 90000);
    gate_extend(fixture.gate, NOW + 95000);
    assert_int_equal(step(&fixture, NOW + 94999), GATE_PENDING);
    assert_int_equal(step(&fixture, NOW + 95000), GATE_FAILED);
    end(&fixture);
}

static void
a_time_without_an_end_never_fails_it(void **state)
{
    const struct gate_rules rules = {.interval_ms = 1000, .attempt_ms = 5000, .timeout_ms = -1};
    struct fixture fixture;

    (void)state;
    MAKE(&fixture, &rules, "notify");
    gate_start(fixture.gate, NOW);
    gate_extend(fixture.gate, NOW + 10);
    assert_int_equal(gate_deadline(fixture.gate), -1);
    assert_int_equal(step(&fixture, INT64_MAX), GATE_PENDING);
    end(&fixture);
}

static void
a_newline_counts_on_its_own_descriptor(void **state)
{
    struct fixture fixture;

    (void)state;
    MAKE(&fixture, &readiness, "fd:5");
    gate_start(fixture.gate, NOW);
    gate_newline(fixture.gate, 4);
    gate_notified(fixture.gate);
    assert_int_equal(gate_known(fixture.gate), GATE_PENDING);
    assert_string_equal(gate_why(fixture.gate),
                        "the server has not written a newline to its descriptor");
    gate_newline(fixture.gate, 5);
    assert_int_equal(gate_known(fixture.gate), GATE_OPEN);
    end(&fixture);
}

static void
lines_are_wanted_until_one_matches(void **state)
{
    struct fixture fixture;

    (void)state;
    MAKE(&fixture, &readiness, "log:^ready", "notify");
    assert_false(gate_wants_lines(fixture.gate));
    gate_line(fixture.gate, "ready too early");
    gate_start(fixture.gate, NOW);
    assert_true(gate_wants_lines(fixture.gate));
    gate_line(fixture.gate, "not ready");
    assert_true(gate_wants_lines(fixture.gate));
    assert_string_equal(gate_why(fixture.gate),
                        "the server has not written the line that is waited for");
    gate_line(fixture.gate, "ready now");
    assert_false(gate_wants_lines(fixture.gate));
    gate_notified(fixture.gate);
    assert_int_equal(gate_known(fixture.gate), GATE_OPEN);
    end(&fixture);
}

static void
started_anew_it_knows_nothing(void **state)
{
    struct fixture fixture;

    (void)state;
    MAKE(&fixture, &readiness, "notify", "started");
    gate_start(fixture.gate, NOW);
    gate_notified(fixture.gate);
    assert_int_equal(gate_known(fixture.gate), GATE_OPEN);
    gate_start(fixture.gate, NOW + 1000);
    assert_int_equal(gate_known(fixture.gate), GATE_PENDING);
    assert_int_equal(gate_deadline(fixture.gate), NOW + 91000);
    end(&fixture);
}

static void
a_host_without_an_address_is_named(void **state)
{
    struct conditions conditions = {0};
    const struct condition *culprit = NULL;
    struct condition one, two;
    char text[512] = "tcp:";
    struct gate *gate = NULL;
    const char *why;

    (void)state;
    memset(text + 4, 'a', 300); /* longer than a name can be: no resolver asks for it */
    strcpy(text + 304, ":1");
    assert_int_equal(condition_parse("tcp:127.0.0.1:1", NULL, NULL, &one, &why), 0);
    assert_int_equal(condition_parse(text, NULL, NULL, &two, &why), 0);
    assert_int_equal(conditions_add(&conditions, &one), 0);
    assert_int_equal(conditions_add(&conditions, &two), 0);
    assert_int_equal(gate_new(&conditions, &readiness, NULL, &gate, &culprit), -ENXIO);
    assert_ptr_equal(culprit, &conditions.list[1]);
    assert_null(gate);
    conditions_free(&conditions);
}

/* ---- Commands and connections ------------------------------------------------------------ */

/* Only one command runs at a time in these tests. */
static int64_t
reap(int *ret_status)
{
    int status;
    pid_t pid = wait(&status);

    assert_true(pid > 0);
    *ret_status = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
    return pid;
}

static void
the_death_of_its_child_is_an_answer(void **state)
{
    struct fixture fixture;
    int64_t pid;
    int status;

    (void)state;
    MAKE(&fixture, &readiness, "exec:true");
    gate_start(fixture.gate, NOW);
    assert_int_equal(step(&fixture, NOW), GATE_PENDING);
    assert_int_equal(gate_deadline(fixture.gate), NOW + 5000);
    pid = reap(&status);

    assert_false(gate_child_ended(fixture.gate, pid + 1, status, NOW + 30));
    assert_true(gate_child_ended(fixture.gate, pid, status, NOW + 30));
    assert_false(gate_child_ended(fixture.gate, pid, status, NOW + 30));
    assert_int_equal(gate_known(fixture.gate), GATE_OPEN);
    end(&fixture);
}

static void
a_question_that_took_long_is_not_put_again_at_once(void **state)
{
    struct fixture fixture;
    int64_t pid;
    int status;

    (void)state;
    MAKE(&fixture, &readiness, "exec:false");
    gate_start(fixture.gate, NOW);
    assert_int_equal(step(&fixture, NOW), GATE_PENDING);
    pid = reap(&status);
    assert_true(gate_child_ended(fixture.gate, pid, status, NOW + 300));
    assert_string_equal(gate_why(fixture.gate), "exec false: exit status 1");
    assert_int_equal(gate_deadline(fixture.gate), NOW + 600);
    assert_int_equal(step(&fixture, NOW + 599), GATE_PENDING);
    assert_int_equal(gate_deadline(fixture.gate), NOW + 600);
    end(&fixture);
}

static void
a_stopped_gate_asks_nothing_and_kills_what_it_asked(void **state)
{
    struct fixture fixture;
    int64_t pid;
    int status;

    (void)state;
    MAKE(&fixture, &readiness, "exec:sleep 1000");
    gate_start(fixture.gate, NOW);
    assert_int_equal(step(&fixture, NOW), GATE_PENDING);
    gate_stop(fixture.gate);

    pid = reap(&status);
    assert_int_equal(status, -os_signal_number("KILL"));
    assert_true(gate_child_ended(fixture.gate, pid, status, NOW + 1));
    assert_int_equal(gate_deadline(fixture.gate), -1);
    assert_int_equal(step(&fixture, NOW + 90000), GATE_PENDING);
    end(&fixture);
}

static void
a_failed_gate_leaves_no_command_running(void **state)
{
    struct fixture fixture;
    int status;

    (void)state;
    MAKE(&fixture, &readiness, "notify", "exec:sleep 1000");
    gate_start(fixture.gate, NOW);
    assert_int_equal(step(&fixture, NOW + 89000), GATE_PENDING);
    assert_int_equal(step(&fixture, NOW + 90000), GATE_FAILED);
    reap(&status);
    assert_int_equal(status, -os_signal_number("KILL"));
    end(&fixture);
}

/* A server on a free port of the loopback, and the condition that it answers. */
static int
serve(char *text, size_t size)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    snprintf(text, size, "http://127.0.0.1:%d/", ntohs(address.sin_port));
    return fd;
}

/* Wait and step among others' sources until the gate waits for that many. */
static enum gate_answer
drive(struct fixture *fixture, intptr_t others, size_t until_sources)
{
    enum gate_answer answer = gate_step(fixture->gate, NULL, 0, os_monotonic_ms());

    for (;;) {
        struct os_source sources[CONDITIONS_MAX + 1] = {{.handle = others}};
        size_t count = 1 + gate_sources(fixture->gate, sources + 1, CONDITIONS_MAX);

        if (answer != GATE_PENDING || count - 1 == until_sources)
            return answer;
        assert_true(os_wait(sources, count, gate_deadline(fixture->gate)) >= 0);
        answer = gate_step(fixture->gate, sources, count, os_monotonic_ms());
    }
}

static void
connections_are_waited_for_among_others(void **state)
{
    static const char ok[] = "HTTP/1.1 200 OK\r\n\r\n";
    char texts[2][64];
    int servers[2], fds[2];
    struct fixture fixture;
    struct os_source one;
    intptr_t others[2];

    (void)state;
    for (int i = 0; i < 2; i++)
        servers[i] = serve(texts[i], sizeof texts[i]);
    assert_int_equal(os_pipe(others), 0);
    MAKE(&fixture, &readiness, "started", texts[0], texts[1]);
    gate_start(fixture.gate, os_monotonic_ms());
    gate_step(fixture.gate, NULL, 0, os_monotonic_ms());
    assert_int_equal(gate_sources(fixture.gate, &one, 1), 1);
    for (int i = 0; i < 2; i++)
        fds[i] = accept(servers[i], NULL, NULL);

    assert_int_equal(write(fds[1], ok, strlen(ok)), (ssize_t)strlen(ok));
    shutdown(fds[1], SHUT_WR);
    assert_int_equal(drive(&fixture, others[0], 1), GATE_PENDING);
    assert_int_equal(write(fds[0], ok, strlen(ok)), (ssize_t)strlen(ok));
    shutdown(fds[0], SHUT_WR);
    assert_int_equal(drive(&fixture, others[0], CONDITIONS_MAX), GATE_OPEN);
    assert_int_equal(gate_sources(fixture.gate, &one, 1), 0);
    for (int i = 0; i < 2; i++) {
        close(fds[i]);
        close(servers[i]);
        os_handle_close(others[i]);
    }
    end(&fixture);
}

/* ---- Health ------------------------------------------------------------------------------ */

static void
health_is_asked_every_interval(void **state)
{
    struct fixture fixture;

    (void)state;
    MAKE(&fixture, &health, there);
    touch("there");
    gate_start(fixture.gate, NOW);
    assert_int_equal(gate_deadline(fixture.gate), NOW + 10000);
    assert_int_equal(step(&fixture, NOW + 9999), GATE_PENDING);
    assert_int_equal(step(&fixture, NOW + 10000), GATE_OPEN);
    assert_int_equal(gate_deadline(fixture.gate), NOW + 20000);
    assert_int_equal(step_until(&fixture, NOW + 3600000), 359);
    assert_int_equal(gate_known(fixture.gate), GATE_OPEN);
    remove("there");
    end(&fixture);
}

static void
so_many_failures_in_a_row_fail_it(void **state)
{
    struct fixture fixture;

    (void)state;
    MAKE(&fixture, &health, there);
    gate_start(fixture.gate, NOW);
    touch("there");
    assert_int_equal(step(&fixture, NOW + 10000), GATE_OPEN);
    remove("there");
    assert_int_equal(step(&fixture, NOW + 20000), GATE_OPEN);
    assert_int_equal(step(&fixture, NOW + 30000), GATE_OPEN);
    touch("there");
    assert_int_equal(step(&fixture, NOW + 40000), GATE_OPEN);
    remove("there");
    assert_int_equal(step(&fixture, NOW + 50000), GATE_OPEN);
    assert_int_equal(step(&fixture, NOW + 60000), GATE_OPEN);
    assert_int_equal(step(&fixture, NOW + 70000), GATE_FAILED);
    assert_non_null(strstr(gate_why(fixture.gate), "/there: No such file or directory"));
    end(&fixture);
}

static void
a_failed_health_is_asked_on_and_recovers(void **state)
{
    struct fixture fixture;

    (void)state;
    MAKE(&fixture, &health, there, other);
    gate_start(fixture.gate, NOW);
    step_until(&fixture, NOW + 30000);
    assert_int_equal(gate_known(fixture.gate), GATE_FAILED);
    touch("there");
    assert_int_equal(step(&fixture, NOW + 40000), GATE_FAILED);
    assert_non_null(strstr(gate_why(fixture.gate), "/other: No such file or directory"));
    touch("other");
    assert_int_equal(step(&fixture, NOW + 50000), GATE_OPEN);
    remove("there");
    remove("other");
    end(&fixture);
}

static void
failures_of_different_conditions_do_not_add_up(void **state)
{
    struct fixture fixture;

    (void)state;
    MAKE(&fixture, &health, there, other);
    gate_start(fixture.gate, NOW);
    for (int i = 1; i <= 6; i++) {
        touch(i % 2 ? "there" : "other");
        remove(i % 2 ? "other" : "there");
        assert_int_not_equal(step(&fixture, NOW + 10000 * (int64_t)i), GATE_FAILED);
    }
    remove("other");
    end(&fixture);
}

static void
failures_in_the_start_period_do_not_count(void **state)
{
    struct gate_rules rules = health;
    struct fixture fixture;

    (void)state;
    rules.start_period_ms = 60000;
    MAKE(&fixture, &rules, there);
    gate_start(fixture.gate, NOW);
    step_until(&fixture, NOW + 79999);
    assert_int_equal(gate_known(fixture.gate), GATE_PENDING);
    step_until(&fixture, NOW + 80000);
    assert_int_equal(gate_known(fixture.gate), GATE_FAILED);
    end(&fixture);
}

static void
health_is_told_with_the_count_of_its_worst_condition(void **state)
{
    struct gate_rules rules = health;
    struct fixture fixture, none;
    int failures = -1;

    (void)state;
    rules.start_period_ms = 15000;
    make(&none, &rules, (const char *const[]){NULL});
    assert_int_equal(gate_health(none.gate, &failures), GATE_UNCHECKED);
    MAKE(&fixture, &rules, there, other);
    gate_start(fixture.gate, NOW);
    assert_int_equal(gate_health(fixture.gate, &failures), GATE_UNKNOWN);
    step(&fixture, NOW + 10000); /* in the start period */
    assert_int_equal(gate_health(fixture.gate, &failures), GATE_UNKNOWN);
    assert_int_equal(failures, -1);
    step(&fixture, NOW + 20000);
    touch("there");
    step(&fixture, NOW + 30000);
    assert_int_equal(gate_health(fixture.gate, &failures), GATE_FAILING);
    assert_int_equal(failures, 2);
    assert_non_null(strstr(gate_why(fixture.gate), "/other: No such file or directory"));
    step_until(&fixture, NOW + 90000); /* more often than is counted */
    assert_int_equal(gate_health(fixture.gate, &failures), GATE_FAILING);
    assert_int_equal(failures, 3);
    touch("other");
    step(&fixture, NOW + 100000);
    assert_int_equal(gate_health(fixture.gate, &failures), GATE_HEALTHY);
    remove("there");
    step(&fixture, NOW + 110000);
    assert_int_equal(gate_health(fixture.gate, &failures), GATE_FAILING);
    assert_int_equal(failures, 1);
    remove("other");
    end(&fixture);
    end(&none);
}

static void
the_rules_are_the_configurations(void **state)
{
    struct gate_rules rules;
    struct config config;

    (void)state;
    config_init(&config);
    rules = gate_ready_rules(&config);
    assert_false(rules.is_health);
    assert_int_equal(rules.interval_ms, 1000);
    assert_int_equal(rules.timeout_ms, 90000);
    assert_int_equal(rules.attempt_ms, 5000);
    rules = gate_health_rules(&config);
    assert_true(rules.is_health);
    assert_int_equal(rules.interval_ms, 10000);
    assert_int_equal(rules.attempt_ms, 5000);
    assert_int_equal(rules.failures, 3);
    assert_int_equal(rules.start_period_ms, 0);
    config_free(&config);
}

/* ------------------------------------------------------------------------------------------ */

static int
set_up(void **state)
{
    static char directory[32];

    strcpy(directory, "/tmp/vortex-ready-XXXXXX");
    *state = mkdtemp(directory);
    if (!*state || chdir(directory) != 0)
        return -1;
    snprintf(there, sizeof there, "file:%s/there", directory);
    snprintf(other, sizeof other, "file:%s/other", directory);
    return 0;
}

static int
tear_down(void **state)
{
    return chdir("/") || rmdir(*state);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_conditions_it_is_open_once_it_is_started),
        cmocka_unit_test(it_asks_at_once_then_within_a_200th_of_the_time_since),
        cmocka_unit_test(it_never_asks_more_seldom_than_the_interval),
        cmocka_unit_test(a_long_start_is_not_asked_too_often),
        cmocka_unit_test(all_must_have_held_once_and_need_not_at_the_same_time),
        cmocka_unit_test(what_does_not_hold_in_time_fails_it_and_is_named),
        cmocka_unit_test(who_holds_at_the_last_moment_is_in_time),
        cmocka_unit_test(its_time_can_be_extended_and_not_shortened),
        cmocka_unit_test(a_time_without_an_end_never_fails_it),
        cmocka_unit_test(a_newline_counts_on_its_own_descriptor),
        cmocka_unit_test(lines_are_wanted_until_one_matches),
        cmocka_unit_test(started_anew_it_knows_nothing),
        cmocka_unit_test(a_host_without_an_address_is_named),
        cmocka_unit_test(the_death_of_its_child_is_an_answer),
        cmocka_unit_test(a_question_that_took_long_is_not_put_again_at_once),
        cmocka_unit_test(a_stopped_gate_asks_nothing_and_kills_what_it_asked),
        cmocka_unit_test(a_failed_gate_leaves_no_command_running),
        cmocka_unit_test(connections_are_waited_for_among_others),
        cmocka_unit_test(health_is_asked_every_interval),
        cmocka_unit_test(so_many_failures_in_a_row_fail_it),
        cmocka_unit_test(a_failed_health_is_asked_on_and_recovers),
        cmocka_unit_test(failures_of_different_conditions_do_not_add_up),
        cmocka_unit_test(failures_in_the_start_period_do_not_count),
        cmocka_unit_test(health_is_told_with_the_count_of_its_worst_condition),
        cmocka_unit_test(the_rules_are_the_configurations),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
