/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/reading.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"
#define FIRST_SIZE      (TEXT_MAX / 256 + 1)

/* ISO C does not promise an errno of every failure. */
static int
last_error(void)
{
    return errno > 0 ? -errno : -EIO;
}

int
text_read(const char *path, char **ret_data, size_t *ret_length)
{
    FILE *file;
    char *data = NULL;
    size_t length = 0, size = 0;
    int error = 0;

    errno = 0;
    file = fopen(path, "rb");
    if (!file)
        return last_error();

    do { /* most are short, and the room for the longest one would be pages of its own */
        char *more;

        size = size == 0 ? FIRST_SIZE : size * 2 - 1; /* at last TEXT_MAX + 1 */
        more = realloc(data, size);
        if (!more) {
            error = -ENOMEM;
            goto out;
        }
        data = more;
        errno = 0;
        length += fread(data + length, 1, size - length, file);
        if (ferror(file)) {
            error = last_error();
            goto out;
        }
    } while (length == size && size <= TEXT_MAX);
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
