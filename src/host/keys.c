/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/reading.h"
#include "os/os.h"

enum {
    ASKED_ONLY = 1, /* min of a key that set_condition sets */
};

/* ---- Values ------------------------------------------------------------------------------ */

void *
key_field(struct reader *reader, const struct key *key)
{
    return (char *)&reader->config + key->field;
}

/* What %p stands for where that key is: in [pidfile] for nothing, it is about to be said. */
static const char *
pidfile_for(const struct reader *reader, const struct key *key)
{
    return strcmp(key->section, "pidfile") == 0 ? NULL : reader->pidfile;
}

int
key_expand(struct reader *reader, const struct key *key, unsigned line, const char *value,
           char **ret_text)
{
    const char *why;
    int error =
        words_expand(value, reader->source->instance, pidfile_for(reader, key), ret_text, &why);

    return error == -EINVAL ? SAY(reader, line, "'%s': %s", key->name, why) : error;
}

int
key_split(struct reader *reader, const struct key *key, const struct ini_entry *entry,
          char ***ret_words)
{
    const char *why;
    int error = words_split(entry->value, reader->source->instance, pidfile_for(reader, key),
                            ret_words, &why);

    return error == -EINVAL ? SAY(reader, entry->line, "'%s': %s", key->name, why) : error;
}

static int
set_text(struct reader *reader, const struct key *key, const struct ini_entry *entry)
{
    return key_expand(reader, key, entry->line, entry->value, key_field(reader, key));
}

static int
set_path(struct reader *reader, const struct key *key, const struct ini_entry *entry)
{
    char **path = key_field(reader, key);
    int error = set_text(reader, key, entry);

    return !error && *path && !os_path_is_absolute(*path) ? -EINVAL : error;
}

static int
set_command(struct reader *reader, const struct key *key, const struct ini_entry *entry)
{
    char ***command = key_field(reader, key);
    int error = key_split(reader, key, entry, command);

    if (!error && *command && (!**command || ***command == '\0'))
        return SAY(reader, entry->line, "'%s' names no program: write the program first",
                   key->name);
    return error;
}

static int
store_number(struct reader *reader, const struct key *key, const char *value, int base)
{
    int *field = key_field(reader, key);
    int64_t number;

    if (integer_parse(value, base, key->min, key->max, &number))
        return -EINVAL;
    *field = (int)number;
    return 0;
}

int
set_number(struct reader *reader, const struct key *key, const struct ini_entry *entry)
{
    return store_number(reader, key, entry->value, 10);
}

static int
set_umask(struct reader *reader, const struct key *key, const struct ini_entry *entry)
{
    return store_number(reader, key, entry->value, 8);
}

int
set_boolean(struct reader *reader, const struct key *key, const struct ini_entry *entry)
{
    bool *truth = key_field(reader, key);
    int choice = words_choose(entry->value, "no yes false true off on 0 1");

    if (choice < 0)
        return choice;
    *truth = choice % 2 == 1;
    return 0;
}

static int
set_signal(struct reader *reader, const struct key *key, const struct ini_entry *entry)
{
    int *number = key_field(reader, key);
    int signal = os_signal_number(entry->value);

    if (signal <= 0)
        return -EINVAL;
    *number = signal;
    return 0;
}

static int
set_duration(struct reader *reader, const struct key *key, const struct ini_entry *entry)
{
    return duration_parse(entry->value, key_field(reader, key)) ? -EINVAL : 0;
}

/* A time that comes: at least key->min ms, and not for ever. */
static int
set_period(struct reader *reader, const struct key *key, const struct ini_entry *entry)
{
    int *field = key_field(reader, key);
    int ms;

    if (duration_parse(entry->value, &ms) || ms < key->min)
        return -EINVAL;
    *field = ms;
    return 0;
}

/* Add it to the list; only what can be asked where the key says so by its min. */
static int
set_condition(struct reader *reader, const struct key *key, const struct ini_entry *entry)
{
    struct conditions *conditions = key_field(reader, key);
    struct condition condition;
    const char *why;
    int error;

    if (conditions->count == CONDITIONS_MAX)
        return SAY(reader, entry->line, "'%s' is given too often: at most %d times", key->name,
                   CONDITIONS_MAX);
    error = condition_parse(entry->value, reader->source->instance, pidfile_for(reader, key),
                            &condition, &why);
    if (error == -EINVAL)
        return SAY(reader, entry->line, "'%s': %s", key->name, why);
    if (error)
        return error;
    if (key->min == ASKED_ONLY && !condition_is_asked(&condition)) {
        condition_free(&condition);
        return SAY(reader, entry->line,
                   "'%s': '%s' can't be asked again and again: write tcp:HOST:PORT, unix:PATH, "
                   "http://..., file:PATH or exec:COMMAND",
                   key->name, entry->value);
    }
    return conditions_add(conditions, &condition);
}

static int
set_action(struct reader *reader, const struct key *key, const struct ini_entry *entry)
{
    enum health_action *action = key_field(reader, key);
    int choice = words_choose(entry->value, "restart stop none");

    if (choice < 0)
        return choice;
    *action = (enum health_action)(HEALTH_RESTART + choice);
    return 0;
}

static int
set_size(struct reader *reader, const struct key *key, const struct ini_entry *entry)
{
    int64_t *size = key_field(reader, key), bytes = 0;

    if (strcmp(entry->value, "none") != 0
        && (size_parse(entry->value, &bytes) || bytes < key->min || bytes > key->max))
        return -EINVAL;
    *size = bytes;
    return 0;
}

static int
set_target(struct reader *reader, const struct key *key, const struct ini_entry *entry)
{
    enum log_target *target = key_field(reader, key);
    int choice = words_choose(entry->value, "file inherit none syslog journal");

    if (choice < 0)
        return choice;
    *target = (enum log_target)(LOG_FILE + choice);
    return 0;
}

static int
set_compress(struct reader *reader, const struct key *key, const struct ini_entry *entry)
{
    enum log_compress *compress = key_field(reader, key);
    int choice = words_choose(entry->value, "no gzip zstd");

    if (choice < 0)
        return choice;
    *compress = (enum log_compress)(LOG_PLAIN + choice);
    return 0;
}

/* ---- Keys -------------------------------------------------------------------------------- */

#define FIELD(name) offsetof(struct config, name)
#define PATH        "an absolute path"
#define COUNT       "a number or infinity, or two such as 1024:4096"
#define BYTES       "a size such as 16M or infinity, or two such as 16M:1G"
#define CPU_TIME    "a time such as 10s or infinity, or two such as 10s:1m"
#define NICE        "+N or -N as nice has it, a number from 0 to 40, or two such as 0:-5"
#define BOOLEAN     "yes or no"
#define SIGNAL      "a signal's name such as TERM"
#define DURATION    "a time of at most 24 days such as 30s, 1m 30s or infinity"
#define SOME_TIME   "a time of 1ms to 24 days such as 10s"
#define SIZE        "a size from 1K such as 64K, 10M or 1G, or none"
#define ACTION      "a signal's name such as TERM, or ignore, reload or stop"
#define TARGET      "file, inherit, none, syslog or journal"

/*
 * The table holds no pointers: with those, as many pages as it fills would be each process's own,
 * for as long as a supervisor lives. So setters are numbered.
 */
#define SETTERS(X)                                                                                 \
    X(set_command), X(set_path), X(set_text), X(set_umask), X(set_environment),                    \
        X(set_environment_file), X(set_groups), X(set_limit), X(set_number), X(set_oom),           \
        X(set_io_class), X(set_io_priority), X(set_cpus), X(set_no_new_privileges),                \
        X(set_supervise), X(set_keep), X(set_boolean), X(set_condition), X(set_duration),          \
        X(set_period), X(set_stranger), X(set_action), X(set_signal), X(set_sequence),             \
        X(set_policy), X(set_delays), X(set_rate), X(set_codes), X(set_signal_action),             \
        X(refuse_signal), X(set_size), X(set_compress), X(set_target)

#define BY(set)     NUMBER_OF_##set
#define ITSELF(set) set

enum { SETTERS(BY) };

static key_setter *const setters[] = {SETTERS(ITSELF)};

const struct key config_keys[] = {
    {"server", "command", BY(set_command), false, FIELD(command), "", 0, 0},
    {"server", "directory", BY(set_path), false, FIELD(directory), PATH, 0, 0},
    {"server", "user", BY(set_text), false, FIELD(user), "", 0, 0},
    {"server", "group", BY(set_text), false, FIELD(group), "", 0, 0},
    {"server", "umask", BY(set_umask), false, FIELD(umask), "an octal number up to 0777", 0, 0777},
    {"server", "environment", BY(set_environment), true, 0, "", 0, 0},
    {"server", "environment-file", BY(set_environment_file), true, 0, PATH, 0, 0},
    {"server", "supplementary-groups", BY(set_groups), true, FIELD(groups), "", 0, 0},
    {"server", "limit-cpu", BY(set_limit), false, FIELD(limits[OS_LIMIT_CPU]), CPU_TIME, 0, 0},
    {"server", "limit-fsize", BY(set_limit), false, FIELD(limits[OS_LIMIT_FSIZE]), BYTES, 0, 0},
    {"server", "limit-data", BY(set_limit), false, FIELD(limits[OS_LIMIT_DATA]), BYTES, 0, 0},
    {"server", "limit-stack", BY(set_limit), false, FIELD(limits[OS_LIMIT_STACK]), BYTES, 0, 0},
    {"server", "limit-core", BY(set_limit), false, FIELD(limits[OS_LIMIT_CORE]), BYTES, 0, 0},
    {"server", "limit-rss", BY(set_limit), false, FIELD(limits[OS_LIMIT_RSS]), BYTES, 0, 0},
    {"server", "limit-nofile", BY(set_limit), false, FIELD(limits[OS_LIMIT_NOFILE]), COUNT, 0, 0},
    {"server", "limit-as", BY(set_limit), false, FIELD(limits[OS_LIMIT_AS]), BYTES, 0, 0},
    {"server", "limit-nproc", BY(set_limit), false, FIELD(limits[OS_LIMIT_NPROC]), COUNT, 0, 0},
    {"server", "limit-memlock", BY(set_limit), false, FIELD(limits[OS_LIMIT_MEMLOCK]), BYTES, 0, 0},
    {"server", "limit-locks", BY(set_limit), false, FIELD(limits[OS_LIMIT_LOCKS]), COUNT, 0, 0},
    {"server", "limit-sigpending", BY(set_limit), false, FIELD(limits[OS_LIMIT_SIGPENDING]), COUNT,
     0, 0},
    {"server", "limit-msgqueue", BY(set_limit), false, FIELD(limits[OS_LIMIT_MSGQUEUE]), BYTES, 0,
     0},
    {"server", "limit-nice", BY(set_limit), false, FIELD(limits[OS_LIMIT_NICE]), NICE, 0, 0},
    {"server", "limit-rtprio", BY(set_limit), false, FIELD(limits[OS_LIMIT_RTPRIO]), COUNT, 0, 0},
    {"server", "limit-rttime", BY(set_limit), false, FIELD(limits[OS_LIMIT_RTTIME]), CPU_TIME, 0,
     0},
    {"server", "nice", BY(set_number), false, FIELD(nice), "a number from -20 to 19", -20, 19},
    {"server", "oom-score-adjust", BY(set_oom), false, FIELD(oom_score_adjust),
     "a number from -1000 to 1000", -1000, 1000},
    {"server", "io-scheduling-class", BY(set_io_class), false, FIELD(io_class),
     "none, realtime, best-effort or idle", 0, 0},
    {"server", "io-scheduling-priority", BY(set_io_priority), false, FIELD(io_priority),
     "a number from 0, the highest, to 7", 0, 7},
    {"server", "cpu-affinity", BY(set_cpus), true, FIELD(cpus),
     "processors from 0 to 8191 such as 0-3 5", 0, 0},
    {"server", "no-new-privileges", BY(set_no_new_privileges), false, FIELD(no_new_privileges),
     BOOLEAN, 0, 0},
    {"server", "log", BY(set_path), false, FIELD(log), PATH, 0, 0},
    {"server", "supervise", BY(set_supervise), false, FIELD(supervise), "auto, yes or no", 0, 0},
    {"server", "on-supervisor-death", BY(set_keep), false, FIELD(outlives_supervisor),
     "kill or keep", 0, 0},
    {"server", "file-descriptor-store-max", BY(set_number), false, FIELD(store_max),
     "a number from 0 to 128", 0, OS_STORED_MAX},
    {"pidfile", "path", BY(set_path), false, FIELD(pidfile), PATH, 0, 0},
    {"pidfile", "inherit-lock", BY(set_boolean), false, FIELD(inherit_lock), BOOLEAN, 0, 0},
    {"pidfile", "allow-remote", BY(set_boolean), false, FIELD(allow_remote), BOOLEAN, 0, 0},
    {"ready", "when", BY(set_condition), true, FIELD(ready), "", 0, 0},
    {"ready", "timeout", BY(set_duration), false, FIELD(ready_timeout_ms), DURATION, 0, 0},
    {"ready", "interval", BY(set_period), false, FIELD(ready_interval_ms), SOME_TIME, 1, 0},
    {"ready", "stranger", BY(set_stranger), false, FIELD(allows_stranger), "refuse or allow", 0, 0},
    {"health", "check", BY(set_condition), true, FIELD(health), "", ASKED_ONLY, 0},
    {"health", "interval", BY(set_period), false, FIELD(health_interval_ms), SOME_TIME, 1, 0},
    {"health", "timeout", BY(set_period), false, FIELD(health_timeout_ms), SOME_TIME, 1, 0},
    {"health", "failures", BY(set_number), false, FIELD(health_failures), "a number from 1 to 1000",
     1, 1000},
    {"health", "start-period", BY(set_period), false, FIELD(health_start_period_ms),
     "a time of at most 24 days such as 30s", 0, 0},
    {"health", "action", BY(set_action), false, FIELD(health_action), "restart, stop or none", 0,
     0},
    {"stop", "signal", BY(set_signal), false, FIELD(stop_signal), SIGNAL, 0, 0},
    {"stop", "timeout", BY(set_duration), false, FIELD(stop_timeout_ms), DURATION, 0, 0},
    {"stop", "sequence", BY(set_sequence), false, FIELD(sequence),
     "at most 8 steps such as 'TERM 20s, KILL 5s'", 0, 0},
    {"stop", "command", BY(set_command), false, FIELD(stop_command), "", 0, 0},
    {"restart", "policy", BY(set_policy), false, FIELD(restart.policy), "no, on-failure or always",
     0, 0},
    {"restart", "delay", BY(set_delays), false, FIELD(restart), "one time, or two such as 1s..60s",
     0, 0},
    {"restart", "reset-after", BY(set_duration), false, FIELD(restart.reset_after_ms), DURATION, 0,
     0},
    {"restart", "limit", BY(set_rate), false, FIELD(restart),
     "none, or restarts (at most 1000) in a time, such as 5/10m", 0, 0},
    {"restart", "no-restart-on", BY(set_codes), false, FIELD(restart),
     "at most 32 exit statuses from 0 to 255, between blanks", 0, 0},
    {"signal", "INT", BY(set_signal_action), false, FIELD(signals[SIGNAL_INT]), ACTION, 0, 0},
    {"signal", "QUIT", BY(set_signal_action), false, FIELD(signals[SIGNAL_QUIT]), ACTION, 0, 0},
    {"signal", "USR1", BY(set_signal_action), false, FIELD(signals[SIGNAL_USR1]), ACTION, 0, 0},
    {"signal", "USR2", BY(set_signal_action), false, FIELD(signals[SIGNAL_USR2]), ACTION, 0, 0},
    {"signal", "WINCH", BY(set_signal_action), false, FIELD(signals[SIGNAL_WINCH]), ACTION, 0, 0},
    {"signal", "TERM", BY(refuse_signal), false, 0, "", 0, 0},
    {"signal", "HUP", BY(refuse_signal), false, 0, "", 0, 0},
    {"log", "file", BY(set_path), false, FIELD(log_file), PATH, 0, 0},
    {"log", "max-size", BY(set_size), false, FIELD(log_max_size), SIZE, 1024, (int64_t)1 << 50},
    {"log", "keep", BY(set_number), false, FIELD(log_keep), "a number from 0 to 1000", 0, 1000},
    {"log", "compress", BY(set_compress), false, FIELD(log_compress), "no, gzip or zstd", 0, 0},
    {"log", "timestamps", BY(set_boolean), false, FIELD(log_timestamps), BOOLEAN, 0, 0},
    {"log", "target", BY(set_target), false, FIELD(log_target), TARGET, 0, 0},
    {"reload", "signal", BY(set_signal), false, FIELD(reload_signal), SIGNAL, 0, 0},
    {"reload", "command", BY(set_command), false, FIELD(reload_command), "", 0, 0},
    {"reload", "timeout", BY(set_duration), false, FIELD(reload_timeout_ms), DURATION, 0, 0},
    {"hook", "pre-start", BY(set_command), false, FIELD(hooks[HOOK_PRE_START]), "", 0, 0},
    {"hook", "post-start", BY(set_command), false, FIELD(hooks[HOOK_POST_START]), "", 0, 0},
    {"hook", "pre-stop", BY(set_command), false, FIELD(hooks[HOOK_PRE_STOP]), "", 0, 0},
    {"hook", "post-stop", BY(set_command), false, FIELD(hooks[HOOK_POST_STOP]), "", 0, 0},
    {"hook", "timeout", BY(set_duration), false, FIELD(hook_timeout_ms), DURATION, 0, 0},
    {.section = ""},
};

static_assert(sizeof config_keys / sizeof *config_keys <= KEYS_MAX, "reader.given is too small");
static_assert(sizeof(struct config) <= UINT16_MAX, "key.field is too small");

const struct key *
key_named(const char *section, const char *name)
{
    for (const struct key *key = config_keys; key->section[0]; key++)
        if (strcmp(key->section, section) == 0 && strcmp(key->name, name) == 0)
            return key;
    return NULL;
}

int
key_set(struct reader *reader, const struct key *key, const struct ini_entry *entry)
{
    return setters[key->setter](reader, key, entry);
}

const char *
config_limit_key(enum os_limit_kind kind)
{
    const struct key *key = config_keys;

    while (key->field != FIELD(limits) + (size_t)kind * sizeof(struct os_limit))
        key++;
    return key->name;
}
