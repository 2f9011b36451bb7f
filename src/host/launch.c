/* SPDX-License-Identifier: Apache-2.0 */
/* Run a server: claim its pidfile as the very process that will be the server, then exec. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/host.h"
#include "lib/core.h"

#define BUILT_IN_NAME "vortex (built-in server)"

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
        .limit_nofile = config->limit_nofile,
        .limit_core = config->limit_core,
        .nice = config->nice,
        .oom_score_adjust = config->oom_score_adjust,
    };

    if (background && launch.output == NULL)
        launch.output = "/dev/null";
    if (background && launch.directory == NULL && !request->keep_directory)
        launch.directory = "/";
    return launch;
}

void
launch_check(const struct launch_request *request, struct launch_result *ret)
{
    struct os_launch launch = launch_of(request, false);

    *ret = (struct launch_result){0};
    ret->error = os_launch_check(&launch, &ret->stage);
}

/* ---- What the state says ----------------------------------------------------------------- */

struct words {
    struct os_process_facts facts;
    char manager[OS_NAME_MAX + 32];
    char command[1024];
};

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
    struct os_hold self;

    memset(words, 0, sizeof(*words));
    if (os_process_hold(os_self(), &self) == 0) {
        os_process_describe(&self, &words->facts);
        os_process_release(&self);
    }
    manager_of(&words->facts, words->manager, sizeof(words->manager));
    if (request->command != NULL)
        join_command(request->command, words->command, sizeof(words->command));
    else
        snprintf(words->command, sizeof(words->command), "%s", BUILT_IN_NAME);
    return (struct state_words){
        .phase = "ready",
        .command = words->command,
        .manager = words->manager,
        .cgroup = words->facts.cgroup,
    };
}

/* ---- Claim and become -------------------------------------------------------------------- */

/* claim: after step 1, or fresh (then path is claimed from the beginning). */
static int
claim_for(const struct launch_request *request, struct claim *claim, bool begun)
{
    bool inherit = request->command == NULL || request->instance->config.inherit_lock;
    struct words words;
    struct state_words said = words_of(request, &words);
    int r;

    if (!begun)
        return claim_all(claim, request->instance->pidfile, inherit, &said);
    r = claim_take(claim);
    if (r == 0)
        r = claim_publish(claim, inherit, &said);
    if (r < 0)
        claim_end(claim, true);
    return r;
}

/* The built-in server: it holds its instance, and has no other work. */
static void
serve(struct claim *claim)
{
    while (os_event_wait() != OS_EVENT_STOP)
        ;
    claim_end(claim, true);
}

/* After the claim. Returns on failure only; the claim has ended then. */
static int
become_server(const struct os_launch *launch, bool inherit, struct claim *claim,
              enum os_stage *ret_stage)
{
    int r = os_lock_pass_on(&claim->lock, inherit);

    if (r == 0 && !inherit) /* the exec lets go of it, and nobody would remove it */
        r = os_file_remove(&claim->paths.dir, claim->paths.lock);
    *ret_stage = OS_STAGE_EXEC;
    if (r == 0)
        r = os_launch_exec(launch, &claim->lock, ret_stage);
    claim_end(claim, true);
    return r;
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
    struct claim claim;

    launch_check(request, ret);
    if (ret->error < 0)
        return;
    ret->stage = OS_STAGE_NONE;
    prepare_claim(request, &claim);
    if (request->command == NULL && (ret->error = os_event_prepare()) < 0)
        return;
    ret->error = claim_for(request, &claim, false);
    if (ret->error < 0) {
        ret->pid = claim.owner;
        return;
    }
    claim_finish(&claim);
    ret->pid = os_self();
    if (request->command == NULL)
        serve(&claim);
    else
        ret->error =
            become_server(&launch, request->instance->config.inherit_lock, &claim, &ret->stage);
}

/* ---- In the background ------------------------------------------------------------------- */

static void
child_main(const struct launch_request *request, struct claim *claim, bool begun,
           struct os_child *channel)
{
    struct os_launch launch = launch_of(request, true);
    struct launch_result result = {0};

    claim_inherit(claim);
    if (request->command == NULL) {
        result.stage = OS_STAGE_DETACH;
        result.error = os_event_prepare();
    }
    if (result.error == 0) {
        result.stage = OS_STAGE_NONE;
        result.error = claim_for(request, claim, begun);
        result.pid = claim->owner;
    }
    if (result.error == 0) {
        claim_finish(claim);
        if (request->command != NULL) {
            result.error = become_server(&launch, request->instance->config.inherit_lock, claim,
                                         &result.stage);
        } else {
            result.stage = OS_STAGE_OUTPUT;
            result.error = os_detach_output(launch.output);
            if (result.error < 0)
                claim_end(claim, true);
        }
    }
    if (result.error < 0) {
        (void)os_child_tell(channel, &result, sizeof(result));
        _Exit(1);
    }
    (void)os_child_tell(channel, NULL, 0);
    serve(claim);
    _Exit(0);
}

void
launch_start(const struct launch_request *request, struct claim *claim, struct launch_result *ret)
{
    struct claim fresh;
    struct os_child child;
    size_t heard = 0;
    bool begun = claim != NULL;
    int r;

    if (!begun) {
        launch_check(request, ret);
        if (ret->error < 0)
            return;
        prepare_claim(request, &fresh);
        claim = &fresh;
    }
    *ret = (struct launch_result){.stage = OS_STAGE_DETACH};
    r = os_detach(&child);
    if (r == 0)
        child_main(request, claim, begun, &child);
    if (r < 0) {
        ret->error = r;
        claim_end(claim, false);
        return;
    }
    claim_abandon(claim); /* it goes on in the child */
    r = os_child_hear(&child, ret, sizeof(*ret), &heard);
    if (r < 0 || (heard != 0 && heard != sizeof(*ret))) {
        ret->error = r < 0 ? r : -EIO;
    } else if (heard == 0) {
        *ret = (struct launch_result){.pid = child.pid};
        return;
    }
    os_child_reap(&child);
}
