/* SPDX-License-Identifier: Apache-2.0 */
/* Two processes whose steps come in any order: up to n of the one, up to k of the other, the rest. */
#include "before.h"

#include <stdio.h>

#define NONE  (-ENOTCONN)
#define K_MAX 64 /* who has done so many steps beside the other only waits, in a loop */

struct role {
    int answer;
};

static void
starts(void *arg)
{
    ((struct role *)arg)->answer = start();
}

static void
writes(void *arg)
{
    ((struct role *)arg)->answer = vortex_pidfile_write(PIDFILE, NULL);
}

static void
removes(void *arg)
{
    ((struct role *)arg)->answer = vortex_pidfile_remove(PIDFILE);
}

/* One schedule: which, and where it switches. */
struct schedule {
    enum before before;
    fake_event *one, *other;
    unsigned n, k;
    const char *removed; /* by an administrator, at the first switch */
    int64_t pid;         /* of the first; 0: the supervisor's */
    struct role first, second;
};

static void
complain(const struct schedule *s, const char *what)
{
    char at[64];

    snprintf(at, sizeof(at), "%u, %u%s%s", s->n, s->k, s->removed ? ", rm " : "",
             s->removed ? s->removed : "");
    fail_msg("schedule %s, before %d: answers %d and %d: %s", at, (int)s->before, s->first.answer,
             s->second.answer, what);
}

struct switching {
    const struct schedule *schedule;
    struct fake_actor other;
};

static void
switch_over(void *arg)
{
    struct switching *now = arg;

    if (now->schedule->removed != NULL)
        fake_remove(now->schedule->removed);
    /* Should the first sleep for the second, then that one goes on. */
    if (!fake_actor_run(&now->other, now->schedule->k))
        fake_after_ms(100, fake_actor_finish, &now->other);
}

/* Whether the first has so many steps; *ret_more: and the second. */
static bool
play(struct schedule *s, bool *ret_more)
{
    struct switching now = {.schedule = s};
    bool reached;

    set_before(s->before);
    fake_spawn(s->pid);
    fake_spawn(RIVAL);
    s->first.answer = s->second.answer = NONE;
    fake_actor_begin(&now.other, RIVAL, s->other, &s->second);
    fake_become(s->pid);
    fake_hook_at(s->n, switch_over, &now);
    s->one(&s->first);
    reached = fake_steps() >= s->n;
    fake_watch();
    fake_become(FAKE_SELF);
    fake_actor_finish(&now.other);
    fake_watch();
    *ret_more = reached && fake_steps_of(RIVAL) >= s->k;
    return reached;
}

/* All schedules of one kind. */
static void
play_all(struct schedule s, void (*expect)(const struct schedule *))
{
    bool more, again = true;

    if (s.pid == 0)
        s.pid = SUPERVISOR;
    for (s.n = 1; again; s.n++) {
        for (s.k = 1, more = true; more && s.k <= K_MAX; s.k++) {
            again = play(&s, &more);
            expect(&s);
        }
    }
}

/* ---- What is expected -------------------------------------------------------------------- */

static void
expect_one_owner(const struct schedule *s)
{
    int64_t owner = s->first.answer == 0 ? s->pid : RIVAL;

    if ((s->first.answer == 0) == (s->second.answer == 0))
        complain(s, "not exactly one owner");
    if (!is_refusal(s->first.answer == 0 ? s->second.answer : s->first.answer))
        complain(s, "not the right refusal");
    if (!pidfile_names(owner) || !state_names(owner))
        complain(s, "the owner's files are not its own");
    if (!is_tidy())
        complain(s, "something is left");
    if (start() != -EEXIST)
        complain(s, "a third gets in");
}

/* With an administrator's rm in between both may be refused, never both let in. */
static void
expect_no_two_owners(const struct schedule *s)
{
    bool first = s->first.answer == 0, second = s->second.answer == 0;
    int64_t owner = first ? s->pid : RIVAL;

    if (first && second)
        complain(s, "two owners");
    if (!first && !second) { /* and both give up */
        crash(fake_process(s->pid));
        crash(fake_process(RIVAL));
        if (start() != 0)
            complain(s, "nobody can start");
        return;
    }
    if (!pidfile_names(owner) && !state_names(owner))
        complain(s, "the owner has no file of its own");
    if (!is_refusal(start()))
        complain(s, "a third gets in");
    if (verdict() != VORTEX_RUNNING && verdict() != VORTEX_BUSY)
        complain(s, "nobody seems to run");
}

/* The remover is nobody's owner; what the starter has got is its own. */
static void
expect_the_starters_files(const struct schedule *s)
{
    if (s->second.answer != 0) {
        if (!is_refusal(s->second.answer))
            complain(s, "not the right refusal");
        if (start() != 0)
            complain(s, "nobody can start");
        return;
    }
    if (!pidfile_names(RIVAL) || !state_names(RIVAL))
        complain(s, "the owner's files are not its own");
    if (start() != -EEXIST)
        complain(s, "another gets in");
}

/* ---- Tests ------------------------------------------------------------------------------- */

static void
of_two_interleaved_starts_exactly_one_lives(void **state)
{
    (void)state;
    for (int before = 0; before < BEFORE_COUNT; before++)
        play_all((struct schedule){.before = (enum before)before, .one = starts, .other = starts},
                 expect_one_owner);
}

static void
of_two_interleaved_writers_exactly_one_lives(void **state)
{
    (void)state;
    play_all((struct schedule){.before = BEFORE_STALE, .one = writes, .other = writes},
             expect_one_owner);
    play_all((struct schedule){.before = BEFORE_STALE, .one = starts, .other = writes},
             expect_one_owner);
    play_all((struct schedule){.before = BEFORE_STALE, .one = writes, .other = starts},
             expect_one_owner);
}

static void
a_removed_file_between_two_interleaved_starts_makes_no_two_owners(void **state)
{
    static const char *const files[] = {LOCK, PIDFILE, STATE};

    (void)state;
    for (int before = 0; before < BEFORE_COUNT; before++)
        for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
            play_all((struct schedule){.before = (enum before)before,
                                       .one = starts,
                                       .other = starts,
                                       .removed = files[i]},
                     expect_no_two_owners);
}

/* The stale state names its number: until its own state stands, the pidfile alone looks stale. */
static void
a_starter_with_the_number_of_the_dead_is_no_exception(void **state)
{
    (void)state;
    play_all(
        (struct schedule){.before = BEFORE_STALE, .one = starts, .other = starts, .pid = SERVER},
        expect_one_owner);
    play_all(
        (struct schedule){
            .before = BEFORE_STALE, .one = starts, .other = starts, .pid = SERVER, .removed = LOCK},
        expect_no_two_owners);
}

static void
a_removal_and_a_start_interleaved_leave_the_starter_its_files(void **state)
{
    (void)state;
    play_all((struct schedule){.before = BEFORE_STALE, .one = removes, .other = starts},
             expect_the_starters_files);
    play_all((struct schedule){.before = BEFORE_LINK, .one = removes, .other = starts},
             expect_the_starters_files);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(of_two_interleaved_starts_exactly_one_lives),
        TEST(of_two_interleaved_writers_exactly_one_lives),
        TEST(a_removed_file_between_two_interleaved_starts_makes_no_two_owners),
        TEST(a_starter_with_the_number_of_the_dead_is_no_exception),
        TEST(a_removal_and_a_start_interleaved_leave_the_starter_its_files),
    };

    return cmocka_run_group_tests_name("interleaved", tests, NULL, fake_actors_end);
}
