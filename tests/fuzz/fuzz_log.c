/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader of log files: what it gives, while they are written, rotated, compressed, cut and
 * removed between any two of its calls, against what stands in them. The first byte says how many
 * lines are asked for, the second how they are read. The rest is what is written; a backslash
 * begins what is done besides, and each \. lets the reader come to its next call.
 */
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "host/log_parts.h"

#define PATH      "/var/log/web.log"
#define KEEP      3
#define FILES_MAX 64
#define BYTES_MAX ((size_t)1 << 16) /* of all files */

/* ---- The machine, by the linker's --wrap ---------------------------------------------------- */

int __wrap_os_log_read(const char *path, struct os_log *ret);
int64_t __wrap_os_log_read_at(const struct os_log *log, int64_t offset, void *buf, size_t size);
int64_t __wrap_os_log_size(const struct os_log *log);
void __wrap_os_log_close(struct os_log *log);
int __wrap_os_path_identify(const char *path, struct os_file_id *ret_id);

enum { NOTHING = -1, PACKED = -2 }; /* what stands under a name, if not a file */

/* In the order in which they were begun, so that one with a higher number was written later. */
struct file {
    char *bytes;
    size_t length;
    unsigned cuts; /* so often it lost bytes */
    bool is_gone;  /* it has no name that a reader knows */
};

/* A place in all that was written. */
struct place {
    int file; /* or NOTHING */
    int64_t offset;
};

static struct {
    struct file files[FILES_MAX];
    int count;
    size_t bytes;
    int names[KEEP + 1];  /* what stands under NAME, NAME.1 ... */
    int writer;           /* which file it has open; NOTHING: it opens NAME when it writes */
    int moving;           /* the number which a rotation moves next; NOTHING: none is under way */
    int is_open;          /* so many handles are */
    const char *at, *end; /* of what is still to happen */
    struct {
        const char *bytes;
        size_t length;
    } written;        /* last */
    bool fails;       /* the reader's next call does */
    bool has_failed;  /* since somebody said false */
    bool has_changed; /* anything, since then */
    bool is_odd; /* since then a name was missing for a moment, or a file lost bytes or its name */
    struct {
        int file;
        int64_t offset, length;
        const void *to;
    } given; /* last */
} machine;

/* ---- What others do ------------------------------------------------------------------------- */

static int
new_file(void)
{
    static char bytes[FILES_MAX][BYTES_MAX];

    if (machine.count == FILES_MAX)
        return NOTHING;
    machine.files[machine.count].bytes = bytes[machine.count];
    return machine.count++;
}

static void
take_name(int number)
{
    if (machine.names[number] >= 0) {
        machine.files[machine.names[number]].is_gone = true;
        machine.is_odd = true;
    }
    machine.names[number] = NOTHING;
}

/* As log_rotate.c moves them: those below the first gap, the highest first. */
static void
rotate_once(void)
{
    if (machine.moving == NOTHING && machine.names[0] == NOTHING)
        return;
    if (machine.moving == NOTHING) {
        int gap = 1;

        while (gap < KEEP && machine.names[gap] != NOTHING)
            gap++;
        take_name(gap);
        machine.moving = gap - 1;
    }
    machine.names[machine.moving + 1] = machine.names[machine.moving];
    machine.names[machine.moving] = NOTHING;
    machine.moving--;
}

static void
rotate(void)
{
    do
        rotate_once();
    while (machine.moving != NOTHING);
}

/* It opens what it writes to only when it writes, and never in the middle of a rotation. */
static void
write_bytes(const char *bytes, size_t length)
{
    struct file *file;

    if (machine.moving != NOTHING) {
        rotate();
        machine.writer = NOTHING;
    }
    if (machine.writer == NOTHING && machine.names[0] == NOTHING)
        machine.names[0] = new_file();
    if (machine.writer == NOTHING)
        machine.writer = machine.names[0];
    if (machine.writer == NOTHING || machine.bytes + length > BYTES_MAX)
        return;
    file = &machine.files[machine.writer];
    memcpy(file->bytes + file->length, bytes, length);
    file->length += length;
    machine.bytes += length;
    machine.written.bytes = bytes;
    machine.written.length = length;
}

static void
compress_oldest(void)
{
    int number = KEEP;

    while (number > 0 && machine.names[number] < 0)
        number--;
    if (number == 0)
        return;
    take_name(number);
    machine.names[number] = PACKED;
}

/* Somebody's, who knows nothing of the writer. */
static void
cut(size_t parts)
{
    struct file *file = machine.names[0] >= 0 ? &machine.files[machine.names[0]] : NULL;

    if (!file || file->length == 0)
        return;
    file->length = parts ? file->length / parts : 0;
    file->cuts++;
    machine.is_odd = true;
}

static void
happen(char what)
{
    switch (what) {
    case 'r': /* so much of a rotation */
    case 'R': /* or all of it */
        if (machine.moving != NOTHING || machine.writer == machine.names[0])
            what == 'r' ? rotate_once() : rotate();
        machine.is_odd |= machine.moving != NOTHING;
        if (machine.moving == NOTHING)
            machine.writer = NOTHING;
        break;
    case 'M': /* somebody else's, of which the writer has not heard */
        rotate();
        break;
    case 'c': /* after which that one makes an empty file */
        if (machine.names[0] == NOTHING)
            machine.names[0] = new_file();
        break;
    case 'o': /* and the writer hears of it */
        machine.writer = NOTHING;
        break;
    case 'z':
        compress_oldest();
        break;
    case 'd':
        take_name(0);
        break;
    case '0':
        cut(0);
        break;
    case 'h':
        cut(2);
        break;
    case 'l': /* what was written last, so often that no buffer holds it */
        for (int i = 0; i < 1000 && machine.written.length > 0; i++)
            write_bytes(machine.written.bytes, machine.written.length);
        break;
    case 'e':
        machine.fails = true;
        break;
    case '\\':
        write_bytes("\\", 1);
        break;
    default:
        break;
    }
}

/* What happens until the reader has its turn. */
static void
let_happen(void)
{
    while (machine.at < machine.end) {
        size_t left = (size_t)(machine.end - machine.at);
        const char *backslash = memchr(machine.at, '\\', left);
        size_t length = backslash ? (size_t)(backslash - machine.at) : left;

        if (length > 0) {
            write_bytes(machine.at, length);
            machine.has_changed = true;
            machine.at += length;
            continue;
        }
        machine.at += left > 1 ? 2 : 1;
        if (left > 1 && machine.at[-1] == '.')
            return;
        if (left > 1) {
            happen(machine.at[-1]);
            machine.has_changed = true;
        }
    }
}

/* true: the reader's call fails. */
static bool
is_failed(void)
{
    bool fails;

    let_happen();
    fails = machine.fails;
    machine.fails = false;
    machine.has_failed |= fails;
    return fails;
}

/* ---- What the reader asks for --------------------------------------------------------------- */

/* What stands under that name. */
static int
named(const char *path)
{
    size_t length = strlen(PATH);
    int number = 0;

    assert(strncmp(path, PATH, length) == 0);
    if (path[length] != '\0') {
        char *end;

        assert(path[length] == '.' && path[length + 1] > '0' && path[length + 1] <= '9');
        number = (int)strtol(path + length + 1, &end, 10);
        assert(*end == '\0' && number <= 1000);
    }
    return number <= KEEP ? machine.names[number] : NOTHING;
}

static struct os_file_id
id_of(int file)
{
    return (struct os_file_id){.device = 1, .inode = 1 + (uint64_t)file};
}

static struct file *
opened(const struct os_log *log)
{
    assert(log->handle >= 100 && log->handle < 100 + machine.count && machine.is_open > 0);
    return &machine.files[log->handle - 100];
}

int
__wrap_os_log_read(const char *path, struct os_log *ret)
{
    bool fails = is_failed();
    int file = named(path);

    if (fails || file < 0)
        return fails ? -EIO : -ENOENT;
    *ret = (struct os_log){
        .handle = 100 + file,
        .id = id_of(file),
        .size = (int64_t)machine.files[file].length,
        .is_regular = true,
    };
    machine.is_open++;
    return 0;
}

int64_t
__wrap_os_log_read_at(const struct os_log *log, int64_t offset, void *buf, size_t size)
{
    bool fails = is_failed();
    const struct file *file = opened(log);
    size_t left = offset < (int64_t)file->length ? file->length - (size_t)offset : 0;

    assert(offset >= 0 && size > 0);
    if (fails)
        return -EIO;
    size = size < left ? size : left;
    memcpy(buf, file->bytes + offset, size);
    machine.given.file = (int)(file - machine.files);
    machine.given.offset = offset;
    machine.given.length = (int64_t)size;
    machine.given.to = buf;
    return (int64_t)size;
}

int64_t
__wrap_os_log_size(const struct os_log *log)
{
    return is_failed() ? -EIO : (int64_t)opened(log)->length;
}

void
__wrap_os_log_close(struct os_log *log)
{
    if (log->handle == OS_NONE)
        return;
    (void)opened(log);
    machine.is_open--;
    log->handle = OS_NONE;
}

int
__wrap_os_path_identify(const char *path, struct os_file_id *ret_id)
{
    bool fails = is_failed();
    int file = named(path);

    if (fails || file < 0)
        return fails ? -EIO : -ENOENT;
    *ret_id = id_of(file);
    return 0;
}

/* ---- A second reading ----------------------------------------------------------------------- */

/* Where a line begins, in the order of the lines; the end of a file ends one. */
static size_t
find_starts(int number, struct place *starts, size_t count)
{
    const struct file *file = &machine.files[machine.names[number]];

    for (size_t i = 0; i < file->length; i++)
        if (i == 0 || file->bytes[i - 1] == '\n')
            starts[count++] = (struct place){machine.names[number], (int64_t)i};
    return count;
}

/* Where the last lines begin that can be read now. */
static struct place
find_last(int64_t lines)
{
    static struct place starts[BYTES_MAX];
    int oldest = machine.names[0] >= 0 ? 0 : NOTHING;
    size_t count = 0;

    if (lines == 0 && oldest == 0)
        return (struct place){machine.names[0], (int64_t)machine.files[machine.names[0]].length};
    while (lines > 0 && oldest < KEEP && machine.names[oldest < 0 ? 1 : oldest + 1] >= 0)
        oldest = oldest < 0 ? 1 : oldest + 1;
    if (oldest < 0)
        return (struct place){NOTHING, 0};
    for (int number = oldest; number >= 0; number--)
        if (machine.names[number] >= 0)
            count = find_starts(number, starts, count);
    if ((int64_t)count < lines) /* it may be empty */
        return (struct place){machine.names[oldest], 0};
    return starts[count - (size_t)lines];
}

static bool
is_later(struct place a, struct place b)
{
    return a.file != b.file ? a.file > b.file : a.offset > b.offset;
}

/* What is to come next. */
struct expected {
    enum {
        HERE,    /* what stands in that place, and nothing else */
        BETWEEN, /* a line that begins there, or later, but no later than the last */
        ANY,
    } kind;
    struct place place, last;
    unsigned cuts; /* of the place's file, as far as is known */
};

/* Who had gone on to this one, which was cut before a byte of it was read, lost its way there. */
static bool
is_trap(int file)
{
    return machine.files[file].is_gone && machine.files[file].cuts > 0;
}

/* Nothing was passed over, but by who lost the name of the file that it had: nobody could know that. */
static bool
may_follow(struct place from, int file)
{
    bool is_lost;

    if (from.file == NOTHING)
        return true;
    if (file <= from.file || from.offset < (int64_t)machine.files[from.file].length)
        return false;
    is_lost = machine.files[from.file].is_gone;
    for (int i = from.file + 1; i < file; i++) {
        if (machine.files[i].length > 0 && !machine.files[i].is_gone && !is_lost)
            return false;
        is_lost |= is_trap(i);
    }
    return true;
}

static void
check_given(struct expected *expected, const void *buf, int64_t length)
{
    const struct place given = {machine.given.file, machine.given.offset};
    const struct file *file = &machine.files[given.file];

    assert(machine.given.to == buf && machine.given.length == length);
    if (expected->kind == BETWEEN) {
        assert(!is_later(expected->place, given));
        assert(!is_later(given, expected->last) || may_follow(expected->last, given.file));
        assert(given.offset == 0 || file->bytes[given.offset - 1] == '\n');
    } else if (expected->kind == HERE && given.file != expected->place.file) {
        assert(given.offset == 0 && may_follow(expected->place, given.file));
    } else if (expected->kind == HERE && given.offset != expected->place.offset) {
        assert(given.offset == 0 && file->cuts != expected->cuts);
    }
    expected->kind = HERE;
    expected->place = (struct place){given.file, given.offset + length};
    expected->cuts = file->cuts;
}

/* The reader says that there is no more, and nothing happened meanwhile. */
static void
check_end(const struct expected *expected)
{
    const struct place at = expected->place;
    int number = 0;

    if (expected->kind != HERE || at.file == NOTHING)
        return;
    for (int i = at.file + 1; i < machine.count; i++)
        if (is_trap(i)) /* it may be lost there, or still where it was */
            return;
    assert(at.offset >= (int64_t)machine.files[at.file].length);
    while (number <= KEEP && machine.names[number] != at.file)
        number++;
    if (number > KEEP) /* it has no name: the present file comes next */
        number = 1;
    while (machine.moving == NOTHING && --number >= 0 && machine.names[number] != NOTHING)
        assert(machine.names[number] < 0 || machine.names[number] <= at.file
               || machine.files[machine.names[number]].length == 0);
}

/* ---- The target ----------------------------------------------------------------------------- */

static void
note_nothing(void)
{
    machine.has_changed = machine.has_failed = false;
    machine.is_odd = machine.moving != NOTHING;
    for (int number = 1; number < KEEP; number++)
        machine.is_odd |= machine.names[number] == NOTHING && machine.names[number + 1] >= 0;
}

static void
read_all(struct log_reader *reader, struct expected *expected, size_t size)
{
    char *buf = malloc(size);
    bool is_last;

    assert(buf);
    do {
        int64_t n;

        is_last = machine.at == machine.end && !machine.fails;
        note_nothing();
        n = log_reader_read(reader, buf, size);
        assert(n >= 0 ? n <= (int64_t)size : n == -EIO && machine.has_failed);
        assert(machine.is_open <= 1);
        if (expected->kind == BETWEEN && machine.is_odd)
            expected->kind = ANY;
        if (n > 0)
            check_given(expected, buf, n);
        else if (n == 0 && !machine.has_changed && !machine.has_failed)
            check_end(expected);
        if (n == 0)
            let_happen();
        is_last = is_last && n == 0;
    } while (!is_last);
    free(buf);
}

static void
fuzz_reader(int64_t lines, bool missing_ok, size_t size)
{
    struct log_reader *reader = NULL;
    struct expected expected = {.cuts = 0};
    int r;

    let_happen();
    note_nothing();
    expected.place = find_last(lines);
    if (expected.place.file >= 0)
        expected.cuts = machine.files[expected.place.file].cuts;
    r = log_reader_open(PATH, lines, missing_ok, &reader);
    expected.last = find_last(lines);
    assert(machine.is_open <= (r == 0));
    if (!machine.has_changed && !machine.has_failed)
        assert(r == (expected.place.file >= 0 || missing_ok ? 0 : -ENOENT));
    assert(r == 0 || (r == -EIO && machine.has_failed) || (r == -ENOENT && !missing_ok));
    if (r < 0)
        return;
    expected.kind = !machine.has_changed && !machine.has_failed ? HERE : ANY;
    if (expected.kind == ANY && !machine.is_odd && !machine.has_failed && lines > 0
        && expected.place.file != NOTHING)
        expected.kind = BETWEEN;
    read_all(reader, &expected, size);
    log_reader_free(reader);
    assert(machine.is_open == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t lines[] = {0, 1, 2, 3, 5, 20, 1000, INT64_MAX};
    static const size_t sizes[] = {1, 7, 100, 16384};

    if (size < 2)
        return 0;
    memset(&machine, 0, sizeof machine);
    for (int number = 0; number <= KEEP; number++)
        machine.names[number] = NOTHING;
    machine.writer = machine.moving = NOTHING;
    machine.at = (const char *)data + 2;
    machine.end = (const char *)data + size;
    fuzz_reader(lines[data[0] % 8], data[1] & 4, sizes[data[1] % 4]);
    return 0;
}
