/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking whether a condition holds, without ever waiting: who waits is the caller, for the source,
 * the deadline and, with exec, the death of the child.
 */
#ifndef VORTEX_PROBE_H
#define VORTEX_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "host/condition.h"
#include "os/os.h"

struct probe;

enum probe_answer {
    PROBE_PENDING = 1,
    PROBE_HOLDS,
    PROBE_FAILS, /* probe_why says why */
};

/*
 * Prepare to ask. A host's name is resolved here, once, which may take its time.
 *
 * condition:  one that condition_is_asked; it stays the caller's and must outlive the probe.
 * as:         how exec is to be run, argv and output apart; its strings must outlive the probe.
 *             NULL: as this process.
 * timeout_ms: how long an asking may take; -1: for ever.
 * Returns:    0; -ENXIO, -EAGAIN no address is known for the host; -ENOMEM.
 */
int probe_new(const struct condition *condition, const struct os_launch *as, int timeout_ms,
              struct probe **ret_probe);

/* Where the output of exec goes, as os_command_start has it. Else nowhere. */
void probe_set_output(struct probe *probe, intptr_t output);

/* Break off and free it. NULL is fine. */
void probe_free(struct probe *probe);

/* Ask, from the beginning; an asking under way is broken off. */
enum probe_answer probe_begin(struct probe *probe, int64_t now_ms);

/* Go on. ready: its source is. Only while PROBE_PENDING. */
enum probe_answer probe_continue(struct probe *probe, bool ready, int64_t now_ms);

/*
 * Does it hold although the server was not started yet? Then somebody else answers there. Only
 * what connects is asked. It waits, where no answer comes at once: 200 ms to be connected, and 2 s
 * for what is said over the connection.
 */
bool probe_is_taken(struct probe *probe);

/* Stop asking: close the connection, kill the command. */
void probe_break_off(struct probe *probe);

/* What it waits for, beside the deadline: false where for nothing that can be waited for. */
bool probe_source(const struct probe *probe, struct os_source *ret_source);

/* When to continue at the latest; -1: never. */
int64_t probe_deadline(const struct probe *probe);

/* Of two such times. */
int64_t probe_earlier(int64_t a_ms, int64_t b_ms);

/* Its child: the command that runs, or that was killed and is not yet reaped; 0: none. */
int64_t probe_child(const struct probe *probe);

/*
 * The child was reaped: its exit status, or -N where signal N ended it.
 * Returns: the answer; PROBE_PENDING where nobody asked any more.
 */
enum probe_answer probe_child_ended(struct probe *probe, int status);

/* Why it does not hold, in one clause: "tcp 127.0.0.1:8080: Connection refused". */
const char *probe_why(const struct probe *probe);

#endif
