/* SPDX-License-Identifier: Apache-2.0 */
#include "host/message.h"

#include <string.h>

#include "lib/core.h"

struct message
message_open(char *data, size_t length)
{
    size_t text = strlen(data);

    return (struct message){.next = data, .end = text + 1 < length ? data : data + text};
}

/* What stands behind the prefix, or NULL. */
static const char *
value_of(const char *line, const char *prefix)
{
    size_t length = strlen(prefix);

    return strncmp(line, prefix, length) == 0 ? line + length : NULL;
}

static bool
read_number(const char *text, int64_t max, int64_t *ret)
{
    uint64_t number;

    if (number_parse(text, strlen(text), &number) < 0 || number > (uint64_t)max)
        return false;
    *ret = (int64_t)number;
    return true;
}

static struct message_word
read_line(const char *line)
{
    static const struct {
        const char *line;
        enum message_kind kind;
    } fixed[] = {
        {"READY=1", MESSAGE_READY},       {"RELOADING=1", MESSAGE_RELOADING},
        {"STOPPING=1", MESSAGE_STOPPING}, {"FDSTORE=1", MESSAGE_FD_STORE},
        {"FDPOLL=0", MESSAGE_FD_NO_POLL}, {"FDSTOREREMOVE=1", MESSAGE_FD_REMOVE},
    };
    struct message_word word = {.kind = MESSAGE_OTHER, .text = line};
    const char *value;

    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
        if (strcmp(line, fixed[i].line) == 0)
            word.kind = fixed[i].kind;
    if ((value = value_of(line, "STATUS=")) != NULL) {
        word.kind = MESSAGE_STATUS;
        word.text = value;
    } else if ((value = value_of(line, "FDNAME=")) != NULL) {
        word.kind = MESSAGE_FD_NAME;
        word.text = value;
    } else if ((value = value_of(line, "EXTEND_TIMEOUT_USEC=")) != NULL
               && read_number(value, INT64_MAX / 2 - 1, &word.number)) {
        word.kind = MESSAGE_EXTEND_TIMEOUT;
        word.number /= 1000;
    } else if ((value = value_of(line, "MAINPID=")) != NULL
               && read_number(value, INT32_MAX, &word.number)) {
        word.kind = MESSAGE_MAIN_PID;
    } else if ((value = value_of(line, "ERRNO=")) != NULL
               && read_number(value, INT32_MAX, &word.number)) {
        word.kind = MESSAGE_ERRNO;
    } else if (strcmp(line, "WATCHDOG=1") == 0 || value_of(line, "BUSERROR=") != NULL) {
        word.kind = MESSAGE_MANAGERS;
    }
    return word;
}

bool
message_next(struct message *message, struct message_word *ret_word)
{
    char *line = message->next;
    size_t length;

    if (line == message->end)
        return false;
    length = strcspn(line, "\n");
    message->next += length + (line[length] == '\n');
    line[length] = '\0';
    *ret_word = read_line(line);
    return true;
}
