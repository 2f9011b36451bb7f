/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thousand supervised servers, and five: ours started, listed and stopped; the peers' started in
 * the fastest way that each has, and listed.
 */
#include "supervisors.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LISTS       20
#define LISTS_THEIR 3
#define LIST_GOAL   0.1 /* ms a server */
#define THOUSAND    PLACE "/thousand"
#define OURS_CONFIG PLACE "/thousand.conf"

#define LIMIT_S 30 /* for the start of all; then it is said how many there are */
#define MOST    5000

struct crowd {
    int count;
    const char *figures; /* what their names begin with */
};

static void
start_all(const struct bed *b, int count)
{
    for (int i = 0; i < count; i++) {
        char name[24];

        snprintf(name, sizeof(name), "server%04d", i);
        run_timed((const char *const[]){b->vortex, "start", name, "-c", OURS_CONFIG, NULL});
        (void)wait_ready(b);
    }
}

/* How many are said to run? */
static int
count_running(const struct bed *b)
{
    char line[512];
    int out[2], running = 0;
    FILE *in;

    if (pipe(out) < 0)
        die("pipe", strerror(errno));
    spawn((const char *const[]){b->vortex, "list", NULL}, -1, out[1]);
    close(out[1]);
    in = fdopen(out[0], "r");
    while (in != NULL && fgets(line, sizeof(line), in) != NULL)
        running += strstr(line, " running ") != NULL;
    if (in != NULL)
        fclose(in);
    return running;
}

static void
stop_all(const struct bed *b, int count)
{
    for (int i = 0; i < count; i++) {
        char name[24];

        snprintf(name, sizeof(name), "server%04d", i);
        run_timed((const char *const[]){b->vortex, "stop", name, "-c", OURS_CONFIG, NULL});
    }
}

/* Processes but this one that live. */
static int
count_left(void)
{
    static pid_t pids[2 * MOST];
    int left = 0;

    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    left = list_children(pids, 2 * MOST);
    return left;
}

static int
count_files(void)
{
    DIR *stream = opendir(THOUSAND);
    struct dirent *entry;
    int count = 0;

    while (stream != NULL && (entry = readdir(stream)) != NULL)
        count += entry->d_name[0] != '.';
    if (stream != NULL)
        closedir(stream);
    return count;
}

static const char *
figure_of(const struct crowd *c, const char *what)
{
    return text_of("%s_%s", c->figures, what);
}

static int
measure_ours(struct bed *b, const struct crowd *c, FILE *json)
{
    struct samples lists = {.count = 0};
    double began = now_us(), goal = c->count * LIST_GOAL, started, stopped, list_ms, kib;
    int running, left, files;
    bool good;

    if (mkdir(THOUSAND, 0755) < 0 && errno != EEXIST)
        die(THOUSAND, strerror(errno));
    write_file(OURS_CONFIG,
               text_of("[server]\ncommand = %s %s\nsupervise = yes\n", b->sleeper, READY));
    setenv("RUNTIME_DIRECTORY", THOUSAND, 1);
    start_all(b, c->count);
    started = now_us() - began;
    running = count_running(b);
    for (int i = 0; i < LISTS; i++)
        samples_add(&lists, run_timed((const char *const[]){b->vortex, "list", NULL}) / 1e3);
    list_ms = samples_median(&lists);
    kib = supervisors_kib(b) / c->count;
    began = now_us();
    stop_all(b, c->count);
    stopped = now_us() - began;
    unsetenv("RUNTIME_DIRECTORY");
    left = count_left();
    files = count_files();
    good = running == c->count && left == 0 && files == 0;
    printf("\n%d supervised servers, one after the other\n"
           "  started in %.2f s, listed in %.1f ms (median of %d; goal %.0f ms: %s), stopped in "
           "%.2f s\n"
           "  PSS of a supervisor %.0f KiB; listed as running: %d; left over: %d processes, %d "
           "files%s\n",
           c->count, started / 1e6, list_ms, LISTS, goal, list_ms <= goal ? "met" : "MISSED",
           stopped / 1e6, kib, running, left, files, good ? "" : ": FAILED");
    value_json(started / 1e6, figure_of(c, "start"), peer_name(OURS), json);
    value_json(stopped / 1e6, figure_of(c, "stop"), peer_name(OURS), json);
    value_json(kib, figure_of(c, "memory"), peer_name(OURS), json);
    samples_json(&lists, figure_of(c, "list"), peer_name(OURS), json);
    share_json(running, c->count, figure_of(c, "running"), peer_name(OURS), json);
    fflush(stdout);
    end_children();
    return good ? 0 : 1;
}

/* ---- Theirs ------------------------------------------------------------------------------ */

/* Start them all, and wait: how many run. */
static int
start_theirs(struct bed *b, int count, enum peer p, struct instance *ret_many)
{
    static pid_t pids[MOST];
    const struct world w = {.ready = READY, .ready_fd = b->ready_fd};
    double end = now_us() + LIMIT_S * 1e6;
    const char *words[WORDS];
    int running = 0, left = count;

    if (peer_is_one_for_all(p) || p == RUNIT || p == S6) {
        *ret_many = peer_prepare_many(b, p, left);
        if (peer_is_one_for_all(p))
            peer_start_command(b, ret_many, words);
        else
            peer_scan_command(ret_many, words);
        (void)spawn(words, -1, -1);
        left = 0;
    }
    while (running < count && now_us() < end) {
        if (left-- > 0) {
            struct instance i = peer_prepare(b, p, false);

            peer_start_command(b, &i, words);
            (void)spawn(words, -1, -1);
        }
        (void)poll(&(struct pollfd){.fd = b->ready_fd, .events = POLLIN}, 1, 1000);
        running += read_ready(&w, pids, MOST);
        while (p != RUNIT && waitpid(-1, NULL, WNOHANG) > 0)
            ;
    }
    return running;
}

static void
measure_theirs(struct bed *b, const struct crowd *c, enum peer p, FILE *json)
{
    struct instance many = {.peer = p};
    struct samples lists = {.count = 0};
    double began = now_us(), started, kib;
    int running = start_theirs(b, c->count, p, &many);
    const char *list = peer_list_command(&many);

    started = now_us() - began;
    for (int i = 0; i < LISTS_THEIR && list != NULL && running == c->count; i++)
        samples_add(&lists, run_timed((const char *const[]){"/bin/sh", "-c", list, NULL}) / 1e3);
    kib = running > 0 ? supervisors_kib(b) / running : 0;
    printf("  %-20s  %6.2f s for %d; status of all %.1f ms; %.0f KiB each\n", peer_name(p),
           started / 1e6, running, samples_median(&lists), kib);
    share_json(running, c->count, figure_of(c, "running"), peer_name(p), json);
    value_json(started / 1e6, figure_of(c, "start"), peer_name(p), json);
    if (running > 0)
        value_json(kib, figure_of(c, "memory"), peer_name(p), json);
    samples_json(&lists, figure_of(c, "list"), peer_name(p), json);
    fflush(stdout);
    end_children();
    while (poll(&(struct pollfd){.fd = b->ready_fd, .events = POLLIN}, 1, 0) > 0)
        (void)wait_ready(b);
}

int
measure_thousands(struct bed *b, FILE *json)
{
    const struct crowd crowds[] = {{rounds(MOST / 5), "many"}, {rounds(MOST), "most"}};
    int failed = 0;

    for (size_t i = 0; i < sizeof(crowds) / sizeof(crowds[0]); i++) {
        failed |= measure_ours(b, &crowds[i], json);
        for (int p = RUNIT; p < PEERS; p++)
            if (peer_is_there((enum peer)p))
                measure_theirs(b, &crowds[i], (enum peer)p, json);
    }
    return failed;
}
