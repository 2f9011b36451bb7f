/* SPDX-License-Identifier: Apache-2.0 */
/* A directory for logs, and what stands in it, for the tests of src/host/log*.c. */
#ifndef VORTEX_LOG_FIXTURE_H
#define VORTEX_LOG_FIXTURE_H

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/log_parts.h"
#include "place.h"

static char directory[128];
static char path[160]; /* of the log */

static inline int
set_up(void **state)
{
    (void)state;
    if (!place_make(directory, sizeof(directory)))
        return -1;
    snprintf(path, sizeof(path), "%s/web.log", directory);
    return 0;
}

static inline const char *
name_in(const char *name)
{
    static char buf[400];

    snprintf(buf, sizeof(buf), "%s/%s", directory, name);
    return buf;
}

static inline int
tear_down(void **state)
{
    DIR *stream = opendir(directory);
    struct dirent *entry;

    (void)state;
    while (stream && (entry = readdir(stream)))
        if (entry->d_name[0] != '.')
            remove(name_in(entry->d_name));
    if (stream)
        closedir(stream);
    return rmdir(directory);
}

static inline bool
stands(const char *name)
{
    return access(name_in(name), F_OK) == 0;
}

static inline void
write_file(const char *name, const char *text)
{
    FILE *file = fopen(name_in(name), "ab");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* Its content, to be freed. */
static inline char *
read_file(const char *name, size_t *ret_length)
{
    FILE *file = fopen(name_in(name), "rb");
    char *data;
    long size;

    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    size = ftell(file);
    rewind(file);
    data = calloc(1, (size_t)size + 1);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, (size_t)size, file), size);
    fclose(file);
    *ret_length = (size_t)size;
    return data;
}

static inline void
expect_file(const char *name, const char *text)
{
    size_t length;
    char *data = read_file(name, &length);

    assert_string_equal(data, text);
    free(data);
}

#endif
