/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server says: its answer to a probe by HTTP, and its output, from which a condition waits
 * for a line. The first byte chooses the reader, and with the second how the bytes arrive.
 */
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "host/log_parts.h"
#include "host/probe.h"
#include "host/ready.h"

/* ---- The machine, by the linker's --wrap ---------------------------------------------------- */

int __wrap_os_connect(const struct os_address *address, intptr_t *ret_handle);
int __wrap_os_connect_result(intptr_t handle);
int64_t __wrap_os_connection_write(intptr_t handle, const void *data, size_t size);
int64_t __wrap_os_handle_read(intptr_t handle, void *buf, size_t size);
intptr_t __wrap_os_handle_close(intptr_t handle);

enum end { CLOSED, RESET, SILENT, ENDS };

#define HANDLE 4711

static struct {
    const char *bytes; /* not read yet */
    size_t left;
    size_t chunk; /* so many at once */
    enum end end;
    bool is_slow;   /* nothing goes at the first try */
    bool has_tried; /* what was tried last */
    bool is_open;
    size_t sent;
} peer;

/* Every second time, where the peer is slow. */
static bool
is_late(void)
{
    peer.has_tried = !peer.has_tried;
    return peer.is_slow && peer.has_tried;
}

int
__wrap_os_connect(const struct os_address *address, intptr_t *ret_handle)
{
    assert(address->length > 0 && !peer.is_open);
    peer.is_open = true;
    *ret_handle = HANDLE;
    return peer.is_slow ? -EINPROGRESS : 0;
}

int
__wrap_os_connect_result(intptr_t handle)
{
    assert(handle == HANDLE && peer.is_open);
    return is_late() ? -EINPROGRESS : 0;
}

int64_t
__wrap_os_connection_write(intptr_t handle, const void *data, size_t size)
{
    assert(handle == HANDLE && peer.is_open && data && size > 0);
    if (is_late())
        return -EAGAIN;
    if (peer.is_slow && size > peer.chunk)
        size = peer.chunk;
    peer.sent += size;
    return (int64_t)size;
}

int64_t
__wrap_os_handle_read(intptr_t handle, void *buf, size_t size)
{
    assert(handle == HANDLE && peer.is_open);
    if (is_late())
        return -EAGAIN;
    if (peer.left == 0)
        return peer.end == CLOSED ? 0 : peer.end == RESET ? -ECONNRESET : -EAGAIN;
    if (size > peer.chunk)
        size = peer.chunk;
    if (size > peer.left)
        size = peer.left;
    memcpy(buf, peer.bytes, size);
    peer.bytes += size;
    peer.left -= size;
    return (int64_t)size;
}

intptr_t
__wrap_os_handle_close(intptr_t handle)
{
    assert(handle == OS_NONE || (handle == HANDLE && peer.is_open));
    if (handle == HANDLE)
        peer.is_open = false;
    return OS_NONE;
}

/* ---- http ----------------------------------------------------------------------------------- */

/* A status of 200 to 399, in the first 12 bytes. */
static bool
is_good(const char *data, size_t size)
{
    return size >= 12 && memcmp(data, "HTTP/1.", 7) == 0 && data[8] == ' '
           && (data[9] == '2' || data[9] == '3') && data[10] >= '0' && data[10] <= '9'
           && data[11] >= '0' && data[11] <= '9';
}

/* Until it has answered, which it does whatever comes, or doesn't. */
static enum probe_answer
ask(struct probe *probe)
{
    int64_t now_ms = 1000;
    enum probe_answer answer = probe_begin(probe, now_ms);

    for (unsigned steps = 0; answer == PROBE_PENDING; steps++) {
        struct os_source source;

        assert(steps < 20000 && peer.is_open);
        assert(probe_source(probe, &source) && source.handle == HANDLE);
        assert(probe_deadline(probe) > 0);
        if (peer.left == 0 && peer.end == SILENT && steps % 2 == 1)
            now_ms = probe_deadline(probe);
        answer = probe_continue(probe, true, now_ms);
    }
    assert(!peer.is_open && probe_deadline(probe) == -1);
    return answer;
}

static void
fuzz_http(const char *data, size_t size, unsigned way)
{
    static const char *const words[] = {"http://127.0.0.1:8080/", "http://[::1]:80/health?a=b"};
    struct condition condition;
    struct probe *probe = NULL;
    const char *why;
    bool good = is_good(data, size);

    assert(condition_parse(words[way % 2], "web", "/run/web.pid", &condition, &why) == 0);
    assert(probe_new(&condition, NULL, 5000, &probe) == 0);
    /* It is asked twice: the second asking knows nothing of the first. */
    for (unsigned i = 0; i < 2; i++) {
        memset(&peer, 0, sizeof peer);
        peer.bytes = data;
        peer.left = size;
        peer.chunk = i == 0 ? 1 + way / 12 : 4096;
        peer.end = (enum end)(way / 4 % ENDS);
        peer.is_slow = way / 2 % 2;
        assert(ask(probe) == (good ? PROBE_HOLDS : PROBE_FAILS));
        assert(peer.end == SILENT || peer.sent > strlen("GET / HTTP/1.1\r\n\r\n"));
        assert(good || strncmp(probe_why(probe), condition.name, strlen(condition.name)) == 0);
        for (const char *c = probe_why(probe); *c != '\0'; c++)
            assert((unsigned char)*c >= ' ' && *c != '\x7f');
    }
    probe_free(probe);
    condition_free(&condition);
}

/* ---- Lines ---------------------------------------------------------------------------------- */

struct output {
    char *text;
    size_t length;
};

/* The bytes several times over: more than what is kept. */
static struct output
repeated(const char *data, size_t size, unsigned times)
{
    struct output output = {malloc(size * times + 1), size * times};

    assert(output.text);
    for (unsigned i = 0; i < times; i++)
        memcpy(output.text + i * size, data, size);
    return output;
}

/* Where the kept lines begin: at most LOG_TAIL_LINES, and whole, if any is. */
static size_t
tail_start(const struct output *output)
{
    bool is_cut = output->length >= LOG_TAIL_SIZE;
    size_t window = is_cut ? output->length - LOG_TAIL_SIZE : 0, newlines = 0;

    for (size_t i = window; i + 1 < output->length; i++)
        newlines += output->text[i] == '\n';
    for (size_t i = window; i < output->length; i++) {
        bool starts = i == window ? !is_cut : output->text[i - 1] == '\n';

        if (i > window && starts)
            newlines--;
        if (starts && newlines < LOG_TAIL_LINES)
            return i;
    }
    return window;
}

static void
check_tail(const struct log_lines *lines, const struct output *output)
{
    static char buf[LOG_TAIL_SIZE + 1];
    size_t length = log_lines_tail(lines, buf, sizeof buf), start = tail_start(output);

    assert(length == output->length - start && buf[length] == '\0');
    assert(length == 0 || memcmp(buf, output->text + start, length) == 0);
}

struct watch {
    struct log_lines lines;
    struct gate *gate;
    const char *at, *come, *end; /* of what was not given yet, of what came so far, and of all */
    bool is_told;                /* of the line that is waited for */
};

/* The next line, if enough of it came; of one that is too long the beginning. NULL: none. */
static const char *
next_line(struct watch *watch, size_t *ret_length)
{
    const char *line = watch->at, *newline;
    size_t length = (size_t)(watch->end - line);

    newline = length > 0 ? memchr(line, '\n', length) : NULL;
    if (newline)
        length = (size_t)(newline - line);
    if (length < LOG_TAIL_SIZE ? !newline || newline >= watch->come
                               : watch->come - line < LOG_TAIL_SIZE)
        return NULL;
    watch->at = newline ? newline + 1 : watch->end;
    *ret_length = length < LOG_TAIL_SIZE ? length : LOG_TAIL_SIZE - 1;
    return line;
}

/* It is the next one; and the gate opens by that which is waited for. */
static void
take_line(struct watch *watch, const char *given)
{
    size_t length = 0, shown;
    const char *line = next_line(watch, &length);

    assert(line);
    shown = strnlen(line, length); /* a NUL ends it, for the pattern */
    assert(strlen(given) == shown && memcmp(given, line, shown) == 0);
    if (strncmp(given, "up", 2) == 0 && strchr(given + 2, '4') && given[strlen(given) - 1] == '2')
        watch->is_told = true;
    gate_line(watch->gate, given);
    assert(gate_known(watch->gate) == (watch->is_told ? GATE_OPEN : GATE_PENDING));
}

static void
watch_output(struct watch *watch, const struct output *output, size_t chunk)
{
    static char given[LOG_TAIL_SIZE];

    watch->at = watch->come = output->text;
    watch->end = output->text + output->length;
    for (size_t done = 0; done < output->length;) {
        size_t room = log_lines_room(&watch->lines), length = output->length - done;

        assert(room > 0);
        length = length < chunk ? length : chunk;
        length = length < room ? length : room;
        log_lines_add(&watch->lines, output->text + done, length);
        done += length;
        watch->come = output->text + done;
        while (log_lines_next(&watch->lines, given, sizeof given))
            take_line(watch, given);
    }
}

static void
fuzz_lines(const char *data, size_t size, unsigned way)
{
    static const unsigned chunks[] = {1, 7, 100, LOG_CHUNK};
    const struct gate_rules rules = {.interval_ms = 1000, .attempt_ms = 1000, .timeout_ms = -1};
    struct output output = repeated(data, size, 1 + way / 4 % 8);
    struct conditions conditions = {NULL, 0};
    struct condition condition;
    struct watch *watch = calloc(1, sizeof *watch);
    const char *why;
    size_t length;

    assert(watch);
    assert(condition_parse("log:^up.*4.*2$", "web", "/run/web.pid", &condition, &why) == 0);
    assert(conditions_add(&conditions, &condition) == 0);
    assert(gate_new(&conditions, &rules, NULL, &watch->gate, NULL) == 0);
    assert(log_lines_watch(&watch->lines, true) == 0);
    gate_start(watch->gate, 0);
    watch_output(watch, &output, chunks[way % 4]);
    assert(!next_line(watch, &length));
    check_tail(&watch->lines, &output);
    (void)log_lines_watch(&watch->lines, false);
    gate_free(watch->gate);
    conditions_free(&conditions);
    free(watch);
    free(output.text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const readers[])(const char *data, size_t size, unsigned way) = {fuzz_http,
                                                                                   fuzz_lines};

    if (size > 1)
        readers[data[0] % 2]((const char *)data + 2, size - 2, data[1]);
    return 0;
}
