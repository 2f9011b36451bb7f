/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From serving to "started": a client asks in a tight loop, beside `vortex start`. The lag is that
 * from its first answer to the command's return, negative where the client had no processor then.
 * At the return it is asked once more: where nobody answers, the command was too early.
 */
#include "supervisors.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define GOAL_MS 20
#define NOBODY  65534
#define PLACE_  PLACE "/serving"

enum ask { ASK_TCP, ASK_POSTGRES };

struct server {
    const char *name;
    const char *program; /* in VORTEX_TEST_SERVERS/bin; NULL: it is there */
    const char *config;
    enum ask ask;
    int port;
    int rounds;
};

static const char late[] = "import os, socket, sys, time\n"
                           "time.sleep(float(sys.argv[2]))\n"
                           "s = socket.create_server(('127.0.0.1', int(sys.argv[1])))\n"
                           "name = os.environ.get('NOTIFY_SOCKET')\n"
                           "if name:\n"
                           "    word = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
                           "    word.connect('\\0' + name[1:] if name[0] == '@' else name)\n"
                           "    word.send(b'READY=1')\n"
                           "while True:\n"
                           "    s.accept()[0].close()\n";

static const char nginx[] =
    "pid " PLACE_ "/nginx.pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n"
    "client_body_temp_path " PLACE_ "/t1; proxy_temp_path " PLACE_ "/t2;\n"
    "fastcgi_temp_path " PLACE_ "/t3; uwsgi_temp_path " PLACE_ "/t4; scgi_temp_path " PLACE_
    "/t5;\nserver { listen 127.0.0.1:8002; location / { return 200 'the page'; } }\n}\n";

static const struct server servers[] = {
    {"redis (tcp)", "redis-server",
     "[server]\ncommand = " PLACE_ "/bin/redis-server --bind 127.0.0.1 --port 8001 --save ''\n"
     "directory = " PLACE_ "\n[log]\ntarget = none\n[ready]\nwhen = tcp:127.0.0.1:8001\n",
     ASK_TCP, 8001, 15},
    {"nginx (http)", "nginx",
     "[server]\ncommand = " PLACE_ "/bin/nginx -e stderr -p " PLACE_ " -c " PLACE_
     "/nginx.conf -g 'daemon off;'\n[ready]\nwhen = http://127.0.0.1:8002/\n",
     ASK_TCP, 8002, 15},
    {"PostgreSQL (exec: pg_isready)", "pg_isready",
     "[server]\ncommand = " PLACE_ "/bin/postgres -D " PLACE_ "/db -h '' -k " PLACE_
     "/db\nuser = 65534\n"
     "group = 65534\ndirectory = " PLACE_ "/db\n[stop]\nsignal = INT\n[log]\ntarget = none\n"
     "[ready]\nwhen = exec:" PLACE_ "/bin/pg_isready -q -h " PLACE_ "/db -U postgres\n",
     ASK_POSTGRES, 0, 9},
    {"Python, listens after 2 s (tcp)", NULL,
     "[server]\ncommand = /usr/bin/python3 " PLACE_ "/late.py 8004 2\n"
     "[ready]\nwhen = tcp:127.0.0.1:8004\n",
     ASK_TCP, 8004, 9},
    {"Python, sd_notify", NULL,
     "[server]\ncommand = /usr/bin/python3 " PLACE_ "/late.py 8005 0\n[ready]\nwhen = notify\n",
     ASK_TCP, 8005, 15},
};

/* ---- The client -------------------------------------------------------------------------- */

static bool
is_accepted(const struct sockaddr *address, socklen_t length, int *ret_fd)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (connect(fd, address, length) < 0) {
        close(fd);
        return false;
    }
    *ret_fd = fd;
    return true;
}

static bool
answers_tcp(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons((uint16_t)port)};
    int fd = -1;
    bool is = is_accepted((struct sockaddr *)&address, sizeof(address), &fd);

    if (is)
        close(fd);
    return is;
}

/* It accepts before it serves: then it says E for error, and not R. */
static bool
answers_postgres(void)
{
    static const char hello[] = "\0\0\0\x17\0\3\0\0user\0postgres\0"; /* and the literal's NUL */
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = PLACE_ "/db/.s.PGSQL.5432"};
    char answer = 0;
    int fd = -1;

    if (!is_accepted((struct sockaddr *)&address, sizeof(address), &fd))
        return false;
    if (send(fd, hello, sizeof(hello), MSG_NOSIGNAL) != sizeof(hello) || read(fd, &answer, 1) != 1)
        answer = 0;
    close(fd);
    return answer == 'R';
}

static bool
answers(const struct server *s)
{
    return s->ask == ASK_TCP ? answers_tcp(s->port) : answers_postgres();
}

static pid_t
begin_client(const struct server *s, int *ret_out)
{
    int ends[2];
    pid_t pid;

    if (pipe(ends) < 0)
        die("pipe", strerror(errno));
    pid = fork();
    if (pid == 0) {
        double now;

        while (!answers(s))
            ;
        now = now_us();
        _exit(write(ends[1], &now, sizeof(now)) != sizeof(now));
    }
    close(ends[1]);
    *ret_out = ends[0];
    return pid;
}

/* ---- Rounds ------------------------------------------------------------------------------ */

#define COMMAND(verb)                                                                              \
    ((const char *const[]){b->vortex, verb, "-c", PLACE_ "/conf", "-p", PLACE_ "/pid", NULL})

static double
lag_of(const struct bed *b, const struct server *s, int *before)
{
    int out, status;
    double answered = 0, returned;
    pid_t client = begin_client(s, &out), tool = spawn(COMMAND("start"), -1, -1);
    struct pollfd end = {.fd = pidfd_of(tool), .events = POLLIN};

    if (poll(&end, 1, 2 * LIMIT_MS) <= 0)
        die(s->name, "vortex start does not return");
    returned = now_us();
    *before += !answers(s);
    close(end.fd);
    if (waitpid(tool, &status, 0) != tool || status != 0)
        die(s->name, "vortex start failed");
    if (read(out, &answered, sizeof(answered)) != sizeof(answered))
        die(s->name, "it does not answer");
    close(out);
    waitpid(client, NULL, 0);
    run_timed(COMMAND("stop"));
    end_children();
    return returned - answered;
}

static void
make_database(const char *bin)
{
    mkdir(PLACE_ "/db", 0700);
    if (chown(PLACE_ "/db", NOBODY, NOBODY) < 0)
        die("chown", strerror(errno));
    run_timed((const char *const[]){"/usr/bin/setpriv", "--reuid", "65534", "--regid", "65534",
                                    "--clear-groups", text_of("%s/initdb", bin), "-D", PLACE_ "/db",
                                    "-A", "trust", "-U", "postgres", "--no-locale", "--no-sync",
                                    NULL});
}

static void
measure_server(const struct bed *b, const struct server *s, const char *bin, FILE *json)
{
    struct samples lags = {.count = 0};
    int before = 0;
    double median;

    if (s->program != NULL
        && (bin == NULL || access(text_of("%s/%s", bin, s->program), X_OK) < 0)) {
        printf("  %-34s  not there\n", s->name);
        return;
    }
    if (s->ask == ASK_POSTGRES)
        make_database(bin);
    write_file(PLACE_ "/conf", s->config);
    for (int i = 0, count = rounds(s->rounds); i < count; i++) {
        double lag = lag_of(b, s, &before);

        samples_add(&lags, lag / 1e3);
    }
    median = samples_median(&lags);
    printf("  %-34s  %8.2f  %8.2f  %8d  %5d  %s\n", s->name, median, samples_quantile(&lags, 100),
           before, lags.count, median <= GOAL_MS && before == 0 ? "met" : "MISSED");
    samples_json(&lags, "serving", s->name, json);
    share_json(before, lags.count, "serving_before", s->name, json);
    fflush(stdout);
}

void
measure_serving(const struct bed *b, FILE *json)
{
    const char *unpacked = getenv("VORTEX_TEST_SERVERS");
    const char *bin = unpacked != NULL ? text_of("%s/bin", unpacked) : NULL;

    if (mkdir(PLACE_, 0711) < 0)
        die(PLACE_, strerror(errno));
    if (bin != NULL && symlink(bin, PLACE_ "/bin") < 0)
        die(bin, strerror(errno));
    write_file(PLACE_ "/late.py", late);
    write_file(PLACE_ "/nginx.conf", nginx);
    printf("\nfrom a client's first answer to vortex start's return, ms (goal: median %d, never "
           "before)\n  %-34s  %8s  %8s  %8s  %5s\n",
           GOAL_MS, "", "median", "most", "before", "n");
    for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++)
        measure_server(b, &servers[i], bin, json);
}
