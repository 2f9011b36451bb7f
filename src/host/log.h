/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a supervised server's output goes. The server writes into a pipe, and its supervisor, who
 * sleeps in one os_wait, calls log_step when a source is ready or the deadline has come:
 *
 *     log_open                                    -> log
 *     fork the server on log_output               as often as it is restarted
 *     os_wait on log_sources, log_deadline        beside what else the supervisor waits for
 *         log_step                                whenever it wakes
 *         log_child_ended                         for each child that it reaps
 *     log_drain, and on until log_is_done         the server is dead for good
 *     log_free
 *
 * Nothing here waits. Only to `target = file` a file system may be slow or stand still: a helper
 * process, the writer, does everything that touches one.
 */
#ifndef VORTEX_LOG_H
#define VORTEX_LOG_H

#include "host/config.h"
#include "os/os.h"

#define LOG_SOURCES_MAX 2
#define LOG_TAIL_LINES  20
#define LOG_TAIL_SIZE   8192 /* of what is kept for log_tail, and of a watched line */

/* Strings belong to the caller, who keeps them until log_free. */
struct log_settings {
    enum log_target target;
    const char *name; /* the instance's: the tag in syslog and journal */
    const char *file; /* absolute; of LOG_FILE */
    int64_t max_size; /* of LOG_FILE, bytes; 0: it is never rotated */
    int keep;         /* how many rotated files are kept */
    enum log_compress compress;
    bool timestamps;
    bool outlives; /* the server may outlive its supervisor: then the writer takes its output */
};

struct log;

/* What a configuration says. */
struct log_settings log_settings_of(const struct config *config, const char *name);

/*
 * Open it. A log file that can't be opened is a failure here, and only here.
 * Returns: 0; a negative errno, and *ret_why is a static text: what failed.
 */
int log_open(const struct log_settings *settings, struct log **ret, const char **ret_why);

/* NULL is fine. What was not written yet is lost, but for what the writer has. Returns NULL. */
struct log *log_free(struct log *log);

/*
 * What the server's standard output and error are to be. It stays open and the log's, so that a
 * restart finds it. OS_NONE: they stay what they are (LOG_INHERIT).
 */
intptr_t log_output(const struct log *log);

/*
 * What to wait for: how many of at most LOG_SOURCES_MAX. The server's output is among them only
 * while there is room for it.
 */
size_t log_sources(const struct log *log, struct os_source *ret_sources);

/* When to call log_step at the latest, as os_wait takes it; -1: no such time. */
int64_t log_deadline(const struct log *log);

/* Do what can be done now. now_ms: as os_monotonic_ms counts. */
void log_step(struct log *log, int64_t now_ms);

/* The file was renamed, syslog was restarted: open it anew. For HUP. */
void log_reopen(struct log *log);

/* The writer's pid, 0 while there is none. It comes and goes, and must not be killed by a stop. */
int64_t log_child(const struct log *log);

/* A child of the supervisor has ended. Was it the log's? */
bool log_child_ended(struct log *log, int64_t pid, int64_t now_ms);

/*
 * The server is dead for good: take what is still in the pipe, and end. Until log_is_done, go on
 * as before; it takes two seconds at most.
 */
void log_drain(struct log *log, int64_t now_ms);
bool log_is_done(const struct log *log);

/* What is wrong with the target at present, 0 where nothing is: a negative errno. */
int log_error(struct log *log);

/* ---- What the server said ---------------------------------------------------------------- */

/*
 * The last LOG_TAIL_LINES lines, of at most LOG_TAIL_SIZE bytes, with a NUL.
 * Returns: how many bytes without the NUL.
 */
size_t log_tail(const struct log *log, char *buf, size_t size);

/* Forget them: a new server begins. */
void log_tail_forget(struct log *log);

/*
 * From now on log_next_line gives each line, one after the other; or no longer. While it does,
 * take all lines after each log_step. -ENOMEM.
 */
int log_watch_lines(struct log *log, bool watch);

/* The next line without its newline, cut to fit; false: there is none yet. */
bool log_next_line(struct log *log, char *buf, size_t size);

/* ---- Reading a log file: `vortex logs` --------------------------------------------------- */

struct log_reader;

/*
 * Start at the last lines of a file, and of the rotated ones before it where it has fewer.
 * Compressed ones are passed over. Free it with log_reader_free, also while a read goes on.
 *
 * missing_ok: a file that is not there yet is none; it is waited for by reading again.
 * Returns:    0; -ENOENT; -EACCES; -EMEDIUMTYPE not a regular file; -ENOMEM.
 */
int log_reader_open(const char *path, int64_t lines, bool missing_ok, struct log_reader **ret);

/*
 * What comes next, across a rotation: how many bytes; 0 nothing more for now, ask again later; a
 * negative errno.
 */
int64_t log_reader_read(struct log_reader *reader, char *buf, size_t size);

struct log_reader *log_reader_free(struct log_reader *reader);

#endif
