/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How an instance fares, as JSON. Part of say.c's room: it prints. Its members are described in
 * vortex-status.schema.json, and stay as they are.
 */
#include <inttypes.h>
#include <stdio.h>

#include "cmd/cmd.h"
#include "host/escape.h"

static void
string(const char *text)
{
    char piece[ESCAPE_MAX];
    size_t n;

    putchar('"');
    for (; (n = escape_next(text, ESCAPE_JSON, piece)) > 0; text += n)
        printf("%s", piece);
    putchar('"');
}

static void
member(const char *name, const char *value)
{
    printf(", \"%s\": ", name);
    if (value[0] == '\0')
        printf("null");
    else
        string(value);
}

static void
number(const char *name, int64_t value, bool known)
{
    if (known)
        printf(", \"%s\": %" PRId64, name, value);
    else
        printf(", \"%s\": null", name);
}

static void
truth(const char *name, bool value, bool known)
{
    printf(", \"%s\": %s", name, !known ? "null" : value ? "true" : "false");
}

void
say_status_json(const struct status *s, bool comma)
{
    printf("{\"name\": ");
    string(s->name);
    member("verdict", status_word(s->verdict));
    member("reason", s->reason);
    member("phase", s->phase);
    member("not_ready", s->not_ready);
    number("pid", s->pid, s->pid != 0);
    number("server_pid", s->server_pid, s->server_pid != 0);
    number("restarts", s->restarts, true);
    number("next_restart_in_ms", s->next_restart_ms, s->next_restart_ms >= 0);
    member("last_exit", s->exit);
    number("last_exit_code", s->exit_code, s->exit_code >= 0);
    member("last_exit_signal", s->exit_signal);
    truth("last_exit_core", s->exit_core, s->exit_signal[0] != '\0');
    member("health", s->health);
    number("health_failures", s->health_failures, s->health_limit > 0);
    number("health_limit", s->health_limit, s->health_limit > 0);
    member("health_answer", s->health_answer);
    member("status", s->status);
    member("log", s->log);
    member("since", s->since);
    number("uptime_ms", s->uptime_ms, s->uptime_ms >= 0);
    member("manager", s->manager);
    member("command", s->command);
    number("memory_bytes", s->memory_bytes, s->memory_bytes >= 0);
    member("pidfile", s->pidfile);
    number("exit_status", status_exit(s), true);
    printf("}%s\n", comma ? "," : "");
}
