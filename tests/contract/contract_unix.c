/* SPDX-License-Identifier: Apache-2.0 */
/* What is promised where there are fork, exec and boot ids; of the other, contract_windows.c. */
#include "contract.h"

#define MINUTE_MS 60000

/* ---- Directories ----------------------------------------------------------------------- */

static void
a_kept_directory_stays_the_same_whatever_its_name(void **state)
{
    struct os_dir scene = open_scene(), dir;
    struct os_file_id id;

    (void)state;
    scene_mkdir("run", 0755);
    dir = open_in_scene("run");
    assert_int_equal(os_file_rename(&scene, "run", "moved"), 0);
    scene_mkdir("run", 0755);
    assert_int_equal(os_file_create(&dir, "web.pid", "1", 1, 0644, &id), 0);
    assert_true(scene_exists("moved/web.pid"));
    assert_false(scene_exists("run/web.pid"));
    os_dir_close(&dir);
    os_dir_close(&scene);
}

static void
a_removed_directory_takes_no_new_file(void **state)
{
    struct os_dir dir;
    struct os_file_id id;

    (void)state;
    scene_mkdir("run", 0755);
    dir = open_in_scene("run");
    scene_remove("run");
    assert_int_equal(os_file_create(&dir, "f", "x", 1, 0644, &id), -ENOENT);
    os_dir_close(&dir);
}

/* ---- Locks ------------------------------------------------------------------------------ */

static void
a_lock_that_others_could_open_is_closed_to_them_and_not_trusted(void **state)
{
    static const unsigned modes[] = {0666, 0644, 0640, 0604, 0610};

    (void)state;
    need_trusted_way();
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        struct os_dir dir = open_scene();
        struct os_lock lock;
        bool trusted = true;

        scene_write("l", "", modes[i]);
        assert_int_equal(os_lock_open(&dir, "l", true, &lock, &trusted), 0);
        assert_false(trusted);
        assert_int_equal(scene_mode("l"), 0600);
        os_lock_close(&lock);
        os_dir_close(&dir);
    }
}

/* ---- Identity -------------------------------------------------------------------------- */

static void
an_identity_is_known_and_stays_the_same(void **state)
{
    int64_t pid = child();
    struct os_identity one, other;

    (void)state;
    need_proof();
    one = identity_of_process(pid);
    other = identity_of_process(pid);
    assert_int_equal(one.pid, pid);
    assert_int_not_equal(one.start, 0);
    assert_int_not_equal(one.pid_namespace, 0);
    assert_int_not_equal(one.boot[0], '\0');
    assert_int_equal(one.start, other.start);
    assert_int_equal(one.pidfd_inode, other.pidfd_inode);
    assert_int_equal(one.pid_namespace, other.pid_namespace);
    assert_string_equal(one.boot, other.boot);
}

static void
the_dead_have_no_identity(void **state)
{
    int64_t pid = child();
    struct os_hold hold = hold_of(pid);
    struct os_identity identity = {.pid = 77};

    (void)state;
    need_proof();
    scene_kill(pid);
    assert_int_equal(os_process_identify(&hold, &identity), -ESRCH);
    scene_reap(pid);
    assert_int_equal(os_process_identify(&hold, &identity), -ESRCH);
    assert_int_equal(identity.pid, 77);
    os_process_release(&hold);
}

static void
another_boot_is_another_process(void **state)
{
    struct os_hold hold = hold_of(os_self());
    struct os_identity known = identity_of_process(os_self());

    (void)state;
    strcpy(known.boot, "11111111-2222-4333-8444-555555555555");
    if (os_boot_differs(&known) < 0) /* -Dos=posix without a record of it */
        skip();
    assert_int_equal(os_boot_differs(&known), 1);
    if (known.pidfd_inode != 0) /* by all that it has it is the same */
        assert_int_equal(os_process_compare(&hold, &known), OS_SAME);
    known.start++;
    assert_int_equal(os_process_compare(&hold, &known), OS_OTHER);
    known.start--;
    known.pidfd_inode++;
    assert_int_equal(os_process_compare(&hold, &known), OS_OTHER);
    known.pidfd_inode = 0;
    assert_int_equal(os_process_compare(&hold, &known), OS_OTHER);
    os_process_release(&hold);
}

static void
what_is_not_known_cannot_be_compared(void **state)
{
    struct os_hold hold = hold_of(os_self());
    struct os_identity known = identity_of_process(os_self()), unknown;

    (void)state;
    need_proof();
    unknown = known;
    unknown.start = 0;
    unknown.pidfd_inode = 0;
    assert_int_equal(os_process_compare(&hold, &unknown), OS_UNKNOWN);
    unknown = known;
    unknown.boot[0] = '\0';
    assert_int_equal(os_process_compare(&hold, &unknown), OS_UNKNOWN);
    os_process_release(&hold);
}

static void
this_boot_is_this_boot(void **state)
{
    struct os_identity known = identity_of_process(os_self());
    struct os_identity nothing = {.pid = 1};

    (void)state;
    assert_int_equal(os_boot_differs(&nothing), -ENODATA);
    need_proof();
    assert_int_equal(os_boot_differs(&known), 0);
}

static void
this_namespace_is_this_namespace(void **state)
{
    struct os_identity known = identity_of_process(os_self());

    (void)state;
    assert_int_equal(os_namespace_differs(&known), 0);
    need_proof(); /* -Dos=posix knows only one */
    known.pid_namespace++;
    assert_int_equal(os_namespace_differs(&known), 1);
    known.pid_namespace = 0;
    assert_int_equal(os_namespace_differs(&known), -ENODATA);
}

static void
the_age_of_the_dead_is_not_known(void **state)
{
    struct os_dir dir = open_scene();
    int64_t pid = child();
    struct os_hold hold = hold_of(pid);
    struct os_file file = {.written_ns = os_wall_seconds() * INT64_C(1000000000)};

    (void)state;
    need_proof();
    scene_kill(pid);
    scene_reap(pid);
    assert_int_equal(os_process_is_younger(&hold, &dir, &file), -ENODATA);
    os_process_release(&hold);
    os_dir_close(&dir);
}

/* ---- Signals --------------------------------------------------------------------------- */

static void
a_signal_reaches_the_held_process(void **state)
{
    int64_t pid = child();
    struct os_hold hold = hold_of(pid);

    (void)state;
    assert_int_equal(os_process_wait(&hold, 0), -ETIMEDOUT);
    assert_int_equal(os_process_signal(&hold, SCENE_TERM), 0);
    if (os_identity_is_proof())
        assert_int_equal(os_process_wait(&hold, -1), 0);
    os_process_release(&hold);
}

static void
a_signal_handler_interrupts_a_wait(void **state)
{
    int64_t pid = child();
    struct os_hold hold = hold_of(pid);
    int r;

    (void)state;
    need_proof();
    scene_interrupt();
    r = os_process_wait(&hold, MINUTE_MS);
    scene_stop_interrupting();
    assert_int_equal(r, -EINTR);
    assert_int_equal(os_process_wait(&hold, 0), -ETIMEDOUT);
    os_process_release(&hold);
}

static void
a_process_belongs_to_its_session(void **state)
{
    int64_t pid = child();
    struct os_hold hold = hold_of(pid);

    (void)state;
    assert_int_equal(os_process_belongs(&hold, pid, ""), 1);
    assert_int_equal(os_process_belongs(&hold, os_self(), ""), 0);
    assert_int_equal(os_process_belongs(&hold, 0, ""), 0);
    assert_int_equal(os_process_belongs(&hold, 0, "/no/such.service"), 0);
    assert_int_equal(os_process_belongs(&hold, pid, "/no/such.service"), 1);
    os_process_release(&hold);
}

int
contract_system(void)
{
    const struct CMUnitTest promises[] = {
        PROMISE(a_kept_directory_stays_the_same_whatever_its_name),
        PROMISE(a_removed_directory_takes_no_new_file),
        PROMISE(a_lock_that_others_could_open_is_closed_to_them_and_not_trusted),
        PROMISE(an_identity_is_known_and_stays_the_same),
        PROMISE(the_dead_have_no_identity),
        PROMISE(another_boot_is_another_process),
        PROMISE(what_is_not_known_cannot_be_compared),
        PROMISE(this_boot_is_this_boot),
        PROMISE(this_namespace_is_this_namespace),
        PROMISE(the_age_of_the_dead_is_not_known),
        PROMISE(a_signal_reaches_the_held_process),
        PROMISE(a_signal_handler_interrupts_a_wait),
        PROMISE(a_process_belongs_to_its_session),
    };

    return contract_inheriting() + cmocka_run_group_tests_name("unix", promises, NULL, NULL);
}
