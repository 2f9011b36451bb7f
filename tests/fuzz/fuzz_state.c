/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state file. Bytes without a NUL are one: what is believed of it, against a second reading by
 * regular expressions; and written again, it says the same. Bytes with a NUL are none, but the
 * words of a host between the NULs: whatever they are, none of them speaks for another key.
 */
#include <assert.h>
#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "lib/core.h"

#define VALUE_MAX 1024 /* what a state keeps of a value */
#define BOOT_MAX  (sizeof((struct os_identity *)0)->boot - 1)

enum key {
    VERSION,
    PID,
    START,
    BOOT,
    PIDNS,
    PIDFD_INODE,
    SERVER_PID,
    SERVER_START,
    SERVER_PIDFD_INODE,
    LOCK,
    RESTARTS,
    PHASE, /* from here on, words */
    MANAGER,
    CGROUP,
    EXIT,
    STATUS,
    COMMAND,
    KEYS,
};

static const char *const names[KEYS] = {
    "version",    "pid",          "start",
    "boot",       "pidns",        "pidfd-inode",
    "server-pid", "server-start", "server-pidfd-inode",
    "lock",       "restarts",     "phase",
    "manager",    "cgroup",       "exit",
    "status",     "command",
};

/* ---- A second reading ---------------------------------------------------------------------- */

/* The values of the keys; NULL: not there. */
struct values {
    char *of[KEYS];
};

static void
read_values(const char *text, struct values *ret)
{
    static regex_t expressions[KEYS];
    static bool ready = false;

    for (int i = 0; !ready && i < KEYS; i++) {
        char expression[64];

        snprintf(expression, sizeof expression, "^%s=(.*)$", names[i]);
        assert(regcomp(&expressions[i], expression, REG_EXTENDED | REG_NEWLINE) == 0);
    }
    ready = true;
    for (int i = 0; i < KEYS; i++) {
        regmatch_t match[2];

        ret->of[i] = NULL;
        if (!strstr(text, names[i]) || regexec(&expressions[i], text, 2, match, 0) != 0)
            continue;
        ret->of[i] = strdup(text + match[1].rm_so);
        assert(ret->of[i]);
        ret->of[i][match[1].rm_eo - match[1].rm_so] = '\0';
    }
}

static void
free_values(struct values *values)
{
    for (int i = 0; i < KEYS; i++)
        free(values->of[i]);
}

/* One that is missing is 0. */
static bool
read_number(const char *text, uint64_t *ret)
{
    *ret = 0;
    if (!text)
        return true;
    errno = 0;
    *ret = strtoull(text, NULL, 10);
    return *text != '\0' && strspn(text, "0123456789") == strlen(text) && errno == 0;
}

static bool
is_believed(const char *text, size_t length, const struct values *values, uint64_t numbers[KEYS])
{
    static const enum key keys[] = {
        PID, START, PIDNS, PIDFD_INODE, SERVER_PID, SERVER_START, SERVER_PIDFD_INODE};

    if (length == 0 || length > STATE_MAX || text[length - 1] != '\n')
        return false;
    if (!values->of[VERSION] || strcmp(values->of[VERSION], "1") != 0)
        return false;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!read_number(values->of[keys[i]], &numbers[keys[i]]))
            return false;
    return numbers[PID] > 0 && numbers[PID] <= INT32_MAX && numbers[SERVER_PID] <= INT32_MAX;
}

/* ---- What was read, against it ------------------------------------------------------------- */

static void
check_identity(const struct os_identity *identity, const uint64_t numbers[KEYS], enum key pid,
               enum key start, enum key inode)
{
    assert((uint64_t)identity->pid == numbers[pid]);
    assert(identity->start == numbers[start]);
    assert(identity->pidfd_inode == numbers[inode]);
    assert(identity->pid_namespace == numbers[PIDNS]);
}

static void
check_parsed(const struct state *state, const struct values *values, const uint64_t numbers[KEYS])
{
    static char buf[STATE_MAX + 1], cut[4];
    const char *boot = values->of[BOOT] ? values->of[BOOT] : "";
    size_t length = strlen(boot) < BOOT_MAX ? strlen(boot) : BOOT_MAX;

    check_identity(&state->owner, numbers, PID, START, PIDFD_INODE);
    check_identity(&state->server, numbers, SERVER_PID, SERVER_START, SERVER_PIDFD_INODE);
    assert(strlen(state->owner.boot) == length && strncmp(state->owner.boot, boot, length) == 0);
    assert(state->lock_held == (values->of[LOCK] && strcmp(values->of[LOCK], "held") == 0));
    for (int i = 0; i < KEYS; i++) {
        bool has = state_get(state, names[i], buf, sizeof buf);

        assert(has == (values->of[i] != NULL));
        assert(!has || strcmp(buf, values->of[i]) == 0);
        assert(state_get(state, names[i], cut, sizeof cut) == has);
        assert(!has || strncmp(cut, buf, sizeof cut - 1) == 0);
    }
}

/* ---- Writing ------------------------------------------------------------------------------- */

enum room {
    CUT = 1, /* at VALUE_MAX */
    WHOLE,   /* or not at all */
    REST,    /* cut to the room that is left */
};

/* As a state keeps it: without control characters, and left out only where there is no room. */
static void
expect_word(const struct state *state, const char *name, const char *word, enum room room)
{
    static char buf[STATE_MAX + 1];
    bool has = state_get(state, name, buf, sizeof buf);
    size_t length = word ? strnlen(word, VALUE_MAX) : 0;
    size_t line = strlen(name) + length + 2;
    bool fits = state->length + line <= STATE_MAX; /* had it been written last */

    if (room == WHOLE && word && strlen(word) > VALUE_MAX)
        length = 0;
    assert(!has || length > 0);
    assert(has || length == 0 || !fits);
    if (!has)
        return;
    assert(strlen(buf) == length || (room == REST && strlen(buf) < length && !fits));
    length = strlen(buf);
    for (size_t i = 0; i < length; i++)
        assert(buf[i] == ((unsigned char)word[i] < ' ' ? ' ' : word[i]));
}

static void
write_state(const struct os_identity *owner, bool lock_held, const struct state_words *words,
            struct state *ret)
{
    static char text[STATE_MAX];
    size_t length = state_format(owner, lock_held, 1767323045, words, text);

    /* Words never cost the identity. */
    assert(state_parse(text, length, ret) == 0);
}

static void
check_written(const struct state *state, const struct os_identity *owner, bool lock_held,
              const struct state_words *words)
{
    assert(state->owner.pid == owner->pid && state->owner.start == owner->start);
    assert(state->owner.pidfd_inode == owner->pidfd_inode);
    assert(state->owner.pid_namespace == owner->pid_namespace);
    assert(state->server.pid == (words->server ? words->server->pid : 0));
    assert(state->server.start == (words->server ? words->server->start : 0));
    assert(state->server.pidfd_inode == (words->server ? words->server->pidfd_inode : 0));
    assert(state->lock_held == lock_held);
    expect_word(state, "boot", owner->boot, CUT);
    expect_word(state, "phase", words->phase, CUT);
    expect_word(state, "manager", words->manager, CUT);
    expect_word(state, "cgroup", words->cgroup, WHOLE);
    expect_word(state, "exit", words->exit, CUT);
    expect_word(state, "status", words->status, CUT);
    expect_word(state, "command", words->command, REST);
}

/* What was read, written again and read again, is the same; and so is its text from then on. */
static void
check_again(const struct state *state, const struct values *values)
{
    static struct state second, third;
    struct state_words words = {
        .phase = values->of[PHASE],
        .command = values->of[COMMAND],
        .manager = values->of[MANAGER],
        .cgroup = values->of[CGROUP],
        .status = values->of[STATUS],
        .server = state->server.pid > 0 ? &state->server : NULL,
        .exit = values->of[EXIT],
    };

    if (!read_number(values->of[RESTARTS], &words.restarts))
        words.restarts = 0;
    write_state(&state->owner, state->lock_held, &words, &second);
    check_written(&second, &state->owner, state->lock_held, &words);
    words.server = second.server.pid > 0 ? &second.server : NULL;
    write_state(&second.owner, second.lock_held, &words, &third);
    assert(strcmp(second.text, third.text) == 0);
}

/* ---- The two kinds ------------------------------------------------------------------------- */

static void
fuzz_file(const char *data, size_t size)
{
    static struct state state;
    uint64_t numbers[KEYS] = {0};
    struct values values;
    char *text = fuzz_text(data, size);

    read_values(text, &values);
    if (is_believed(text, size, &values, numbers)) {
        assert(state_parse(data, size, &state) == 0);
        check_parsed(&state, &values, numbers);
        check_again(&state, &values);
    } else {
        assert(state_parse(data, size, &state) == -EBADMSG);
    }
    free_values(&values);
    free(text);
}

static void
fuzz_words(const char *data, size_t size)
{
    static struct state state;
    static const struct os_identity server = {.pid = 4712, .start = 45, .pidfd_inode = 46};
    struct os_identity owner = {.pid = 4711, .start = 42, .pidfd_inode = 43, .pid_namespace = 44};
    struct state_words words = {.server = size % 2 ? &server : NULL, .restarts = size};
    const char **const all[] = {&words.status, &words.command, &words.exit,
                                &words.phase,  &words.manager, &words.cgroup};
    char *copy = fuzz_text(data, size), *next = copy;

    for (size_t i = 0; i < sizeof all / sizeof *all && next <= copy + size; i++) {
        *all[i] = next;
        next += strlen(next) + 1;
    }
    if (next <= copy + size)
        snprintf(owner.boot, sizeof owner.boot, "%s", next);
    write_state(&owner, size % 3 == 0, &words, &state);
    check_written(&state, &owner, size % 3 == 0, &words);
    free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct state state;

    if (size > 0 && memchr(data, '\0', size)) {
        assert(state_parse((const char *)data, size, &state) == -EBADMSG);
        fuzz_words((const char *)data, size);
    } else {
        fuzz_file((const char *)data, size);
    }
    return 0;
}
