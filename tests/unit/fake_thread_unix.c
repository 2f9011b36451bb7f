/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_thread.h"

#include <pthread.h>
#include <stdlib.h>

struct fake_thread {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool is_starteds; /* the turn */
    void (*body)(void *arg);
    void *arg;
    pthread_t thread;
};

static void *
run(void *thread)
{
    struct fake_thread *t = thread;

    fake_thread_await(t, true);
    t->body(t->arg);
    return NULL;
}

struct fake_thread *
fake_thread_start(void (*body)(void *arg), void *arg)
{
    struct fake_thread *t = calloc(1, sizeof(*t));

    if (t == NULL)
        return NULL;
    t->body = body;
    t->arg = arg;
    pthread_mutex_init(&t->mutex, NULL);
    pthread_cond_init(&t->changed, NULL);
    if (pthread_create(&t->thread, NULL, run, t) == 0)
        return t;
    free(t);
    return NULL;
}

void
fake_thread_hand_over(struct fake_thread *t, bool to_started)
{
    pthread_mutex_lock(&t->mutex);
    t->is_starteds = to_started;
    pthread_cond_signal(&t->changed);
    pthread_mutex_unlock(&t->mutex);
}

void
fake_thread_await(struct fake_thread *t, bool started)
{
    pthread_mutex_lock(&t->mutex);
    while (t->is_starteds != started)
        pthread_cond_wait(&t->changed, &t->mutex);
    pthread_mutex_unlock(&t->mutex);
}

void
fake_thread_end(struct fake_thread *t)
{
    pthread_join(t->thread, NULL);
    pthread_cond_destroy(&t->changed);
    pthread_mutex_destroy(&t->mutex);
    free(t);
}
