/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisors: how each is told to keep one server, with the smallest delay before a restart
 * that it allows, and how an administrator stops it.
 */
#include "supervisors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *name;
    const char *program;
} peers[PEERS] = {
    [OURS] = {"vortex run", NULL},
    [OURS_BEHIND] = {"vortex start", NULL},
    [RUNIT] = {"runit", "/usr/bin/runsv"},
    [S6] = {"s6", "/usr/bin/s6-supervise"},
    [SUPERVISORD] = {"supervisord", "/usr/bin/supervisord"},
    [DAEMON] = {"daemon", "/usr/bin/daemon"},
    [OPENRC] = {"supervise-daemon", "/usr/sbin/supervise-daemon"},
    [MONIT] = {"monit", "/usr/bin/monit"},
};

#define PYTHON "/usr/bin/python3"

bool
peer_is_there(enum peer p)
{
    return peers[p].program == NULL || access(peers[p].program, X_OK) == 0;
}

const char *
peer_name(enum peer p)
{
    return peers[p].name;
}

/* ---- Their files ------------------------------------------------------------------------- */

static void
make_directory(const char *path)
{
    if (mkdir(path, 0755) < 0)
        die(path, strerror(errno));
}

static void
make_link(const char *target, const char *path)
{
    if (symlink(target, path) < 0)
        die(path, strerror(errno));
}

static void
prepare_ours(const char *directory, const char *server, bool chatters)
{
    char *log = text_of("[log]\nfile = %s/log\nmax-size = 16M\nkeep = 3\n", directory);
    char *text = text_of("[server]\ncommand = %s %s\nsupervise = yes\n"
                         "[restart]\npolicy = always\ndelay = 0s..0s\n%s",
                         server, READY, chatters ? log : "");

    write_file(text_of("%s/conf", directory), text);
}

/* run is the server itself: a shell in between would be the shell's time. */
static void
prepare_directory(const char *directory, const char *server, const char *logger)
{
    make_link(server, text_of("%s/run", directory));
    if (logger == NULL)
        return;
    make_directory(text_of("%s/log", directory));
    write_file(text_of("%s/log/run", directory), text_of("#!/bin/sh\nexec %s\n", logger));
    chmod(text_of("%s/log/run", directory), 0755);
}

static void
prepare_runit(const char *directory, const char *server, bool chatters)
{
    char *logs = text_of("%s/logs", directory);

    prepare_directory(directory, server, chatters ? text_of("svlogd %s", logs) : NULL);
    make_directory(logs);
    write_file(text_of("%s/config", logs), "s16777216\nn3\n");
}

/* s6-svscan makes the pipe to a logger, and starts both. */
static void
prepare_s6(const char *directory, const char *server, bool chatters)
{
    char *service = chatters ? text_of("%s/service", directory) : text_of("%s", directory);

    if (chatters)
        make_directory(service);
    prepare_directory(service, server,
                      chatters ? text_of("s6-log n3 s16777216 %s/logs", directory) : NULL);
}

static FILE *
create(const char *path)
{
    FILE *out = fopen(path, "we");

    if (out == NULL)
        die(path, strerror(errno));
    return out;
}

static void
prepare_supervisord(const char *directory, const char *server, bool chatters, int count)
{
    char *log = chatters ? text_of("%s/log", directory) : text_of("NONE");
    FILE *out = create(text_of("%s/conf", directory));

    fprintf(out,
            "[supervisord]\nnodaemon=true\nminfds=%d\nlogfile=/dev/null\nlogfile_maxbytes=0\n"
            "user=root\npidfile=%s/pid\n[unix_http_server]\nfile=%s/sock\n"
            "[supervisorctl]\nserverurl=unix://%s/sock\n[rpcinterface:supervisor]\n"
            "supervisor.rpcinterface_factory = "
            "supervisor.rpcinterface:make_main_rpcinterface\n",
            1024 + 8 * count, directory, directory, directory);
    for (int i = 0; i < count; i++)
        fprintf(out,
                "[program:server%d]\ncommand=%s %s\nautorestart=true\nstartsecs=0\n"
                "stdout_logfile=%s\nstdout_logfile_maxbytes=16MB\n"
                "stdout_logfile_backups=3\nstderr_logfile=NONE\n",
                i, server, READY, log);
    fclose(out);
}

/* It watches what others start and stop; and may look once a second at the most. */
static void
prepare_monit(const char *directory, const char *server, int count)
{
    char *conf = text_of("%s/conf", directory);
    FILE *out = create(conf);

    fprintf(out,
            "set daemon 1\nset pidfile %s/monit\nset idfile %s/id\nset statefile %s/state\n"
            "set httpd unixsocket %s/sock allow bench:bench\n",
            directory, directory, directory, directory);
    for (int i = 0; i < count; i++)
        fprintf(out,
                "check process server%d with pidfile %s/pid%d\n"
                "start program = \"/usr/bin/daemonize -p %s/pid%d %s %s\"\n"
                "stop program = \"/sbin/start-stop-daemon --stop --pidfile %s/pid%d\"\n",
                i, directory, i, directory, i, server, READY, directory, i);
    fclose(out);
    chmod(conf, 0600);
}

static struct instance
new_instance(struct bed *b, enum peer p)
{
    struct instance i = {.peer = p};

    snprintf(i.directory, sizeof(i.directory), "%s/%d", PLACE, b->count++);
    make_directory(i.directory);
    return i;
}

struct instance
peer_prepare(struct bed *b, enum peer p, bool chatters)
{
    struct instance i = new_instance(b, p);
    const char *server = chatters ? b->chatter : b->sleeper, *log = "log";

    switch (p) {
    case RUNIT:
        prepare_runit(i.directory, server, chatters);
        log = "logs/current";
        break;
    case S6:
        prepare_s6(i.directory, server, chatters);
        log = "logs/current";
        break;
    case SUPERVISORD:
        prepare_supervisord(i.directory, server, chatters, 1);
        break;
    case MONIT:
        prepare_monit(i.directory, server, 1);
        break;
    case DAEMON:
    case OPENRC:
        break;
    default:
        prepare_ours(i.directory, server, chatters);
        break;
    }
    i.server = server;
    snprintf(i.log, sizeof(i.log), "%s/%s", i.directory, log);
    return i;
}

bool
peer_is_one_for_all(enum peer p)
{
    return p == SUPERVISORD || p == MONIT;
}

struct instance
peer_prepare_many(struct bed *b, enum peer p, int count)
{
    struct instance i = new_instance(b, p);

    i.server = b->sleeper;
    if (p == SUPERVISORD)
        prepare_supervisord(i.directory, b->sleeper, false, count);
    else if (p == MONIT)
        prepare_monit(i.directory, b->sleeper, count);
    for (int n = 0; n < count && (p == RUNIT || p == S6); n++) {
        const char *directory = text_of("%s/server%04d", i.directory, n);

        make_directory(directory);
        prepare_directory(directory, b->sleeper, NULL);
    }
    return i;
}

/* ---- Their commands ---------------------------------------------------------------------- */

/* Of supervise-daemon, which finds its control pipe by it. */
static const char *
service_of(const struct instance *i)
{
    const char *name = strrchr(i->directory, '/') + 1;

    setenv("RC_SVCNAME", name, 1);
    return name;
}

void
peer_start_command(const struct bed *b, const struct instance *i, const char *words[WORDS])
{
    bool chatters = i->server == b->chatter;
    const char *conf = text_of("%s/conf", i->directory), *pid = text_of("%s/pid", i->directory);

    switch (i->peer) {
    case OURS:
    case OURS_BEHIND:
        PUT(words, b->vortex, i->peer == OURS ? "run" : "start", "-c", conf, "-p", pid);
        break;
    case RUNIT:
        PUT(words, peers[RUNIT].program, i->directory);
        break;
    case S6:
        PUT(words, chatters ? "/usr/bin/s6-svscan" : peers[S6].program, i->directory);
        break;
    case SUPERVISORD:
        PUT(words, PYTHON, peers[SUPERVISORD].program, "-c", conf);
        break;
    case DAEMON: /* without more it is as if --output were given thus */
        PUT(words, peers[DAEMON].program, "-N", "-n", "server", "-F", pid, "--respawn", "--idiot",
            "--acceptable=1", "-o", chatters ? i->log : "/dev/null", "--", i->server, READY);
        break;
    case MONIT:
        PUT(words, peers[MONIT].program, "-I", "-c", conf);
        break;
    default:
        PUT(words, peers[OPENRC].program, service_of(i), "--pidfile", pid, "--respawn-max", "0",
            "--start", b->sleeper, "--", READY);
        break;
    }
}

void
peer_stop_command(const struct bed *b, const struct instance *i, const char *words[WORDS])
{
    const char *conf = text_of("%s/conf", i->directory), *pid = text_of("%s/pid", i->directory);

    switch (i->peer) {
    case OURS:
    case OURS_BEHIND:
        PUT(words, b->vortex, "stop", "-c", conf, "-p", pid);
        break;
    case RUNIT:
        PUT(words, "/usr/bin/sv", "stop", i->directory);
        break;
    case S6:
        PUT(words, "/usr/bin/s6-svc", "-wd", "-d", i->directory);
        break;
    case SUPERVISORD:
        PUT(words, PYTHON, "/usr/bin/supervisorctl", "-c", conf, "stop", "server0");
        break;
    case DAEMON:
        PUT(words, peers[DAEMON].program, "-N", "-n", "server", "-F", pid, "--stop");
        break;
    case MONIT:
        PUT(words, peers[MONIT].program, "-c", conf, "stop", "server0");
        break;
    default:
        PUT(words, peers[OPENRC].program, service_of(i), "--pidfile", pid, "--stop", b->sleeper);
        break;
    }
}

bool
peer_status_command(const struct bed *b, const struct instance *i, const char *words[WORDS])
{
    const char *conf = text_of("%s/conf", i->directory), *pid = text_of("%s/pid", i->directory);

    switch (i->peer) {
    case OURS:
        PUT(words, b->vortex, "status", "-c", conf, "-p", pid);
        return true;
    case RUNIT:
        PUT(words, "/usr/bin/sv", "status", i->directory);
        return true;
    case S6:
        PUT(words, "/usr/bin/s6-svstat", i->directory);
        return true;
    case SUPERVISORD:
        PUT(words, PYTHON, "/usr/bin/supervisorctl", "-c", conf, "status");
        return true;
    case DAEMON:
        PUT(words, peers[DAEMON].program, "-N", "-n", "server", "-F", pid, "--running");
        return true;
    case MONIT:
        PUT(words, peers[MONIT].program, "-c", conf, "summary");
        return true;
    default:
        return false;
    }
}

/* ---- Many -------------------------------------------------------------------------------- */

void
peer_scan_command(const struct instance *i, const char *words[WORDS])
{
    if (i->peer == RUNIT)
        PUT(words, "/usr/bin/runsvdir", i->directory);
    else
        PUT(words, "/usr/bin/s6-svscan", "-c", "10000", i->directory);
}

const char *
peer_list_command(const struct instance *i)
{
    switch (i->peer) {
    case RUNIT:
        return text_of("sv status %s/*", i->directory);
    case S6:
        return text_of("for d in %s/*; do s6-svstat $d; done", i->directory);
    case SUPERVISORD:
        return text_of("exec %s /usr/bin/supervisorctl -c %s/conf status", PYTHON, i->directory);
    case MONIT:
        return text_of("exec monit -c %s/conf summary", i->directory);
    default:
        return NULL;
    }
}
