/* SPDX-License-Identifier: Apache-2.0 */
/* What may stand in the files before a start, each of it free for the taking. */
#ifndef VORTEX_BEFORE_H
#define VORTEX_BEFORE_H

#include "instance.h"

enum before {
    BEFORE_NOTHING,
    BEFORE_STALE,   /* a server was killed: three files, all of it dead */
    BEFORE_FOREIGN, /* a foreign tool's pidfile whose process is gone */
    BEFORE_LINK,    /* an invalid pidfile: a symbolic link */
    BEFORE_COUNT,
};

/* A new machine on which that is so. */
void set_before(enum before before);

/* Do the pidfile and the state stand as before? */
bool is_as_before(enum before before);

/* The same, and the rival is there. */
void set_scene(enum before before);

/* What the rival has got, when it has started: 0, or an error. */
extern int rivals_answer;

/* As events: the rival starts for life, or writes the pidfile only. */
void rival_starts(void *ignored);
void rival_writes(void *ignored);

bool is_refusal(int r);

/* What set_before has set, for complaints. */
enum before before_now(void);

/* Say where, should an expectation fail. */
#define AT(n, condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg("at step %u, %s, before %d: %s", n, fake_step_name(n), (int)before_now(),     \
                     #condition);                                                                  \
    } while (0)

#endif
