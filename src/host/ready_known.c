/* SPDX-License-Identifier: Apache-2.0 */
/* What a gate knows, in words for people. */
#include "host/gating.h"

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

/* The condition that has failed most often, else the first that doesn't hold. NULL: all hold. */
static const struct item *
worst(const struct gate *gate)
{
    const struct item *culprit = NULL;

    for (size_t i = 0; i < gate->count; i++)
        if (!gate->items[i].holds && (!culprit || gate->items[i].failures > culprit->failures))
            culprit = &gate->items[i];
    return culprit;
}

const char *
gate_why(const struct gate *gate)
{
    const struct item *culprit = worst(gate);

    return culprit ? why_not(culprit) : "all hold";
}

enum gate_health
gate_health(const struct gate *gate, int *ret_failures)
{
    const struct item *culprit = worst(gate);

    if (gate->count == 0)
        return GATE_UNCHECKED;
    if (!culprit)
        return GATE_HEALTHY;
    /* What fails in its start period isn't counted. */
    if (gate->answer == GATE_PENDING && culprit->failures == 0)
        return GATE_UNKNOWN;
    *ret_failures =
        culprit->failures < gate->rules.failures ? culprit->failures : gate->rules.failures;
    return GATE_FAILING;
}
