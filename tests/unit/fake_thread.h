/* SPDX-License-Identifier: Apache-2.0 */
/* Two threads of which exactly one runs: fake_thread_unix.c, fake_thread_windows.c. */
#ifndef VORTEX_FAKE_THREAD_H
#define VORTEX_FAKE_THREAD_H

#include <stdbool.h>

struct fake_thread;

/* Start one, which doesn't run yet: NULL, it can't be. */
struct fake_thread *fake_thread_start(void (*body)(void *arg), void *arg);

/* Let the other run, whose turn it is from now on: the started one's, or that of who started it. */
void fake_thread_hand_over(struct fake_thread *thread, bool to_started);

/* Sleep until it is that one's turn. */
void fake_thread_await(struct fake_thread *thread, bool started);

/* Wait until it has returned, and free it. */
void fake_thread_end(struct fake_thread *thread);

#endif
