/* SPDX-License-Identifier: Apache-2.0 */
/* The library from many threads at once; built with ThreadSanitizer by `dev.sh test tsan`. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "place.h"
#include "vortex.h"

#define THREADS 8

static char directory[300];
static char path[320];

enum how { BY_WRITE, BY_LOCK, BY_WRITE_LOCKED };

struct contender {
    pthread_t thread;
    pthread_barrier_t *start;
    enum how how;
    int result;
    vortex_pid owner;
    struct vortex_lock *lock;
};

static void *
contend(void *data)
{
    struct contender *c = data;

    pthread_barrier_wait(c->start);
    switch (c->how) {
    case BY_WRITE:
        c->result = vortex_pidfile_write(path, &c->owner);
        break;
    case BY_LOCK:
        c->result = vortex_pidfile_lock(path, &c->lock);
        break;
    case BY_WRITE_LOCKED:
        c->result = vortex_pidfile_write_locked(path, &c->lock, &c->owner);
        break;
    }
    return NULL;
}

/* One round; returns who won, or NULL where it wasn't exactly one. */
static struct contender *
round_of(enum how how, struct contender all[THREADS])
{
    pthread_barrier_t start;
    struct contender *winner = NULL;
    int winners = 0;

    memset(all, 0, THREADS * sizeof(*all));
    pthread_barrier_init(&start, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) {
        all[i].start = &start;
        all[i].how = how;
        assert_int_equal(pthread_create(&all[i].thread, NULL, contend, &all[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(all[i].thread, NULL);
    pthread_barrier_destroy(&start);
    for (int i = 0; i < THREADS; i++) {
        if (all[i].result != 0)
            continue;
        winner = &all[i];
        winners++;
    }
    return winners == 1 ? winner : NULL;
}

static void
expect_losers(const struct contender all[THREADS], const struct contender *winner, int error,
              vortex_pid owner)
{
    for (int i = 0; i < THREADS; i++) {
        if (&all[i] == winner)
            continue;
        assert_int_equal(all[i].result, error);
        assert_int_equal(all[i].owner, owner);
    }
}

static void
of_eight_threads_that_write_one_succeeds(void **state)
{
    struct contender all[THREADS];

    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        const struct contender *winner = round_of(BY_WRITE, all);

        assert_non_null(winner);
        expect_losers(all, winner, -EEXIST, getpid());
        assert_int_equal(vortex_pidfile_remove(path), 0);
    }
}

static void
of_eight_threads_that_lock_one_succeeds(void **state)
{
    struct contender all[THREADS];

    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        struct contender *winner = round_of(BY_LOCK, all);

        assert_non_null(winner);
        expect_losers(all, winner, -EWOULDBLOCK, 0);
        assert_null(vortex_lock_unlock(winner->lock));
    }
}

static void
of_eight_threads_that_claim_for_life_one_succeeds(void **state)
{
    struct contender all[THREADS];

    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        struct contender *winner = round_of(BY_WRITE_LOCKED, all);

        assert_non_null(winner);
        expect_losers(all, winner, -EEXIST, getpid());
        assert_null(vortex_lock_unlock(winner->lock));
        assert_int_equal(access(path, F_OK), -1);
    }
}

static void *
ask_for_ever(void *data)
{
    const bool *stop = data;
    vortex_pid pid;
    bool alive;
    intptr_t asked = 0;

    while (!__atomic_load_n(stop, __ATOMIC_ACQUIRE)) {
        struct vortex_report *report;
        struct vortex_process *process;
        int r = vortex_pidfile_is_running(path, &alive, &pid);

        assert_true(r == 0 || r == -ENOENT || r == -EBUSY);
        assert_true(r != 0 || pid == getpid());
        assert_int_equal(vortex_pidfile_inspect(path, &report), 0);
        vortex_report_close(report);
        if (vortex_process_open(path, &process) == 0)
            vortex_process_close(process);
        asked++;
    }
    return (void *)asked;
}

static void
askers_never_make_a_claim_fail(void **state)
{
    pthread_t askers[4];
    struct vortex_lock *lock;
    bool stop = false;

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&askers[i], NULL, ask_for_ever, &stop), 0);
    for (int i = 0; i < ROUNDS; i++) {
        assert_int_equal(vortex_pidfile_write_locked(path, &lock, NULL), 0);
        lock = vortex_lock_unlock(lock);
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELEASE);
    for (int i = 0; i < 4; i++) {
        void *asked;

        pthread_join(askers[i], &asked);
        assert_true((intptr_t)asked > 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_eight_threads_that_write_one_succeeds),
        cmocka_unit_test(of_eight_threads_that_lock_one_succeeds),
        cmocka_unit_test(of_eight_threads_that_claim_for_life_one_succeeds),
        cmocka_unit_test(askers_never_make_a_claim_fail),
    };
    int failed;

    if (!place_make(directory, sizeof(directory)))
        return 1;
    snprintf(path, sizeof(path), "%s/x.pid", directory);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(directory);
    return failed;
}
