/* SPDX-License-Identifier: Apache-2.0 */
/* Directories: the way there, and what is in them. */
#include <stdlib.h>

#include "contract.h"

static int
try_open(const char *path, bool create)
{
    struct os_dir dir;
    char name[OS_NAME_MAX];
    int r = os_dir_open(path, create, &dir, name);

    if (r == 0)
        os_dir_close(&dir);
    return r;
}

static const char *
repeated(char c, size_t count)
{
    static char text[2 * OS_PATH_MAX];

    memset(text, c, count);
    text[count] = '\0';
    return text;
}

/* A way of that many bytes, through "./" again and again, to a file "f" in the scene. */
static const char *
long_way(size_t length)
{
    static char path[2 * OS_PATH_MAX];
    size_t at;

    strcpy(path, scene_path(""));
    at = strlen(path);
    if ((length - at) % 2 == 1)
        path[at++] = '/';
    for (; at < length; at += 2)
        memcpy(path + at, "./", 2);
    strcpy(path + at, "f");
    return path;
}

/* ---- Opening ----------------------------------------------------------------------------- */

static void
a_directory_opens_with_the_last_component_as_its_name(void **state)
{
    struct os_dir dir;
    char name[OS_NAME_MAX];

    (void)state;
    assert_int_equal(os_dir_open(scene_path("web.pid"), false, &dir, name), 0);
    assert_string_equal(name, "web.pid");
    assert_int_not_equal(dir.handle, OS_NONE);
    assert_false(dir.strays);
    os_dir_close(&dir);
}

static void
a_closed_directory_is_the_empty_value(void **state)
{
    struct os_dir dir = open_scene();

    (void)state;
    os_dir_close(&dir);
    assert_int_equal(dir.handle, OS_NONE);
    os_dir_close(&dir);
    assert_int_equal(dir.handle, OS_NONE);
}

static void
a_relative_path_starts_at_the_working_directory(void **state)
{
    struct os_dir dir;
    char name[OS_NAME_MAX];

    (void)state;
    scene_mkdir("run", 0755);
    scene_write("run/here", "x", 0644);
    scene_chdir();
    assert_int_equal(os_dir_open("run/web.pid", false, &dir, name), 0);
    assert_int_equal(os_file_remove(&dir, "here"), 0);
    os_dir_close(&dir);
    assert_false(scene_exists("run/here"));
    assert_int_equal(os_dir_open("web.pid", false, &dir, name), 0);
    assert_int_equal(os_file_remove(&dir, "run"), 0);
    os_dir_close(&dir);
}

static void
a_link_on_the_way_is_followed(void **state)
{
    struct os_dir dir;

    (void)state;
    scene_mkdir("run", 0755);
    scene_write("run/here", "x", 0644);
    scene_symlink("run", "var");
    scene_symlink(scene_path("var"), "absolute");
    dir = open_in_scene("var");
    assert_int_equal(os_file_remove(&dir, "here"), 0);
    os_dir_close(&dir);
    assert_false(scene_exists("run/here"));
    assert_int_equal(try_open(scene_path("absolute/../run/f"), false), 0);
}

static void
links_in_a_circle_are_refused(void **state)
{
    (void)state;
    scene_symlink("b", "a");
    scene_symlink("a", "b");
    assert_int_equal(try_open(scene_path("a/f"), false), -ELOOP);
    assert_int_equal(try_open(scene_path("a/f"), true), -ELOOP);
}

static void
a_path_that_names_a_directory_is_refused(void **state)
{
    (void)state;
    scene_mkdir("run", 0755);
    assert_int_equal(try_open(scene_path("run/"), false), -EISDIR);
    assert_int_equal(try_open(scene_path("run/."), false), -EISDIR);
    assert_int_equal(try_open(scene_path("run/.."), false), -EISDIR);
    assert_int_equal(try_open("/", false), -EISDIR);
    assert_int_equal(try_open(".", false), -EISDIR);
    assert_int_equal(try_open("..", true), -EISDIR);
    assert_int_equal(try_open("", true), -ENOENT);
    assert_int_equal(try_open(scene_path("run/..."), false), 0);
}

static void
a_name_may_have_255_bytes_and_no_more(void **state)
{
    (void)state;
    assert_int_equal(try_open(scene_path(repeated('n', 255)), false), 0);
    assert_int_equal(try_open(scene_path(repeated('n', 256)), false), -ENAMETOOLONG);
}

static void
a_component_may_have_255_bytes_and_no_more(void **state)
{
    char path[OS_NAME_MAX + 8];

    (void)state;
    strcpy(path, repeated('n', 256));
    strcat(path, "/f");
    assert_int_equal(try_open(scene_path(path), true), -ENAMETOOLONG);
    assert_int_equal(try_open(scene_path(path + 1), true), 0);
}

static void
a_way_of_4096_bytes_is_too_long(void **state)
{
    (void)state;
    assert_int_equal(try_open(long_way(OS_PATH_MAX - 1), false), 0);
    assert_int_equal(try_open(long_way(OS_PATH_MAX), false), -ENAMETOOLONG);
}

static void
a_file_on_the_way_is_no_directory(void **state)
{
    (void)state;
    scene_write("file", "x", 0644);
    assert_int_equal(try_open(scene_path("file/f"), false), -ENOTDIR);
    assert_int_equal(try_open(scene_path("file/f"), true), -ENOTDIR);
}

static void
outputs_stay_untouched_where_the_way_ends(void **state)
{
    struct os_dir dir, before;
    char name[OS_NAME_MAX] = "untouched";

    (void)state;
    memset(&dir, UNTOUCHED, sizeof(dir));
    before = dir;
    assert_int_equal(os_dir_open(scene_path("run/f"), false, &dir, name), -ENOENT);
    assert_memory_equal(&dir, &before, sizeof(dir));
    assert_string_equal(name, "untouched");
}

static void
missing_directories_are_made_only_on_request(void **state)
{
    (void)state;
    assert_int_equal(try_open(scene_path("a/b/web.pid"), false), -ENOENT);
    assert_false(scene_exists("a"));
    assert_int_equal(try_open(scene_path("a/b/web.pid"), true), 0);
    assert_true(scene_exists("a/b"));
    assert_false(scene_exists("a/b/web.pid"));
}

static void
made_directories_have_mode_0755_whatever_the_umask(void **state)
{
    (void)state;
    need_trusted_way();
    scene_umask(077);
    assert_int_equal(try_open(scene_path("a/b/f"), true), 0);
    assert_int_equal(scene_mode("a"), 0755);
    assert_int_equal(scene_mode("a/b"), 0755);
    scene_umask(0);
    assert_int_equal(try_open(scene_path("c/f"), true), 0);
    assert_int_equal(scene_mode("c"), 0755);
}

static void
present_directories_keep_their_mode(void **state)
{
    (void)state;
    scene_mkdir("a", 0700);
    assert_int_equal(try_open(scene_path("a/f"), true), 0);
    assert_int_equal(scene_mode("a"), 0700);
}

static int
act_walk(const char *name)
{
    return try_open(scene_path(name), true);
}

static void
a_way_that_may_not_be_walked_is_refused(void **state)
{
    int result;

    (void)state;
    need_users();
    scene_mkdir("closed", 0700);
    scene_mkdir("closed/run", 0755);
    scene_mkdir("public", 0755);
    scene_fork_as(SCENE_USER, SCENE_USER, act_walk, "closed/run/f", &result);
    assert_int_equal(result, -EACCES);
    scene_fork_as(SCENE_USER, SCENE_USER, act_walk, "public/new/f", &result);
    assert_int_equal(result, -EACCES);
    scene_fork_as(SCENE_USER, SCENE_USER, act_walk, "public/f", &result);
    assert_int_equal(result, 0);
}

static void
a_local_directory_is_not_remote(void **state)
{
    struct os_dir dir = open_scene();

    (void)state;
    assert_int_equal(os_dir_is_remote(&dir), 0);
    os_dir_close(&dir);
}

/* ---- Names ------------------------------------------------------------------------------- */

static bool
is_in(const char *name, char (*names)[OS_NAME_MAX], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static void
all_names_are_listed_but_dot_and_dot_dot(void **state)
{
    char(*names)[OS_NAME_MAX];
    size_t count;

    (void)state;
    scene_write("a", "x", 0644);
    scene_write(".hidden", "x", 0644);
    scene_mkdir("directory", 0755);
    scene_symlink("nowhere", "link");
    assert_int_equal(os_dir_names(scene_path("."), &names, &count), 0);
    assert_int_equal(count, 4);
    assert_true(is_in("a", names, count));
    assert_true(is_in(".hidden", names, count));
    assert_true(is_in("directory", names, count));
    assert_true(is_in("link", names, count));
    free(names);
}

static void
an_empty_directory_has_no_names(void **state)
{
    char(*names)[OS_NAME_MAX];
    size_t count = 1;

    (void)state;
    scene_mkdir("empty", 0755);
    assert_int_equal(os_dir_names(scene_path("empty"), &names, &count), 0);
    assert_int_equal(count, 0);
    free(names);
}

static void
what_is_no_directory_has_no_names(void **state)
{
    char(*names)[OS_NAME_MAX];
    size_t count;

    (void)state;
    scene_write("file", "x", 0644);
    assert_int_equal(os_dir_names(scene_path("missing"), &names, &count), -ENOENT);
    assert_int_equal(os_dir_names(scene_path("file"), &names, &count), -ENOTDIR);
}

int
contract_directories(void)
{
    const struct CMUnitTest promises[] = {
        PROMISE(a_directory_opens_with_the_last_component_as_its_name),
        PROMISE(a_closed_directory_is_the_empty_value),
        PROMISE(a_relative_path_starts_at_the_working_directory),
        PROMISE(a_link_on_the_way_is_followed),
        PROMISE(links_in_a_circle_are_refused),
        PROMISE(a_path_that_names_a_directory_is_refused),
        PROMISE(a_name_may_have_255_bytes_and_no_more),
        PROMISE(a_component_may_have_255_bytes_and_no_more),
        PROMISE(a_way_of_4096_bytes_is_too_long),
        PROMISE(a_file_on_the_way_is_no_directory),
        PROMISE(outputs_stay_untouched_where_the_way_ends),
        PROMISE(missing_directories_are_made_only_on_request),
        PROMISE(made_directories_have_mode_0755_whatever_the_umask),
        PROMISE(present_directories_keep_their_mode),
        PROMISE(a_way_that_may_not_be_walked_is_refused),
        PROMISE(a_local_directory_is_not_remote),
        PROMISE(all_names_are_listed_but_dot_and_dot_dot),
        PROMISE(an_empty_directory_has_no_names),
        PROMISE(what_is_no_directory_has_no_names),
    };

    return cmocka_run_group_tests_name("directories", promises, NULL, NULL);
}
