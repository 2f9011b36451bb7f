/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Real servers: VORTEX_TEST_SERVERS is a directory of unpacked Debian packages, or of programs in its
 * bin (dev.sh makes it so). Python's is there wherever meson is.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>

#include "harness.h"

/* ---- The servers ------------------------------------------------------------------------- */

/* The path of an unpacked program, with its libraries in the environment. */
static const char *
need_server(const char *name)
{
    static const char *const places[] = {"bin", "usr/bin", "usr/sbin"};
    const char *above = getenv("VORTEX_TEST_SERVERS");

    if (above == NULL)
        skip_test(text_of("VORTEX_TEST_SERVERS is not set: no %s", name));
    setenv("LD_LIBRARY_PATH", text_of("%s/usr/lib/x86_64-linux-gnu", above), 1);
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        const char *path = text_of("%s/%s/%s", above, places[i], name);

        if (access(path, X_OK) == 0)
            return path;
    }
    lack(text_of("%s in %s", name, above));
    return NULL;
}

static struct sockaddr_in
address_of(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                .sin_port = htons((uint16_t)port)};
}

/* One that was free a moment ago. */
static int
free_port(void)
{
    struct sockaddr_in address = address_of(0);
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    close(fd);
    return ntohs(address.sin_port);
}

/* What it answers to a request, up to its end or what is sought in it; empty: nobody is there. */
static const char *
ask(int port, const char *request, const char *sought)
{
    static char text[TEXT_SIZE];
    struct sockaddr_in address = address_of(port);
    struct timeval patience = {.tv_sec = DEADLINE_MS / 1000};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    size_t length = 0;
    ssize_t n;

    text[0] = '\0';
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0
        && send(fd, request, strlen(request), MSG_NOSIGNAL) == (ssize_t)strlen(request))
        while (strstr(text, sought) == NULL
               && (n = read(fd, text + length, sizeof(text) - 1 - length)) > 0) {
            length += (size_t)n;
            text[length] = '\0';
        }
    close(fd);
    return text;
}

/* A server says nowhere when it serves, but by serving. */
static const char *
ask_until(int port, const char *request, const char *sought)
{
    const char *text = "";

    for (int ms = 0; ms < DEADLINE_MS; ms += 10) {
        struct timespec moment = {.tv_nsec = 10000000};

        text = ask(port, request, sought);
        if (strstr(text, sought) != NULL)
            return text;
        nanosleep(&moment, NULL);
    }
    fail_msg("the server never said '%s', but: %s", sought, text);
    return NULL;
}

#define GET "GET / HTTP/1.0\r\n\r\n"

/* ---- redis ------------------------------------------------------------------------------- */

static void
redis_is_hosted(void **state)
{
    struct world *w = *state;
    const char *redis = need_server("redis-server");
    int port = free_port();
    const char *config =
        config_write(w, "redis",
                     "[server]\ncommand = %s --bind 127.0.0.1 --port %d --save ''\n"
                     "directory = %s\nlog = %s/log\n",
                     redis, port, w->dir, w->dir);
    const struct answer *answer = VORTEX(w, "start", "redis", "-c", config);
    pid_t server;

    expect_exit(answer, 0);
    server = pid_said(answer->out);
    expect_says(ask_until(port, "PING\r\nINFO server\r\n", "executable:"),
                text_of("process_id:%d\r\n", (int)server));
    assert_int_equal(pid_in(in_run(w, "redis.pid")), server);
    expect_exit(VORTEX(w, "start", "redis", "-c", config), 1);
    expect_exit(VORTEX(w, "restart", "redis", "-c", config), 0);
    server = pid_in(in_run(w, "redis.pid"));
    expect_says(ask_until(port, "INFO server\r\n", "executable:"),
                text_of("process_id:%d\r\n", (int)server));

    expect_exit(VORTEX(w, "stop", "redis", "-c", config), 0);
    assert_false(lives(server));
    expect_says(file_read(in_dir(w, "log")), "Received SIGTERM");
    expect_no_files(w, "redis");
}

/* ---- nginx ------------------------------------------------------------------------------- */

static void
nginx_configure(const struct world *w, int port, const char *word)
{
    file_write(in_dir(w, "nginx.conf"),
               text_of("pid %s/nginx.pid;\nerror_log stderr;\nworker_processes 2;\nevents {}\n"
                       "http {\n"
                       "access_log off;\n"
                       "client_body_temp_path %s/t1;\nproxy_temp_path %s/t2;\n"
                       "fastcgi_temp_path %s/t3;\nuwsgi_temp_path %s/t4;\nscgi_temp_path %s/t5;\n"
                       "server { listen 127.0.0.1:%d; location / { return 200 '%s'; } }\n"
                       "}\n",
                       w->dir, w->dir, w->dir, w->dir, w->dir, w->dir, port, word));
}

static const char *
nginx_config(const struct world *w, const char *nginx)
{
    return config_write(w, "vortex-nginx",
                        "[server]\n"
                        "command = %s -e stderr -p %s -c %s/nginx.conf -g 'daemon off;'\n"
                        "log = %s/log\n",
                        nginx, w->dir, w->dir, w->dir);
}

static void
nginx_is_hosted_and_reloads(void **state)
{
    struct world *w = *state;
    const char *config = nginx_config(w, need_server("nginx"));
    int port = free_port();
    pid_t server;

    nginx_configure(w, port, "the first page");
    expect_exit(VORTEX(w, "start", "nginx", "-c", config), 0);
    ask_until(port, GET, "the first page");
    server = pid_in(in_run(w, "nginx.pid"));
    assert_int_equal(pid_in(in_dir(w, "nginx.pid")), server);

    nginx_configure(w, port, "the second page");
    expect_exit(PROGRAM(w, "sh", "-c", "kill -HUP $(cat \"$0\")", in_run(w, "nginx.pid")), 0);
    ask_until(port, GET, "the second page");
    nginx_configure(w, port, "the third page");
    expect_exit(VORTEX(w, "reload", "nginx", "-c", config), 0);
    ask_until(port, GET, "the third page");
    assert_int_equal(pid_in(in_run(w, "nginx.pid")), server);

    expect_exit(VORTEX(w, "stop", "nginx", "-c", config), 0);
    assert_false(lives(server));
    assert_string_equal(ask(port, GET, "page"), "");
    expect_no_files(w, "nginx");
}

static void
nginx_workers_whose_master_was_killed_are_leftovers(void **state)
{
    struct world *w = *state;
    const char *config = nginx_config(w, need_server("nginx"));
    int port = free_port();
    const struct answer *answer;

    need_linux();
    nginx_configure(w, port, "the page");
    expect_exit(VORTEX(w, "start", "nginx", "-c", config), 0);
    ask_until(port, GET, "the page");
    kill_hard(pid_in(in_run(w, "nginx.pid")));

    expect_exit(VORTEX(w, "status", "nginx"), 4);
    answer = VORTEX(w, "start", "nginx", "-c", config);
    expect_exit(answer, 1);
    expect_says(answer->err, "its lock is still held: pid ");
    expect_exit(VORTEX(w, "stop", "nginx", "-c", config, "--leftovers"), 0);
    assert_string_equal(ask(port, GET, "page"), "");
    expect_exit(VORTEX(w, "start", "nginx", "-c", config), 0);
    ask_until(port, GET, "the page");
    expect_exit(VORTEX(w, "stop", "nginx", "-c", config), 0);
}

/* ---- python ------------------------------------------------------------------------------ */

static void
pythons_server_is_hosted_and_hup_by_hand_ends_it(void **state)
{
    struct world *w = *state;
    const char *port = text_of("%d", free_port());
    const struct answer *answer = VORTEX(w, "start", "files", "--", getenv("PYTHON"), "-m",
                                         "http.server", "--bind", "127.0.0.1", port);
    pid_t server;

    expect_exit(answer, 0);
    server = pid_said(answer->out);
    file_write(in_dir(w, "index.html"), "<p>a page of here");
    ask_until(atoi(port), GET, "a page of here");
    assert_int_equal(pid_in(in_run(w, "files.pid")), server);
    expect_exit(VORTEX(w, "status", "files"), 0);

    expect_exit(PROGRAM(w, "sh", "-c", "kill -HUP $(cat \"$0\")", in_run(w, "files.pid")), 0);
    expect_exit(VORTEX(w, "wait", "files"), 0);
    assert_string_equal(ask(atoi(port), GET, "page"), "");
    expect_exit(VORTEX(w, "status", "files"), 1);
    expect_exit(VORTEX(w, "stop", "files"), 0);
    expect_no_files(w, "files");
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        PROMISE(redis_is_hosted),
        PROMISE(nginx_is_hosted_and_reloads),
        PROMISE(nginx_workers_whose_master_was_killed_are_leftovers),
        PROMISE(pythons_server_is_hosted_and_hup_by_hand_ends_it),
    };

    return RUN_SUITE("real servers", false, tests);
}
