/* SPDX-License-Identifier: Apache-2.0 */
/* End a server: pinned, compared, signalled, waited for; then its files, decided anew. */
#include <errno.h>
#include <string.h>

#include "host/host.h"
#include "lib/core.h"

#define KILL_WAIT_MS  10000 /* for a process in an uninterruptible sleep */
#define CLEAN_WAIT_MS 300   /* for a lock that is let go of a moment after the death */

/* ---- Who --------------------------------------------------------------------------------- */

/* The pinned server of a report; where it is unproved and the user says so, that pid's process. */
static int
pin(struct vortex_report *report, enum assume assume, struct os_hold *ret_hold, bool *ret_owned)
{
    struct vortex_process *process = vortex_report_process(report);

    *ret_owned = false;
    switch (vortex_report_verdict(report)) {
    case VORTEX_RUNNING:
    case VORTEX_ORPHANED:
        *ret_hold = process->hold; /* model: stop pin */
        return 0;
    case VORTEX_BUSY:
        return -EBUSY;
    case VORTEX_UNPROVED:
        if (assume == ASSUME_STALE)
            return -ESRCH;
        if (vortex_report_error(report) == -EACCES)
            return -EACCES;
        if (assume != ASSUME_RUNNING || vortex_report_pid(report) <= 1)
            return -ENODATA;
        *ret_owned = true;
        return os_process_hold(vortex_report_pid(report), ret_hold);
    default:
        return -ESRCH;
    }
}

int
signal_server(const char *pidfile, int signal, bool assume_running, int64_t *ret_pid)
{
    struct vortex_report *report;
    struct os_hold hold;
    bool owned;
    int r = vortex_pidfile_inspect(pidfile, &report);

    if (r < 0)
        return r;
    r = pin(report, assume_running ? ASSUME_RUNNING : ASSUME_NOTHING, &hold, &owned);
    if (r == 0) {
        r = os_process_signal(&hold, signal);
        *ret_pid = hold.pid;
        if (owned)
            os_process_release(&hold);
    }
    vortex_report_close(report);
    return r;
}

/* ---- End it ------------------------------------------------------------------------------ */

static int
wait_through(const struct os_hold *hold, int timeout_ms)
{
    int64_t end = os_monotonic_ms() + timeout_ms;
    int r;

    do {
        int64_t left = end - os_monotonic_ms();

        r = os_process_wait(hold, timeout_ms < 0 ? -1 : (int)(left > 0 ? left : 0));
    } while (r == -EINTR);
    return r;
}

static void
end_process(const struct stop_request *request, const struct os_hold *hold, bool supervised,
            struct stop_result *result)
{
    int timeout_ms = supervised ? request->supervised_timeout_ms : request->timeout_ms;
    int r = os_process_signal(hold, request->signal); /* model: stop signal */

    result->pid = hold->pid;
    if (r == 0)
        r = wait_through(hold, timeout_ms); /* model: stop wait */
    if (r == -ETIMEDOUT && !request->no_kill) {
        r = os_process_signal(hold, os_signal_number("KILL")); /* model: stop kill */
        if (r == 0) {
            result->killed = true;
            r = wait_through(hold, KILL_WAIT_MS);
        }
    }
    if (r == -ETIMEDOUT) {
        result->outcome = STOP_SURVIVED;
    } else if (r < 0 && r != -ESRCH) {
        result->outcome = STOP_FAILED;
        result->error = r;
    } else {
        result->outcome = STOP_DONE;
    }
}

/* ---- Its files --------------------------------------------------------------------------- */

/*
 * Under the claim that is held already, or under one of its own. Whom the user named as the owner
 * of an unproved pidfile is dead by now, and so the pidfile is nobody's.
 */
static int
remove_files(const struct stop_request *request, struct claim *claim)
{
    enum assume assume = request->assume != ASSUME_NOTHING ? ASSUME_STALE : ASSUME_NOTHING;
    int64_t end = os_monotonic_ms() + CLEAN_WAIT_MS;
    int r;

    for (int ms = 1;; ms *= 2) {
        r = claim != NULL ? claim_clear(claim) : pidfile_remove(request->pidfile, assume);
        if (r != -EBUSY || os_monotonic_ms() >= end)
            return r;
        os_sleep_ms(ms);
    }
}

/* The files couldn't be removed: is that a new server's, or somebody who keeps the old lock? */
static enum stop_outcome
who_is_left(const struct stop_request *request)
{
    struct vortex_report *report;
    enum vortex_verdict verdict;

    if (vortex_pidfile_inspect(request->pidfile, &report) < 0)
        return STOP_LEFTOVERS;
    verdict = vortex_report_verdict(report);
    vortex_report_close(report);
    return verdict == VORTEX_RUNNING ? STOP_DONE : STOP_LEFTOVERS;
}

static void
clean_up(const struct stop_request *request, struct claim *claim, struct stop_result *result)
{
    int r = 0;

    if (request->leftovers) {
        r = vortex_pidfile_end_leftovers(request->pidfile, KILL_WAIT_MS);
        if (r == -EBUSY) /* a new server is there already: its files are its own */
            return;
        result->ended_leftovers = r > 0 ? r : 0;
    }
    if (r >= 0)
        r = remove_files(request, claim);
    if (r == -EBUSY && claim == NULL) {
        result->outcome = who_is_left(request);
    } else if (r == -EBUSY) {
        result->outcome = STOP_LEFTOVERS;
    } else if (r < 0) {
        result->outcome = STOP_FILES_LEFT;
        result->error = r;
    }
}

/* Nobody was there who could be signalled. */
static void
stop_nobody(const struct stop_request *request, struct claim *claim, int error,
            struct stop_result *result)
{
    switch (error) {
    case -ESRCH:
        result->outcome = STOP_NOT_RUNNING;
        clean_up(request, claim, result);
        break;
    case -EBUSY:
        result->outcome = request->leftovers ? STOP_DONE : STOP_BUSY;
        if (request->leftovers)
            clean_up(request, claim, result);
        break;
    case -ENODATA:
        result->outcome = STOP_UNPROVED;
        break;
    default:
        result->outcome = STOP_FAILED;
        result->error = error;
        break;
    }
}

static int
look(const struct stop_request *request, struct claim *claim, struct vortex_report **ret_report)
{
    return claim != NULL ? claim_inspect(claim, ret_report)
                         : vortex_pidfile_inspect(request->pidfile, ret_report);
}

/* A start under way may be slow to say who it is: so long a start waits for one, too. */
static int
look_beyond_start(const struct stop_request *request, struct claim *claim,
                  struct vortex_report **ret_report)
{
    int64_t end = os_monotonic_ms() + TAKE_WAIT_MS;
    int r;

    while ((r = look(request, claim, ret_report)) == 0
           && vortex_report_verdict(*ret_report) == VORTEX_BUSY && os_monotonic_ms() < end) {
        vortex_report_close(*ret_report);
        os_sleep_ms(1); /* not every look waits by itself */
    }
    return r;
}

/* Whoever is seen to run now. Returns: was it a supervisor, which is dead? */
static bool
stop_one(const struct stop_request *request, struct claim *claim, struct stop_result *result)
{
    struct vortex_report *report;
    struct os_hold hold;
    bool owned, supervised = false;
    int r = look_beyond_start(request, claim, &report);

    if (r < 0) {
        result->outcome = STOP_FAILED;
        result->error = r;
        return false;
    }
    result->reason = vortex_report_reason(report);
    r = pin(report, request->assume, &hold, &owned);
    if (r < 0) {
        stop_nobody(request, claim, r, result);
    } else {
        supervised = vortex_report_verdict(report) == VORTEX_RUNNING
                     && vortex_report_get(report, "server-pid") != NULL;
        end_process(request, &hold, supervised, result);
        if (owned)
            os_process_release(&hold);
    }
    vortex_report_close(report);
    return supervised && result->outcome == STOP_DONE;
}

static bool
is_orphaned(const struct stop_request *request, struct claim *claim)
{
    struct vortex_report *report;
    bool orphaned;

    if (look(request, claim, &report) < 0)
        return false;
    orphaned = vortex_report_verdict(report) == VORTEX_ORPHANED;
    vortex_report_close(report);
    return orphaned;
}

static void
stop_under(const struct stop_request *request, struct claim *claim, struct stop_result *result)
{
    *result = (struct stop_result){0};
    /* A supervisor that was being killed just then leaves a server which was told to live on. */
    if (stop_one(request, claim, result) && is_orphaned(request, claim)) /* model: stop orphan */
        (void)stop_one(request, claim, result);
    if (result->outcome == STOP_DONE && result->pid != 0)
        clean_up(request, claim, result);
}

/* Whoever isn't proved to have ended keeps its files. */
static void
clean_only(const struct stop_request *request, struct stop_result *result)
{
    int r = pidfile_remove(request->pidfile, ASSUME_LEFTOVERS);

    *result = (struct stop_result){.outcome = STOP_DONE};
    if (r < 0 && r != -EBUSY) {
        result->outcome = STOP_FILES_LEFT;
        result->error = r;
    }
}

void
stop_server(const struct stop_request *request, struct stop_result *ret)
{
    if (request->clean)
        clean_only(request, ret);
    else
        stop_under(request, NULL, ret);
}

bool
restart_server(const struct stop_request *stop, const struct launch_request *launch,
               struct stop_result *ret_stop, struct launch_result *ret_launch)
{
    struct claim claim;
    int r;

    /* What can't be started is found out before the old one is stopped. */
    launch_check(launch, ret_launch);
    if (ret_launch->error < 0)
        return true;
    claim_init(&claim);
    claim.allow_remote = stop->allow_remote;
    claim.assume = stop->assume != ASSUME_NOTHING ? ASSUME_STALE : ASSUME_NOTHING;
    r = claim_begin(&claim, stop->pidfile, false);
    if (r == 0) {
        r = launch_check_place(launch, &claim.paths.dir);
        /* A supervisor writes the state aside for as long as it lives. */
        if (r == 0 && supervise_reason(launch) != NULL)
            r = claim_try(&claim);
        if (r < 0)
            claim_end(&claim, false);
    }
    if (r < 0) {
        *ret_stop = (struct stop_result){
            .outcome = r == -EBUSY ? STOP_BUSY : STOP_FAILED,
            .error = r,
            .reason = "a start or a stop is under way",
        };
        return false;
    }
    stop_under(stop, &claim, ret_stop);
    if (ret_stop->outcome != STOP_DONE && ret_stop->outcome != STOP_NOT_RUNNING) {
        claim_end(&claim, false);
        return false;
    }
    launch_start(launch, &claim, ret_launch); /* model: restart fork */
    return true;
}
