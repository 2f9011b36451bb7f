/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the state says of readiness and health. The state is written anew only where that changes: a
 * check that holds, or goes on failing as it did, writes nothing.
 */
#include <stdio.h>
#include <string.h>

#include "host/supervisor.h"

static void
take_readiness(const struct supervisor *s, struct answers *answers)
{
    if (s->phase == PHASE_STARTING && gate_known(s->ready) == GATE_PENDING)
        snprintf(answers->not_ready, sizeof(answers->not_ready), "%s", gate_why(s->ready));
}

static void
take_health(const struct supervisor *s, struct answers *answers)
{
    const struct config *config = &s->instance->config;
    bool is_asked = s->phase == PHASE_READY || s->phase == PHASE_STOPPING;
    int failures = 0;

    if (!is_asked && config->health.count > 0) { /* the gate knows of the last server only */
        snprintf(answers->health, sizeof(answers->health), "pending");
        return;
    }
    switch (gate_health(s->health, &failures)) {
    case GATE_UNCHECKED:
        snprintf(answers->health, sizeof(answers->health), "none");
        return;
    case GATE_UNKNOWN:
        snprintf(answers->health, sizeof(answers->health), "pending");
        break;
    case GATE_HEALTHY:
        snprintf(answers->health, sizeof(answers->health), "ok");
        return;
    case GATE_FAILING:
        snprintf(answers->health, sizeof(answers->health), "failing %d of %d", failures,
                 config->health_failures);
        break;
    }
    snprintf(answers->health_answer, sizeof(answers->health_answer), "%s", gate_why(s->health));
}

bool
answers_take(struct supervisor *s)
{
    struct answers now = {0};

    take_readiness(s, &now);
    take_health(s, &now);
    if (memcmp(&now, &s->answers, sizeof(now)) == 0)
        return false;
    s->answers = now;
    return true;
}
