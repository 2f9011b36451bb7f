/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisors' medians, beside the first one's. */
#include "supervisors.h"

#include <stdlib.h>

static const struct {
    const char *key; /* in JSON */
    const char *name;
    const char *unit;
    double scale; /* of what was sampled */
} figures[FIGURES] = {
    [STARTS] = {"supervised_start", "start, until the server's main() runs", "ms", 1e-3},
    [STOPS] = {"supervised_stop", "stop, until it returned and the server is dead", "ms", 1e-3},
    [RESTARTS] = {"restart", "KILL of the server, until the next one's main() runs", "ms", 1e-3},
    [STATUSES] = {"supervised_status", "status of a running server", "ms", 1e-3},
    [MEMORY] = {"memory", "memory for each of ten servers (PSS)", "KiB", 1},
    [WAKEUPS] = {"wakeups", "wake-ups of one server's supervisor, idle", "a second", 1},
    [LOGGING] = {"logging", "250 MiB of output, until the last line is in the file", "ms", 1e-3},
};

void
table_add(struct table *t, enum figure f, enum peer p, double value)
{
    samples_add(&t->samples[f][p], value * figures[f].scale);
}

static double
value_of(struct table *t, int f, int p)
{
    return samples_median(&t->samples[f][p]);
}

/* The least of all who do the same; 0: nobody has one, or it is nothing. */
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
    if (f == LOGGING && (p == OPENRC || p == MONIT))
        return "none: the server itself writes its file";
    if (f == STATUSES && p == OPENRC)
        return "none";
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
            if (t->samples[f][p].count > 0)
                fprintf(out, "  %-20s  %10.2f  %8.2f  %5d  %s\n", peer_name((enum peer)p), value,
                        first > 0 ? value / first : 0, t->samples[f][p].count, remark(t, f, p));
            else
                fprintf(out, "  %-20s  %s\n", peer_name((enum peer)p),
                        peer_is_there((enum peer)p) ? remark(t, f, p) : "not there");
        }
        fprintf(out, "  goal: first or within 5%%: %s\n", ours <= 1.05 * first ? "met" : "MISSED");
    }
    fflush(out);
}

void
table_json(struct table *t, FILE *out)
{
    for (int f = 0; f < FIGURES; f++)
        for (int p = 0; p < PEERS; p++)
            samples_json(&t->samples[f][p], figures[f].key, peer_name((enum peer)p), out);
    for (int p = 0; p < PEERS; p++)
        if (t->early[p] > 0)
            share_json(t->early[p], t->samples[STOPS][p].count, "early_stops",
                       peer_name((enum peer)p), out);
}
