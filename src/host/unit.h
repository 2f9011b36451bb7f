/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VORTEX_UNIT_H
#define VORTEX_UNIT_H

#include "host/host.h"

struct unit_request {
    const struct instance *instance; /* with a command */
    const char *program;             /* this program's path */
    const char *listen;              /* a socket's address as ListenStream= takes it; NULL: none */
};

/* As long as a stop may take, in all: milliseconds; -1: for ever. */
int unit_stop_ms(const struct config *config);

/* The unit's text into buf: true; false it doesn't fit. */
bool unit_write(const struct unit_request *request, char *buf, size_t size);

#endif
