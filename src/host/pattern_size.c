/* SPDX-License-Identifier: Apache-2.0 */
/* How large a regular expression becomes when its repetitions are written out. */
#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "host/condition.h"

enum {
    DEPTH_MAX = 16, /* nobody nests so deep, and regcomp(3) takes stack for each, and time */
};

/* What stands in one pair of parentheses: all of it but the last piece, and that. */
struct level {
    size_t before, last;
};

static size_t
times(size_t size, unsigned long count)
{
    if (count == 0) /* it is read all the same */
        count = 1;
    return size > PATTERN_SIZE_MAX / count ? PATTERN_SIZE_MAX + 1 : size * count;
}

static void
close_piece(struct level *level, size_t next)
{
    level->before += level->last;
    if (level->before > PATTERN_SIZE_MAX)
        level->before = PATTERN_SIZE_MAX + 1;
    level->last = next;
}

/* Behind a [: its ], which is none right at the beginning or in [:alpha:]; or the text's end. */
static const char *
bracket_end(const char *text)
{
    text += *text == '^';
    text += *text == ']';
    for (; *text != '\0' && *text != ']'; text++) {
        if (*text == '[' && text[1] != '\0' && strchr(".:=", text[1])) {
            const char closing[3] = {text[1], ']', '\0'}, *end = strstr(text + 2, closing);

            if (end)
                text = end + 1;
        }
    }
    return text;
}

/* How often {n}, {n,} or {n,m} writes its piece down. text: behind the brace. */
static unsigned long
copies(const char *text)
{
    char *end;
    unsigned long most = strtoul(text, &end, 10);

    if (*end != ',')
        return most;
    return isdigit((unsigned char)end[1]) ? strtoul(end + 1, NULL, 10) : most + 1;
}

size_t
pattern_size(const char *text)
{
    struct level levels[DEPTH_MAX] = {{0, 0}};
    struct level *level = levels;
    bool repeated = false;

    for (; *text != '\0'; text++) {
        bool repeats = strchr("*+?{", *text) != NULL;

        if (repeats && repeated)
            return PATTERN_REPEATS_TWICE;
        repeated = repeats;
        if (*text == '(') {
            if (++level == levels + DEPTH_MAX)
                return PATTERN_SIZE_MAX + 1;
            *level = (struct level){0, 0};
        } else if (*text == ')' && level > levels) {
            size_t size;

            close_piece(level, 0);
            size = level->before + 1;
            close_piece(--level, size);
        } else if (*text == '+') { /* as glibc writes it: once, and then any number */
            level->last = times(level->last, 2);
        } else if (*text == '{') {
            level->last = times(level->last, copies(text + 1));
            text += strcspn(text, "}");
        } else if (!repeats) {
            if (*text == '\\' && text[1] != '\0')
                text++;
            else if (*text == '[')
                text = bracket_end(text + 1);
            close_piece(level, 1);
        }
        if (*text == '\0')
            break;
    }
    while (level > levels) {
        size_t size;

        close_piece(level, 0);
        size = level->before;
        close_piece(--level, size);
    }
    close_piece(level, 0);
    return level->before;
}
