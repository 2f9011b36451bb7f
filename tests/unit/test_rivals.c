/* SPDX-License-Identifier: Apache-2.0 */
/* Rivals between any two steps of a claim, of an end and of a removal. */
#include "before.h"

static int
write_only(void)
{
    return vortex_pidfile_write(PIDFILE, NULL);
}

/* Exactly one has got it, and the files and the verdict name that one. */
static void
expect_one_owner(unsigned n, int mine)
{
    int64_t owner = mine == 0 ? FAKE_SELF : RIVAL;

    AT(n, (mine == 0) != (rivals_answer == 0));
    AT(n, mine == 0 || is_refusal(mine));
    AT(n, rivals_answer == 0 || is_refusal(rivals_answer));
    AT(n, pidfile_names(owner) && state_names(owner));
    AT(n, is_tidy());
    assert_verdict(VORTEX_RUNNING, owner);
}

/* ---- Rivals ------------------------------------------------------------------------------ */

static bool
meet_at(unsigned n, int (*act)(void), fake_event *rival, enum before before)
{
    bool reached;
    int mine;

    set_scene(before);
    fake_hook_at(n, rival, NULL);
    mine = act();
    reached = fake_steps() >= n;
    fake_watch();
    if (!reached)
        rival(NULL);
    fake_become(FAKE_SELF);
    expect_one_owner(n, mine);
    return reached;
}

static void
of_two_that_start_exactly_one_lives(void **state)
{
    (void)state;
    for (int before = 0; before < BEFORE_COUNT; before++) {
        for (unsigned n = 1; meet_at(n, start, rival_starts, (enum before)before); n++)
            ;
        for (unsigned n = 1; meet_at(n, start, rival_writes, (enum before)before); n++)
            ;
        for (unsigned n = 1; meet_at(n, write_only, rival_starts, (enum before)before); n++)
            ;
        for (unsigned n = 1; meet_at(n, write_only, rival_writes, (enum before)before); n++)
            ;
    }
}

/* Of another container, which thinks the files stale, whatever they say; its number is ours. */
static void
namesake_overrides(void *ignored)
{
    struct claim claim;

    (void)ignored;
    fake_remove(LOCK);
    fake_enter_namespace(42, FAKE_SELF);
    claim_init(&claim);
    claim.assume = ASSUME_STALE;
    rivals_answer = claim_all(&claim, PIDFILE, false, NULL);
    if (rivals_answer == 0)
        claim_end(&claim, false);
}

static bool
meet_namesake_at(unsigned n)
{
    uint64_t ours = fake_process(FAKE_SELF)->pid_namespace;
    bool reached;
    int mine;

    set_scene(BEFORE_NOTHING);
    fake_hook_at(n, namesake_overrides, NULL);
    mine = start();
    reached = fake_steps() >= n;
    if (reached && rivals_answer == 0 && strcmp(fake_step_name(n), "os_lock_unclaim") != 0) {
        AT(n, mine < 0);
        fake_enter_namespace(42, FAKE_SELF);
        assert_verdict(VORTEX_RUNNING, FAKE_SELF);
        fake_enter_namespace(ours, FAKE_SELF);
    }
    return reached;
}

static void
a_namesake_in_another_namespace_is_a_rival_like_any_other(void **state)
{
    (void)state;
    for (unsigned n = 1; meet_namesake_at(n); n++)
        ;
}

static void
start_only(void *ignored)
{
    (void)ignored;
    rivals_answer = start();
}

static void
rival_crashes(void *step)
{
    fake_become(RIVAL);
    (void)fake_crash_at(*(unsigned *)step, start_only, NULL);
}

/* The rival begins at step n, and dies at its own step k. */
static bool
meet_the_dying_at(unsigned n, unsigned k, enum before before)
{
    int mine;

    set_scene(before);
    fake_hook_at(n, rival_crashes, &k);
    mine = start();
    if (fake_steps() < n)
        return false;
    if (fake_process(RIVAL) != NULL) { /* it had not so many steps */
        AT(n, (mine == 0) != (rivals_answer == 0));
        return false;
    }
    AT(n, mine == 0);
    AT(n, pidfile_names(FAKE_SELF) && state_names(FAKE_SELF) && is_tidy());
    assert_verdict(VORTEX_RUNNING, FAKE_SELF);
    return true;
}

static void
a_rival_that_dies_at_any_step_is_in_nobodys_way(void **state)
{
    (void)state;
    for (int before = 0; before < BEFORE_COUNT; before++) {
        for (unsigned n = 1;; n++) {
            unsigned k = 1;

            while (meet_the_dying_at(n, k, (enum before)before))
                k++;
            if (fake_steps() < n)
                break;
        }
    }
}

/* ---- The end, while a rival starts ------------------------------------------------------- */

static bool
end_at(unsigned n)
{
    struct claim claim;
    bool reached;

    set_scene(BEFORE_NOTHING);
    claim_init(&claim);
    assert_int_equal(claim_all(&claim, PIDFILE, true, NULL), 0);
    claim_finish(&claim);
    fake_watch();
    fake_hook_at(n, rival_starts, NULL);
    claim_end(&claim, true);
    reached = fake_steps() >= n;
    fake_kill(fake_process(FAKE_SELF));
    fake_become(RIVAL);
    if (!reached)
        rivals_answer = start();
    if (rivals_answer == 0) { /* then it keeps all that is its own */
        assert_true(pidfile_names(RIVAL) && state_names(RIVAL));
        assert_int_equal(start_as(SUPERVISOR), -EEXIST);
        fake_remove(STATE); /* its lock is in place: without a name it still counts */
        fake_remove(PIDFILE);
        assert_int_equal(verdict(), VORTEX_BUSY);
    } else {
        assert_true(is_refusal(rivals_answer));
        assert_int_equal(start(), 0);
    }
    return reached;
}

static void
who_starts_during_an_end_keeps_files_and_lock(void **state)
{
    (void)state;
    for (unsigned n = 1; end_at(n); n++)
        ;
}

static bool
remove_at(unsigned n, enum before before)
{
    bool reached;
    int r;

    set_scene(before);
    fake_hook_at(n, rival_starts, NULL);
    r = vortex_pidfile_remove(PIDFILE);
    reached = fake_steps() >= n;
    fake_watch();
    if (!reached)
        rivals_answer = start_as(RIVAL);
    AT(n, r == 0 || r == -EBUSY);
    if (rivals_answer == 0) {
        AT(n, pidfile_names(RIVAL) && state_names(RIVAL));
        AT(n, start() == -EEXIST);
        fake_remove(STATE);
        fake_remove(PIDFILE);
        AT(n, verdict() == VORTEX_BUSY);
    } else {
        AT(n, is_refusal(rivals_answer));
        AT(n, fake_find(PIDFILE) == NULL && fake_find(STATE) == NULL);
        AT(n, start() == 0);
    }
    return reached;
}

static void
who_starts_during_a_removal_keeps_files_and_lock(void **state)
{
    (void)state;
    for (int before = 0; before < BEFORE_COUNT; before++)
        for (unsigned n = 1; remove_at(n, (enum before)before); n++)
            ;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(of_two_that_start_exactly_one_lives),
        TEST(a_namesake_in_another_namespace_is_a_rival_like_any_other),
        TEST(a_rival_that_dies_at_any_step_is_in_nobodys_way),
        TEST(who_starts_during_an_end_keeps_files_and_lock),
        TEST(who_starts_during_a_removal_keeps_files_and_lock),
    };

    return cmocka_run_group_tests_name("rivals", tests, NULL, NULL);
}
