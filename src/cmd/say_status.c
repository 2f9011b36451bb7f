/* SPDX-License-Identifier: Apache-2.0 */
/* How an instance fares, as text. Part of say.c's room: it prints. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "host/escape.h"

/* ---- For people -------------------------------------------------------------------------- */

/* The two largest units: "3 d 4 h", "2 h 3 min", "12 s". */
static void
format_span(int64_t ms, char *buf, size_t size)
{
    int64_t s = ms / 1000;

    if (s >= 86400)
        snprintf(buf, size, "%" PRId64 " d %" PRId64 " h", s / 86400, s / 3600 % 24);
    else if (s >= 3600)
        snprintf(buf, size, "%" PRId64 " h %" PRId64 " min", s / 3600, s / 60 % 60);
    else if (s >= 60)
        snprintf(buf, size, "%" PRId64 " min %" PRId64 " s", s / 60, s % 60);
    else
        snprintf(buf, size, "%" PRId64 " s", s);
}

static void
format_bytes(int64_t bytes, char *buf, size_t size)
{
    double mib = (double)bytes / (1024 * 1024);

    if (mib >= 1024)
        snprintf(buf, size, "%.1f GiB", mib / 1024);
    else if (mib >= 1)
        snprintf(buf, size, "%.1f MiB", mib);
    else
        snprintf(buf, size, "%.0f KiB", mib * 1024);
}

/* What a state holds was written by others. */
static void
say_text(const char *text)
{
    char piece[ESCAPE_MAX];
    size_t n;

    for (; (n = escape_next(text, ESCAPE_TERMINAL, piece)) > 0; text += n)
        printf("%s", piece);
}

static void
row(const char *name, const char *value)
{
    if (value[0] == '\0')
        return;
    printf("  %-8s ", name);
    say_text(value);
    putchar('\n');
}

static void
say_holders(const struct status *s)
{
    vortex_pid pids[16];
    int count = vortex_pidfile_holders(s->pidfile, pids, 16);

    for (int i = 0; i < count; i++)
        printf("  %-8s pid %" PRId64 "\n", "held by", pids[i]);
}

/* "web: running (starting: tcp 127.0.0.1:80: Connection refused)" */
static void
say_verdict(const struct status *s)
{
    char span[64];

    printf("%s: %s", s->name, status_word(s->verdict));
    if (s->verdict != VORTEX_RUNNING) {
        printf("%s: %s\n", strcmp(s->phase, "failed") == 0 ? " (failed)" : "", s->reason);
        return;
    }
    if (s->next_restart_ms >= 0) {
        format_span(s->next_restart_ms, span, sizeof(span));
        printf(" (next restart in %s)", span);
    } else if (s->phase[0] != '\0' && strcmp(s->phase, "ready") != 0) {
        printf(" (");
        say_text(s->phase);
        printf("%s", s->not_ready[0] != '\0' ? ": " : "");
        say_text(s->not_ready);
        putchar(')');
    }
    putchar('\n');
}

static void
say_health(const struct status *s)
{
    char value[320];

    if (s->health_limit > 0)
        snprintf(value, sizeof(value), "failing %" PRId64 " of %" PRId64 ": %s", s->health_failures,
                 s->health_limit, s->health_answer);
    else if (s->health_answer[0] != '\0')
        snprintf(value, sizeof(value), "%s: %s", s->health, s->health_answer);
    else
        snprintf(value, sizeof(value), "%s", s->health);
    row("health", value);
}

static void
say_exit(const struct status *s)
{
    char value[64];

    if (s->exit_core)
        snprintf(value, sizeof(value), "signal %s (core dumped)", s->exit_signal);
    else
        snprintf(value, sizeof(value), "%s", s->exit);
    row("last end", value);
}

void
say_status(const struct status *s)
{
    char value[128], span[64];

    say_verdict(s);
    if (s->pid != 0) {
        snprintf(value, sizeof(value), "%" PRId64, s->pid);
        row(status_lives(s) ? "pid" : "last pid", value);
    }
    if (s->verdict == VORTEX_RUNNING && s->server_pid != 0) {
        snprintf(value, sizeof(value), "%" PRId64, s->server_pid);
        row("server", value);
    }
    if (s->since[0] != '\0' && s->uptime_ms >= 0) {
        format_span(s->uptime_ms, span, sizeof(span));
        snprintf(value, sizeof(value), "%s (%s)", s->since, span);
        row("since", value);
    } else {
        row("since", s->since);
    }
    row("manager", s->manager);
    if (s->memory_bytes >= 0) {
        format_bytes(s->memory_bytes, value, sizeof(value));
        row("memory", value);
    }
    if (s->restarts > 0) {
        snprintf(value, sizeof(value), "%" PRId64, s->restarts);
        row("restarts", value);
    }
    say_exit(s);
    say_health(s);
    row("status", s->status);
    row("log", s->log);
    row("command", s->command);
    row("pidfile", s->pidfile);
    if (s->verdict == VORTEX_BUSY)
        say_holders(s);
}

void
say_mode(struct instance *instance)
{
    const struct launch_request request = {.instance = instance,
                                           .command = instance->config.command};
    const char *reason = supervise_reason(&request);

    if (reason != NULL)
        printf("mode: supervise, because of %s\n", reason);
    else if (request.command != NULL)
        printf("mode: exec\n");
    else
        printf("mode: built-in server\n");
}

/* ---- Many -------------------------------------------------------------------------------- */

/* One word. */
static const char *
state_word(const struct status *s)
{
    static const char *const phases[] = {"starting", "reloading", "stopping", "stopped"};

    if (s->verdict == VORTEX_NOT_RUNNING && strcmp(s->phase, "failed") == 0)
        return "failed";
    if (s->verdict != VORTEX_RUNNING)
        return status_word(s->verdict);
    if (s->next_restart_ms >= 0)
        return "waiting";
    for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++)
        if (strcmp(s->phase, phases[i]) == 0)
            return phases[i];
    return strcmp(s->health, "failing") == 0 ? "unhealthy" : status_word(s->verdict);
}

/* Its command, or what is worth more attention. */
static void
say_remark(const struct status *s)
{
    char span[64];

    if (!status_lives(s)) {
        say_text(strcmp(s->phase, "failed") == 0 && s->status[0] != '\0' ? s->status : s->reason);
    } else if (s->next_restart_ms >= 0) {
        format_span(s->next_restart_ms, span, sizeof(span));
        printf("next restart in %s, last end: ", span);
        say_text(s->exit);
    } else if (s->not_ready[0] != '\0') {
        say_text(s->not_ready);
    } else {
        say_text(strcmp(s->health, "failing") == 0 ? s->health_answer : s->command);
    }
    putchar('\n');
}

void
say_list(const struct status *all, size_t count)
{
    size_t width = 4;

    for (size_t i = 0; i < count; i++)
        if (strlen(all[i].name) > width)
            width = strlen(all[i].name);
    printf("%-*s  %-11s  %7s  %-10s  %s\n", (int)width, "NAME", "STATE", "PID", "UP", "COMMAND");
    for (size_t i = 0; i < count; i++) {
        const struct status *s = &all[i];
        char pid[24] = "-", span[64] = "-";

        if (s->pid != 0)
            snprintf(pid, sizeof(pid), "%" PRId64, s->pid);
        if (s->uptime_ms >= 0)
            format_span(s->uptime_ms, span, sizeof(span));
        printf("%-*s  %-11s  %7s  %-10s  ", (int)width, s->name, state_word(s), pid, span);
        say_remark(s);
    }
}
