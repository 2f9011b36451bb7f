/* SPDX-License-Identifier: Apache-2.0 */
/* The control group that a supervisor made: all in it are leftovers, and nobody in another. */
#include <stdio.h>

#include "instance.h"

static void
name_group_of(const char *pidfile, char *buf)
{
    struct paths paths;

    assert_int_equal(paths_open(pidfile, false, &paths), 0);
    cgroup_name(&paths, buf, OS_NAME_MAX);
    paths_close(&paths);
}

struct group {
    const char *before, *after; /* the name of the pidfile's own */
};

/* A dead supervisor's state names that group, of which a process without the lock is. */
static struct fake_process *
set_group(const struct group *group)
{
    struct fake_process *stray;
    char name[OS_NAME_MAX], word[OS_NAME_MAX];

    server(SERVER);
    name_group_of(PIDFILE, name);
    stray = fake_spawn(RIVAL);
    snprintf(stray->cgroup, sizeof(stray->cgroup), "%s%.64s%s", group->before, name, group->after);
    snprintf(word, sizeof(word), "cgroup=%s", stray->cgroup);
    add_to_state(word);
    crash(fake_process(SERVER));
    return stray;
}

static void
all_in_the_group_that_a_supervisor_made_are_leftovers(void **state)
{
    static const struct group groups[] = {{"/", ""}, {"/system.slice/web.service/", ".2"}};

    (void)state;
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        struct fake_process *stray;

        instance_setup(NULL);
        stray = set_group(&groups[i]);
        assert_int_equal(vortex_pidfile_end_leftovers(PIDFILE, 1000), 1);
        assert_int_equal(stray->life, FAKE_ZOMBIE);
    }
}

static void
two_pidfiles_have_two_groups_however_long_their_names(void **state)
{
    char one[OS_PATH_MAX], other[OS_PATH_MAX], names[2][OS_NAME_MAX];

    (void)state;
    for (int length = 1; length <= 200; length++) {
        snprintf(one, sizeof(one), "/run/%0*d.pid", length, 1);
        snprintf(other, sizeof(other), "/run/%0*d.pid", length, 2);
        name_group_of(one, names[0]);
        name_group_of(other, names[1]);
        assert_string_not_equal(names[0], names[1]);
        assert_in_range(strlen(names[0]), 25, 100);
    }
}

static void
a_group_that_stays_is_waited_for_as_long_as_was_said(void **state)
{
    const struct group group = {"/", ""};
    struct fake_process *stray = set_group(&group);
    int64_t before = os_monotonic_ms();

    (void)state;
    stray->stuck = true;
    assert_int_equal(vortex_pidfile_end_leftovers(PIDFILE, 1000), -ETIMEDOUT);
    assert_int_equal(os_monotonic_ms() - before, 1000);
    assert_int_equal(fake_handles(), 0);
}

static void
a_group_that_is_not_this_pidfiles_is_spared(void **state)
{
    static const struct group groups[] = {
        {"/", "/below"}, {"/x", ""}, {"/", "x"}, {"", ""}, {"/system.slice/", "/"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        struct fake_process *stray;

        instance_setup(NULL);
        stray = set_group(&groups[i]);
        assert_int_equal(vortex_pidfile_end_leftovers(PIDFILE, 1000), 0);
        assert_int_equal(stray->life, FAKE_ALIVE);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_in_the_group_that_a_supervisor_made_are_leftovers),
        TEST(two_pidfiles_have_two_groups_however_long_their_names),
        TEST(a_group_that_stays_is_waited_for_as_long_as_was_said),
        TEST(a_group_that_is_not_this_pidfiles_is_spared),
    };

    return cmocka_run_group_tests_name("group", tests, NULL, NULL);
}
