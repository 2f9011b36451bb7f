/* SPDX-License-Identifier: Apache-2.0 */
/* A probe from inside, for probe.c and probe_connect.c alone. */
#ifndef VORTEX_PROBING_H
#define VORTEX_PROBING_H

#include "host/probe.h"

enum {
    ADDRESSES_MAX = 4,
    STATUS_LENGTH = 12, /* of "HTTP/1.1 200" */
    WHY_MAX = 256,
};

enum stage {
    STAGE_IDLE = 0,
    STAGE_CONNECTING,
    STAGE_SENDING,
    STAGE_READING,
    STAGE_RUNNING,
};

struct probe {
    const struct condition *condition;
    const struct os_launch *as;
    int timeout_ms;
    enum stage stage;
    int64_t deadline_ms;
    char why[WHY_MAX];
    bool has_failed; /* why says how the last answer was, while a next one is waited for */

    struct os_address addresses[ADDRESSES_MAX];
    size_t address_count;
    size_t first; /* the address to begin with */
    size_t tried; /* how many of them in this asking */
    int error;    /* of the first one that was tried */
    intptr_t handle;

    char *request; /* http */
    size_t sent;
    char answer[STATUS_LENGTH + 1];
    size_t received; /* bytes of the answer, also those that weren't kept */

    int64_t child;
    intptr_t output; /* the child's */
};

/* End the asking: why not, in printf's words, behind the condition's name. PROBE_FAILS. */
__attribute__((format(printf, 2, 3))) enum probe_answer probe_fail(struct probe *probe,
                                                                   const char *format, ...);

/* End the asking: PROBE_HOLDS. */
enum probe_answer probe_hold(struct probe *probe);

/* ---- probe_connect.c: tcp, unix, http ---------------------------------------------------- */

/* Find the addresses and make the request: as probe_new. */
int connect_prepare(struct probe *probe);

enum probe_answer connect_begin(struct probe *probe, int64_t now_ms);
enum probe_answer connect_continue(struct probe *probe, int64_t now_ms);

/* The time is over; PROBE_PENDING: and there is no answer. */
enum probe_answer connect_expire(struct probe *probe);

#endif
