/* SPDX-License-Identifier: Apache-2.0 */
/* What only a whole configuration says: which keys go together, and what asks for a supervisor. */
#include "host/reading.h"

/* The line where a key was given; 0: it was not. */
static unsigned
line_of(const struct reader *reader, const char *section, const char *name)
{
    const struct key *key = key_named(section, name);

    return key ? reader->given[key - config_keys] : 0;
}

/* One place for the output. What can't be is said of the lower line. */
static int
settle_log(struct reader *reader)
{
    struct config *config = &reader->config;
    unsigned plain = line_of(reader, "server", "log"), file = line_of(reader, "log", "file"),
             target = line_of(reader, "log", "target");
    int error = 0;

    if (plain && (file || target)) {
        unsigned other = file ? file : target;

        error = SAY(reader, plain > other ? plain : other,
                    "the output has one place: keep 'log' in [server], or %s in [log]",
                    file ? "'file'" : "'target'");
    }
    if (!error && config->log_target == LOG_FILE && !file)
        error = SAY(reader, target, "'target = file' needs a 'file' in [log]");
    if (!error && config->log_target > LOG_FILE && file)
        error = SAY(reader, file > target ? file : target,
                    "the output has one place: keep 'file', or 'target' without it");
    if (config->log_target == LOG_UNSAID)
        config->log_target = file ? LOG_FILE : LOG_INHERIT;
    if (!error && conditions_have(&config->ready, CONDITION_LOG) && !plain
        && (config->log_target == LOG_INHERIT || config->log_target == LOG_NONE))
        error = SAY(reader, line_of(reader, "ready", "when"),
                    "'when': log: reads the output on its way to a log: say 'file' in [log]");
    return error;
}

static int
settle_io(struct reader *reader)
{
    struct config *config = &reader->config;

    if (config->io_priority < 0)
        return 0;
    if (config->io_class == OS_IO_KEEP)
        config->io_class = OS_IO_BEST_EFFORT;
    if (config->io_class == OS_IO_REALTIME || config->io_class == OS_IO_BEST_EFFORT)
        return 0;
    return SAY(reader, line_of(reader, "server", "io-scheduling-priority"),
               "'io-scheduling-priority' goes with 'io-scheduling-class = realtime' or "
               "best-effort: take it out");
}

/* ---- With a supervisor or without one ---------------------------------------------------- */

const char *
beyond_exec(const struct config *config)
{
    if (config->supervise == SUPERVISE_YES)
        return "[server] supervise";
    if (config->log_target != LOG_UNSAID && config->log_target != LOG_INHERIT)
        return "[log]";
    if (config->ready.count > 0)
        return "[ready] when";
    if (config->health.count > 0)
        return "[health] check";
    if (config->sequence[0].signal != 0)
        return "[stop] sequence";
    if (config->stop_command != NULL)
        return "[stop] command";
    if (config->reload_command != NULL)
        return "[reload] command";
    if (config->store_max > 0)
        return "[server] file-descriptor-store-max";
    if (config_maps_signals(config))
        return "[signal]";
    for (size_t i = 0; i < HOOKS; i++)
        if (config->hooks[i] != NULL)
            return "[hook]";
    return NULL;
}

/* What the server says by itself reaches the service manager without us. */
static bool
is_servers_own_word(const struct conditions *conditions)
{
    for (size_t i = 0; i < conditions->count; i++)
        if (conditions->list[i].kind > CONDITION_NOTIFY)
            return false;
    return true;
}

/* Nobody would do it, and nobody would notice. */
static int
settle_supervise(struct reader *reader)
{
    struct config config = reader->config;
    const char *reason;

    if (config.supervise != SUPERVISE_NO)
        return 0;
    if (is_servers_own_word(&config.ready))
        config.ready.count = 0;
    reason = beyond_exec(&config);
    if (!reason && config.restart.policy != RESTART_NO)
        reason = "[restart] policy";
    return reason ? SAY(reader, line_of(reader, "server", "supervise"),
                        "'supervise = no' leaves nobody to do what %s asks for: take one of the "
                        "two out",
                        reason)
                  : 0;
}

/* What is stored gets the numbers from 3 on. */
static int
settle_store(struct reader *reader)
{
    const struct conditions *ready = &reader->config.ready;
    int end = 3 + reader->config.store_max;

    for (size_t i = 0; i < ready->count; i++)
        if (ready->list[i].kind == CONDITION_FD && ready->list[i].fd < end)
            return SAY(reader, line_of(reader, "ready", "when"),
                       "'when = fd:%d' may be the number of a stored descriptor: take one from %d "
                       "on",
                       ready->list[i].fd, end);
    return 0;
}

int
config_settle(struct reader *reader)
{
    int error = settle_log(reader);

    if (!error)
        error = settle_io(reader);
    if (!error)
        error = settle_store(reader);
    return error ? error : settle_supervise(reader);
}
