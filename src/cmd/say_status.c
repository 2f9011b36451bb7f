/* SPDX-License-Identifier: Apache-2.0 */
/* How an instance fares, as text and as JSON. Part of say.c's room: it prints. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"

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

static bool
lives(const struct status *s)
{
    return s->verdict == VORTEX_RUNNING || s->verdict == VORTEX_ORPHANED;
}

static void
row(const char *name, const char *value)
{
    if (value[0] != '\0')
        printf("  %-8s %s\n", name, value);
}

static void
say_holders(const struct status *s)
{
    vortex_pid pids[16];
    int count = vortex_pidfile_holders(s->pidfile, pids, 16);

    for (int i = 0; i < count; i++)
        printf("  %-8s pid %" PRId64 "\n", "held by", pids[i]);
}

void
say_status(const struct status *s)
{
    char value[128], span[64];

    if (s->verdict == VORTEX_RUNNING && (s->phase[0] == '\0' || strcmp(s->phase, "ready") == 0))
        printf("%s: running\n", s->name);
    else if (s->verdict == VORTEX_RUNNING)
        printf("%s: running (%s)\n", s->name, s->phase);
    else
        printf("%s: %s: %s\n", s->name, status_word(s->verdict), s->reason);
    if (s->pid != 0) {
        snprintf(value, sizeof(value), "%" PRId64, s->pid);
        row(lives(s) ? "pid" : "last pid", value);
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
    row("last end", s->exit);
    row("status", s->status);
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

/* ---- For programs ------------------------------------------------------------------------ */

/* How many bytes of a well-formed UTF-8 sequence stand there; 0: it is none. */
static size_t
utf8_length(const unsigned char *p)
{
    size_t length = p[0] < 0x80 ? 1 : p[0] < 0xC2 ? 0 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;

    if (p[0] > 0xF4)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    /* overlong forms, surrogates, beyond U+10FFFF */
    if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F)
        || (p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F))
        return 0;
    return length;
}

static void
json_string(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;

    putchar('"');
    while (*p != '\0') {
        size_t length = utf8_length(p);

        if (length == 0) {
            printf("\\ufffd");
            p++;
        } else if (*p == '"' || *p == '\\') {
            printf("\\%c", *p++);
        } else if (*p < 0x20) {
            printf("\\u%04x", *p++);
        } else {
            printf("%.*s", (int)length, (const char *)p);
            p += length;
        }
    }
    putchar('"');
}

static void
json_member(const char *name, const char *value)
{
    printf(", \"%s\": ", name);
    if (value[0] == '\0')
        printf("null");
    else
        json_string(value);
}

static void
json_number(const char *name, int64_t value, bool known)
{
    if (known)
        printf(", \"%s\": %" PRId64, name, value);
    else
        printf(", \"%s\": null", name);
}

void
say_status_json(const struct status *s, bool comma)
{
    printf("{\"name\": ");
    json_string(s->name);
    json_member("verdict", status_word(s->verdict));
    json_member("reason", s->reason);
    json_member("phase", s->phase);
    json_number("pid", s->pid, s->pid != 0);
    json_number("server_pid", s->server_pid, s->server_pid != 0);
    json_number("restarts", s->restarts, true);
    json_member("last_exit", s->exit);
    json_member("status", s->status);
    json_member("since", s->since);
    json_number("uptime_ms", s->uptime_ms, s->uptime_ms >= 0);
    json_member("manager", s->manager);
    json_member("command", s->command);
    json_number("memory_bytes", s->memory_bytes, s->memory_bytes >= 0);
    json_member("pidfile", s->pidfile);
    json_number("exit_status", status_exit(s), true);
    printf("}%s\n", comma ? "," : "");
}

/* ---- Metrics ----------------------------------------------------------------------------- */

/* A label's value: Prometheus' text format escapes these two and the newline, which none holds. */
static void
label(const struct status *s)
{
    printf("{instance=\"%s\"} ", s->name); /* names hold neither quotes nor backslashes */
}

static void
metric(const char *name, const char *type, const char *help)
{
    printf("# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void
say_prometheus(const struct status *all, size_t count)
{
    metric("vortex_up", "gauge", "Whether the instance is running.");
    for (size_t i = 0; i < count; i++) {
        printf("vortex_up");
        label(&all[i]);
        printf("%d\n", lives(&all[i]));
    }
    metric("vortex_ready", "gauge", "Whether the server is ready.");
    for (size_t i = 0; i < count; i++) {
        printf("vortex_ready");
        label(&all[i]);
        printf("%d\n", lives(&all[i]) && strcmp(all[i].phase, "ready") == 0);
    }
    metric("vortex_restarts_total", "counter", "How often the server was started again.");
    for (size_t i = 0; i < count; i++) {
        printf("vortex_restarts_total");
        label(&all[i]);
        printf("%" PRId64 "\n", all[i].restarts);
    }
    metric("vortex_uptime_seconds", "gauge", "Age of the process that the pidfile names.");
    for (size_t i = 0; i < count; i++) {
        if (all[i].uptime_ms < 0)
            continue;
        printf("vortex_uptime_seconds");
        label(&all[i]);
        printf("%.3f\n", (double)all[i].uptime_ms / 1000);
    }
    metric("vortex_memory_bytes", "gauge", "Resident memory of that process.");
    for (size_t i = 0; i < count; i++) {
        if (all[i].memory_bytes < 0)
            continue;
        printf("vortex_memory_bytes");
        label(&all[i]);
        printf("%" PRId64 "\n", all[i].memory_bytes);
    }
}

/* ---- Many -------------------------------------------------------------------------------- */

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
        printf("%-*s  %-11s  %7s  %-10s  %s\n", (int)width, s->name, status_word(s->verdict), pid,
               span, lives(s) ? s->command : s->reason);
    }
}
