/* SPDX-License-Identifier: Apache-2.0 */
/* What is promised on Windows alone; of the others, contract_unix.c. */
#include "contract.h"

#include <limits.h>

#include "os/windows.h"

/* ---- Errors ------------------------------------------------------------------------------- */

static void
there_are_words_for_each_error_that_windows_can_give(void **state)
{
    DWORD last = 12000; /* beyond those of Winsock */

    (void)state;
    for (DWORD error = 0; error < last; error++)
        assert_string_not_equal(strerror(-windows_error(error)), "Unknown error");
    assert_string_not_equal(strerror(ENOTSUP), "Unknown error");
    assert_string_equal(strerror(EACCES), "Permission denied");
    assert_string_equal(strerror(-1), "Unknown error");
    assert_string_equal(strerror(INT_MAX), "Unknown error");
}

/* ---- Directories and files ---------------------------------------------------------------- */

static void
a_kept_directory_can_be_neither_renamed_nor_removed(void **state)
{
    struct os_dir scene = open_scene(), dir;
    struct os_file_id id;

    (void)state;
    scene_mkdir("run", 0755);
    dir = open_in_scene("run");
    assert_true(os_file_rename(&scene, "run", "moved") < 0);
    assert_true(os_file_remove(&scene, "run") < 0);
    assert_int_equal(os_file_create(&dir, "web.pid", "1", 1, 0644, &id), 0);
    assert_true(scene_exists("run/web.pid"));
    os_dir_close(&dir);
    assert_int_equal(os_file_rename(&scene, "run", "moved"), 0);
    os_dir_close(&scene);
}

static HANDLE
open_unshared(const char *name)
{
    HANDLE file = CreateFileA(scene_path(name), GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);

    assert_true(file != INVALID_HANDLE_VALUE);
    return file;
}

static void
what_somebody_shares_with_nobody_is_busy_and_stays(void **state)
{
    struct os_dir dir = open_scene();
    struct os_file file;
    char buf[16];
    size_t length;
    HANDLE opener;

    (void)state;
    scene_write("f", "4711\n", 0644);
    opener = open_unshared("f");
    assert_int_equal(os_file_read(&dir, "f", buf, sizeof(buf), &length, &file), -EBUSY);
    assert_int_equal(os_file_remove(&dir, "f"), -EBUSY);
    assert_true(scene_exists("f"));
    CloseHandle(opener);
    assert_int_equal(os_file_read(&dir, "f", buf, sizeof(buf), &length, &file), 0);
    assert_int_equal(os_file_remove(&dir, "f"), 0);
    os_dir_close(&dir);
}

static DWORD WINAPI
let_go(void *opener)
{
    Sleep(20);
    CloseHandle((HANDLE)opener);
    return 0;
}

static void
a_virus_scanner_that_holds_a_file_for_a_moment_is_waited_for(void **state)
{
    struct os_dir dir = open_scene();
    struct os_file file;
    char buf[16];
    size_t length;
    HANDLE thread;

    (void)state;
    scene_write("f", "4711\n", 0644);
    thread = CreateThread(NULL, 0, let_go, open_unshared("f"), 0, NULL);
    assert_non_null(thread);
    assert_int_equal(os_file_read(&dir, "f", buf, sizeof(buf), &length, &file), 0);
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    os_dir_close(&dir);
}

static void
names_differ_by_more_than_the_case_of_their_letters(void **state)
{
    (void)state;
    scene_write("Web.pid", "1", 0644);
    assert_true(is_same(identity_of("Web.pid"), identity_of("wEB.PID")));
}

/* ---- The lock ----------------------------------------------------------------------------- */

static void
a_lock_is_not_passed_on(void **state)
{
    struct os_lock lock = open_lock("l"), other = open_lock("l");
    int64_t pid;
    int result;

    (void)state;
    assert_int_equal(os_lock_take(&lock), 0);
    assert_int_equal(os_lock_pass_on(&lock, true), -ENOTSUP);
    assert_int_equal(os_lock_pass_on(&lock, false), 0);
    pid = scene_fork(act_nothing, "", &result);
    assert_int_equal(try_hold(pid), 0);
    os_lock_close(&lock);
    assert_int_equal(os_lock_take(&other), 0);
    os_lock_close(&other);
}

static void
nobody_is_named_as_a_holder(void **state)
{
    struct os_dir dir = open_scene();
    struct os_lock lock = open_lock("l");
    int64_t pids[4];

    (void)state;
    assert_int_equal(os_lock_take(&lock), 0);
    assert_int_equal(os_lock_holders(&dir, "l", pids, 4), -ENOTSUP);
    os_lock_close(&lock);
    os_dir_close(&dir);
}

static void
a_held_lock_can_be_removed_and_another_made_in_its_place(void **state)
{
    struct os_dir dir = open_scene();
    struct os_lock lock = open_lock("l"), other;

    (void)state;
    assert_int_equal(os_lock_take(&lock), 0);
    assert_int_equal(os_file_remove(&dir, "l"), 0);
    os_lock_close(&lock);
    other = open_lock("l");
    assert_true(other.made);
    assert_int_equal(os_lock_take(&other), 0);
    os_lock_close(&other);
    os_dir_close(&dir);
}

/* ---- Processes ---------------------------------------------------------------------------- */

static void
the_dead_are_the_same_as_long_as_they_are_held(void **state)
{
    int64_t pid = child();
    struct os_hold hold = hold_of(pid);
    struct os_identity known = identity_of_process(pid);

    (void)state;
    scene_kill(pid);
    scene_reap(pid);
    assert_int_equal(os_process_compare(&hold, &known), OS_SAME);
    os_process_release(&hold);
}

static void
who_ends_with_the_status_of_the_living_is_dead(void **state)
{
    int64_t pid = child();
    struct os_hold hold = hold_of(pid);
    HANDLE process = OpenProcess(PROCESS_TERMINATE, FALSE, (DWORD)pid);

    (void)state;
    assert_true(TerminateProcess(process, STILL_ACTIVE));
    CloseHandle(process);
    assert_int_equal(os_process_wait(&hold, 10000), 0);
    assert_int_equal(try_hold(pid), -ESRCH);
    os_process_release(&hold);
}

static void
there_are_no_boots_and_no_namespaces_to_differ(void **state)
{
    struct os_identity known = identity_of_process(os_self());

    (void)state;
    assert_int_not_equal(known.start, 0);
    assert_int_equal(os_boot_differs(&known), -ENODATA);
    assert_int_equal(os_namespace_differs(&known), -ENODATA);
}

static void
a_process_that_hears_no_signal_is_not_said_to_have_been_asked(void **state)
{
    int64_t pid = child();
    struct os_hold hold = hold_of(pid);

    (void)state;
    assert_int_equal(os_process_signal(&hold, SCENE_TERM), -ENOTSUP);
    assert_int_equal(os_process_wait(&hold, 0), -ETIMEDOUT);
    assert_int_equal(os_process_signal(&hold, 9), 0);
    assert_int_equal(os_process_wait(&hold, 10000), 0);
    os_process_release(&hold);
}

int
contract_system(void)
{
    const struct CMUnitTest promises[] = {
        PROMISE(there_are_words_for_each_error_that_windows_can_give),
        PROMISE(a_kept_directory_can_be_neither_renamed_nor_removed),
        PROMISE(what_somebody_shares_with_nobody_is_busy_and_stays),
        PROMISE(a_virus_scanner_that_holds_a_file_for_a_moment_is_waited_for),
        PROMISE(names_differ_by_more_than_the_case_of_their_letters),
        PROMISE(a_lock_is_not_passed_on),
        PROMISE(nobody_is_named_as_a_holder),
        PROMISE(a_held_lock_can_be_removed_and_another_made_in_its_place),
        PROMISE(the_dead_are_the_same_as_long_as_they_are_held),
        PROMISE(who_ends_with_the_status_of_the_living_is_dead),
        PROMISE(there_are_no_boots_and_no_namespaces_to_differ),
        PROMISE(a_process_that_hears_no_signal_is_not_said_to_have_been_asked),
    };

    return cmocka_run_group_tests_name("windows", promises, NULL, NULL);
}
