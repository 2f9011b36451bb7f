/* SPDX-License-Identifier: Apache-2.0 */
/* A gate from inside, for ready.c and ready_known.c alone. */
#ifndef VORTEX_GATING_H
#define VORTEX_GATING_H

#include "host/probe.h"
#include "host/ready.h"

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

#endif
