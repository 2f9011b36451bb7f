/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server for real service managers: it serves late, fails, hangs and reloads slowly on request, and
 * knows its manager where it is told to. Each connection gets an answer of HTTP; HUP is a reload, USR2
 * makes it hang, TERM ends it.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "vortex.h"

#define NEVER INT64_MAX
#define TICK  100 /* ms between two words to the manager */

struct server {
    int port;           /* --listen PORT */
    int after_ms;       /* --after MS: so late it serves */
    int reload_ms;      /* --reload MS: so long a reload takes */
    int exit_code;      /* --exit N: end with that instead of serving; -1: don't */
    bool knows_manager; /* --notify: READY, RELOADING, STOPPING, STATUS, WATCHDOG */
    bool extends;       /* --extend: asks for more time while it starts */
    bool inherits;      /* --inherited: serves on the socket of its manager */

    int signals;
    int socket; /* -1: it doesn't serve yet */
    bool hangs;
    int reloads;
    int64_t ready_at, reloaded_at;
};

static void
die(const char *what)
{
    fprintf(stderr, "server: %s: %s\n", what, strerror(errno));
    exit(99);
}

static int64_t
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- What it does ------------------------------------------------------------------------ */

static int
listen_on(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0
        || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 16) < 0)
        die("listen");
    return fd;
}

/* As sd_listen_fds(3) does it: the first one, if it is meant for this very process. */
static int
inherited(void)
{
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");

    errno = ESRCH;
    if (pid == NULL || atoi(pid) != (int)getpid() || count == NULL || atoi(count) != 1)
        die("no socket was passed to me");
    return 3;
}

static void
begin_to_serve(struct server *s)
{
    s->ready_at = NEVER;
    if (s->exit_code >= 0)
        exit(s->exit_code);
    if (s->inherits)
        s->socket = inherited();
    else if (s->port > 0)
        s->socket = listen_on(s->port);
    if (s->knows_manager) {
        (void)vortex_notify_status("serving, not reloaded");
        (void)vortex_notify_ready();
    }
}

static void
end_reload(struct server *s)
{
    char text[64];

    s->reloaded_at = NEVER;
    s->reloads++;
    if (!s->knows_manager)
        return;
    snprintf(text, sizeof(text), "serving, reloaded %d times", s->reloads);
    (void)vortex_notify_status(text);
    (void)vortex_notify_ready();
}

static void
take_signal(struct server *s)
{
    struct signalfd_siginfo info;

    if (read(s->signals, &info, sizeof(info)) != sizeof(info))
        die("signalfd");
    if (info.ssi_signo == SIGUSR2)
        s->hangs = true;
    if (info.ssi_signo == SIGHUP) {
        s->reloaded_at = now_ms() + s->reload_ms;
        if (s->knows_manager)
            (void)vortex_notify_reloading();
    }
    if (info.ssi_signo == SIGTERM) {
        if (s->knows_manager)
            (void)vortex_notify_stopping();
        exit(0);
    }
}

static void
answer(const struct server *s)
{
    static const char text[] = "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok\n";
    char request[1024];
    int fd = accept(s->socket, NULL, NULL);

    if (fd < 0)
        return;
    if (read(fd, request, sizeof(request)) > 0 && write(fd, text, sizeof(text) - 1) < 0)
        fprintf(stderr, "server: %s\n", strerror(errno));
    close(fd);
}

static void
tell_manager(const struct server *s)
{
    if (s->extends && s->ready_at != NEVER)
        (void)vortex_notify_extend_timeout(TICK * 10L);
    if (s->knows_manager && s->ready_at == NEVER)
        (void)vortex_notify_watchdog();
}

static void
step(struct server *s)
{
    struct pollfd events[2] = {{.fd = s->signals, .events = POLLIN},
                               {.fd = s->hangs ? -1 : s->socket, .events = POLLIN}};
    bool ticks = !s->hangs && (s->extends || s->knows_manager);
    int64_t next = s->ready_at < s->reloaded_at ? s->ready_at : s->reloaded_at;
    int64_t left = next == NEVER ? -1 : next - now_ms();

    if (next != NEVER && left < 0)
        left = 0;
    if (ticks && (left < 0 || left > TICK))
        left = TICK;
    if (poll(events, 2, (int)left) < 0)
        die("poll");
    if (events[0].revents != 0)
        take_signal(s);
    if (s->hangs)
        return;
    if (events[1].revents != 0)
        answer(s);
    if (now_ms() >= s->ready_at)
        begin_to_serve(s);
    if (now_ms() >= s->reloaded_at)
        end_reload(s);
    if (ticks)
        tell_manager(s);
}

/* ---- What it is told --------------------------------------------------------------------- */

static bool
take_option(struct server *s, const char *option, const char *value)
{
    const struct {
        const char *name;
        int *number;
    } numbers[] = {
        {"--listen", &s->port},
        {"--after", &s->after_ms},
        {"--reload", &s->reload_ms},
        {"--exit", &s->exit_code},
    };

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        if (strcmp(option, numbers[i].name) == 0 && value != NULL) {
            *numbers[i].number = atoi(value);
            return true;
        }
    return false;
}

int
main(int argc, char **argv)
{
    struct server s = {.exit_code = -1, .socket = -1, .reloaded_at = NEVER};
    sigset_t taken;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--notify") == 0) {
            s.knows_manager = true;
        } else if (strcmp(argv[i], "--extend") == 0) {
            s.extends = true;
        } else if (strcmp(argv[i], "--inherited") == 0) {
            s.inherits = true;
        } else if (!take_option(&s, argv[i], argv[i + 1])) {
            fprintf(stderr, "server: what is %s?\n", argv[i]);
            return 98;
        } else {
            i++;
        }
    }
    sigemptyset(&taken);
    sigaddset(&taken, SIGHUP);
    sigaddset(&taken, SIGUSR2);
    sigaddset(&taken, SIGTERM);
    sigprocmask(SIG_BLOCK, &taken, NULL);
    s.signals = signalfd(-1, &taken, SFD_CLOEXEC);
    if (s.signals < 0)
        die("signalfd");
    s.ready_at = now_ms() + s.after_ms;
    for (;;)
        step(&s);
}
