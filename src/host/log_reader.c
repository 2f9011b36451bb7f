/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a log file while it grows and is rotated. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/log_parts.h"

#define BLOCK      8192
#define NUMBER_MAX 1000 /* keep's */

struct log_reader {
    char path[OS_PATH_MAX];
    struct os_log log;
    int64_t offset;
};

/* ---- The last lines ---------------------------------------------------------------------- */

/*
 * Where the last lines of a file begin.
 * Returns: how many of them are there, at most lines; a negative errno.
 */
static int64_t
find_lines(const struct os_log *log, int64_t lines, int64_t *ret_offset)
{
    char block[BLOCK];
    int64_t end = os_log_size(log), found = end > 0 && lines > 0;
    const int64_t size = end;

    if (size < 0)
        return size;
    *ret_offset = lines > 0 ? 0 : size;
    while (end > 0 && lines > 0) {
        int64_t begin = end > BLOCK ? end - BLOCK : 0;
        int64_t n = os_log_read_at(log, begin, block, (size_t)(end - begin));

        if (n < end - begin) /* it was cut meanwhile */
            return n < 0 ? n : found;
        for (int64_t at = n; at > 0; at--) {
            if (block[at - 1] != '\n' || begin + at == size)
                continue;
            if (found == lines) {
                *ret_offset = begin + at;
                return found;
            }
            found++;
        }
        end = begin;
    }
    return found;
}

static int
open_name(const struct log_reader *reader, int number, struct os_log *ret)
{
    char name[LOG_PATH_MAX];
    int error = log_rotated_name(reader->path, number, "", name);

    return error ? error : os_log_read(name, ret);
}

/* Has the present file that number? 1 it has; 0 another has; a negative errno, -ENOENT none has. */
static int
has_number(const struct log_reader *reader, int number)
{
    char name[LOG_PATH_MAX];
    struct os_file_id id;
    int error = log_rotated_name(reader->path, number, "", name);

    if (!error)
        error = os_path_identify(name, &id);
    return error ? error : os_same_file(&id, &reader->log.id);
}

/* Open a rotated file where it has more of the lines that are wanted. */
static int
open_number(struct log_reader *reader, int number, int64_t *lines)
{
    struct os_log log;
    int64_t offset, found;
    int error = open_name(reader, number, &log);

    if (error)
        return error;
    /* They were rotated meanwhile: what came before the present one has a higher number. */
    if (reader->log.handle != OS_NONE && has_number(reader, number - 1) <= 0) {
        os_log_close(&log);
        return 0;
    }
    found = find_lines(&log, *lines, &offset);
    if (found < 0) {
        os_log_close(&log);
        return (int)found;
    }
    os_log_close(&reader->log);
    reader->log = log;
    reader->offset = offset;
    *lines -= found;
    return 0;
}

int
log_reader_open(const char *path, int64_t lines, bool missing_ok, struct log_reader **ret)
{
    struct log_reader *reader = calloc(1, sizeof(*reader));
    int first, error;

    if (!reader)
        return -ENOMEM;
    if (strlen(path) >= sizeof(reader->path)) {
        free(reader);
        return -ENAMETOOLONG;
    }
    memcpy(reader->path, path, strlen(path) + 1);
    reader->log.handle = OS_NONE;

    first = error = open_number(reader, 0, &lines);
    for (int number = 1; lines > 0 && number <= NUMBER_MAX; number++) {
        if (error && (error != -ENOENT || number > 1))
            break;
        error = open_number(reader, number, &lines);
    }
    if (reader->log.handle == OS_NONE && !(first == -ENOENT && missing_ok)) {
        log_reader_free(reader);
        return first;
    }
    *ret = reader;
    return 0;
}

struct log_reader *
log_reader_free(struct log_reader *reader)
{
    if (reader)
        os_log_close(&reader->log);
    free(reader);
    return NULL;
}

/* ---- On and on --------------------------------------------------------------------------- */

/* Which number has the file by now? -ENOENT: none, it was compressed or removed. */
static int
number_of(const struct log_reader *reader)
{
    int missing = 0;

    for (int number = 0; number <= NUMBER_MAX; number++) {
        int has = has_number(reader, number);

        if (has > 0)
            return number;
        /* Of a rotation that is under way, one is missing. */
        if (has < 0 && (has != -ENOENT || (number > 0 && ++missing > 1)))
            return has;
    }
    return -ENOENT;
}

/* The first one below that number that is not empty, or else the present file. */
static int
open_below(const struct log_reader *reader, int number, struct os_log *ret)
{
    int error = -ENOENT;

    while (number-- > 0) {
        error = open_name(reader, number, ret);
        if (error || ret->size > 0 || number == 0)
            return error;
        os_log_close(ret);
    }
    return error;
}

/* The file that followed the present one; -ENOENT: there is none yet. */
static int
open_next(const struct log_reader *reader, struct os_log *ret)
{
    for (;;) {
        int number = number_of(reader), below = number < 0 ? 1 : number, error;
        struct os_log again = {.handle = OS_NONE};
        bool is_same;

        if (number < 0 && number != -ENOENT)
            return number;
        error = open_below(reader, below, ret);
        /* Into an empty one that was passed over was written, it may be, before this was begun. */
        is_same = open_below(reader, below, &again) == error
                  && (error || os_same_file(&again.id, &ret->id));
        os_log_close(&again);
        if (is_same && number_of(reader) == number)
            return error;
        if (!error) /* they were rotated meanwhile: it may be a later one */
            os_log_close(ret);
    }
}

int64_t
log_reader_read(struct log_reader *reader, char *buf, size_t size)
{
    for (;;) {
        bool is_open = reader->log.handle != OS_NONE;
        struct os_log next = {.handle = OS_NONE};
        int64_t n = is_open ? os_log_read_at(&reader->log, reader->offset, buf, size) : 0;

        if (n == 0 && is_open) {
            int64_t now = os_log_size(&reader->log);

            if (now < 0)
                return now;
            if (now < reader->offset) {
                reader->offset = 0; /* somebody emptied it */
                continue;
            }
        }
        if (n == 0) {
            int error = open_next(reader, &next);

            if (error)
                return error == -ENOENT ? 0 : error;
            /* What was written before the next one was begun. */
            n = is_open ? os_log_read_at(&reader->log, reader->offset, buf, size) : 0;
        }
        if (n == 0 && next.size > 0) {
            os_log_close(&reader->log);
            reader->log = next;
            reader->offset = 0;
            continue;
        }
        os_log_close(&next);
        if (n > 0)
            reader->offset += n;
        return n;
    }
}
