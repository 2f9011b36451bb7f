/* SPDX-License-Identifier: Apache-2.0 */
/* The rotated files: their names, their moves, and their compression. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

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

static bool
stands(const char *path, int number, const char *suffix)
{
    char name[LOG_PATH_MAX];
    struct os_file_id id;

    return log_rotated_name(path, number, suffix, name) == 0 && os_path_identify(name, &id) == 0;
}

static bool
is_free(const char *path, int number)
{
    for (size_t i = 0; i < SUFFIXES; i++)
        if (stands(path, number, suffixes[i]))
            return false;
    return true;
}

/* ---- Moves ------------------------------------------------------------------------------- */

/* 0 also where it is not there. */
static int
move(const char *path, int from, int to, const char *suffix)
{
    char old[LOG_PATH_MAX], new[LOG_PATH_MAX];
    int error = log_rotated_name(path, from, suffix, old);

    if (!error)
        error = log_rotated_name(path, to, suffix, new);
    if (!error && rename(old, new))
        error = errno == ENOENT ? 0 : -errno;
    return error;
}

static int
drop(const char *path, int number, const char *suffix)
{
    char name[LOG_PATH_MAX];
    int error = log_rotated_name(path, number, suffix, name);

    if (!error && remove(name))
        error = errno == ENOENT ? 0 : -errno;
    return error;
}

/* Only what stands below the first gap moves: a rotation that fails again and again loses none. */
static int
make_room(const struct log_settings *settings)
{
    const char *path = settings->file;
    int gap = 1, error = 0;

    while (gap < settings->keep && !is_free(path, gap))
        gap++;
    for (size_t i = 0; !error && i < SUFFIXES; i++)
        error = drop(path, gap, suffixes[i]);
    for (int number = gap - 1; !error && number > 0; number--)
        for (size_t i = 0; !error && i < SUFFIXES; i++)
            error = move(path, number, number + 1, suffixes[i]);
    return error;
}

int
log_rotate(const struct log_settings *settings)
{
    int error;

    if (settings->keep == 0)
        return drop(settings->file, 0, "");
    error = make_room(settings);
    return error ? error : move(settings->file, 0, 1, "");
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
    struct os_log source;
    int error, number = settings->keep;

    if (settings->compress == LOG_PLAIN || compression->child.pid)
        return 0;
    while (number > 0 && !stands(settings->file, number, ""))
        number--;
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
            const char *result)
{
    char name[LOG_PATH_MAX];

    for (int number = 1; number <= settings->keep; number++) {
        int error = log_rotated_name(settings->file, number, "", name);

        if (error || !os_path_is(name, &compression->source))
            continue;
        error = log_rotated_name(settings->file, number, suffixes[settings->compress], name);
        if (!error && rename(result, name))
            error = -errno;
        return error ? error : drop(settings->file, number, "");
    }
    return 0;
}

int
log_compress_end(struct log_compression *compression, const struct log_settings *settings,
                 bool kill_it)
{
    int status = os_filter_end(&compression->child, kill_it);
    char result[LOG_PATH_MAX];
    int error = temporary_name(settings->file, result);

    if (!error && status == 0)
        error = take_result(compression, settings, result);
    if (!error && status != 0)
        error = status == 127 ? -ENOENT : -EIO;
    (void)remove(result);
    *compression = (struct log_compression){.child = {0, OS_NONE}};
    return error;
}
