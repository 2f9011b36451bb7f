/* SPDX-License-Identifier: Apache-2.0 */
/* What a target is: it takes any bytes, and aborts where something does not hold of them. */
#ifndef VORTEX_FUZZ_H
#define VORTEX_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
