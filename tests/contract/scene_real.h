/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the real scene share. */
#ifndef VORTEX_SCENE_REAL_H
#define VORTEX_SCENE_REAL_H

#include <stdnoreturn.h>

/* End the test where the scene could not be set, by errno. */
void scene_check(int r);

/* In a child: tell the result, and live until killed. */
noreturn void scene_live_on(int result);

/* Kill and reap them all, and end the thread. */
void scene_end_children(void);

#endif
