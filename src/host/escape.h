/* SPDX-License-Identifier: Apache-2.0 */
/* What others wrote, printed so that no reader is led astray. */
#ifndef VORTEX_ESCAPE_H
#define VORTEX_ESCAPE_H

#include <stddef.h>

enum escape {
    ESCAPE_TERMINAL, /* control characters become ? */
    ESCAPE_JSON,     /* inside of a string */
    ESCAPE_LABEL,    /* a label's value in Prometheus' text format */
};

#define ESCAPE_MAX 8 /* bytes, with a NUL */

/*
 * The next character of a text, as it is to be printed. Bytes that are no UTF-8 become U+FFFD.
 *
 * ret:     ESCAPE_MAX bytes.
 * Returns: how many bytes of the text it stands for; 0 at its end.
 */
size_t escape_next(const char *text, enum escape as, char *ret);

#endif
