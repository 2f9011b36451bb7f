/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our own reader, because libinih as distributions build it cuts a value at " ;" and a line at
 * 200 bytes without a word, and tells of the first mistake only.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/reading.h"

#define BLANKS " \t\r"

struct lines {
    char *next;
    unsigned number; /* of the last one taken */
};

static bool
is_comment(const char *line)
{
    line += strspn(line, BLANKS);
    return *line == '#' || *line == ';';
}

/* The next line that is no comment, or NULL. */
static char *
take_line(struct lines *lines)
{
    char *line;

    do {
        size_t length = strcspn(lines->next, "\n");

        line = lines->next;
        if (*line == '\0')
            return NULL;
        lines->next += length + (line[length] == '\n');
        lines->number++;
        line[length] = '\0';
    } while (is_comment(line));
    return line;
}

/* Does the line end in a backslash which is not itself behind a backslash? */
static bool
goes_on(const char *line, size_t length)
{
    size_t backslashes = 0;

    while (backslashes < length && line[length - 1 - backslashes] == '\\')
        backslashes++;
    return backslashes % 2 == 1;
}

/* The next line with those that continue it, which are moved up to it; or NULL. */
static char *
take_whole_line(struct lines *lines, unsigned *ret_number)
{
    char *line = take_line(lines);
    size_t length = line ? strlen(line) : 0;

    *ret_number = lines->number;
    while (line && goes_on(line, length)) {
        const char *more = take_line(lines);
        size_t more_length = more ? strlen(more) : 0;

        line[length - 1] = ' ';
        if (more)
            memmove(line + length, more, more_length + 1);
        length += more_length;
    }
    return line;
}

static char *
trim(char *text)
{
    size_t length;

    text += strspn(text, BLANKS);
    length = strlen(text);
    while (length > 0 && strchr(BLANKS, text[length - 1]))
        length--;
    text[length] = '\0';
    return text;
}

/* A broken header is taken for the section it begins to name, so that it is one mistake only. */
static void
read_header(char *line, struct ini_entry *entry)
{
    size_t length = strcspn(line, "]");

    if (line[length] == '\0')
        entry->mistake = "a '[' without its ']': write [SECTION]";
    else if (line[length + 1] != '\0')
        entry->mistake = "something follows the ']': write [SECTION] alone on its line";
    line[length] = '\0';
    entry->section = line + 1;
}

static void
read_assignment(char *line, struct ini_entry *entry)
{
    char *equals = strchr(line, '=');

    if (!equals) {
        entry->mistake = "a line without '=': write KEY = VALUE, or # before a comment";
        return;
    }
    *equals = '\0';
    entry->key = trim(line);
    entry->value = trim(equals + 1);
    if (*entry->key == '\0')
        entry->mistake = "no key before the '=': write KEY = VALUE";
}

static int
add_entry(struct ini *ini, const struct ini_entry *entry)
{
    /* Room doubles: it is used up whenever count is 0 or a power of two. */
    if ((ini->count & (ini->count - 1)) == 0) {
        size_t room = ini->count > 0 ? 2 * ini->count : 1;
        struct ini_entry *entries = realloc(ini->entries, room * sizeof *entries);

        if (!entries)
            return -ENOMEM;
        ini->entries = entries;
    }
    ini->entries[ini->count++] = *entry;
    return 0;
}

int
ini_parse(char *text, struct ini *ret_ini)
{
    struct lines lines = {.next = text};
    struct ini_entry entry = {0};
    struct ini ini = {0};
    unsigned number;
    int error = 0;
    char *line;

    while (!error && (line = take_whole_line(&lines, &number))) {
        entry = (struct ini_entry){.line = number, .section = entry.section};
        line = trim(line);
        if (*line == '\0')
            continue;
        if (*line == '[')
            read_header(line, &entry);
        else
            read_assignment(line, &entry);
        error = add_entry(&ini, &entry);
    }
    if (error)
        ini_free(&ini);
    else
        *ret_ini = ini;
    return error;
}

void
ini_free(struct ini *ini)
{
    free(ini->entries);
    *ini = (struct ini){0};
}
