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

static struct message_word
read_line(const char *line)
{
    struct message_word word = {.kind = MESSAGE_OTHER};
    const char *value;
    uint64_t usec;

    if (strcmp(line, "READY=1") == 0) {
        word.kind = MESSAGE_READY;
    } else if ((value = value_of(line, "STATUS=")) != NULL) {
        word.kind = MESSAGE_STATUS;
        word.text = value;
    } else if ((value = value_of(line, "EXTEND_TIMEOUT_USEC=")) != NULL
               && number_parse(value, strlen(value), &usec) == 0 && usec < INT64_MAX / 2) {
        word.kind = MESSAGE_EXTEND_TIMEOUT;
        word.ms = (int64_t)(usec / 1000);
    } else if (strcmp(line, "WATCHDOG=1") == 0 || value_of(line, "ERRNO=") != NULL
               || value_of(line, "BUSERROR=") != NULL) {
        word.kind = MESSAGE_MANAGERS;
        word.text = line;
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
