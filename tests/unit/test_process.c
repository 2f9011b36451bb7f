/* SPDX-License-Identifier: Apache-2.0 */
/* The right process, and no other, ever. */
#include <stdio.h>

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

/* ---- Leftovers --------------------------------------------------------------------------- */

/* A server with a worker in its session and a stranger to whom it gave the lock; then it dies. */
static void
set_leftovers(struct fake_process **ret_worker, struct fake_process **ret_stranger)
{
    server(SERVER);
    fake_become(SERVER);
    *ret_worker = fake_fork(RIVAL);
    *ret_stranger = fake_fork(INNOCENT);
    (*ret_stranger)->session = INNOCENT;
    fake_become(FAKE_SELF);
    crash(fake_process(SERVER));
}

static void
leftovers_of_the_session_are_ended_and_no_others(void **state)
{
    struct fake_process *worker, *stranger;
    vortex_pid holders[4];

    (void)state;
    set_leftovers(&worker, &stranger);
    assert_int_equal(verdict(), VORTEX_BUSY);
    assert_int_equal(vortex_pidfile_holders(PIDFILE, holders, 4), 2);
    assert_int_equal(vortex_pidfile_end_leftovers(PIDFILE, 1000), 1);
    assert_int_equal(worker->life, FAKE_ZOMBIE);
    assert_int_equal(stranger->signal_count, 0);
    assert_int_equal(vortex_pidfile_holders(PIDFILE, holders, 4), 1);
    assert_int_equal(holders[0], INNOCENT);
    assert_int_equal(fake_handles(), 0);
}

static void
leftovers_of_the_living_are_none(void **state)
{
    struct fake_process *worker;

    (void)state;
    server(SERVER);
    fake_become(SERVER);
    worker = fake_fork(RIVAL);
    fake_become(FAKE_SELF);
    assert_int_equal(vortex_pidfile_end_leftovers(PIDFILE, 1000), -EBUSY);
    assert_int_equal(worker->signal_count, 0);
}

static void
reuse_workers_pid(void *ignored)
{
    (void)ignored;
    innocent = fake_reuse(RIVAL);
    innocent->session = SERVER; /* of the same session, and yet it holds nothing */
}

static bool
end_leftovers_with_reuse_at(unsigned n)
{
    struct fake_process *worker, *stranger;
    bool reached;

    instance_setup(NULL);
    set_leftovers(&worker, &stranger);
    innocent = NULL;
    fake_watch();
    fake_hook_at(n, reuse_workers_pid, NULL);
    (void)vortex_pidfile_end_leftovers(PIDFILE, 1000);
    reached = fake_steps() >= n;
    if (innocent != NULL)
        assert_int_equal(innocent->signal_count, 0);
    assert_int_equal(stranger->signal_count, 0);
    return reached;
}

static void
a_reused_pid_is_no_leftover(void **state)
{
    (void)state;
    for (unsigned n = 1; end_leftovers_with_reuse_at(n); n++)
        ;
}

static void
end_for_good(struct fake_process *process)
{
    if (process == NULL)
        return;
    fake_kill(process);
    fake_reap(process);
}

/* The last of the old ones end, and a start gets the dead server's number, as its session's too. */
static void
start_with_the_dead_servers_number(void *ignored)
{
    (void)ignored;
    end_for_good(fake_process(RIVAL));
    end_for_good(fake_process(INNOCENT));
    fake_reuse(SERVER)->session = SERVER;
    if (start_as(SERVER) != 0) {
        innocent = NULL;
        return;
    }
    fake_become(SERVER);
    innocent = fake_fork(RIVAL + 100);
    fake_become(FAKE_SELF);
}

/* A start in the midst, and later a step that fails for want of a handle (0: none). Its steps. */
static unsigned
end_leftovers_with_a_start_at(unsigned n, unsigned failing)
{
    struct fake_process *worker, *stranger;

    instance_setup(NULL);
    set_leftovers(&worker, &stranger);
    innocent = NULL;
    fake_watch();
    fake_hook_at(n, start_with_the_dead_servers_number, NULL);
    fake_fail_at(failing, EMFILE);
    (void)vortex_pidfile_end_leftovers(PIDFILE, 1000);
    if (innocent != NULL) {
        assert_int_equal(innocent->signal_count, 0);
        assert_int_equal(fake_process(SERVER)->signal_count, 0);
    }
    return fake_steps();
}

static void
a_new_server_with_the_dead_ones_number_and_its_workers_are_no_leftovers(void **state)
{
    unsigned n = 1;

    (void)state;
    for (; end_leftovers_with_a_start_at(n, 0) >= n; n++)
        for (unsigned failing = n; end_leftovers_with_a_start_at(n, failing) >= failing; failing++)
            ;
    assert_true(n > 3);
}

static void
a_session_of_the_same_number_is_not_the_servers(void **state)
{
    struct fake_process *worker, *stranger;

    (void)state;
    set_leftovers(&worker, &stranger);
    fake_reboot();
    worker = fake_spawn(RIVAL);
    worker->session = SERVER;
    assert_int_equal(vortex_pidfile_end_leftovers(PIDFILE, 1000), 0);
    assert_int_equal(worker->signal_count, 0);
}

struct group {
    const char *before, *after; /* the name of the pidfile's own */
};

/* A dead supervisor's state names that group, of which a process without the lock is. */
static struct fake_process *
set_group(const struct group *group)
{
    struct fake_process *stray;
    struct paths paths;
    struct fake_file *state;
    char name[OS_NAME_MAX], text[FAKE_DATA_MAX];
    int length;

    server(SERVER);
    assert_int_equal(paths_open(PIDFILE, false, &paths), 0);
    cgroup_name(&paths, name, sizeof(name));
    paths_close(&paths);
    stray = fake_spawn(RIVAL);
    snprintf(stray->cgroup, sizeof(stray->cgroup), "%s%.64s%s", group->before, name, group->after);
    state = fake_find(STATE);
    length = snprintf(text, sizeof(text), "%.*scgroup=%s\n", (int)state->length, state->data,
                      stray->cgroup);
    assert_true(length < (int)sizeof(text));
    fake_write(state, text);
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
        TEST(a_reused_pid_is_never_signalled),
        TEST(the_server_itself_is_signalled),
        TEST(a_stop_that_fails_at_any_step_signals_nobody_else),
        TEST(who_cannot_be_named_is_not_opened),
        TEST(a_user_cannot_make_root_signal_a_stranger),
        TEST(a_held_process_stays_the_same),
        TEST(anothers_process_may_not_be_signalled),
        TEST(leftovers_of_the_session_are_ended_and_no_others),
        TEST(leftovers_of_the_living_are_none),
        TEST(a_reused_pid_is_no_leftover),
        TEST(a_new_server_with_the_dead_ones_number_and_its_workers_are_no_leftovers),
        TEST(a_session_of_the_same_number_is_not_the_servers),
        TEST(all_in_the_group_that_a_supervisor_made_are_leftovers),
        TEST(a_group_that_is_not_this_pidfiles_is_spared),
    };

    return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
