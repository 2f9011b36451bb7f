/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any step of what a library is asked fails, or there is no memory for it (by the linker's --wrap):
 * the living stay alive, unsignalled and in their pidfile, and nothing stays open.
 */
#include "instance.h"

#include <stdlib.h>

#include "lib/core.h"

#define WORKER   4720
#define STRANGER 4721

/* ---- Memory ------------------------------------------------------------------------------ */

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

static bool has_memory = true;

void *
__wrap_malloc(size_t size)
{
    return has_memory ? __real_malloc(size) : NULL;
}

/* ---- Questions --------------------------------------------------------------------------- */

/* Each answers 0, or an error; *ret_living: who is said to live, or 0. */
typedef int question(vortex_pid *ret_living);

static int
read_it(vortex_pid *ret_living)
{
    return vortex_pidfile_read(PIDFILE, ret_living);
}

static int
is_it_running(vortex_pid *ret_living)
{
    vortex_pid pid = 0;
    bool alive = false;
    int r = vortex_pidfile_is_running(PIDFILE, &alive, &pid);

    *ret_living = alive ? pid : 0;
    return r;
}

static int
open_it(vortex_pid *ret_living)
{
    struct vortex_process *process = NULL;
    int r = vortex_process_open(PIDFILE, &process);

    if (r == 0)
        *ret_living = vortex_process_pid(process);
    (void)vortex_process_close(process);
    return r;
}

static int
inspect_it(vortex_pid *ret_living)
{
    struct vortex_report *report = NULL;
    int r = vortex_pidfile_inspect(PIDFILE, &report);

    if (r == 0 && vortex_report_verdict(report) == VORTEX_RUNNING)
        *ret_living = vortex_report_pid(report);
    vortex_report_close(report);
    return r;
}

static int
find_holders(vortex_pid *ret_living)
{
    vortex_pid pids[4];
    int r = vortex_pidfile_holders(PIDFILE, pids, 4);

    if (r > 0)
        *ret_living = pids[0];
    return r < 0 ? r : 0;
}

static int
remove_it(vortex_pid *ret_living)
{
    (void)ret_living;
    return vortex_pidfile_remove(PIDFILE);
}

static int
lock_it(vortex_pid *ret_living)
{
    struct vortex_lock *lock = NULL;
    int r = vortex_pidfile_lock(PIDFILE, &lock);

    (void)ret_living;
    (void)vortex_lock_unlock(lock);
    return r;
}

static int
claim_it(vortex_pid *ret_living)
{
    struct vortex_lock *lock = NULL;
    int r = vortex_pidfile_write_locked(PIDFILE, &lock, ret_living);

    if (r == 0)
        *ret_living = 0;
    (void)vortex_lock_unlock(lock);
    return r;
}

static int
end_leftovers(vortex_pid *ret_living)
{
    int r = vortex_pidfile_end_leftovers(PIDFILE, 1000);

    (void)ret_living;
    return r < 0 ? r : 0;
}

static question *const questions[] = {read_it,    is_it_running, open_it,
                                      inspect_it, find_holders,  remove_it,
                                      lock_it,    claim_it,      end_leftovers};

#define QUESTIONS (sizeof(questions) / sizeof(questions[0]))

static const int errors[] = {EIO, EACCES, ENOMEM, EMFILE, EPERM};

#define ERRORS (sizeof(errors) / sizeof(errors[0]))

/* ---- What must hold ---------------------------------------------------------------------- */

typedef void scene(void);
typedef void check(unsigned n, question *ask, int answer, vortex_pid living);

/* For each question, and each of its steps, which fails. */
static void
ask_all(scene *set, check *expect)
{
    for (size_t q = 0; q < QUESTIONS; q++)
        for (size_t i = 0; i < ERRORS; i++)
            for (unsigned n = 1, reached = n; reached == n; n++) {
                vortex_pid living = 0;
                int answer;

                instance_setup(NULL);
                set();
                fake_watch();
                fake_fail_at(n, errors[i]);
                answer = questions[q](&living);
                reached = fake_steps() < n ? 0 : n + 1;
                fake_fail_at(0, 0);
                if (fake_handles() != 0)
                    fail_msg("question %zu, step %u, %s: a handle is open", q, n,
                             fake_step_name(n));
                expect(n, questions[q], answer, living);
            }
}

static void
expect_living(unsigned n, question *ask, int answer, vortex_pid living)
{
    if (living != 0 && living != SERVER)
        fail_msg("step %u, %s: %d is said to live", n, fake_step_name(n), (int)living);
    if (answer == -ESRCH || (answer == 0 && living == 0 && ask == is_it_running))
        fail_msg("step %u, %s: nobody is said to live", n, fake_step_name(n));
    /* A foreign tool's process has no lock. */
    if (answer == 0 && (ask == claim_it || (ask == lock_it && fake_find(STATE))))
        fail_msg("step %u, %s: there are two", n, fake_step_name(n));
    assert_int_equal(fake_process(SERVER)->signal_count, 0);
    assert_true(pidfile_names(SERVER));
    assert_int_equal(others(), 0);
}

static void
set_server(void)
{
    server(SERVER);
}

static void
set_foreign(void)
{
    fake_spawn(SERVER);
    fake_pass_ms(60000);
    write_pidfile_of(SERVER);
}

static void
no_failure_lets_the_living_seem_dead(void **state)
{
    (void)state;
    ask_all(set_server, expect_living);
    ask_all(set_foreign, expect_living);
}

/* A worker of the dead server's session, and a stranger, hold its lock. */
static void
set_leftovers(void)
{
    server(SERVER);
    fake_become(SERVER);
    fake_fork(WORKER);
    fake_fork(STRANGER)->session = STRANGER;
    fake_become(FAKE_SELF);
    crash(fake_process(SERVER));
}

static void
expect_spared(unsigned n, question *ask, int answer, vortex_pid living)
{
    (void)answer;
    if (living == SERVER && ask != read_it) /* which only reads */
        fail_msg("step %u, %s: the dead is said to live", n, fake_step_name(n));
    assert_int_equal(fake_process(STRANGER)->signal_count, 0);
    assert_true(ask == end_leftovers || fake_process(WORKER)->signal_count == 0);
    assert_int_equal(others(), 0);
}

static void
no_failure_lets_a_stranger_be_signalled(void **state)
{
    (void)state;
    instance_setup(NULL);
    set_leftovers();
    assert_int_equal(vortex_pidfile_end_leftovers(PIDFILE, 1000), 1);
    ask_all(set_leftovers, expect_spared);
}

static void
set_stale(void)
{
    crash(server(SERVER));
}

static void
set_nothing(void)
{
}

static void
expect_nobody(unsigned n, question *ask, int answer, vortex_pid living)
{
    (void)answer;
    if (living != 0 && ask != read_it)
        fail_msg("step %u, %s: %d is said to live", n, fake_step_name(n), (int)living);
    /* What could not be removed is the next start's to remove. */
    assert_true(others() == 0 || strcmp(fake_step_name(n), "os_file_remove") == 0);
    if (ask
        == claim_it) /* which names us, who live, where it could not be removed: test_faults.c */
        return;
    assert_int_equal(start(), 0);
    assert_int_equal(others(), 0);
}

static void
no_failure_keeps_the_next_start_out(void **state)
{
    (void)state;
    ask_all(set_stale, expect_nobody);
    ask_all(set_nothing, expect_nobody);
}

static void
where_there_is_no_directory_is_nobody(void **state)
{
    (void)state;
    for (size_t q = 0; q < QUESTIONS; q++) {
        question *ask = questions[q];
        vortex_pid living = 0;
        int answer;

        instance_setup(NULL);
        fake_remove("/run");
        answer = ask(&living);
        assert_int_equal(living, 0);
        if (ask == find_holders || ask == end_leftovers || ask == remove_it || ask == inspect_it)
            assert_int_equal(answer, 0);
        else if (ask == read_it)
            assert_int_equal(answer, -ENOENT);
    }
}

static void
a_name_that_leaves_no_room_for_its_companions_is_refused(void **state)
{
    char path[OS_PATH_MAX] = "/run/";
    struct vortex_report *report;

    (void)state;
    instance_setup(NULL);
    memset(path + strlen(path), 'a', OS_NAME_MAX - 8);
    assert_int_equal(vortex_pidfile_inspect(path, &report), -ENAMETOOLONG);
    assert_int_equal(fake_handles(), 0);
}

static void
a_group_is_named_after_its_pidfile_as_far_as_that_can_be_read(void **state)
{
    static const struct {
        const char *file, *begin;
    } names[] = {
        {"/run/web.pid", "vortex-web-"},
        {"/run/Web-1@a_Z.pid", "vortex-Web-1@a_Z-"},
        {"/run/a b{~`[:.pid.old", "vortex-a_b______pid_old-"},
        {"/run/none", "vortex-none-"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct paths paths;
        char name[OS_NAME_MAX];

        instance_setup(NULL);
        assert_int_equal(paths_open(names[i].file, false, &paths), 0);
        cgroup_name(&paths, name, sizeof(name));
        paths_close(&paths);
        assert_memory_equal(name, names[i].begin, strlen(names[i].begin));
        assert_int_equal(strlen(name), strlen(names[i].begin) + 16);
    }
}

static void
a_users_number_is_read_where_it_may_speak_for_that_process(void **state)
{
    vortex_pid pid;

    (void)state;
    instance_setup(NULL);
    write_pidfile_of(SERVER)->user = USER;
    assert_int_equal(vortex_pidfile_read(PIDFILE, &pid), 0); /* nobody has it */
    fake_spawn(SERVER);
    assert_int_equal(vortex_pidfile_read(PIDFILE, &pid), -EPERM);
    fake_process(SERVER)->user = fake_process(SERVER)->saved_user = USER;
    assert_int_equal(vortex_pidfile_read(PIDFILE, &pid), 0);
    assert_int_equal(pid, SERVER);
}

static void
process_1_is_a_server_only_where_its_state_says_so(void **state)
{
    vortex_pid pid;

    (void)state;
    instance_setup(NULL);
    fake_spawn(1);
    fake_pass_ms(60000);
    write_pidfile_of(1);
    assert_int_equal(vortex_pidfile_read(PIDFILE, &pid), -EBADMSG);
    instance_setup(NULL);
    server(1);
    assert_int_equal(vortex_pidfile_read(PIDFILE, &pid), 0);
    assert_int_equal(pid, 1);
    instance_setup(NULL);
    server(SERVER);
    write_pidfile_of(1);
    assert_int_equal(vortex_pidfile_read(PIDFILE, &pid), -EBADMSG);
}

static void
without_memory_nothing_is_done(void **state)
{
    (void)state;
    for (size_t q = 0; q < QUESTIONS; q++)
        for (int lives = 0; lives < 2; lives++) {
            question *ask = questions[q];
            bool needs =
                ask == inspect_it || ask == lock_it || ask == claim_it || (ask == open_it && lives);
            vortex_pid living = 0;
            int answer;

            instance_setup(NULL);
            if (lives)
                server(SERVER);
            has_memory = false;
            answer = ask(&living);
            has_memory = true;
            assert_true(!needs || answer == -ENOMEM);
            assert_int_equal(fake_handles(), 0);
            assert_true(!lives || pidfile_names(SERVER));
        }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_failure_lets_the_living_seem_dead),
        cmocka_unit_test(no_failure_lets_a_stranger_be_signalled),
        cmocka_unit_test(no_failure_keeps_the_next_start_out),
        cmocka_unit_test(where_there_is_no_directory_is_nobody),
        cmocka_unit_test(a_name_that_leaves_no_room_for_its_companions_is_refused),
        cmocka_unit_test(a_group_is_named_after_its_pidfile_as_far_as_that_can_be_read),
        cmocka_unit_test(a_users_number_is_read_where_it_may_speak_for_that_process),
        cmocka_unit_test(process_1_is_a_server_only_where_its_state_says_so),
        cmocka_unit_test(without_memory_nothing_is_done),
    };

    return cmocka_run_group_tests_name("asked", tests, NULL, NULL);
}
