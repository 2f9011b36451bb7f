/* SPDX-License-Identifier: Apache-2.0 */
/* A server's control group: where it is made, whom it holds, and what is left of it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cgroup_scene.h"
#include "refusing.h"

/* ---- Made and removed -------------------------------------------------------------------- */

static void
a_group_is_made_below_our_own_and_goes_with_all_below_it(void **state)
{
    struct os_cgroup group;

    (void)state;
    assert_int_equal(os_cgroup_make("web", &group), 0);
    assert_string_equal(group.path, "/web.service/web");
    assert_false(os_cgroup_is_populated(&group));
    make_group("/web.service/web/a");
    make_group("/web.service/web/a/b");
    assert_int_equal(os_cgroup_renew(&group), 0);
    assert_false(is_there("/web.service/web/a"));
    populate("/web.service/web", "4711\n");
    assert_true(os_cgroup_is_populated(&group));
    assert_int_equal(os_cgroup_kill(&group), 0);
    assert_false(os_cgroup_is_populated(&group));
    os_cgroup_remove(&group);
    assert_int_equal(group.handle, OS_NONE);
    assert_false(is_there("/web.service/web"));
    assert_int_equal(os_cgroup_kill(&group), 0);
    assert_false(os_cgroup_is_populated(&group));
    os_cgroup_remove(&group);
}

/* No deeper than 16, whoever made them: then they stay, and are in nobody's way. */
static void
deeper_groups_than_anybody_makes_stay(void **state)
{
    char name[128] = "/web.service/web";
    struct os_cgroup group, next;

    (void)state;
    assert_int_equal(os_cgroup_make("web", &group), 0);
    for (int i = 0; i < 20; i++) {
        strcat(name, "/x");
        make_group(name);
    }
    os_cgroup_remove(&group);
    assert_true(is_there("/web.service/web"));
    assert_int_equal(os_cgroup_make("web", &next), 0);
    assert_string_equal(next.path, "/web.service/web.2");
    os_cgroup_remove(&next);
}

static void
a_name_where_somebody_is_gets_a_number(void **state)
{
    struct os_cgroup group;

    (void)state;
    make_group("/web.service/web");
    populate("/web.service/web", "4711\n");
    assert_int_equal(os_cgroup_make("web", &group), 0);
    assert_string_equal(group.path, "/web.service/web.2");
    populate("/web.service/web.2", "4712\n");
    assert_int_equal(os_cgroup_renew(&group), -EEXIST);
    for (int i = 3; i <= 8; i++) {
        char name[64];

        snprintf(name, sizeof(name), "/web.service/web.%d", i);
        make_group(name);
        populate(name, "1\n");
    }
    assert_int_equal(os_cgroup_make("web", &group), -EEXIST);
}

static void
what_can_not_be_killed_as_one_is_no_use(void **state)
{
    struct os_cgroup group;

    (void)state;
    scene.is_old = true;
    assert_int_equal(os_cgroup_make("web", &group), -ENOENT);
    scene.is_old = false;
    assert_int_equal(os_cgroup_make("web", &group), 0);
    scene.is_old = true;
    assert_int_equal(os_cgroup_renew(&group), -ENOENT);
}

/* ---- Where groups are -------------------------------------------------------------------- */

static void
expect_made(const char *own, const char *mount, int result)
{
    struct os_cgroup group;

    snprintf(scene.own, sizeof(scene.own), "%s", own);
    set_mount(mount, path_of(strcmp(mount, "/") == 0 ? "" : mount));
    assert_int_equal(os_cgroup_make("web", &group), result);
    if (result == 0)
        os_cgroup_remove(&group);
}

static void
our_own_group_is_found_by_the_mount_that_shows_it(void **state)
{
    char own[1024];

    (void)state;
    expect_made("0::/web.service\n", "/", 0);
    expect_made("0::/web.service\n", "/web.service", 0);
    expect_made("0::/\n", "/", 0);
    expect_made("0::/web.service\n", "/db.service", -ENOTSUP);
    expect_made("0::/web.service2\n", "/web.service", -ENOTSUP);
    expect_made("0::/../web.service\n", "/", -ENOTSUP); /* out of a namespace's sight */
    expect_made("1:name=systemd:/web.service\n", "/", -ENOTSUP);
    expect_made("0::/db.service\n", "/", -ENOENT);
    snprintf(own, sizeof(own), "0::/%0600d\n", 0);
    expect_made(own, "/", -ENOTSUP);
    scene.is_other = true;
    expect_made("0::/web.service\n", "/", -ENOTSUP);
    scene.is_other = false;
    write_file(AT_FDCWD, scene.mounts, "1 - cgroup2 \n");
    snprintf(scene.own, sizeof(scene.own), "0::/web.service\n");
    assert_int_equal(os_cgroup_make("web", &(struct os_cgroup){0}), -ENOTSUP);
}

static void
systemd_lets_only_what_it_delegates_be_changed(void **state)
{
    (void)state;
    scene.is_booted = true;
    make_group("/web.service/below");
    make_group("/plain");
    expect_made("0::/web.service/below\n", "/", -EPERM);
    expect_made("0::/plain\n", "/", -EPERM); /* no unit is in it */
    expect_made("0::/.service\n", "/", -EPERM);
    scene.marked_by = "user.delegate";
    expect_made("0::/web.service/below\n", "/", 0);
    expect_made("0::/plain\n", "/", -EPERM);
    expect_made("0::/db.service\n", "/", -EPERM); /* and is not there */
    scene.marked_by = "trusted.delegate";
    expect_made("0::/web.service\n", "/", 0);
    scene.mark = '0';
    expect_made("0::/web.service\n", "/", -EPERM);
}

/* ---- Somebody's who is dead -------------------------------------------------------------- */

static void
a_dead_ones_group_is_ended_and_removed(void **state)
{
    char path[1200];

    (void)state;
    make_group("/left");
    populate("/left", "4711\n4712\n");
    assert_int_equal(os_cgroup_end("/left", 1000), 2);
    assert_false(is_there("/left"));
    assert_int_equal(os_cgroup_end("/left", 0), 0);
    make_group("/left");
    assert_int_equal(os_cgroup_end("/left", 0), 0);
    make_group("/left");
    os_cgroup_discard("/left");
    assert_false(is_there("/left"));
    assert_int_equal(os_cgroup_end("left", 0), 0);
    snprintf(path, sizeof(path), "/%01100d", 0);
    assert_int_equal(os_cgroup_end(path, 0), 0);
    assert_int_equal(os_cgroup_end("/nowhere/left", 0), 0);
    make_group("/left");
    populate("/left", "4711\n");
    scene.is_deathless = true;
    assert_int_equal(os_cgroup_end("/left", 1), -ETIMEDOUT);
    assert_true(is_there("/left"));
}

/* ---- Refused ----------------------------------------------------------------------------- */

static void
make_and_remove(void)
{
    struct os_cgroup group;
    int r = os_cgroup_make("web", &group);

    assert_true(r == 0 || refuse_has());
    if (r == 0) {
        refuse_expect(os_cgroup_kill(&group));
        r = os_cgroup_renew(&group);
        assert_true(r == 0 || refuse_has());
        os_cgroup_remove(&group);
    }
    r = os_cgroup_end("/left", 1);
    assert_true(r == 1 || refuse_has());
    refuse_end();
    os_cgroup_discard("/web.service/web");
    assert_false(is_there("/web.service/web"));
}

static void
prepare(void)
{
    refuse_rest(true);
    if (!is_there("/left"))
        make_group("/left");
    if (!is_there("/left/below"))
        make_group("/left/below");
    populate("/left", "4711\n");
    refuse_rest(false);
    make_and_remove();
}

static void
a_refusal_leaves_no_group_and_no_handle(void **state)
{
    (void)state;
    scene.is_booted = true;
    scene.marked_by = "trusted.delegate";
    refuse_each(prepare, 1000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_group_is_made_below_our_own_and_goes_with_all_below_it,
                               cgroup_scene_setup),
        cmocka_unit_test_setup(deeper_groups_than_anybody_makes_stay, cgroup_scene_setup),
        cmocka_unit_test_setup(a_name_where_somebody_is_gets_a_number, cgroup_scene_setup),
        cmocka_unit_test_setup(what_can_not_be_killed_as_one_is_no_use, cgroup_scene_setup),
        cmocka_unit_test_setup(our_own_group_is_found_by_the_mount_that_shows_it,
                               cgroup_scene_setup),
        cmocka_unit_test_setup(systemd_lets_only_what_it_delegates_be_changed, cgroup_scene_setup),
        cmocka_unit_test_setup(a_dead_ones_group_is_ended_and_removed, cgroup_scene_setup),
        cmocka_unit_test_setup(a_refusal_leaves_no_group_and_no_handle, cgroup_scene_setup),
    };

    return cmocka_run_group_tests_name("cgroup", tests, NULL, NULL);
}
