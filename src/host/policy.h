/* SPDX-License-Identifier: Apache-2.0 */
/* When a server that ended is started again. Pure: the time is given in, nothing is done here. */
#ifndef VORTEX_POLICY_H
#define VORTEX_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum restart_policy {
    RESTART_NO = 0,
    RESTART_ON_FAILURE, /* not after exit status 0, nor one of no_restart_on */
    RESTART_ALWAYS,
};

#define LIMIT_MAX      1000 /* restarts that a limit can count */
#define NO_RESTART_MAX 32

struct policy_settings {
    enum restart_policy policy;
    int delay_min_ms;
    int delay_max_ms;
    int reset_after_ms;                /* a server that was up for so long begins anew; -1: never */
    int limit;                         /* so many restarts ... */
    int limit_ms;                      /* ... in this time, then it gives up; limit 0: never */
    int no_restart_on[NO_RESTART_MAX]; /* exit statuses */
    size_t no_restart_count;
};

struct policy {
    struct policy_settings settings;
    int delay_ms; /* before jitter; 0: the first */
    uint64_t random;
    int64_t *times; /* of the latest restarts, a ring as long as the limit; NULL: there is none */
    size_t next, counted;
};

/* seed: of the jitter. 0; -ENOMEM. Free with policy_free, in any case. */
int policy_init(struct policy *policy, const struct policy_settings *settings, uint64_t seed);

/* Go on by other settings; another limit counts anew. 0; -ENOMEM, and nothing has changed. */
int policy_renew(struct policy *policy, const struct policy_settings *settings);

void policy_free(struct policy *policy);

enum policy_answer {
    POLICY_RESTART = 1,
    POLICY_END,     /* it ended as it should */
    POLICY_GIVE_UP, /* too many restarts */
};

/*
 * The server ended.
 *
 * failed:       by a signal, a non-zero status, or it never became ready.
 * code:         its exit status; -1 where a signal ended it.
 * up_ms:        how long it was up.
 * now_ms:       monotonic.
 * ret_delay_ms: how long to wait before the restart, with jitter of a tenth.
 */
enum policy_answer policy_ended(struct policy *policy, bool failed, int code, int64_t up_ms,
                                int64_t now_ms, int *ret_delay_ms);

#endif
