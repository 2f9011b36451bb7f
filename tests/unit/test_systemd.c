/* SPDX-License-Identifier: Apache-2.0 */
/* What can be known of systemd's units without a systemd. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "host/host.h"

static void
a_units_name_holds_the_whole_instances_name(void **state)
{
    char instance[OS_NAME_MAX] = "", name[OS_NAME_MAX], small[64];

    (void)state;
    assert_true(systemd_unit_name("vortex", name, sizeof(name)));
    assert_string_equal(name, "vortex.service");
    memset(instance, 'a', 220);
    assert_true(systemd_unit_name(instance, name, sizeof(name)));
    assert_int_equal(strlen(name), strlen("vortex@.service") + 220);
    assert_false(systemd_unit_name(instance, small, sizeof(small)));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_units_name_holds_the_whole_instances_name),
    };

    return cmocka_run_group_tests_name("systemd", tests, NULL, NULL);
}
