/* SPDX-License-Identifier: Apache-2.0 */
/* Actors: threads of which exactly one runs at any time, so that nothing here needs a lock. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fake_machine.h"
#include "fake_os.h"

struct fake_baton {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool is_actors; /* who runs: the actor, or whoever let it go on */
    bool leave;
    struct fake_actor *actor;
    pthread_t thread;
};

static struct machine *const m = &fake_machine;
static struct fake_baton *idle; /* a thread to be used again: most tests need but one, often */

static void
wait_for(struct fake_baton *baton, bool is_actors)
{
    pthread_mutex_lock(&baton->mutex);
    while (baton->is_actors != is_actors)
        pthread_cond_wait(&baton->changed, &baton->mutex);
    pthread_mutex_unlock(&baton->mutex);
}

static void
hand_over(struct fake_baton *baton, bool to_actor)
{
    pthread_mutex_lock(&baton->mutex);
    baton->is_actors = to_actor;
    pthread_cond_signal(&baton->changed);
    pthread_mutex_unlock(&baton->mutex);
}

static void *
act(void *arg)
{
    struct fake_baton *baton = arg;

    for (;;) {
        wait_for(baton, true);
        if (baton->leave)
            return NULL;
        baton->actor->act(baton->actor->arg);
        baton->actor->ended = true;
        hand_over(baton, false);
    }
}

static struct fake_baton *
new_baton(void)
{
    struct fake_baton *baton = calloc(1, sizeof(*baton));

    assert_non_null(baton);
    assert_int_equal(pthread_mutex_init(&baton->mutex, NULL), 0);
    assert_int_equal(pthread_cond_init(&baton->changed, NULL), 0);
    assert_int_equal(pthread_create(&baton->thread, NULL, act, baton), 0);
    return baton;
}

int
fake_actors_end(void **state)
{
    struct fake_baton *baton = idle;

    (void)state;
    idle = NULL;
    if (baton == NULL)
        return 0;
    baton->leave = true;
    hand_over(baton, true);
    pthread_join(baton->thread, NULL);
    pthread_cond_destroy(&baton->changed);
    pthread_mutex_destroy(&baton->mutex);
    free(baton);
    return 0;
}

void
fake_actor_begin(struct fake_actor *actor, int64_t pid, fake_event *event, void *arg)
{
    *actor = (struct fake_actor){.process = fake_process(pid),
                                 .act = event,
                                 .arg = arg,
                                 .baton = idle != NULL ? idle : new_baton()};
    assert_non_null(actor->process);
    idle = NULL;
    actor->baton->actor = actor;
}

static void
pause_here(void *actor)
{
    struct fake_baton *baton = ((struct fake_actor *)actor)->baton;

    hand_over(baton, false);
    wait_for(baton, true);
}

bool
fake_actor_run(struct fake_actor *actor, unsigned until)
{
    struct fake_process *before = m->current;
    uint64_t pid_namespace = m->pid_namespace;

    if (actor->ended || before == actor->process)
        return actor->ended;
    m->current = actor->process;
    m->pid_namespace = actor->process->pid_namespace;
    if (until != 0)
        fake_hook_at(until, pause_here, actor);
    hand_over(actor->baton, true);
    wait_for(actor->baton, false);
    m->current = before;
    m->pid_namespace = pid_namespace;
    if (actor->ended) {
        if (idle != NULL)
            fake_actors_end(NULL);
        idle = actor->baton;
    }
    return actor->ended;
}

void
fake_actor_finish(void *actor)
{
    (void)fake_actor_run(actor, 0);
}
