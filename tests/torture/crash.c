/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disturb vortex at each of its system calls, and see that nothing is lost.
 *
 *   crash VORTEX all                      every scenario, at every call
 *   crash VORTEX short SEED               each at every so many-th call, from an offset by the seed
 *   crash VORTEX SCENARIO                 one
 *   crash VORTEX SCENARIO list            its calls, nothing disturbed
 *   crash VORTEX SCENARIO P.N MODE        one trial: process P of the command, its N-th call, and
 *                                         before, after, start, stop, status (while it is held), or
 *                                         an error such as ENOSPC
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crash.h"

#define SLOTS     16 /* most of a trial is waiting */
#define SHORT     23 /* one of so many points */
#define NAMES_MAX 256
#define SKIPPED   77

static const struct scenario scenarios[] = {
    {.name = "run", .verb = "run"},
    {.name = "run-crashed", .verb = "run", .before = BEFORE_CRASHED},
    {.name = "start", .verb = "start"},
    {.name = "start-crashed", .verb = "start", .before = BEFORE_CRASHED},
    {.name = "start-supervised", .verb = "start", .is_supervised = true, .ready = 1},
    {.name = "supervise", .verb = "run", .is_supervised = true, .ready = 2, .dies = true},
    {.name = "supervise-stop", .verb = "run", .is_supervised = true, .ready = 1, .stops = true},
    {.name = "stop", .verb = "stop", .before = BEFORE_RUNNING},
    {.name = "stop-crashed", .verb = "stop", .before = BEFORE_CRASHED},
    {.name = "stop-supervised", .verb = "stop", .before = BEFORE_RUNNING, .is_supervised = true},
    {.name = "restart", .verb = "restart", .before = BEFORE_RUNNING},
    {.name = "restart-crashed", .verb = "restart", .before = BEFORE_CRASHED},
    {.name = "reload", .verb = "reload", .before = BEFORE_RUNNING},
    {.name = "reload-crashed", .verb = "reload", .before = BEFORE_CRASHED},
    {.name = "reload-supervised",
     .verb = "reload",
     .before = BEFORE_RUNNING,
     .is_supervised = true},
    {.name = OWNER, .library = OWNER},
    {.name = "write_locked-crashed", .library = OWNER, .before = BEFORE_CRASHED},
    {.name = "unlock", .library = "unlock"},
};

static const char *const other_names[OTHERS] = {"start", "stop", "status"};

struct counts {
    int trials, failures, unreached;
};

struct running {
    pid_t pid;
    int output;
    struct point point;
    const char *call;
};

struct crash {
    struct tools tools;
    const struct scenario *scenario;
    struct seen *seen; /* shared with the trials */
    int *seen_count;
    struct running slots[SLOTS];
    struct counts counts; /* of the scenario */
    struct counts total;
    struct {
        const char *name;
        int trials;
    } calls[NAMES_MAX];
};

/* ---- One trial --------------------------------------------------------------------------- */

static const char *
point_text(const struct point *p)
{
    static char text[64];
    const char *mode = p->mode == MODE_BEFORE  ? "before"
                       : p->mode == MODE_AFTER ? "after"
                       : p->mode == MODE_ERROR ? strerrorname_np(p->error)
                       : p->mode == MODE_HOLD  ? other_names[p->other]
                                               : "undisturbed";

    snprintf(text, sizeof(text), "%d.%d %s", p->process, p->call, mode);
    return text;
}

static pid_t
begin_trial(struct crash *c, const struct point *point, int output)
{
    pid_t pid;

    fflush(stdout);
    /* A fork, and its child is process 1 of a namespace. */
    pid = (pid_t)syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNS | SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid != 0)
        return pid;
    if (dup2(output, STDOUT_FILENO) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        _exit(1);
    exit(trial_main(c->scenario, &c->tools, point, point->mode == MODE_NONE ? c->seen : NULL,
                    point->mode == MODE_NONE ? c->seen_count : NULL));
}

static void
show_output(int fd)
{
    char text[4096];
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

    text[n > 0 ? n : 0] = '\0';
    printf("    %s\n", text);
}

static void
count_call(struct crash *c, const char *name)
{
    int i = 0;

    while (i < NAMES_MAX - 1 && c->calls[i].name != NULL && strcmp(c->calls[i].name, name) != 0)
        i++;
    c->calls[i].name = name;
    c->calls[i].trials++;
}

static void
end_trial(struct crash *c, struct running *slot, int status)
{
    c->counts.trials++;
    if (slot->call != NULL)
        count_call(c, slot->call);
    if (WIFEXITED(status) && WEXITSTATUS(status) == TRIAL_UNREACHED) {
        c->counts.unreached++;
    } else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        c->counts.failures++;
        printf("FAILED: crash %s %s (%s)\n", c->scenario->name, point_text(&slot->point),
               slot->call != NULL ? slot->call : "-");
        show_output(slot->output);
    }
    close(slot->output);
    *slot = (struct running){0};
}

static bool
reap_one(struct crash *c)
{
    int status;
    pid_t pid = wait(&status);

    for (int i = 0; i < SLOTS && pid > 0; i++)
        if (c->slots[i].pid == pid)
            end_trial(c, &c->slots[i], status);
    return pid > 0;
}

static void
try_point(struct crash *c, const struct point *point, const char *call)
{
    struct running *slot = NULL;

    while (slot == NULL) {
        for (int i = 0; i < SLOTS && slot == NULL; i++)
            if (c->slots[i].pid == 0)
                slot = &c->slots[i];
        if (slot == NULL)
            (void)reap_one(c);
    }
    *slot = (struct running){.point = *point, .call = call};
    slot->output = memfd_create("output", MFD_CLOEXEC);
    slot->pid = begin_trial(c, point, slot->output);
    if (slot->output < 0 || slot->pid < 0)
        fail("a trial: %s", strerror(errno));
}

static void
wait_for_all(struct crash *c)
{
    while (reap_one(c))
        ;
}

/* ---- A scenario -------------------------------------------------------------------------- */

static void
begin_scenario(struct crash *c, const struct scenario *scenario)
{
    c->scenario = scenario;
    c->counts = (struct counts){0};
    *c->seen_count = 0;
    try_point(c, &(struct point){.mode = MODE_NONE}, NULL);
    wait_for_all(c);
    if (*c->seen_count == 0) {
        c->counts.failures++;
        printf("FAILED: crash %s: no call was seen\n", scenario->name);
    }
    for (int i = 0; i < *c->seen_count; i++)
        if (c->seen[i].kind == NULL) {
            c->counts.failures++;
            printf("FAILED: crash %s: crash_calls.c doesn't know the call %llu\n", scenario->name,
                   (unsigned long long)c->seen[i].number);
        }
}

/* All that may happen at one call; of these every so many-th. */
static void
try_call(struct crash *c, const struct seen *seen, int every, int *turn)
{
    struct point points[2 + OTHERS + sizeof(seen->kind->errors) / sizeof(int)];
    struct point at = {.process = seen->process, .call = seen->call};
    int count = 0;

    for (int mode = MODE_BEFORE; mode <= MODE_AFTER; mode++) {
        at.mode = mode;
        points[count++] = at;
    }
    if (seen->kind->is_private) /* then what comes after it is what comes before the next */
        count = 1;
    at.mode = MODE_HOLD;
    for (int other = 0; other < OTHERS && !seen->kind->is_private; other++) {
        at.other = other;
        points[count++] = at;
    }
    at.mode = MODE_ERROR;
    for (int i = 0; i < 8 && seen->kind->errors[i] != 0; i++) {
        at.error = seen->kind->errors[i];
        points[count++] = at;
    }
    for (int i = 0; i < count; i++)
        if ((*turn)++ % every == 0)
            try_point(c, &points[i], seen->kind->name);
}

static void
play(struct crash *c, const struct scenario *scenario, int every, int offset)
{
    int64_t begin = now_ms();
    int turn = every - offset % every;

    begin_scenario(c, scenario);
    for (int i = 0; i < *c->seen_count; i++)
        if (c->seen[i].kind != NULL)
            try_call(c, &c->seen[i], every, &turn);
    wait_for_all(c);
    printf("%-22s %4d calls, %5d trials, %d not reached, %d failures, %.1f s\n", scenario->name,
           *c->seen_count, c->counts.trials, c->counts.unreached, c->counts.failures,
           (double)(now_ms() - begin) / 1000);
    fflush(stdout);
    c->total.trials += c->counts.trials;
    c->total.failures += c->counts.failures;
    c->total.unreached += c->counts.unreached;
}

static void
report(const struct crash *c)
{
    printf("\ntrials at each call:\n");
    for (int i = 0; i < NAMES_MAX && c->calls[i].name != NULL; i++)
        printf("%s %s %d", i % 5 == 0 ? (i > 0 ? "\n" : "") : ",", c->calls[i].name,
               c->calls[i].trials);
    printf("\n\n%d trials, %d not reached, %d failures\n", c->total.trials, c->total.unreached,
           c->total.failures);
}

/* ---- The arguments ------------------------------------------------------------------------ */

static const struct scenario *
find_scenario(const char *name)
{
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
        if (strcmp(scenarios[i].name, name) == 0)
            return &scenarios[i];
    return NULL;
}

static bool
parse_point(const char *where, const char *mode, struct point *ret)
{
    if (sscanf(where, "%d.%d", &ret->process, &ret->call) != 2)
        return false;
    for (int i = 0; i < OTHERS; i++)
        if (strcmp(mode, other_names[i]) == 0) {
            ret->mode = MODE_HOLD;
            ret->other = i;
        }
    if (strcmp(mode, "before") == 0 || strcmp(mode, "after") == 0)
        ret->mode = mode[0] == 'b' ? MODE_BEFORE : MODE_AFTER;
    for (int error = 1; ret->mode == MODE_NONE && error < 200; error++)
        if (strerrorname_np(error) != NULL && strcmp(mode, strerrorname_np(error)) == 0) {
            ret->mode = MODE_ERROR;
            ret->error = error;
        }
    return ret->mode != MODE_NONE;
}

static bool
play_asked(struct crash *c, int argc, char **argv)
{
    const struct scenario *scenario = find_scenario(argv[2]);
    bool is_short = strcmp(argv[2], "short") == 0 && argc == 4;
    struct point point = {.mode = MODE_NONE};

    if (is_short || (strcmp(argv[2], "all") == 0 && argc == 3)) {
        for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
            play(c, &scenarios[i], is_short ? SHORT : 1, is_short ? atoi(argv[3]) + (int)i : 0);
    } else if (scenario != NULL && argc == 3) {
        play(c, scenario, 1, 0);
    } else if (scenario != NULL && argc == 4 && strcmp(argv[3], "list") == 0) {
        begin_scenario(c, scenario);
        for (int i = 0; i < *c->seen_count; i++)
            if (c->seen[i].kind != NULL)
                printf("%d.%d %s\n", c->seen[i].process, c->seen[i].call, c->seen[i].kind->name);
        c->total = c->counts;
    } else if (scenario != NULL && argc == 5 && parse_point(argv[3], argv[4], &point)) {
        begin_scenario(c, scenario);
        try_point(c, &point, argv[3]);
        wait_for_all(c);
        c->total = c->counts;
    } else {
        return false;
    }
    return true;
}

int
main(int argc, char **argv)
{
    static struct crash c;
    static char directory[] = "/tmp/vortex-crash-XXXXXX";
    static char self[PATH_SIZE];

    if (argc == 4 && strcmp(argv[1], "server") == 0)
        return server_main(argv[2], argv[3]);
    if (argc == 3 && (strcmp(argv[1], OWNER) == 0 || strcmp(argv[1], "unlock") == 0))
        return owner_main(argv[1], argv[2]);
    if (argc < 3)
        return 2;
    if (geteuid() != 0) {
        printf("SKIPPED: crash needs root, for namespaces\n");
        return getenv("VORTEX_TEST_ALL") != NULL ? 1 : SKIPPED;
    }
    c.seen = mmap(NULL, (CALLS_MAX + 1) * sizeof(*c.seen), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (c.seen == MAP_FAILED || mkdtemp(directory) == NULL
        || readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
        fail("setting up: %s", strerror(errno));
    chmod(directory, 0755);
    c.seen_count = (int *)(void *)&c.seen[CALLS_MAX];
    c.tools = (struct tools){argv[1], self, directory};
    if (!play_asked(&c, argc, argv))
        return 2;
    rmdir(directory);
    report(&c);
    return c.total.failures == 0 ? 0 : 1;
}
