/* SPDX-License-Identifier: Apache-2.0 */
/* How a configuration is read, for config.c and its helpers alone. */
#ifndef VORTEX_READING_H
#define VORTEX_READING_H

#include "host/config.h"

/* ---- mistakes.c -------------------------------------------------------------------------- */

/* Add one, in printf's words; control characters become '?', so that it stays a line. -ENOMEM. */
__attribute__((format(printf, 4, 5))) int config_mistakes_add(struct config_mistakes *mistakes,
                                                              const char *file, unsigned line,
                                                              const char *format, ...);

/* ---- text.c: a file's bytes, made text --------------------------------------------------- */

#define TEXT_MAX ((size_t)1 << 20) /* the longest file, in bytes */

/*
 * Read a file, as far as TEXT_MAX + 1 bytes, so that text_clean sees what is too long.
 * Returns: 0; a negative errno. ret_data: free it.
 */
int text_read(const char *path, char **ret_data, size_t *ret_length);

/*
 * A string of those bytes: no byte order mark, lines end in LF.
 *
 * file:    its name in mistakes.
 * Returns: 0; -EINVAL it is too long, or binary, a mistake was added; -ENOMEM. ret_text: free it.
 */
int text_clean(const char *data, size_t length, const char *file, struct config_mistakes *mistakes,
               char **ret_text);

/* ---- ini.c: sections and keys ------------------------------------------------------------ */

/* A line with those that continue it. Strings are the text's. */
struct ini_entry {
    unsigned line;       /* the first one's number */
    const char *section; /* where it stands; NULL: before any section */
    const char *key;     /* NULL: it is the section's header */
    const char *value;
    const char *mistake; /* a static text where it is neither; NULL */
};

struct ini {
    struct ini_entry *entries;
    size_t count;
};

/* Take a text apart, in place. It knows no section's or key's name. 0; -ENOMEM. */
int ini_parse(char *text, struct ini *ret_ini);
void ini_free(struct ini *ini);

/* ---- environment.c ----------------------------------------------------------------------- */

/* NAME=VALUE, one a name. list ends with NULL; NULL: empty. Free the list with words_free. */
struct environment {
    char **list;
    size_t count;
};

/* Set one; the last one wins. 0; -EINVAL no NAME=VALUE with a valid name; -ENOMEM. */
int environment_set(struct environment *environment, const char *assignment);

/*
 * Set what a file in systemd's EnvironmentFile format says; its mistakes are added.
 * Returns: 0, also with mistakes; -ENOMEM; another error: the file is not readable.
 */
int environment_read(struct environment *environment, const char *path,
                     struct config_mistakes *mistakes);

/* environment_read of a text in memory. name: the file's, in mistakes. */
int environment_parse(struct environment *environment, const char *data, size_t length,
                      const char *name, struct config_mistakes *mistakes);

/* ---- words.c ----------------------------------------------------------------------------- */

/* Expand %n, %p and %% alone; as words_split. ret_text: free it. */
int words_expand(const char *text, const char *instance, const char *pidfile, char **ret_text,
                 const char **ret_why);

/*
 * Copy what stands between the quotes, the first of which *in stands at, to *out, and move both
 * on. In "..." a backslash at a line's end takes the newline away. -EINVAL: not closed.
 */
int words_unquote(const char **in, char **out);

/* Which of these words it is, from 0 on; -EINVAL: none. words: with one blank between them. */
int words_choose(const char *text, const char *words);

/* Add a word, which from now on is the list's, or is freed on failure. 0; -ENOMEM. */
int words_push(char ***words, size_t *count, char *word);

/* ---- keys.c: what may be said, and how a value is taken ---------------------------------- */

enum {
    KEYS_MAX = CONFIG_KEYS_MAX,
};

/* A configuration while it is read. */
struct reader {
    const struct config_source *source;
    const char *pidfile; /* what %p stands for */
    struct config config;
    struct environment files; /* what environment-file says, below what environment says */
    struct environment lines;
    unsigned given[KEYS_MAX]; /* the line where each key was given; 0: not yet */
    struct config_mistakes mistakes;
};

/* A key of a section. */
struct key {
    char section[8];
    char name[28];
    uint8_t setter; /* its number */
    bool repeats;
    uint16_t field;    /* where in struct config */
    char expected[72]; /* empty: the setter knows better */
    int64_t min, max;  /* of a number */
};

/*
 * How a key's value is taken: 0; -EINVAL it is not what is expected; -ENOMEM. Where a setter knows
 * better what is wrong, it says so itself and answers 0.
 */
typedef int key_setter(struct reader *reader, const struct key *key, const struct ini_entry *entry);

/* Take it by the key's own setter. */
int key_set(struct reader *reader, const struct key *key, const struct ini_entry *entry);

/* Expand a value or a part of it. *ret_text stays as it is where a mistake was said. */
int key_expand(struct reader *reader, const struct key *key, unsigned line, const char *value,
               char **ret_text);

/* Split the value into words and expand them. *ret_words stays where a mistake was said. */
int key_split(struct reader *reader, const struct key *key, const struct ini_entry *entry,
              char ***ret_words);

/* Where the key's value goes. */
void *key_field(struct reader *reader, const struct key *key);

/* keys_setting.c: what a server finds itself in, as a key_setter. */
int set_environment(struct reader *reader, const struct key *key, const struct ini_entry *entry);
int set_environment_file(struct reader *reader, const struct key *key,
                         const struct ini_entry *entry);
int set_limit(struct reader *reader, const struct key *key, const struct ini_entry *entry);
int set_groups(struct reader *reader, const struct key *key, const struct ini_entry *entry);
int set_cpus(struct reader *reader, const struct key *key, const struct ini_entry *entry);
int set_io_class(struct reader *reader, const struct key *key, const struct ini_entry *entry);
int set_io_priority(struct reader *reader, const struct key *key, const struct ini_entry *entry);
int set_no_new_privileges(struct reader *reader, const struct key *key,
                          const struct ini_entry *entry);
int set_oom(struct reader *reader, const struct key *key, const struct ini_entry *entry);

int set_number(struct reader *reader, const struct key *key, const struct ini_entry *entry);
int set_boolean(struct reader *reader, const struct key *key, const struct ini_entry *entry);

/* keys_supervise.c: the values that only a supervisor needs, as a key_setter. */
int set_supervise(struct reader *reader, const struct key *key, const struct ini_entry *entry);
int set_keep(struct reader *reader, const struct key *key, const struct ini_entry *entry);
int set_stranger(struct reader *reader, const struct key *key, const struct ini_entry *entry);
int set_policy(struct reader *reader, const struct key *key, const struct ini_entry *entry);
int set_delays(struct reader *reader, const struct key *key, const struct ini_entry *entry);
int set_rate(struct reader *reader, const struct key *key, const struct ini_entry *entry);
int set_codes(struct reader *reader, const struct key *key, const struct ini_entry *entry);
int set_sequence(struct reader *reader, const struct key *key, const struct ini_entry *entry);

/* keys_signal.c: [signal], as a key_setter. refuse_signal: of TERM and HUP it says why not. */
int set_signal_action(struct reader *reader, const struct key *key, const struct ini_entry *entry);
int refuse_signal(struct reader *reader, const struct key *key, const struct ini_entry *entry);

/* All of them; the last one's section is empty. */
extern const struct key config_keys[];

/* The one of that name; NULL: there is none. */
const struct key *key_named(const char *section, const char *name);

/* config_settle.c: what only the whole file says. Mistakes are added: 0; -ENOMEM. */
int config_settle(struct reader *reader);

/* Add a mistake of the file that is read: SAY(reader, line, format, ...). 0; -ENOMEM. */
#define SAY(reader, line, ...)                                                                     \
    config_mistakes_add(&(reader)->mistakes, (reader)->source->path, line, __VA_ARGS__)

#endif
