/* SPDX-License-Identifier: Apache-2.0 */
/* Medians and ratios, for people and for report.py. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

static const struct {
    const char *key;    /* in JSON */
    const char *name;   /* for people */
    enum measure floor; /* where its turn's empty programs are; MEASURES: none compares */
} measures[MEASURES] = {
    [START_PIDFILE] = {"start_pidfile", "start, until the pidfile names the living server",
                       START_RETURNS},
    [START_RUNS] = {"start_runs", "start, until the server's main() runs", START_RETURNS},
    [START_RETURNS] = {"start_returns", "start, until the command returns", START_RETURNS},
    [STOP_LAG] = {"stop_lag", "stop, from the server's death to the return", MEASURES},
    [STOP_WHOLE] = {"stop_whole", "stop, the whole command", STOP_WHOLE},
    [STATUS] = {"status", "status of a running server", STATUS},
    [LIST] = {"list", "list of 1,000 running servers", LIST},
};

static const struct {
    const char *key;
    const char *name;
} tools[TOOLS] = {
    [VORTEX] = {"vortex", "vortex"},
    [DAEMONIZE] = {"daemonize", "daemonize"},
    [SSD] = {"start-stop-daemon", "start-stop-daemon"},
    [FLOCK] = {"flock", "flock --no-fork"},
    [OUR_DAEMON] = {"libvortex", "a daemon of libvortex"},
    [BSD_DAEMON] = {"libbsd", "a daemon of libbsd"},
    [EMPTY] = {"empty", "empty C program"},
    [STATIC] = {"empty_static", "empty C program, static"},
};

/* ---- Figures ----------------------------------------------------------------------------- */

void
report_add(struct report *r, enum measure m, enum tool t, double us)
{
    if (!r->warming)
        samples_add(&r->samples[m][t], us);
}

void
report_early(struct report *r, enum tool t)
{
    if (!r->warming)
        r->early[t]++;
}

static double
quantile(struct report *r, enum measure m, enum tool t, int percent)
{
    return samples_quantile(&r->samples[m][t], percent);
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
    for (int t = 0; t < EMPTY; t++) {
        const struct race *race = &r->race[t];
        const char *name = t == DAEMONIZE ? "daemonize -l" : tools[t].name;

        if (race->rounds == 0)
            fprintf(out, "  %-24s  %s\n", name, r->missing[t]);
        else
            fprintf(out, "  %-24s  %6d  %12d  %10d  %7d\n", name, race->rounds, race->several,
                    race->none, race->most);
    }
}

void
report_text(struct report *r, FILE *out)
{
    print_machine(r, out);
    for (int t = 0; t < TOOLS; t++)
        if (r->missing[t] != NULL)
            fprintf(out, "\n%s: %s", tools[t].name, r->missing[t]);
    fprintf(
        out,
        "\nmilliseconds; / empty: the median in times that of the empty C program, / vortex: in "
        "times vortex's\n");
    for (int m = 0; m < MEASURES; m++) {
        fprintf(out, "\n%s\n  %-24s  %8s  %8s  %8s  %8s  %8s  %5s\n", measures[m].name, "", "p10",
                "median", "p95", "/ empty", "/ vortex", "n");
        for (int t = 0; t < TOOLS; t++)
            if (has_samples(r, m, t))
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

/* ---- For report.py ----------------------------------------------------------------------- */

void
report_json(struct report *r, FILE *out)
{
    for (int m = 0; m < MEASURES; m++)
        for (int t = 0; t < TOOLS; t++) {
            struct samples ms = r->samples[m][t];

            for (int i = 0; i < ms.count; i++)
                ms.us[i] /= 1e3;
            samples_json(&ms, measures[m].key, tools[t].key, out);
        }
    for (int t = 0; t < EMPTY; t++) {
        int starts = r->samples[START_RETURNS][t].count;

        if (starts > 0)
            share_json(r->early[t], starts, "early_returns", tools[t].key, out);
        if (r->race[t].rounds > 0)
            share_json(r->race[t].several, r->race[t].rounds, "fifty_starts", tools[t].key, out);
    }
    value_json(r->load, "load_before", "machine", out);
}
