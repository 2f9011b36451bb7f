/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisors' medians, beside the first one's. */
#include "supervisors.h"

#include <stdlib.h>

static const struct {
    const char *name;
    const char *unit;
    double scale; /* of what was sampled */
} figures[FIGURES] = {
    [STARTS] = {"start, until the server's main() runs", "ms", 1e-3},
    [STOPS] = {"stop, until it returned and the server is dead", "ms", 1e-3},
    [RESTARTS] = {"KILL of the server, until the next one's main() runs", "ms", 1e-3},
    [MEMORY] = {"memory for each of ten servers (PSS)", "KiB", 1},
    [LOGGING] = {"250 MiB of output, until the last line is in the file", "ms", 1e-3},
};

void
table_add(struct table *t, enum figure f, enum peer p, double value)
{
    struct samples *s = &t->samples[f][p];

    if (s->count == SAMPLES_MAX)
        die("table", "too many samples");
    s->us[s->count++] = value;
}

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double
samples_median(struct samples *s)
{
    if (s->count == 0)
        return 0;
    qsort(s->us, (size_t)s->count, sizeof(s->us[0]), by_value);
    return s->us[(s->count - 1) / 2];
}

static double
value_of(struct table *t, int f, int p)
{
    return samples_median(&t->samples[f][p]) * figures[f].scale;
}

/* The least of all who do the same; 0: nobody has one. */
static double
first_of(struct table *t, int f)
{
    double first = 0;

    for (int p = 0; p < PEERS; p++) {
        double value = value_of(t, f, p);

        if (f == STOPS && t->early[p] > 0)
            continue;
        if (value > 0 && (first == 0 || value < first))
            first = value;
    }
    return first;
}

static const char *
remark(const struct table *t, int f, int p)
{
    if (f == LOGGING && p == OPENRC)
        return "none: the server itself writes its file";
    if (f == STOPS && t->early[p] > 0)
        return "returned before the server's death";
    return "";
}

void
table_text(struct table *t, FILE *out)
{
    for (int f = 0; f < FIGURES; f++) {
        double first = first_of(t, f), ours = value_of(t, f, OURS);

        fprintf(out, "\n%s, %s\n  %-20s  %10s  %8s  %5s\n", figures[f].name, figures[f].unit, "",
                "median", "/ first", "n");
        for (int p = 0; p < PEERS; p++) {
            double value = value_of(t, f, p);

            if (p == OURS_BEHIND && f != STARTS)
                continue;
            if (value > 0)
                fprintf(out, "  %-20s  %10.2f  %8.2f  %5d  %s\n", peer_name((enum peer)p), value,
                        value / first, t->samples[f][p].count, remark(t, f, p));
            else
                fprintf(out, "  %-20s  %s\n", peer_name((enum peer)p),
                        peer_is_there((enum peer)p) ? remark(t, f, p) : "not there");
        }
        fprintf(out, "  goal: first or within 5%%: %s\n", ours <= 1.05 * first ? "met" : "MISSED");
    }
    fflush(out);
}

void
table_markdown(struct table *t, FILE *out)
{
    fprintf(out, "| Median |");
    for (int p = 0; p < PEERS; p++)
        if (p != OURS_BEHIND)
            fprintf(out, " %s |", p == OURS ? "vortex" : peer_name((enum peer)p));
    fprintf(out, "\n|---|--:|--:|--:|--:|--:|--:|\n");
    for (int f = 0; f < FIGURES; f++) {
        fprintf(out, "| %s |", figures[f].name);
        for (int p = 0; p < PEERS; p++) {
            double value = value_of(t, f, p);

            if (p == OURS_BEHIND)
                continue;
            if (value > 0)
                fprintf(out, " %.*f %s%s |", f == MEMORY || value >= 100 ? 0 : 1, value,
                        figures[f].unit, f == STOPS && t->early[p] > 0 ? " (returns before)" : "");
            else
                fprintf(out, " \u2013 |");
        }
        fprintf(out, "\n");
    }
    fprintf(out, "\nA `vortex start`, until main() runs: %.1f ms.\n",
            value_of(t, STARTS, OURS_BEHIND));
}
