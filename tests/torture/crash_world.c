/* SPDX-License-Identifier: Apache-2.0 */
/* What a trial finds itself in: commands, servers, files and bystanders. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "crash.h"

#define SETTLE_MS 30000

void
fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    fflush(stdout);
    _exit(1);
}

int64_t
now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- Files ------------------------------------------------------------------------------- */

/* One of some buffers that take turns. */
const char *
world_path(const struct trial *t, const char *name)
{
    static char paths[8][PATH_SIZE];
    static int next;
    char *path = paths[next++ % 8];

    snprintf(path, PATH_SIZE, "%s/%s", t->tools->directory, name);
    return path;
}

/* The text of a file, "" where there is none. */
static void
read_text(const char *path, char *buf, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, buf, size - 1);

    buf[n > 0 ? n : 0] = '\0';
    if (fd >= 0)
        close(fd);
}

static void
write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0)
        fail("%s: %s", path, strerror(errno));
}

pid_t
world_state_pid(const struct trial *t, const char *key)
{
    char text[4096] = "\n", pattern[64];
    const char *line;

    read_text(world_path(t, "web.pid.state"), text + 1, sizeof(text) - 1);
    snprintf(pattern, sizeof(pattern), "\n%s=", key);
    line = strstr(text, pattern);
    return line != NULL ? atoi(line + strlen(pattern)) : 0;
}

int
world_files(const struct trial *t, bool only_temporaries)
{
    DIR *stream = opendir(t->tools->directory);
    const struct dirent *entry;
    int count = 0;

    while (stream != NULL && (entry = readdir(stream)) != NULL)
        if (strncmp(entry->d_name, "web.pid", 7) == 0
            && (!only_temporaries || strstr(entry->d_name, ".new") != NULL))
            count++;
    if (stream != NULL)
        closedir(stream);
    return count;
}

/* ---- Processes --------------------------------------------------------------------------- */

/* Its first two words, where it lives. */
static bool
read_words(const char *pid, char *buf, size_t size, const char **ret_second)
{
    char path[64], stat[512];
    const char *end;

    snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
    read_text(path, stat, sizeof(stat));
    end = strrchr(stat, ')');
    if (end == NULL || end[1] == '\0' || end[2] == 'Z' || end[2] == 'X')
        return false;
    memset(buf, 0, size);
    snprintf(path, sizeof(path), "/proc/%.20s/cmdline", pid);
    read_text(path, buf, size - 1);
    *ret_second = buf + strlen(buf) + 1;
    return buf[0] != '\0' && strlen(buf) + 1 < size;
}

static int
list(const char *first, const char *second, pid_t *ret_pids)
{
    DIR *proc = opendir("/proc");
    const struct dirent *entry;
    char words[1024];
    const char *after;
    int count = 0;

    if (proc == NULL)
        fail("/proc: %s", strerror(errno));
    while ((entry = readdir(proc)) != NULL && count < PEOPLE_MAX / 2)
        if (atoi(entry->d_name) > 1 && read_words(entry->d_name, words, sizeof(words), &after)
            && strcmp(words, first) == 0 && (second == NULL || strcmp(after, second) == 0))
            ret_pids[count++] = atoi(entry->d_name);
    closedir(proc);
    return count;
}

int
world_servers(const struct trial *t, pid_t *ret_pids)
{
    int count = list(t->tools->self, "server", ret_pids);

    count += list(t->tools->self, OWNER, ret_pids + count);
    for (int i = 0; i < count; i++) /* it is none yet, as long as it claims */
        if (tracer_has(&t->tracer, ret_pids[i]))
            ret_pids[i--] = ret_pids[--count];
    return count;
}

int
world_hosts(const struct trial *t, pid_t *ret_pids)
{
    return list(t->tools->vortex, NULL, ret_pids);
}

bool
world_wait_servers(struct trial *t, int count)
{
    int64_t end = now_ms() + SETTLE_MS;
    pid_t pids[PEOPLE_MAX];

    while (world_servers(t, pids) != count) {
        if (now_ms() >= end)
            return false;
        world_step(t, now_ms() + 5 < end ? now_ms() + 5 : end); /* an exec tells nobody */
    }
    return true;
}

/* ---- Commands ---------------------------------------------------------------------------- */

void
world_exec(const char *const *argv, const char *output)
{
    int fd = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
        _exit(126);
    close(fd);
    execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

void
world_words(const struct trial *t, const char *verb, const char **ret)
{
    int i = 0;

    ret[i++] = t->tools->vortex;
    ret[i++] = verb;
    ret[i++] = "web";
    ret[i++] = "-c";
    ret[i++] = world_path(t, "web.conf");
    if (strcmp(verb, "stop") == 0 || strcmp(verb, "restart") == 0) {
        ret[i++] = "-t";
        ret[i++] = "1s";
    }
    ret[i] = NULL;
}

void
world_begin(struct trial *t, const char *const *words)
{
    t->waited = fork();
    if (t->waited == 0)
        world_exec(words, world_path(t, "output"));
    if (t->waited < 0)
        fail("fork: %s", strerror(errno));
}

int
world_run(struct trial *t, const char *verb)
{
    int64_t end = now_ms() + WATCHDOG_MS;
    const char *words[WORDS_MAX];

    world_words(t, verb, words);
    world_begin(t, words);
    while (t->waited != 0) {
        world_step(t, end);
        if (now_ms() >= end)
            fail("%s hangs", verb);
    }
    return t->status;
}

static void
take_deaths(struct trial *t)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
        if (tracer_take(&t->tracer, pid, status) || pid != t->waited)
            continue;
        t->waited = 0;
        t->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
}

static void
take_words(struct trial *t)
{
    char words[256];
    ssize_t n = read(t->told, words, sizeof(words));

    for (ssize_t i = 0; i < n; i++) {
        t->ready += words[i] == 'R';
        t->reloads += words[i] == 'H';
    }
}

void
world_step(struct trial *t, int64_t until)
{
    struct pollfd events[] = {{.fd = t->signals, .events = POLLIN},
                              {.fd = t->told, .events = POLLIN}};
    int64_t left = until - now_ms();
    struct signalfd_siginfo info;

    if (poll(events, 2, left > 0 ? (int)left : 0) < 0 && errno != EINTR)
        fail("poll: %s", strerror(errno));
    if (events[0].revents != 0)
        (void)!read(t->signals, &info, sizeof(info)); /* before the deaths: none is missed */
    take_deaths(t);
    if (events[1].revents != 0)
        take_words(t);
}

/* ---- Bystanders -------------------------------------------------------------------------- */

static _Noreturn void
be_bystander(int ask)
{
    sigset_t pending;
    char byte;

    while (read(ask, &byte, 1) < 0)
        ;
    sigpending(&pending);
    for (int number = 1; number <= SIGRTMAX; number++)
        if (sigismember(&pending, number) == 1)
            _exit(number);
    _exit(0);
}

void
world_add_bystander(struct trial *t, pid_t pid)
{
    struct bystander *b = &t->bystanders[t->bystander_count++];
    char number[16];
    sigset_t all, before;
    int ask[2];

    snprintf(number, sizeof(number), "%d", (int)pid - 1);
    if (pid != 0)
        write_text("/proc/sys/kernel/ns_last_pid", number);
    if (pipe2(ask, O_CLOEXEC) < 0)
        fail("pipe2: %s", strerror(errno));
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    b->pid = fork();
    if (b->pid == 0) {
        for (int i = 0; i < t->bystander_count - 1; i++)
            close(t->bystanders[i].ask);
        close(ask[1]);
        be_bystander(ask[0]);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(ask[0]);
    b->ask = ask[1];
    if (b->pid < 0 || (pid != 0 && b->pid != pid))
        fail("no bystander can have the pid %d", (int)pid);
}

void
world_ask_bystanders(struct trial *t)
{
    for (int i = t->bystander_count - 1; i >= 0; i--) {
        int64_t end = now_ms() + WATCHDOG_MS;

        close(t->bystanders[i].ask);
        for (t->waited = t->bystanders[i].pid; t->waited != 0 && now_ms() < end;)
            world_step(t, end);
        if (t->waited != 0 || t->status >= 128) /* it was reaped long ago, or is now */
            fail("a bystander was killed or stopped");
        if (t->status != 0)
            fail("a bystander was sent signal %d", t->status);
    }
}

/* ---- The beginning ----------------------------------------------------------------------- */

static const char supervised[] = "[ready]\n"
                                 "when = notify\n"
                                 "timeout = 4s\n"
                                 "[restart]\n"
                                 "policy = always\n"
                                 "delay = 1ms..10ms\n";

void
world_make(struct trial *t)
{
    char text[1024];
    sigset_t deaths;

    sigemptyset(&deaths);
    sigaddset(&deaths, SIGCHLD);
    sigprocmask(SIG_BLOCK, &deaths, NULL);
    t->signals = signalfd(-1, &deaths, SFD_CLOEXEC | SFD_NONBLOCK);
    if (mkfifo(world_path(t, "told"), 0600) < 0)
        fail("mkfifo: %s", strerror(errno));
    t->told = open(world_path(t, "told"), O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (t->signals < 0 || t->told < 0)
        fail("signalfd, told: %s", strerror(errno));
    snprintf(text, sizeof(text), "[server]\ncommand = %s server %s %s\n%s", t->tools->self,
             t->tools->directory, t->scenario->dies ? "dies" : "lives",
             t->scenario->is_supervised ? supervised : "");
    write_text(world_path(t, "web.conf"), text);
    setenv("RUNTIME_DIRECTORY", t->tools->directory, 1);
    setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
    unsetenv("NOTIFY_SOCKET");
    unsetenv("NOTIFY_FD");
}
