/* SPDX-License-Identifier: Apache-2.0 */
/* Staying the server's parent: one thread, one wait, asleep while nothing happens. */
#ifndef VORTEX_SUPERVISE_H
#define VORTEX_SUPERVISE_H

#include "host/host.h"
#include "host/log.h"

/* What goes to whoever waits for the server, where it failed. */
struct launch_word {
    struct launch_result result; /* whose tail is this one, if the word is as long */
    char tail[LOG_TAIL_SIZE];
};

/*
 * Host the server under a claim that is held, until it has ended for good. All descendants are
 * dead then, and the files removed; of a failure the state is left.
 *
 * words:   of the state; their command, manager and cgroup are kept.
 * channel: told as soon as the server is ready, or why it is not; or NULL.
 * result:  an error only where it could not even begin.
 * Returns: the exit status: the server's own, 128 and the signal where one ended it.
 */
int supervise(const struct launch_request *request, const struct os_launch *launch,
              struct claim *claim, struct state_words *words, struct os_child *channel,
              struct launch_result *result);

#endif
