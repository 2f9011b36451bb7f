/* SPDX-License-Identifier: Apache-2.0 */
/* What can be known of systemd's units without a systemd. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "host/service.h"

static void
a_units_name_holds_the_whole_instances_name(void **state)
{
    char instance[OS_NAME_MAX] = "";
    struct manager_unit unit;

    (void)state;
    assert_true(systemd_unit_of("vortex", &unit));
    assert_string_equal(unit.name, unit.is_users ? "vortex@vortex.service" : "vortex.service");
    memset(instance, 'a', 220);
    assert_true(systemd_unit_of(instance, &unit));
    assert_int_equal(strlen(unit.name), strlen("vortex@.service") + 220);
    memset(instance, 'a', sizeof(instance) - 1);
    assert_false(systemd_unit_of(instance, &unit));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_units_name_holds_the_whole_instances_name),
    };

    return cmocka_run_group_tests_name("systemd", tests, NULL, NULL);
}
