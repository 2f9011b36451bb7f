/* SPDX-License-Identifier: Apache-2.0 */
/* Medians, ratios, and three ways to print them. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

static const struct {
    const char *key;    /* in JSON */
    const char *name;   /* for people */
    enum measure floor; /* where its turn's empty programs are; MEASURES: none compares */
    unsigned lacks;     /* tools without such a command, as bits */
} measures[MEASURES] = {
    [START_PIDFILE] = {"start_pidfile", "start, until the pidfile names the living server",
                       START_RETURNS, 0},
    [START_RUNS] = {"start_runs", "start, until the server's main() runs", START_RETURNS, 0},
    [START_RETURNS] = {"start_returns", "start, until the command returns", START_RETURNS, 0},
    [STOP_LAG] = {"stop_lag", "stop, from the server's death to the return", MEASURES,
                  1U << DAEMONIZE},
    [STOP_WHOLE] = {"stop_whole", "stop, the whole command", STOP_WHOLE, 1U << DAEMONIZE},
    [STATUS] = {"status", "status of a running server", STATUS, 1U << DAEMONIZE},
    [LIST] = {"list", "list of 1,000 running servers", LIST, 1U << DAEMONIZE | 1U << SSD},
};

static const struct {
    const char *key;
    const char *name;
} tools[TOOLS] = {
    [VORTEX] = {"vortex", "vortex"},
    [DAEMONIZE] = {"daemonize", "daemonize"},
    [SSD] = {"start_stop_daemon", "start-stop-daemon"},
    [EMPTY] = {"empty", "empty C program"},
    [STATIC] = {"empty_static", "empty C program, static"},
};

/* ---- Figures ----------------------------------------------------------------------------- */

void
report_add(struct report *r, enum measure m, enum tool t, double us)
{
    struct samples *s = &r->samples[m][t];

    if (r->warming)
        return;
    if (s->count == SAMPLES_MAX)
        die("report", "too many samples");
    s->us[s->count++] = us;
}

void
report_early(struct report *r, enum tool t)
{
    if (!r->warming)
        r->early[t]++;
}

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The sample below which that part of them is, by nearest rank. 0: there are none. */
static double
quantile(struct report *r, enum measure m, enum tool t, int percent)
{
    struct samples *s = &r->samples[m][t];

    if (s->count == 0)
        return 0;
    qsort(s->us, (size_t)s->count, sizeof(s->us[0]), by_value);
    return s->us[(s->count * percent + 99) / 100 - 1];
}

static double
median(struct report *r, enum measure m, enum tool t)
{
    return quantile(r, m, t, 50);
}

static double
ratio(double a, double b)
{
    return b > 0 ? a / b : 0;
}

static double
to_floor(struct report *r, enum measure m, enum tool t)
{
    enum measure floor = measures[m].floor;

    return floor == MEASURES ? 0 : ratio(median(r, m, t), median(r, floor, EMPTY));
}

static bool
has_samples(const struct report *r, enum measure m, enum tool t)
{
    return r->samples[m][t].count > 0;
}

/* ---- The table --------------------------------------------------------------------------- */

static void
print_machine(const struct report *r, FILE *out)
{
    struct utsname system;

    if (uname(&system) == 0)
        fprintf(out, "%s %s %s, %ld processors", system.sysname, system.release, system.machine,
                sysconf(_SC_NPROCESSORS_ONLN));
    if (r->load >= 0)
        fprintf(out, ", load average %.1f before", r->load);
    if (!r->real_time)
        fprintf(out, ", harness without real-time priority");
    if (r->steady)
        fprintf(out, ", all with real-time priority");
}

static void
print_ratio(double value, FILE *out)
{
    if (value > 0)
        fprintf(out, "  %8.2f", value);
    else
        fprintf(out, "  %8s", "-");
}

static void
print_row(struct report *r, enum measure m, enum tool t, FILE *out)
{
    fprintf(out, "  %-24s", tools[t].name);
    if (!has_samples(r, m, t)) {
        fprintf(out, "  %s\n", r->missing[t]);
        return;
    }
    fprintf(out, "  %8.3f  %8.3f  %8.3f", quantile(r, m, t, 10) / 1e3, median(r, m, t) / 1e3,
            quantile(r, m, t, 95) / 1e3);
    print_ratio(to_floor(r, m, t), out);
    print_ratio(ratio(median(r, m, t), median(r, m, VORTEX)), out);
    fprintf(out, "  %5d\n", r->samples[m][t].count);
}

static void
print_crowd(const struct report *r, FILE *out)
{
    fprintf(out, "\n%d simultaneous starts on one pidfile\n  %-24s  %6s  %12s  %10s  %7s\n",
            r->starters, "", "rounds", "two or more", "no server", "most at");
    fprintf(out, "  %-24s  %6s  %12s  %10s  %7s\n", "", "", "servers in", "in", "once");
    for (int t = 0; t <= SSD; t++) {
        const struct race *race = &r->race[t];
        const char *name = t == DAEMONIZE ? "daemonize -l" : tools[t].name;

        if (race->rounds == 0)
            fprintf(out, "  %-24s  %s\n", name, r->missing[t]);
        else
            fprintf(out, "  %-24s  %6d  %12d  %10d  %7d\n", name, race->rounds, race->several,
                    race->none, race->most);
    }
}

/* It would have had a row, were it there. */
static bool
is_missed(const struct report *r, enum measure m, enum tool t)
{
    return r->missing[t] != NULL && !(measures[m].lacks >> t & 1)
           && (t < EMPTY || measures[m].floor == m);
}

void
report_text(struct report *r, FILE *out)
{
    print_machine(r, out);
    fprintf(
        out,
        "\nmilliseconds; / empty: the median in times that of the empty C program, / vortex: in "
        "times vortex's\n");
    for (int m = 0; m < MEASURES; m++) {
        fprintf(out, "\n%s\n  %-24s  %8s  %8s  %8s  %8s  %8s  %5s\n", measures[m].name, "", "p10",
                "median", "p95", "/ empty", "/ vortex", "n");
        for (int t = 0; t < TOOLS; t++)
            if (has_samples(r, m, t) || is_missed(r, (enum measure)m, (enum tool)t))
                print_row(r, m, t, out);
    }
    fprintf(out, "\nstarts that returned while the pidfile named no process of the server yet\n");
    for (int t = 0; t <= SSD; t++)
        if (has_samples(r, START_RETURNS, t))
            fprintf(out, "  %-24s  %8d of %d\n", tools[t].name, r->early[t],
                    r->samples[START_RETURNS][t].count);
        else
            fprintf(out, "  %-24s  %s\n", tools[t].name, r->missing[t]);
    print_crowd(r, out);
}

/* ---- Goals ------------------------------------------------------------------------------- */

static void
print_goal(FILE *out, const char *what, double value, double limit, const char *unit)
{
    fprintf(out, "  %-50s %8.2f <= %.2f %-9s %s\n", what, value, limit, unit,
            value <= limit ? "met" : "MISSED");
}

/* On a busy machine a median is as much its neighbours'. */
static void
print_caution(const struct report *r, FILE *out)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    if (r->load > (double)processors)
        fprintf(out,
                "  caution: other work had the machine (load average %.1f on %ld processors): "
                "repeat when it is idle\n",
                r->load, processors);
}

void
report_goals(struct report *r, FILE *out)
{
    /* Not START_RETURNS: daemonize's return says nothing, its pidfile is not there yet. */
    static const enum measure starts[] = {START_PIDFILE, START_RUNS};

    fprintf(out, "\ngoals, by medians\n");
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        enum measure m = starts[i];

        if (has_samples(r, m, DAEMONIZE))
            print_goal(out, measures[m].name, ratio(median(r, m, VORTEX), median(r, m, DAEMONIZE)),
                       1.05, "daemonize");
        else
            fprintf(out, "  %-50s daemonize: %s\n", measures[m].name, r->missing[DAEMONIZE]);
    }
    if (r->real_time)
        print_goal(out, measures[STOP_LAG].name, median(r, STOP_LAG, VORTEX) / 1e3, 1, "ms");
    else /* woken after the tool, it takes the one moment for the other */
        fprintf(out, "  %-50s only with real-time priority: run it as root\n",
                measures[STOP_LAG].name);
    print_goal(out, measures[STATUS].name, median(r, STATUS, VORTEX) / 1e3, 1.5, "ms");
    print_goal(out, measures[STATUS].name, to_floor(r, STATUS, VORTEX), 1.3, "empty");
    print_goal(out, measures[LIST].name, median(r, LIST, VORTEX) / 1e3, 100, "ms");
    print_caution(r, out);
    fflush(out);
}

/* ---- For programs, and for README -------------------------------------------------------- */

static void
json_tool(struct report *r, enum measure m, enum tool t, bool comma, FILE *out)
{
    fprintf(out, "%s\n      \"%s\": ", comma ? "," : "", tools[t].key);
    if (!has_samples(r, m, t))
        fprintf(out, "null");
    else
        fprintf(out,
                "{\"p10_us\": %.1f, \"median_us\": %.1f, \"p95_us\": %.1f, \"to_empty\": %.3f, "
                "\"to_vortex\": %.3f, \"samples\": %d}",
                quantile(r, m, t, 10), median(r, m, t), quantile(r, m, t, 95), to_floor(r, m, t),
                ratio(median(r, m, t), median(r, m, VORTEX)), r->samples[m][t].count);
}

void
report_json(struct report *r, FILE *out)
{
    const char *comma = "";

    fprintf(out, "{\n  \"machine\": \"");
    print_machine(r, out);
    fprintf(out, "\",\n  \"missing\": {");
    for (int t = 0; t < TOOLS; t++)
        if (r->missing[t] != NULL) {
            fprintf(out, "%s\"%s\": \"%s\"", comma, tools[t].key, r->missing[t]);
            comma = ", ";
        }
    fprintf(out, "},\n  \"measures\": {");
    for (int m = 0; m < MEASURES; m++) {
        fprintf(out, "%s\n    \"%s\": {", m > 0 ? "," : "", measures[m].key);
        for (int t = 0; t < TOOLS; t++)
            json_tool(r, (enum measure)m, (enum tool)t, t > 0, out);
        fprintf(out, "\n    }");
    }
    fprintf(out,
            "\n  },\n  \"early_returns\": {\"vortex\": %d, \"daemonize\": %d, "
            "\"start_stop_daemon\": %d},\n  \"simultaneous_starts\": {\"starters\": %d",
            r->early[VORTEX], r->early[DAEMONIZE], r->early[SSD], r->starters);
    for (int t = 0; t <= SSD; t++) {
        const struct race *race = &r->race[t];

        if (race->rounds == 0)
            fprintf(out, ",\n    \"%s\": null", tools[t].key);
        else
            fprintf(out,
                    ",\n    \"%s\": {\"rounds\": %d, \"several_servers\": %d, \"no_server\": %d, "
                    "\"most_servers\": %d}",
                    tools[t].key, race->rounds, race->several, race->none, race->most);
    }
    fprintf(out, "\n  }\n}\n");
}

static void
markdown_crowd(const struct report *r, FILE *out)
{
    fprintf(out, "| %d starts at once: rounds with more than one server |", r->starters);
    for (int t = 0; t <= SSD; t++)
        if (r->race[t].rounds == 0)
            fprintf(out, " %s |", r->missing[t]);
        else
            fprintf(out, " %d of %d%s |", r->race[t].several, r->race[t].rounds,
                    t == DAEMONIZE ? " (with `-l`)" : "");
    fprintf(out, " |\n");
}

static void
markdown_cell(struct report *r, enum measure m, enum tool t, FILE *out)
{
    fprintf(out, " %.2f ms", median(r, m, t) / 1e3);
    if (measures[m].floor != MEASURES)
        fprintf(out, " (%.1f\u00d7)", to_floor(r, m, t));
    fprintf(out, " |");
}

void
report_markdown(struct report *r, FILE *out)
{
    fprintf(out, "| Median (times the empty program) | vortex | daemonize | start-stop-daemon "
                 "| an empty C program |\n|---|--:|--:|--:|--:|\n");
    for (int m = 0; m < MEASURES; m++) {
        fprintf(out, "| %s |", measures[m].name);
        for (int t = 0; t <= SSD; t++)
            if (has_samples(r, m, t))
                markdown_cell(r, (enum measure)m, (enum tool)t, out);
            else
                fprintf(out, " %s |", measures[m].lacks >> t & 1 ? "\u2013" : r->missing[t]);
        if (measures[m].floor == MEASURES)
            fprintf(out, " \u2013 |\n");
        else
            fprintf(out, " %.2f ms |\n", median(r, measures[m].floor, EMPTY) / 1e3);
    }
    fprintf(out, "| start returned before the pidfile named the server |");
    for (int t = 0; t <= SSD; t++)
        if (has_samples(r, START_RETURNS, t))
            fprintf(out, " %d of %d |", r->early[t], r->samples[START_RETURNS][t].count);
        else
            fprintf(out, " %s |", r->missing[t]);
    fprintf(out, " |\n");
    markdown_crowd(r, out);
    fprintf(out, "\nMeasured in one run, in turns, by `packaging/dev.sh bench` on ");
    print_machine(r, out);
    fprintf(out, ".\n");
}
