/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Figures of supervision, beside the supervisors that Debian has; of a thousand supervised servers;
 * and of real servers, from serving to "started".
 *
 *   supervisors MARKDOWN VORTEX SLEEPER CHATTER
 *
 * It runs in namespaces of its own, with the peers (VORTEX_BENCH_PEERS) laid over /usr, so nothing
 * outside is touched, and whatever it leaves is gone with it. Needs root.
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
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define START_ROUNDS   20
#define STOP_ROUNDS    12
#define RESTART_ROUNDS 12
#define LOG_ROUNDS     5
#define TEN            10

/* Nobody delays the restart of a server that lived so long: runit and s6 1 s, daemon 1 s. */
#define AGE_MS 2100

void
write_file(const char *path, const char *text)
{
    FILE *out = fopen(path, "we");

    if (out == NULL || fputs(text, out) < 0 || fclose(out) != 0)
        die(path, strerror(errno));
}

/* Never freed: it is little, and this program's end is near. */
char *
text_of(const char *format, ...)
{
    char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        die("vasprintf", NULL);
    va_end(arguments);
    return text;
}

static void
sleep_ms(int ms)
{
    (void)poll(NULL, 0, ms);
}

/* ---- One server -------------------------------------------------------------------------- */

pid_t
wait_ready(const struct bed *b)
{
    const struct world w = {.ready = READY, .ready_fd = b->ready_fd};
    struct pollfd p = {.fd = b->ready_fd, .events = POLLIN};
    pid_t pid;

    do
        if (poll(&p, 1, LIMIT_MS) <= 0)
            die("a server", "it does not come");
    while (read_ready(&w, &pid, 1) != 1);
    return pid;
}

/* Those who stay in the foreground are the children of this process, as others by adoption. */
static pid_t
start(const struct bed *b, const struct instance *i)
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

    (void)start(b, &i);
    table_add(t, STARTS, p, now_us() - begin);
    end_children();
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

static void
take_stop(struct bed *b, struct table *t, enum peer p)
{
    struct instance i = peer_prepare(b, p, false);
    pid_t server = start(b, &i), tool;
    struct pollfd ends[2] = {{.fd = pidfd_of(server), .events = POLLIN}, {.events = POLLIN}};
    const struct sigaction reaping = {.sa_handler = reap, .sa_flags = SA_NOCLDSTOP};
    struct sigaction former;
    const char *words[WORDS];
    double begin;

    sleep_ms(50); /* `vortex run` has said ready by then, and so have all */
    peer_stop_command(b, &i, words);
    begin = now_us();
    tool = spawn(words, -1, -1);
    ends[1].fd = pidfd_of(tool);
    sigaction(SIGCHLD, &reaping, &former);
    reap(SIGCHLD);
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

/* ---- All at once ------------------------------------------------------------------------- */

/* One server of each, killed in turns whenever all are old enough. */
static void
measure_restarts(struct bed *b, struct table *t)
{
    pid_t servers[PEERS] = {0};

    for (int p = 0; p < PEERS; p++)
        if (p != OURS_BEHIND && peer_is_there((enum peer)p)) {
            struct instance i = peer_prepare(b, (enum peer)p, false);

            servers[p] = start(b, &i);
        }
    for (int round = 0; round < RESTART_ROUNDS; round++) {
        sleep_ms(AGE_MS);
        for (int k = 0; k < PEERS; k++) {
            int p = (round + k) % PEERS;
            double begin = now_us();

            if (servers[p] == 0)
                continue;
            kill(servers[p], SIGKILL);
            servers[p] = wait_ready(b);
            table_add(t, RESTARTS, (enum peer)p, now_us() - begin);
        }
    }
    end_children();
}

/* ---- Memory ------------------------------------------------------------------------------ */

static double
pss_kib(const char *pid)
{
    char line[128];
    double kib = 0;
    FILE *in = fopen(text_of("/proc/%s/smaps_rollup", pid), "re");

    while (in != NULL && fgets(line, sizeof(line), in) != NULL)
        if (sscanf(line, "Pss: %lf", &kib) == 1)
            break;
    if (in != NULL)
        fclose(in);
    return kib;
}

double
supervisors_kib(const struct bed *b)
{
    DIR *stream = opendir("/proc");
    struct dirent *entry;
    double sum = 0;

    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        char program[512] = "";

        if (entry->d_name[0] < '1' || entry->d_name[0] > '9' || atoi(entry->d_name) == getpid())
            continue;
        if (readlink(text_of("/proc/%s/exe", entry->d_name), program, sizeof(program) - 1) > 0
            && strcmp(program, b->sleeper) != 0)
            sum += pss_kib(entry->d_name);
    }
    if (stream != NULL)
        closedir(stream);
    return sum;
}

static void
take_memory(struct bed *b, struct table *t, enum peer p)
{
    if (p == SUPERVISORD) {
        struct instance i = peer_prepare_ten(b);

        (void)start(b, &i);
    }
    for (int n = 0; n < TEN && p != SUPERVISORD; n++) {
        struct instance i = peer_prepare(b, p, false);

        (void)start(b, &i);
    }
    sleep_ms(1500); /* until what is left of the starts is gone, and supervisord's ten are there */
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

    (void)start(b, &i);
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
take_turns(struct bed *b, struct table *t, int rounds, sampler *sample, unsigned without)
{
    for (int i = 0; i < rounds; i++)
        for (int k = 0; k < PEERS; k++) {
            enum peer p = (enum peer)((i + k) % PEERS);

            if (peer_is_there(p) && !(without >> p & 1))
                sample(b, t, p);
        }
}

/* ---- A place of its own ------------------------------------------------------------------ */

static void
enter(char **argv)
{
    /* For all that is measured, as by `chrt -f 1`: other work would decide who is first. */
    const struct sched_param first = {.sched_priority = 1};
    const char *words[32] = {"unshare",      "--mount",      "--pid",         "--net",   "--fork",
                             "--kill-child", "--mount-proc", "--propagation", "private", NULL};
    int count = 9;

    if (getenv("VORTEX_SUPERVISORS") != NULL)
        return;
    if (geteuid() != 0) {
        printf("SKIPPED: supervisors: needs root\n");
        exit(77);
    }
    (void)sched_setscheduler(0, SCHED_FIFO, &first);
    setenv("VORTEX_SUPERVISORS", "inside", 1);
    for (; *argv != NULL && count < 31; argv++)
        words[count++] = *argv;
    execvp(words[0], (char *const *)(uintptr_t)words);
    die(words[0], strerror(errno));
}

static void
furnish(void)
{
    const char *peers = getenv("VORTEX_BENCH_PEERS");
    struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (mount("bench", "/run", "tmpfs", 0, NULL) < 0 || mkdir(PLACE, 0755) < 0)
        die("/run", strerror(errno));
    if (peers == NULL
        || mount("peers", "/usr", "overlay", MS_RDONLY, text_of("lowerdir=%s:/usr", peers)) < 0)
        fprintf(stderr, "bench: no peers: %s\n",
                peers != NULL ? strerror(errno) : "VORTEX_BENCH_PEERS is not set");
    mkdir("/run/openrc", 0755);
    mkdir("/run/openrc/options", 0755);
    mkdir("/run/openrc/daemons", 0755);
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &loopback) < 0)
        die("lo", strerror(errno));
    close(fd);
    setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
    setenv("BENCH_READY", READY, 1);
    setenv("CHATTER_MIB", text_of("%d", LOG_MIB), 1);
}

static const char *
absolute(const char *path)
{
    const char *real = realpath(path, NULL);

    if (real == NULL)
        die(path, strerror(errno));
    return real;
}

int
main(int argc, char **argv)
{
    static struct table table;
    struct bed b = {.ready_fd = -1};
    FILE *markdown;
    int failed;

    if (argc != 5) {
        fprintf(stderr, "usage: supervisors MARKDOWN VORTEX SLEEPER CHATTER\n");
        return 2;
    }
    enter(argv);
    b.vortex = absolute(argv[2]);
    b.sleeper = absolute(argv[3]);
    b.chatter = absolute(argv[4]);
    markdown = fopen(argv[1], "we");
    if (markdown == NULL)
        die(argv[1], strerror(errno));
    furnish();
    if (mkfifo(READY, 0600) < 0 || (b.ready_fd = open(READY, O_RDWR | O_NONBLOCK | O_CLOEXEC)) < 0)
        die(READY, strerror(errno));
    (void)come_first();
    take_turns(&b, &table, START_ROUNDS, take_start, 0);
    take_turns(&b, &table, STOP_ROUNDS, take_stop, 1U << OURS_BEHIND);
    measure_restarts(&b, &table);
    take_turns(&b, &table, 1, take_memory, 1U << OURS_BEHIND);
    take_turns(&b, &table, LOG_ROUNDS, take_log, 1U << OURS_BEHIND | 1U << OPENRC);
    table_text(&table, stdout);
    table_markdown(&table, markdown);
    failed = measure_thousand(&b, markdown);
    measure_serving(&b, markdown);
    if (fclose(markdown) != 0)
        die(argv[1], strerror(errno));
    printf("written: %s\n", argv[1]);
    return failed;
}
