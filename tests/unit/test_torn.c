/* SPDX-License-Identifier: Apache-2.0 */
/* A look in whose midst the files change, or something can't be read: nobody is taken for another. */
#include "instance.h"

/* A dead server's files, and its number is an innocent process's, at once. */
static void
set_reused(void)
{
    struct fake_process *dead;

    instance_setup(NULL);
    dead = fake_spawn(SERVER);
    write_state(dead, NULL, HELD);
    write_pidfile_of(SERVER);
    fake_reuse(SERVER);
    fake_watch();
}

static void
set_supervised(void)
{
    struct fake_process *supervisor;

    instance_setup(NULL);
    supervisor = fake_spawn(SUPERVISOR);
    write_state(supervisor, fake_spawn(SERVER), RELEASED);
    write_pidfile_of(SUPERVISOR);
    fake_watch();
}

/* As a stop does it. */
static void
remove_both(void *arg)
{
    (void)arg;
    fake_remove(PIDFILE);
    fake_remove(STATE);
}

/* What a look finds; 0: it fails. */
static int
find(const char **ret_reason)
{
    struct vortex_report *report;
    int found;
    int r = vortex_pidfile_inspect(PIDFILE, &report);

    if (r < 0)
        return r;
    found = (int)vortex_report_verdict(report);
    *ret_reason = vortex_report_reason(report);
    vortex_report_close(report);
    return found;
}

static void
a_state_removed_in_the_midst_of_a_look_leaves_no_number_to_judge(void **state)
{
    const char *why;
    unsigned n = 0;

    (void)state;
    do {
        set_reused();
        fake_hook_at(++n, remove_both, NULL);
        assert_int_not_equal(find(&why), VORTEX_RUNNING);
    } while (fake_find(PIDFILE) == NULL); /* it came to that step */
    assert_true(n > 3);
}

static void
a_state_that_cannot_be_read_just_now_leaves_no_number_to_judge(void **state)
{
    bool seen = false;
    unsigned n = 0;

    (void)state;
    do {
        const char *why;
        int found;

        set_reused();
        fake_fail_at(++n, EMFILE);
        found = find(&why);
        assert_int_not_equal(found, VORTEX_RUNNING);
        seen = seen || found == -EMFILE; /* and no verdict */
    } while (fake_steps() >= n);
    assert_true(seen);
}

static void
a_supervisor_that_cannot_be_pinned_just_now_is_not_called_killed(void **state)
{
    const char *why;
    unsigned n = 0;

    (void)state;
    do {
        set_supervised();
        fake_fail_at(++n, EMFILE);
        assert_int_not_equal(find(&why), VORTEX_ORPHANED);
    } while (fake_steps() >= n);
    assert_true(n > 3);
}

static void
assert_no_number_without_its_state(void)
{
    assert_true(fake_find(PIDFILE) == NULL || fake_find(STATE) != NULL);
}

static void
a_pidfile_that_cannot_be_removed_keeps_its_state(void **state)
{
    static const int errors[] = {EROFS, EIO, EMFILE};

    (void)state;
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        unsigned n = 0;

        do {
            set_reused();
            fake_fail_at(++n, errors[i]);
            (void)vortex_pidfile_remove(PIDFILE);
            assert_no_number_without_its_state();
        } while (fake_steps() >= n);
        assert_null(fake_find(PIDFILE));
    }
}

static void
an_owner_that_cannot_remove_its_pidfile_leaves_the_state_too(void **state)
{
    struct vortex_lock *lock;
    unsigned n = 0;

    (void)state;
    do {
        instance_setup(NULL);
        assert_int_equal(vortex_pidfile_write_locked(PIDFILE, &lock, NULL), 0);
        fake_watch();
        fake_fail_at(++n, EMFILE);
        assert_null(vortex_lock_unlock(lock));
        assert_no_number_without_its_state();
    } while (fake_steps() >= n);
    assert_null(fake_find(PIDFILE));
}

static void
a_removal_that_could_not_see_the_state_does_not_call_it_gone(void **state)
{
    unsigned n = 0;
    int r;

    (void)state;
    do {
        set_reused();
        fake_remove(PIDFILE);
        fake_fail_at(++n, EMFILE);
        r = vortex_pidfile_remove(PIDFILE);
        assert_true(r != 0 || fake_find(STATE) == NULL);
    } while (fake_steps() >= n);
    assert_int_equal(r, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_state_removed_in_the_midst_of_a_look_leaves_no_number_to_judge),
        TEST(a_state_that_cannot_be_read_just_now_leaves_no_number_to_judge),
        TEST(a_pidfile_that_cannot_be_removed_keeps_its_state),
        TEST(an_owner_that_cannot_remove_its_pidfile_leaves_the_state_too),
        TEST(a_removal_that_could_not_see_the_state_does_not_call_it_gone),
        TEST(a_supervisor_that_cannot_be_pinned_just_now_is_not_called_killed),
    };

    return cmocka_run_group_tests_name("a look in whose midst something changes", tests, NULL,
                                       NULL);
}
