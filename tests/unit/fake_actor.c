/* SPDX-License-Identifier: Apache-2.0 */
/* Actors: threads of which exactly one runs at any time, so that nothing here needs a lock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fake_machine.h"
#include "fake_os.h"
#include "fake_thread.h"

struct fake_baton {
    bool leave;
    struct fake_actor *actor;
    struct fake_thread *thread;
};

static struct machine *const m = &fake_machine;
static struct fake_baton *idle; /* a thread to be used again: most tests need but one, often */

static void
act(void *arg)
{
    struct fake_baton *baton = arg;

    while (!baton->leave) {
        baton->actor->act(baton->actor->arg);
        baton->actor->ended = true;
        fake_thread_hand_over(baton->thread, false);
        fake_thread_await(baton->thread, true);
    }
}

static struct fake_baton *
new_baton(void)
{
    struct fake_baton *baton = calloc(1, sizeof(*baton));

    assert_non_null(baton);
    baton->thread = fake_thread_start(act, baton);
    assert_non_null(baton->thread);
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
    fake_thread_hand_over(baton->thread, true);
    fake_thread_end(baton->thread);
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

    fake_thread_hand_over(baton->thread, false);
    fake_thread_await(baton->thread, true);
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
    fake_thread_hand_over(actor->baton->thread, true);
    fake_thread_await(actor->baton->thread, false);
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
