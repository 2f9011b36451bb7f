/* SPDX-License-Identifier: Apache-2.0 */
/* The state file: key=value lines, one version, unknown keys ignored. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/core.h"

#define STATE_VERSION "1"
#define VALUE_MAX     1024 /* a command line is cut here: it is for people */

/* ---- Reading ----------------------------------------------------------------------------- */

/* Where a key's value stands, and its length; or NULL. */
static const char *
find_value(const struct state *state, const char *key, size_t *ret_length)
{
    size_t length = strlen(key);
    const char *line = state->text;

    while (*line != '\0') {
        size_t end = strcspn(line, "\n");

        if (end > length && strncmp(line, key, length) == 0 && line[length] == '=') {
            *ret_length = end - length - 1;
            return line + length + 1;
        }
        line += end + (line[end] == '\n');
    }
    return NULL;
}

bool
state_get(const struct state *state, const char *key, char *buf, size_t size)
{
    size_t length;
    const char *value = find_value(state, key, &length);

    if (value == NULL)
        return false;
    if (length >= size)
        length = size - 1;
    memcpy(buf, value, length);
    buf[length] = '\0';
    return true;
}

/* A number that is there must be one, whole; a missing one is 0, "not known". */
static int
get_number(const struct state *state, const char *key, uint64_t *ret)
{
    size_t length;
    const char *value = find_value(state, key, &length);

    *ret = 0;
    return value == NULL ? 0 : number_parse(value, length, ret);
}

static int
get_identity(const struct state *state, const char *prefix, struct os_identity *ret)
{
    char key[32];
    uint64_t pid;
    int r;

    snprintf(key, sizeof(key), "%spid", prefix);
    r = get_number(state, key, &pid);
    if (r < 0 || pid > INT32_MAX)
        return -EBADMSG;
    ret->pid = (int64_t)pid;
    snprintf(key, sizeof(key), "%sstart", prefix);
    r = get_number(state, key, &ret->start);
    snprintf(key, sizeof(key), "%spidfd-inode", prefix);
    if (r == 0)
        r = get_number(state, key, &ret->pidfd_inode);
    if (r == 0)
        r = get_number(state, "pidns", &ret->pid_namespace);
    if (!state_get(state, "boot", ret->boot, sizeof(ret->boot)))
        ret->boot[0] = '\0';
    return r < 0 ? -EBADMSG : 0;
}

int
state_parse(const char *data, size_t length, struct state *ret_state)
{
    char value[16];

    /* Complete is what ends in a newline; a file cut by a full disk or a power cut is broken. */
    if (length == 0 || length > STATE_MAX || data[length - 1] != '\n'
        || memchr(data, '\0', length) != NULL)
        return -EBADMSG;
    memset(ret_state, 0, sizeof(*ret_state));
    memcpy(ret_state->text, data, length);
    ret_state->length = length;
    if (!state_get(ret_state, "version", value, sizeof(value)) || strcmp(value, STATE_VERSION) != 0)
        return -EBADMSG;
    if (get_identity(ret_state, "", &ret_state->owner) < 0 || ret_state->owner.pid == 0
        || get_identity(ret_state, "server-", &ret_state->server) < 0)
        return -EBADMSG;
    ret_state->lock_held =
        state_get(ret_state, "lock", value, sizeof(value)) && strcmp(value, "held") == 0;
    return 0;
}

/* ---- Writing ----------------------------------------------------------------------------- */

struct out {
    char *buf;
    size_t length;
};

/* What there is no room for is left out. */
static void
put(struct out *out, const char *key, const char *value)
{
    size_t need = strlen(key) + 2;
    size_t length = strlen(value);

    if (length > VALUE_MAX)
        length = VALUE_MAX;
    if (out->length + need + length > STATE_MAX)
        return;
    out->length += (size_t)snprintf(out->buf + out->length, STATE_MAX - out->length, "%s=", key);
    for (size_t i = 0; i < length; i++) /* one line a key, whatever a command line holds */
        out->buf[out->length++] = (unsigned char)value[i] < ' ' ? ' ' : value[i];
    out->buf[out->length++] = '\n';
}

static void
put_number(struct out *out, const char *key, uint64_t value)
{
    char text[24];

    if (value == 0)
        return;
    snprintf(text, sizeof(text), "%" PRIu64, value);
    put(out, key, text);
}

static void
put_word(struct out *out, const char *key, const char *value)
{
    if (value != NULL && value[0] != '\0')
        put(out, key, value);
}

/* A path that is cut is another path. */
static void
put_path(struct out *out, const char *key, const char *value)
{
    if (value != NULL && strlen(value) <= VALUE_MAX)
        put_word(out, key, value);
}

/* The last one: cut to the room that the others have left. */
static void
put_rest(struct out *out, const char *key, const char *value)
{
    size_t taken = out->length + strlen(key) + 2;
    char text[VALUE_MAX + 1];
    size_t room = STATE_MAX > taken ? STATE_MAX - taken + 1 : 0; /* and the NUL */

    if (value == NULL || room == 0)
        return;
    snprintf(text, room < sizeof(text) ? room : sizeof(text), "%s", value);
    put_word(out, key, text);
}

static void
put_reloads(struct out *out, const struct state_reloads *reloads)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRIu64, reloads->begun);
    put(out, "reloads", text); /* 0 too: it says that there is somebody who counts */
    put_number(out, "reloaded", reloads->ended);
    put_word(out, "reload-failure", reloads->failure);
    put_word(out, "needs-restart", reloads->needs_restart);
}

size_t
state_format(const struct os_identity *owner, bool lock_held, int64_t since,
             const struct state_words *words, char buf[STATE_MAX])
{
    struct out out = {buf, 0};
    char time_text[48];

    assert(owner->pid > 0);
    os_time_format(since, time_text, sizeof(time_text));
    put(&out, "version", STATE_VERSION);
    put_number(&out, "pid", (uint64_t)owner->pid);
    put_number(&out, "start", owner->start);
    put_word(&out, "boot", owner->boot);
    put_number(&out, "pidns", owner->pid_namespace);
    put_number(&out, "pidfd-inode", owner->pidfd_inode);
    if (words != NULL && words->server != NULL) {
        put_number(&out, "server-pid", (uint64_t)words->server->pid);
        put_number(&out, "server-start", words->server->start);
        put_number(&out, "server-pidfd-inode", words->server->pidfd_inode);
    }
    put(&out, "lock", lock_held ? "held" : "released");
    put(&out, "since", time_text);
    if (words != NULL) {
        put_word(&out, "phase", words->phase);
        put_word(&out, "manager", words->manager);
        put_path(&out, "cgroup", words->cgroup);
        put_number(&out, "restarts", words->restarts);
        put_number(&out, "next-restart", words->next_restart);
        if (words->reloads != NULL)
            put_reloads(&out, words->reloads);
        put_word(&out, "exit", words->exit);
        put_word(&out, "not-ready", words->not_ready);
        put_word(&out, "health", words->health);
        put_word(&out, "health-answer", words->health_answer);
        put_word(&out, "status", words->status);
        put_path(&out, "log", words->log);
        put_rest(&out, "command", words->command);
    }
    return out.length;
}
