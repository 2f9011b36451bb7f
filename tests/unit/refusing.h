/* SPDX-License-Identifier: Apache-2.0 */
/*
 * This machine, but its kernel refuses a call where a test says so: by the linker's --wrap, whose
 * list of calls is in meson.build.
 */
#ifndef VORTEX_REFUSING_H
#define VORTEX_REFUSING_H

#include <stdbool.h>
#include <stdint.h>

/* From now on, the n-th call fails with that error; and all that follow, too. n 0: none does. */
void refuse_at(unsigned n, int error, bool all_later);

/* Has one been refused, and with which error? 0: not yet. */
bool refuse_has(void);
int refuse_error(void);

/* Not what the machine does itself, until the same is said with false. */
void refuse_rest(bool rests);

/* None is from here on; what act leaves behind is to be removed. */
void refuse_end(void);

/* Do act once for each call that it makes, the first most of them, which is refused. */
void refuse_each_with(void (*act)(void), unsigned most, int error);

/* The same for some errors; and, too, with all later calls refused. No handle is left open. */
void refuse_each(void (*act)(void), unsigned most);

/* It is 0 or more, or the error that is refused with. */
void refuse_expect(int64_t result);

/* A call: is it to fail? Then errno is set. */
bool refuse_this(void);

/* One that takes PARAMETERS, hands on ARGUMENTS and fails by FAILURE. */
#define REFUSING_CALL(TYPE, NAME, FAILURE, PARAMETERS, ARGUMENTS)                                  \
    TYPE __real_##NAME PARAMETERS;                                                                 \
    TYPE __wrap_##NAME PARAMETERS;                                                                 \
    TYPE __wrap_##NAME PARAMETERS                                                                  \
    {                                                                                              \
        return refuse_this() ? (FAILURE) : __real_##NAME ARGUMENTS;                                \
    }

#endif
