/* SPDX-License-Identifier: Apache-2.0 */
/* A thousand supervised servers: started, listed, stopped. */
#include "supervisors.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define INSTANCES   1000
#define LISTS       20
#define LIST_GOAL   100 /* ms */
#define THOUSAND    PLACE "/thousand"
#define OURS_CONFIG PLACE "/thousand.conf"

static void
start_all(const struct bed *b)
{
    for (int i = 0; i < INSTANCES; i++) {
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
stop_all(const struct bed *b)
{
    for (int i = 0; i < INSTANCES; i++) {
        char name[24];

        snprintf(name, sizeof(name), "server%04d", i);
        run_timed((const char *const[]){b->vortex, "stop", name, "-c", OURS_CONFIG, NULL});
    }
}

/* Processes but this one that live. */
static int
count_left(void)
{
    static pid_t pids[4096];
    int left = 0;

    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    left = list_children(pids, 4096);
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

int
measure_thousand(struct bed *b, FILE *markdown)
{
    static struct samples lists;
    double began = now_us(), started, stopped, list_ms, kib;
    int running, left, files;
    bool good;

    if (mkdir(THOUSAND, 0755) < 0)
        die(THOUSAND, strerror(errno));
    write_file(OURS_CONFIG,
               text_of("[server]\ncommand = %s %s\nsupervise = yes\n", b->sleeper, READY));
    setenv("RUNTIME_DIRECTORY", THOUSAND, 1);
    start_all(b);
    started = now_us() - began;
    running = count_running(b);
    for (int i = 0; i < LISTS; i++)
        lists.us[lists.count++] = run_timed((const char *const[]){b->vortex, "list", NULL});
    list_ms = samples_median(&lists) / 1e3;
    kib = supervisors_kib(b) / INSTANCES;
    began = now_us();
    stop_all(b);
    stopped = now_us() - began;
    unsetenv("RUNTIME_DIRECTORY");
    left = count_left();
    files = count_files();
    good = running == INSTANCES && left == 0 && files == 0;
    printf(
        "\n%d supervised servers, one after the other\n"
        "  started in %.2f s, listed in %.1f ms (median of %d; goal %d ms: %s), stopped in %.2f s\n"
        "  PSS of a supervisor %.0f KiB; listed as running: %d; left over: %d processes, %d "
        "files%s\n",
        INSTANCES, started / 1e6, list_ms, LISTS, LIST_GOAL,
        list_ms <= LIST_GOAL ? "met" : "MISSED", stopped / 1e6, kib, running, left, files,
        good ? "" : ": FAILED");
    fprintf(markdown,
            "\n%d supervised servers, one after the other: started in %.1f s, listed in %.0f ms, "
            "stopped in %.1f s; PSS of a supervisor %.0f KiB.\n",
            INSTANCES, started / 1e6, list_ms, stopped / 1e6, kib);
    fflush(stdout);
    end_children();
    return good ? 0 : 1;
}
