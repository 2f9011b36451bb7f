/* SPDX-License-Identifier: Apache-2.0 */
/* The right process, and no other, ever. */
#include "instance.h"

/* What names the server, for a stop. */
enum named_by {
    BY_STATE,
    BY_STATE_WITHOUT_PIDFS,
    BY_STATE_OF_A_WRITER,
    BY_STATE_AS_ORPHAN,
    BY_A_FOREIGN_PIDFILE,
    NAMED_COUNT,
};

static struct fake_process *
set_server(enum named_by by)
{
    struct fake_process *process, *supervisor;

    instance_setup(NULL);
    switch (by) {
    case BY_STATE:
        return server(SERVER);
    case BY_STATE_OF_A_WRITER:
        return writer(SERVER);
    case BY_STATE_WITHOUT_PIDFS:
        process = fake_spawn(SERVER);
        process->pidfd_inode = 0;
        assert_int_equal(start_as(SERVER), 0);
        break;
    case BY_STATE_AS_ORPHAN:
        process = fake_spawn(SERVER);
        supervisor = fake_spawn(SUPERVISOR);
        write_state(supervisor, process, HELD);
        write_pidfile_of(SUPERVISOR);
        crash(supervisor);
        break;
    default:
        process = fake_spawn(SERVER);
        write_pidfile_of(SERVER);
        break;
    }
    fake_pass_ms(3600000);
    return process;
}

/* ---- A reused pid ------------------------------------------------------------------------ */

static struct fake_process *innocent;

static void
reuse(void *without_pidfs)
{
    innocent = fake_reuse(SERVER);
    if (without_pidfs != NULL)
        innocent->pidfd_inode = 0;
}

/* As vortex stop does: pin, signal, wait; then once more. */
static int
stop(void)
{
    struct vortex_process *process;
    int r = vortex_process_open(PIDFILE, &process);

    if (r < 0)
        return r;
    r = vortex_process_signal(process, TERM);
    if (vortex_process_wait(process, 1000) != 0)
        r = vortex_process_signal(process, KILL);
    assert_null(vortex_process_close(process));
    return r;
}

static bool
stop_with_reuse_at(unsigned n, enum named_by by)
{
    struct fake_process *process = set_server(by);
    bool reached;

    innocent = NULL;
    fake_watch();
    fake_hook_at(n, reuse, by == BY_STATE_WITHOUT_PIDFS ? process : NULL);
    (void)stop();
    reached = fake_steps() >= n;
    if (innocent != NULL && innocent->signal_count != 0)
        fail_msg("at step %u, %s, named by %d: an innocent was signalled", n, fake_step_name(n),
                 (int)by);
    assert_int_equal(fake_handles(), 0);
    return reached;
}

static void
a_reused_pid_is_never_signalled(void **state)
{
    (void)state;
    for (int by = 0; by < NAMED_COUNT; by++)
        for (unsigned n = 1; stop_with_reuse_at(n, (enum named_by)by); n++)
            ;
}

static void
the_server_itself_is_signalled(void **state)
{
    (void)state;
    for (int by = 0; by < NAMED_COUNT; by++) {
        struct fake_process *process = set_server((enum named_by)by);

        process->dies_of = TERM;
        assert_int_equal(stop(), 0);
        assert_int_equal(process->signal_count, 1);
        assert_int_equal(process->signals[0], TERM);
        assert_int_equal(process->life, FAKE_ZOMBIE);
    }
}

/* ---- Failures ---------------------------------------------------------------------------- */

static bool
stop_failing_at(unsigned n, int error, enum named_by by)
{
    struct fake_process *process = set_server(by), *other = fake_spawn(INNOCENT);

    fake_watch();
    fake_fail_at(n, error);
    (void)stop();
    assert_int_equal(other->signal_count, 0);
    assert_int_equal(fake_process(FAKE_SELF)->signal_count, 0);
    assert_int_equal(fake_handles(), 0);
    assert_true(process->signal_count <= 2);
    return fake_steps() >= n;
}

static void
a_stop_that_fails_at_any_step_signals_nobody_else(void **state)
{
    static const int errors[] = {EIO, EACCES, EPERM, EMFILE, ENOMEM, EINTR, ESRCH, ENOENT};

    (void)state;
    for (int by = 0; by < NAMED_COUNT; by++)
        for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
            for (unsigned n = 1; stop_failing_at(n, errors[i], (enum named_by)by); n++)
                ;
}

/* ---- Opening ----------------------------------------------------------------------------- */

static void
assert_not_opened(int error)
{
    struct vortex_process *process = NULL;

    assert_int_equal(vortex_process_open(PIDFILE, &process), error);
    assert_null(process);
    assert_int_equal(fake_handles(), 0);
}

static void
who_cannot_be_named_is_not_opened(void **state)
{
    struct vortex_process *process = NULL;

    (void)state;
    assert_not_opened(-ESRCH);
    assert_int_equal(vortex_process_open("/run/no/web.pid", &process), -ESRCH);
    write_pidfile("garbage");
    assert_not_opened(-EBADMSG);
    fake_spawn(INNOCENT);
    write_pidfile_of(INNOCENT)->mode = 0666;
    assert_not_opened(-EPERM);
    write_pidfile_of(INNOCENT)->user = USER;
    assert_not_opened(-EPERM);
    fake_process(INNOCENT)->hidden = true;
    write_pidfile_of(INNOCENT);
    assert_not_opened(-ENODATA);
    write_pidfile_of(SERVER);
    assert_not_opened(-ESRCH);
    lock_holder(RIVAL);
    assert_not_opened(-EBUSY);
    assert_int_equal(fake_process(INNOCENT)->signal_count, 0);
    assert_int_equal(fake_process(RIVAL)->signal_count, 0);
}

static void
a_user_cannot_make_root_signal_a_stranger(void **state)
{
    static const char *const files[] = {PIDFILE, STATE, "/run"};
    struct fake_process *stranger;

    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        instance_setup(NULL);
        stranger = fake_spawn(INNOCENT);
        write_pidfile_of(INNOCENT)->user = USER;
        write_state(stranger, NULL, HELD);
        fake_find(STATE)->user = USER;
        fake_find(files[i])->user = USER;
        fake_pass_ms(60000);
        assert_true(stop() < 0);
        assert_int_equal(stranger->signal_count, 0);
    }
}

static void
a_held_process_stays_the_same(void **state)
{
    struct fake_process *process = server(SERVER), *other;
    struct vortex_process *held;

    (void)state;
    assert_int_equal(vortex_process_open(PIDFILE, &held), 0);
    assert_int_equal(vortex_process_pid(held), SERVER);
    assert_int_equal(vortex_process_signal(held, 0), 0);
    assert_int_equal(process->signal_count, 0);
    assert_int_equal(vortex_process_signal(held, 99), -EINVAL);
    assert_int_equal(vortex_process_wait(held, 0), -ETIMEDOUT);
    other = fake_reuse(SERVER);
    assert_int_equal(vortex_process_wait(held, -1), 0);
    assert_int_equal(vortex_process_signal(held, TERM), -ESRCH);
    assert_int_equal(other->signal_count, 0);
    assert_null(vortex_process_close(held));
    assert_null(vortex_process_close(NULL));
}

static void
anothers_process_may_not_be_signalled(void **state)
{
    struct vortex_process *held;

    (void)state;
    server(SERVER);
    fake_spawn(RIVAL)->user = USER;
    fake_become(RIVAL);
    assert_int_equal(vortex_process_open(PIDFILE, &held), 0);
    assert_int_equal(vortex_process_signal(held, TERM), -EPERM);
    assert_null(vortex_process_close(held));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_reused_pid_is_never_signalled),
        TEST(the_server_itself_is_signalled),
        TEST(a_stop_that_fails_at_any_step_signals_nobody_else),
        TEST(who_cannot_be_named_is_not_opened),
        TEST(a_user_cannot_make_root_signal_a_stranger),
        TEST(a_held_process_stays_the_same),
        TEST(anothers_process_may_not_be_signalled),
    };

    return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
