/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "host/probe.h"
#include "host/ready.h"

/*
 * Until it is ready, a server is asked again after a 200th of the time since its start: so it is
 * known to be ready half a percent late at most, and a start of 90 s is asked some 1,000 times.
 */
#define FIRST_INTERVAL_MS 5
#define INTERVAL_PART     200
#define READY_ATTEMPT_MS  5000

struct item {
    const struct condition *condition;
    struct probe *probe; /* NULL: it is said, not asked */
    bool is_asking;
    bool holds;   /* readiness: it has held once; health: the last answer */
    int failures; /* in a row */
    int64_t asked_ms, next_ms;
};

struct gate {
    struct gate_rules rules;
    bool is_started;
    int64_t start_ms, end_ms; /* end: of readiness; -1 never */
    enum gate_answer answer;
    size_t count;
    struct item items[];
};

struct gate_rules
gate_ready_rules(const struct config *config)
{
    return (struct gate_rules){
        .interval_ms = config->ready_interval_ms,
        .attempt_ms = READY_ATTEMPT_MS,
        .timeout_ms = config->ready_timeout_ms,
    };
}

struct gate_rules
gate_health_rules(const struct config *config)
{
    return (struct gate_rules){
        .is_health = true,
        .interval_ms = config->health_interval_ms,
        .attempt_ms = config->health_timeout_ms,
        .timeout_ms = -1,
        .failures = config->health_failures,
        .start_period_ms = config->health_start_period_ms,
    };
}

/* ---- A life ------------------------------------------------------------------------------ */

int
gate_new(const struct conditions *conditions, const struct gate_rules *rules,
         const struct os_launch *as, struct gate **ret_gate, const struct condition **ret_culprit)
{
    struct gate *gate = calloc(1, sizeof *gate + conditions->count * sizeof gate->items[0]);

    if (!gate)
        return -ENOMEM;
    gate->rules = *rules;
    gate->end_ms = -1;
    gate->answer = GATE_PENDING;
    for (; gate->count < conditions->count; gate->count++) {
        struct item *item = &gate->items[gate->count];
        int error;

        item->condition = &conditions->list[gate->count];
        if (!condition_is_asked(item->condition))
            continue;
        error = probe_new(item->condition, as, rules->attempt_ms, &item->probe);
        if (!error)
            continue;
        if (ret_culprit)
            *ret_culprit = item->condition;
        gate_free(gate);
        return error;
    }
    *ret_gate = gate;
    return 0;
}

void
gate_free(struct gate *gate)
{
    if (!gate)
        return;
    for (size_t i = 0; i < gate->count; i++)
        probe_free(gate->items[i].probe);
    free(gate);
}

static void
break_off(struct gate *gate)
{
    for (size_t i = 0; i < gate->count; i++) {
        if (gate->items[i].is_asking)
            probe_break_off(gate->items[i].probe);
        gate->items[i].is_asking = false;
    }
}

void
gate_stop(struct gate *gate)
{
    break_off(gate);
    gate->is_started = false;
}

/* ---- What is known ----------------------------------------------------------------------- */

static bool
all_hold(const struct gate *gate)
{
    for (size_t i = 0; i < gate->count; i++)
        if (!gate->items[i].holds)
            return false;
    return true;
}

/* The condition that fails the health. */
static const struct item *
failing(const struct gate *gate)
{
    for (size_t i = 0; i < gate->count; i++)
        if (gate->items[i].failures >= gate->rules.failures)
            return &gate->items[i];
    return NULL;
}

/* Readiness is judged once; health that failed is good again when all hold. */
static void
judge(struct gate *gate)
{
    if (gate->rules.is_health && failing(gate))
        gate->answer = GATE_FAILED;
    else if ((gate->rules.is_health || gate->answer == GATE_PENDING) && all_hold(gate))
        gate->answer = GATE_OPEN;
    if (!gate->rules.is_health && gate->answer == GATE_OPEN)
        break_off(gate);
}

enum gate_answer
gate_known(const struct gate *gate)
{
    return gate->answer;
}

static const char *
why_not(const struct item *item)
{
    static const char *const silence[] = {
        [CONDITION_STARTED] = "the server is not started",
        [CONDITION_NOTIFY] = "the server has not sent READY=1",
        [CONDITION_FD] = "the server has not written a newline to its descriptor",
        [CONDITION_LOG] = "the server has not written the line that is waited for",
    };

    return item->probe ? probe_why(item->probe) : silence[item->condition->kind];
}

const char *
gate_why(const struct gate *gate)
{
    const struct item *culprit = gate->rules.is_health ? failing(gate) : NULL;

    for (size_t i = 0; !culprit && i < gate->count; i++)
        if (!gate->items[i].holds)
            culprit = &gate->items[i];
    return culprit ? why_not(culprit) : "all hold";
}

/* ---- Asking ------------------------------------------------------------------------------ */

static int64_t
later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* A question that takes long is not put more than half of the time: it would slow the start. */
static int64_t
interval(const struct gate *gate, const struct item *item, int64_t now_ms)
{
    int64_t part = later((now_ms - gate->start_ms) / INTERVAL_PART, FIRST_INTERVAL_MS);
    int64_t ms = later(part, now_ms - item->asked_ms);

    return gate->rules.is_health || ms > gate->rules.interval_ms ? gate->rules.interval_ms : ms;
}

static void
take_answer(struct gate *gate, struct item *item, enum probe_answer answer, int64_t now_ms)
{
    item->is_asking = false;
    item->next_ms = now_ms + interval(gate, item, now_ms);
    item->holds = answer == PROBE_HOLDS;
    if (item->holds)
        item->failures = 0;
    else if (now_ms - gate->start_ms >= gate->rules.start_period_ms)
        item->failures++;
}

static bool
is_to_be_asked(const struct gate *gate, const struct item *item)
{
    return item->probe && (gate->rules.is_health || !item->holds);
}

static bool
is_asking_on(const struct gate *gate)
{
    return gate->is_started && (gate->rules.is_health || gate->answer == GATE_PENDING);
}

static bool
is_ready(const struct item *item, const struct os_source *sources, size_t count)
{
    struct os_source own;
    bool has_source = probe_source(item->probe, &own);

    for (size_t i = 0; has_source && i < count; i++)
        if (sources[i].handle == own.handle && sources[i].ready)
            return true;
    return false;
}

static void
step_item(struct gate *gate, struct item *item, const struct os_source *sources, size_t count,
          int64_t now_ms)
{
    enum probe_answer answer = PROBE_PENDING;

    if (item->is_asking) {
        answer = probe_continue(item->probe, is_ready(item, sources, count), now_ms);
    } else if (now_ms >= item->next_ms) {
        item->asked_ms = now_ms;
        item->is_asking = true;
        answer = probe_begin(item->probe, now_ms);
    }
    if (answer != PROBE_PENDING)
        take_answer(gate, item, answer, now_ms);
}

enum gate_answer
gate_step(struct gate *gate, const struct os_source *sources, size_t count, int64_t now_ms)
{
    for (size_t i = 0; is_asking_on(gate) && i < gate->count; i++)
        if (is_to_be_asked(gate, &gate->items[i]))
            step_item(gate, &gate->items[i], sources, count, now_ms);
    if (!is_asking_on(gate))
        return gate->answer;
    judge(gate);
    if (gate->answer == GATE_PENDING && gate->end_ms >= 0 && now_ms >= gate->end_ms) {
        gate->answer = GATE_FAILED;
        break_off(gate);
    }
    return gate->answer;
}

void
gate_start(struct gate *gate, int64_t now_ms)
{
    break_off(gate);
    gate->is_started = true;
    gate->start_ms = now_ms;
    gate->end_ms = gate->rules.timeout_ms < 0 ? -1 : now_ms + gate->rules.timeout_ms;
    gate->answer = GATE_PENDING;
    for (size_t i = 0; i < gate->count; i++) {
        struct item *item = &gate->items[i];

        item->holds = item->condition->kind == CONDITION_STARTED;
        item->failures = 0;
        item->next_ms = gate->rules.is_health ? now_ms + gate->rules.interval_ms : now_ms;
    }
    judge(gate);
}

/* ---- What it waits for ------------------------------------------------------------------- */

size_t
gate_sources(const struct gate *gate, struct os_source *out, size_t max)
{
    size_t count = 0;

    for (size_t i = 0; is_asking_on(gate) && i < gate->count && count < max; i++)
        if (gate->items[i].is_asking && probe_source(gate->items[i].probe, &out[count]))
            count++;
    return count;
}

static int64_t
earlier(int64_t a, int64_t b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

int64_t
gate_deadline(const struct gate *gate)
{
    int64_t deadline = gate->end_ms;

    if (!is_asking_on(gate))
        return -1;
    for (size_t i = 0; i < gate->count; i++) {
        const struct item *item = &gate->items[i];

        if (is_to_be_asked(gate, item))
            deadline =
                earlier(deadline, item->is_asking ? probe_deadline(item->probe) : item->next_ms);
    }
    return deadline;
}

/* ---- What others saw --------------------------------------------------------------------- */

static void
said(struct gate *gate, struct item *item)
{
    item->holds = true;
    if (is_asking_on(gate))
        judge(gate);
}

static void
said_by(struct gate *gate, enum condition_kind kind, int fd)
{
    for (size_t i = 0; i < gate->count; i++)
        if (gate->items[i].condition->kind == kind && gate->items[i].condition->fd == fd)
            said(gate, &gate->items[i]);
}

void
gate_notified(struct gate *gate)
{
    said_by(gate, CONDITION_NOTIFY, 0);
}

void
gate_newline(struct gate *gate, int fd)
{
    said_by(gate, CONDITION_FD, fd);
}

static bool
wants_line(const struct gate *gate, const struct item *item)
{
    return is_asking_on(gate) && item->condition->kind == CONDITION_LOG && !item->holds;
}

bool
gate_wants_lines(const struct gate *gate)
{
    for (size_t i = 0; i < gate->count; i++)
        if (wants_line(gate, &gate->items[i]))
            return true;
    return false;
}

void
gate_line(struct gate *gate, const char *line)
{
    for (size_t i = 0; i < gate->count; i++)
        if (wants_line(gate, &gate->items[i])
            && os_pattern_matches(gate->items[i].condition->pattern, line))
            said(gate, &gate->items[i]);
}

bool
gate_child_ended(struct gate *gate, int64_t pid, int status, int64_t now_ms)
{
    for (size_t i = 0; i < gate->count; i++) {
        struct item *item = &gate->items[i];
        enum probe_answer answer;

        if (!item->probe || pid <= 0 || probe_child(item->probe) != pid)
            continue;
        answer = probe_child_ended(item->probe, status);
        if (answer != PROBE_PENDING)
            take_answer(gate, item, answer, now_ms);
        if (is_asking_on(gate))
            judge(gate);
        return true;
    }
    return false;
}

int64_t
gate_until(const struct gate *gate)
{
    return gate->end_ms;
}

void
gate_extend(struct gate *gate, int64_t until_ms)
{
    if (gate->end_ms >= 0 && until_ms > gate->end_ms)
        gate->end_ms = until_ms;
}
