/* SPDX-License-Identifier: Apache-2.0 */
/* How all instances fare, as Prometheus reads it. Part of say.c's room: it prints. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "host/escape.h"

/* ---- Numbers ----------------------------------------------------------------------------- */

static double
up(const struct status *s)
{
    return status_lives(s);
}

static double
ready(const struct status *s)
{
    return status_lives(s) && strcmp(s->phase, "ready") == 0;
}

static double
restarts(const struct status *s)
{
    return (double)s->restarts;
}

static double
next_restart(const struct status *s)
{
    return s->next_restart_ms < 0 ? -1 : (double)s->next_restart_ms / 1000;
}

static double
exit_code(const struct status *s)
{
    return (double)s->exit_code;
}

static double
healthy(const struct status *s)
{
    if (strcmp(s->health, "ok") == 0)
        return 1;
    return strcmp(s->health, "failing") == 0 ? 0 : -1;
}

static double
health_failures(const struct status *s)
{
    return healthy(s) < 0 ? -1 : (double)s->health_failures;
}

static double
uptime(const struct status *s)
{
    return s->uptime_ms < 0 ? -1 : (double)s->uptime_ms / 1000;
}

static double
memory(const struct status *s)
{
    return (double)s->memory_bytes;
}

static const struct {
    const char *name, *type, *help;
    double (*value)(const struct status *s); /* negative: not known, and not said */
    int decimals;
} metrics[] = {
    {"vortex_up", "gauge", "Whether the instance is running.", up, 0},
    {"vortex_ready", "gauge", "Whether the server is ready.", ready, 0},
    {"vortex_restarts_total", "counter", "How often the server was started again.", restarts, 0},
    {"vortex_next_restart_seconds", "gauge", "In how long the server is started again.",
     next_restart, 3},
    {"vortex_last_exit_code", "gauge", "Exit status of the server when it last ended by itself.",
     exit_code, 0},
    {"vortex_healthy", "gauge", "Whether the last health check held.", healthy, 0},
    {"vortex_health_failures", "gauge", "How many health checks in a row have failed.",
     health_failures, 0},
    {"vortex_uptime_seconds", "gauge", "Age of the process that the pidfile names.", uptime, 3},
    {"vortex_memory_bytes", "gauge", "Resident memory of that process.", memory, 0},
};

/* ---- Words ------------------------------------------------------------------------------- */

struct label {
    const char *name, *value;
};

/* {instance="web",phase="ready"}; a label without a value is left out. */
static void
say_labels(const struct status *s, const struct label *labels, size_t count)
{
    struct label instance = {"instance", s->name};

    for (size_t i = 0; i <= count; i++) {
        const struct label *label = i == 0 ? &instance : &labels[i - 1];
        const char *text = label->value;
        char piece[ESCAPE_MAX];
        size_t n;

        if (text[0] == '\0')
            continue;
        printf("%s%s=\"", i == 0 ? "{" : ",", label->name);
        for (; (n = escape_next(text, ESCAPE_LABEL, piece)) > 0; text += n)
            printf("%s", piece);
        putchar('"');
    }
    printf("} ");
}

/* Words are labels of a metric that is always 1. */
static void
say_info(const struct status *s)
{
    const struct label labels[] = {
        {"verdict", status_word(s->verdict)},
        {"phase", s->phase},
        {"health", s->health},
        {"manager", s->manager},
        {"log", s->log},
    };

    printf("vortex_instance_info");
    say_labels(s, labels, sizeof(labels) / sizeof(labels[0]));
    printf("1\n");
}

static void
say_reason(const struct status *s)
{
    const struct label labels[] = {
        {"not_ready", s->not_ready},
        {"health_answer", s->health_answer},
        {"last_exit", s->exit},
        {"status", s->status},
    };

    if (s->not_ready[0] == '\0' && s->health_answer[0] == '\0' && s->exit[0] == '\0'
        && s->status[0] == '\0')
        return;
    printf("vortex_instance_reason_info");
    say_labels(s, labels, sizeof(labels) / sizeof(labels[0]));
    printf("1\n");
}

static void
say_header(const char *name, const char *type, const char *help)
{
    printf("# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void
say_prometheus(const struct status *all, size_t count)
{
    for (size_t m = 0; m < sizeof(metrics) / sizeof(metrics[0]); m++) {
        say_header(metrics[m].name, metrics[m].type, metrics[m].help);
        for (size_t i = 0; i < count; i++) {
            double value = metrics[m].value(&all[i]);

            if (value < 0)
                continue;
            printf("%s", metrics[m].name);
            say_labels(&all[i], NULL, 0);
            printf("%.*f\n", metrics[m].decimals, value);
        }
    }
    say_header("vortex_instance_info", "gauge", "What an instance is, in words.");
    for (size_t i = 0; i < count; i++)
        say_info(&all[i]);
    say_header("vortex_instance_reason_info", "gauge", "Why an instance fares so, in words.");
    for (size_t i = 0; i < count; i++)
        say_reason(&all[i]);
}
