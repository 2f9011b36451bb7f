/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Servers that are each stopped by several at once. Its number goes at once to a bystander, who counts
 * every signal that it gets, while the slower of them still stop; all live on some 32 pids.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rounds.h"
#include "vortex.h"

#define BYSTANDERS 24
#define STOP_MS    60000

/* Those who stop, and how they are called. */
struct crew {
    int count;
    pid_t pids[WORKERS_MAX];
    int calls[WORKERS_MAX];
};

/* The stoppers hear that there are no more calls when nobody could make one. */
static void
hang_up(const struct crew *crew)
{
    for (int i = 0; i < crew->count; i++)
        close(crew->calls[i]);
}

/* ---- Bystanders -------------------------------------------------------------------------- */

/* Signals are blocked since before it was born. Its parent's word that it may go is no stop. */
static _Noreturn void
stand_by(struct tally *t, const struct crew *crew)
{
    siginfo_t info;
    sigset_t all;

    hang_up(crew);
    sigfillset(&all);
    for (;;) {
        int number = sigwaitinfo(&all, &info);

        if (number == SIGRTMIN && info.si_pid == getppid())
            _exit(0);
        if (number > 0) {
            count(&t->signals);
            complain(t, "a bystander, pid %d, got signal %d", (int)getpid(), number);
        }
    }
}

/* Only its end by KILL couldn't be counted by itself. */
static void
dismiss(struct tally *t, pid_t *bystander)
{
    if (*bystander == 0)
        return;
    kill(*bystander, SIGRTMIN);
    if (!ends_well(*bystander)) {
        count(&t->signals);
        complain(t, "a bystander, pid %d, was ended", (int)*bystander);
    }
    *bystander = 0;
}

/* The oldest one goes, and a new one gets that number, if it isn't another's again by now. */
static void
replace(struct tally *t, const struct crew *crew, pid_t *bystanders, pid_t pid)
{
    pid_t *place = &bystanders[t->rounds % BYSTANDERS];
    pid_t now;

    dismiss(t, place);
    now = fork_as(pid);
    if (now == 0)
        stand_by(t, crew);
    if (now > 0) {
        *place = now;
        count(&t->reused);
    } else if (errno != EEXIST) {
        die("clone3");
    }
}

/* ---- Those who stop ---------------------------------------------------------------------- */

static void
stop_by_library(struct tally *t)
{
    struct vortex_process *p;
    int r = vortex_process_open(PIDFILE, &p);

    if (r < 0) {
        if (r != -ESRCH && r != -EBUSY)
            complain(t, "opening: %s", strerror(-r));
        return;
    }
    r = vortex_process_signal(p, SIGTERM);
    if (r == 0)
        count(&t->stops);
    if (r == 0)
        r = vortex_process_wait(p, STOP_MS);
    if (r < 0 && r != -ESRCH)
        complain(t, "stopping: %s", strerror(-r));
    vortex_process_close(p);
    r = vortex_pidfile_remove(PIDFILE);
    if (r < 0 && r != -EBUSY)
        complain(t, "removing: %s", strerror(-r));
}

/* One stop for each server, which calls for it: not from the first moment, or they would spin. */
static _Noreturn void
stop_for_ever(const struct job *job, int calls, bool by_command)
{
    const char *const stop[] = {job->vortex, "stop", "-p", PIDFILE, NULL};

    char call;

    while (read(calls, &call, 1) == 1) {
        if (!by_command) {
            stop_by_library(job->tally);
        } else {
            char said[256];
            int status = command(stop, said, sizeof(said));

            if (status != 0 && status != 1) /* 1: another start or stop was under way */
                complain(job->tally, "vortex stop: exit %d: %s", status, said);
        }
    }
    _exit(0);
}

/* ---- Those who are stopped --------------------------------------------------------------- */

/* One leaves its files, one removes them itself, and of one no lock tells. */
static _Noreturn void
serve(struct tally *t, const struct crew *crew, long round)
{
    struct vortex_lock *lock = NULL;
    sigset_t term;
    int number, r;

    sigfillset(&term);
    if (round % 3 == 0)
        r = vortex_pidfile_write(PIDFILE, NULL);
    else
        r = vortex_pidfile_write_locked(PIDFILE, &lock, NULL);
    if (r < 0) {
        complain(t, "a server of round %ld could not claim: %s", round, strerror(-r));
        _exit(1);
    }
    for (int i = 0; i < crew->count; i++)
        (void)!write(crew->calls[i], "", 1);
    if (sigwait(&term, &number) != 0 || number != SIGTERM)
        complain(t, "a server got signal %d", number);
    if (round % 3 == 1)
        vortex_lock_unlock(lock);
    _exit(0);
}

/* ---- The rounds -------------------------------------------------------------------------- */

static void
hire(const struct job *job, struct crew *crew)
{
    for (crew->count = 0; crew->count < job->workers; crew->count++) {
        int i = crew->count, ends[2];

        if (pipe2(ends, O_CLOEXEC) < 0)
            die("pipe");
        crew->calls[i] = ends[1];
        crew->pids[i] = fork();
        if (crew->pids[i] == 0) {
            crew->count++; /* its own too */
            hang_up(crew);
            stop_for_ever(job, ends[0], job->vortex != NULL && i == 0);
        }
        close(ends[0]);
    }
}

static void
pay_off(struct tally *t, const struct crew *crew)
{
    hang_up(crew);
    for (int i = 0; i < crew->count; i++)
        if (!ends_well(crew->pids[i]))
            complain(t, "a stopper was ended");
}

int
stops(const struct job *job, void *what)
{
    pid_t bystanders[BYSTANDERS] = {0}, server;
    struct tally *t = job->tally;
    struct crew crew;
    sigset_t all;

    (void)what;
    hire(job, &crew);
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    while (!is_over(t)) {
        wind_pids_back();
        server = fork();
        if (server == 0)
            serve(t, &crew, t->rounds);
        if (server < 0)
            die("fork");
        if (!ends_well(server))
            complain(t, "a server did not end well");
        replace(t, &crew, bystanders, server);
        count(&t->rounds);
    }
    pay_off(t, &crew);
    for (int i = 0; i < BYSTANDERS; i++)
        dismiss(t, &bystanders[i]);
    return 0;
}
