/* SPDX-License-Identifier: Apache-2.0 */
/* Publishing a file only over what was judged, and taking that back. */
#include "contract.h"

static void
where_nothing_stands_a_file_takes_the_name(void **state)
{
    struct os_dir dir = open_scene();

    (void)state;
    scene_write("f.new", "new", 0644);
    assert_int_equal(os_file_publish(&dir, "f.new", "f", NULL), 0);
    assert_true(scene_holds("f", "new"));
    assert_false(scene_exists("f.new"));
    os_dir_close(&dir);
}

static void
the_judged_file_is_replaced_and_kept_aside(void **state)
{
    struct os_dir dir = open_scene();
    struct os_file_id judged, fresh;

    (void)state;
    need_proof(); /* -Dos=posix: what was replaced is gone */
    scene_write("f", "old", 0644);
    scene_write("f.new", "new", 0644);
    judged = identity_of("f");
    fresh = identity_of("f.new");
    assert_int_equal(os_file_publish(&dir, "f.new", "f", &judged), 0);
    assert_true(scene_holds("f", "new"));
    assert_true(scene_holds("f.new", "old"));
    assert_int_equal(identity_of("f").inode, fresh.inode);
    os_dir_close(&dir);
}

static void
a_judged_link_directory_or_fifo_is_replaced_too(void **state)
{
    struct os_dir dir = open_scene();
    static const char *const names[] = {"link", "directory", "fifo"};

    (void)state;
    need_proof();
    scene_write("precious", "old", 0644);
    scene_symlink("precious", "link");
    scene_mkdir("directory", 0755);
    scene_fifo("fifo");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct os_file_id judged = identity_of(names[i]);

        scene_write("f.new", "new", 0644);
        assert_int_equal(os_file_publish(&dir, "f.new", names[i], &judged), 0);
        assert_true(scene_holds(names[i], "new"));
        assert_int_equal(identity_of("f.new").inode, judged.inode);
        assert_int_equal(os_file_remove(&dir, "f.new"), 0);
    }
    assert_true(scene_holds("precious", "old"));
    os_dir_close(&dir);
}

static void
what_appeared_since_is_not_replaced(void **state)
{
    struct os_dir dir = open_scene();

    (void)state;
    scene_write("f", "a rival's", 0644);
    scene_write("f.new", "new", 0644);
    assert_int_equal(os_file_publish(&dir, "f.new", "f", NULL), -EAGAIN);
    assert_true(scene_holds("f", "a rival's"));
    assert_true(scene_holds("f.new", "new"));
    os_dir_close(&dir);
}

static void
what_was_changed_since_is_not_replaced(void **state)
{
    struct os_dir dir = open_scene();
    struct os_file_id judged;

    (void)state;
    scene_write("f", "old", 0644);
    judged = identity_of("f");
    scene_write("rival", "a rival's", 0644);
    assert_int_equal(os_file_rename(&dir, "rival", "f"), 0);
    scene_write("f.new", "new", 0644);
    assert_int_equal(os_file_publish(&dir, "f.new", "f", &judged), -EAGAIN);
    assert_true(scene_holds("f", "a rival's"));
    assert_true(scene_holds("f.new", "new"));
    os_dir_close(&dir);
}

static void
where_the_judged_file_is_gone_nothing_is_published(void **state)
{
    struct os_dir dir = open_scene();
    struct os_file_id judged;

    (void)state;
    scene_write("f", "old", 0644);
    judged = identity_of("f");
    scene_remove("f");
    scene_write("f.new", "new", 0644);
    assert_int_equal(os_file_publish(&dir, "f.new", "f", &judged), -EAGAIN);
    assert_false(scene_exists("f"));
    assert_true(scene_holds("f.new", "new"));
    os_dir_close(&dir);
}

static void
without_the_new_file_nothing_changes(void **state)
{
    struct os_dir dir = open_scene();
    struct os_file_id judged;

    (void)state;
    assert_int_equal(os_file_publish(&dir, "f.new", "f", NULL), -ENOENT);
    assert_false(scene_exists("f"));
    scene_write("f", "old", 0644);
    judged = identity_of("f");
    assert_true(os_file_publish(&dir, "f.new", "f", &judged) < 0);
    assert_true(scene_holds("f", "old"));
    os_dir_close(&dir);
}

static void
what_is_taken_back_is_as_it_was_judged(void **state)
{
    struct os_dir dir = open_scene();
    struct os_file_id judged;

    (void)state;
    need_proof();
    scene_write("f", "old", 0640);
    scene_write("f.new", "new", 0644);
    judged = identity_of("f");
    assert_int_equal(os_file_publish(&dir, "f.new", "f", &judged), 0);
    assert_int_equal(os_file_unpublish(&dir, "f.new", "f", &judged), 0);
    assert_true(scene_holds("f", "old"));
    assert_int_equal(scene_mode("f"), 0640);
    assert_int_equal(identity_of("f").inode, judged.inode);
    assert_false(scene_exists("f.new"));
    os_dir_close(&dir);
}

static void
what_is_taken_back_from_an_empty_place_leaves_it_empty(void **state)
{
    struct os_dir dir = open_scene();

    (void)state;
    scene_write("f.new", "new", 0644);
    assert_int_equal(os_file_publish(&dir, "f.new", "f", NULL), 0);
    assert_int_equal(os_file_unpublish(&dir, "f.new", "f", NULL), 0);
    assert_false(scene_exists("f"));
    assert_false(scene_exists("f.new"));
    os_dir_close(&dir);
}

static void
taking_back_restores_the_old_file_though_the_new_one_was_removed(void **state)
{
    struct os_dir dir = open_scene();
    struct os_file_id judged;

    (void)state;
    need_proof();
    scene_write("f", "old", 0644);
    scene_write("f.new", "new", 0644);
    judged = identity_of("f");
    assert_int_equal(os_file_publish(&dir, "f.new", "f", &judged), 0);
    scene_remove("f");
    (void)os_file_unpublish(&dir, "f.new", "f", &judged);
    assert_true(scene_holds("f", "old"));
    assert_false(scene_exists("f.new"));
    os_dir_close(&dir);
}

int
contract_publishing(void)
{
    const struct CMUnitTest promises[] = {
        PROMISE(where_nothing_stands_a_file_takes_the_name),
        PROMISE(the_judged_file_is_replaced_and_kept_aside),
        PROMISE(a_judged_link_directory_or_fifo_is_replaced_too),
        PROMISE(what_appeared_since_is_not_replaced),
        PROMISE(what_was_changed_since_is_not_replaced),
        PROMISE(where_the_judged_file_is_gone_nothing_is_published),
        PROMISE(without_the_new_file_nothing_changes),
        PROMISE(what_is_taken_back_is_as_it_was_judged),
        PROMISE(what_is_taken_back_from_an_empty_place_leaves_it_empty),
        PROMISE(taking_back_restores_the_old_file_though_the_new_one_was_removed),
    };

    return cmocka_run_group_tests_name("publishing", promises, NULL, NULL);
}
