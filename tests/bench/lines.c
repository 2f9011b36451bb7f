/* SPDX-License-Identifier: Apache-2.0 */
/* One server of each supervisor, all at once: at rest, asked for, and killed in turns. */
#include "supervisors.h"

#include <dirent.h>
#include <signal.h>

#define STATUS_ROUNDS  30
#define RESTART_ROUNDS 10
#define IDLE_MS        10000

/* Nobody delays the restart of a server that lived so long: runit and s6 1 s, daemon 1 s. */
#define AGE_MS 2100

/* One server of each, and the processes of its supervisor. */
struct line {
    struct instance instance;
    pid_t server; /* 0: it isn't there */
    pid_t beside[8];
    int count;
};

/* Those that are no former line's. */
static void
find_beside(const struct bed *b, struct line lines[PEERS], int p)
{
    pid_t pids[PIDS_MAX];
    int count = list_supervisors(b, pids, PIDS_MAX);

    for (int i = 0; i < count; i++) {
        bool former = false;

        for (int q = 0; q < p; q++)
            for (int k = 0; k < lines[q].count; k++)
                former |= lines[q].beside[k] == pids[i];
        if (!former && lines[p].count < 8)
            lines[p].beside[lines[p].count++] = pids[i];
    }
}

static double
switches_of(pid_t pid)
{
    char line[128];
    double sum = 0, count;
    DIR *threads = opendir(text_of("/proc/%d/task", (int)pid));
    struct dirent *entry;

    while (threads != NULL && (entry = readdir(threads)) != NULL) {
        FILE *in = fopen(text_of("/proc/%d/task/%s/status", (int)pid, entry->d_name), "re");

        while (in != NULL && fgets(line, sizeof(line), in) != NULL)
            if (sscanf(line, "voluntary_ctxt_switches: %lf", &count) == 1)
                sum += count;
        if (in != NULL)
            fclose(in);
    }
    if (threads != NULL)
        closedir(threads);
    return sum;
}

static double
switches_of_line(const struct line *l)
{
    double sum = 0;

    for (int i = 0; i < l->count; i++)
        sum += switches_of(l->beside[i]);
    return sum;
}

/* A process that wakes up gives the processor back: that is counted. */
static void
measure_wakeups(const struct line lines[PEERS], struct table *t)
{
    double before[PEERS];
    int idle_ms = rounds(IDLE_MS);

    for (int p = 0; p < PEERS; p++)
        before[p] = switches_of_line(&lines[p]);
    sleep_ms(idle_ms);
    for (int p = 0; p < PEERS; p++)
        if (lines[p].server != 0)
            table_add(t, WAKEUPS, (enum peer)p,
                      (switches_of_line(&lines[p]) - before[p]) * 1e3 / idle_ms);
}

static void
measure_statuses(const struct bed *b, const struct line lines[PEERS], struct table *t)
{
    const char *words[WORDS];

    for (int round = 0, count = rounds(STATUS_ROUNDS); round < count; round++)
        for (int k = 0; k < PEERS; k++) {
            int p = (round + k) % PEERS;

            if (lines[p].server != 0 && peer_status_command(b, &lines[p].instance, words))
                table_add(t, STATUSES, (enum peer)p, run_timed(words));
        }
}

/* Killed in turns whenever all are old enough. */
static void
measure_restarts(const struct bed *b, struct line lines[PEERS], struct table *t)
{
    struct sigaction former;

    begin_reaping(&former);
    for (int round = 0, count = rounds(RESTART_ROUNDS); round < count; round++) {
        /* monit looks once a second: each part of the second has its turn. */
        double old = now_us() + (AGE_MS + 1000.0 * round / count) * 1e3;

        while (now_us() < old)
            sleep_ms(AGE_MS / 10);
        for (int k = 0; k < PEERS; k++) {
            int p = (round + k) % PEERS;
            double begin = now_us();

            if (lines[p].server == 0)
                continue;
            kill(lines[p].server, SIGKILL);
            lines[p].server = wait_ready(b);
            table_add(t, RESTARTS, (enum peer)p, now_us() - begin);
        }
    }
    sigaction(SIGCHLD, &former, NULL);
}

void
measure_lines(struct bed *b, struct table *t)
{
    static struct line lines[PEERS];

    for (int p = 0; p < PEERS; p++)
        if (p != OURS_BEHIND && peer_is_there((enum peer)p)) {
            lines[p].instance = peer_prepare(b, (enum peer)p, false);
            lines[p].server = start_instance(b, &lines[p].instance);
            sleep_ms(300); /* until what is left of the start is gone */
            find_beside(b, lines, p);
        }
    measure_wakeups(lines, t);
    measure_statuses(b, lines, t);
    measure_restarts(b, lines, t);
    end_children();
}
