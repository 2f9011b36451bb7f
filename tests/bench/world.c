/* SPDX-License-Identifier: Apache-2.0 */
/* The processes and files of the measurements: run, watched, and surely gone afterwards. */
#include "bench.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHILDREN_MAX 4096

void
die(const char *what, const char *more)
{
    fprintf(stderr, "bench: %s%s%s\n", what, more != NULL ? ": " : "", more != NULL ? more : "");
    _exit(1);
}

double
now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* ---- Running ----------------------------------------------------------------------------- */

bool
is_real_time(void)
{
    return (sched_getscheduler(0) & ~SCHED_RESET_ON_FORK) == SCHED_FIFO;
}

bool
come_first(void)
{
    const struct sched_param first = {.sched_priority = 2};
    int reset = is_real_time() ? 0 : SCHED_RESET_ON_FORK;

    return sched_setscheduler(0, SCHED_FIFO | reset, &first) == 0;
}

/* What this process starts is as any other, or just behind it where chrt made all real-time. */
static void
step_back(void)
{
    const struct sched_param second = {.sched_priority = 1};

    if (is_real_time())
        (void)sched_setscheduler(0, SCHED_FIFO, &second);
}

const char **
put_words(const char **words, const char *const *more)
{
    while (*more != NULL)
        *words++ = *more++;
    *words = NULL;
    return words;
}

pid_t
spawn(const char *const *argv, int gate, int out)
{
    pid_t pid = fork();
    int null;

    if (pid < 0)
        die("fork", strerror(errno));
    if (pid > 0)
        return pid;
    step_back();
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || dup2(null, 0) < 0 || dup2(out >= 0 ? out : null, 1) < 0 || dup2(null, 2) < 0)
        _exit(126);
    if (gate >= 0)
        (void)poll(&(struct pollfd){.fd = gate, .events = POLLIN}, 1, -1);
    execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

int
pidfd_of(pid_t pid)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);

    if (fd < 0)
        die("pidfd_open", strerror(errno));
    return fd;
}

double
run_timed(const char *const *argv)
{
    double start = now_us();
    pid_t pid = spawn(argv, -1, -1);
    int status;

    if (waitpid(pid, &status, 0) != pid)
        die("waitpid", strerror(errno));
    start = now_us() - start;
    if (status != 0)
        die(argv[0], "it did not succeed");
    return start;
}

int
read_ready(const struct world *w, pid_t *pids, int max)
{
    static char text[65537]; /* a FIFO has no more */
    char *save = NULL;
    int count = 0;
    ssize_t n;

    /* Each line was one write, so none comes in halves unless the buffer cuts it. */
    n = read(w->ready_fd, text, sizeof(text) - 1);
    if (n <= 0)
        return 0;
    if (text[n - 1] != '\n')
        die(w->ready, "a line was cut");
    text[n] = '\0';
    for (char *line = strtok_r(text, "\n", &save); line != NULL && count < max;
         line = strtok_r(NULL, "\n", &save))
        pids[count++] = (pid_t)atoi(line);
    return count;
}

pid_t
named_by(const char *pidfile)
{
    char text[32];
    char *end;
    long pid;
    ssize_t n;
    int fd = open(pidfile, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return 0;
    n = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (n <= 0)
        return 0;
    if (text[n - 1] == '\n') /* libbsd writes none */
        n--;
    text[n] = '\0';
    pid = strtol(text, &end, 10);
    return *end == '\0' && pid > 1 && kill((pid_t)pid, 0) == 0 ? (pid_t)pid : 0;
}

/* ---- Ending ------------------------------------------------------------------------------ */

int
list_children(pid_t *pids, int max)
{
    char path[64];
    FILE *file;
    int count = 0;

    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    file = fopen(path, "re");
    if (file == NULL)
        die(path, strerror(errno));
    while (count < max && fscanf(file, "%d", &pids[count]) == 1)
        count++;
    fclose(file);
    return count;
}

void
end_children(void)
{
    static pid_t pids[CHILDREN_MAX];

    /* Again, for what those leave behind that are ended here. */
    while (waitpid(-1, NULL, WNOHANG) >= 0) {
        int count = list_children(pids, CHILDREN_MAX);

        for (int i = 0; i < count; i++)
            kill(pids[i], SIGKILL);
        for (int i = 0; i < count; i++)
            waitpid(-1, NULL, 0);
    }
}

void
remove_files(const struct world *w)
{
    DIR *stream = opendir(w->directory);
    struct dirent *entry;

    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        const char *name = entry->d_name;

        if (name[0] != '.' && strcmp(name, strrchr(w->ready, '/') + 1) != 0)
            unlinkat(dirfd(stream), name, 0);
    }
    if (stream != NULL)
        closedir(stream);
}

/* ---- The guard --------------------------------------------------------------------------- */

static volatile sig_atomic_t worker;

static void
end_worker(int signal_number)
{
    (void)signal_number;
    kill((pid_t)worker, SIGKILL);
}

static void
make_world(struct world *w)
{
    const char *parent = access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";

    snprintf(w->directory, sizeof(w->directory), "%s/vortex-bench-XXXXXX", parent);
    if (mkdtemp(w->directory) == NULL)
        die(parent, strerror(errno));
    snprintf(w->pidfile, sizeof(w->pidfile), "%s/p.pid", w->directory);
    snprintf(w->lock, sizeof(w->lock), "%s/p.daemonize", w->directory);
    snprintf(w->ready, sizeof(w->ready), "%s/ready", w->directory);
}

static void
remove_world(const struct world *w)
{
    remove_files(w);
    unlink(w->ready);
    if (rmdir(w->directory) < 0)
        fprintf(stderr, "bench: %s: %s\n", w->directory, strerror(errno));
}

int
guarded(int (*work)(struct world *w, void *more), void *more)
{
    static const int ends[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = end_worker, .sa_flags = SA_RESTART};
    sigset_t set, old;
    struct world w = {.ready_fd = -1};
    int status;

    make_world(&w);
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        sigaddset(&set, ends[i]);
    sigprocmask(SIG_BLOCK, &set, &old);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    worker = fork();
    if (worker == 0) {
        sigprocmask(SIG_SETMASK, &old, NULL);
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        if (mkfifo(w.ready, 0600) < 0
            || (w.ready_fd = open(w.ready, O_RDWR | O_NONBLOCK | O_CLOEXEC)) < 0)
            die(w.ready, strerror(errno));
        w.real_time = come_first();
        exit(work(&w, more));
    }
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        sigaction(ends[i], &action, NULL);
    sigprocmask(SIG_SETMASK, &old, NULL);
    if (worker < 0 || waitpid((pid_t)worker, &status, 0) != (pid_t)worker)
        status = 1;
    sigprocmask(SIG_BLOCK, &set, NULL); /* its pid may be another's from now on */
    end_children();
    remove_world(&w);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
