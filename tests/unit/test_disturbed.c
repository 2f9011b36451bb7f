/* SPDX-License-Identifier: Apache-2.0 */
/* Between any two steps of a claim: an administrator's rm, a foreign tool, a reused pid. */
#include "before.h"

static const char *const files[] = {PIDFILE, STATE, LOCK};

#define K_MAX 64 /* who has done so many steps only waits, in a loop */
#define FILES (sizeof(files) / sizeof(files[0]))

/* ---- An administrator's rm --------------------------------------------------------------- */

static void
remove_file(void *path)
{
    fake_remove(path);
}

/* One file is removed at step n; a rival starts at step k, or when all is done. */
static bool
remove_and_meet_at(const char *path, unsigned n, unsigned k, enum before before)
{
    unsigned steps;
    int mine;

    set_scene(before);
    fake_hook_at(n, remove_file, (void *)(uintptr_t)path);
    if (k >= n)
        fake_hook_at(k, rival_starts, NULL);
    mine = start();
    steps = fake_steps();
    fake_watch();
    if (rivals_answer == -ENOTCONN)
        rivals_answer = start_as(RIVAL);
    if ((mine == 0) + (rivals_answer == 0) > 1)
        fail_msg("rm %s at step %u (%s), rival at %u (%s), before %d: %d and %d", path, n,
                 fake_step_name(n), k, fake_step_name(k), (int)before, mine, rivals_answer);
    if (mine != 0 && rivals_answer != 0) { /* they have disturbed each other: the next is alone */
        if (k == 0 || start() != 0)
            fail_msg("rm %s at step %u, rival at %u: nobody can start", path, n, k);
    } else if (verdict() != VORTEX_RUNNING && verdict() != VORTEX_BUSY) {
        fail_msg("rm %s at step %u, rival at %u: nobody seems to run", path, n, k);
    }
    return steps >= n && (k < n || (steps >= k && k < K_MAX));
}

static void
a_removed_file_lets_no_second_server_in(void **state)
{
    (void)state;
    for (int before = 0; before < BEFORE_COUNT; before++)
        for (size_t i = 0; i < FILES; i++)
            for (unsigned n = 1; remove_and_meet_at(files[i], n, 0, (enum before)before); n++)
                ;
}

static void
a_removed_file_and_a_rival_at_any_two_steps_make_no_two_owners(void **state)
{
    (void)state;
    for (int before = 0; before < BEFORE_COUNT; before++) {
        for (size_t i = 0; i < FILES; i++) {
            for (unsigned n = 1; n < 100; n++) {
                unsigned k = n;

                while (remove_and_meet_at(files[i], n, k, (enum before)before))
                    k++;
                if (k == n)
                    break;
            }
        }
    }
}

static void
remove_and_start(void *path)
{
    fake_remove(path);
    rival_starts(NULL);
}

/* rm and a rival's start in one moment, and again the same for a third at step k. */
static bool
replace_at(unsigned n, enum before before)
{
    bool reached;
    int mine;

    set_scene(before);
    fake_hook_at(n, remove_and_start, (void *)(uintptr_t)LOCK);
    mine = start();
    reached = fake_steps() >= n;
    fake_watch();
    if (!reached)
        rivals_answer = start_as(RIVAL);
    AT(n, (mine == 0) + (rivals_answer == 0) == 1);
    AT(n, mine == 0 || is_refusal(mine));
    AT(n, pidfile_names(mine == 0 ? FAKE_SELF : RIVAL));
    AT(n, state_names(mine == 0 ? FAKE_SELF : RIVAL));
    AT(n, is_tidy());
    return reached;
}

static void
a_lock_replaced_at_any_step_is_noticed(void **state)
{
    (void)state;
    for (int before = 0; before < BEFORE_COUNT; before++)
        for (unsigned n = 1; replace_at(n, (enum before)before); n++)
            ;
}

/* ---- Without a pidfile: the lock alone ---------------------------------------------------- */

static struct vortex_lock *rivals_lock;

static void
replace_and_lock(void *ignored)
{
    (void)ignored;
    fake_remove(LOCK);
    fake_become(RIVAL);
    rivals_lock = NULL;
    rivals_answer = vortex_pidfile_lock(PIDFILE, &rivals_lock);
}

/* Up to the moment when the lock is had: what happens later, nobody can know of. */
static void
a_lock_whose_file_was_replaced_is_not_held(void **state)
{
    unsigned last = 1;

    (void)state;
    for (unsigned n = 1; n <= last; n++) {
        struct vortex_lock *lock = NULL;
        int r;

        set_scene(BEFORE_NOTHING);
        if (n == 1) { /* undisturbed */
            assert_int_equal(vortex_pidfile_lock(PIDFILE, &lock), 0);
            last = step_of("os_lock_take");
            lock = vortex_lock_unlock(lock);
            fake_watch();
        }
        fake_hook_at(n, replace_and_lock, NULL);
        r = vortex_pidfile_lock(PIDFILE, &lock);
        AT(n, r == -EWOULDBLOCK && rivals_answer == 0);
        AT(n, fake_handles() == 0);
        fake_become(RIVAL);
        assert_null(vortex_lock_unlock(rivals_lock));
    }
}

static void
replace_and_claim(void *claim)
{
    fake_remove(LOCK);
    fake_become(RIVAL);
    claim_init(claim);
    rivals_answer = claim_begin(claim, PIDFILE, false);
}

static void
a_claim_whose_lock_file_was_replaced_is_not_held(void **state)
{
    unsigned last = 1;

    (void)state;
    for (unsigned n = 1; n <= last; n++) {
        struct claim claim, rivals_claim;
        int r;

        set_scene(BEFORE_NOTHING);
        claim_init(&claim);
        if (n == 1) {
            assert_int_equal(claim_begin(&claim, PIDFILE, false), 0);
            last = step_of("os_lock_claim");
            claim_end(&claim, false);
            claim_init(&claim);
            fake_watch();
        }
        fake_hook_at(n, replace_and_claim, &rivals_claim);
        r = claim_begin(&claim, PIDFILE, false);
        AT(n, r == -EBUSY && rivals_answer == 0);
        AT(n, fake_handles() == 0);
    }
}

static void
who_starts_after_all_files_were_removed_loses_nothing_to_the_former(void **state)
{
    struct claim former;

    (void)state;
    set_scene(BEFORE_NOTHING);
    claim_init(&former);
    assert_int_equal(claim_all(&former, PIDFILE, true, NULL), 0);
    claim_finish(&former);
    for (size_t i = 0; i < FILES; i++)
        fake_remove(files[i]);
    fake_make("/run/other", FAKE_REGULAR, ""); /* so that inode numbers differ */
    assert_int_equal(start_as(RIVAL), 0);
    fake_remove("/run/other");
    claim_end(&former, true);
    assert_true(pidfile_names(RIVAL) && state_names(RIVAL));
    fake_remove(PIDFILE);
    fake_remove(STATE);
    assert_int_equal(verdict(), VORTEX_BUSY); /* its lock is in place */
}

/* ---- A foreign tool ---------------------------------------------------------------------- */

static void
write_foreign_pidfile(void *ignored)
{
    (void)ignored;
    write_pidfile_of(INNOCENT);
}

/* It takes no lock, writes its living server's pid aside, and renames that over the pidfile. */
static bool
write_beside_at(unsigned n, enum before before)
{
    bool reached;
    int r;

    set_scene(before);
    fake_spawn(INNOCENT);
    fake_pass_ms(60000);
    fake_hook_at(n, write_foreign_pidfile, NULL);
    r = start();
    reached = fake_steps() >= n;
    if (reached) {
        AT(n, pidfile_names(INNOCENT));
        AT(n, r == 0 || r == -EEXIST);
        AT(n, r == 0 || fake_handles() == 0);
        AT(n, is_tidy());
    }
    return reached;
}

static void
a_pidfile_that_a_foreign_tool_writes_meanwhile_is_not_lost(void **state)
{
    (void)state;
    for (int before = 0; before < BEFORE_COUNT; before++)
        for (unsigned n = 1; write_beside_at(n, (enum before)before); n++)
            ;
}

/* ---- A rival that begins a claim and never ends it --------------------------------------- */

static void
rival_claims_for_ever(void *ignored)
{
    struct claim claim;

    (void)ignored;
    fake_remove(LOCK);
    fake_become(RIVAL);
    claim_init(&claim);
    (void)claim_begin(&claim, PIDFILE, true);
}

/* Stopped by SIGSTOP in the midst of its claim, for instance. */
static bool
stand_still_at(unsigned n, enum before before)
{
    bool reached;
    int r;

    set_scene(before);
    fake_hook_at(n, rival_claims_for_ever, NULL);
    r = start();
    reached = fake_steps() >= n;
    if (r < 0) {
        AT(n, is_refusal(r));
        AT(n, !pidfile_names(FAKE_SELF) && !state_names(FAKE_SELF));
        AT(n, fake_handles() == 0);
    }
    return reached;
}

static void
a_start_that_fails_over_a_replaced_lock_leaves_no_file_of_its_own(void **state)
{
    (void)state;
    for (int before = 0; before < BEFORE_COUNT; before++)
        for (unsigned n = 1; stand_still_at(n, (enum before)before); n++)
            ;
}

/* ---- A reused pid ------------------------------------------------------------------------ */

static struct fake_process *innocent;

static void
reuse_servers_pid(void *ignored)
{
    (void)ignored;
    innocent = fake_reuse(SERVER);
}

static bool
start_with_reuse_at(unsigned n, enum before before)
{
    bool reached;

    set_scene(before);
    fake_hook_at(n, reuse_servers_pid, NULL);
    AT(n, start() == 0);
    reached = fake_steps() >= n;
    assert_verdict(VORTEX_RUNNING, FAKE_SELF);
    AT(n, !reached || innocent->signal_count == 0);
    return reached;
}

static void
a_reused_pid_is_in_no_starts_way(void **state)
{
    (void)state;
    for (int before = 0; before < BEFORE_COUNT; before++)
        for (unsigned n = 1; start_with_reuse_at(n, (enum before)before); n++)
            ;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_removed_file_lets_no_second_server_in),
        TEST(a_removed_file_and_a_rival_at_any_two_steps_make_no_two_owners),
        TEST(a_lock_replaced_at_any_step_is_noticed),
        TEST(a_lock_whose_file_was_replaced_is_not_held),
        TEST(a_claim_whose_lock_file_was_replaced_is_not_held),
        TEST(who_starts_after_all_files_were_removed_loses_nothing_to_the_former),
        TEST(a_pidfile_that_a_foreign_tool_writes_meanwhile_is_not_lost),
        TEST(a_start_that_fails_over_a_replaced_lock_leaves_no_file_of_its_own),
        TEST(a_reused_pid_is_in_no_starts_way),
    };

    return cmocka_run_group_tests_name("disturbed", tests, NULL, NULL);
}
