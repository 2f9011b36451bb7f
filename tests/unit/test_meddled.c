/* SPDX-License-Identifier: Apache-2.0 */
/* Somebody meddles at any step: what is done is whole, and nothing of anybody's is lost. */
#include <inttypes.h>
#include <stdio.h>

#include "before.h"

static bool was_ours; /* the pidfile, when it was removed */

static void
remove_pidfile(void *ignored)
{
    (void)ignored;
    was_ours = pidfile_names(FAKE_SELF);
    fake_remove(PIDFILE);
}

static void
write_foreign_pidfile(void *ignored)
{
    (void)ignored;
    write_pidfile_of(INNOCENT);
}

/* Remove a dead server's files, while a living one's pidfile takes the name at step n. */
static bool
remove_beside_at(unsigned n)
{
    bool reached;
    int r;

    set_before(BEFORE_STALE);
    fake_spawn(INNOCENT);
    fake_pass_ms(60000);
    fake_hook_at(n, write_foreign_pidfile, NULL);
    r = vortex_pidfile_remove(PIDFILE);
    reached = fake_steps() >= n;
    AT(n, r == 0 || (r == -EBUSY && reached));
    /* Of the last moment before the removal nobody knows who takes no lock. */
    AT(n, !reached || pidfile_names(INNOCENT) || strcmp(fake_step_name(n), "os_file_remove") == 0);
    AT(n, is_tidy() && fake_handles() == 0);
    return reached;
}

static void
a_removal_spares_a_pidfile_that_a_foreign_tool_writes_meanwhile(void **state)
{
    (void)state;
    for (unsigned n = 1; remove_beside_at(n); n++)
        ;
}

static bool
remove_what_is_removed_at(unsigned n)
{
    bool reached;

    set_before(BEFORE_STALE);
    fake_hook_at(n, remove_pidfile, NULL);
    AT(n, vortex_pidfile_remove(PIDFILE) == 0);
    reached = fake_steps() >= n;
    AT(n, fake_count("/run") == 0);
    AT(n, fake_handles() == 0);
    return reached;
}

static void
a_removal_of_what_somebody_removes_meanwhile_is_done(void **state)
{
    (void)state;
    for (unsigned n = 1; remove_what_is_removed_at(n); n++)
        ;
}

static void
leftover_ends(void *ignored)
{
    struct fake_file *lock = fake_find(LOCK);

    (void)ignored;
    if (lock != NULL)
        lock->flocked = false;
}

/* A supervisor died between two words to the state, and its server, who has the lock too, at step n. */
static bool
remove_beside_leftover_at(unsigned n)
{
    bool reached;
    int r;

    set_before(BEFORE_STALE);
    leave_temporaries();
    fake_find(LOCK)->flocked = true;
    fake_hook_at(n, leftover_ends, NULL);
    r = vortex_pidfile_remove(PIDFILE);
    reached = fake_steps() >= n;
    AT(n, r == 0 || r == -EBUSY);
    /* They have the lock's inode in their names: under another one nobody finds them. */
    AT(n, fake_find(LOCK) != NULL || is_tidy());
    AT(n, fake_handles() == 0);
    return reached;
}

static void
a_lock_is_not_removed_without_what_is_named_after_it(void **state)
{
    (void)state;
    for (unsigned n = 1; remove_beside_leftover_at(n); n++)
        ;
}

/* What stands aside: a new file, and then an old one. */
static void
remove_temporary(void *ignored)
{
    const struct fake_file *lock = fake_find(LOCK);
    char path[OS_NAME_MAX];

    (void)ignored;
    if (lock == NULL)
        return;
    snprintf(path, sizeof(path), PIDFILE ".%" PRIx64 ".new", lock->inode);
    fake_remove(path);
}

static bool
start_without_temporary_at(unsigned n, enum before before)
{
    bool reached;
    int r;

    set_scene(before);
    fake_hook_at(n, remove_temporary, NULL);
    r = start();
    reached = fake_steps() >= n;
    AT(n, r == 0 || r == -ENOENT);
    AT(n, r == 0 ? pidfile_names(FAKE_SELF) && state_names(FAKE_SELF) : is_as_before(before));
    AT(n, is_tidy());
    return reached;
}

static void
a_start_whose_temporary_is_removed_is_done_or_changes_nothing(void **state)
{
    (void)state;
    for (int before = 0; before < BEFORE_COUNT; before++)
        for (unsigned n = 1; start_without_temporary_at(n, (enum before)before); n++)
            ;
}

/* Step n fails for want of room, and at step k the pidfile is removed. */
static bool
fail_and_remove_at(unsigned n, unsigned k, enum before before)
{
    bool reached;

    set_scene(before);
    was_ours = false;
    fake_fail_at(n, ENOSPC);
    fake_hook_at(k, remove_pidfile, NULL);
    if (start() < 0) {
        AT(n, !pidfile_names(FAKE_SELF) && !state_names(FAKE_SELF));
        AT(n,
           !was_ours || strcmp(fake_step_name(n), "os_file_publish") != 0 || is_as_before(before));
        AT(n, fake_handles() == 0);
    }
    reached = fake_steps() >= k;
    AT(n, is_tidy() || strcmp(fake_step_name(n), "os_file_remove") == 0);
    return reached;
}

static void
a_start_that_fails_over_a_removed_pidfile_leaves_none_of_its_own(void **state)
{
    (void)state;
    for (int before = 0; before < BEFORE_COUNT; before++)
        for (unsigned n = 1; fail_and_remove_at(n, n, (enum before)before); n++)
            for (unsigned k = n + 1; fail_and_remove_at(n, k, (enum before)before); k++)
                ;
}

/* As a server does that writes its pidfile by itself, too. */
static void
write_same_number(void *ignored)
{
    (void)ignored;
    write_pidfile_of(FAKE_SELF);
}

static void
write_same_number_without_lock(void *ignored)
{
    (void)ignored;
    fake_remove(LOCK);
    write_pidfile_of(FAKE_SELF);
}

static bool
start_with_event_at(unsigned n, fake_event *event, enum before before)
{
    bool reached;
    int r;

    set_scene(before);
    fake_hook_at(n, event, NULL);
    r = start();
    reached = fake_steps() >= n;
    AT(n, r == 0 || r == -EEXIST);
    AT(n, pidfile_names(FAKE_SELF));
    AT(n, is_tidy());
    assert_verdict(VORTEX_RUNNING, FAKE_SELF);
    return reached;
}

static void
ones_own_number_written_by_oneself_is_no_rival(void **state)
{
    (void)state;
    for (int before = 0; before < BEFORE_COUNT; before++) {
        for (unsigned n = 1; start_with_event_at(n, write_same_number, (enum before)before); n++)
            ;
        for (unsigned n = 1;
             start_with_event_at(n, write_same_number_without_lock, (enum before)before); n++)
            ;
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_removal_spares_a_pidfile_that_a_foreign_tool_writes_meanwhile),
        TEST(a_removal_of_what_somebody_removes_meanwhile_is_done),
        TEST(a_lock_is_not_removed_without_what_is_named_after_it),
        TEST(a_start_whose_temporary_is_removed_is_done_or_changes_nothing),
        TEST(a_start_that_fails_over_a_removed_pidfile_leaves_none_of_its_own),
        TEST(ones_own_number_written_by_oneself_is_no_rival),
    };

    return cmocka_run_group_tests_name("meddled", tests, NULL, NULL);
}
