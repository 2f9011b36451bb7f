/* SPDX-License-Identifier: Apache-2.0 */
/* A datagram of sd_notify, against a second reading of its lines. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "host/message.h"

#define READY  "READY=1"
#define STATUS "STATUS="
#define EXTEND "EXTEND_TIMEOUT_USEC="
#define FED    "WATCHDOG=1"

/* Does the line begin with that word? */
static bool
begins(const char *line, size_t length, const char *word)
{
    return length >= strlen(word) && memcmp(line, word, strlen(word)) == 0;
}

/* Whole milliseconds of a decimal number alone, or -1. */
static int64_t
milliseconds(const char *text, size_t length)
{
    char digits[24];
    uint64_t number;

    for (; length > 1 && *text == '0'; length--)
        text++;
    if (length == 0 || length >= sizeof digits)
        return -1;
    memcpy(digits, text, length);
    digits[length] = '\0';
    if (strspn(digits, "0123456789") != length)
        return -1;
    errno = 0;
    number = strtoull(digits, NULL, 10);
    return errno == 0 && number < INT64_MAX / 2 ? (int64_t)(number / 1000) : -1;
}

static void
check_word(const struct message_word *word, const char *line, size_t length)
{
    int64_t ms = begins(line, length, EXTEND)
                     ? milliseconds(line + strlen(EXTEND), length - strlen(EXTEND))
                     : -1;

    assert((word->kind == MESSAGE_READY)
           == (length == strlen(READY) && begins(line, length, READY)));
    assert((word->kind == MESSAGE_STATUS) == begins(line, length, STATUS));
    assert((word->kind == MESSAGE_EXTEND_TIMEOUT) == (ms >= 0));
    assert((word->kind == MESSAGE_MANAGERS)
           == ((length == strlen(FED) && begins(line, length, FED))
               || begins(line, length, "ERRNO=") || begins(line, length, "BUSERROR=")));
    if (word->kind == MESSAGE_MANAGERS) {
        assert(strlen(word->text) == length && memcmp(word->text, line, length) == 0);
    } else if (word->kind == MESSAGE_STATUS) {
        assert(strlen(word->text) == length - strlen(STATUS));
        assert(memcmp(word->text, line + strlen(STATUS), length - strlen(STATUS)) == 0);
    } else if (word->kind == MESSAGE_EXTEND_TIMEOUT) {
        assert(word->ms == ms);
    }
}

/* The lines of data, all of which must be read, in their order. */
static void
check_lines(struct message *message, const char *data, size_t length)
{
    struct message_word word;

    while (length > 0) {
        const char *newline = memchr(data, '\n', length);
        size_t line = newline ? (size_t)(newline - data) : length;

        assert(message_next(message, &word));
        check_word(&word, data, line);
        line += newline != NULL;
        data += line;
        length -= line;
    }
    assert(!message_next(message, &word));
    assert(!message_next(message, &word));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size + 1);
    struct message message;
    size_t length = size;

    assert(copy);
    if (size > 0)
        memcpy(copy, data, size);
    copy[size] = '\0';
    message = message_open(copy, size);
    if (length > 0 && data[length - 1] == '\0')
        length--; /* one may end it */
    if (length > 0 && memchr(data, '\0', length))
        length = 0;
    check_lines(&message, (const char *)data, length);
    free(copy);
    return 0;
}
