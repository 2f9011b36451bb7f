/* SPDX-License-Identifier: Apache-2.0 */
/* What tests/model found in the code: the same schedules on the machine in memory. */
#include "before.h"

#include <stdio.h>

#include "fake_machine.h"

#define SUCCESSOR 4720
#define K_MAX     40 /* steps of a removal, and then some */

/* ---- A lock that the server doesn't keep --------------------------------------------------- */

static void
removes(void *ret)
{
    *(int *)ret = vortex_pidfile_remove(PIDFILE);
}

struct removal {
    struct fake_actor actor;
    int answer;
    unsigned k;
};

static void
begin_removal(void *arg)
{
    struct removal *removal = arg;

    (void)fake_actor_run(&removal->actor, removal->k);
}

/* A start with inherit-lock = no, up to the exec, by which its handles go. */
static int
start_alone(struct claim *claim)
{
    int r;

    claim_init(claim);
    r = claim_all(claim, PIDFILE, false, NULL);
    if (r == 0)
        r = claim_finish_alone(claim);
    if (r == 0)
        claim_abandon(claim);
    return r;
}

/*
 * The first server gives its lock away, and a removal begins at its step n, with k steps; then it is
 * killed, the removal goes on to step l, another starts, and the removal ends.
 */
static bool
die_beside_a_removal(unsigned n, unsigned k, unsigned l)
{
    struct removal removal = {.k = k};
    struct claim claim;
    bool reached;

    set_before(BEFORE_NOTHING);
    fake_spawn(SERVER);
    fake_spawn(RIVAL);
    fake_actor_begin(&removal.actor, RIVAL, removes, &removal.answer);
    fake_become(SERVER);
    claim_init(&claim);
    assert_int_equal(claim_all(&claim, PIDFILE, false, NULL), 0);
    fake_watch();
    fake_hook_at(n, begin_removal, &removal);
    assert_int_equal(claim_finish_alone(&claim), 0);
    reached = fake_steps() >= n;
    fake_watch();
    claim_abandon(&claim);
    fake_become(FAKE_SELF);
    crash(fake_process(SERVER));
    (void)fake_actor_run(&removal.actor, l);
    fake_spawn(SUCCESSOR);
    fake_become(SUCCESSOR);
    fake_after_ms(100, fake_actor_finish, &removal.actor); /* should it be waited for */
    assert_int_equal(start_alone(&claim), 0);
    fake_actor_finish(&removal.actor);
    fake_become(FAKE_SELF);
    if (!pidfile_names(SUCCESSOR) || !state_names(SUCCESSOR))
        fail_msg("removal at %u with %u steps, and then up to %u: the living one's files are gone",
                 n, k, l);
    assert_verdict(VORTEX_RUNNING, SUCCESSOR);
    return reached;
}

static void
a_removal_for_a_dead_server_spares_the_next_one_without_a_lock(void **state)
{
    bool reached = true;

    (void)state;
    for (unsigned n = 1; reached; n++)
        for (unsigned k = 1; k <= K_MAX; k++)
            for (unsigned l = k; l <= K_MAX; l++)
                reached = die_beside_a_removal(n, k, l);
}

/* ---- A state that is published while another is judged -------------------------------------- */

/* An administrator removes the lock; another writes; and the pidfile is removed as well. */
static void
rival_writes_unseen(void *arg)
{
    fake_remove(LOCK);
    rival_writes(arg);
    fake_remove(PIDFILE);
    fake_become(FAKE_SELF);
}

static bool
start_beside_a_write(unsigned n, enum before before)
{
    bool reached;
    int r;

    set_scene(before);
    fake_hook_at(n, rival_writes_unseen, NULL);
    r = vortex_pidfile_write(PIDFILE, NULL);
    reached = fake_steps() >= n;
    fake_watch();
    AT(n, r != 0 || rivals_answer != 0);
    AT(n, rivals_answer != 0 || state_names(RIVAL));
    return reached;
}

static void
a_state_is_published_only_over_the_one_that_was_judged(void **state)
{
    (void)state;
    for (int before = 0; before < BEFORE_COUNT; before++)
        for (unsigned n = 1; start_beside_a_write(n, (enum before)before); n++)
            ;
}

/* ---- Files that are others' for a moment ----------------------------------------------------- */

static const char aside_pidfile[] = "aside.pid", aside_state[] = "aside.state";

/* Who works under a lock file that an administrator removed exchanges them, and back again. */
static void
exchange_both(void *ignored)
{
    const struct fake_file *directory = fake_find("/run");

    (void)ignored;
    fake_exchange_names(directory, "web.pid", aside_pidfile);
    fake_exchange_names(directory, "web.pid.state", aside_state);
}

/* The rival lives, its files under no lock; aside are those of a dead server. */
static void
set_rival_and_the_dead(void)
{
    struct fake_file *dead;

    set_scene(BEFORE_STALE);
    dead = fake_find(STATE);
    fake_make("/run/aside.state", FAKE_REGULAR, dead->data)->length = dead->length;
    fake_make("/run/aside.pid", FAKE_REGULAR, "4711\n");
    rival_writes(NULL);
    assert_int_equal(rivals_answer, 0);
    fake_become(FAKE_SELF);
    fake_watch();
}

static bool
write_beside_an_exchange(unsigned n, unsigned back)
{
    const struct fake_file *rivals;
    int r;

    set_rival_and_the_dead();
    rivals = fake_find(PIDFILE);
    fake_hook_at(n, exchange_both, NULL);
    fake_hook_at(back, exchange_both, NULL);
    r = vortex_pidfile_write(PIDFILE, NULL);
    if (fake_steps() < back)
        return false;
    AT(n, r != 0 || fake_find(PIDFILE) == rivals || fake_find("/run/aside.pid") == rivals);
    return true;
}

static void
what_is_published_over_is_what_was_judged(void **state)
{
    unsigned n = 1;

    (void)state;
    for (; write_beside_an_exchange(n, n + 1); n++)
        for (unsigned back = n + 2; write_beside_an_exchange(n, back); back++)
            ;
    assert_true(n > 10);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_removal_for_a_dead_server_spares_the_next_one_without_a_lock),
        TEST(a_state_is_published_only_over_the_one_that_was_judged),
        TEST(what_is_published_over_is_what_was_judged),
    };

    return cmocka_run_group_tests_name("model", tests, NULL, fake_actors_end);
}
