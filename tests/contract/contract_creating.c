/* SPDX-License-Identifier: Apache-2.0 */
/* Files: creating, renaming, removing. */
#include "contract.h"

#define FULL 4096 /* as much as a state file may be */

static int
create(const char *name, const char *content, unsigned mode)
{
    struct os_dir dir = open_scene();
    struct os_file_id id;
    int r = os_file_create(&dir, name, content, strlen(content), mode, &id);

    os_dir_close(&dir);
    if (r == 0)
        assert_true(is_same(id, identity_of(name)));
    return r;
}

static int
remove_it(const char *name)
{
    struct os_dir dir = open_scene();
    int r = os_file_remove(&dir, name);

    os_dir_close(&dir);
    return r;
}

/* ---- Creating ---------------------------------------------------------------------------- */

static void
a_file_is_created_complete_with_the_exact_mode(void **state)
{
    (void)state;
    scene_umask(077);
    assert_int_equal(create("f", "4711\n", 0644), 0);
    assert_true(scene_holds("f", "4711\n"));
    assert_int_equal(scene_mode("f"), 0644);
    scene_umask(0);
    assert_int_equal(create("g", "", 0600), 0);
    assert_true(scene_holds("g", ""));
    assert_int_equal(scene_mode("g"), 0600);
}

static void
a_large_file_is_created_whole(void **state)
{
    char content[FULL + 1];

    (void)state;
    memset(content, 'x', FULL);
    content[FULL] = '\0';
    assert_int_equal(create("f", content, 0644), 0);
    assert_true(scene_holds("f", content));
}

static void
what_a_crash_left_is_replaced_and_not_written_into(void **state)
{
    (void)state;
    scene_write("f", "left by a crash, and longer", 0600);
    scene_link("f", "second");
    assert_int_equal(create("f", "new", 0644), 0);
    assert_true(scene_holds("f", "new"));
    assert_int_equal(scene_mode("f"), 0644);
    assert_true(scene_holds("second", "left by a crash, and longer"));
}

static void
a_link_in_the_way_is_replaced_and_not_followed(void **state)
{
    (void)state;
    scene_write("precious", "old", 0644);
    scene_symlink("precious", "f");
    scene_symlink("nowhere", "g");
    assert_int_equal(create("f", "new", 0644), 0);
    assert_int_equal(create("g", "new", 0644), 0);
    assert_true(scene_holds("precious", "old"));
    assert_true(scene_holds("f", "new"));
    assert_false(scene_exists("nowhere"));
}

static void
an_empty_directory_or_a_fifo_in_the_way_is_replaced(void **state)
{
    (void)state;
    scene_mkdir("d", 0755);
    scene_fifo("fifo");
    assert_int_equal(create("d", "new", 0644), 0);
    assert_int_equal(create("fifo", "new", 0644), 0);
    assert_true(scene_holds("d", "new"));
    assert_true(scene_holds("fifo", "new"));
}

static void
a_full_directory_in_the_way_stays(void **state)
{
    (void)state;
    scene_mkdir("d", 0755);
    scene_write("d/precious", "old", 0644);
    assert_true(create("d", "new", 0644) < 0);
    assert_true(scene_holds("d/precious", "old"));
}

static void
a_file_that_could_not_be_written_leaves_nothing(void **state)
{
    struct os_dir dir = open_scene();
    struct os_file_id id = {1, 2, 0};
    int r;

    (void)state;
    scene_fill_disk();
    r = os_file_create(&dir, "f", "4711\n", 5, 0644, &id);
    scene_free_disk();
    assert_int_equal(r, -EFBIG);
    assert_false(scene_exists("f"));
    assert_true(is_same(id, (struct os_file_id){1, 2, 0}));
    os_dir_close(&dir);
}

static int
act_create(const char *name)
{
    struct os_dir dir;
    struct os_file_id id;
    char leaf[OS_NAME_MAX];
    int r = os_dir_open(scene_path(name), false, &dir, leaf);

    if (r < 0)
        return r;
    r = os_file_create(&dir, leaf, "x", 1, 0644, &id);
    os_dir_close(&dir);
    return r;
}

static void
nothing_is_created_where_that_is_not_allowed(void **state)
{
    int result;

    (void)state;
    need_users();
    scene_fork_as(SCENE_USER, SCENE_USER, act_create, "f", &result);
    assert_int_equal(result, -EACCES);
    assert_false(scene_exists("f"));
}

/* ---- Renaming and removing --------------------------------------------------------------- */

static void
renaming_replaces_what_stood_there(void **state)
{
    struct os_dir dir = open_scene();
    struct os_file_id id;

    (void)state;
    scene_write("new", "new", 0644);
    scene_write("f", "old", 0644);
    id = identity_of("new");
    assert_int_equal(os_file_rename(&dir, "new", "f"), 0);
    assert_true(scene_holds("f", "new"));
    assert_true(is_same(id, identity_of("f")));
    assert_false(scene_exists("new"));
    assert_int_equal(os_file_rename(&dir, "f", "g"), 0);
    assert_true(scene_holds("g", "new"));
    os_dir_close(&dir);
}

static void
renaming_what_is_missing_changes_nothing(void **state)
{
    struct os_dir dir = open_scene();

    (void)state;
    scene_write("f", "old", 0644);
    assert_int_equal(os_file_rename(&dir, "missing", "f"), -ENOENT);
    assert_true(scene_holds("f", "old"));
    os_dir_close(&dir);
}

static void
a_file_does_not_replace_a_directory(void **state)
{
    struct os_dir dir = open_scene();

    (void)state;
    scene_write("new", "new", 0644);
    scene_mkdir("d", 0755);
    assert_int_equal(os_file_rename(&dir, "new", "d"), -EISDIR);
    assert_true(scene_holds("new", "new"));
    os_dir_close(&dir);
}

static void
files_links_and_empty_directories_are_removed(void **state)
{
    (void)state;
    scene_write("f", "x", 0644);
    scene_symlink("f", "link");
    scene_mkdir("d", 0755);
    scene_fifo("fifo");
    assert_int_equal(remove_it("link"), 0);
    assert_true(scene_exists("f"));
    assert_int_equal(remove_it("f"), 0);
    assert_int_equal(remove_it("d"), 0);
    assert_int_equal(remove_it("fifo"), 0);
    assert_false(scene_exists("f"));
    assert_false(scene_exists("link"));
    assert_false(scene_exists("d"));
    assert_false(scene_exists("fifo"));
}

static void
a_full_directory_is_not_removed(void **state)
{
    (void)state;
    scene_mkdir("d", 0755);
    scene_write("d/precious", "old", 0644);
    assert_true(remove_it("d") < 0);
    assert_true(scene_holds("d/precious", "old"));
}

static void
nothing_there_to_remove_is_said(void **state)
{
    (void)state;
    assert_int_equal(remove_it("missing"), -ENOENT);
}

int
contract_creating(void)
{
    const struct CMUnitTest promises[] = {
        PROMISE(a_file_is_created_complete_with_the_exact_mode),
        PROMISE(a_large_file_is_created_whole),
        PROMISE(what_a_crash_left_is_replaced_and_not_written_into),
        PROMISE(a_link_in_the_way_is_replaced_and_not_followed),
        PROMISE(an_empty_directory_or_a_fifo_in_the_way_is_replaced),
        PROMISE(a_full_directory_in_the_way_stays),
        PROMISE(a_file_that_could_not_be_written_leaves_nothing),
        PROMISE(nothing_is_created_where_that_is_not_allowed),
        PROMISE(renaming_replaces_what_stood_there),
        PROMISE(renaming_what_is_missing_changes_nothing),
        PROMISE(a_file_does_not_replace_a_directory),
        PROMISE(files_links_and_empty_directories_are_removed),
        PROMISE(a_full_directory_is_not_removed),
        PROMISE(nothing_there_to_remove_is_said),
    };

    return cmocka_run_group_tests_name("creating", promises, NULL, NULL);
}
