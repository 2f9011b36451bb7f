/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Figures of process 1 of a container: what it costs, beside the peers, and beside a server that is
 * process 1 itself.
 *
 *   pid1 JSON VORTEX SLEEPER
 *
 * It runs in a layer of its own (layer.c), and so needs root. Each container has its own processes and
 * /proc; the time for both is in every figure, so the last row is the floor.
 */
#include "bench.h"

#include <errno.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS  60
#define IDLE_MS 5000

enum init { VORTEX_RUN, TINI, DUMB_INIT, CATATONIT, NONE, INITS };

static const struct {
    const char *name;
    const char *program;
    const char *words[3]; /* before the server's */
} inits[INITS] = {
    [VORTEX_RUN] = {"vortex run", NULL, {"run", "--", NULL}},
    [TINI] = {"tini", "/usr/bin/tini", {"--", NULL}},
    [DUMB_INIT] = {"dumb-init", "/usr/bin/dumb-init", {"--", NULL}},
    [CATATONIT] = {"catatonit", "/usr/bin/catatonit", {"--", NULL}},
    [NONE] = {"none", NULL, {NULL}},
};

struct figures {
    struct samples starts, stops, memory, wakeups;
    int zombies; /* of one orphan that has ended */
};

struct yard {
    const struct world *w;
    const char *json, *vortex, *sleeper;
};

static bool
is_there(enum init i)
{
    return inits[i].program == NULL || access(inits[i].program, X_OK) == 0;
}

/* Its process 1, as seen from here. server: of the container, or NULL for the sleeper. */
static pid_t
begin_container(const struct yard *y, enum init i, const char *const *server)
{
    struct clone_args how = {.flags = CLONE_NEWPID | CLONE_NEWNS, .exit_signal = SIGCHLD};
    const char *sleeper[] = {y->sleeper, y->w->ready, NULL}, *words[WORDS];
    int n = 0;
    pid_t pid = (pid_t)syscall(SYS_clone3, &how, sizeof(how));

    if (pid < 0)
        die("clone3", strerror(errno));
    if (pid > 0)
        return pid;
    if (mount("proc", "/proc", "proc", 0, NULL) < 0)
        _exit(126);
    if (i != NONE)
        words[n++] = i == VORTEX_RUN ? y->vortex : inits[i].program;
    for (int k = 0; inits[i].words[k] != NULL; k++)
        words[n++] = inits[i].words[k];
    for (server = server != NULL ? server : sleeper; *server != NULL; server++)
        words[n++] = *server;
    words[n] = NULL;
    execv(words[0], (char *const *)(uintptr_t)words);
    _exit(127);
}

static void
wait_for(int fd, const char *what)
{
    if (poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, LIMIT_MS) <= 0)
        die(what, "it does not come");
}

static void
end_container(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void
sample(const struct yard *y, enum init i, struct figures *f)
{
    double begin = now_us();
    pid_t server, first = begin_container(y, i, NULL);
    int fd;

    wait_for(y->w->ready_fd, inits[i].name);
    samples_add(&f->starts, (now_us() - begin) / 1e3);
    (void)read_ready(y->w, &server, 1);
    if (i != NONE) { /* the kernel shields a process 1 from signals that it doesn't handle */
        fd = pidfd_of(first);
        (void)poll(NULL, 0, 20); /* until it has gone to sleep */
        begin = now_us();
        kill(first, SIGTERM);
        wait_for(fd, inits[i].name);
        samples_add(&f->stops, (now_us() - begin) / 1e3);
        close(fd);
    }
    end_container(first);
}

/* ---- At rest ----------------------------------------------------------------------------- */

/* The number behind a word at a line's beginning. */
static double
number_in(const char *path, const char *word)
{
    char line[256];
    double number = 0;
    FILE *in = fopen(path, "re");

    while (in != NULL && fgets(line, sizeof(line), in) != NULL)
        if (strncmp(line, word, strlen(word)) == 0)
            number = strtod(line + strlen(word), NULL);
    if (in != NULL)
        fclose(in);
    return number;
}

static int
count_zombies(pid_t first)
{
    char path[64], state[2];
    FILE *in;
    int count = 0, pid;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)first, (int)first);
    in = fopen(path, "re");
    while (in != NULL && fscanf(in, "%d", &pid) == 1) {
        FILE *of = fopen(text_of("/proc/%d/stat", pid), "re");

        count += of != NULL && fscanf(of, "%*d (%*[^)]) %1s", state) == 1 && state[0] == 'Z';
        if (of != NULL)
            fclose(of);
    }
    if (in != NULL)
        fclose(in);
    return count;
}

/* All at once, each with a server that has left an orphan, which has ended. */
static void
measure_rest(const struct yard *y, struct figures f[INITS])
{
    const char *orphan = text_of("(sleep 0.1 &); exec %s %s", y->sleeper, y->w->ready);
    const char *const server[] = {"/bin/sh", "-c", orphan, NULL};
    pid_t pids[INITS] = {0}, said;
    double before[INITS];
    int idle_ms = rounds(IDLE_MS);

    for (int i = 0; i < INITS; i++)
        if (is_there((enum init)i)) {
            pids[i] = begin_container(y, (enum init)i, server);
            wait_for(y->w->ready_fd, inits[i].name);
            (void)read_ready(y->w, &said, 1);
        }
    (void)poll(NULL, 0, 1000);
    for (int i = 0; i < INITS; i++)
        before[i] = number_in(text_of("/proc/%d/status", (int)pids[i]), "voluntary_ctxt_switches:");
    (void)poll(NULL, 0, idle_ms);
    for (int i = 0; i < INITS; i++) {
        const char *status = text_of("/proc/%d/status", (int)pids[i]);

        if (pids[i] == 0)
            continue;
        samples_add(&f[i].wakeups,
                    (number_in(status, "voluntary_ctxt_switches:") - before[i]) * 1e3 / idle_ms);
        if (i != NONE)
            samples_add(&f[i].memory,
                        number_in(text_of("/proc/%d/smaps_rollup", (int)pids[i]), "Pss:"));
        f[i].zombies = count_zombies(pids[i]);
        end_container(pids[i]);
    }
}

/* ---- The whole --------------------------------------------------------------------------- */

static void
tell(struct figures f[INITS], FILE *json)
{
    printf("\nprocess 1 of a container\n  %-12s  %10s  %10s  %8s  %10s  %s\n", "", "start, ms",
           "TERM, ms", "PSS, KiB", "wake-ups/s", "zombies");
    for (int i = 0; i < INITS; i++) {
        const char *name = inits[i].name;

        if (!is_there((enum init)i)) {
            printf("  %-12s  not there\n", name);
            continue;
        }
        printf("  %-12s  %10.2f  %10.2f  %8.0f  %10.1f  %d\n", name, samples_median(&f[i].starts),
               samples_median(&f[i].stops), samples_median(&f[i].memory),
               samples_median(&f[i].wakeups), f[i].zombies);
        samples_json(&f[i].starts, "pid1_start", name, json);
        samples_json(&f[i].stops, "pid1_stop", name, json);
        samples_json(&f[i].memory, "pid1_memory", name, json);
        samples_json(&f[i].wakeups, "pid1_wakeups", name, json);
        share_json(f[i].zombies, 1, "pid1_zombies", name, json);
    }
}

static int
measure(struct world *w, void *more)
{
    static struct figures f[INITS];
    struct yard y = *(struct yard *)more;
    FILE *json = fopen(y.json, "we");

    if (json == NULL)
        die(y.json, strerror(errno));
    y.w = w;
    for (int round = 0, count = rounds(ROUNDS); round < count; round++)
        for (int k = 0; k < INITS; k++)
            if (is_there((enum init)((round + k) % INITS)))
                sample(&y, (enum init)((round + k) % INITS), &f[(round + k) % INITS]);
    measure_rest(&y, f);
    tell(f, json);
    return fclose(json) != 0;
}

int
main(int argc, char **argv)
{
    struct yard y = {.json = argv[1]};

    if (argc != 4) {
        fprintf(stderr, "usage: pid1 JSON VORTEX SLEEPER\n");
        return 2;
    }
    enter_layer(argv);
    if (mount("bench", "/run", "tmpfs", 0, NULL) < 0) /* for vortex's pidfile */
        die("/run", strerror(errno));
    y.vortex = absolute(argv[2]);
    y.sleeper = absolute(argv[3]);
    return guarded(measure, &y);
}
