/* SPDX-License-Identifier: Apache-2.0 */
/* A datagram of sd_notify, against a second reading of its lines. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "host/message.h"

#define STATUS "STATUS="

/* Does the line begin with that word? */
static bool
begins(const char *line, size_t length, const char *word)
{
    return length >= strlen(word) && memcmp(line, word, strlen(word)) == 0;
}

/* A decimal number alone, at most max; or -1. */
static int64_t
number_of(const char *text, size_t length, int64_t max)
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
    return errno == 0 && number <= (uint64_t)max ? (int64_t)number : -1;
}

/* Of a line that begins with that word, the number behind it; or -1. */
static int64_t
number_behind(const char *line, size_t length, const char *word, int64_t max)
{
    size_t skip = strlen(word);

    return begins(line, length, word) ? number_of(line + skip, length - skip, max) : -1;
}

static bool
is_line(const char *line, size_t length, const char *text)
{
    return length == strlen(text) && begins(line, length, text);
}

static void
check_word(const struct message_word *word, const char *line, size_t length)
{
    int64_t usec = number_behind(line, length, "EXTEND_TIMEOUT_USEC=", INT64_MAX / 2 - 1);
    int64_t pid = number_behind(line, length, "MAINPID=", INT32_MAX);
    int64_t number = number_behind(line, length, "ERRNO=", INT32_MAX);

    assert((word->kind == MESSAGE_READY) == is_line(line, length, "READY=1"));
    assert((word->kind == MESSAGE_RELOADING) == is_line(line, length, "RELOADING=1"));
    assert((word->kind == MESSAGE_STOPPING) == is_line(line, length, "STOPPING=1"));
    assert((word->kind == MESSAGE_STATUS) == begins(line, length, STATUS));
    assert((word->kind == MESSAGE_EXTEND_TIMEOUT) == (usec >= 0));
    assert((word->kind == MESSAGE_MAIN_PID) == (pid >= 0));
    assert((word->kind == MESSAGE_ERRNO) == (number >= 0));
    assert((word->kind == MESSAGE_MANAGERS)
           == (is_line(line, length, "WATCHDOG=1") || begins(line, length, "BUSERROR=")));
    if (word->kind == MESSAGE_STATUS) {
        assert(strlen(word->text) == length - strlen(STATUS));
        assert(memcmp(word->text, line + strlen(STATUS), length - strlen(STATUS)) == 0);
    } else if (word->kind == MESSAGE_EXTEND_TIMEOUT) {
        assert(word->number == usec / 1000);
    } else if (word->kind == MESSAGE_MAIN_PID) {
        assert(word->number == pid);
    } else if (word->kind == MESSAGE_ERRNO || word->kind == MESSAGE_MANAGERS) {
        assert(strlen(word->text) == length && memcmp(word->text, line, length) == 0);
        assert(word->kind != MESSAGE_ERRNO || word->number == number);
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
    char *copy = fuzz_text(data, size);
    struct message message;
    size_t length = size;

    message = message_open(copy, size);
    if (length > 0 && data[length - 1] == '\0')
        length--; /* one may end it */
    if (length > 0 && memchr(data, '\0', length))
        length = 0;
    check_lines(&message, (const char *)data, length);
    free(copy);
    return 0;
}
