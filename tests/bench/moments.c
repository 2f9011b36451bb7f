/* SPDX-License-Identifier: Apache-2.0 */
/* The moments of one start and of one stop. */
#include "bench.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- start ------------------------------------------------------------------------------- */

static void
reap_tool(pid_t pid, const char *name)
{
    int status;

    if (waitpid(pid, &status, 0) != pid || status != 0)
        die(name, "it did not succeed");
}

static bool
runs_program(pid_t pid, const char *program)
{
    char link[32], target[4096];
    ssize_t n;

    snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
    n = readlink(link, target, sizeof(target));
    return n == (ssize_t)strlen(program) && strncmp(target, program, (size_t)n) == 0;
}

struct start
watch_start(const struct bench *b, const char *const *words, const char *pidfile, bool returns)
{
    enum { CHANGE, READY, END };
    struct start s = {0};
    struct pollfd p[3];
    char events[4096];
    double begin, now;
    pid_t tool;

    p[CHANGE] = (struct pollfd){.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), .events = POLLIN};
    p[READY] = (struct pollfd){.fd = b->w->ready_fd, .events = POLLIN};
    if (p[CHANGE].fd < 0
        || inotify_add_watch(p[CHANGE].fd, b->w->directory, IN_MODIFY | IN_MOVED_TO) < 0)
        die("inotify", strerror(errno));
    begin = now_us();
    tool = spawn(words, -1, -1);
    p[END] = (struct pollfd){.fd = pidfd_of(tool), .events = POLLIN};
    while ((s.pidfile == 0 && pidfile != NULL) || s.runs == 0 || (s.returns == 0 && returns)) {
        if (poll(p, 3, LIMIT_MS) <= 0)
            die(words[0], "its server, its pidfile or its end is not to be seen");
        now = now_us() - begin;
        if ((p[CHANGE].revents & POLLIN) && read(p[CHANGE].fd, events, sizeof(events)) > 0
            && pidfile != NULL && s.pidfile == 0 && named_by(pidfile) != 0)
            s.pidfile = now;
        if ((p[READY].revents & POLLIN) && read_ready(b->w, &s.server, 1) == 1)
            s.runs = now;
        if ((p[END].revents & POLLIN) && !returns)
            die(words[0], "it does not stay");
        if (p[END].revents & POLLIN) {
            s.returns = now;
            s.early = !runs_program(named_by(pidfile), b->sleeper);
            close(p[END].fd);
            p[END].fd = -1;
            reap_tool(tool, words[0]);
        }
    }
    close(p[CHANGE].fd);
    if (p[END].fd >= 0)
        close(p[END].fd);
    if (pidfile != NULL && named_by(pidfile) != s.server)
        die(words[0], "the pidfile names another than the server");
    return s;
}

void
sample_start(struct bench *b, enum tool t)
{
    const char *words[WORDS];
    struct start s;

    start_command(b, t, NULL, words);
    if (is_floor(t)) {
        report_add(b->r, START_RETURNS, t, run_timed(words));
        return;
    }
    s = watch_start(b, words, has_pidfile(t) ? b->w->pidfile : NULL, has_return(t));
    if (has_pidfile(t))
        report_add(b->r, START_PIDFILE, t, s.pidfile);
    report_add(b->r, START_RUNS, t, s.runs);
    if (has_return(t))
        report_add(b->r, START_RETURNS, t, s.returns);
    if (s.early)
        report_early(b->r, t);
    end_children();
    remove_files(b->w);
}

/* ---- stop -------------------------------------------------------------------------------- */

/* The server is this process's child by adoption, and is reaped at once as init would. */
static void
watch_stop(struct bench *b, enum tool t, const char *const *words, pid_t server)
{
    struct pollfd p[2] = {{.fd = pidfd_of(server), .events = POLLIN}};
    double begin = now_us(), death = 0, end = 0;
    pid_t tool = spawn(words, -1, -1);

    p[1] = (struct pollfd){.fd = pidfd_of(tool), .events = POLLIN};
    while (death == 0 || end == 0) {
        double now;

        if (poll(p, 2, LIMIT_MS) <= 0)
            die(words[0], "it does not return from a stop");
        now = now_us();
        if (p[0].revents & POLLIN) {
            death = now;
            waitpid(server, NULL, 0);
            close(p[0].fd);
            p[0].fd = -1;
        }
        if (p[1].revents & POLLIN) {
            end = now;
            close(p[1].fd);
            p[1].fd = -1;
        }
    }
    reap_tool(tool, words[0]);
    report_add(b->r, STOP_LAG, t, end - death);
    report_add(b->r, STOP_WHOLE, t, end - begin);
}

void
sample_stop(struct bench *b, enum tool t)
{
    const char *words[WORDS];
    struct start s;

    start_command(b, t, NULL, words);
    if (is_floor(t)) {
        report_add(b->r, STOP_WHOLE, t, run_timed(words));
        return;
    }
    s = watch_start(b, words, b->w->pidfile, true);
    stop_command(b, t, words);
    watch_stop(b, t, words, s.server);
    end_children();
    remove_files(b->w);
}
