/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "host/policy.h"

int
policy_init(struct policy *p, const struct policy_settings *settings, uint64_t seed)
{
    *p = (struct policy){.random = seed | 1};
    return policy_renew(p, settings);
}

int
policy_renew(struct policy *p, const struct policy_settings *settings)
{
    if (settings->limit != p->settings.limit) {
        int64_t *times = NULL;

        if (settings->limit > 0) {
            times = calloc((size_t)settings->limit, sizeof(*times));
            if (times == NULL)
                return -ENOMEM;
        }
        free(p->times);
        p->times = times;
        p->next = p->counted = 0;
    }
    p->settings = *settings;
    return 0;
}

void
policy_free(struct policy *p)
{
    free(p->times);
    p->times = NULL;
}

/* xorshift: many supervisors that lost the same database should not come back in one instant. */
static uint64_t
next_random(struct policy *p)
{
    p->random ^= p->random << 13;
    p->random ^= p->random >> 7;
    p->random ^= p->random << 17;
    return p->random;
}

static bool
is_exempt(const struct policy *p, int code)
{
    for (size_t i = 0; i < p->settings.no_restart_count; i++)
        if (p->settings.no_restart_on[i] == code)
            return true;
    return false;
}

static bool
wants_restart(const struct policy *p, bool failed, int code)
{
    if (p->settings.policy == RESTART_NO || is_exempt(p, code))
        return false;
    return failed || p->settings.policy == RESTART_ALWAYS;
}

/* Were there as many restarts as the limit allows within its time? Counts this one if not. */
static bool
is_over_limit(struct policy *p, int64_t now_ms)
{
    size_t limit = (size_t)p->settings.limit;

    if (limit == 0)
        return false;
    /* With as many counted as may be, the next place of the ring holds the oldest. */
    if (p->counted == limit && now_ms - p->times[p->next] < p->settings.limit_ms)
        return true;
    p->times[p->next] = now_ms;
    p->next = (p->next + 1) % limit;
    if (p->counted < limit)
        p->counted++;
    return false;
}

static int
next_delay(struct policy *p)
{
    int jitter;

    if (p->delay_ms == 0)
        p->delay_ms = p->settings.delay_min_ms;
    else if (p->delay_ms > p->settings.delay_max_ms / 2)
        p->delay_ms = p->settings.delay_max_ms;
    else
        p->delay_ms *= 2;
    jitter = p->delay_ms / 10;
    return p->delay_ms + (jitter > 0 ? (int)(next_random(p) % ((uint64_t)jitter + 1)) : 0);
}

enum policy_answer
policy_ended(struct policy *p, bool failed, int code, int64_t up_ms, int64_t now_ms,
             int *ret_delay_ms)
{
    if (!wants_restart(p, failed, code))
        return POLICY_END;
    if (p->settings.reset_after_ms >= 0 && up_ms >= p->settings.reset_after_ms) {
        p->delay_ms = 0;
        p->counted = p->next = 0;
    }
    if (is_over_limit(p, now_ms))
        return POLICY_GIVE_UP;
    *ret_delay_ms = next_delay(p);
    return POLICY_RESTART;
}
