/* SPDX-License-Identifier: Apache-2.0 */
/* The rotated files: their names, their moves, and their compression. */
#include <errno.h>
#include <stdio.h>

#include "host/log_parts.h"

static const char *const suffixes[] = {"", ".gz", ".zst"}; /* by enum log_compress */

#define SUFFIXES (sizeof(suffixes) / sizeof(suffixes[0]))

/* ---- Names ------------------------------------------------------------------------------- */

int
log_rotated_name(const char *path, int number, const char *suffix, char *buf)
{
    int n = number == 0 ? snprintf(buf, LOG_PATH_MAX, "%s%s", path, suffix)
                        : snprintf(buf, LOG_PATH_MAX, "%s.%d%s", path, number, suffix);

    return n < 0 || n >= LOG_PATH_MAX ? -ENAMETOOLONG : 0;
}

/* Where a log and its rotated files stand. */
struct row {
    struct os_dir dir;
    char log[OS_NAME_MAX];
};

static int
open_row(const struct log_settings *settings, struct row *ret)
{
    return os_dir_open_to_change(settings->file, &ret->dir, ret->log);
}

static bool
stands(const struct row *row, int number, const char *suffix)
{
    char name[LOG_PATH_MAX];
    struct os_file_id id;

    return log_rotated_name(row->log, number, suffix, name) == 0
           && os_file_identify(&row->dir, name, &id) == 0;
}

static bool
is_free(const struct row *row, int number)
{
    for (size_t i = 0; i < SUFFIXES; i++)
        if (stands(row, number, suffixes[i]))
            return false;
    return true;
}

/* ---- Moves ------------------------------------------------------------------------------- */

/* 0 also where it is not there. */
static int
move(const struct row *row, int from, int to, const char *suffix)
{
    char old[LOG_PATH_MAX], new[LOG_PATH_MAX];
    int error = log_rotated_name(row->log, from, suffix, old);

    if (!error)
        error = log_rotated_name(row->log, to, suffix, new);
    if (!error)
        error = os_file_rename(&row->dir, old, new);
    return error == -ENOENT ? 0 : error;
}

static int
drop(const struct row *row, int number, const char *suffix)
{
    char name[LOG_PATH_MAX];
    int error = log_rotated_name(row->log, number, suffix, name);

    if (!error)
        error = os_file_remove(&row->dir, name);
    return error == -ENOENT ? 0 : error;
}

/* Only what stands below the first gap moves: a rotation that fails again and again loses none. */
static int
make_room(const struct row *row, int keep)
{
    int gap = 1, error = 0;

    while (gap < keep && !is_free(row, gap))
        gap++;
    for (size_t i = 0; !error && i < SUFFIXES; i++)
        error = drop(row, gap, suffixes[i]);
    for (int number = gap - 1; !error && number > 0; number--)
        for (size_t i = 0; !error && i < SUFFIXES; i++)
            error = move(row, number, number + 1, suffixes[i]);
    return error;
}

int
log_rotate(const struct log_settings *settings)
{
    struct row row;
    int error = open_row(settings, &row);

    if (error)
        return error;
    if (settings->keep == 0) {
        error = drop(&row, 0, "");
    } else {
        error = make_room(&row, settings->keep);
        if (!error)
            error = move(&row, 0, 1, "");
    }
    os_dir_close(&row.dir);
    return error;
}

/* ---- Compression ------------------------------------------------------------------------- */

static int
temporary_name(const char *path, char *buf)
{
    return log_rotated_name(path, 0, ".compressing", buf);
}

static int
start_filter(struct log_compression *compression, const struct log_settings *settings,
             const struct os_log *source)
{
    static const char *const programs[][4] = {
        [LOG_GZIP] = {"gzip", "-c", NULL},
        [LOG_ZSTD] = {"zstd", "-q", "-c", NULL},
    };
    char name[LOG_PATH_MAX];
    struct os_log target;
    int error = temporary_name(settings->file, name);

    if (!error)
        error = os_log_create(name, source, &target);
    if (error)
        return error;
    error = os_filter_start(programs[settings->compress], source->handle, target.handle,
                            &compression->child);
    os_log_close(&target);
    compression->source = source->id;
    return error;
}

int
log_compress_next(struct log_compression *compression, const struct log_settings *settings)
{
    char name[LOG_PATH_MAX];
    struct row row;
    struct os_log source;
    int error, number = settings->keep;

    if (settings->compress == LOG_PLAIN || compression->child.pid)
        return 0;
    error = open_row(settings, &row);
    if (error)
        return error;
    while (number > 0 && !stands(&row, number, ""))
        number--;
    os_dir_close(&row.dir);
    if (number == 0)
        return 0;
    error = log_rotated_name(settings->file, number, "", name);
    if (!error)
        error = os_log_read(name, &source);
    if (error)
        return error;
    error = start_filter(compression, settings, &source);
    os_log_close(&source);
    return error;
}

/* Put the result in the source's place, which may have another number by now, or be gone. */
static int
take_result(const struct log_compression *compression, const struct log_settings *settings,
            const struct row *row, const char *result)
{
    char name[LOG_PATH_MAX];

    for (int number = 1; number <= settings->keep; number++) {
        int error = log_rotated_name(settings->file, number, "", name);

        /* By its path, as it was opened: it may be a link. */
        if (error || !os_path_is(name, &compression->source))
            continue;
        error = log_rotated_name(row->log, number, suffixes[settings->compress], name);
        if (!error)
            error = os_file_rename(&row->dir, result, name);
        return error ? error : drop(row, number, "");
    }
    return 0;
}

int
log_compress_end(struct log_compression *compression, const struct log_settings *settings,
                 bool kill_it)
{
    int status = os_filter_end(&compression->child, kill_it);
    char result[LOG_PATH_MAX];
    struct row row;
    int error = open_row(settings, &row);

    if (!error) {
        error = temporary_name(row.log, result);
        if (!error && status == 0)
            error = take_result(compression, settings, &row, result);
        if (!error && status != 0)
            error = status == 127 ? -ENOENT : -EIO;
        (void)os_file_remove(&row.dir, result);
        os_dir_close(&row.dir);
    }
    *compression = (struct log_compression){.child = {0, OS_NONE}};
    return error;
}
