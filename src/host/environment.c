/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/reading.h"

#define BLANKS      " \t\r"
#define NAME_START  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
#define NAME_LETTER NAME_START "0123456789"

/* The length of the name with its '=', or 0 where it is none. */
static size_t
name_length(const char *assignment)
{
    size_t length = strspn(assignment, NAME_LETTER);

    if (strspn(assignment, NAME_START) == 0 || assignment[length] != '=')
        return 0;
    return length + 1;
}

int
environment_set(struct environment *environment, const char *assignment)
{
    size_t name = name_length(assignment);
    char *copy;

    if (name == 0)
        return -EINVAL;
    copy = words_copy(assignment);
    if (!copy)
        return -ENOMEM;

    for (size_t i = 0; i < environment->count; i++)
        if (strncmp(environment->list[i], copy, name) == 0) {
            free(environment->list[i]);
            environment->list[i] = copy;
            return 0;
        }
    return words_push(&environment->list, &environment->count, copy);
}

/* An environment-file while it is read. */
struct file {
    const char *name;
    struct environment *environment;
    struct config_mistakes *mistakes;
    const char *in;
    unsigned line; /* where in stands */
    char *buf;     /* an assignment, room for all of the file */
    char *out;     /* where it ends so far */
};

static void
skip_to(struct file *file, const char *end)
{
    for (; file->in < end; file->in++)
        file->line += *file->in == '\n';
}

/*
 * What is not quoted, up to the line's end: a backslash keeps the next character as it is, and
 * the blanks before it, as systemd does even where that character is the newline it takes away.
 */
static void
read_plain(struct file *file)
{
    const char *in = file->in;
    char *kept = file->out; /* blanks after it are dropped, unless more follows */

    for (; *in && *in != '\n'; in++) {
        if (*in == '\\') {
            if (in[1] && *++in != '\n')
                *file->out++ = *in;
            kept = file->out;
            continue;
        }
        *file->out++ = *in;
        if (!strchr(BLANKS, *in))
            kept = file->out;
    }
    file->out = kept;
    skip_to(file, in);
}

/* Any number of quoted pieces, then what is not quoted. -EINVAL: a quote is not closed. */
static int
read_value(struct file *file)
{
    file->in += strspn(file->in, BLANKS);
    while (*file->in == '\'' || *file->in == '"') {
        const char *in = file->in;
        int error = words_unquote(&in, &file->out);

        if (error)
            return error;
        skip_to(file, in);
        file->in += strspn(file->in, BLANKS);
    }
    read_plain(file);
    *file->out = '\0';
    return 0;
}

static int
read_assignment(struct file *file, size_t name)
{
    unsigned line = file->line;
    int error;

    memcpy(file->buf, file->in, name);
    file->in += name + 1;
    while (name > 0 && strchr(BLANKS, file->buf[name - 1]))
        name--;
    file->buf[name] = '=';
    file->out = file->buf + name + 1;
    if (read_value(file)) {
        file->in += strcspn(file->in, "\n");
        return config_mistakes_add(file->mistakes, file->name, line, "a quote is not closed");
    }
    error = environment_set(file->environment, file->buf);
    if (error == -EINVAL)
        return config_mistakes_add(file->mistakes, file->name, line,
                                   "'%.*s' can't be a variable's name: use letters, digits and _, "
                                   "and no digit first",
                                   (int)name, file->buf);
    return error;
}

/* A line without an assignment is as good as a comment, as systemd has it. */
static int
read_line(struct file *file)
{
    size_t name = strcspn(file->in, "=\n");

    if (file->in[name] == '=' && *file->in != '#' && *file->in != ';')
        return read_assignment(file, name);
    file->in += strcspn(file->in, "\n");
    return 0;
}

int
environment_parse(struct environment *environment, const char *data, size_t length,
                  const char *name, struct config_mistakes *mistakes)
{
    struct file file = {.name = name, .environment = environment, .mistakes = mistakes, .line = 1};
    char *text = NULL;
    int error;

    error = text_clean(data, length, name, mistakes, &text);
    if (error)
        return error == -EINVAL ? 0 : error;
    file.buf = malloc(strlen(text) + 1);
    if (!file.buf)
        error = -ENOMEM;

    for (file.in = text; !error;) {
        skip_to(&file, file.in + strspn(file.in, BLANKS "\n"));
        if (*file.in == '\0')
            break;
        error = read_line(&file);
    }
    free(file.buf);
    free(text);
    return error;
}

int
environment_read(struct environment *environment, const char *path,
                 struct config_mistakes *mistakes)
{
    char *data;
    size_t length;
    int error;

    error = text_read(path, &data, &length);
    if (error)
        return error;
    error = environment_parse(environment, data, length, path, mistakes);
    free(data);
    return error;
}
