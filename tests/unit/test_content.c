/* SPDX-License-Identifier: Apache-2.0 */
/* Row 9 of the one decision: what a pidfile holds, what stands in its place, whom it may name. */
#include "instance.h"

#include <stdio.h>

struct content {
    const char *text;
    size_t length;
};

/* A string literal, with any NUL in it. */
#define CONTENT(text)                                                                              \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

static void
assert_invalid(int error)
{
    int64_t pid = 77;
    bool alive;

    assert_int_equal(verdict(), VORTEX_INVALID);
    assert_int_equal(vortex_pidfile_read(PIDFILE, &pid), error);
    assert_int_equal(pid, 77);
    assert_int_equal(vortex_pidfile_is_running(PIDFILE, &alive, &pid), error);
    assert_int_equal(pid, 77);
}

/* ---- Content ----------------------------------------------------------------------------- */

static void
write_bytes(const struct content *content)
{
    struct fake_file *file = write_pidfile("");

    memcpy(file->data, content->text, content->length);
    file->length = content->length;
}

static void
what_is_no_pid_is_invalid(void **state)
{
    /* 4294972007 is 2^32 + 4711, which peers read as 4711; larger ones they read as -1 */
    static const struct content contents[] = {
        CONTENT(""),
        CONTENT("\n"),
        CONTENT(" \n"),
        CONTENT("garbage"),
        CONTENT("0"),
        CONTENT("0\n"),
        CONTENT("1\n"),
        CONTENT("-1\n"),
        CONTENT("-4711\n"),
        CONTENT("+4711\n"),
        CONTENT("0x1267\n"),
        CONTENT("4711x\n"),
        CONTENT("x4711\n"),
        CONTENT("47 11\n"),
        CONTENT("4711.0\n"),
        CONTENT("4711,\n"),
        CONTENT("\n4711\n"),
        CONTENT("\r\n4711\n"),
        CONTENT("4711\r\r"),
        CONTENT("4711\0\n"),
        CONTENT("\0004711\n"),
        CONTENT("4711\0"),
        CONTENT("2147483648"),
        CONTENT("4294972007\n"),
        CONTENT("4294967295"),
        CONTENT("18446744073709551615\n"),
        CONTENT("18446744073709556327\n"),
        CONTENT("99999999999999999999999999999999\n"),
    };

    (void)state;
    fake_spawn(SERVER);
    for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
        write_bytes(&contents[i]);
        assert_invalid(-EBADMSG);
    }
}

static void
a_pid_may_stand_between_blanks_and_before_a_remark(void **state)
{
    static const struct content contents[] = {
        CONTENT("4711"),         CONTENT("4711\n"),    CONTENT("4711\r\n"),
        CONTENT("4711\r"),       CONTENT(" \t4711\n"), CONTENT("4711 \t\n"),
        CONTENT("4711 \r\n"),    CONTENT("004711\n"),  CONTENT("4711\nremark\n"),
        CONTENT("4711\n4712\n"), CONTENT("4711\n\0"),
    };

    (void)state;
    fake_spawn(SERVER);
    for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
        int64_t pid = 0;

        write_bytes(&contents[i]);
        assert_verdict(VORTEX_RUNNING, SERVER);
        assert_int_equal(vortex_pidfile_read(PIDFILE, &pid), 0);
        assert_int_equal(pid, SERVER);
    }
}

static void
the_largest_pid_is_2147483647(void **state)
{
    int64_t pid = 0;

    (void)state;
    write_pidfile("2147483647\n");
    assert_int_equal(vortex_pidfile_read(PIDFILE, &pid), 0);
    assert_int_equal(pid, 2147483647);
    assert_verdict(VORTEX_STALE, 2147483647);
}

static void
a_number_that_does_not_end_within_64_bytes_is_invalid(void **state)
{
    char text[80];

    (void)state;
    fake_spawn(SERVER);
    snprintf(text, sizeof(text), "%63s\n", "4711"); /* its newline is the 64th byte */
    write_pidfile(text);
    assert_verdict(VORTEX_RUNNING, SERVER);
    snprintf(text, sizeof(text), "%64s", "4711");
    write_pidfile(text);
    assert_invalid(-EBADMSG);
    snprintf(text, sizeof(text), "%64s%s", "4711", "9999\n");
    write_pidfile(text);
    assert_invalid(-EBADMSG);
}

/* ---- What stands there ------------------------------------------------------------------- */

static void
what_is_no_regular_file_is_invalid(void **state)
{
    (void)state;
    fake_spawn(SERVER);
    fake_make("/run/other", FAKE_REGULAR, "4711\n");
    fake_make(PIDFILE, FAKE_SYMLINK, "/run/other");
    assert_invalid(-EBADMSG);
    fake_make(PIDFILE, FAKE_DIRECTORY, NULL);
    assert_invalid(-EBADMSG);
    fake_make(PIDFILE, FAKE_FIFO, NULL);
    assert_invalid(-EBADMSG);
}

static void
a_second_name_makes_it_invalid(void **state)
{
    (void)state;
    fake_spawn(SERVER);
    write_pidfile_of(SERVER);
    fake_link(PIDFILE, "/run/second");
    assert_invalid(-EPERM);
}

/* ---- Trust ------------------------------------------------------------------------------- */

static void
what_others_may_write_names_nobody(void **state)
{
    (void)state;
    fake_spawn(SERVER);
    write_pidfile_of(SERVER)->mode = 0664;
    assert_invalid(-EPERM);
    write_pidfile_of(SERVER)->mode = 0646;
    assert_invalid(-EPERM);
    write_pidfile_of(SERVER);
    fake_find("/run")->mode = 0777;
    assert_invalid(-EPERM);
    fake_find("/run")->mode = 01777;
    assert_verdict(VORTEX_RUNNING, SERVER);
}

static void
a_user_names_own_processes_only(void **state)
{
    (void)state;
    fake_spawn(SERVER);
    write_pidfile_of(SERVER)->user = USER;
    assert_invalid(-EPERM);
    fake_process(SERVER)->user = USER;
    assert_invalid(-EPERM); /* a setuid program of root's */
    fake_process(SERVER)->saved_user = USER;
    assert_verdict(VORTEX_RUNNING, SERVER);
}

static void
in_a_users_directory_files_are_that_users(void **state)
{
    (void)state;
    fake_spawn(SERVER);
    write_pidfile_of(SERVER);
    fake_find("/run")->user = USER;
    assert_invalid(-EPERM);
}

static void
a_users_state_names_own_processes_only(void **state)
{
    struct fake_process *process = fake_spawn(SERVER);

    (void)state;
    write_state(process, NULL, HELD);
    fake_find(STATE)->user = USER;
    assert_int_equal(verdict(), VORTEX_NOT_RUNNING);
    write_pidfile_of(SERVER)->user = USER;
    assert_invalid(-EPERM);
    process->user = process->saved_user = USER;
    assert_verdict(VORTEX_RUNNING, SERVER);
}

static void
a_users_state_does_not_silence_the_systems_pidfile(void **state)
{
    struct fake_process *process = fake_spawn(SERVER);

    (void)state;
    write_state(process, NULL, HELD);
    fake_find(STATE)->user = USER;
    write_pidfile_of(SERVER);
    assert_verdict(VORTEX_RUNNING, SERVER);
}

/* Be it as the owner or as the server of a dead one: the lock's holder hears why nobody is named. */
static void
a_users_state_that_names_roots_process_names_nobody(void **state)
{
    (void)state;
    for (int as_server = 0; as_server < 2; as_server++) {
        struct fake_process *stranger, *dead;

        instance_setup(NULL);
        stranger = fake_spawn(INNOCENT);
        dead = fake_spawn(SUPERVISOR);
        write_state(as_server ? dead : stranger, as_server ? stranger : NULL, HELD);
        fake_find(STATE)->user = USER;
        crash(dead);
        assert_verdict(VORTEX_NOT_RUNNING, 0);
        write_pidfile_of(INNOCENT); /* the system's, which speaks for all */
        assert_verdict(VORTEX_RUNNING, INNOCENT);
        fake_remove(PIDFILE);
        lock_holder(RIVAL);
        assert_int_equal(verdict(), VORTEX_BUSY);
        assert_non_null(strstr(reason(), "its directory is another user's"));
    }
}

static void
a_users_state_of_a_process_whose_owner_is_hidden_is_unproved(void **state)
{
    struct fake_process *process = fake_spawn(SERVER);

    (void)state;
    process->user = process->saved_user = USER;
    write_state(process, NULL, RELEASED);
    fake_find(STATE)->user = USER;
    assert_verdict(VORTEX_RUNNING, SERVER);
    process->hidden = true;
    assert_verdict(VORTEX_UNPROVED, SERVER);
}

static void
a_state_that_others_could_write_counts_as_none(void **state)
{
    struct fake_process *process = fake_spawn(SERVER);

    (void)state;
    write_state(process, NULL, HELD);
    fake_find(STATE)->mode = 0666;
    assert_int_equal(verdict(), VORTEX_NOT_RUNNING);
    write_state(process, NULL, HELD);
    fake_link(STATE, "/run/second");
    assert_int_equal(verdict(), VORTEX_NOT_RUNNING);
    fake_make(STATE, FAKE_SYMLINK, "/run/second");
    assert_int_equal(verdict(), VORTEX_NOT_RUNNING);
    fake_make(STATE, FAKE_DIRECTORY, NULL);
    assert_int_equal(verdict(), VORTEX_NOT_RUNNING);
    fake_make(STATE, FAKE_FIFO, NULL);
    assert_int_equal(verdict(), VORTEX_NOT_RUNNING);
}

static void
an_untrusted_number_does_not_block_roots_start(void **state)
{
    (void)state;
    fake_spawn(INNOCENT);
    write_pidfile_of(INNOCENT)->user = USER;
    write_state(fake_process(INNOCENT), NULL, HELD);
    fake_find(STATE)->user = USER;
    assert_int_equal(start(), 0);
    assert_verdict(VORTEX_RUNNING, FAKE_SELF);
    assert_int_equal(fake_process(INNOCENT)->signal_count, 0);
}

static void
a_user_may_read_the_verdict_on_roots_server(void **state)
{
    (void)state;
    server(SERVER);
    fake_spawn(RIVAL)->user = USER;
    fake_become(RIVAL);
    assert_verdict(VORTEX_RUNNING, SERVER);
    crash(fake_process(SERVER));
    assert_verdict(VORTEX_STALE, SERVER);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_no_pid_is_invalid),
        TEST(a_pid_may_stand_between_blanks_and_before_a_remark),
        TEST(the_largest_pid_is_2147483647),
        TEST(a_number_that_does_not_end_within_64_bytes_is_invalid),
        TEST(what_is_no_regular_file_is_invalid),
        TEST(a_second_name_makes_it_invalid),
        TEST(what_others_may_write_names_nobody),
        TEST(a_user_names_own_processes_only),
        TEST(in_a_users_directory_files_are_that_users),
        TEST(a_users_state_names_own_processes_only),
        TEST(a_users_state_does_not_silence_the_systems_pidfile),
        TEST(a_users_state_that_names_roots_process_names_nobody),
        TEST(a_users_state_of_a_process_whose_owner_is_hidden_is_unproved),
        TEST(a_state_that_others_could_write_counts_as_none),
        TEST(an_untrusted_number_does_not_block_roots_start),
        TEST(a_user_may_read_the_verdict_on_roots_server),
    };

    return cmocka_run_group_tests_name("content", tests, NULL, NULL);
}
