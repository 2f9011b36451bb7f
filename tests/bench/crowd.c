/* SPDX-License-Identifier: Apache-2.0 */
/* Many start one server at one instant: how many servers run then? */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS       30
#define STARTERS     50
#define CHILDREN_MAX 1024

/* Servers that have said that they run. */
struct servers {
    pid_t pids[CHILDREN_MAX];
    int count;
};

static bool
all_are_servers(const struct servers *s, const pid_t *children, int count)
{
    for (int i = 0; i < count; i++) {
        bool found = false;

        for (int k = 0; k < s->count && !found; k++)
            found = s->pids[k] == children[i];
        if (!found)
            return false;
    }
    return true;
}

/*
 * Wait until all starters, and what they left in between, have become servers or gone. What a
 * starter leaves becomes this process's child; the kernel's list of them may miss one while
 * another exits, so it must say so twice.
 */
static void
wait_until_settled(const struct world *w, struct servers *s)
{
    double end = now_us() + LIMIT_MS * 1e3;

    for (int agreed = 0; agreed < 2;) {
        pid_t children[CHILDREN_MAX];
        int count;

        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        s->count += read_ready(w, s->pids + s->count, CHILDREN_MAX - s->count);
        count = list_children(children, CHILDREN_MAX);
        agreed = all_are_servers(s, children, count) ? agreed + 1 : 0;
        if (agreed == 0)
            (void)poll(&(struct pollfd){.fd = w->ready_fd, .events = POLLIN}, 1, 2);
        if (now_us() > end)
            die("fifty starters", "they do not come to an end");
    }
}

static void
play_round(struct bench *b, enum tool t)
{
    struct race *race = &b->r->race[t];
    struct servers servers = {.count = 0};
    const char *words[WORDS];
    int gate[2];

    start_command(b, t, b->w->lock, words);
    if (pipe2(gate, O_CLOEXEC) < 0)
        die("pipe", strerror(errno));
    for (int i = 0; i < STARTERS; i++)
        spawn(words, gate[0], -1);
    if (write(gate[1], "", 1) != 1) /* now, all at once: nobody reads it, so all see it */
        die("pipe", strerror(errno));
    close(gate[0]);
    close(gate[1]);
    wait_until_settled(b->w, &servers);
    race->rounds++;
    race->several += servers.count > 1;
    race->none += servers.count == 0;
    race->most = servers.count > race->most ? servers.count : race->most;
    end_children();
    remove_files(b->w);
}

void
measure_crowd(struct bench *b)
{
    b->r->starters = STARTERS;
    for (int i = 0, count = rounds(ROUNDS); i < count; i++)
        for (int t = 0; t < EMPTY; t++)
            if (b->path[t] != NULL)
                play_round(b, (enum tool)t);
}
