/* SPDX-License-Identifier: Apache-2.0 */
/* What a target is: it takes any bytes, and aborts where something does not hold of them. */
#ifndef VORTEX_FUZZ_H
#define VORTEX_FUZZ_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input as a string: free it. */
static inline char *
fuzz_text(const void *data, size_t size)
{
    char *text = malloc(size + 1);

    assert(text);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

#endif
