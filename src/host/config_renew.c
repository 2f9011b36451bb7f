/* SPDX-License-Identifier: Apache-2.0 */
/* A newer reading of the same file, while its server runs. */
#include <stdio.h>
#include <string.h>

#include "host/reading.h"

/* Of these sections each key can be applied without a restart of the server. */
static bool
is_live(const struct key *key)
{
    static const char *const sections[] = {"health", "stop", "restart", "signal", "reload", "hook"};

    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        if (strcmp(key->section, sections[i]) == 0)
            return true;
    return false;
}

static void
exchange(void *a, void *b, size_t size)
{
    unsigned char *left = a, *right = b;

    for (size_t i = 0; i < size; i++) {
        unsigned char byte = left[i];

        left[i] = right[i];
        right[i] = byte;
    }
}

#define EXCHANGE(field) exchange(&config->field, &newer->field, sizeof config->field)

static void
exchange_live(struct config *config, struct config *newer)
{
    EXCHANGE(health_interval_ms);
    EXCHANGE(health_timeout_ms);
    EXCHANGE(health_failures);
    EXCHANGE(health_start_period_ms);
    EXCHANGE(health_action);
    EXCHANGE(stop_signal);
    EXCHANGE(stop_timeout_ms);
    EXCHANGE(stop_command);
    EXCHANGE(sequence);
    EXCHANGE(restart);
    EXCHANGE(signals);
    EXCHANGE(reload_signal);
    EXCHANGE(reload_command);
    EXCHANGE(reload_timeout_ms);
    EXCHANGE(hooks);
    EXCHANGE(hook_timeout_ms);
}

bool
config_renew(struct config *config, struct config *newer, char *ret_rest, size_t size)
{
    bool is_other_health = false;
    size_t length = 0;

    *ret_rest = '\0';
    for (const struct key *key = config_keys; key->section[0]; key++) {
        size_t i = (size_t)(key - config_keys);

        if (config->said[i] == newer->said[i])
            continue;
        if (strcmp(key->section, "health") == 0)
            is_other_health = true;
        if (is_live(key))
            config->said[i] = newer->said[i];
        else if (length < size)
            length += (size_t)snprintf(ret_rest + length, size - length, "%s%s.%s",
                                       length > 0 ? " " : "", key->section, key->name);
    }
    if (is_other_health) /* else who checks holds on to the old list */
        EXCHANGE(health);
    exchange_live(config, newer);
    return is_other_health;
}
