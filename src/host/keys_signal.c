/* SPDX-License-Identifier: Apache-2.0 */
/* [signal]: what a supervisor does with a signal that was sent to it. */
#include <errno.h>
#include <string.h>

#include "host/reading.h"
#include "os/os.h"

static const char names[SIGNALS][8] = {
    [SIGNAL_INT] = "INT",   [SIGNAL_QUIT] = "QUIT",   [SIGNAL_USR1] = "USR1",
    [SIGNAL_USR2] = "USR2", [SIGNAL_WINCH] = "WINCH",
};

int
set_signal_action(struct reader *reader, const struct key *key, const struct ini_entry *entry)
{
    static const char *const words[] = {"ignore", "reload", "stop", NULL};
    static const int actions[] = {SIGNAL_IGNORE, SIGNAL_RELOAD, SIGNAL_STOP};
    int *action = key_field(reader, key);
    int signal = os_signal_number(entry->value);
    const char *meant = nearest(entry->value, words);
    size_t choice = 0;

    while (words[choice] != NULL && strcmp(words[choice], entry->value) != 0)
        choice++;
    if (words[choice] == NULL && signal <= 0)
        return meant == NULL
                   ? -EINVAL
                   : SAY(reader, entry->line, "'%s' must be %s, not '%s': did you mean '%s'?",
                         key->name, key->expected, entry->value, meant);
    *action = words[choice] != NULL ? actions[choice] : signal;
    return 0;
}

int
refuse_signal(struct reader *reader, const struct key *key, const struct ini_entry *entry)
{
    bool stops = strcmp(key->name, "TERM") == 0;

    return SAY(
        reader, entry->line,
        "'%s' always %s the server, as 'vortex %s' and service managers rely on it: what the "
        "server gets then is 'signal' in [%s]",
        key->name, stops ? "stops" : "reloads", stops ? "stop" : "reload",
        stops ? "stop" : "reload");
}

int
config_signal_action(const struct config *config, int signal)
{
    for (size_t i = 0; i < SIGNALS; i++)
        if (signal == os_signal_number(names[i]) && config->signals[i] != 0)
            return config->signals[i];
    return signal;
}

bool
config_maps_signals(const struct config *config)
{
    for (size_t i = 0; i < SIGNALS; i++)
        if (config->signals[i] != 0)
            return true;
    return false;
}
