/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each of them does where a pidfile goes wrong: races, reused pids, bad files, crashes. The same
 * trials for all.
 *
 *   correctness JSON VORTEX SLEEPER OUR_DAEMON [TRIAL]
 *
 * Each trial has processes, /proc and /run of its own, whose process 1 is the judge: whatever is
 * signalled there, even all processes, is its own. The trials of all subjects run beside each other.
 * Needs root.
 */
#include "correctness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct subject subjects[] = {
    {"vortex", VORTEX, OURS, "", 300, false, false},
    {"vortex, supervised", TOOLS, OURS_BEHIND, "pid", 300, false, false},
    {"a daemon of libvortex", OUR_DAEMON, OURS, "", 300, false, false},
    {"a daemon of libbsd", BSD_DAEMON, OURS, "", 300, false, false},
    {"start-stop-daemon -p -x", SSD, OURS, "", 300, false, false},
    {"start-stop-daemon -p", SSD, OURS, "", 300, true, false},
    {"daemonize -l", DAEMONIZE, OURS, "", 300, false, false},
    {"flock", FLOCK, OURS, "", 300, false, false},
    {"daemon", TOOLS, DAEMON, "pid", 400, false, false},
    {"supervise-daemon", TOOLS, OPENRC, "pid", 400, false, false},
    {"monit", TOOLS, MONIT, "pid0", 300, false, true},
    {"supervisord", TOOLS, SUPERVISORD, NULL, 500, false, false},
    {"runit", TOOLS, RUNIT, NULL, 300, false, false},
    {"s6", TOOLS, S6, NULL, 300, false, false},
};
#define SUBJECTS (sizeof(subjects) / sizeof(subjects[0]))

/* ---- The judge --------------------------------------------------------------------------- */

static void
furnish(struct trial *t)
{
    const struct subject *s = t->subject;

    if (mount("proc", "/proc", "proc", 0, NULL) < 0 || mount("bench", "/run", "tmpfs", 0, NULL) < 0
        || mkdir(PLACE, 0755) < 0 || mkfifo(READY, 0600) < 0)
        die("/run", strerror(errno));
    mkdir("/run/openrc", 0755);
    mkdir("/run/openrc/options", 0755);
    mkdir("/run/openrc/daemons", 0755);
    t->bed.ready_fd = open(READY, O_RDWR | O_NONBLOCK | O_CLOEXEC); /* so that servers can write */
    t->said = (struct pollfd){.fd = t->bed.ready_fd, .events = POLLIN};
    strcpy(t->world.directory, PLACE);
    strcpy(t->world.pidfile, TOOL_FILE);
    strcpy(t->world.ready, READY);
    t->bench.w = &t->world;
    t->server = t->bench.sleeper;
    if (s->tool == OUR_DAEMON || s->tool == BSD_DAEMON)
        t->server = t->bench.path[s->tool];
    if (s->tool == TOOLS)
        t->instance = peer_prepare(&t->bed, s->peer, false);
    if (s->tool != TOOLS)
        t->pidfile = TOOL_FILE;
    else if (s->pidfile != NULL)
        t->pidfile = text_of("%s/%s", t->instance.directory, s->pidfile);
}

/* A container with its judge. ret_out: where the verdict comes from. */
static pid_t
begin_trial(struct trial t, const struct trial_kind *kind, int *ret_out)
{
    struct clone_args how = {.flags = CLONE_NEWPID | CLONE_NEWNS, .exit_signal = SIGCHLD};
    struct verdict v;
    int out[2];
    pid_t pid;

    if (pipe2(out, O_CLOEXEC) < 0)
        die("pipe", strerror(errno));
    pid = (pid_t)syscall(SYS_clone3, &how, sizeof(how));
    if (pid < 0)
        die("clone3", strerror(errno));
    if (pid == 0) {
        setsid(); /* a signal to "0" is one to the group, wherever its processes are */
        furnish(&t);
        v = kind->run(&t);
        _exit(write(out[1], &v, sizeof(v)) != sizeof(v)); /* and all others with it */
    }
    close(out[1]);
    *ret_out = out[0];
    return pid;
}

static bool
is_there(const struct bench *b, const struct subject *s)
{
    return s->tool != TOOLS ? b->path[s->tool] != NULL : peer_is_there(s->peer);
}

static void
run_trials(const struct trial *model, const struct trial_kind *kind, struct verdict sums[SUBJECTS])
{
    int count = kind->rounds == BAD_FILES ? BAD_FILES : rounds(kind->rounds);

    for (int round = 0; round < count; round++) {
        pid_t pids[SUBJECTS] = {0};
        int outs[SUBJECTS];

        for (size_t i = 0; i < SUBJECTS; i++)
            if (is_there(&model->bench, &subjects[i])) {
                struct trial t = *model;

                t.subject = &subjects[i];
                t.round = round;
                pids[i] = begin_trial(t, kind, &outs[i]);
            }
        for (size_t i = 0; i < SUBJECTS; i++) {
            struct verdict v = {0, 0};

            if (pids[i] == 0)
                continue;
            if (read(outs[i], &v, sizeof(v)) != sizeof(v))
                die(subjects[i].name, kind->key);
            close(outs[i]);
            waitpid(pids[i], NULL, 0);
            if (v.faults > 0)
                printf("  %s: wrong in round %d\n", subjects[i].name, round);
            sums[i].faults += v.faults;
            sums[i].of += v.of;
        }
    }
}

int
main(int argc, char **argv)
{
    int broken = 0; /* of what we promise */
    struct trial model = {.world = {.ready_fd = -1}};
    FILE *json;

    if (argc < 5 || argc > 6) {
        fprintf(stderr, "usage: correctness JSON VORTEX SLEEPER OUR_DAEMON [TRIAL]\n");
        return 2;
    }
    enter_layer(argv);
    setenv("BENCH_READY", READY, 1);
    json = fopen(argv[1], "we");
    if (json == NULL)
        die(argv[1], strerror(errno));
    find_tools(&model.bench);
    model.bench.path[VORTEX] = model.bed.vortex = absolute(argv[2]);
    model.bench.sleeper = model.bed.sleeper = absolute(argv[3]);
    model.bench.path[OUR_DAEMON] = absolute(argv[4]);
    for (int k = 0; k < trial_kind_count; k++) {
        const struct trial_kind *kind = &trial_kinds[k];
        struct verdict sums[SUBJECTS] = {{0, 0}};

        if (argc == 6 && strcmp(argv[5], kind->key) != 0)
            continue;
        printf("\n%s\n", kind->name);
        run_trials(&model, kind, sums);
        for (size_t i = 0; i < SUBJECTS; i++)
            if (sums[i].of > 0) {
                broken += strstr(subjects[i].name, "vortex") != NULL ? sums[i].faults : 0;
                printf("  %-24s  %2d of %2d\n", subjects[i].name, sums[i].faults, sums[i].of);
                share_json(sums[i].faults, sums[i].of, kind->key, subjects[i].name, json);
            }
        fflush(stdout);
    }
    return fclose(json) != 0 || broken > 0;
}
