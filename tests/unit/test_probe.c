/* SPDX-License-Identifier: Apache-2.0 */
/* Probes against real sockets on the loopback, files and commands, all made here. */
#define _XOPEN_SOURCE 700 /* mkdtemp */

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/probe.h"
#include "os/os.h"
#include "reading_fixture.h"

#define TIMEOUT_MS 5000

/* ---- A probe and its driver -------------------------------------------------------------- */

struct asking {
    struct condition condition;
    struct probe *probe;
};

static void
prepare(struct asking *asking, const char *text, const struct os_launch *as)
{
    const char *why;

    assert_int_equal(condition_parse(text, "web", NULL, &asking->condition, &why), 0);
    assert_int_equal(probe_new(&asking->condition, as, TIMEOUT_MS, &asking->probe), 0);
}

static void
end(struct asking *asking)
{
    probe_free(asking->probe);
    condition_free(&asking->condition);
}

static enum probe_answer
begin(struct asking *asking)
{
    return probe_begin(asking->probe, os_monotonic_ms());
}

/* Wait for what it waits for, once, and go on. */
static enum probe_answer
go_on(struct asking *asking)
{
    struct os_source source;

    assert_true(probe_source(asking->probe, &source));
    assert_true(os_wait(&source, 1, probe_deadline(asking->probe)) >= 0);
    return probe_continue(asking->probe, source.ready, os_monotonic_ms());
}

static enum probe_answer
go_through(struct asking *asking, enum probe_answer answer)
{
    while (answer == PROBE_PENDING)
        answer = go_on(asking);
    return answer;
}

static enum probe_answer
ask(struct asking *asking)
{
    return go_through(asking, begin(asking));
}

static void
expect_answer(const char *text, enum probe_answer answer, const char *why)
{
    struct asking asking;

    prepare(&asking, text, NULL);
    assert_int_equal(ask(&asking), answer);
    if (why)
        assert_string_equal(probe_why(asking.probe), why);
    end(&asking);
}

/* ---- Servers ----------------------------------------------------------------------------- */

/* A socket bound to a free port of 127.0.0.1, that nobody listens at yet. */
static int
bind_port(int *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static int
serve(int *ret_port)
{
    int fd = bind_port(ret_port);

    assert_int_equal(listen(fd, 8), 0);
    return fd;
}

/* ---- tcp --------------------------------------------------------------------------------- */

static void
a_tcp_server_that_listens_holds(void **state)
{
    char text[64];
    int port, server = serve(&port);

    (void)state;
    snprintf(text, sizeof text, "tcp:127.0.0.1:%d", port);
    expect_answer(text, PROBE_HOLDS, NULL);
    snprintf(text, sizeof text, "tcp:localhost:%d", port);
    expect_answer(text, PROBE_HOLDS, NULL);
    close(server);
}

static void
a_tcp_port_where_nobody_listens_fails_and_says_why(void **state)
{
    char text[64], why[128];
    int port, server = bind_port(&port);

    (void)state;
    snprintf(text, sizeof text, "tcp:127.0.0.1:%d", port);
    snprintf(why, sizeof why, "tcp 127.0.0.1:%d: Connection refused", port);
    expect_answer(text, PROBE_FAILS, why);
    close(server);
}

static void
a_probe_can_ask_again_and_again(void **state)
{
    struct asking asking;
    char text[64];
    int port, server = bind_port(&port);

    (void)state;
    snprintf(text, sizeof text, "tcp:127.0.0.1:%d", port);
    prepare(&asking, text, NULL);
    assert_non_null(strstr(probe_why(asking.probe), ": not asked yet"));
    assert_int_equal(ask(&asking), PROBE_FAILS);
    assert_int_equal(ask(&asking), PROBE_FAILS);
    assert_int_equal(listen(server, 8), 0);
    assert_int_equal(ask(&asking), PROBE_HOLDS);
    assert_int_equal(ask(&asking), PROBE_HOLDS);
    close(server);
    assert_int_equal(ask(&asking), PROBE_FAILS);
    end(&asking);
}

static void
each_address_of_a_name_is_tried(void **state)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int port, only_ipv4 = bind_port(&port), fd = socket(AF_INET6, SOCK_STREAM, 0);
    struct asking asking;
    char text[64];

    (void)state;
    address.sin6_port = htons((uint16_t)port);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        printf("SKIPPED: no IPv6 on the loopback\n");
        skip();
    }
    assert_int_equal(listen(fd, 8), 0);
    snprintf(text, sizeof text, "tcp:localhost:%d", port);
    prepare(&asking, text, NULL);

    assert_int_equal(ask(&asking), PROBE_HOLDS);
    assert_int_equal(ask(&asking), PROBE_HOLDS);
    end(&asking);
    snprintf(text, sizeof text, "tcp:[::1]:%d", port);
    expect_answer(text, PROBE_HOLDS, NULL);
    close(fd);
    close(only_ipv4);
}

static void
a_port_that_met_itself_is_nobody_and_free_again(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int port, fd = bind_port(&port);

    (void)state;
    address.sin_port = htons((uint16_t)port);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(os_connect_result(fd), -ECONNREFUSED);
    close(fd);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
}

static void
a_server_can_bind_the_port_that_a_probe_was_given(void **state)
{
    struct sockaddr_in own;
    socklen_t length = sizeof own;
    int port, server = serve(&port), fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    struct os_address address;
    intptr_t handle;

    (void)state;
    assert_int_equal(os_address_resolve("127.0.0.1", port, &address, 1), 1);
    assert_true(os_connect(&address, &handle) != -ECONNREFUSED);
    assert_int_equal(getsockname((int)handle, (struct sockaddr *)&own, &length), 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    assert_int_equal(bind(fd, (struct sockaddr *)&own, length), 0);
    os_handle_close(handle);
    close(fd);
    close(server);
}

static void
a_host_without_an_address_is_an_error_at_once(void **state)
{
    struct condition condition;
    struct probe *probe;
    const char *why;
    char text[512] = "tcp:";

    (void)state;
    /* Longer than a name can be, so that no resolver asks for it. */
    memset(text + 4, 'a', 300);
    strcpy(text + 304, ":1");
    assert_int_equal(condition_parse(text, NULL, NULL, &condition, &why), 0);
    assert_int_equal(probe_new(&condition, NULL, TIMEOUT_MS, &probe), -ENXIO);
    condition_free(&condition);
}

/* ---- unix -------------------------------------------------------------------------------- */

static int
bind_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    strcpy(address.sun_path, path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void
a_unix_socket_holds_while_somebody_listens(void **state)
{
    char path[64], text[80], why[160];
    int fd;

    snprintf(path, sizeof path, "%s/socket", (char *)*state);
    snprintf(text, sizeof text, "unix:%s", path);
    snprintf(why, sizeof why, "unix %s: No such file or directory", path);
    expect_answer(text, PROBE_FAILS, why);
    fd = bind_unix(path);
    snprintf(why, sizeof why, "unix %s: Connection refused", path);
    expect_answer(text, PROBE_FAILS, why);
    assert_int_equal(listen(fd, 8), 0);
    expect_answer(text, PROBE_HOLDS, NULL);
    close(fd);
    expect_answer(text, PROBE_FAILS, why);
    unlink(path);
}

/* ---- http -------------------------------------------------------------------------------- */

/* Begin, and take what the probe sends. Returns the server's end of the connection. */
static int
begin_http(struct asking *asking, int server, const char *text, char *request, size_t size)
{
    size_t length = 0;
    int fd;

    prepare(asking, text, NULL);
    assert_int_equal(begin(asking), PROBE_PENDING);
    fd = accept(server, NULL, NULL);
    assert_true(fd >= 0);
    assert_int_equal(go_on(asking), PROBE_PENDING);
    do {
        ssize_t n = read(fd, request + length, size - 1 - length);

        assert_true(n > 0);
        length += (size_t)n;
        request[length] = '\0';
    } while (!strstr(request, "\r\n\r\n"));
    return fd;
}

static void
reply(int fd, const char *data)
{
    assert_int_equal(write(fd, data, strlen(data)), (ssize_t)strlen(data));
}

/* What it makes of an answer, after which the server closes the connection. */
static void
expect_judgement(const char *data, enum probe_answer answer, const char *why)
{
    char text[64], request[512], expected[128];
    int port, server = serve(&port), fd;
    struct asking asking;

    snprintf(text, sizeof text, "http://127.0.0.1:%d/health", port);
    fd = begin_http(&asking, server, text, request, sizeof request);
    reply(fd, data);
    close(fd);

    assert_int_equal(go_through(&asking, PROBE_PENDING), answer);
    if (why) {
        snprintf(expected, sizeof expected, "%s: %s", text, why);
        assert_string_equal(probe_why(asking.probe), expected);
    }
    end(&asking);
    close(server);
}

static void
a_status_of_2xx_or_3xx_holds_and_no_other(void **state)
{
    (void)state;
    expect_judgement("HTTP/1.1 200 OK\r\n\r\nhello", PROBE_HOLDS, NULL);
    expect_judgement("HTTP/1.0 204 \r\n\r\n", PROBE_HOLDS, NULL);
    expect_judgement("HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", PROBE_HOLDS, NULL);
    expect_judgement("HTTP/1.1 399", PROBE_HOLDS, NULL);
    expect_judgement("HTTP/1.1 503 Busy\r\n\r\n", PROBE_FAILS, "status 503");
    expect_judgement("HTTP/1.1 404 No\r\n\r\n", PROBE_FAILS, "status 404");
    expect_judgement("HTTP/1.1 199 ?\r\n\r\n", PROBE_FAILS, "status 199");
}

static void
what_is_not_http_fails(void **state)
{
    (void)state;
    expect_judgement("", PROBE_FAILS, "closed without an answer");
    expect_judgement("HTTP/1.1 20", PROBE_FAILS, "the answer is not HTTP");
    expect_judgement("SSH-2.0-OpenSSH_9.2\r\n", PROBE_FAILS, "the answer is not HTTP");
    expect_judgement("HTTP/1.1 2x0 OK\r\n", PROBE_FAILS, "the answer is not HTTP");
    expect_judgement("HTTP/1.1-200 OK\r\n", PROBE_FAILS, "the answer is not HTTP");
}

static void
the_request_is_a_plain_get_with_its_host(void **state)
{
    char text[64], request[512], expected[512];
    int port, server = serve(&port), fd;
    struct asking asking;

    (void)state;
    snprintf(text, sizeof text, "http://localhost:%d/a?b", port);
    fd = begin_http(&asking, server, text, request, sizeof request);

    snprintf(expected, sizeof expected,
             "GET /a?b HTTP/1.1\r\nHost: localhost:%d\r\nUser-Agent: vortex\r\nAccept: */*\r\n"
             "Connection: close\r\n\r\n",
             port);
    assert_string_equal(request, expected);
    close(fd);
    end(&asking);
    close(server);
}

static void
a_status_that_comes_in_pieces_is_awaited(void **state)
{
    static const char status[] = "HTTP/1.1 200 OK\r\n";
    char text[64], request[512];
    int port, server = serve(&port), fd;
    struct asking asking;

    (void)state;
    snprintf(text, sizeof text, "http://127.0.0.1:%d/", port);
    fd = begin_http(&asking, server, text, request, sizeof request);
    for (const char *c = status; *c; c++) {
        assert_int_equal(write(fd, c, 1), 1);
        assert_int_equal(go_on(&asking), PROBE_PENDING);
    }
    close(fd);
    assert_int_equal(go_through(&asking, PROBE_PENDING), PROBE_HOLDS);
    end(&asking);
    close(server);
}

static void
a_good_answer_without_an_end_holds_soon(void **state)
{
    char text[64], request[512];
    int port, server = serve(&port), fd;
    int64_t before = os_monotonic_ms();
    struct asking asking;

    (void)state;
    snprintf(text, sizeof text, "http://127.0.0.1:%d/", port);
    fd = begin_http(&asking, server, text, request, sizeof request);
    reply(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");

    assert_int_equal(go_on(&asking), PROBE_PENDING);
    assert_true(probe_deadline(asking.probe) < before + TIMEOUT_MS);
    assert_int_equal(go_through(&asking, PROBE_PENDING), PROBE_HOLDS);
    end(&asking);
    close(fd);
    close(server);
}

static void
a_long_answer_is_not_read_to_its_end(void **state)
{
    static char page[40000];
    char text[64], request[512];
    int port, server = serve(&port), fd;
    enum probe_answer answer = PROBE_PENDING;
    struct os_source source;
    struct asking asking;
    int64_t now;

    (void)state;
    memset(page, 'a', sizeof page - 1);
    snprintf(text, sizeof text, "http://127.0.0.1:%d/", port);
    fd = begin_http(&asking, server, text, request, sizeof request);
    reply(fd, "HTTP/1.1 200 OK\r\n\r\n");
    now = os_monotonic_ms(); /* and it stays so: only what is read makes an end */
    for (int i = 0; answer == PROBE_PENDING && i < 10; i++) {
        assert_int_equal(send(fd, page, sizeof page, MSG_NOSIGNAL), sizeof page);
        assert_true(probe_source(asking.probe, &source));
        assert_true(os_wait(&source, 1, -1) > 0);
        answer = probe_continue(asking.probe, true, now);
    }

    assert_int_equal(answer, PROBE_HOLDS);
    end(&asking);
    close(fd);
    close(server);
}

static void
a_server_that_does_not_answer_fails_when_the_time_is_over(void **state)
{
    char text[64], request[512];
    int port, server = serve(&port), fd;
    struct asking asking;
    int64_t deadline;

    (void)state;
    snprintf(text, sizeof text, "http://127.0.0.1:%d/", port);
    fd = begin_http(&asking, server, text, request, sizeof request);
    deadline = probe_deadline(asking.probe);

    assert_non_null(strstr(probe_why(asking.probe), ": no answer yet"));
    assert_int_equal(probe_continue(asking.probe, false, deadline - 1), PROBE_PENDING);
    assert_int_equal(probe_continue(asking.probe, false, deadline), PROBE_FAILS);
    assert_non_null(strstr(probe_why(asking.probe), ": no answer within 5 s"));
    assert_int_equal(probe_deadline(asking.probe), -1);
    close(fd);
    end(&asking);
    close(server);
}

static void
a_probe_broken_off_waits_for_nothing(void **state)
{
    char text[64], request[512];
    int port, server = serve(&port), fd;
    struct os_source source;
    struct asking asking;

    (void)state;
    snprintf(text, sizeof text, "http://127.0.0.1:%d/", port);
    fd = begin_http(&asking, server, text, request, sizeof request);
    probe_break_off(asking.probe);

    assert_false(probe_source(asking.probe, &source));
    assert_int_equal(probe_deadline(asking.probe), -1);
    assert_int_equal(read(fd, request, sizeof request), 0);
    close(fd);
    end(&asking);
    close(server);
}

/* ---- file -------------------------------------------------------------------------------- */

static void
a_file_holds_while_it_is_there(void **state)
{
    char path[64], text[80], why[160];
    FILE *file;

    snprintf(path, sizeof path, "%s/file", (char *)*state);
    snprintf(text, sizeof text, "file:%s", path);
    snprintf(why, sizeof why, "file %s: No such file or directory", path);
    expect_answer(text, PROBE_FAILS, why);
    file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    expect_answer(text, PROBE_HOLDS, NULL);
    unlink(path);
}

/* ---- exec -------------------------------------------------------------------------------- */

/* The child's end, as probe_child_ended wants it. */
static int
reap(int64_t pid)
{
    int status;

    assert_true(pid > 1);
    assert_int_equal(waitpid((pid_t)pid, &status, 0), pid);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void
expect_command_as(const char *text, const struct os_launch *as, enum probe_answer answer,
                  const char *why)
{
    struct os_source source;
    struct asking asking;

    prepare(&asking, text, as);
    assert_int_equal(begin(&asking), PROBE_PENDING);
    assert_false(probe_source(asking.probe, &source));
    assert_int_equal(probe_child_ended(asking.probe, reap(probe_child(asking.probe))), answer);
    assert_int_equal(probe_child(asking.probe), 0);
    if (why)
        assert_string_equal(probe_why(asking.probe), why);
    end(&asking);
}

static void
expect_command(const char *text, enum probe_answer answer, const char *why)
{
    expect_command_as(text, NULL, answer, why);
}

static void
a_command_holds_where_it_ends_with_status_0(void **state)
{
    (void)state;
    expect_command("exec:true", PROBE_HOLDS, NULL);
    expect_command("exec:sh -c 'exit 2'", PROBE_FAILS, "exec sh: exit status 2");
    expect_command("exec:sh -c 'kill -USR1 $$'", PROBE_FAILS, "exec sh: killed by USR1");
}

static void
a_command_that_is_not_there_says_so(void **state)
{
    (void)state;
    expect_command("exec:/nonexistent/ask", PROBE_FAILS,
                   "exec /nonexistent/ask: exit status 127: is there such a program?");
    expect_command("exec:/etc/passwd", PROBE_FAILS, "exec /etc/passwd: exit status 126");
}

static void
a_command_reads_nothing_and_its_output_goes_nowhere(void **state)
{
    (void)state;
    expect_command("exec:sh -c '! read line'", PROBE_HOLDS, NULL);
    expect_command("exec:sh -c '[ /dev/fd/1 -ef /dev/null ] && [ /dev/fd/2 -ef /dev/null ]'",
                   PROBE_HOLDS, NULL);
}

static void
a_command_inherits_no_descriptor_and_no_signal(void **state)
{
    void (*old)(int) = signal(SIGTERM, SIG_IGN);
    sigset_t set, before;

    (void)state;
    assert_int_equal(dup2(STDIN_FILENO, 99), 99);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, &before);
    expect_command("exec:test ! -e /dev/fd/99", PROBE_HOLDS, NULL);
    expect_command("exec:sh -c 'kill -TERM $$'", PROBE_FAILS, "exec sh: killed by TERM");
    sigprocmask(SIG_SETMASK, &before, NULL);
    signal(SIGTERM, old);
    close(99);
}

static void
a_command_runs_as_the_server_would(void **state)
{
    static const char *const env[] = {"VORTEX_A=1", NULL};
    const struct os_launch as = {
        .env = env,
        .directory = "/usr",
        .umask = 0123,
        .nice = OS_NICE_KEEP,
        .oom_score_adjust = OS_OOM_KEEP,
    };

    (void)state;
    expect_command_as("exec:sh -c '[ \"$VORTEX_A $(pwd) $(umask)\" = \"1 /usr 0123\" ]'", &as,
                      PROBE_HOLDS, NULL);
}

static void
a_command_that_takes_too_long_is_killed_with_its_children(void **state)
{
    char path[64], text[128], byte;
    struct asking asking;
    int64_t pid;
    int fd;

    snprintf(path, sizeof path, "%s/fifo", (char *)*state);
    assert_int_equal(mkfifo(path, 0600), 0);
    snprintf(text, sizeof text, "exec:sh -c 'sleep 1000 >%s & wait'", path);
    prepare(&asking, text, NULL);
    assert_int_equal(begin(&asking), PROBE_PENDING);
    pid = probe_child(asking.probe);
    fd = open(path, O_RDONLY); /* until the child's child opened it */
    assert_true(fd >= 0);

    assert_int_equal(probe_continue(asking.probe, false, probe_deadline(asking.probe)),
                     PROBE_FAILS);
    assert_string_equal(probe_why(asking.probe), "exec sh: no answer within 5 s");
    assert_int_equal(read(fd, &byte, 1), 0); /* until it is dead */
    assert_int_equal(probe_child(asking.probe), pid);
    assert_int_equal(reap(pid), -SIGKILL);
    close(fd);
    unlink(path);
    end(&asking);
}

static void
a_killed_command_is_not_joined_by_another(void **state)
{
    struct asking asking;
    int64_t pid;

    (void)state;
    prepare(&asking, "exec:sleep 1000", NULL);
    assert_int_equal(begin(&asking), PROBE_PENDING);
    pid = probe_child(asking.probe);
    probe_break_off(asking.probe);

    assert_int_equal(begin(&asking), PROBE_FAILS);
    assert_string_equal(probe_why(asking.probe), "exec sleep: killed, but not dead yet");
    assert_int_equal(probe_child_ended(asking.probe, reap(pid)), PROBE_PENDING);
    assert_int_equal(begin(&asking), PROBE_PENDING);
    pid = probe_child(asking.probe);
    end(&asking);
    assert_int_equal(reap(pid), -SIGKILL);
}

/* ------------------------------------------------------------------------------------------ */

static int
set_up(void **state)
{
    static char directory[32];

    strcpy(directory, "/tmp/vortex-probe-XXXXXX");
    *state = mkdtemp(directory);
    return *state ? 0 : -1;
}

static int
tear_down(void **state)
{
    return rmdir(*state);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tcp_server_that_listens_holds),
        cmocka_unit_test(a_tcp_port_where_nobody_listens_fails_and_says_why),
        cmocka_unit_test(a_probe_can_ask_again_and_again),
        cmocka_unit_test(each_address_of_a_name_is_tried),
        cmocka_unit_test(a_port_that_met_itself_is_nobody_and_free_again),
        cmocka_unit_test(a_server_can_bind_the_port_that_a_probe_was_given),
        cmocka_unit_test(a_host_without_an_address_is_an_error_at_once),
        cmocka_unit_test(a_unix_socket_holds_while_somebody_listens),
        cmocka_unit_test(a_status_of_2xx_or_3xx_holds_and_no_other),
        cmocka_unit_test(what_is_not_http_fails),
        cmocka_unit_test(the_request_is_a_plain_get_with_its_host),
        cmocka_unit_test(a_status_that_comes_in_pieces_is_awaited),
        cmocka_unit_test(a_good_answer_without_an_end_holds_soon),
        cmocka_unit_test(a_long_answer_is_not_read_to_its_end),
        cmocka_unit_test(a_server_that_does_not_answer_fails_when_the_time_is_over),
        cmocka_unit_test(a_probe_broken_off_waits_for_nothing),
        cmocka_unit_test(a_file_holds_while_it_is_there),
        cmocka_unit_test(a_command_holds_where_it_ends_with_status_0),
        cmocka_unit_test(a_command_that_is_not_there_says_so),
        cmocka_unit_test(a_command_reads_nothing_and_its_output_goes_nowhere),
        cmocka_unit_test(a_command_inherits_no_descriptor_and_no_signal),
        cmocka_unit_test(a_command_runs_as_the_server_would),
        cmocka_unit_test(a_command_that_takes_too_long_is_killed_with_its_children),
        cmocka_unit_test(a_killed_command_is_not_joined_by_another),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
