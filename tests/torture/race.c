/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many processes claim one pidfile at one instant: exactly one gets it, the others hear its pid.
 *
 *   race lib CONTENDERS ROUNDS            each calls vortex_pidfile_write_locked
 *   race write CONTENDERS ROUNDS          each calls vortex_pidfile_write
 *   race command CONTENDERS ROUNDS VORTEX each executes `vortex run`
 *
 * Beside them ASKERS processes loop over `vortex status` (inspect), which must change nothing.
 * Every other round starts over the files of a crashed owner.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vortex.h"

#define ASKERS 2

struct outcome {
    pid_t pid;
    int result;       /* 0, or a negative errno */
    vortex_pid owner; /* as the losers heard it */
    volatile int done;
};

static char directory[] = "/tmp/vortex-race-XXXXXX";
static char path[64];

static void
die(const char *what)
{
    fprintf(stderr, "race: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- A contender ------------------------------------------------------------------------- */

static void
wait_for_start(int start)
{
    struct pollfd p = {.fd = start, .events = POLLIN | POLLHUP};

    while (poll(&p, 1, -1) < 0)
        ;
}

static void
by_library(const char *mode, struct outcome *o)
{
    struct vortex_lock *lock = NULL;

    if (strcmp(mode, "lib") == 0)
        o->result = vortex_pidfile_write_locked(path, &lock, &o->owner);
    else
        o->result = vortex_pidfile_write(path, &o->owner);
    o->done = 1;
    if (o->result == 0)
        pause(); /* the owner lives on, until the round ends it */
    _exit(0);
}

/* A loser of `vortex run` says "already running (pid N, ..." and exits 1. */
static void
by_command(const char *vortex, struct outcome *o)
{
    char output[512] = "";
    const char *pid;
    int err[2], status;
    ssize_t n;
    pid_t child;

    if (pipe2(err, O_CLOEXEC) < 0)
        _exit(1);
    child = fork();
    if (child == 0) {
        dup2(err[1], STDERR_FILENO);
        execl(vortex, vortex, "run", "-p", path, "--", "sleep", "1000", (char *)NULL);
        _exit(127);
    }
    close(err[1]);
    o->pid = child; /* shared with the round, which ends it where it won */
    /* End of file: it said why not and went. The winner keeps the pipe for life as its stderr. */
    n = read(err[0], output, sizeof(output) - 1);
    if (n > 0 && waitpid(child, &status, 0) == child) {
        pid = strstr(output, "already running (pid ");
        o->result = WIFEXITED(status) && WEXITSTATUS(status) == 1 && pid != NULL ? -EEXIST : -EIO;
        o->owner = pid != NULL ? atoll(pid + strlen("already running (pid ")) : 0;
        if (o->result == -EIO)
            fprintf(stderr, "race: a loser said: %s", output);
    } else {
        waitpid(child, &status, 0); /* the winner, at the end of the round */
    }
    o->done = 1;
    _exit(0);
}

/* ---- Those who only ask ------------------------------------------------------------------- */

static pid_t
start_asker(void)
{
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    for (;;) {
        struct vortex_report *report;

        if (vortex_pidfile_inspect(path, &report) < 0)
            _exit(1);
        vortex_report_close(report);
    }
}

/* ---- A round ------------------------------------------------------------------------------ */

static pid_t
start_contender(const char *mode, const char *vortex, int start, int hold, struct outcome *o)
{
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    close(hold);
    wait_for_start(start);
    if (strcmp(mode, "command") == 0)
        by_command(vortex, o);
    o->pid = getpid();
    by_library(mode, o);
    return 0;
}

/* Wait until all but the winner are done; in command mode the winner never is. */
static void
wait_for_losers(struct outcome *all, int count, const char *mode)
{
    int wanted = strcmp(mode, "command") == 0 ? count - 1 : count;

    for (int i = 0; i < 60000; i++) {
        int done = 0;

        for (int k = 0; k < count; k++)
            done += all[k].done;
        if (done >= wanted)
            return;
        usleep(1000);
    }
    fprintf(stderr, "race: somebody hangs\n");
}

static pid_t
winner_of(const struct outcome *all, int count, const char *mode)
{
    pid_t winner = 0;
    int winners = 0;

    for (int i = 0; i < count; i++) {
        if (all[i].result != 0 || (strcmp(mode, "command") == 0 && all[i].done))
            continue;
        winner = all[i].pid;
        winners++;
    }
    if (winners != 1)
        fprintf(stderr, "race: %d winners\n", winners);
    return winners == 1 ? winner : 0;
}

/* Everybody else was told the winner's pid, and so is whoever asks. */
static int
judge(const struct outcome *all, int count, pid_t winner)
{
    vortex_pid pid = 0;
    int wrong = 0;

    for (int i = 0; i < count; i++) {
        if (all[i].pid == winner || (all[i].result == -EEXIST && all[i].owner == winner))
            continue;
        fprintf(stderr, "race: a loser got %d and heard of %lld, not %d\n", all[i].result,
                (long long)all[i].owner, (int)winner);
        wrong++;
    }
    if (vortex_pidfile_read(path, &pid) != 0 || pid != winner) {
        fprintf(stderr, "race: the pidfile names %lld, not %d\n", (long long)pid, (int)winner);
        wrong++;
    }
    return wrong;
}

static int
play(const char *mode, const char *vortex, struct outcome *all, int count)
{
    pid_t *pids = calloc((size_t)count, sizeof(*pids));
    pid_t winner;
    int start[2], wrong;

    if (pids == NULL || pipe2(start, O_CLOEXEC) < 0)
        die("pipe");
    memset(all, 0, (size_t)count * sizeof(*all));
    for (int i = 0; i < count; i++) {
        pids[i] = start_contender(mode, vortex, start[0], start[1], &all[i]);
        if (pids[i] < 0)
            die("fork");
    }
    close(start[1]); /* now, all at once */
    wait_for_losers(all, count, mode);
    winner = winner_of(all, count, mode);
    wrong = winner == 0 ? 1 : judge(all, count, winner);
    if (winner != 0)
        kill(winner, SIGKILL);
    for (int i = 0; i < count; i++) {
        if (winner == 0 && all[i].pid > 0 && all[i].result == 0)
            kill(all[i].pid, SIGKILL);
        waitpid(pids[i], NULL, 0);
    }
    close(start[0]);
    free(pids);
    return wrong;
}

int
main(int argc, char **argv)
{
    pid_t askers[ASKERS];
    struct outcome *all;
    int contenders, rounds, failures = 0;

    if (argc < 4)
        return 2;
    contenders = atoi(argv[2]);
    rounds = atoi(argv[3]);
    all = mmap(NULL, (size_t)contenders * sizeof(*all), PROT_READ | PROT_WRITE,
               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED || mkdtemp(directory) == NULL)
        die("setting up");
    snprintf(path, sizeof(path), "%s/x.pid", directory);
    for (int i = 0; i < ASKERS; i++)
        askers[i] = start_asker();
    for (int i = 0; i < rounds; i++) {
        failures += play(argv[1], argc > 4 ? argv[4] : NULL, all, contenders) > 0;
        if (i % 2 == 1 && vortex_pidfile_remove(path) != 0)
            failures++;
    }
    for (int i = 0; i < ASKERS; i++) {
        kill(askers[i], SIGKILL);
        waitpid(askers[i], NULL, 0);
    }
    vortex_pidfile_remove(path);
    rmdir(directory);
    printf("%s: %d contenders, %d rounds, %d wrong\n", argv[1], contenders, rounds, failures);
    return failures == 0 ? 0 : 1;
}
