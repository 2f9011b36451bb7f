/* SPDX-License-Identifier: Apache-2.0 */
/* What a server says of itself in a datagram of sd_notify(3): NAME=VALUE, one a line. */
#ifndef VORTEX_MESSAGE_H
#define VORTEX_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One that is read, in place. */
struct message {
    char *next;
    char *end;
};

enum message_kind {
    MESSAGE_OTHER = 0,      /* nothing that is known here */
    MESSAGE_READY,          /* READY=1 */
    MESSAGE_RELOADING,      /* RELOADING=1 */
    MESSAGE_STOPPING,       /* STOPPING=1 */
    MESSAGE_STATUS,         /* STATUS=TEXT */
    MESSAGE_EXTEND_TIMEOUT, /* EXTEND_TIMEOUT_USEC=NUMBER */
    MESSAGE_MAIN_PID,       /* MAINPID=NUMBER */
    MESSAGE_ERRNO,          /* ERRNO=NUMBER: for the manager above us too */
    MESSAGE_FD_STORE,       /* FDSTORE=1 */
    MESSAGE_FD_REMOVE,      /* FDSTOREREMOVE=1 */
    MESSAGE_FD_NAME,        /* FDNAME=TEXT */
    MESSAGE_FD_NO_POLL,     /* FDPOLL=0 */
    MESSAGE_MANAGERS,       /* WATCHDOG=1, BUSERROR=TEXT: for it alone */
};

struct message_word {
    enum message_kind kind;
    const char
        *text; /* of STATUS and FDNAME its value, of ERRNO and MANAGERS the line; the message's */
    int64_t number; /* of EXTEND_TIMEOUT_USEC, in ms, at most INT64_MAX / 2000; of the others */
};

/*
 * Begin to read. One with a NUL in it counts as empty, as systemd has it; one NUL may end it.
 * data: length bytes, and a NUL behind them.
 */
struct message message_open(char *data, size_t length);

/* Its next line: true; false there is none. */
bool message_next(struct message *message, struct message_word *ret_word);

#endif
