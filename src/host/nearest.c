/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <string.h>

#include "host/config.h"

enum {
    WORD_MAX = 64, /* what is longer is nobody's slip of the finger */
    PART_MIN = 3,  /* fewer letters are a part of too many words */
};

static bool
same_letter(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static size_t
least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many letters to insert, drop, replace or swap with a neighbour, to make one of the other. */
static size_t
distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[3][WORD_MAX + 1]; /* of the table that belongs to i - 2, i - 1 and i */

    for (size_t i = 0; i <= a_length; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];

        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            if (i == 0) {
                row[j] = j;
                continue;
            }
            row[j] = above[j - 1] + !same_letter(a[i - 1], b[j - 1]);
            row[j] = least(row[j], least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2])
                && same_letter(a[i - 2], b[j - 1]))
                row[j] = least(row[j], two_above[j - 2] + 1);
        }
    }
    return rows[a_length % 3][b_length];
}

static bool
contains(const char *text, size_t length, const char *part, size_t part_length)
{
    for (size_t at = 0; at + part_length <= length; at++) {
        size_t same = 0;

        while (same < part_length && same_letter(text[at + same], part[same]))
            same++;
        if (same == part_length)
            return true;
    }
    return false;
}

/* "dir" is a part of "directory", and "directory" of "WorkingDirectory". */
static bool
is_part(const char *a, size_t a_length, const char *b, size_t b_length)
{
    if (least(a_length, b_length) < PART_MIN)
        return false;
    return contains(a, a_length, b, b_length) || contains(b, b_length, a, a_length);
}

const char *
nearest(const char *text, const char *const *candidates)
{
    size_t length = strlen(text);
    size_t best_distance = WORD_MAX;
    const char *best = NULL, *partner = NULL;

    if (length == 0 || length > WORD_MAX)
        return NULL;
    for (; *candidates; candidates++) {
        size_t candidate_length = strlen(*candidates);
        size_t longer = length > candidate_length ? length : candidate_length;
        size_t slips;

        if (candidate_length > WORD_MAX)
            continue;
        slips = distance(text, length, *candidates, candidate_length);
        if (slips < best_distance && 3 * slips <= longer + 1) {
            best_distance = slips;
            best = *candidates;
        }
        if (!partner && is_part(text, length, *candidates, candidate_length))
            partner = *candidates;
    }
    return best ? best : partner;
}
