/* SPDX-License-Identifier: Apache-2.0 */
/* Files: reading them, and telling them apart. */
#include "contract.h"

static int
read_into(const char *name, char *buf, size_t size, size_t *ret_length, struct os_file *ret_file)
{
    struct os_dir dir = open_scene();
    int r = os_file_read(&dir, name, buf, size, ret_length, ret_file);

    os_dir_close(&dir);
    return r;
}

static int
try_read(const char *name)
{
    char buf[16];
    size_t length;
    struct os_file file;

    return read_into(name, buf, sizeof(buf), &length, &file);
}

static int
act_read(const char *name)
{
    struct os_dir dir;
    struct os_file file;
    char leaf[OS_NAME_MAX], buf[16];
    size_t length;
    int r = os_dir_open(scene_path(name), false, &dir, leaf);

    if (r < 0)
        return r;
    r = os_file_read(&dir, leaf, buf, sizeof(buf), &length, &file);
    os_dir_close(&dir);
    return r;
}

/* ---- Reading ----------------------------------------------------------------------------- */

static void
a_file_is_read_with_its_identity_and_its_time(void **state)
{
    char buf[16];
    size_t length;
    struct os_file file;
    int64_t age;

    (void)state;
    scene_write("f", "4711\n", 0644);
    scene_set_age("f", 100);
    assert_int_equal(read_into("f", buf, sizeof(buf), &length, &file), 0);
    assert_int_equal(length, 5);
    assert_memory_equal(buf, "4711\n", 5);
    assert_true(is_same(file.id, identity_of("f")));
    age = os_wall_seconds() - file.written_ns / 1000000000;
    assert_in_range(age, 99, 130);
}

static void
no_more_is_read_than_there_is_room_for(void **state)
{
    char buf[6] = "......";
    size_t length;
    struct os_file file;

    (void)state;
    scene_write("f", "123456", 0644);
    assert_int_equal(read_into("f", buf, 4, &length, &file), 0);
    assert_int_equal(length, 4);
    assert_memory_equal(buf, "1234..", 6);
    assert_int_equal(read_into("f", buf, 6, &length, &file), 0);
    assert_int_equal(length, 6);
    assert_memory_equal(buf, "123456", 6);
}

static void
an_empty_file_is_read_as_nothing(void **state)
{
    char buf[4];
    size_t length = 9;
    struct os_file file;

    (void)state;
    scene_write("f", "", 0644);
    assert_int_equal(read_into("f", buf, sizeof(buf), &length, &file), 0);
    assert_int_equal(length, 0);
}

static void
a_missing_file_is_said_to_be_missing(void **state)
{
    (void)state;
    assert_int_equal(try_read("missing"), -ENOENT);
}

static void
a_symbolic_link_is_not_followed(void **state)
{
    (void)state;
    scene_write("f", "4711\n", 0644);
    scene_symlink("f", "link");
    scene_symlink("nowhere", "dangling");
    assert_int_equal(try_read("link"), -ELOOP);
    assert_int_equal(try_read("dangling"), -ELOOP);
}

static void
a_directory_is_not_read(void **state)
{
    (void)state;
    scene_mkdir("d", 0755);
    assert_int_equal(try_read("d"), -EISDIR);
}

static void
a_fifo_is_refused_and_does_not_hang(void **state)
{
    (void)state;
    scene_fifo("fifo");
    assert_int_equal(try_read("fifo"), -EMEDIUMTYPE);
}

static void
a_file_with_two_names_is_refused(void **state)
{
    (void)state;
    scene_write("f", "4711\n", 0644);
    scene_link("f", "second");
    assert_int_equal(try_read("f"), -EMLINK);
    assert_int_equal(try_read("second"), -EMLINK);
    scene_remove("second");
    assert_int_equal(try_read("f"), 0);
}

static void
a_leased_file_is_not_waited_for(void **state)
{
    (void)state;
    scene_write("f", "4711\n", 0644);
    if (!scene_lease("f"))
        skip();
    assert_int_equal(try_read("f"), -EAGAIN);
}

static void
a_file_that_may_not_be_read_is_refused(void **state)
{
    int result;

    (void)state;
    need_users();
    scene_write("f", "4711\n", 0600);
    scene_fork_as(SCENE_USER, SCENE_USER, act_read, "f", &result);
    assert_int_equal(result, -EACCES);
    scene_chown("f", SCENE_USER);
    scene_fork_as(SCENE_USER, SCENE_USER, act_read, "f", &result);
    assert_int_equal(result, 0);
}

static void
outputs_stay_untouched_where_nothing_is_read(void **state)
{
    size_t length = 77;
    struct os_file file, before;
    char buf[4];

    (void)state;
    memset(&file, UNTOUCHED, sizeof(file));
    memcpy(&before, &file, sizeof(file));
    scene_fifo("fifo");
    assert_int_equal(read_into("missing", buf, sizeof(buf), &length, &file), -ENOENT);
    assert_int_equal(read_into("fifo", buf, sizeof(buf), &length, &file), -EMEDIUMTYPE);
    assert_int_equal(length, 77);
    assert_memory_equal(&file, &before, sizeof(file));
}

/* ---- Telling apart ----------------------------------------------------------------------- */

static void
names_of_one_file_have_one_identity(void **state)
{
    (void)state;
    scene_write("f", "x", 0644);
    scene_write("g", "x", 0644);
    scene_link("f", "second");
    assert_true(is_same(identity_of("f"), identity_of("second")));
    assert_false(is_same(identity_of("f"), identity_of("g")));
}

static void
a_symbolic_link_has_an_identity_of_its_own(void **state)
{
    (void)state;
    scene_write("f", "x", 0644);
    scene_symlink("f", "link");
    scene_symlink("nowhere", "dangling");
    assert_false(is_same(identity_of("f"), identity_of("link")));
    assert_false(is_same(identity_of("link"), identity_of("dangling")));
}

static void
a_missing_file_has_no_identity(void **state)
{
    struct os_dir dir = open_scene();
    struct os_file_id id = {1, 2, 0};

    (void)state;
    assert_int_equal(os_file_identify(&dir, "missing", &id), -ENOENT);
    assert_true(is_same(id, (struct os_file_id){1, 2, 0}));
    os_dir_close(&dir);
}

int
contract_files(void)
{
    const struct CMUnitTest promises[] = {
        PROMISE(a_file_is_read_with_its_identity_and_its_time),
        PROMISE(no_more_is_read_than_there_is_room_for),
        PROMISE(an_empty_file_is_read_as_nothing),
        PROMISE(a_missing_file_is_said_to_be_missing),
        PROMISE(a_symbolic_link_is_not_followed),
        PROMISE(a_directory_is_not_read),
        PROMISE(a_fifo_is_refused_and_does_not_hang),
        PROMISE(a_file_with_two_names_is_refused),
        PROMISE(a_leased_file_is_not_waited_for),
        PROMISE(a_file_that_may_not_be_read_is_refused),
        PROMISE(outputs_stay_untouched_where_nothing_is_read),
        PROMISE(names_of_one_file_have_one_identity),
        PROMISE(a_symbolic_link_has_an_identity_of_its_own),
        PROMISE(a_missing_file_has_no_identity),
    };

    return cmocka_run_group_tests_name("files", promises, NULL, NULL);
}
