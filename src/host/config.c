/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/reading.h"
#include "os/os.h"

/* ---- One entry --------------------------------------------------------------------------- */

/* The sections that have keys, once each, in the keys' order; ends with NULL. */
static void
list_sections(const char *names[KEYS_MAX])
{
    size_t count = 0;

    for (const struct key *key = config_keys; key->section[0]; key++)
        if (count == 0 || strcmp(names[count - 1], key->section) != 0)
            names[count++] = key->section;
    names[count] = NULL;
}

static bool
is_section(const char *name)
{
    for (const struct key *key = config_keys; key->section[0]; key++)
        if (strcmp(key->section, name) == 0)
            return true;
    return false;
}

static int
say_unknown_section(struct reader *reader, const struct ini_entry *entry)
{
    const char *names[KEYS_MAX];
    const char *meant;
    char all[256] = "";
    size_t length = 0;

    list_sections(names);
    meant = nearest(entry->section, names);
    if (meant)
        return SAY(reader, entry->line, "unknown section [%s]: did you mean [%s]?", entry->section,
                   meant);
    for (size_t i = 0; names[i] && length < sizeof all; i++)
        length += (size_t)snprintf(all + length, sizeof all - length, " [%s]", names[i]);
    return SAY(reader, entry->line, "unknown section [%s]: there are%s", entry->section, all);
}

enum {
    HOMES_MAX = 128, /* room for the names of all sections with " or " between them */
};

/* Name the sections which have that key, as "[stop] or [reload]"; false: there are none. */
static bool
find_homes(const char *name, char homes[HOMES_MAX])
{
    int length = 0;

    for (const struct key *key = config_keys; key->section[0]; key++)
        if (strcmp(key->name, name) == 0 && length < HOMES_MAX)
            length += snprintf(homes + length, (size_t)(HOMES_MAX - length), "%s[%s]",
                               length > 0 ? " or " : "", key->section);
    return length > 0;
}

/* The nearest key of a section; NULL: of any. */
static const char *
nearest_key(const char *name, const char *section)
{
    const char *names[KEYS_MAX] = {NULL};
    size_t count = 0;

    for (const struct key *key = config_keys; key->section[0]; key++)
        if (!section || strcmp(key->section, section) == 0)
            names[count++] = key->name;
    return nearest(name, names);
}

static int
say_unknown_key(struct reader *reader, const struct ini_entry *entry)
{
    const char *name = entry->key, *section = entry->section, *meant;
    char homes[HOMES_MAX];

    if (find_homes(name, homes))
        return SAY(reader, entry->line, "unknown key '%s' in [%s]: it belongs in %s", name, section,
                   homes);
    meant = nearest_key(name, section);
    if (meant)
        return SAY(reader, entry->line, "unknown key '%s' in [%s]: did you mean '%s'?", name,
                   section, meant);
    meant = nearest_key(name, NULL);
    if (meant && find_homes(meant, homes))
        return SAY(reader, entry->line, "unknown key '%s' in [%s]: did you mean '%s' in %s?", name,
                   section, meant, homes);
    return SAY(reader, entry->line, "unknown key '%s' in [%s]: see vortex.conf(5) for its keys",
               name, section);
}

static int
say_homeless(struct reader *reader, const struct ini_entry *entry)
{
    char homes[HOMES_MAX];

    return SAY(reader, entry->line, "'%s' stands before any section: put %s above it", entry->key,
               find_homes(entry->key, homes) ? homes : "its [SECTION]");
}

static const struct key *
find_key(const struct ini_entry *entry)
{
    return entry->section && entry->key ? key_named(entry->section, entry->key) : NULL;
}

/* FNV-1a: told apart later, never shown. */
static void
note_said(uint64_t *said, const char *value)
{
    uint64_t hash = *said ? *said : UINT64_C(14695981039346656037);

    for (;; value++) {
        hash = (hash ^ (unsigned char)*value) * UINT64_C(1099511628211);
        if (*value == '\0')
            break;
    }
    *said = hash;
}

static int
take_value(struct reader *reader, const struct key *key, const struct ini_entry *entry)
{
    unsigned *given = &reader->given[key - config_keys];
    int error;

    if (*given && !key->repeats)
        return SAY(reader, entry->line, "'%s' stands already at line %u: keep one", key->name,
                   *given);
    *given = entry->line;
    note_said(&reader->config.said[key - config_keys], entry->value);
    if (*entry->value == '\0')
        return SAY(reader, entry->line, "'%s' has no value: give it one, or take the line out",
                   key->name);
    error = key_set(reader, key, entry);
    if (error == -EINVAL)
        return SAY(reader, entry->line, "'%s' must be %s, not '%s'", key->name, key->expected,
                   entry->value);
    return error;
}

static int
take_entry(struct reader *reader, const struct ini_entry *entry)
{
    const struct key *key;

    if (entry->mistake)
        return SAY(reader, entry->line, "%s", entry->mistake);
    if (!entry->section)
        return say_homeless(reader, entry);
    if (!is_section(entry->section))
        return entry->key ? 0 : say_unknown_section(reader, entry);
    if (!entry->key)
        return 0;
    key = find_key(entry);
    return key ? take_value(reader, key, entry) : say_unknown_key(reader, entry);
}

/* ---- The whole --------------------------------------------------------------------------- */

void
config_init(struct config *config)
{
    *config = (struct config){
        .umask = -1,
        .io_priority = -1,
        .nice = OS_NICE_KEEP,
        .oom_score_adjust = OS_OOM_KEEP,
        .inherit_lock = true,
        .ready_timeout_ms = 90000,
        .ready_interval_ms = 1000,
        .health_interval_ms = 10000,
        .health_timeout_ms = 5000,
        .health_failures = 3,
        .health_action = HEALTH_RESTART,
        .log_max_size = (int64_t)10 << 20,
        .log_keep = 5,
        .stop_signal = os_signal_number("TERM"),
        .stop_timeout_ms = 30000,
        .reload_signal = os_signal_number("HUP"),
        .reload_timeout_ms = 90000,
        .hook_timeout_ms = 30000,
        .restart = {.delay_min_ms = 1000, .delay_max_ms = 60000, .reset_after_ms = 600000},
    };
}

void
config_free(struct config *config)
{
    words_free(config->command);
    words_free(config->environment);
    words_free(config->groups);
    conditions_free(&config->ready);
    conditions_free(&config->health);
    words_free(config->stop_command);
    words_free(config->reload_command);
    for (size_t i = 0; i < HOOKS; i++)
        words_free(config->hooks[i]);
    free(config->directory);
    free(config->user);
    free(config->group);
    free(config->log);
    free(config->log_file);
    free(config->pidfile);
    free(config->cpus);
    config_init(config);
}

static bool
is_pidfile_path(const struct ini_entry *entry)
{
    const struct key *key = entry->mistake ? NULL : find_key(entry);

    return key && strcmp(key->section, "pidfile") == 0 && strcmp(key->name, "path") == 0;
}

/*
 * Settle what %p stands for, which may be said below the line that asks. Whether it makes a good
 * path is judged at its own line. ret_own: free it.
 */
static int
settle_pidfile(struct reader *reader, const struct ini *ini, char **ret_own)
{
    const struct config_source *source = reader->source;
    const char *why;

    reader->pidfile = source->pidfile;
    if (source->override && source->pidfile)
        return 0;
    for (size_t i = 0; i < ini->count; i++) {
        const struct ini_entry *entry = &ini->entries[i];
        int error;

        if (!is_pidfile_path(entry))
            continue;
        error = words_expand(entry->value, source->instance, NULL, ret_own, &why);
        reader->pidfile = error ? entry->value : *ret_own;
        return error == -EINVAL ? 0 : error;
    }
    return 0;
}

/* What only the whole file says. */
static int
finish(struct reader *reader)
{
    struct config *config = &reader->config;
    int error = 0;

    for (size_t i = 0; !error && i < reader->lines.count; i++)
        error = environment_set(&reader->files, reader->lines.list[i]);
    config->environment = reader->files.list;
    reader->files = (struct environment){0};

    free(config->pidfile);
    config->pidfile = NULL;
    if (!error && reader->pidfile) {
        config->pidfile = words_copy(reader->pidfile);
        error = config->pidfile ? 0 : -ENOMEM;
    }
    return error;
}

static int
read_text(struct reader *reader, char *text)
{
    struct ini ini = {0};
    char *own_pidfile = NULL;
    int error;

    error = ini_parse(text, &ini);
    if (!error)
        error = settle_pidfile(reader, &ini, &own_pidfile);
    for (size_t i = 0; !error && i < ini.count; i++)
        error = take_entry(reader, &ini.entries[i]);
    if (!error)
        error = config_settle(reader);
    if (!error)
        error = reader->mistakes.count > 0 ? -EINVAL : finish(reader);
    free(own_pidfile);
    ini_free(&ini);
    return error;
}

int
config_parse(struct config *config, const char *data, size_t length,
             const struct config_source *source, struct config_mistakes *ret_mistakes)
{
    struct reader reader = {.source = source};
    char *text = NULL;
    int error;

    config_init(&reader.config);
    error = text_clean(data, length, source->path, &reader.mistakes, &text);
    if (!error)
        error = read_text(&reader, text);
    if (!error) {
        struct config old = *config;

        *config = reader.config;
        reader.config = old;
    }
    free(text);
    words_free(reader.files.list);
    words_free(reader.lines.list);
    config_free(&reader.config);
    *ret_mistakes = reader.mistakes;
    return error;
}

int
config_read(struct config *config, const char *path, const char *instance, const char *pidfile,
            bool override, struct config_mistakes *ret_mistakes)
{
    const struct config_source source = {path, instance, pidfile, override};
    char *data;
    size_t length;
    int error;

    *ret_mistakes = (struct config_mistakes){0};
    error = text_read(path, &data, &length);
    if (error)
        return error;
    error = config_parse(config, data, length, &source, ret_mistakes);
    free(data);
    return error;
}
