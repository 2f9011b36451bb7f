/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A systemd unit made from an instance's configuration. What systemd can do itself is said in its
 * words, and vortex execs the server; what it can't do keeps vortex as the supervisor.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "host/unit.h"

#define STOP_MARGIN_MS   5000 /* beyond a supervisor's own sequence, for what is left then */
#define NO_CONFIG        "/dev/null"
#define START_DEFAULT_MS 90000 /* systemd's */
#define RUN              "/run/"
#define SHARED           "/run/vortex/"

/* ---- Writing ----------------------------------------------------------------------------- */

struct writer {
    char *buf;
    size_t size, length;
};

static void put(struct writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void
put(struct writer *w, const char *format, ...)
{
    va_list ap;
    int n;

    va_start(ap, format);
    n = vsnprintf(w->buf + w->length, w->size - w->length, format, ap);
    va_end(ap);
    if (n > 0)
        w->length += (size_t)n < w->size - w->length ? (size_t)n : w->size - w->length - 1;
}

/* A word as systemd's command lines and Environment= take it: systemd.syntax(7). */
static void
put_quoted(struct writer *w, const char *word, bool expands)
{
    put(w, "\"");
    for (; *word != '\0'; word++) {
        if (*word == '"' || *word == '\\')
            put(w, "\\%c", *word);
        else if (*word == '%' || (*word == '$' && expands))
            put(w, "%c%c", *word, *word);
        else if (*word == '\n')
            put(w, "\\n");
        else
            put(w, "%c", *word);
    }
    put(w, "\"");
}

static void
put_time(struct writer *w, const char *key, int ms)
{
    if (ms < 0)
        put(w, "%s=infinity\n", key);
    else if (ms % 1000 == 0)
        put(w, "%s=%d\n", key, ms / 1000);
    else
        put(w, "%s=%dms\n", key, ms);
}

static void
put_word(struct writer *w, const char *word)
{
    put(w, " ");
    put_quoted(w, word, true);
}

/* ---- The command ------------------------------------------------------------------------- */

static void
put_vortex(struct writer *w, const struct unit_request *request, const char *key, const char *verb)
{
    put(w, "%s=%s %s", key, request->program, verb);
    put_word(w, request->instance->name);
}

static void
put_exec_mode(struct writer *w, const struct unit_request *request, const char *pidfile)
{
    const struct config *config = &request->instance->config;

    put_vortex(w, request, "ExecStart", "run");
    put(w, " -c " NO_CONFIG " -p");
    put_word(w, pidfile);
    put(w, " --");
    for (char *const *word = config->command; *word != NULL; word++)
        put_word(w, *word);
    put(w, "\n");
    put_vortex(w, request, "ExecReload", "signal");
    put(w, " -s %s -c " NO_CONFIG " -p", os_signal_name(config->reload_signal));
    put_word(w, pidfile);
    put(w, "\n");
    if (strcmp(pidfile, request->instance->pidfile) != 0)
        return; /* systemd removes it with its directory */
    put_vortex(w, request, "ExecStopPost", "stop --clean");
    put(w, " -c " NO_CONFIG " -p");
    put_word(w, pidfile);
    put(w, "\n");
}

static void
put_supervised(struct writer *w, const struct unit_request *request)
{
    put_vortex(w, request, "ExecStart", "run");
    put(w, " -c");
    put_word(w, request->instance->config_path);
    put(w, "\n");
    put_vortex(w, request, "ExecReload", "reload --direct");
    put(w, " -c");
    put_word(w, request->instance->config_path);
    put(w, "\n");
}

/* ---- What systemd does itself ------------------------------------------------------------ */

static void
put_limit_value(struct writer *w, int64_t limit)
{
    if (limit == OS_LIMIT_INFINITY)
        put(w, "infinity");
    else
        put(w, "%" PRId64, limit);
}

/* "limit-nofile" is LimitNOFILE=; both count in the same units. */
static void
put_limits(struct writer *w, const struct os_limit *limits)
{
    for (int kind = 0; kind < OS_LIMIT_KINDS; kind++) {
        const char *key = config_limit_key((enum os_limit_kind)kind) + strlen("limit-");

        if (!limits[kind].is_set)
            continue;
        put(w, "Limit");
        for (; *key != '\0'; key++)
            put(w, "%c", *key - 'a' + 'A');
        put(w, "=");
        put_limit_value(w, limits[kind].soft);
        put(w, ":");
        put_limit_value(w, limits[kind].hard);
        put(w, "\n");
    }
}

static void
put_scheduling(struct writer *w, const struct config *config)
{
    static const char *const classes[] = {NULL, "none", "realtime", "best-effort", "idle"};
    int first = 0;

    if (config->nice != OS_NICE_KEEP)
        put(w, "Nice=%d\n", config->nice);
    if (config->oom_score_adjust != OS_OOM_KEEP)
        put(w, "OOMScoreAdjust=%d\n", config->oom_score_adjust);
    if (config->io_class != OS_IO_KEEP)
        put(w, "IOSchedulingClass=%s\n", classes[config->io_class]);
    if (config->io_priority >= 0)
        put(w, "IOSchedulingPriority=%d\n", config->io_priority);
    if (config->cpus == NULL)
        return;
    put(w, "CPUAffinity=");
    for (int cpu = 0; cpu < OS_CPUS_MAX; cpu++)
        if (config->cpus->bits[cpu / 64] >> (cpu % 64) & 1)
            put(w, "%s%d", first++ == 0 ? "" : " ", cpu);
    put(w, "\n");
}

static void
put_identity(struct writer *w, const struct config *config)
{
    if (config->user != NULL)
        put(w, "User=%s\n", config->user);
    if (config->group != NULL)
        put(w, "Group=%s\n", config->group);
    for (char *const *group = config->groups; group != NULL && *group != NULL; group++)
        put(w, "SupplementaryGroups=%s\n", *group);
    if (config->no_new_privileges)
        put(w, "NoNewPrivileges=yes\n");
    if (config->directory != NULL)
        put(w, "WorkingDirectory=%s\n", config->directory);
    if (config->umask >= 0)
        put(w, "UMask=%04o\n", (unsigned)config->umask);
    put_limits(w, config->limits);
    put_scheduling(w, config);
    if (config->log != NULL)
        put(w, "StandardOutput=append:%s\nStandardError=inherit\n", config->log);
    for (char *const *e = config->environment; e != NULL && *e != NULL; e++) {
        put(w, "Environment=");
        put_quoted(w, *e, false);
        put(w, "\n");
    }
}

static void
put_restart(struct writer *w, const struct policy_settings *restart)
{
    if (restart->policy == RESTART_NO)
        return;
    put(w, "Restart=%s\n", restart->policy == RESTART_ALWAYS ? "always" : "on-failure");
    put_time(w, "RestartSec", restart->delay_min_ms);
    if (restart->no_restart_count > 0)
        put(w, "RestartPreventExitStatus=");
    for (size_t i = 0; i < restart->no_restart_count; i++)
        put(w, "%d%s", restart->no_restart_on[i], i + 1 < restart->no_restart_count ? " " : "\n");
}

/* In [Unit]: systemd gives up by itself where vortex is not told to. */
static void
put_restart_limit(struct writer *w, const struct policy_settings *restart)
{
    if (restart->policy == RESTART_NO)
        return;
    if (restart->limit == 0) {
        put(w, "StartLimitIntervalSec=0\n");
        return;
    }
    put_time(w, "StartLimitIntervalSec", restart->limit_ms);
    put(w, "StartLimitBurst=%d\n", restart->limit + 1); /* the first start is counted too */
}

/* ---- What only a supervisor does --------------------------------------------------------- */

int
unit_stop_ms(const struct config *config)
{
    int64_t total = config->stop_timeout_ms;

    if (config->sequence[0].signal != 0)
        total = 0;
    for (const struct stop_step *step = config->sequence; step->signal != 0; step++)
        total = step->timeout_ms < 0 || total < 0 ? -1 : total + step->timeout_ms;
    return total < 0 || total > INT32_MAX - STOP_MARGIN_MS ? -1 : (int)total + STOP_MARGIN_MS;
}

/*
 * What is in the directory that all instances share would be that user's: systemd gives it to the
 * unit's. So a server of another user gets a directory of its own.
 */
static void
find_pidfile(const struct unit_request *request, bool is_supervised, char *buf, size_t size)
{
    const struct instance *instance = request->instance;
    const char *name = instance->name;

    if (!is_supervised && instance->config.user != NULL
        && strncmp(instance->pidfile, SHARED, strlen(SHARED)) == 0)
        snprintf(buf, size, RUN "%s/%s.pid", name, name);
    else
        snprintf(buf, size, "%s", instance->pidfile);
}

/*
 * No PIDFile=: when the main process ends systemd would take whoever stands in that file for it, and
 * end that one at the stop. A directory of its own for a user who could not make it below /run.
 */
static void
put_runtime_directory(struct writer *w, const struct unit_request *request, const char *pidfile)
{
    if (strcmp(pidfile, request->instance->pidfile) == 0)
        return;
    put(w, "# With [pidfile] path = %s 'vortex status %s' finds it.\n", pidfile,
        request->instance->name);
    put(w, "RuntimeDirectory=%s\n", request->instance->name);
}

static void
put_service(struct writer *w, const struct unit_request *request, const char *reason)
{
    const struct config *config = &request->instance->config;
    char pidfile[OS_PATH_MAX];

    find_pidfile(request, reason != NULL, pidfile, sizeof(pidfile));
    put(w, "\n[Service]\nType=notify\n");
    if (reason != NULL) {
        put(w, "# vortex stays as the supervisor, for %s.\n", reason);
        put_supervised(w, request);
        if (config->store_max > 0)
            put(w, "FileDescriptorStoreMax=%d\n", config->store_max);
        put_time(w, "TimeoutStopSec", unit_stop_ms(config));
        put(w, "# It stops what it hosts by itself; what is left after that is killed.\n"
               "KillMode=mixed\n");
    } else {
        put_exec_mode(w, request, pidfile);
        put(w, "KillSignal=SIG%s\n", os_signal_name(config->stop_signal));
        put_time(w, "TimeoutStopSec", config->stop_timeout_ms);
        put_identity(w, config);
        put_restart(w, &config->restart);
    }
    put_time(w, "TimeoutStartSec", reason != NULL ? config->ready_timeout_ms : START_DEFAULT_MS);
    put_runtime_directory(w, request, pidfile);
}

bool
unit_write(const struct unit_request *request, char *buf, size_t size)
{
    const struct config *config = &request->instance->config;
    const char *reason = beyond_exec(config);
    struct writer w = {buf, size, 0};

    put(&w, "[Unit]\nDescription=%s, hosted by vortex\nDocumentation=man:vortex(1)\n",
        request->instance->name);
    put(&w, "After=network.target\n");
    if (reason == NULL)
        put_restart_limit(&w, &config->restart);
    put_service(&w, request, reason);
    put(&w, "\n[Install]\nWantedBy=multi-user.target\n");
    if (request->listen != NULL)
        put(&w,
            "\n# ---- The socket, a file of its own: NAME.socket beside NAME.service.\n"
            "[Unit]\nDescription=Socket of %s\n\n[Socket]\nListenStream=%s\n\n"
            "[Install]\nWantedBy=sockets.target\n",
            request->instance->name, request->listen);
    return w.length + 1 < w.size;
}
