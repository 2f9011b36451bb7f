/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gate: conditions that must all hold, for readiness (each has held once) and for health (each
 * holds time and again). It never waits and reads no clock: whoever drives it does both.
 *
 *     gate_start(gate, now);
 *     loop: n = gate_sources(gate, sources, max); os_wait(sources, n, gate_deadline(gate));
 *           gate_step(gate, sources, n, now)   GATE_OPEN: all hold; GATE_FAILED: gate_why
 *
 * Between two steps it hears of what others saw: gate_notified, gate_newline, gate_line,
 * gate_child_ended. Their effect shows by gate_known, or at a step: make one after them, and not
 * only when the deadline has come.
 */
#ifndef VORTEX_READY_H
#define VORTEX_READY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/condition.h"
#include "host/config.h"
#include "os/os.h"

struct gate;

enum gate_answer {
    GATE_PENDING = 1, /* not all have held yet */
    GATE_OPEN,        /* readiness: for good, it asks no more; health: as far as is known */
    GATE_FAILED,      /* readiness: for good; health: until all hold again */
};

struct gate_rules {
    bool is_health;
    int interval_ms; /* readiness: at most; it begins with 5 ms */
    int attempt_ms;  /* how long one asking may take */
    int timeout_ms;  /* readiness: until when all must have held; -1 for ever */
    int failures;    /* health: so many in a row of one condition fail it */
    int start_period_ms;
};

struct gate_rules gate_ready_rules(const struct config *config);
struct gate_rules gate_health_rules(const struct config *config);

/*
 * Make a gate; without conditions it is open as soon as it is started.
 *
 * conditions, as: they stay the caller's and must outlive the gate; as is probe_new's.
 * ret_culprit:    on -ENXIO and -EAGAIN the condition whose host has no address; may be NULL.
 * Returns:        0; -ENXIO, -EAGAIN; -ENOMEM.
 */
int gate_new(const struct conditions *conditions, const struct gate_rules *rules,
             const struct os_launch *as, struct gate **ret_gate,
             const struct condition **ret_culprit);
/* NULL is fine. A command that runs is killed, and is the caller's to reap. */
void gate_free(struct gate *gate);

/* Begin, or begin anew with nothing known: the server was started. */
void gate_start(struct gate *gate, int64_t now_ms);

/* Ask nothing more until gate_start: the server is dead, or is being stopped. */
void gate_stop(struct gate *gate);

/* What it waits for: how many, at most CONDITIONS_MAX. */
size_t gate_sources(const struct gate *gate, struct os_source *out, size_t max);

/* Readiness: when it will have failed; -1: never. */
int64_t gate_until(const struct gate *gate);

/* When the next step is due at the latest; -1: never. */
int64_t gate_deadline(const struct gate *gate);

/*
 * Go on. sources: what was waited for, with others' among them; they are told apart by handles.
 */
enum gate_answer gate_step(struct gate *gate, const struct os_source *sources, size_t count,
                           int64_t now_ms);

/* What is known, without a step. Before gate_start GATE_PENDING. */
enum gate_answer gate_known(const struct gate *gate);

/* What does not hold, in one clause: "tcp 127.0.0.1:8080: Connection refused". */
const char *gate_why(const struct gate *gate);

/* The server said READY=1. */
void gate_notified(struct gate *gate);

/* It wrote a newline to that descriptor. */
void gate_newline(struct gate *gate, int fd);

/* It wrote that line, without its newline. Only gate_wants_lines is in need of them. */
void gate_line(struct gate *gate, const char *line);
bool gate_wants_lines(const struct gate *gate);

/* A child was reaped: exit status, or -N where signal N ended it. false: it is not the gate's. */
bool gate_child_ended(struct gate *gate, int64_t pid, int status, int64_t now_ms);

/* Readiness: give it until then, if that is later than its timeout (EXTEND_TIMEOUT_USEC). */
void gate_extend(struct gate *gate, int64_t until_ms);

#endif
