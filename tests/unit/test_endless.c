/* SPDX-License-Identifier: Apache-2.0 */
/* Somebody meddles at every step, without end: each act has one all the same. */
#include "before.h"

static struct {
    void (*act)(void);
    struct os_lock lock; /* of a user's */
} meddler;

static void
meddle_again(void *ignored)
{
    (void)ignored;
    fake_hook_at(fake_steps() + 1, meddle_again, NULL);
    meddler.act();
}

static void
meddle_without_end(void (*act)(void))
{
    meddler.act = act;
    fake_watch();
    fake_hook_at(1, meddle_again, NULL);
}

static void
remove_lock(void)
{
    fake_remove(LOCK);
}

static void
a_lock_that_is_removed_without_end_is_given_up(void **state)
{
    struct vortex_lock *lock = NULL;

    (void)state;
    meddle_without_end(remove_lock);
    assert_int_equal(vortex_pidfile_write(PIDFILE, NULL), -EEXIST);
    assert_int_equal(vortex_pidfile_lock(PIDFILE, &lock), -EWOULDBLOCK);
    assert_null(lock);
    fake_watch();
    assert_int_equal(fake_count("/run"), 0);
    assert_int_equal(fake_handles(), 0);
}

static void
make_open_lock(void)
{
    if (fake_find(LOCK) == NULL)
        fake_make(LOCK, FAKE_REGULAR, "")->mode = 0666;
}

static void
a_lock_that_is_made_open_to_all_without_end_is_taken(void **state)
{
    (void)state;
    make_open_lock();
    meddle_without_end(make_open_lock);
    assert_int_equal(start(), 0);
    fake_watch();
    assert_verdict(VORTEX_RUNNING, FAKE_SELF);
    assert_int_equal(start_as(RIVAL), -EEXIST);
}

static void
replace_garbage(void)
{
    write_pidfile("garbage");
}

static void
a_pidfile_that_is_replaced_without_end_is_given_up(void **state)
{
    (void)state;
    meddle_without_end(replace_garbage);
    assert_int_equal(vortex_pidfile_write(PIDFILE, NULL), -EEXIST);
    fake_watch();
    assert_true(fake_holds(PIDFILE, "garbage"));
    assert_int_equal(fake_count("/run"), 1);
    assert_int_equal(fake_handles(), 0);
}

static void
replace_number(void)
{
    fake_pass_ms(1); /* a freed inode number is soon the next one's */
    write_pidfile_of(SERVER);
}

static void
write_number(void)
{
    fake_pass_ms(1);
    fake_write(fake_find(PIDFILE), "4711\n");
}

static void
a_pidfile_that_changes_without_end_is_unproved(void **state)
{
    void (*const acts[])(void) = {replace_number, write_number};

    (void)state;
    for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
        instance_setup(NULL);
        write_pidfile_of(SERVER);
        meddle_without_end(acts[i]);
        assert_verdict(VORTEX_UNPROVED, SERVER);
        assert_int_equal(vortex_pidfile_remove(PIDFILE), -EBUSY);
        fake_watch();
        assert_true(pidfile_names(SERVER));
    }
}

/* ---- In a user's directory --------------------------------------------------------------- */

/* The user, where no lock stands, makes one and takes it. */
static void
user_takes_place(void)
{
    struct paths paths;

    if (fake_find(LOCK) != NULL)
        return;
    fake_become(RIVAL);
    fake_make(LOCK, FAKE_REGULAR, "")->mode = 0666;
    os_lock_close(&meddler.lock);
    if (paths_open(PIDFILE, false, &paths) < 0)
        return;
    if (os_lock_open(&paths.dir, paths.lock, false, &meddler.lock, NULL) == 0)
        (void)os_lock_take(&meddler.lock);
    paths_close(&paths);
}

static void
set_users_lock(void)
{
    instance_setup(NULL);
    fake_find("/run")->user = USER;
    fake_spawn(RIVAL)->user = USER;
    meddler.lock = (struct os_lock){.handle = OS_NONE};
    user_takes_place();
    fake_become(FAKE_SELF);
    fake_watch();
}

static void
a_user_who_takes_each_new_locks_place_is_given_up(void **state)
{
    int64_t before;

    (void)state;
    set_users_lock();
    before = os_monotonic_ms();
    meddle_without_end(user_takes_place);
    assert_int_equal(vortex_pidfile_write(PIDFILE, NULL), -EEXIST);
    fake_watch();
    assert_in_range(os_monotonic_ms() - before, 1, CLAIM_WAIT_MS + TAKE_WAIT_MS);
    assert_null(fake_find(PIDFILE));
    assert_int_equal(fake_handles(), 0);
}

/* Counts the removals whose failure ended the start. */
static bool
start_at_users_lock_failing_at(unsigned n, unsigned *refused)
{
    bool reached;
    int r;

    set_users_lock();
    fake_fail_at(n, EACCES);
    r = start();
    if (r < 0) {
        AT(n, fake_find(PIDFILE) == NULL && fake_find(STATE) == NULL);
        AT(n, fake_handles() == 0);
    }
    AT(n, r == 0 || r == -EACCES || is_refusal(r));
    *refused += r == -EACCES && strcmp(fake_step_name(n), "os_file_remove") == 0;
    reached = fake_steps() >= n;
    fake_watch();
    return reached;
}

static void
a_users_lock_that_cannot_be_replaced_is_in_the_way_of_that_start_alone(void **state)
{
    unsigned refused = 0;

    (void)state;
    for (unsigned n = 1; start_at_users_lock_failing_at(n, &refused); n++)
        ;
    assert_int_equal(refused, 1);
    assert_true(pidfile_names(FAKE_SELF) && state_names(FAKE_SELF)); /* the last: none failed */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_lock_that_is_removed_without_end_is_given_up),
        TEST(a_lock_that_is_made_open_to_all_without_end_is_taken),
        TEST(a_pidfile_that_is_replaced_without_end_is_given_up),
        TEST(a_pidfile_that_changes_without_end_is_unproved),
        TEST(a_user_who_takes_each_new_locks_place_is_given_up),
        TEST(a_users_lock_that_cannot_be_replaced_is_in_the_way_of_that_start_alone),
    };

    return cmocka_run_group_tests_name("endless", tests, NULL, NULL);
}
