/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever stands where the pidfile should: one verdict, no stranger is signalled, and a start takes
 * over what is invalid. A bystander, older than the file, has each number which a careless reader
 * would find there.
 */
#include <fcntl.h>

#include "harness.h"

enum kind {
    TEXT = 1,
    FIFO,
    DIRECTORY,
    SYMLINK,
    SPARSE,
    HARD_LINK,
    WRITABLE_FILE,
    GROUP_WRITABLE_FILE,
};

struct row {
    enum kind kind;
    const char *before; /* what stands before the bystander's pid, printed as how says */
    const char *how;
    const char *after;
    int64_t plus; /* added to the pid */
};

/* What a row's file holds: NUL bytes are written as \1. */
static void
write_text(const struct row *row, const char *path, pid_t pid)
{
    char text[256];
    int length = snprintf(text, sizeof(text), "%s", row->before);

    if (strcmp(row->how, "decimal") == 0)
        length += snprintf(text + length, 128, "%lld", (long long)(pid + row->plus));
    else if (strcmp(row->how, "hexadecimal") == 0)
        length += snprintf(text + length, 128, "%x", (unsigned)pid);
    length += snprintf(text + length, 64, "%s", row->after);
    for (int i = 0; i < length; i++)
        if (text[i] == '\1')
            text[i] = '\0';
    file_write_bytes(path, text, (size_t)length);
}

/* Beside the pidfile: what a link leads to. */
static void
make(const struct world *w, const struct row *row, pid_t pid)
{
    const char *path = in_run(w, "web.pid"), *beside = in_dir(w, "beside");

    switch (row->kind) {
    case FIFO:
        assert_int_equal(mkfifo(path, 0644), 0);
        break;
    case DIRECTORY:
        assert_int_equal(mkdir(path, 0755), 0);
        break;
    case SYMLINK:
        write_text(row, beside, pid);
        assert_int_equal(symlink(beside, path), 0);
        break;
    case HARD_LINK:
        write_text(row, path, pid);
        (void)unlink(beside);
        assert_int_equal(link(path, beside), 0);
        break;
    case SPARSE:
        file_write(path, "");
        assert_int_equal(truncate(path, 1 << 30), 0);
        break;
    case TEXT:
    case WRITABLE_FILE:
    case GROUP_WRITABLE_FILE:
        write_text(row, path, pid);
        if (row->kind != TEXT)
            assert_int_equal(chmod(path, row->kind == WRITABLE_FILE ? 0666 : 0664), 0);
        break;
    }
}

/* ---- Invalid ----------------------------------------------------------------------------- */

static void
expect_beside_untouched(const struct world *w, const struct row *row, pid_t pid)
{
    if (row->kind == SYMLINK || row->kind == HARD_LINK)
        assert_int_equal(pid_in(in_dir(w, "beside")), pid);
}

/* To a careless reader that is -1, and kill(-1) ends every process that one may end. */
static bool
means_everybody(const char *text)
{
    return (int)strtoll(text, NULL, 10) == -1;
}

static void
an_invalid_pidfile_harms_nobody_and_a_start_takes_over(void **state)
{
    struct world *w = *state;
    const struct row *row = w->row;
    struct bystander bystander;
    const struct answer *answer;
    pid_t server;

    if (means_everybody(row->before) && !pids_are_own())
        skip_test("should this go wrong, a pid namespace of the test's own is needed");
    if (row->kind == DIRECTORY)
        need_linux(); /* a rename alone can't put a file in its place */
    if (row->kind == GROUP_WRITABLE_FILE)
        need_root(); /* a user's own group is often the user's own */
    bystander = bystander_start();
    make(w, row, bystander.pid);

    answer = VORTEX(w, "status", "web");
    expect_exit(answer, 1);
    expect_says(answer->out, "web: invalid");
    if (row->kind == WRITABLE_FILE || row->kind == GROUP_WRITABLE_FILE)
        expect_says(answer->out, "others may write it");
    expect_exit(VORTEX(w, "reload", "web"), 7);
    expect_exit(VORTEX(w, "signal", "web", "-s", "USR1"), 7);
    expect_exit(VORTEX(w, "reload", "web", "--assume", "running"), 7);
    expect_exit(VORTEX(w, "wait", "web"), 0);
    expect_exit(VORTEX(w, "stop", "web"), 0);
    expect_beside_untouched(w, row, bystander.pid);
    expect_no_files(w, "web");

    make(w, row, bystander.pid);
    server = START(w, "web");
    assert_int_equal(pid_in(in_run(w, "web.pid")), server);
    expect_no_temporaries(w);
    expect_beside_untouched(w, row, bystander.pid);
    expect_exit(VORTEX(w, "stop", "web"), 0);
    bystander_expect_unharmed(&bystander);
}

#define INVALID(name, ...)                                                                         \
    {                                                                                              \
        "invalid: " name, an_invalid_pidfile_harms_nobody_and_a_start_takes_over, world_setup,     \
            world_teardown, &(struct row)                                                          \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

/* ---- Valid ------------------------------------------------------------------------------- */

/* The world where a process's age tells something: not where the clock was put since the boot. */
static pid_t
need_age(struct world *w, const struct row *row)
{
    pid_t toy = toy_start_alone(w);
    const struct answer *answer;

    make(w, row, toy);
    answer = VORTEX(w, "status", "web");
    if (answer->status == 4 && strstr(answer->out, "it can't be told whether") != NULL)
        skip_test("the clock was put since the boot: the age of a file tells nothing here");
    return toy;
}

static void
a_valid_pidfile_names_the_older_process(void **state)
{
    struct world *w = *state;
    const struct row *row = w->row;
    pid_t toy = need_age(w, row);
    const struct answer *answer = VORTEX(w, "status", "web");

    expect_exit(answer, 0);
    assert_int_equal(pid_said(strstr(answer->out, "  pid") + 2), toy);
    answer = VORTEX(w, "start", "web", "--", w->toy);
    expect_exit(answer, 1);
    assert_int_equal(pid_said(answer->err), toy);
    expect_exit(VORTEX(w, "reload", "web"), 0);
    assert_int_equal(hear(w, "HUP"), toy);
    expect_unsignalled(w, toy);
    expect_exit(VORTEX(w, "stop", "web"), 0);
    assert_int_equal(hear(w, "TERM"), toy);
    assert_false(lives(toy));
    expect_no_files(w, "web");
}

#define VALID(name, ...)                                                                           \
    {                                                                                              \
        "valid: " name, a_valid_pidfile_names_the_older_process, world_setup, world_teardown,      \
            &(struct row)                                                                          \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

/* ---- Neither ----------------------------------------------------------------------------- */

static void
a_directory_that_is_not_empty_is_left_alone(void **state)
{
    struct world *w = *state;

    assert_int_equal(mkdir(in_run(w, "web.pid"), 0755), 0);
    file_write(in_run(w, "web.pid/precious"), "data");

    expect_exit(VORTEX(w, "status", "web"), 1);
    expect_exit(VORTEX(w, "start", "web", "--", w->toy), 1);
    expect_exit(VORTEX(w, "stop", "web"), 1);
    assert_string_equal(file_read(in_run(w, "web.pid/precious")), "data");
    assert_false(is_there(in_run(w, "web.pid.state")));
    expect_no_temporaries(w);
}

/* ---- A broken state ---------------------------------------------------------------------- */

static void
a_broken_state_counts_as_none_and_blocks_no_start(void **state)
{
    static const char *const broken[] = {
        "",
        "\n",
        "rubbish",
        "version=2\npid=1\n",
        "version=1\npid=0\nlock=held\n",
        "version=1\npid=99999999999999999999\n",
        "version=1\npid=-1\n",
        "version=1\npid=1\nstart=x\n",
        "version=1\npid=12", /* cut */
    };
    struct world *w = *state;
    struct bystander bystander = bystander_start();

    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        kill_hard(START(w, "web"));
        file_write(in_run(w, "web.pid.state"), broken[i]);

        expect_exit(VORTEX(w, "status", "web"), 1);
        expect_exit(VORTEX(w, "reload", "web"), 7);
        START(w, "web");
        expect_exit(VORTEX(w, "stop", "web"), 0);
    }
    bystander_expect_unharmed(&bystander);
}

static void
what_is_no_file_in_the_states_place_hangs_nobody(void **state)
{
    struct world *w = *state;
    const char *path = in_run(w, "web.pid.state");

    kill_hard(START(w, "web"));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0644), 0);
    expect_exit(VORTEX(w, "status", "web"), 1);
    START(w, "web");
    expect_exit(VORTEX(w, "stop", "web"), 0);

    assert_int_equal(symlink("/dev/zero", path), 0);
    expect_exit(VORTEX(w, "status", "web"), 3);
    START(w, "web");
    expect_exit(VORTEX(w, "stop", "web"), 0);
}

static void
a_lock_that_is_a_link_is_never_followed(void **state)
{
    struct world *w = *state;
    const struct answer *answer;

    assert_int_equal(symlink(in_dir(w, "elsewhere"), in_run(w, "web.pid.lock")), 0);
    answer = VORTEX(w, "start", "web", "--", w->toy);

    expect_exit(answer, 1);
    expect_says(answer->err, "symbolic link");
    assert_false(is_there(in_dir(w, "elsewhere")));
    assert_false(is_there(in_run(w, "web.pid")));
}

/* ------------------------------------------------------------------------------------------ */

#define P "decimal"

int
main(void)
{
    const struct CMUnitTest tests[] = {
        INVALID("empty", TEXT, "", "", "", 0),
        INVALID("a blank line", TEXT, " \t\n", "", "", 0),
        INVALID("0", TEXT, "0\n", "", "", 0),
        INVALID("-1", TEXT, "-1\n", "", "", 0),
        INVALID("1", TEXT, "1\n", "", "", 0),
        INVALID("minus the pid", TEXT, "-", P, "\n", 0),
        INVALID("plus the pid", TEXT, "+", P, "\n", 0),
        INVALID("letters behind", TEXT, "", P, "abc\n", 0),
        INVALID("a fraction", TEXT, "", P, ".5\n", 0),
        INVALID("a second number", TEXT, "", P, " 1\n", 0),
        INVALID("words before", TEXT, "pid ", P, "\n", 0),
        INVALID("a line before", TEXT, "\n", P, "\n", 0),
        INVALID("hexadecimal", TEXT, "0x", "hexadecimal", "\n", 0),
        INVALID("2^32 and the pid", TEXT, "", P, "\n", INT64_C(1) << 32),
        INVALID("2^31", TEXT, "2147483648\n", "", "", 0),
        INVALID("2^32 - 1", TEXT, "4294967295\n", "", "", 0),
        INVALID("2^64 and 7", TEXT, "18446744073709551623\n", "", "", 0),
        INVALID("40 digits", TEXT, "9999999999999999999999999999999999999999\n", "", "", 0),
        INVALID("as long as the buffer", TEXT,
                "0000000000000000000000000000000000000000000000000000000000000", P, "1234\n", 0),
        INVALID("NUL bytes", TEXT, "\1\1\1\1", "", "", 0),
        INVALID("NUL behind", TEXT, "", P, "\1\n", 0),
        INVALID("a FIFO", FIFO, "", "", "", 0),
        INVALID("a directory", DIRECTORY, "", "", "", 0),
        INVALID("a symbolic link", SYMLINK, "", P, "\n", 0),
        INVALID("a sparse GiB", SPARSE, "", "", "", 0),
        INVALID("a second name", HARD_LINK, "", P, "\n", 0),
        INVALID("writable by all", WRITABLE_FILE, "", P, "\n", 0),
        INVALID("writable by the group", GROUP_WRITABLE_FILE, "", P, "\n", 0),
        VALID("the pid", TEXT, "", P, "\n", 0),
        VALID("no newline", TEXT, "", P, "", 0),
        VALID("CRLF", TEXT, "", P, "\r\n", 0),
        VALID("blanks before", TEXT, " \t ", P, "\n", 0),
        VALID("blanks behind", TEXT, "", P, " \t\n", 0),
        VALID("a line behind", TEXT, "", P, "\nsome words\n", 0),
        VALID("many lines behind", TEXT, "", P,
              "\n/var/lib/server\n1767323045\n5432\n/run/server\nlocalhost\n  5432001 7\nready \n",
              0),
        PROMISE(a_directory_that_is_not_empty_is_left_alone),
        PROMISE(a_broken_state_counts_as_none_and_blocks_no_start),
        PROMISE(what_is_no_file_in_the_states_place_hangs_nobody),
        PROMISE(a_lock_that_is_a_link_is_never_followed),
    };

    return RUN_SUITE("what stands in the pidfile", true, tests);
}
