/* SPDX-License-Identifier: Apache-2.0 */
/* The machine itself: its birth, its steps, its clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "fake_machine.h"
#include "fake_os.h"

#define FIRST_WALL_NS      (INT64_C(1800000000) * SECOND_NS)
#define FIRST_MONOTONIC_MS INT64_C(1000000)
#define FIRST_NAMESPACE    UINT64_C(4026531836) /* as Linux has it, at each boot */

struct machine fake_machine;

static struct machine *const m = &fake_machine;

void
fake_reset(void)
{
    for (int i = 0; i < FILES_MAX; i++)
        m->files[i].kind = 0;
    /* What a file holds is written when it is made: clearing it all takes most of the time. */
    memset(&m->entries, 0, sizeof(*m) - offsetof(struct machine, entries));
    m->wall_ns = FIRST_WALL_NS;
    m->monotonic_ms = FIRST_MONOTONIC_MS;
    m->pid_namespace = FIRST_NAMESPACE;
    m->last_number = 2;
    m->boots = 1;
    m->current = fake_spawn(FAKE_SELF);
    fake_new_file(NULL, "/", FAKE_DIRECTORY, 0755);
    fake_make("/run", FAKE_DIRECTORY, NULL);
    fake_make("/tmp", FAKE_DIRECTORY, NULL)->mode = 01777;
}

/* ---- Steps ------------------------------------------------------------------------------- */

static struct control *
control_now(void)
{
    if (m->current == NULL || m->current->life != FAKE_ALIVE)
        fail_msg("nobody is the current process");
    return &m->controls[m->current - m->processes];
}

/* The event may become another process, and it may kill this one. */
static void
run_event(struct event *event)
{
    struct control *control = control_now();
    struct fake_process *self = m->current;
    struct event now = *event;

    event->run = NULL;
    control->paused = true;
    now.run(now.arg);
    control->paused = false;
    m->current = self;
    m->pid_namespace = self->pid_namespace;
    if (self->life == FAKE_ALIVE)
        return;
    if (control->crash == NULL)
        fail_msg("an event killed process %lld in the midst of its act", (long long)self->pid);
    longjmp(*control->crash, 1);
}

int
fake_step(const char *name)
{
    struct control *control = control_now();

    if (control->paused)
        return 0;
    control->steps++;
    if (control->steps <= STEPS_MAX)
        control->names[control->steps - 1] = name;
    for (int i = 0; i < EVENTS_MAX; i++)
        if (control->hooks[i].run != NULL && control->hooks[i].when == control->steps)
            run_event(&control->hooks[i]);
    if (control->crash_at == control->steps) {
        fake_kill(m->current);
        longjmp(*control->crash, 1);
    }
    return control->fail_at == control->steps ? -control->error : 0;
}

void
fake_watch(void)
{
    struct control *control = control_now();

    memset(control, 0, sizeof(*control));
}

unsigned
fake_steps(void)
{
    return control_now()->steps;
}

unsigned
fake_steps_of(int64_t pid)
{
    const struct fake_process *process = fake_process(pid);

    assert_non_null(process);
    return m->controls[process - m->processes].steps;
}

const char *
fake_step_name(unsigned n)
{
    const struct control *control = control_now();

    return n >= 1 && n <= control->steps && n <= STEPS_MAX ? control->names[n - 1] : "";
}

void
fake_fail_at(unsigned n, int error)
{
    struct control *control = control_now();

    control->fail_at = n;
    control->error = error;
}

static void
add_event(struct event *events, struct event event)
{
    for (int i = 0; i < EVENTS_MAX; i++) {
        if (events[i].run == NULL) {
            events[i] = event;
            return;
        }
    }
    fail_msg("too many events");
}

void
fake_hook_at(unsigned n, fake_event *event, void *arg)
{
    add_event(control_now()->hooks, (struct event){event, arg, n});
}

bool
fake_crash_at(unsigned n, fake_event *act, void *arg)
{
    struct control *control = control_now();
    jmp_buf point;

    if (setjmp(point) != 0) {
        m->current = NULL;
        return true;
    }
    fake_watch();
    control->crash_at = n;
    control->crash = &point;
    act(arg);
    control->crash = NULL;
    control->crash_at = 0;
    return false;
}

void
fake_take_proof_away(void)
{
    m->no_proof = true;
}

/* ---- Time -------------------------------------------------------------------------------- */

void
fake_pass_ms(int64_t ms)
{
    m->monotonic_ms += ms;
    m->wall_ns += ms * (SECOND_NS / 1000);
}

void
fake_step_clock(int64_t seconds)
{
    m->wall_ns += seconds * SECOND_NS;
    m->clock_stepped = true;
}

void
fake_after_ms(int64_t ms, fake_event *event, void *arg)
{
    add_event(m->timers, (struct event){event, arg, m->monotonic_ms + ms});
}

/* The next thing that happens until then, or NULL. */
static struct event *
next_timer(int64_t until)
{
    struct event *next = NULL;

    for (int i = 0; i < EVENTS_MAX; i++) {
        struct event *timer = &m->timers[i];

        if (timer->run != NULL && timer->when <= until
            && (next == NULL || timer->when < next->when))
            next = timer;
    }
    return next;
}

void
fake_wait_until(int64_t monotonic_ms, bool (*stop)(const void *), const void *arg)
{
    struct event *timer;

    while ((timer = next_timer(monotonic_ms)) != NULL) {
        if (timer->when > m->monotonic_ms)
            fake_pass_ms(timer->when - m->monotonic_ms);
        run_event(timer);
        if (stop != NULL && stop(arg))
            return;
    }
    if (monotonic_ms == INT64_MAX)
        fail_msg("a wait for ever, and nothing will happen");
    if (monotonic_ms > m->monotonic_ms)
        fake_pass_ms(monotonic_ms - m->monotonic_ms);
}

int64_t
os_monotonic_ms(void)
{
    (void)fake_step(__func__);
    return m->monotonic_ms;
}

int64_t
os_wall_seconds(void)
{
    (void)fake_step(__func__);
    return m->wall_ns / SECOND_NS;
}

void
os_time_format(int64_t wall_seconds, char *buf, size_t size)
{
    time_t seconds = (time_t)wall_seconds;
    const struct tm *utc = gmtime(&seconds);

    if (utc == NULL || strftime(buf, size, "%Y-%m-%dT%H:%M:%SZ", utc) == 0)
        buf[0] = '\0';
}

void
os_sleep_ms(int ms)
{
    (void)fake_step(__func__);
    fake_wait_until(m->monotonic_ms + ms, NULL, NULL);
}
