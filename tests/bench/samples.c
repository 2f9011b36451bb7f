/* SPDX-License-Identifier: Apache-2.0 */
/* Figures: kept, ranked, and told to report.py, one line of JSON each. */
#include "bench.h"

#include <stdlib.h>

void
samples_add(struct samples *s, double value)
{
    if (s->count == SAMPLES_MAX)
        die("samples", "too many");
    s->us[s->count++] = value;
}

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double
samples_quantile(struct samples *s, int percent)
{
    if (s->count == 0)
        return 0;
    qsort(s->us, (size_t)s->count, sizeof(s->us[0]), by_value);
    return s->us[(s->count * percent + 99) / 100 - 1];
}

double
samples_median(struct samples *s)
{
    return samples_quantile(s, 50);
}

void
samples_json(struct samples *s, const char *figure, const char *peer, FILE *out)
{
    if (s->count > 0)
        fprintf(out,
                "{\"figure\": \"%s\", \"peer\": \"%s\", \"p10\": %.2f, \"median\": %.2f, "
                "\"p95\": %.2f, \"samples\": %d}\n",
                figure, peer, samples_quantile(s, 10), samples_median(s), samples_quantile(s, 95),
                s->count);
}

void
value_json(double value, const char *figure, const char *peer, FILE *out)
{
    fprintf(out, "{\"figure\": \"%s\", \"peer\": \"%s\", \"value\": %.2f}\n", figure, peer, value);
}

void
share_json(int count, int of, const char *figure, const char *peer, FILE *out)
{
    fprintf(out, "{\"figure\": \"%s\", \"peer\": \"%s\", \"count\": %d, \"of\": %d}\n", figure,
            peer, count, of);
}
