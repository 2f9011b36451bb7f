/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a supervisor makes of its server's words, and of a stranger's: datagrams with descriptors,
 * the store of those, what the service manager hears of it, and what the next server gets. The
 * first three bytes say how the supervisor stands. The rest is text; a backslash begins what is
 * done with it, and all that comes in one turn is followed by \; .
 */
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"
#include "host/supervisor.h"
#include "lib/core.h"
#include "os/posix.h"

#define SERVER      100 /* 'd' */
#define NOTIFY      900
#define WORD_PIPE   901
#define WATCH       902
#define FIRST       1000 /* of the descriptors that come */
#define PASSED_MAX  1000 /* of them all */
#define TEXT_MAX    4095 /* a longer datagram is none */
#define TURN_MAX    2000 /* so often it may read in one turn */
#define NOW_MS      5000
#define WORD_FD     5
#define NAME_LENGTH 255

/* ---- The machine, by the linker's --wrap ---------------------------------------------------- */

ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags);
int __real_close(int fd);
int __wrap_close(int fd);
bool __wrap_os_handle_is_same(intptr_t a, intptr_t b);
int64_t __wrap_os_handle_read(intptr_t handle, void *buf, size_t size);
int __wrap_os_watch_open(intptr_t *ret_watch);
int __wrap_os_watch_add(intptr_t watch, intptr_t handle);
void __wrap_os_watch_remove(intptr_t watch, intptr_t handle);
intptr_t __wrap_os_watch_next(intptr_t watch);
int __wrap_os_notify_send(const char *address, const char *text, intptr_t passed, int64_t pid);
int __wrap_os_process_hold(int64_t pid, struct os_hold *ret_hold);
void __wrap_os_process_release(struct os_hold *hold);
int __wrap_os_process_identify(const struct os_hold *hold, struct os_identity *ret_identity);
int __wrap_os_process_belongs(const struct os_hold *hold, int64_t session, const char *cgroup);
bool __wrap_os_is_descendant(const struct os_hold *hold);
int64_t __wrap_os_monotonic_ms(void);
int __wrap_claim_update(struct claim *claim, const struct state_words *words);

/* A descriptor that came: of which open file it is one. */
struct passed {
    int file;
    bool is_open, is_watched;
};

/* What stands in the store, as a second reading has it. */
struct kept {
    intptr_t handle;
    char name[NAME_LENGTH + 1];
    bool is_watched;
};

/* What a message says, as a second reading has it. */
struct said {
    const char *text;
    size_t length;
    bool may; /* who says it */
    bool stores, removes, is_unwatched, is_ready;
    bool leads_on;    /* to another phase, perhaps, which has a status of its own */
    int64_t main_pid; /* or 0 */
    char name[NAME_LENGTH + 1];
    intptr_t handles[OS_HANDLES_MAX];
    size_t count;
};

static struct {
    const char *at, *end;    /* of what is still to happen */
    const char *text;        /* that was not sent yet */
    size_t length, attached; /* its; the descriptors that go with it */
    int64_t sender;
    bool is_flooding; /* the last message comes again and again; and what the server writes */
    bool has_flooded;
    bool watch_fails[2]; /* the next time; and in the second reading */
    unsigned dead;       /* files whose other end is gone, by bit */
    unsigned reads;      /* in this turn */
    int holds;
    struct passed passed[PASSED_MAX];
    size_t passed_count;
    const char *written; /* by the server, into its pipe */
    size_t written_length;
    bool is_pipe_closed;

    struct said said; /* last */
    struct kept store[OS_STORED_MAX + 1];
    size_t store_count, store_max;
    int64_t server;
    char status[sizeof(((struct supervisor *)0)->status_text)];
    bool is_ready, is_newline;
} machine;

static struct supervisor *supervisor;

static struct passed *
passed_of(intptr_t handle)
{
    assert(handle >= FIRST && handle < FIRST + (intptr_t)machine.passed_count);
    return &machine.passed[handle - FIRST];
}

/* ---- Processes: what their numbers say ------------------------------------------------------ */

static bool
is_alive(int64_t pid)
{
    return pid > 1 && pid < 256;
}

static bool
is_below(int64_t pid)
{
    return pid % 2 == 1;
}

static bool
is_of_group(int64_t pid)
{
    return pid % 4 == 2;
}

int
__wrap_os_process_hold(int64_t pid, struct os_hold *ret_hold)
{
    if (!is_alive(pid))
        return -ESRCH;
    machine.holds++;
    *ret_hold = (struct os_hold){pid, 2000 + (intptr_t)pid};
    return 0;
}

void
__wrap_os_process_release(struct os_hold *hold)
{
    if (hold->handle != OS_NONE) {
        assert(hold->handle == 2000 + (intptr_t)hold->pid);
        machine.holds--;
    }
    hold->handle = OS_NONE;
    hold->pid = 0;
}

int
__wrap_os_process_identify(const struct os_hold *hold, struct os_identity *ret_identity)
{
    if (hold->pid % 7 == 0)
        return -ESRCH;
    *ret_identity = (struct os_identity){.pid = hold->pid, .start = 42};
    return 0;
}

int
__wrap_os_process_belongs(const struct os_hold *hold, int64_t session, const char *cgroup)
{
    assert(session == machine.server && *cgroup == '\0');
    return is_of_group(hold->pid);
}

bool
__wrap_os_is_descendant(const struct os_hold *hold)
{
    return is_below(hold->pid);
}

int64_t
__wrap_os_monotonic_ms(void)
{
    return NOW_MS;
}

/* ---- Descriptors ---------------------------------------------------------------------------- */

int
__wrap_close(int fd)
{
    if (fd < NOTIFY)
        return __real_close(fd);
    if (fd >= FIRST) {
        struct passed *passed = passed_of(fd);

        assert(passed->is_open && !passed->is_watched);
        passed->is_open = false;
    }
    return 0;
}

bool
__wrap_os_handle_is_same(intptr_t a, intptr_t b)
{
    assert(passed_of(a)->is_open && passed_of(b)->is_open);
    return passed_of(a)->file == passed_of(b)->file;
}

int
__wrap_os_watch_open(intptr_t *ret_watch)
{
    *ret_watch = WATCH;
    return 0;
}

int
__wrap_os_watch_add(intptr_t watch, intptr_t handle)
{
    struct passed *passed = passed_of(handle);

    assert(watch == WATCH && passed->is_open && !passed->is_watched);
    if (machine.watch_fails[0]) {
        machine.watch_fails[0] = false;
        return -ENOSPC;
    }
    passed->is_watched = true;
    return 0;
}

void
__wrap_os_watch_remove(intptr_t watch, intptr_t handle)
{
    assert(watch == WATCH && passed_of(handle)->is_open);
    passed_of(handle)->is_watched = false;
}

/* It tells of the same one again, until that one is taken out. */
intptr_t
__wrap_os_watch_next(intptr_t watch)
{
    assert(watch == WATCH || watch == OS_NONE);
    for (size_t i = 0; i < machine.passed_count; i++)
        if (machine.passed[i].is_watched && machine.dead >> machine.passed[i].file & 1)
            return FIRST + (intptr_t)i;
    return OS_NONE;
}

/* ---- A second reading ----------------------------------------------------------------------- */

static bool
is_line(const char *line, size_t length, const char *text)
{
    return length == strlen(text) && memcmp(line, text, length) == 0;
}

static bool
begins(const char *line, size_t length, const char *text)
{
    return length >= strlen(text) && memcmp(line, text, strlen(text)) == 0;
}

/* systemd's: printable, no colon, at most 255. */
static bool
is_name(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] < ' ' || text[i] > '~' || text[i] == ':')
            return false;
    return length > 0 && length <= NAME_LENGTH;
}

/* Of those it names, the last that it may. */
static void
read_main_pid(struct said *said, const char *digits, size_t length)
{
    int64_t pid = 0;

    for (size_t i = 0; i < length; i++) {
        if (digits[i] < '0' || digits[i] > '9')
            return;
        pid = pid < 1000 ? pid * 10 + digits[i] - '0' : pid;
    }
    if (length > 0 && is_alive(pid) && is_below(pid) && pid % 7 != 0)
        said->main_pid = pid;
}

static void
read_line(struct said *said, const char *line, size_t length)
{
    said->stores |= is_line(line, length, "FDSTORE=1");
    said->removes |= is_line(line, length, "FDSTOREREMOVE=1");
    said->is_unwatched |= is_line(line, length, "FDPOLL=0");
    said->is_ready |= is_line(line, length, "READY=1");
    said->leads_on |= is_line(line, length, "READY=1") || is_line(line, length, "RELOADING=1")
                      || is_line(line, length, "STOPPING=1");
    if (begins(line, length, "FDNAME=") && is_name(line + 7, length - 7))
        snprintf(said->name, sizeof said->name, "%.*s", (int)length - 7, line + 7);
    if (begins(line, length, "STATUS="))
        snprintf(machine.status, sizeof machine.status, "%.*s", (int)length - 7, line + 7);
    if (begins(line, length, "MAINPID="))
        read_main_pid(said, line + 8, length - 8);
}

/* One NUL may end it, and no other be in it. */
static void
read_said(struct said *said)
{
    const char *line = said->text;

    if (said->length > TEXT_MAX)
        said->length = 0;
    if (said->length > 0 && line[said->length - 1] == '\0')
        said->length--;
    if (said->length > 0 && memchr(line, '\0', said->length))
        said->length = 0;
    while (said->may && line < said->text + said->length) {
        size_t left = (size_t)(said->text + said->length - line);
        const char *newline = memchr(line, '\n', left);
        size_t length = newline ? (size_t)(newline - line) : left;

        read_line(said, line, length);
        line += length + (newline != NULL);
    }
}

static bool
has_line(const struct said *said, const char *text)
{
    size_t length = strlen(text);

    for (size_t i = 0; i + length <= said->length; i++)
        if ((i == 0 || said->text[i - 1] == '\n') && memcmp(said->text + i, text, length) == 0
            && (i + length == said->length || said->text[i + length] == '\n'))
            return true;
    return false;
}

/* ---- The store, as it is to be -------------------------------------------------------------- */

static void
leave_out(size_t i)
{
    machine.store_count--;
    memmove(&machine.store[i], &machine.store[i + 1],
            (machine.store_count - i) * sizeof *machine.store);
}

static void
leave_out_dead(void)
{
    for (size_t i = machine.store_count; i-- > 0;)
        if (machine.store[i].is_watched
            && machine.dead >> passed_of(machine.store[i].handle)->file & 1)
            leave_out(i);
}

static bool
is_kept(int file)
{
    for (size_t i = 0; i < machine.store_count; i++)
        if (passed_of(machine.store[i].handle)->file == file)
            return true;
    return false;
}

static void
store_said(const struct said *said)
{
    for (size_t i = machine.store_count; said->removes && *said->name && i-- > 0;)
        if (strcmp(machine.store[i].name, said->name) == 0)
            leave_out(i);
    for (size_t i = 0; said->stores && !said->removes && i < said->count; i++) {
        struct kept *kept;

        if (is_kept(passed_of(said->handles[i])->file))
            continue;
        if (machine.store_count == machine.store_max)
            leave_out_dead();
        if (machine.store_count == machine.store_max)
            continue;
        kept = &machine.store[machine.store_count];
        if (!said->is_unwatched && machine.watch_fails[1]) {
            machine.watch_fails[1] = false;
            continue;
        }
        *kept = (struct kept){.handle = said->handles[i], .is_watched = !said->is_unwatched};
        snprintf(kept->name, sizeof kept->name, "%s", *said->name ? said->name : "stored");
        machine.store_count++;
    }
}

static void
check_store(const struct store *store)
{
    assert(store->count == machine.store_count && store->count <= store->max);
    for (size_t i = 0; i < store->count; i++) {
        assert(store->handles[i] == machine.store[i].handle);
        assert(strcmp(store->names[i], machine.store[i].name) == 0);
        assert(passed_of(store->handles[i])->is_open);
    }
    for (size_t i = 0; i < machine.passed_count - machine.attached; i++) {
        bool is_stored = false;

        for (size_t j = 0; j < store->count; j++)
            is_stored |= store->handles[j] == FIRST + (intptr_t)i;
        assert(machine.passed[i].is_open == is_stored);
    }
}

/* ---- What comes ----------------------------------------------------------------------------- */

/* Its sender's number, and what goes with it; as the kernel puts it, in either order. */
static void
put_control(struct msghdr *message, const struct said *said, bool rights_first)
{
    struct ucred sender = {.pid = (pid_t)machine.sender};
    size_t room = message->msg_controllen;
    int fds[OS_HANDLES_MAX];
    struct cmsghdr *c;

    for (size_t i = 0; i < said->count; i++)
        fds[i] = (int)said->handles[i];
    message->msg_controllen = 0;
    for (int i = 0; i < 2; i++) {
        bool is_rights = rights_first == (i == 0);
        size_t size = is_rights ? said->count * sizeof *fds : sizeof sender;

        if (is_rights ? said->count == 0 : machine.sender == 0)
            continue;
        c = (struct cmsghdr *)(void *)((char *)message->msg_control + message->msg_controllen);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = is_rights ? SCM_RIGHTS : SCM_CREDENTIALS;
        c->cmsg_len = CMSG_LEN(size);
        memcpy(CMSG_DATA(c), is_rights ? (const void *)fds : (const void *)&sender, size);
        message->msg_controllen += CMSG_SPACE(size);
        assert(message->msg_controllen <= room);
    }
}

/* What came last was acted upon: so it is in the second reading. */
static void
settle(void)
{
    struct said *said = &machine.said;

    store_said(said);
    if (said->main_pid > 0)
        machine.server = said->main_pid;
    machine.is_ready |= said->is_ready;
    if (said->leads_on)
        memcpy(machine.status, supervisor->status_text, sizeof machine.status);
    assert(strcmp(supervisor->status_text, machine.status) == 0);
    assert(supervisor->server == machine.server);
    memset(said, 0, sizeof *said);
}

static bool
may_speak(int64_t pid)
{
    if (pid == 0 || machine.server == 0)
        return false;
    return pid == machine.server || (is_alive(pid) && (is_of_group(pid) || is_below(pid)));
}

static ssize_t
deliver(struct msghdr *message)
{
    struct said *said = &machine.said;
    size_t room = message->msg_iov->iov_len;
    size_t length = machine.length < room ? machine.length : room;

    said->text = machine.text;
    said->length = machine.length;
    said->may = may_speak(machine.sender);
    for (; machine.attached > 0; machine.attached--)
        said->handles[said->count++] = FIRST + (intptr_t)(machine.passed_count - machine.attached);
    put_control(message, said, said->length % 2);
    message->msg_flags = said->length > room ? MSG_TRUNC : 0;
    if (length > 0)
        memcpy(message->msg_iov->iov_base, said->text, length);
    read_said(said);
    return (ssize_t)length;
}

static void
attach(int file)
{
    if (machine.passed_count == PASSED_MAX || machine.attached == OS_HANDLES_MAX)
        return;
    machine.passed[machine.passed_count++] = (struct passed){.file = file, .is_open = true};
    machine.attached++;
}

static void
name_passed(void)
{
    char *text = fuzz_text(machine.text, machine.length);

    assert(setenv("LISTEN_FDNAMES", text, 1) == 0);
    free(text);
}

static void
happen(char what, int which)
{
    switch (what) {
    case '+': /* a descriptor of that file goes with the next message */
        attach(which % 8);
        break;
    case 'k': /* its other end is closed */
        machine.dead |= 1U << which % 8;
        break;
    case 'p': /* whose messages come from now on */
        machine.sender = which;
        break;
    case 'e':
        machine.watch_fails[0] = machine.watch_fails[1] = true;
        break;
    case 'f': /* once: it takes as long as a thousand others */
        machine.is_flooding = !machine.has_flooded;
        machine.has_flooded = true;
        break;
    case 'l': /* the text is no message, but what the server writes */
        machine.written = machine.text;
        machine.written_length = machine.length;
        break;
    case 'q':
        machine.is_pipe_closed = true;
        break;
    case 'n': /* nor is it one here, but the names of the sockets that came with the start */
        name_passed();
        break;
    default:
        break;
    }
}

/* Until there is a message: true; false: it is the end of this turn. */
static bool
let_happen(void)
{
    while (machine.at < machine.end) {
        size_t left = (size_t)(machine.end - machine.at);
        const char *backslash = memchr(machine.at, '\\', left);
        size_t length = backslash ? (size_t)(backslash - machine.at) : left;
        char what = left > length + 1 ? backslash[1] : ';';
        bool has_which = strchr("+kp", what) && left > length + 2;

        if (length > 0) {
            machine.text = machine.at;
            machine.length = length;
        }
        machine.at += left > length + 1 ? length + 2 + has_which : left;
        if (what == '.' || what == ';')
            return what == '.';
        happen(what, has_which ? (uint8_t)backslash[2] : 0);
    }
    return false;
}

ssize_t
__wrap_recvmsg(int fd, struct msghdr *message, int flags)
{
    bool comes;

    assert(fd == NOTIFY && flags & MSG_DONTWAIT && flags & MSG_CMSG_CLOEXEC);
    assert(++machine.reads < TURN_MAX);
    settle();
    comes = machine.is_flooding || let_happen();
    if (comes)
        return deliver(message);
    errno = EAGAIN;
    return -1;
}

int64_t
__wrap_os_handle_read(intptr_t handle, void *buf, size_t size)
{
    size_t length = machine.written_length < size ? machine.written_length : size;

    assert(handle == WORD_PIPE && ++machine.reads < TURN_MAX);
    if (length == 0)
        return machine.is_pipe_closed ? 0 : -EAGAIN;
    memcpy(buf, machine.written, length);
    machine.is_newline |= memchr(buf, '\n', length) != NULL;
    if (!machine.is_flooding) {
        machine.written += length;
        machine.written_length -= length;
    }
    return (int64_t)length;
}

/* ---- What others hear ----------------------------------------------------------------------- */

/* Of descriptors, in these very words. */
static void
check_passed_on(const struct said *said, const char *text, intptr_t passed)
{
    char expected[NAME_LENGTH + 64];
    const char *name = *said->name ? said->name : strstr(text, "FDNAME=") ? "stored" : "";

    assert(said->removes ? *said->name != '\0' : said->stores);
    snprintf(expected, sizeof expected, "FDSTORE%s=1%s%s%s", said->removes ? "REMOVE" : "",
             *name ? "\nFDNAME=" : "", name, said->is_unwatched ? "\nFDPOLL=0" : "");
    assert(strcmp(text, expected) == 0);
    assert(said->removes ? passed == OS_NONE : passed_of(passed)->is_open);
}

/* What a supervisor says of itself: each of these once at most. */
static void
check_own(const char *text)
{
    static const char *const keys[] = {"READY=1",         "RELOADING=1",          "STOPPING=1",
                                       "MONOTONIC_USEC=", "EXTEND_TIMEOUT_USEC=", "STATUS="};
    unsigned seen = 0;

    while (*text != '\0') {
        size_t length = strcspn(text, "\n"), key = 0;

        while (key < 6 && !begins(text, length, keys[key]))
            key++;
        assert(key < 6 && !(seen >> key & 1));
        seen |= 1U << key;
        text += length + (text[length] == '\n');
    }
}

int
__wrap_os_notify_send(const char *address, const char *text, intptr_t passed, int64_t pid)
{
    const struct said *said = &machine.said;

    assert(strcmp(address, "@manager") == 0 && pid == 0 && said->may);
    if (strncmp(text, "FD", 2) == 0) {
        check_passed_on(said, text, passed);
    } else if (strncmp(text, "ERRNO=", 6) == 0 || strncmp(text, "BUSERROR=", 9) == 0
               || strcmp(text, "WATCHDOG=1") == 0) {
        assert(has_line(said, text) && passed == OS_NONE);
    } else {
        assert(passed == OS_NONE);
        check_own(text);
    }
    return 0;
}

int
__wrap_claim_update(struct claim *claim, const struct state_words *words)
{
    assert(!claim && machine.said.may);
    assert(!words->server || words->server->pid == supervisor->server);
    return 0;
}

/* ---- What the next server gets -------------------------------------------------------------- */

/* The name in that place, or NULL. */
static const char *
name_at(const char *names, size_t place, size_t *ret_length)
{
    for (; place > 0 && names; place--)
        names = strchr(names, ':') ? strchr(names, ':') + 1 : NULL;
    *ret_length = names ? strcspn(names, ":") : 0;
    return names;
}

/* As many as there are descriptors: the names of those that were passed to us, and of the stored. */
static void
check_names(const struct os_launch *launch, const char *before)
{
    size_t passed = (size_t)launch->listen_fds, all = passed + launch->stored_count, length;
    const char *names = getenv("LISTEN_FDNAMES");
    bool fits = before && passed > 0 && name_at(before, passed - 1, &length)
                && !name_at(before, passed, &length);

    assert(names && strtoull(getenv("LISTEN_FDS"), NULL, 10) == all);
    assert(!name_at(names, all, &length));
    for (size_t i = 0; i < all; i++) {
        const char *name = name_at(names, i, &length), *own = "unknown";
        size_t expected = strlen(own);

        if (i >= passed) {
            own = launch->stored_names[i - passed];
            expected = strlen(own);
        } else if (fits) {
            own = name_at(before, i, &expected);
        }
        assert(name && length == expected && memcmp(name, own, length) == 0);
    }
}

static void
check_launch(const struct store *store, int listen_fds)
{
    const struct os_launch launch = {
        .listen_fds = listen_fds,
        .stored = store->handles,
        .stored_names = (const char *const *)store->names,
        .stored_count = store->count,
    };
    char *before = getenv("LISTEN_FDNAMES") ? strdup(getenv("LISTEN_FDNAMES")) : NULL;

    assert(posix_name_passed(&launch) == 0);
    if (store->count > 0)
        check_names(&launch, before);
    free(before);
    (void)unsetenv("LISTEN_FDNAMES");
}

/* ---- The target ----------------------------------------------------------------------------- */

static void
take_turn(struct supervisor *s)
{
    struct os_source sources[WORD_SOURCES_MAX];
    size_t count = word_sources(s, sources);
    bool is_told = os_watch_next(s->store.watch) != OS_NONE;

    for (size_t i = 0; i < count; i++)
        sources[i].ready = sources[i].handle == NOTIFY || sources[i].handle == WORD_PIPE
                           || (sources[i].handle == WATCH && is_told);
    machine.reads = 0;
    word_take(s, sources, count);
    settle();
    if (is_told)
        leave_out_dead();
    machine.is_flooding = false;
    check_store(&s->store);
    assert(s->deadline == NEVER || s->deadline >= 0);
    assert(machine.holds == (s->main.handle != OS_NONE));
    if (s->phase == PHASE_STARTING)
        assert((gate_known(s->ready) == GATE_OPEN) == (machine.is_ready && machine.is_newline));
}

static void
make_gates(struct supervisor *s)
{
    static const char *const words[] = {"notify", "fd:5"};
    struct config *config = &s->instance->config;
    struct gate_rules rules = gate_ready_rules(config);
    struct condition condition;
    const char *why;

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        assert(condition_parse(words[i], "web", "/run/web.pid", &condition, &why) == 0);
        assert(conditions_add(&config->ready, &condition) == 0);
    }
    assert(gate_new(&config->ready, &rules, s->launch, &s->ready, NULL) == 0);
    rules = gate_health_rules(config);
    assert(gate_new(&config->health, &rules, s->launch, &s->health, NULL) == 0);
    assert(reload_prepare(s) == 0);
    gate_start(s->phase == PHASE_STARTING ? s->ready : s->health, NOW_MS);
}

/* As it is in the midst of its life. */
static void
set_up(struct supervisor *s, unsigned how, unsigned max, unsigned listen_fds)
{
    static const enum phase phases[] = {PHASE_STARTING, PHASE_READY, PHASE_STOPPING, PHASE_WAITING};
    static const struct os_launch launch = {.listen_fds = 0};

    memset(&machine, 0, sizeof machine);
    supervisor = s;
    config_init(&s->instance->config);
    s->instance->config.store_max = (int)(machine.store_max = max % 6);
    s->launch = &launch;
    s->listen_fds = (int)(listen_fds % 4);
    s->manager.to.newline = OS_NONE;
    s->manager.until_ms = s->manager.feed_ms = NEVER;
    if (how & 4)
        strcpy(s->manager.to.address, "@manager");
    s->notify = NOTIFY;
    s->word_pipe = WORD_PIPE;
    s->word_fd = WORD_FD;
    s->store.watch = s->main.handle = OS_NONE;
    s->phase = phases[how % 4];
    s->deadline = how & 8 ? NOW_MS + 1000 : NEVER;
    s->server = machine.server = machine.sender = how & 16 ? 0 : SERVER;
    s->identity.pid = s->server;
    make_gates(s);
    assert(store_open(s) == 0);
}

static void
tear_down(struct supervisor *s)
{
    check_launch(&s->store, s->listen_fds);
    word_close(s);
    os_process_release(&s->main);
    gate_free(s->ready);
    gate_free(s->health);
    reload_free(s);
    config_free(&s->instance->config);
    assert(machine.holds == 0);
    for (size_t i = 0; i < machine.passed_count - machine.attached; i++)
        assert(!machine.passed[i].is_open);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct supervisor s;
    static struct instance instance;
    struct state_words words = {.since = 1};

    if (size < 3)
        return 0;
    memset(&s, 0, sizeof s);
    memset(&instance, 0, sizeof instance);
    s.instance = &instance;
    s.words = &words;
    set_up(&s, data[0], data[1], data[2]);
    machine.at = machine.text = (const char *)data + 3;
    machine.end = (const char *)data + size;
    while (machine.at < machine.end)
        take_turn(&s);
    tear_down(&s);
    return 0;
}
