/* SPDX-License-Identifier: Apache-2.0 */
/* What the measured daemon asks of a library: claim_vortex.c, claim_libbsd.c. */
#ifndef VORTEX_BENCH_CLAIM_H
#define VORTEX_BENCH_CLAIM_H

/* Be the one owner of that pidfile, which then names this process. 0, or negative. */
int claim(const char *path);

void release(void);

#endif
