/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts and stops without end, by workers that race each other on one pidfile: there is never more
 * than one owner, and nobody else is ever signalled.
 *
 *   rounds KIND WORKERS ROUNDS [VORTEX]   by the library; with VORTEX by that command
 *
 *   threads      of one process
 *   processes
 *   containers   each in its own pid namespace, where all have the same number; the directory is
 *                bind-mounted into each
 *   users        every other one root, in a directory like /tmp
 *   reused       each round by a new process, on some 32 pids; by the library every other one leaves
 *                its files behind
 *   stops        see rounds_stops.c; VORTEX: one of those who stop is the command
 *
 * VORTEX_ROUNDS in the environment overrides ROUNDS. The first two need no root by the library.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rounds.h"
#include "vortex.h"

#define SKIPPED 77 /* to meson */
#define WITNESS "witness"

/* ---- Counting ---------------------------------------------------------------------------- */

void
die(const char *what)
{
    fprintf(stderr, "rounds: %s: %s\n", what, strerror(errno));
    _exit(1);
}

long
count(long *number)
{
    return __atomic_fetch_add(number, 1, __ATOMIC_SEQ_CST);
}

void
complain(struct tally *t, const char *format, ...)
{
    char text[512];
    va_list ap;

    if (count(&t->failures) >= 20)
        return;
    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    fprintf(stderr, "rounds: %s\n", text);
}

bool
is_over(const struct tally *t)
{
    return __atomic_load_n(&t->rounds, __ATOMIC_SEQ_CST) >= t->wanted || t->failures >= 20;
}

/* ---- By the library ---------------------------------------------------------------------- */

/* It is the owner. The number in the file: that of this process in its own namespace. */
static void
own(struct tally *t)
{
    vortex_pid pid = 0;
    int r;

    if (__atomic_add_fetch(&t->owners, 1, __ATOMIC_SEQ_CST) != 1)
        complain(t, "%ld times an owner beside another", count(&t->doubles) + 1);
    r = vortex_pidfile_read(PIDFILE, &pid);
    if (r < 0 || pid != getpid())
        complain(t, "the owner's file, of %d, names %lld: %s", (int)getpid(), (long long)pid,
                 strerror(-r));
    __atomic_sub_fetch(&t->owners, 1, __ATOMIC_SEQ_CST);
}

/* Returns: has it been the owner, with the lock? NULL: no. */
static struct vortex_lock *
claim(const struct job *job, bool may_be_denied)
{
    struct vortex_lock *lock;
    int r = vortex_pidfile_write_locked(PIDFILE, &lock, NULL);

    if (r == 0) {
        own(job->tally);
        count(&job->tally->rounds);
        return lock;
    }
    count(&job->tally->refused);
    if (r != -EEXIST && !(may_be_denied && geteuid() != 0 && (r == -EACCES || r == -EPERM)))
        complain(job->tally, "a claim: %s", strerror(-r));
    return NULL;
}

static void
claim_for_ever(const struct job *job, bool may_be_denied)
{
    while (!is_over(job->tally))
        vortex_lock_unlock(claim(job, may_be_denied));
}

static void *
thread_main(void *what)
{
    claim_for_ever(what, false);
    return NULL;
}

static void
threads(const struct job *job)
{
    pthread_t all[WORKERS_MAX];

    for (int i = 0; i < job->workers; i++)
        if (pthread_create(&all[i], NULL, thread_main, (void *)job) != 0)
            die("thread");
    for (int i = 0; i < job->workers; i++)
        pthread_join(all[i], NULL);
}

/* Each round in a process of its own: every other one dies as the owner. */
static void
claim_by_the_short_lived(const struct job *job)
{
    while (!is_over(job->tally)) {
        pid_t pid;

        wind_pids_back();
        pid = fork();
        if (pid == 0) {
            struct vortex_lock *lock = claim(job, false);

            if (job->tally->rounds % 2 == 0)
                vortex_lock_unlock(lock);
            _exit(0);
        }
        if (pid < 0 || !ends_well(pid))
            complain(job->tally, "a worker was ended");
    }
}

/* ---- By the command ---------------------------------------------------------------------- */

/*
 * A server, which proves by a lock of its own that it is the only one, until it is asked to end: of
 * two locks the kernel may let go of vortex's first.
 */
static _Noreturn void
serve(const char *witness)
{
    int number, fd = open(witness, O_RDWR | O_CLOEXEC);
    sigset_t term;

    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, NULL);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
        (void)!write(fd, "2", 1);
    sigwait(&term, &number);
    close(fd);
    _exit(0);
}

/*
 * Who was refused stops whoever it is, where it can: a user can't stop root's, nor a container that
 * of another one. And there, a lock which another start has taken since is somebody's.
 */
static void
start_and_stop(const struct job *job, const char *witness, bool is_apart, bool reuses)
{
    const char *const start[] = {job->vortex, "start",   "-p",    PIDFILE, "--",
                                 job->self,   "serving", witness, NULL};
    const char *const stop[] = {job->vortex, "stop", "-p", PIDFILE, NULL};

    while (!is_over(job->tally)) {
        char said[256];
        int started, stopped;

        if (reuses)
            wind_pids_back();
        started = command(start, said, sizeof(said));
        if (started != 0) {
            count(&job->tally->refused);
            if (started != 1 && !(is_apart && started == 4))
                complain(job->tally, "vortex start: exit %d: %s", started, said);
        }
        if (started != 0 && is_apart)
            continue;
        stopped = command(stop, said, sizeof(said));
        if (stopped != 0 && !(is_apart && strstr(said, "is dead, but its") != NULL))
            complain(job->tally, "vortex stop: exit %d after a start's %d: %s", stopped, started,
                     said);
        if (started == 0)
            count(&job->tally->rounds);
    }
}

/* ---- Workers ----------------------------------------------------------------------------- */

struct worker {
    const char *kind;
    int number;
};

static int
work(const struct job *job, void *what)
{
    const struct worker *w = what;
    bool as_users = strcmp(w->kind, "users") == 0, apart = strcmp(w->kind, "containers") == 0;
    bool reuses = strcmp(w->kind, "reused") == 0;
    char at[64], witness[64];

    snprintf(at, sizeof(at), "%s.%d", job->directory, w->number);
    if (apart)
        go_to_copy(job->directory, at);
    snprintf(witness, sizeof(witness), "%s/" WITNESS, job->directory);
    if (as_users && w->number % 2 == 1)
        become_nobody();
    if (job->vortex != NULL)
        start_and_stop(job, witness, apart || as_users, reuses);
    else if (reuses)
        claim_by_the_short_lived(job);
    else
        claim_for_ever(job, as_users);
    return 0;
}

static int
crew(const struct job *job, void *kind)
{
    struct worker w = {.kind = kind};
    pid_t all[WORKERS_MAX];

    for (w.number = 0; w.number < job->workers; w.number++) {
        all[w.number] = fork();
        if (all[w.number] == 0)
            _exit(strcmp(kind, "containers") == 0 ? in_container(work, job, &w) : work(job, &w));
    }
    for (int i = 0; i < job->workers; i++)
        if (!ends_well(all[i]))
            complain(job->tally, "a worker was ended, or failed");
    return 0;
}

static void
play(const struct job *job, const char *kind)
{
    int r = 0;

    if (strcmp(kind, "threads") == 0)
        threads(job);
    else if (strcmp(kind, "stops") == 0)
        r = in_container(stops, job, NULL);
    else if (strcmp(kind, "reused") == 0
             || (job->vortex != NULL && strcmp(kind, "containers") != 0))
        r = in_container(crew, job, (void *)kind);
    else
        r = crew(job, (void *)kind);
    if (r != 0)
        complain(job->tally, "the workers' place failed");
}

/* What is left is the last rounds'; a server of a command may be among it. */
static void
tidy(const struct job *job)
{
    static const char *const files[] = {PIDFILE, PIDFILE ".state", PIDFILE ".lock", WITNESS};
    struct stat st;
    char at[64];

    if (stat(WITNESS, &st) < 0 || st.st_size > 0)
        complain(job->tally, "two servers at once");
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        unlink(files[i]);
    for (int i = 0; i < job->workers; i++) {
        snprintf(at, sizeof(at), "%s.%d", job->directory, i);
        rmdir(at);
    }
    if (rmdir(job->directory) < 0)
        complain(job->tally, "%s holds what should have gone", job->directory);
}

int
main(int argc, char **argv)
{
    char directory[] = "/tmp/vortex-rounds-XXXXXX", self[PATH_MAX] = "", vortex[PATH_MAX];
    const char *rounds = getenv("VORTEX_ROUNDS");
    struct timespec begin, end;
    struct job job = {.directory = directory, .self = self};
    struct tally *t;
    double seconds;
    int witness;

    if (argc == 3 && strcmp(argv[1], "serving") == 0)
        serve(argv[2]);
    if (argc < 4 || atoi(argv[2]) > WORKERS_MAX)
        return 2;
    if (geteuid() != 0
        && (argc > 4 || (strcmp(argv[1], "threads") != 0 && strcmp(argv[1], "processes") != 0)))
        return SKIPPED;
    if (argc > 4 && (job.vortex = realpath(argv[4], vortex)) == NULL)
        die(argv[4]);
    t = mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (t == MAP_FAILED || mkdtemp(directory) == NULL || chmod(directory, 0755) < 0
        || readlink("/proc/self/exe", self, sizeof(self) - 1) < 0 || chdir(directory) < 0
        || (witness = open(WITNESS, O_WRONLY | O_CREAT | O_CLOEXEC, 0666)) < 0
        || fchmod(witness, 0666) < 0)
        die("setting up");
    close(witness);
    if (strcmp(argv[1], "users") == 0 && chmod(directory, 01777) < 0)
        die("chmod");
    t->wanted = atol(rounds != NULL ? rounds : argv[3]);
    job.tally = t;
    job.workers = atoi(argv[2]);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    play(&job, argv[1]);
    clock_gettime(CLOCK_MONOTONIC, &end);
    tidy(&job);
    seconds = (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
    printf(
        "%s%s: %ld rounds by %d workers in %.0f s (%.0f a second), %ld refused: %ld owners beside "
        "another, %ld wrong\n",
        argv[1], job.vortex != NULL ? " by the command" : "", t->rounds, job.workers, seconds,
        (double)t->rounds / seconds, t->refused, t->doubles, t->failures);
    if (t->reused > 0)
        printf(
            "%ld stops by the library; %ld bystanders with the number of a server just stopped got "
            "%ld signals\n",
            t->stops, t->reused, t->signals);
    return t->failures == 0 && t->rounds >= t->wanted ? 0 : 1;
}
