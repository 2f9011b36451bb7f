/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/reading.h"
#include "os/os.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

int
text_read(const char *path, char **ret_data, size_t *ret_length)
{
    FILE *file;
    char *data;
    size_t length;
    int error = os_stream_open(path, &file);

    if (error)
        return error;

    data = malloc(TEXT_MAX + 1);
    if (!data) {
        error = -ENOMEM;
        goto out;
    }
    errno = 0;
    length = fread(data, 1, TEXT_MAX + 1, file);
    if (ferror(file)) {
        error = errno > 0 ? -errno : -EIO; /* ISO C doesn't promise one */
        goto out;
    }
    *ret_data = data;
    *ret_length = length;
    data = NULL;
out:
    free(data);
    fclose(file);
    return error;
}

static unsigned
line_of(const char *data, const char *place)
{
    unsigned line = 1;

    for (; data < place; data++)
        line += *data == '\n';
    return line;
}

static int
check_bytes(const char *data, size_t length, const char *file, struct config_mistakes *mistakes)
{
    const char *nul = length > 0 ? memchr(data, '\0', length) : NULL;
    int error = 0;

    if (length > TEXT_MAX)
        error = config_mistakes_add(mistakes, file, 1, "the file is larger than 1 MiB");
    else if (nul)
        error = config_mistakes_add(mistakes, file, line_of(data, nul),
                                    "a NUL byte: the file must be plain text");
    else
        return 0;
    return error ? error : -EINVAL;
}

int
text_clean(const char *data, size_t length, const char *file, struct config_mistakes *mistakes,
           char **ret_text)
{
    size_t mark = strlen(BYTE_ORDER_MARK);
    char *text, *end;
    int error;

    error = check_bytes(data, length, file, mistakes);
    if (error)
        return error;
    text = malloc(length + 1);
    if (!text)
        return -ENOMEM;

    end = text;
    for (size_t i = length >= mark && memcmp(data, BYTE_ORDER_MARK, mark) == 0 ? mark : 0;
         i < length; i++)
        if (data[i] != '\r' || i + 1 == length || data[i + 1] != '\n')
            *end++ = data[i];
    *end = '\0';
    *ret_text = text;
    return 0;
}
