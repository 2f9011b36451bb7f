/* SPDX-License-Identifier: Apache-2.0 */
/* The system's own, since winpthreads' take ten times as long under Wine (measured: 116 s, and 11). */
#include "fake_thread.h"

#include <stdlib.h>
#include <windows.h>

struct fake_thread {
    SRWLOCK mutex;
    CONDITION_VARIABLE changed;
    bool is_starteds; /* the turn */
    void (*body)(void *arg);
    void *arg;
    HANDLE thread;
};

static DWORD WINAPI
run(void *thread)
{
    struct fake_thread *t = thread;

    fake_thread_await(t, true);
    t->body(t->arg);
    return 0;
}

struct fake_thread *
fake_thread_start(void (*body)(void *arg), void *arg)
{
    struct fake_thread *t = calloc(1, sizeof(*t));

    if (t == NULL)
        return NULL;
    t->body = body;
    t->arg = arg;
    InitializeSRWLock(&t->mutex);
    InitializeConditionVariable(&t->changed);
    t->thread = CreateThread(NULL, 0, run, t, 0, NULL);
    if (t->thread != NULL)
        return t;
    free(t);
    return NULL;
}

void
fake_thread_hand_over(struct fake_thread *t, bool to_started)
{
    AcquireSRWLockExclusive(&t->mutex);
    t->is_starteds = to_started;
    WakeConditionVariable(&t->changed);
    ReleaseSRWLockExclusive(&t->mutex);
}

void
fake_thread_await(struct fake_thread *t, bool started)
{
    AcquireSRWLockExclusive(&t->mutex);
    while (t->is_starteds != started)
        SleepConditionVariableSRW(&t->changed, &t->mutex, INFINITE, 0);
    ReleaseSRWLockExclusive(&t->mutex);
}

void
fake_thread_end(struct fake_thread *t)
{
    WaitForSingleObject(t->thread, INFINITE);
    CloseHandle(t->thread);
    free(t);
}
