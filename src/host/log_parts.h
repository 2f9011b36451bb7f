/* SPDX-License-Identifier: Apache-2.0 */
/* How a log is kept, for log.c and its helpers alone. */
#ifndef VORTEX_LOG_PARTS_H
#define VORTEX_LOG_PARTS_H

#include "host/log.h"
#include "os/os.h"

#define LOG_CHUNK 65536 /* of one read */

/* The delay before the next try: doubling, from 50 ms to 2 s. */
int64_t log_delay(int64_t delay_ms);

/* ---- log_lines.c: what the server said last ---------------------------------------------- */

struct log_lines {
    char tail[LOG_TAIL_SIZE]; /* a ring */
    size_t tail_end;          /* where the next byte goes */
    size_t tail_length;
    char *watched; /* LOG_TAIL_SIZE bytes; NULL: nobody watches */
    size_t watched_length;
    bool watched_skips; /* until the end of a line that was too long */
};

void log_lines_add(struct log_lines *lines, const char *data, size_t length);

/* How much may be added so that no watched line is missed. */
size_t log_lines_room(const struct log_lines *lines);

/* As log_watch_lines, log_next_line and log_tail. */
int log_lines_watch(struct log_lines *lines, bool watch);
bool log_lines_next(struct log_lines *lines, char *buf, size_t size);
size_t log_lines_tail(const struct log_lines *lines, char *buf, size_t size);

/* ---- log_queue.c: what the target has not taken yet -------------------------------------- */

#define LOG_QUEUE_MAX ((size_t)256 * 1024)

/*
 * A bounded queue of lines: what does not fit is dropped, whole lines, and counted; the count
 * becomes a line as soon as there is room again.
 */
struct log_queue {
    char *bytes; /* NULL while it is empty */
    size_t begin, end;
    int64_t taken;   /* bytes that left it, ever */
    int64_t line_at; /* where the line begins that is not finished yet, counted likewise */
    int64_t dropped; /* lines, since the last word about it */
    int error;       /* why; 0: the target was too slow */
    bool is_mid_line;
    bool skips; /* until the end of a line that is dropped */
    bool stamps;
};

/* Put output of the server in. error: why the target takes nothing, 0: it is slow. */
void log_queue_put(struct log_queue *queue, const char *data, size_t length, int error);

/* Lines were dropped, and nothing follows: say so. */
void log_queue_say_dropped(struct log_queue *queue);

/* The last line has no end: give it one. */
void log_queue_end_line(struct log_queue *queue);

/* May these bytes go straight to the target, without the queue? They are noted then. */
bool log_queue_is_passed(const struct log_queue *queue);
void log_queue_pass(struct log_queue *queue, const char *data, size_t length);

/* The target took so many. */
void log_queue_take(struct log_queue *queue, size_t length);

void log_queue_free(struct log_queue *queue);

/* ---- log_file.c: the file itself, in the writer ------------------------------------------ */

struct log_file {
    const struct log_settings *settings;
    struct os_log out;
    int64_t line;       /* bytes of the line at its end that is not finished */
    int64_t checked_ms; /* when the name was last looked at */
    int64_t rotate_ms;  /* a rotation failed: not again before that */
    bool reopen;        /* as soon as a line has its end */
    bool was_rotated;   /* for whoever asks, and then says false */
    int trouble;        /* of the last rotation; a negative errno */
};

void log_file_init(struct log_file *file, const struct log_settings *settings);

/*
 * Append, and rotate between lines.
 *
 * flush:     also a line at the end that is not finished.
 * ret_count: how many bytes are in the file, also on failure.
 * Returns:   0; a negative errno: try the rest again later.
 */
int log_file_put(struct log_file *file, const char *data, size_t length, bool flush, int64_t now_ms,
                 size_t *ret_count);

void log_file_close(struct log_file *file);

/* ---- log_rotate.c: NAME.1, NAME.2.gz ... ------------------------------------------------- */

#define LOG_PATH_MAX (OS_PATH_MAX + 32)

/* NAME, NAME.1 ...; number 0: NAME. suffix: ".gz", or "". -ENAMETOOLONG. */
int log_rotated_name(const char *path, int number, const char *suffix, char *buf);

/* Make NAME free: what stands there becomes NAME.1, or goes where keep is 0. */
int log_rotate(const struct log_settings *settings);

/* Compress the next rotated file in the background, where there is one and none is under way. */
struct log_compression {
    struct os_child child; /* pid 0: none is under way */
    struct os_file_id source;
};

int log_compress_next(struct log_compression *compression, const struct log_settings *settings);

/* Its end has come, or is made to. */
int log_compress_end(struct log_compression *compression, const struct log_settings *settings,
                     bool kill_it);

/* ---- log_writer.c: the process that writes the file -------------------------------------- */

struct log_writer {
    intptr_t feed[2]; /* both kept here: a writer that was killed loses nothing that is in it */
    intptr_t control;
    int64_t pid;      /* 0: none */
    int64_t retry_ms; /* not started again before that; -1: no need to */
    int64_t delay_ms;
    int error; /* its last word */
    bool is_ending;
};

void log_writer_init(struct log_writer *writer);
int log_writer_open(struct log_writer *writer);
void log_writer_close(struct log_writer *writer);

/* Start it where it is needed and none is there. input: what it takes when we are dead. */
void log_writer_start(struct log_writer *writer, const struct log_settings *settings,
                      intptr_t input, int64_t now_ms);

/* All is in the feed. It is idle as soon as all was written. */
void log_writer_end(struct log_writer *writer);
bool log_writer_is_idle(const struct log_writer *writer);
void log_writer_ended(struct log_writer *writer, int64_t now_ms);
void log_writer_reopen(const struct log_writer *writer);
int log_writer_error(struct log_writer *writer);

/* ---- log_helper.c: what that process does ------------------------------------------------ */

enum log_order {
    LOG_ORDER_REOPEN = 'r',
    LOG_ORDER_END = 'e', /* all is in the feed */
};

struct log_helper_handles {
    intptr_t feed, control, input;
};

/*
 * Write what is in the feed until the order to end, or until nothing came for a while. Where the
 * feed ends without an order, the supervisor is dead: on with the server's own pipe, to its end.
 * Returns: the exit status.
 */
int log_helper_run(const struct log_settings *settings, const struct log_helper_handles *handles);

/* ---- log_datagram.c: syslog and the journal ---------------------------------------------- */

struct log_datagram {
    intptr_t handle;
    const char *path;
    int64_t retry_ms; /* -1: no need to */
    int64_t delay_ms;
    int error;
};

void log_datagram_init(struct log_datagram *datagram, enum log_target target);

/* Send the first line: how many bytes that are; -EAGAIN not now, or there is no whole line. */
int64_t log_datagram_send(struct log_datagram *datagram, const struct log_settings *settings,
                          const char *data, size_t length, int64_t now_ms);

void log_datagram_close(struct log_datagram *datagram);

/* ---- log.c and log_step.c ---------------------------------------------------------------- */

struct log {
    struct log_settings settings;
    intptr_t input, output;
    struct log_queue queue;
    struct log_lines lines;
    struct log_writer writer;
    struct log_datagram datagram;
    int64_t look_ms;  /* when to look whether the target stands still */
    int looks;        /* how often it did, since it last took something */
    int64_t drain_ms; /* the end must have come by then; -1: no end in sight */
    bool is_stuck;    /* it stands still: the server comes first */
    bool is_wide;     /* its pipes are, since it says much */
    bool is_read_out; /* nothing more was there when it was read last */
    bool is_ending;   /* drained, all was handed on */
    bool is_done;
};

bool log_is_datagram(const struct log *log);

/* Has the target something to take? To a datagram belongs a whole line. */
bool log_is_waiting(const struct log *log);

/* Is there room for what the server says? */
bool log_may_read(const struct log *log);

#endif
