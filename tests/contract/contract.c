/* SPDX-License-Identifier: Apache-2.0 */
/* All the promises, and the time. */
#include "contract.h"

struct os_dir
open_in_scene(const char *subdirectory)
{
    struct os_dir dir;
    char path[OS_PATH_MAX];
    char name[OS_NAME_MAX];

    strcpy(path, scene_path(subdirectory));
    strcat(path, "/name");
    assert_int_equal(os_dir_open(path, false, &dir, name), 0);
    return dir;
}

struct os_dir
open_scene(void)
{
    return open_in_scene(".");
}

struct os_file_id
identity_of(const char *name)
{
    struct os_dir dir = open_scene();
    struct os_file_id id = {0, 0, 0};

    assert_int_equal(os_file_identify(&dir, name, &id), 0);
    os_dir_close(&dir);
    return id;
}

bool
is_same(struct os_file_id a, struct os_file_id b)
{
    return a.device == b.device && a.inode == b.inode;
}

struct os_lock
open_lock(const char *name)
{
    struct os_dir dir = open_scene();
    struct os_lock lock;

    assert_int_equal(os_lock_open(&dir, name, true, &lock, NULL), 0);
    os_dir_close(&dir);
    return lock;
}

int
try_lock(const char *name, bool create)
{
    struct os_dir dir = open_scene();
    struct os_lock lock;
    int r = os_lock_open(&dir, name, create, &lock, NULL);

    if (r == 0)
        os_lock_close(&lock);
    os_dir_close(&dir);
    return r;
}

enum os_lock_seen
ask(const char *name)
{
    struct os_dir dir = open_scene();
    enum os_lock_seen seen = os_lock_ask(&dir, name);

    os_dir_close(&dir);
    return seen;
}

void
need_trusted_way(void)
{
    struct os_dir dir = open_scene();
    bool trusted = dir.speaker.scope == OS_SPEAKS_FOR_ALL;

    os_dir_close(&dir);
    if (!trusted)
        skip();
}

void
need_users(void)
{
    need_trusted_way();
    if (!scene_has_users())
        skip();
}

void
need_proof(void)
{
    if (!os_identity_is_proof())
        skip();
}

/* Before Linux 5.3, and under an old valgrind, no process can be pinned. */
static int
hold(int64_t pid, struct os_hold *ret_hold)
{
    int r = os_process_hold(pid, ret_hold);

    if (r == -ENOSYS)
        skip();
    return r;
}

struct os_hold
hold_of(int64_t pid)
{
    struct os_hold held;

    assert_int_equal(hold(pid, &held), 0);
    assert_int_equal(held.pid, pid);
    return held;
}

int
try_hold(int64_t pid)
{
    struct os_hold held;
    int r = hold(pid, &held);

    if (r == 0)
        os_process_release(&held);
    return r;
}

struct os_identity
identity_of_process(int64_t pid)
{
    struct os_hold hold = hold_of(pid);
    struct os_identity identity;

    assert_int_equal(os_process_identify(&hold, &identity), 0);
    os_process_release(&hold);
    return identity;
}

int64_t
child(void)
{
    int result;

    return scene_fork(act_nothing, "", &result);
}

/* ---- Time -------------------------------------------------------------------------------- */

static void
the_monotonic_clock_counts_what_was_slept(void **state)
{
    int64_t before = os_monotonic_ms();

    (void)state;
    os_sleep_ms(2);
    assert_true(os_monotonic_ms() >= before + 2);
}

static void
the_wall_clock_shows_our_times(void **state)
{
    (void)state;
    assert_true(os_wall_seconds() > INT64_C(1577836800)); /* 2020 */
}

static void
a_time_is_written_in_utc(void **state)
{
    char text[32];

    (void)state;
    os_time_format(INT64_C(1767323045), text, sizeof(text));
    assert_string_equal(text, "2026-01-02T03:04:05Z");
    os_time_format(0, text, sizeof(text));
    assert_string_equal(text, "1970-01-01T00:00:00Z");
    os_time_format(INT64_C(951782399), text, sizeof(text));
    assert_string_equal(text, "2000-02-28T23:59:59Z");
    os_time_format(INT64_C(951782400), text, sizeof(text));
    assert_string_equal(text, "2000-02-29T00:00:00Z");
    os_time_format(INT64_C(4107542399), text, sizeof(text));
    assert_string_equal(text, "2100-02-28T23:59:59Z");
    os_time_format(INT64_C(4107542400), text, sizeof(text));
    assert_string_equal(text, "2100-03-01T00:00:00Z");
}

static void
a_time_without_room_is_empty(void **state)
{
    char text[8] = "unclean";

    (void)state;
    os_time_format(INT64_C(1767323045), text, sizeof(text));
    assert_string_equal(text, "");
}

static int
contract_time(void)
{
    const struct CMUnitTest promises[] = {
        PROMISE(the_monotonic_clock_counts_what_was_slept),
        PROMISE(the_wall_clock_shows_our_times),
        PROMISE(a_time_is_written_in_utc),
        PROMISE(a_time_without_room_is_empty),
    };

    return cmocka_run_group_tests_name("time", promises, NULL, NULL);
}

int
main(int argc, char **argv)
{
    int failed = 0;

    if (scene_begin(argc, argv))
        return 1;
    failed += contract_directories();
    failed += contract_files();
    failed += contract_creating();
    failed += contract_publishing();
    failed += contract_locks();
    failed += contract_asking();
    failed += contract_processes();
    failed += contract_signals();
    failed += contract_trust();
    failed += contract_system();
    failed += contract_time();
    return failed != 0;
}
