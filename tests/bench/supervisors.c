/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Figures of supervision, beside the supervisors that Debian has; of a thousand supervised servers;
 * and of real servers, from serving to "started".
 *
 *   supervisors JSON VORTEX SLEEPER CHATTER
 *
 * It runs in a layer of its own (layer.c), and so needs root.
 *
 * All are measured in turns. A server is there at the moment at which its main() has written to a
 * FIFO; it is dead when its pidfd says so.
 */
#include "supervisors.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define START_ROUNDS 15
#define STOP_ROUNDS  10
#define LOG_ROUNDS   3
#define TEN          10

void
sleep_ms(int ms)
{
    (void)poll(NULL, 0, ms);
}

/* As init would, at once: some look for a supervisor's end by its number. */
static void
reap(int signal_number)
{
    int error = errno;

    (void)signal_number;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    errno = error;
}

void
begin_reaping(struct sigaction *former)
{
    const struct sigaction reaping = {.sa_handler = reap, .sa_flags = SA_NOCLDSTOP};

    sigaction(SIGCHLD, &reaping, former);
    reap(SIGCHLD);
}

/* ---- One server -------------------------------------------------------------------------- */

pid_t
wait_ready(const struct bed *b)
{
    const struct world w = {.ready = READY, .ready_fd = b->ready_fd};
    struct pollfd p = {.fd = b->ready_fd, .events = POLLIN};
    pid_t pid;

    do {
        int r = poll(&p, 1, LIMIT_MS);

        if (r == 0 || (r < 0 && errno != EINTR)) /* by begin_reaping's signal */
            die("a server", "it does not come");
    } while (read_ready(&w, &pid, 1) != 1);
    return pid;
}

pid_t
start_instance(const struct bed *b, const struct instance *i)
{
    const char *words[WORDS];

    peer_start_command(b, i, words);
    (void)spawn(words, -1, -1);
    return wait_ready(b);
}

static void
take_start(struct bed *b, struct table *t, enum peer p)
{
    struct instance i = peer_prepare(b, p, false);
    double begin = now_us();

    (void)start_instance(b, &i);
    table_add(t, STARTS, p, now_us() - begin);
    end_children();
}

static void
take_stop(struct bed *b, struct table *t, enum peer p)
{
    struct instance i = peer_prepare(b, p, false);
    pid_t server = start_instance(b, &i), tool;
    struct pollfd ends[2] = {{.fd = pidfd_of(server), .events = POLLIN}, {.events = POLLIN}};
    struct sigaction former;
    const char *words[WORDS];
    double begin;

    sleep_ms(50); /* `vortex run` has said ready by then, and so have all */
    peer_stop_command(b, &i, words);
    begin = now_us();
    tool = spawn(words, -1, -1);
    ends[1].fd = pidfd_of(tool);
    begin_reaping(&former);
    for (int left = 2; left > 0;) {
        int r = poll(ends, 2, LIMIT_MS);

        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            die(words[0], "it does not stop its server");
        if ((ends[1].revents & POLLIN) && ends[0].fd >= 0 && !(ends[0].revents & POLLIN))
            t->early[p]++;
        for (int k = 0; k < 2; k++)
            if (ends[k].revents & POLLIN) {
                close(ends[k].fd);
                ends[k].fd = -1;
                left--;
            }
    }
    table_add(t, STOPS, p, now_us() - begin);
    sigaction(SIGCHLD, &former, NULL);
    end_children();
}

/* ---- Memory ------------------------------------------------------------------------------ */

static void
take_memory(struct bed *b, struct table *t, enum peer p)
{
    bool one = peer_is_one_for_all(p);

    if (one) {
        struct instance i = peer_prepare_many(b, p, TEN);

        (void)start_instance(b, &i);
    }
    for (int n = 0; n < TEN && !one; n++) {
        struct instance i = peer_prepare(b, p, false);

        (void)start_instance(b, &i);
    }
    sleep_ms(1500); /* until what is left of the starts is gone, and one's ten are there */
    while (poll(&(struct pollfd){.fd = b->ready_fd, .events = POLLIN}, 1, 0) > 0)
        (void)wait_ready(b);
    table_add(t, MEMORY, p, supervisors_kib(b) / TEN);
    end_children();
}

/* ---- Logs -------------------------------------------------------------------------------- */

static bool
has_end(const char *log)
{
    char text[8] = "";
    int fd = open(log, O_RDONLY | O_CLOEXEC);
    struct stat st;
    bool has = fd >= 0 && fstat(fd, &st) == 0 && st.st_size >= 8
               && pread(fd, text, 8, st.st_size - 8) == 8 && memcmp(text, "the end\n", 8) == 0;

    if (fd >= 0)
        close(fd);
    return has;
}

static void
take_log(struct bed *b, struct table *t, enum peer p)
{
    struct instance i = peer_prepare(b, p, true);
    double begin;

    (void)start_instance(b, &i);
    begin = now_us();
    while (!has_end(i.log)) {
        if (now_us() - begin > LIMIT_MS * 1e3)
            die(peer_name(p), "its log does not end");
        sleep_ms(1);
    }
    table_add(t, LOGGING, p, now_us() - begin);
    end_children();
    if (system(text_of("rm -rf %s", i.directory)) != 0) /* it holds memory */
        die("rm", NULL);
}

/* ---- In turns ---------------------------------------------------------------------------- */

typedef void sampler(struct bed *b, struct table *t, enum peer p);

static void
take_turns(struct bed *b, struct table *t, int full, sampler *sample, unsigned without)
{
    for (int i = 0, count = rounds(full); i < count; i++)
        for (int k = 0; k < PEERS; k++) {
            enum peer p = (enum peer)((i + k) % PEERS);

            if (peer_is_there(p) && !(without >> p & 1))
                sample(b, t, p);
        }
}

/* ---- A place of its own ------------------------------------------------------------------ */

static void
furnish(void)
{
    struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (mount("bench", "/run", "tmpfs", 0, NULL) < 0 || mkdir(PLACE, 0755) < 0)
        die("/run", strerror(errno));
    mkdir("/run/openrc", 0755);
    mkdir("/run/openrc/options", 0755);
    mkdir("/run/openrc/daemons", 0755);
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &loopback) < 0)
        die("lo", strerror(errno));
    close(fd);
    setenv("BENCH_READY", READY, 1);
    setenv("CHATTER_MIB", text_of("%d", LOG_MIB), 1);
}

int
main(int argc, char **argv)
{
    /* For all that is measured, as by `chrt -f 1`: other work would decide who is first. */
    const struct sched_param first = {.sched_priority = 1};
    static struct table table;
    struct bed b = {.ready_fd = -1};
    FILE *json;
    int failed;

    if (argc != 5) {
        fprintf(stderr, "usage: supervisors JSON VORTEX SLEEPER CHATTER\n");
        return 2;
    }
    (void)sched_setscheduler(0, SCHED_FIFO, &first);
    enter_layer(argv);
    b.vortex = absolute(argv[2]);
    b.sleeper = absolute(argv[3]);
    b.chatter = absolute(argv[4]);
    json = fopen(argv[1], "we");
    if (json == NULL)
        die(argv[1], strerror(errno));
    furnish();
    if (mkfifo(READY, 0600) < 0 || (b.ready_fd = open(READY, O_RDWR | O_NONBLOCK | O_CLOEXEC)) < 0)
        die(READY, strerror(errno));
    (void)come_first();
    take_turns(&b, &table, START_ROUNDS, take_start, 0);
    take_turns(&b, &table, STOP_ROUNDS, take_stop, 1U << OURS_BEHIND);
    measure_lines(&b, &table);
    take_turns(&b, &table, 1, take_memory, 1U << OURS_BEHIND);
    take_turns(&b, &table, LOG_ROUNDS, take_log, 1U << OURS_BEHIND | 1U << OPENRC | 1U << MONIT);
    table_text(&table, stdout);
    table_json(&table, json);
    failed = measure_thousands(&b, json);
    measure_serving(&b, json);
    if (fclose(json) != 0)
        die(argv[1], strerror(errno));
    printf("written: %s\n", argv[1]);
    return failed;
}
