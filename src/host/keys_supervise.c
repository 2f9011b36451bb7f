/* SPDX-License-Identifier: Apache-2.0 */
/* The values of keys that only a supervisor needs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/reading.h"
#include "os/os.h"

#define BLANKS " \t"

int
set_supervise(struct reader *reader, const struct key *key, const struct ini_entry *entry)
{
    enum supervise *field = key_field(reader, key);
    int choice = words_choose(entry->value, "auto yes no");

    if (choice < 0)
        return choice;
    *field = (enum supervise)choice;
    return 0;
}

/* Which of two words: whether it is the second. */
static int
set_second(struct reader *reader, const struct key *key, const struct ini_entry *entry,
           const char *words)
{
    bool *field = key_field(reader, key);
    int choice = words_choose(entry->value, words);

    if (choice < 0)
        return choice;
    *field = choice == 1;
    return 0;
}

int
set_keep(struct reader *reader, const struct key *key, const struct ini_entry *entry)
{
    return set_second(reader, key, entry, "kill keep");
}

int
set_stranger(struct reader *reader, const struct key *key, const struct ini_entry *entry)
{
    return set_second(reader, key, entry, "refuse allow");
}

int
set_policy(struct reader *reader, const struct key *key, const struct ini_entry *entry)
{
    enum restart_policy *field = key_field(reader, key);
    int choice = words_choose(entry->value, "no on-failure always");

    if (choice < 0)
        return choice;
    *field = (enum restart_policy)choice;
    return 0;
}

/* The part before a mark, and what follows it; both without blanks around. */
static int
cut(char *text, const char *mark, char **ret_rest)
{
    char *at = strstr(text, mark);

    if (at == NULL)
        return -EINVAL;
    *at = '\0';
    *ret_rest = at + strlen(mark);
    *ret_rest += strspn(*ret_rest, BLANKS);
    while (at > text && strchr(BLANKS, at[-1]) != NULL)
        *--at = '\0';
    return 0;
}

static int
read_delays(char *text, struct policy_settings *settings)
{
    char *rest;
    int min, max;

    if (cut(text, "..", &rest) < 0)
        rest = text;
    if (duration_parse(text, &min) < 0 || duration_parse(rest, &max) < 0 || min < 0 || max < min)
        return -EINVAL;
    settings->delay_min_ms = min;
    settings->delay_max_ms = max;
    return 0;
}

static int
read_rate(char *text, struct policy_settings *settings)
{
    int64_t limit;
    char *rest;
    int ms;

    if (strcmp(text, "none") == 0) {
        settings->limit = 0;
        return 0;
    }
    if (cut(text, "/", &rest) < 0 || integer_parse(text, 10, 1, LIMIT_MAX, &limit) < 0
        || duration_parse(rest, &ms) < 0 || ms < 0)
        return -EINVAL;
    settings->limit = (int)limit;
    settings->limit_ms = ms;
    return 0;
}

/* One of: until the next comma. NULL where nothing is left. */
static char *
next_part(char **text, const char *separators)
{
    char *part = *text + strspn(*text, separators);
    size_t length = strcspn(part, separators);

    if (*part == '\0')
        return NULL;
    *text = part + length + (part[length] != '\0');
    part[length] = '\0';
    return part;
}

static int
read_codes(char *text, struct policy_settings *settings)
{
    char *part;

    settings->no_restart_count = 0;
    while ((part = next_part(&text, BLANKS ",")) != NULL) {
        int64_t code;

        if (settings->no_restart_count == NO_RESTART_MAX
            || integer_parse(part, 10, 0, 255, &code) < 0)
            return -EINVAL;
        settings->no_restart_on[settings->no_restart_count++] = (int)code;
    }
    return 0;
}

/* "TERM 20s": a signal, and how long to wait after it. */
static int
read_step(char *text, struct stop_step *ret)
{
    char *rest;

    text += strspn(text, BLANKS);
    if (cut(text, " ", &rest) < 0)
        return -EINVAL;
    ret->signal = os_signal_number(text);
    return ret->signal > 0 ? duration_parse(rest, &ret->timeout_ms) : -EINVAL;
}

static int
read_sequence(char *text, struct stop_step *steps)
{
    size_t count = 0;
    char *part;

    while ((part = next_part(&text, ",")) != NULL) {
        if (count == STOP_STEPS_MAX || read_step(part, &steps[count]) < 0)
            return -EINVAL;
        count++;
    }
    steps[count].signal = 0;
    return count > 0 ? 0 : -EINVAL;
}

/* Read a copy, which is taken apart. */
static int
take_apart(struct reader *reader, const struct key *key, const struct ini_entry *entry,
           int (*read)(char *text, struct policy_settings *settings))
{
    char *copy = words_copy(entry->value);
    int r = copy == NULL ? -ENOMEM : read(copy, key_field(reader, key));

    free(copy);
    return r;
}

int
set_delays(struct reader *reader, const struct key *key, const struct ini_entry *entry)
{
    return take_apart(reader, key, entry, read_delays);
}

int
set_rate(struct reader *reader, const struct key *key, const struct ini_entry *entry)
{
    return take_apart(reader, key, entry, read_rate);
}

int
set_codes(struct reader *reader, const struct key *key, const struct ini_entry *entry)
{
    return take_apart(reader, key, entry, read_codes);
}

int
set_sequence(struct reader *reader, const struct key *key, const struct ini_entry *entry)
{
    char *copy = words_copy(entry->value);
    int r = copy == NULL ? -ENOMEM : read_sequence(copy, key_field(reader, key));

    free(copy);
    return r == -ERANGE ? -EINVAL : r;
}
