/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log all DIR MIB      that many MiB go through, as fast as they can: every byte is in the files,
 *                      none is larger than said, none is torn, and memory stays bounded
 * log most DIR MIB     the same on a machine that has other work: where the writer gets no turn for
 *                      longer than the server may wait, exactly the counted lines are missing
 * log stopped DIR      the disk stands still (the writer is stopped): no write of the server takes
 *                      longer than 10 ms, and each line is in the file or counted as dropped
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host/log.h"

#define MAX_SIZE   ((int64_t)64 << 20)
#define KEEP       64
#define MEMORY_MAX 16384 /* KiB, of the supervisor and of the writer */

static void
die(const char *what)
{
    fprintf(stderr, "log: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void
need(bool truth, const char *what)
{
    if (!truth) {
        fprintf(stderr, "log: not so: %s\n", what);
        exit(1);
    }
}

/* ---- What the server says: lines of any length, each with its number ---------------------- */

struct lines {
    uint64_t number;
    uint32_t random;
};

static size_t
next_line(struct lines *lines, char *buf)
{
    size_t length;
    int head;

    lines->random = lines->random * 1664525U + 1013904223U;
    length =
        (lines->random >> 16) % 64 == 0 ? (lines->random >> 8) % 16000 : (lines->random >> 8) % 200;
    head = sprintf(buf, "%" PRIu64 " ", lines->number++);
    memset(buf + head, 'a' + (int)(lines->random % 26), length);
    buf[(size_t)head + length] = '\n';
    return (size_t)head + length + 1;
}

static int64_t
now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* The longest write, in microseconds. */
static int64_t
write_all(int fd, const char *data, size_t length)
{
    int64_t longest = 0;

    while (length > 0) {
        int64_t begin = now_us(), took;
        ssize_t n = write(fd, data, length);

        took = now_us() - begin;
        if (n < 0)
            die("write");
        data += n;
        length -= (size_t)n;
        if (took > longest)
            longest = took;
    }
    return longest;
}

struct kept {
    uint64_t lines;
    int64_t longest_us; /* the longest write */
    int64_t noise_us;   /* the longest that a sleep took too long: the machine is busy */
};

static void
note(int64_t *longest, int64_t took)
{
    if (took > *longest)
        *longest = took;
}

static int64_t
oversleep(int us)
{
    int64_t begin = now_us();

    usleep((useconds_t)us);
    return now_us() - begin - us;
}

/* The server: it says so many bytes, in pieces of any size, and then how long it was kept. */
static void
serve(int output, int result, int64_t bytes, int pause_us)
{
    static char text[1 << 17];
    struct lines lines = {0, 1};
    struct kept kept = {0};
    size_t filled = 0;

    while (bytes > 0) {
        size_t n = next_line(&lines, text + filled);

        filled += n;
        bytes -= (int64_t)n;
        if (filled > 30000 || bytes <= 0) {
            note(&kept.longest_us, write_all(output, text, filled));
            filled = 0;
            if (pause_us > 0)
                note(&kept.noise_us, oversleep(pause_us));
        }
    }
    kept.lines = lines.number;
    if (write(result, &kept, sizeof(kept)) != (ssize_t)sizeof(kept))
        die("result");
    _exit(0);
}

static pid_t
start_server(const struct log *log, int *ret_result, int64_t bytes, int pause_us)
{
    int result[2];
    pid_t pid;

    if (pipe(result) < 0)
        die("pipe");
    pid = fork();
    if (pid < 0)
        die("fork");
    if (pid == 0)
        serve((int)log_output(log), result[1], bytes, pause_us);
    close(result[1]);
    *ret_result = result[0];
    return pid;
}

/* ---- The supervisor ----------------------------------------------------------------------- */

struct run {
    struct log *log;
    pid_t server;
    bool ended; /* the server has */
};

static void
reap(struct run *run)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == run->server)
            run->ended = true;
        else
            (void)log_child_ended(run->log, pid, os_monotonic_ms());
    }
}

static void
step(struct run *run)
{
    struct os_source sources[LOG_SOURCES_MAX];
    size_t count = log_sources(run->log, sources);
    int64_t deadline = log_deadline(run->log), soon = os_monotonic_ms() + 2;

    if (os_wait(sources, count, deadline >= 0 && deadline < soon ? deadline : soon) < 0)
        die("wait");
    log_step(run->log, os_monotonic_ms());
    reap(run);
}

static void
finish(struct run *run)
{
    log_drain(run->log, os_monotonic_ms());
    while (!log_is_done(run->log))
        step(run);
    need(log_child(run->log) == 0, "the writer has ended");
}

static long
highest_memory(void)
{
    char line[256];
    long kib = -1;
    FILE *status = fopen("/proc/self/status", "r");

    if (status == NULL)
        die("/proc/self/status");
    while (fgets(line, sizeof(line), status) != NULL)
        sscanf(line, "VmHWM: %ld kB", &kib);
    fclose(status);
    return kib;
}

static struct log *
open_log(char *path, const char *directory, int64_t max_size)
{
    struct log_settings settings = {
        .target = LOG_FILE, .name = "test", .file = path, .max_size = max_size, .keep = KEEP};
    const char *why;
    struct log *log;

    snprintf(path, OS_PATH_MAX, "%s/log", directory);
    if (log_open(&settings, &log, &why) < 0)
        die(why);
    return log;
}

/* ---- all ---------------------------------------------------------------------------------- */

static void
compare_file(FILE *file, struct lines *lines, int64_t *bytes, uint64_t *dropped)
{
    static char line[32768], expected[32768];
    int64_t size = 0;

    while (fgets(line, sizeof(line), file) != NULL) {
        uint64_t missing = 0;
        size_t length;

        if (sscanf(line, "vortex: %" SCNu64 " line", &missing) == 1) {
            *dropped += missing;
            size += (int64_t)strlen(line);
            for (; missing > 0; missing--)
                *bytes += (int64_t)next_line(lines, expected);
            continue;
        }
        length = next_line(lines, expected);

        if (strlen(line) != length || memcmp(line, expected, length) != 0) {
            fprintf(stderr, "log: line %" PRIu64 " is not what was written\n", lines->number);
            exit(1);
        }
        size += (int64_t)length;
    }
    need(size <= MAX_SIZE, "no file is larger than max-size");
    *bytes += size;
}

static int64_t
compare_files(const char *path, struct lines *lines, uint64_t *dropped)
{
    int64_t bytes = 0;

    for (int number = KEEP; number >= 0; number--) {
        char name[OS_PATH_MAX + 16];
        FILE *file;

        snprintf(name, sizeof(name), number > 0 ? "%s.%d" : "%s", path, number);
        file = fopen(name, "r");
        if (file == NULL)
            continue;
        compare_file(file, lines, &bytes, dropped);
        fclose(file);
        unlink(name);
    }
    return bytes;
}

static void
run_all(const char *directory, int64_t mib, bool may_drop)
{
    char path[OS_PATH_MAX];
    struct run run = {.log = open_log(path, directory, MAX_SIZE)};
    struct lines found = {0, 1};
    struct kept said;
    struct rusage children;
    int64_t begin = now_us(), bytes;
    uint64_t dropped = 0;
    int result;

    run.server = start_server(run.log, &result, mib << 20, 0);
    while (!run.ended)
        step(&run);
    finish(&run);
    begin = now_us() - begin;
    if (read(result, &said, sizeof(said)) != (ssize_t)sizeof(said))
        die("result");
    run.log = log_free(run.log);
    bytes = compare_files(path, &found, &dropped);
    getrusage(RUSAGE_CHILDREN, &children);
    printf("%" PRId64 " bytes in %.2f s, %.0f MB/s; the longest write took %.1f ms; "
           "%ld KiB, %ld KiB the writer and the server\n",
           bytes, (double)begin / 1e6, (double)bytes / (double)begin, (double)said.longest_us / 1e3,
           highest_memory(), children.ru_maxrss);
    if (dropped > 0)
        printf("%" PRIu64 " lines dropped: the machine is busy\n", dropped);
    need(may_drop || dropped == 0, "no line was dropped");
    need(found.number == said.lines, "each line is there");
    need(bytes >= mib << 20, "each byte is there");
    need(highest_memory() < MEMORY_MAX && children.ru_maxrss < MEMORY_MAX, "little memory");
}

/* ---- stopped ------------------------------------------------------------------------------ */

static uint64_t
count_lines(const char *path, uint64_t *ret_dropped)
{
    static char line[32768];
    uint64_t count = 0, next = 0, dropped;
    FILE *file = fopen(path, "r");

    if (file == NULL)
        die(path);
    while (fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, "vortex: %" SCNu64 " line", &dropped) == 1) {
            *ret_dropped += dropped;
            next += dropped;
            continue;
        }
        need(strtoull(line, NULL, 10) == next, "exactly the counted lines are missing");
        next++;
        count++;
    }
    fclose(file);
    unlink(path);
    return count;
}

static void
run_stopped(const char *directory)
{
    char path[OS_PATH_MAX];
    struct run run = {.log = open_log(path, directory, 0)};
    struct kept said;
    uint64_t count, dropped = 0;
    int result;
    pid_t writer;

    run.server = start_server(run.log, &result, 32 << 20, 300);
    while ((writer = (pid_t)log_child(run.log)) == 0)
        step(&run);
    kill(writer, SIGSTOP);
    while (!run.ended)
        step(&run);
    kill(writer, SIGCONT);
    finish(&run);
    if (read(result, &said, sizeof(said)) != (ssize_t)sizeof(said))
        die("result");
    run.log = log_free(run.log);
    count = count_lines(path, &dropped);
    printf("%" PRIu64 " lines, %" PRIu64
           " dropped; the longest write took %.1f ms, a sleep %.1f ms "
           "too long\n",
           said.lines, dropped, (double)said.longest_us / 1e3, (double)said.noise_us / 1e3);
    need(dropped > 0, "lines were dropped");
    need(count + dropped == said.lines, "each line is there, or was counted");
    need(said.longest_us <= 10000 + said.noise_us, "no write took longer than 10 ms");
}

int
main(int argc, char **argv)
{
    char directory[OS_PATH_MAX];

    if (argc < 3)
        return 2;
    signal(SIGPIPE, SIG_IGN);
    snprintf(directory, sizeof(directory), "%s/vortex-log-XXXXXX", argv[2]);
    if (mkdtemp(directory) == NULL)
        die(directory);
    if (argc == 4 && (strcmp(argv[1], "all") == 0 || strcmp(argv[1], "most") == 0))
        run_all(directory, strtoll(argv[3], NULL, 10), strcmp(argv[1], "most") == 0);
    else
        run_stopped(directory);
    if (rmdir(directory) < 0)
        die(directory);
    return 0;
}
