/* SPDX-License-Identifier: Apache-2.0 */
/* What the name of a control group tells of a process: whose it is, and which unit's. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "os/linux.h"
#include "real.h"

static const char *groups; /* /proc/PID/cgroup, of every process */

int __real_linux_read_proc_of(int64_t pid, const char *what, char *buf, size_t size);
int __wrap_linux_read_proc_of(int64_t pid, const char *what, char *buf, size_t size);

int
__wrap_linux_read_proc_of(int64_t pid, const char *what, char *buf, size_t size)
{
    if (strcmp(what, "cgroup") != 0)
        return __real_linux_read_proc_of(pid, what, buf, size);
    snprintf(buf, size, "%s", groups);
    return 0;
}

static bool
is_in(const char *group)
{
    struct os_hold hold;
    int r;

    assert_int_equal(os_process_hold(os_self(), &hold), 0);
    r = os_process_belongs(&hold, 0, group);
    os_process_release(&hold);
    return r == 1;
}

static void
a_process_is_of_its_group_and_of_those_above_it(void **state)
{
    (void)state;
    groups = "0::/system.slice/web.service/worker\n";
    assert_true(is_in("/system.slice/web.service/worker"));
    assert_true(is_in("/system.slice/web.service"));
    assert_true(is_in("/system.slice"));
    assert_false(is_in("/system.slice/web.service/worker/below"));
    assert_false(is_in("/system.slice/mail.service"));
    assert_false(is_in(""));
}

/* Whoever is in web.service2 is no leftover of web.service's. */
static void
a_group_whose_name_goes_on_is_another(void **state)
{
    (void)state;
    groups = "0::/system.slice/web.service2\n";
    assert_false(is_in("/system.slice/web.service"));
    assert_false(is_in("/system.sl"));
}

static void
a_process_without_a_group_is_of_none(void **state)
{
    static const char *const none[] = {"", "0::/\n", "4:cpu:/system.slice/web.service\n"};

    (void)state;
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        groups = none[i];
        assert_false(is_in("/system.slice/web.service"));
        assert_false(is_in("/"));
    }
}

static void
expect_unit(const char *text, const char *unit, const char *cgroup)
{
    struct os_process_facts facts;

    groups = text;
    os_self_describe(&facts);
    assert_string_equal(facts.unit, unit);
    assert_string_equal(facts.cgroup, cgroup);
    assert_int_equal(facts.owner[0] == '\0', unit[0] != '\0');
}

static void
the_innermost_service_is_the_unit(void **state)
{
    (void)state;
    expect_unit("0::/system.slice/web.service\n", "web.service", "/system.slice/web.service");
    expect_unit("0::/system.slice/web.service/worker\n", "web.service",
                "/system.slice/web.service");
    expect_unit("0::/a.service/b.service/c\n", "b.service", "/a.service/b.service");
    expect_unit("12:pids:/x\n1:name=systemd:/system.slice/web.service\n", "web.service",
                "/system.slice/web.service");
    expect_unit("0::/user.slice/user@1000.service/app.slice/web.service\n", "web.service",
                "/user.slice/user@1000.service/app.slice/web.service");
}

static void
a_session_and_a_users_manager_are_no_unit(void **state)
{
    (void)state;
    expect_unit("0::/user.slice/user-1000.slice/session-2.scope\n", "", "");
    expect_unit("0::/user.slice/user@1000.service/init.scope\n", "", "");
    expect_unit("0::/system.slice/.service\n", "", "");
    expect_unit("0::/\n", "", "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_is_of_its_group_and_of_those_above_it),
        cmocka_unit_test(a_group_whose_name_goes_on_is_another),
        cmocka_unit_test(a_process_without_a_group_is_of_none),
        cmocka_unit_test(the_innermost_service_is_the_unit),
        cmocka_unit_test(a_session_and_a_users_manager_are_no_unit),
    };
    if (real_lacks_pidfd())
        return 77;
    return cmocka_run_group_tests_name("facts", tests, NULL, NULL);
}
