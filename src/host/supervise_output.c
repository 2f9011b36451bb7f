/* SPDX-License-Identifier: Apache-2.0 */
/* The output of a supervised server, where it goes through us to a log. */
#include <stdio.h>
#include <string.h>

#include "host/supervisor.h"

static bool
takes_output(const struct config *config)
{
    return config->log_target > LOG_INHERIT || config->log_target == LOG_FILE
           || conditions_have(&config->ready, CONDITION_LOG);
}

/* The output, where a [log] section says where it goes, or a condition waits for a line of it. */
int
output_open(struct supervisor *s, struct launch_result *result)
{
    const struct config *config = &s->instance->config;
    struct log_settings settings = log_settings_of(config, s->instance->name);
    const char *why = "";
    int r;

    if (!takes_output(config))
        return 0;
    settings.outlives = config->outlives_supervisor;
    r = log_open(&settings, &s->log, &why);
    if (r < 0) {
        result->stage = OS_STAGE_READY;
        snprintf(result->why, sizeof(result->why), "%s: %s", why, strerror(-r));
    }
    return r;
}

/* The server is dead for good: what it said last goes where it belongs, within two seconds. */
void
output_close(struct supervisor *s)
{
    if (s->log == NULL)
        return;
    log_drain(s->log, os_monotonic_ms());
    while (!log_is_done(s->log)) {
        struct os_source sources[1 + LOG_SOURCES_MAX] = {{.handle = s->signals}};
        size_t count = 1 + log_sources(s->log, sources + 1);

        if (os_wait(sources, count, log_deadline(s->log)) < 0)
            break;
        if (sources[0].ready) /* a stop that comes twice says nothing new */
            while (os_signal_next(s->signals) > 0)
                ;
        supervisor_reap(s);
        log_step(s->log, os_monotonic_ms());
    }
    s->log = log_free(s->log);
}

/* What the server says, line by line while readiness waits for one. */
void
output_take(struct supervisor *s)
{
    char line[LOG_TAIL_SIZE];

    if (s->log == NULL)
        return;
    log_step(s->log, os_monotonic_ms());
    while (log_next_line(s->log, line, sizeof(line)))
        gate_line(s->ready, line);
}

void
output_tell_failure(struct supervisor *s, const struct launch_result *result)
{
    struct launch_word word = {.result = *result};

    if (s->log != NULL) {
        log_step(s->log, os_monotonic_ms());
        (void)log_tail(s->log, word.tail, sizeof(word.tail));
    }
    (void)os_child_tell(s->channel, &word, sizeof(word));
}
