/* SPDX-License-Identifier: Apache-2.0 */
/* Any step of a claim, of its end, or of a look fails or is the last one before a crash. */
#include "before.h"

static const int errors[] = {EIO,    ENOSPC, EACCES, EPERM,  EROFS,
                             ENOMEM, EMFILE, EINTR,  ENOLCK, EDQUOT};

#define ERRORS (sizeof(errors) / sizeof(errors[0]))

/* ---- Failing ----------------------------------------------------------------------------- */

/* Start with a failure at step n. False: there are not so many steps. */
static bool
start_failing_at(unsigned n, int error, enum before before)
{
    int r;

    set_before(before);
    fake_fail_at(n, error);
    r = start();
    if (fake_steps() < n) {
        assert_int_equal(r, 0);
        return false;
    }
    if (r == 0) { /* it did without; what could not be removed is the next start's to remove */
        AT(n, pidfile_names(FAKE_SELF) && state_names(FAKE_SELF));
        AT(n, others() == 0 || strcmp(fake_step_name(n), "os_file_remove") == 0);
        return true;
    }
    AT(n, others() == 0);
    AT(n, is_as_before(before));
    AT(n, fake_handles() == 0);
    fake_fail_at(0, 0);
    AT(n, start() == 0);
    assert_verdict(VORTEX_RUNNING, FAKE_SELF);
    return true;
}

static void
a_start_that_fails_at_any_step_leaves_the_old_files_and_no_others(void **state)
{
    (void)state;
    for (int before = 0; before < BEFORE_COUNT; before++)
        for (size_t i = 0; i < ERRORS; i++)
            for (unsigned n = 1; start_failing_at(n, errors[i], (enum before)before); n++)
                ;
}

enum living {
    LIVING_SERVER,
    LIVING_WRITER,
    LIVING_FOREIGN,
    LIVING_COUNT,
};

static void
set_living(enum living living)
{
    instance_setup(NULL);
    switch (living) {
    case LIVING_SERVER:
        server(SERVER);
        break;
    case LIVING_WRITER:
        writer(SERVER);
        break;
    default:
        fake_spawn(SERVER);
        fake_pass_ms(60000);
        write_pidfile_of(SERVER);
        break;
    }
    fake_watch();
}

/* Start beside a living server, with a failure at step n. */
static bool
start_beside_failing_at(unsigned n, int error, enum living living)
{
    int r;

    set_living(living);
    fake_fail_at(n, error);
    r = start();
    AT(n, r < 0);
    AT(n, pidfile_names(SERVER) && (living == LIVING_FOREIGN || state_names(SERVER)));
    AT(n, others() == 0);
    AT(n, fake_handles() == 0);
    return fake_steps() >= n;
}

static void
no_failure_lets_a_second_server_in(void **state)
{
    (void)state;
    for (int living = 0; living < LIVING_COUNT; living++)
        for (size_t i = 0; i < ERRORS; i++)
            for (unsigned n = 1; start_beside_failing_at(n, errors[i], (enum living)living); n++)
                ;
}

static bool
look_failing_at(unsigned n, int error, enum living living)
{
    struct vortex_report *report;
    int r;

    set_living(living);
    fake_fail_at(n, error);
    r = vortex_pidfile_inspect(PIDFILE, &report);
    if (r == 0) {
        enum vortex_verdict seen = vortex_report_verdict(report);

        AT(n, seen == VORTEX_RUNNING || seen == VORTEX_BUSY || seen == VORTEX_UNPROVED);
        AT(n, seen != VORTEX_RUNNING || vortex_report_pid(report) == SERVER);
        AT(n, seen != VORTEX_BUSY || living == LIVING_SERVER);
        vortex_report_close(report);
    }
    AT(n, fake_handles() == 0);
    return fake_steps() >= n;
}

static void
no_failure_makes_the_living_look_dead(void **state)
{
    (void)state;
    for (int living = 0; living < LIVING_COUNT; living++)
        for (size_t i = 0; i < ERRORS; i++)
            for (unsigned n = 1; look_failing_at(n, errors[i], (enum living)living); n++)
                ;
}

/* The end of a server with a failure at step n: nobody is kept out by what is left. */
static bool
end_failing_at(unsigned n, int error)
{
    struct claim claim;
    bool reached;

    instance_setup(NULL);
    claim_init(&claim);
    assert_int_equal(claim_all(&claim, PIDFILE, true, NULL), 0);
    claim_finish(&claim);
    fake_watch();
    fake_fail_at(n, error);
    claim_end(&claim, true);
    reached = fake_steps() >= n;
    AT(n, fake_handles() == 0);
    AT(n, others() == 0);
    fake_kill(fake_process(FAKE_SELF));
    fake_spawn(RIVAL);
    fake_become(RIVAL);
    assert_int_equal(start(), 0);
    assert_verdict(VORTEX_RUNNING, RIVAL);
    return reached;
}

static void
an_end_that_fails_at_any_step_keeps_nobody_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < ERRORS; i++)
        for (unsigned n = 1; end_failing_at(n, errors[i]); n++)
            ;
}

/* ---- Crashing ---------------------------------------------------------------------------- */

static void
start_it(void *ignored)
{
    (void)ignored;
    (void)start();
}

static void
start_and_end(void *ignored)
{
    struct claim claim;

    (void)ignored;
    claim_init(&claim);
    if (claim_all(&claim, PIDFILE, true, NULL) < 0)
        return;
    claim_finish(&claim);
    claim_end(&claim, true);
}

static void
write_and_remove(void *ignored)
{
    (void)ignored;
    if (vortex_pidfile_write(PIDFILE, NULL) == 0)
        (void)vortex_pidfile_remove(PIDFILE);
}

/* What a reader finds at any moment: the old content, the new one, or nothing at the end. */
static bool
is_whole(enum before before, int64_t starter)
{
    const struct fake_file *pidfile = fake_find(PIDFILE);

    return pidfile == NULL || pidfile->kind == FAKE_SYMLINK || pidfile_names(starter)
           || (pidfile_names(SERVER) && before != BEFORE_NOTHING);
}

/* Crash at step n of act; whoever starts next is the only owner and finds nothing in its way. */
static bool
crash_at(unsigned n, fake_event *act, enum before before)
{
    bool reached;

    set_before(before);
    fake_spawn(RIVAL);
    fake_become(RIVAL);
    reached = fake_crash_at(n, act, NULL);
    if (!reached)
        fake_kill(fake_process(RIVAL));
    fake_become(FAKE_SELF);
    if (!is_whole(before, RIVAL))
        fail_msg("crashed at step %u: the pidfile is not whole", n);
    if (start() != 0)
        fail_msg("crashed at step %u: the next start fails", n);
    assert_verdict(VORTEX_RUNNING, FAKE_SELF);
    assert_int_equal(others(), 0);
    assert_int_equal(start_as(SUPERVISOR), -EEXIST);
    return reached;
}

static void
a_crash_at_any_step_leaves_the_place_to_the_next(void **state)
{
    (void)state;
    for (int before = 0; before < BEFORE_COUNT; before++) {
        for (unsigned n = 1; crash_at(n, start_it, (enum before)before); n++)
            ;
        for (unsigned n = 1; crash_at(n, start_and_end, (enum before)before); n++)
            ;
        for (unsigned n = 1; crash_at(n, write_and_remove, (enum before)before); n++)
            ;
    }
}

/* The crashed one's number is an innocent's soon: that one is neither an owner nor signalled. */
static bool
crash_and_reuse_at(unsigned n, enum before before)
{
    struct vortex_process *process;
    struct fake_process *innocent;
    bool reached;

    set_before(before);
    fake_spawn(RIVAL);
    fake_become(RIVAL);
    reached = fake_crash_at(n, start_it, NULL);
    if (!reached)
        fake_kill(fake_process(RIVAL));
    fake_become(FAKE_SELF);
    fake_pass_ms(2001); /* a number comes again later than that */
    innocent = fake_reuse(RIVAL);
    if (vortex_process_open(PIDFILE, &process) == 0)
        fail_msg("crashed at step %u: somebody is said to run", n);
    if (start() != 0)
        fail_msg("crashed at step %u: the next start fails", n);
    assert_verdict(VORTEX_RUNNING, FAKE_SELF);
    assert_int_equal(innocent->signal_count, 0);
    return reached;
}

static void
a_crash_at_any_step_and_a_reused_pid_leave_the_place_to_the_next(void **state)
{
    (void)state;
    for (int before = 0; before < BEFORE_COUNT; before++)
        for (unsigned n = 1; crash_and_reuse_at(n, (enum before)before); n++)
            ;
}

/* A clean end crashes too: at no step are the files gone while the lock still keeps others out. */
static bool
crash_the_end_at(unsigned n)
{
    bool reached;

    instance_setup(NULL);
    fake_spawn(RIVAL);
    fake_become(RIVAL);
    reached = fake_crash_at(n, start_and_end, NULL);
    if (!reached)
        fake_kill(fake_process(RIVAL));
    fake_become(FAKE_SELF);
    AT(n, verdict() == VORTEX_NOT_RUNNING || verdict() == VORTEX_STALE);
    return reached;
}

static void
a_crash_at_any_step_is_never_taken_for_life(void **state)
{
    (void)state;
    for (unsigned n = 1; crash_the_end_at(n); n++)
        ;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_start_that_fails_at_any_step_leaves_the_old_files_and_no_others),
        TEST(no_failure_lets_a_second_server_in),
        TEST(no_failure_makes_the_living_look_dead),
        TEST(an_end_that_fails_at_any_step_keeps_nobody_out),
        TEST(a_crash_at_any_step_leaves_the_place_to_the_next),
        TEST(a_crash_at_any_step_and_a_reused_pid_leave_the_place_to_the_next),
        TEST(a_crash_at_any_step_is_never_taken_for_life),
    };

    return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
