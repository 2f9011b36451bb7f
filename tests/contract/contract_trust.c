/* SPDX-License-Identifier: Apache-2.0 */
/* For whom a file may speak: asked as root, and asked as a user. */
#include "contract.h"

/* A speaker as one number, which a child can answer: user, FOR_ALL, FOR_NOBODY, or an error. */
#define FOR_ALL    1
#define FOR_NOBODY 2

static int
number_of(const struct os_speaker *speaker)
{
    switch (speaker->scope) {
    case OS_SPEAKS_FOR_ALL:
        return FOR_ALL;
    case OS_SPEAKS_FOR_USER:
        return (int)speaker->user;
    case OS_SPEAKS_FOR_NOBODY:
        break;
    }
    return FOR_NOBODY;
}

static int
speaker_of(const char *name)
{
    struct os_dir dir;
    struct os_file file;
    char leaf[OS_NAME_MAX], buf[4];
    size_t length;
    int r = os_dir_open(scene_path(name), false, &dir, leaf);

    if (r < 0)
        return r;
    r = os_file_read(&dir, leaf, buf, sizeof(buf), &length, &file);
    os_dir_close(&dir);
    return r < 0 ? r : number_of(&file.speaker);
}

static int
asked_by_user(const char *name)
{
    int result;

    scene_fork_as(SCENE_USER, SCENE_USER, speaker_of, name, &result);
    return result;
}

static int
speaker_of_way(const char *subdirectory)
{
    struct os_dir dir = open_in_scene(subdirectory);
    int number = number_of(&dir.speaker);

    os_dir_close(&dir);
    return number;
}

/* ---- Files ------------------------------------------------------------------------------- */

static void
the_systems_files_speak_for_all(void **state)
{
    (void)state;
    need_users();
    scene_write("f", "1", 0644);
    assert_int_equal(speaker_of("f"), FOR_ALL);
    assert_int_equal(asked_by_user("f"), FOR_ALL);
}

static void
a_users_file_speaks_for_that_user(void **state)
{
    (void)state;
    need_users();
    scene_write("f", "1", 0644);
    scene_chown("f", SCENE_USER);
    assert_int_equal(speaker_of("f"), SCENE_USER);
    scene_chown("f", SCENE_OTHER_USER);
    assert_int_equal(asked_by_user("f"), SCENE_OTHER_USER);
}

static void
the_askers_own_file_speaks_for_all(void **state)
{
    (void)state;
    need_users();
    scene_write("f", "1", 0644);
    scene_chown("f", SCENE_USER);
    assert_int_equal(asked_by_user("f"), FOR_ALL);
}

static void
what_a_group_or_others_may_write_speaks_for_nobody(void **state)
{
    (void)state;
    need_users();
    scene_write("group", "1", 0664);
    scene_write("others", "1", 0646);
    assert_int_equal(speaker_of("group"), FOR_NOBODY);
    assert_int_equal(speaker_of("others"), FOR_NOBODY);
    assert_int_equal(asked_by_user("group"), FOR_NOBODY);
    assert_int_equal(asked_by_user("others"), FOR_NOBODY);
    scene_chown("group", SCENE_OTHER_USER);
    assert_int_equal(speaker_of("group"), FOR_NOBODY);
    assert_int_equal(asked_by_user("group"), FOR_NOBODY);
}

static void
a_user_is_not_asked_about_the_group_of_own_files(void **state)
{
    (void)state;
    need_users();
    scene_write("group", "1", 0664);
    scene_write("others", "1", 0646);
    scene_chown("group", SCENE_USER);
    scene_chown("others", SCENE_USER);
    assert_int_equal(asked_by_user("group"), FOR_ALL);
    assert_int_equal(asked_by_user("others"), FOR_NOBODY);
}

static void
a_sticky_file_is_no_exception(void **state)
{
    (void)state;
    need_users();
    scene_write("f", "1", 01666);
    assert_int_equal(speaker_of("f"), FOR_NOBODY);
}

/* ---- The way ----------------------------------------------------------------------------- */

static void
in_a_users_directory_everything_is_that_users(void **state)
{
    (void)state;
    need_users();
    scene_mkdir("home", 0755);
    scene_write("home/f", "1", 0644);
    scene_mkdir("home/deep", 0755);
    scene_write("home/deep/f", "1", 0644);
    scene_chown("home", SCENE_USER);
    assert_int_equal(speaker_of_way("home"), SCENE_USER);
    assert_int_equal(speaker_of("home/f"), SCENE_USER);
    assert_int_equal(speaker_of("home/deep/f"), SCENE_USER);
    assert_int_equal(asked_by_user("home/deep/f"), FOR_ALL);
}

static void
a_users_file_in_that_users_directory_is_that_users(void **state)
{
    (void)state;
    need_users();
    scene_mkdir("home", 0755);
    scene_write("home/f", "1", 0644);
    scene_chown("home/f", SCENE_USER);
    scene_chown("home", SCENE_USER);
    assert_int_equal(speaker_of("home/f"), SCENE_USER);
}

static void
what_is_two_users_speaks_for_nobody(void **state)
{
    (void)state;
    need_users();
    scene_mkdir("home", 0755);
    scene_write("home/f", "1", 0644);
    scene_chown("home/f", SCENE_OTHER_USER);
    scene_chown("home", SCENE_USER);
    assert_int_equal(speaker_of("home/f"), FOR_NOBODY);
    assert_int_equal(asked_by_user("home/f"), SCENE_OTHER_USER);
}

static void
in_a_directory_that_others_may_write_nothing_speaks(void **state)
{
    (void)state;
    need_users();
    scene_mkdir("group", 0775);
    scene_write("group/f", "1", 0644);
    scene_mkdir("others", 0757);
    scene_mkdir("others/deep", 0755);
    scene_write("others/deep/f", "1", 0644);
    assert_int_equal(speaker_of_way("group"), FOR_NOBODY);
    assert_int_equal(speaker_of("group/f"), FOR_NOBODY);
    assert_int_equal(speaker_of_way("others/deep"), FOR_NOBODY);
    assert_int_equal(speaker_of("others/deep/f"), FOR_NOBODY);
}

static void
in_a_sticky_directory_each_file_is_its_owners(void **state)
{
    (void)state;
    need_users();
    scene_mkdir("tmp", 01777);
    scene_write("tmp/system", "1", 0644);
    scene_write("tmp/user", "1", 0644);
    scene_chown("tmp/user", SCENE_USER);
    assert_int_equal(speaker_of_way("tmp"), FOR_ALL);
    assert_int_equal(speaker_of("tmp/system"), FOR_ALL);
    assert_int_equal(speaker_of("tmp/user"), SCENE_USER);
}

static void
a_users_sticky_directory_is_still_that_users(void **state)
{
    (void)state;
    need_users();
    scene_mkdir("tmp", 01777);
    scene_write("tmp/f", "1", 0644);
    scene_chown("tmp", SCENE_USER);
    assert_int_equal(speaker_of("tmp/f"), SCENE_USER);
}

static void
a_users_link_on_the_way_makes_it_that_users(void **state)
{
    (void)state;
    need_users();
    scene_mkdir("tmp", 01777);
    scene_mkdir("run", 0755);
    scene_write("run/f", "1", 0644);
    scene_symlink("../run", "tmp/link");
    scene_symlink("run", "link");
    assert_int_equal(speaker_of("tmp/link/f"), FOR_ALL);
    assert_int_equal(speaker_of("link/f"), FOR_ALL);
    scene_chown("tmp/link", SCENE_USER);
    assert_int_equal(speaker_of("tmp/link/f"), SCENE_USER);
}

static void
where_a_way_once_was_somebodys_it_stays_so(void **state)
{
    (void)state;
    need_users();
    scene_mkdir("home", 0755);
    scene_mkdir("run", 0755);
    scene_write("run/f", "1", 0644);
    scene_symlink(scene_path("run"), "home/link");
    scene_chown("home", SCENE_USER);
    assert_int_equal(speaker_of("home/link/f"), SCENE_USER);
    assert_int_equal(speaker_of("home/../run/f"), SCENE_USER);
}

/* ---- Ways that stray --------------------------------------------------------------------- */

/* What becomes of a claim there, with the directories made that it lacks. */
static int
claimed(const char *name)
{
    struct os_dir dir;
    struct os_lock lock;
    char leaf[OS_NAME_MAX];
    int r = os_dir_open(scene_path(name), true, &dir, leaf);

    if (r < 0)
        return r;
    r = os_lock_open(&dir, leaf, true, &lock, NULL);
    if (r == 0)
        os_lock_close(&lock);
    os_dir_close(&dir);
    return r;
}

static void
a_users_link_out_of_what_is_that_users_leads_to_no_change(void **state)
{
    (void)state;
    need_users();
    scene_mkdir("home", 0755);
    scene_mkdir("run", 0755);
    scene_write("run/f", "1", 0644);
    scene_symlink("../run", "home/link");
    assert_int_equal(claimed("home/link/before"), 0);
    scene_chown("home", SCENE_USER);
    assert_int_equal(claimed("home/link/lock"), -EXDEV);
    assert_int_equal(claimed("home/link/new/lock"), -EXDEV);
    assert_int_equal(speaker_of("run/lock"), -ENOENT);
    assert_int_equal(speaker_of("run/new/lock"), -ENOENT);
    assert_int_equal(speaker_of("home/link/f"), SCENE_USER); /* to look is free */
}

static void
a_users_link_to_what_is_that_users_is_followed(void **state)
{
    (void)state;
    need_users();
    scene_mkdir("home", 0755);
    scene_mkdir("data", 0755);
    scene_symlink("../data", "home/link");
    scene_chown("home", SCENE_USER);
    scene_chown("data", SCENE_USER);
    assert_int_equal(claimed("home/link/lock"), 0);
    assert_int_equal(claimed("home/link/new/lock"), -EXDEV); /* it would be ours, not theirs */
}

/* ---- Processes --------------------------------------------------------------------------- */

static int
is_of(int64_t pid, enum os_scope scope, uint32_t user)
{
    struct os_speaker speaker = {scope, user};
    struct os_hold hold = hold_of(pid);
    int r;

    r = os_process_is_of(&hold, &speaker);
    os_process_release(&hold);
    return r;
}

static void
who_speaks_for_all_speaks_for_any_process(void **state)
{
    (void)state;
    assert_int_equal(is_of(os_self(), OS_SPEAKS_FOR_ALL, 0), 1);
    assert_int_equal(is_of(os_self(), OS_SPEAKS_FOR_NOBODY, 0), 0);
}

static void
a_user_speaks_for_own_processes_only(void **state)
{
    int64_t pid;
    int result;

    (void)state;
    need_proof(); /* -Dos=posix doesn't know whose a process is */
    need_users();
    pid = scene_fork_as(SCENE_USER, SCENE_USER, act_nothing, "", &result);
    assert_int_equal(is_of(pid, OS_SPEAKS_FOR_USER, SCENE_USER), 1);
    assert_int_equal(is_of(pid, OS_SPEAKS_FOR_USER, SCENE_OTHER_USER), 0);
    assert_int_equal(is_of(pid, OS_SPEAKS_FOR_ALL, 0), 1);
    assert_int_equal(is_of(pid, OS_SPEAKS_FOR_NOBODY, SCENE_USER), 0);
    assert_int_equal(is_of(os_self(), OS_SPEAKS_FOR_USER, SCENE_USER), 0);
}

static void
a_user_does_not_speak_for_a_setuid_program(void **state)
{
    int64_t pid;
    int result;

    (void)state;
    need_proof();
    need_users();
    pid = scene_fork_as(SCENE_USER, SCENE_OTHER_USER, act_nothing, "", &result);
    assert_int_equal(is_of(pid, OS_SPEAKS_FOR_USER, SCENE_USER), 0);
    assert_int_equal(is_of(pid, OS_SPEAKS_FOR_USER, SCENE_OTHER_USER), 0);
}

static void
a_user_does_not_speak_for_the_dead(void **state)
{
    struct os_speaker speaker = {OS_SPEAKS_FOR_USER, SCENE_USER};
    struct os_hold hold;
    int64_t pid;
    int result;

    (void)state;
    need_proof();
    need_users();
    pid = scene_fork_as(SCENE_USER, SCENE_USER, act_nothing, "", &result);
    hold = hold_of(pid);
    scene_kill(pid);
    assert_int_equal(os_process_is_of(&hold, &speaker), 0);
    os_process_release(&hold);
}

int
contract_trust(void)
{
    const struct CMUnitTest promises[] = {
        PROMISE(the_systems_files_speak_for_all),
        PROMISE(a_users_file_speaks_for_that_user),
        PROMISE(the_askers_own_file_speaks_for_all),
        PROMISE(what_a_group_or_others_may_write_speaks_for_nobody),
        PROMISE(a_user_is_not_asked_about_the_group_of_own_files),
        PROMISE(a_sticky_file_is_no_exception),
        PROMISE(in_a_users_directory_everything_is_that_users),
        PROMISE(a_users_file_in_that_users_directory_is_that_users),
        PROMISE(what_is_two_users_speaks_for_nobody),
        PROMISE(in_a_directory_that_others_may_write_nothing_speaks),
        PROMISE(in_a_sticky_directory_each_file_is_its_owners),
        PROMISE(a_users_sticky_directory_is_still_that_users),
        PROMISE(a_users_link_on_the_way_makes_it_that_users),
        PROMISE(a_users_link_out_of_what_is_that_users_leads_to_no_change),
        PROMISE(a_users_link_to_what_is_that_users_is_followed),
        PROMISE(where_a_way_once_was_somebodys_it_stays_so),
        PROMISE(who_speaks_for_all_speaks_for_any_process),
        PROMISE(a_user_speaks_for_own_processes_only),
        PROMISE(a_user_does_not_speak_for_a_setuid_program),
        PROMISE(a_user_does_not_speak_for_the_dead),
    };

    return cmocka_run_group_tests_name("trust", promises, NULL, NULL);
}
