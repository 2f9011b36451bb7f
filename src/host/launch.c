/* SPDX-License-Identifier: Apache-2.0 */
/* Run a server: claim its pidfile as the very process that will be the server, then exec. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/host.h"
#include "host/supervise.h"
#include "lib/core.h"

#define BUILT_IN_NAME "vortex (built-in server)"
#define WATCHDOG_OFF  "WATCHDOG_USEC=0"
#define IO_PRIORITY   4 /* where nothing else is said, as systemd and ionice(1) have it */

static struct os_launch
launch_of(const struct launch_request *request, bool background)
{
    const struct config *config = &request->instance->config;
    struct os_launch launch = {
        .argv = (const char *const *)request->command,
        .env = (const char *const *)config->environment,
        .directory = config->directory,
        .user = config->user,
        .group = config->group,
        .output = config->log,
        .umask = config->umask,
        .groups = (const char *const *)config->groups,
        .limits = config->limits,
        .cpus = config->cpus,
        .io_class = config->io_class,
        .no_new_privileges = config->no_new_privileges,
        .nice = config->nice,
        .oom_score_adjust = config->oom_score_adjust,
        .listen_fds = request->listen_fds,
    };

    if (config->io_class == OS_IO_REALTIME || config->io_class == OS_IO_BEST_EFFORT)
        launch.io_priority = config->io_priority < 0 ? IO_PRIORITY : config->io_priority;
    launch.no_input = background;
    launch.no_output = background && launch.output == NULL;
    if (background && launch.directory == NULL && !request->keep_directory)
        launch.directory = "/";
    return launch;
}

void
launch_result_init(struct launch_result *result, enum os_stage stage)
{
    *result = (struct launch_result){.stage = stage};
}

void
launch_check(const struct launch_request *request, struct launch_result *ret)
{
    struct os_launch launch = launch_of(request, false);

    launch_result_init(ret, OS_STAGE_NONE);
    ret->error = os_launch_check(&launch, &ret->stage);
}

/* ---- Exec or supervise ------------------------------------------------------------------- */

const char *
supervise_reason(const struct launch_request *request)
{
    const struct config *config = &request->instance->config;
    const char *reason;

    if (request->command == NULL)
        return NULL;
    if (!os_launch_can(OS_STAGE_EXEC)) /* whatever the configuration says */
        return "this system";
    if (config->supervise == SUPERVISE_NO)
        return NULL;
    if ((reason = beyond_exec(config)) != NULL)
        return reason;
    if (config->restart.policy != RESTART_NO)
        return "[restart] policy";
    if (os_self() == 1) /* of a container: its orphans are ours to reap, and no signal ends us */
        return "process 1";
    return NULL;
}

/* Is this very process the owner for as long as it lives: the built-in server, or a supervisor? */
static bool
stays_itself(const struct launch_request *request)
{
    return request->command == NULL || supervise_reason(request) != NULL;
}

/* ---- What the state says ----------------------------------------------------------------- */

struct words {
    struct os_process_facts facts;
    char manager[OS_NAME_MAX + 32];
    char command[1024];
};

/* Where the output goes, if that is a file. */
static const char *
log_of(const struct config *config)
{
    return config->log_file != NULL ? config->log_file : config->log;
}

static void
join_command(char *const *command, char *buf, size_t size)
{
    size_t length = 0;

    buf[0] = '\0';
    for (; *command != NULL && length + 1 < size; command++) {
        int n = snprintf(buf + length, size - length, "%s%s", length > 0 ? " " : "", *command);

        length += n > 0 ? (size_t)n : 0;
    }
}

static struct state_words
words_of(const struct launch_request *request, struct words *words)
{
    memset(words, 0, sizeof(*words));
    os_self_describe(&words->facts);
    manager_of(&words->facts, words->manager, sizeof(words->manager));
    if (request->command != NULL)
        join_command(request->command, words->command, sizeof(words->command));
    else
        snprintf(words->command, sizeof(words->command), "%s", BUILT_IN_NAME);
    return (struct state_words){
        .phase = supervise_reason(request) != NULL ? "starting" : "ready",
        .command = words->command,
        .manager = words->manager,
        .cgroup = words->facts.cgroup,
        .log = request->command != NULL ? log_of(&request->instance->config) : NULL,
    };
}

/* ---- Claim and become -------------------------------------------------------------------- */

int
launch_check_place(const struct launch_request *request, const struct os_dir *dir)
{
    const char *user = stays_itself(request) ? NULL : request->instance->config.user;

    return os_speaks_for(&dir->speaker, user) ? 0 : LAUNCH_UNBELIEVED;
}

/* claim: after step 1, or fresh (then path is claimed from the beginning). */
static int
claim_for(const struct launch_request *request, struct claim *claim, bool begun,
          const struct state_words *said)
{
    bool held = stays_itself(request) || request->instance->config.inherit_lock;
    int r = begun ? 0 : claim_begin(claim, request->instance->pidfile, true);

    if (r < 0)
        return r;
    r = launch_check_place(request, &claim->paths.dir);
    if (r == 0)
        r = claim_take(claim);
    if (r == 0)
        r = claim_publish(claim, held, said);
    if (r < 0)
        claim_end(claim, true);
    return r;
}

/*
 * In exec mode nobody stays who could feed a watchdog for a server that doesn't know of it, so it
 * is turned off (sd_notify(3), WATCHDOG_USEC).
 */
static const char *
ready_word(void)
{
    return vortex_notify_watchdog_interval() > 0 ? "READY=1\n" WATCHDOG_OFF : "READY=1";
}

/* A server of whom no word to the manager is expected: it is ours. */
static bool
speaks_not(const struct launch_request *request)
{
    return request->command != NULL
           && !conditions_have(&request->instance->config.ready, CONDITION_NOTIFY);
}

/* The built-in server: it holds its instance, and has no other work. */
static void
serve(struct claim *claim)
{
    const intptr_t keep[] = {claim->lock.handle, claim->paths.dir.handle};
    intptr_t newline;

    (void)notify_send(ready_word(), 0);
    if (os_notify_fd_take(&newline) == 0)
        (void)os_notify_newline(newline);
    os_handles_keep(keep, sizeof(keep) / sizeof(keep[0]), 0);
    while (os_event_wait() != OS_EVENT_STOP) {
        (void)vortex_notify_reloading(); /* there is nothing to read anew */
        (void)vortex_notify_ready();
    }
    (void)vortex_notify_stopping();
    claim_end(claim, true);
}

/* After the claim: be the server. Where an exec fails the claim has ended, and result says why. */
static void
become_server(const struct launch_request *request, const struct os_launch *launch,
              struct claim *claim, struct launch_result *result)
{
    bool inherit = request->instance->config.inherit_lock;

    result->stage = OS_STAGE_EXEC;
    result->error = os_lock_pass_on(&claim->lock, inherit);
    if (result->error == 0 && !inherit) /* the exec lets go of it, and nobody would remove it */
        result->error = claim_finish_alone(claim);
    else
        claim_finish(claim);
    if (result->error == 0)
        result->error = os_launch_exec(launch, &claim->lock, &result->stage); /* model: free exec */
    claim_end(claim, true);
}

static void
prepare_claim(const struct launch_request *request, struct claim *claim)
{
    claim_init(claim);
    claim->allow_remote = request->allow_remote || request->instance->config.allow_remote;
    claim->assume = request->assume_stale ? ASSUME_STALE : ASSUME_NOTHING;
}

void
launch_run(const struct launch_request *request, struct launch_result *ret)
{
    struct os_launch launch = launch_of(request, false);
    struct words words;
    struct state_words said = words_of(request, &words);
    struct claim claim;

    launch_check(request, ret);
    if (ret->error < 0)
        return;
    ret->stage = OS_STAGE_NONE;
    prepare_claim(request, &claim);
    /* What ends any other process is lost on process 1, until it waits for it. */
    if ((request->command == NULL || (os_self() == 1 && supervise_reason(request) != NULL))
        && (ret->error = os_event_prepare()) < 0)
        return;
    ret->error = claim_for(request, &claim, false, &said);
    ret->pid = ret->error < 0 ? claim.owner : os_self();
    if (ret->error < 0)
        return;
    if (supervise_reason(request) != NULL) {
        claim_finish(&claim);
        (void)supervise(request, &launch, &claim, &said, NULL, ret);
    } else if (request->command == NULL) {
        claim_finish(&claim);
        serve(&claim);
    } else {
        if (speaks_not(request))
            launch.ready_word = ready_word();
        become_server(request, &launch, &claim, ret);
    }
}

/* ---- In the background ------------------------------------------------------------------- */

/* Who stays in the background has no exec: it lets go of the starter's output itself. */
static void
stay_in_background(const struct launch_request *request, struct os_launch *launch,
                   struct claim *claim, struct state_words *said, struct os_child *channel,
                   struct launch_result *result)
{
    claim_finish(claim);
    result->stage = OS_STAGE_OUTPUT;
    result->error = os_detach_streams(launch->output);
    if (result->error < 0) {
        claim_end(claim, true);
        return;
    }
    launch->output = NULL; /* a supervised server inherits it */
    launch->no_input = launch->no_output = false;
    if (request->command != NULL)
        _Exit(supervise(request, launch, claim, said, channel, result));
    (void)os_child_tell(channel, NULL, 0);
    serve(claim);
    _Exit(0);
}

struct background {
    const struct launch_request *request;
    const struct claim *claim; /* the starter's own, which the child leaves as it is */
    bool begun;
};

static void
child_main(void *what, struct os_child *channel)
{
    const struct background *b = what;
    const struct launch_request *request = b->request;
    struct os_launch launch = launch_of(request, true);
    struct launch_result result;
    struct words words;
    struct state_words said;
    struct claim claim = *b->claim;

    launch_result_init(&result, OS_STAGE_DETACH);
    claim_inherit(&claim);
    said = words_of(request, &words);
    if (request->command == NULL)
        result.error = os_event_prepare();
    if (result.error == 0) {
        result.stage = OS_STAGE_NONE;
        result.error = claim_for(request, &claim, b->begun, &said);
        result.pid = claim.owner;
    }
    if (result.error == 0) {
        if (stays_itself(request))
            stay_in_background(request, &launch, &claim, &said, channel, &result);
        else
            become_server(request, &launch, &claim, &result);
    }
    (void)os_child_tell(channel, &result, sizeof(result));
    _Exit(1);
}

/* Who execs soon, as this very user, needs no copy of our memory. */
static bool
lends_memory(const struct launch_request *request)
{
    const struct config *config = &request->instance->config;

    return !stays_itself(request) && config->user == NULL && config->group == NULL
           && config->groups == NULL;
}

/* Its room is not the starter's, which is copied to the child: a supervisor would keep it. */
static __attribute__((noinline)) int
hear_word(struct os_child *child, struct launch_result *ret, size_t *ret_heard)
{
    struct launch_word word;
    int r = os_child_hear(child, &word, sizeof(word), ret_heard);

    if (r < 0 || *ret_heard == 0)
        return r;
    if (*ret_heard != sizeof(word.result) && *ret_heard != sizeof(word))
        return -EIO;
    *ret = word.result;
    if (*ret_heard == sizeof(word))
        ret->tail = words_copy(word.tail);
    return 0;
}

void
launch_start(const struct launch_request *request, struct claim *claim, struct launch_result *ret)
{
    struct background b = {.request = request, .begun = claim != NULL};
    struct claim fresh;
    struct os_child child;
    size_t heard = 0;
    bool is_watched = os_watchdog_pass_on();
    int r;

    if (!b.begun) {
        launch_check(request, ret);
        if (ret->error < 0)
            return;
        prepare_claim(request, &fresh);
        claim = &fresh;
    }
    b.claim = claim;
    launch_result_init(ret, OS_STAGE_DETACH);
    r = os_detach(lends_memory(request), b.begun ? &claim->lock : NULL, child_main, &b, &child);
    if (r < 0) {
        ret->error = r;
        claim_end(claim, false);
        return;
    }
    claim_abandon(claim); /* it goes on in the child */
    r = hear_word(&child, ret, &heard);
    if (r < 0) {
        ret->error = r;
    } else if (heard == 0) {
        launch_result_init(ret, OS_STAGE_NONE);
        ret->pid = child.pid;
        if (is_watched && speaks_not(request) && supervise_reason(request) == NULL)
            (void)notify_send(WATCHDOG_OFF, 0);
        return;
    }
    os_child_reap(&child);
}
