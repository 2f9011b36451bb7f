/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Figures of the commands beside their peers, and beside a program that does nothing.
 *
 *   bench [--json FILE] VORTEX SLEEPER OUR_DAEMON EMPTY [EMPTY_STATIC]
 *
 * It runs in a layer of its own (layer.c), and so needs root.
 *
 * What is compared is measured in one run, in turns (A B C, B C A, ...), as other work on the
 * machine must not hit one of them alone; a figure is a median, and a ratio is one of medians.
 *
 * Moments are those at which poll() tells of them: the end of a process by its pidfd, a change of
 * the pidfile by inotify (it is then read), the server's main() by a FIFO that it writes its pid
 * to. Nothing spins, so the harness takes no processor from what it measures; it has real-time
 * priority where it may, so that other work doesn't make it late. On a machine that is never idle,
 * `chrt -f 1 bench ...` gives that priority to what is measured, too: steadier ratios, of figures
 * that are a little better than life.
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define START_ROUNDS  200
#define STOP_ROUNDS   100
#define STATUS_ROUNDS 400
#define LIST_ROUNDS   30
#define INSTANCES     1000

/* ---- In turns ---------------------------------------------------------------------------- */

typedef void sampler(struct bench *b, enum tool t);

/* Each round begins with another tool, and the first round is to warm up. */
static void
take_turns(struct bench *b, int full, sampler *sample, bool (*has)(enum tool))
{
    for (int i = -1, count = rounds(full); i < count; i++) {
        b->r->warming = i < 0;
        for (int k = 0; k < TOOLS; k++) {
            enum tool t = (enum tool)((i + 1 + k) % TOOLS);

            if (b->path[t] != NULL && has(t))
                sample(b, t);
        }
    }
}

static bool
any(enum tool t)
{
    return t < TOOLS;
}

/* ---- status and list --------------------------------------------------------------------- */

static void
sample_status(struct bench *b, enum tool t)
{
    const char *words[WORDS];

    status_command(b, t, words);
    report_add(b->r, STATUS, t, run_timed(words));
}

static void
measure_status(struct bench *b)
{
    const char *words[WORDS];

    start_command(b, VORTEX, NULL, words);
    watch_start(b, words, b->w->pidfile, true);
    take_turns(b, STATUS_ROUNDS, sample_status, has_stop);
    end_children();
    remove_files(b->w);
}

static void
sample_list(struct bench *b, enum tool t)
{
    const char *words[WORDS];

    PUT(words, b->path[t]);
    if (t == VORTEX)
        PUT(words + 1, "list");
    report_add(b->r, LIST, t, run_timed(words));
}

static bool
has_list(enum tool t)
{
    return t == VORTEX || is_floor(t);
}

/* It must be the figure of a list that says of each that it runs. */
static void
check_list(const struct bench *b)
{
    const char *words[WORDS];
    char line[512];
    FILE *in;
    int out[2], running = 0;

    PUT(words, b->path[VORTEX], "list");
    if (pipe2(out, O_CLOEXEC) < 0)
        die("pipe", strerror(errno));
    spawn(words, -1, out[1]);
    close(out[1]);
    in = fdopen(out[0], "r");
    while (in != NULL && fgets(line, sizeof(line), in) != NULL)
        running += strstr(line, " running ") != NULL;
    if (in != NULL)
        fclose(in);
    if (running != INSTANCES)
        die("vortex list", "it does not name each instance as running");
}

static void
measure_list(struct bench *b)
{
    setenv("RUNTIME_DIRECTORY", b->w->directory, 1);
    for (int i = 0; i < INSTANCES; i++) {
        const char *words[WORDS];
        char name[24], pidfile[sizeof(b->w->directory) + sizeof(name) + 8];

        snprintf(name, sizeof(name), "server%04d", i);
        snprintf(pidfile, sizeof(pidfile), "%s/%s.pid", b->w->directory, name);
        PUT(words, b->path[VORTEX], "start", name, "--", b->sleeper, b->w->ready);
        watch_start(b, words, pidfile, true);
    }
    check_list(b);
    take_turns(b, LIST_ROUNDS, sample_list, has_list);
    unsetenv("RUNTIME_DIRECTORY");
    end_children();
    remove_files(b->w);
}

/* ---- The whole --------------------------------------------------------------------------- */

static int
usage(void)
{
    fprintf(stderr, "usage: bench [--json FILE] VORTEX SLEEPER OUR_DAEMON EMPTY [EMPTY_STATIC]\n");
    return 2;
}

static void
write_report(const struct bench *b, const char *path, void (*report)(struct report *, FILE *))
{
    FILE *out = path != NULL ? fopen(path, "we") : NULL;

    if (path == NULL)
        return;
    if (out == NULL)
        die(path, strerror(errno));
    report(b->r, out);
    if (fclose(out) != 0)
        die(path, strerror(errno));
    printf("written: %s\n", path);
}

static int
measure(struct world *w, void *more)
{
    struct bench *b = more;

    b->w = w;
    b->r = calloc(1, sizeof(*b->r));
    if (b->r == NULL)
        die("calloc", strerror(errno));
    for (int t = 0; t < TOOLS; t++)
        if (b->path[t] == NULL)
            b->r->missing[t] = is_floor((enum tool)t) ? "not built" : "not installed";
    b->r->real_time = w->real_time;
    b->r->steady = b->steady;
    if (getloadavg(&b->r->load, 1) != 1)
        b->r->load = -1;
    take_turns(b, START_ROUNDS, sample_start, any);
    take_turns(b, STOP_ROUNDS, sample_stop, has_stop);
    measure_status(b);
    measure_list(b);
    measure_crowd(b);
    report_text(b->r, stdout);
    report_goals(b->r, stdout);
    write_report(b, b->json, report_json);
    return b->r->race[VORTEX].several > 0 ? 1 : 0; /* the one figure that is a promise */
}

int
main(int argc, char **argv)
{
    struct bench b = {.steady = is_real_time()};
    int at = 1;

    if (argc > 2 && strcmp(argv[1], "--json") == 0) {
        b.json = argv[2];
        at = 3;
    }
    if (argc - at < 4 || argc - at > 5)
        return usage();
    enter_layer(argv);
    find_tools(&b);
    b.path[VORTEX] = absolute(argv[at]);
    b.sleeper = absolute(argv[at + 1]);
    b.path[OUR_DAEMON] = absolute(argv[at + 2]);
    b.path[EMPTY] = absolute(argv[at + 3]);
    b.path[STATIC] = at + 4 < argc ? absolute(argv[at + 4]) : NULL;
    return guarded(measure, &b);
}
