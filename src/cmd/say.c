/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs have to say: what was being done, to which path, why it failed, what to do next. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"

/* ---- Failures ---------------------------------------------------------------------------- */

static int
exit_for(int error)
{
    return error == -EACCES || error == -EPERM ? EXIT_NOT_PERMITTED : EXIT_FAILED;
}

/* What to do next, where there is something better to say than the system's own words. */
static const char *
advice_for(int error)
{
    switch (error) {
    case -EACCES:
    case -EPERM:
        return ": run it as the user who owns it, or as root";
    case -EREMOTE:
        return ": locks mean nothing on a network file system; choose a local path with "
               "--pidfile, or say --allow-remote";
    case -ENOSPC:
    case -EDQUOT:
        return ": make room there";
    case -EROFS:
        return ": choose another path with --pidfile";
    case -ENOLCK:
        return ": locks are refused there; choose a local path with --pidfile";
    case -EMFILE:
        return ": raise the limit of open files";
    case -EAGAIN:
        return ": there are too many processes; raise their limit, or end some";
    case -ENOSYS:
        return ": this takes Linux 5.3 or later, and a container whose seccomp profile knows its "
               "calls";
    case -ELOOP:
        return ": its lock must not be a symbolic link; remove that";
    case -EXDEV:
        return ", out of what that user owns: name the path it means, or replace the link";
    case LAUNCH_UNBELIEVED:
        return ", and nothing is believed there of this server: choose a directory of its own user "
               "or of root's with --pidfile";
    case -EISDIR:
        return ": a directory stands where a file should; remove it or choose another path";
    default:
        return "";
    }
}

/* The system's own words, but where they would mislead. */
static const char *
reason_for(int error)
{
    return error == -EXDEV              ? "another user's symbolic link leads there"
           : error == LAUNCH_UNBELIEVED ? "others can replace it"
                                        : strerror(-error);
}

const char *
say_past(const char *verb)
{
    return strcmp(verb, "stop") == 0 ? "ped" : "ed";
}

int
say_refusal(int result)
{
    return result == -EACCES || result == EXIT_NOT_PERMITTED ? EXIT_NOT_PERMITTED : EXIT_FAILED;
}

int
say_failure(const char *verb, const char *name, int error, const char *path)
{
    say_error("cannot %s '%s': %s: %s%s", verb, name, path, reason_for(error), advice_for(error));
    return exit_for(error);
}

/* Somebody is there already: who, since when, by whom. */
static void
say_running(const char *verb, const char *name, const char *pidfile, int64_t pid)
{
    struct status status;
    char who[512];
    size_t n = 0;

    if (status_runs(name, pidfile, &status)) {
        n += (size_t)snprintf(who, sizeof(who), "pid %" PRId64, status.pid);
        if (status.since[0] != '\0')
            n += (size_t)snprintf(who + n, sizeof(who) - n, ", since %s", status.since);
        if (status.manager[0] != '\0')
            snprintf(who + n, sizeof(who) - n, ", by %s", status.manager);
        say_error("cannot %s '%s': %s (%s)", verb, name,
                  status.verdict == VORTEX_ORPHANED
                      ? "its supervisor was killed, but the server is running"
                      : "already running",
                  who);
    } else if (pid != 0) {
        say_error("cannot %s '%s': already running (pid %" PRId64 ")", verb, name, pid);
    } else {
        say_error("cannot %s '%s': already running", verb, name);
    }
}

/* The pids that hold the lock, as far as they may be seen: ": pid 7, pid 8". */
static void
list_holders(const char *pidfile, char *buf, size_t size)
{
    vortex_pid pids[16];
    int count = vortex_pidfile_holders(pidfile, pids, 16);
    size_t n = 0;

    buf[0] = '\0';
    for (int i = 0; i < count && n < size; i++)
        n += (size_t)snprintf(buf + n, size - n, "%spid %" PRId64, i == 0 ? ": " : ", ", pids[i]);
}

static int
say_busy(const char *verb, const char *name, const char *pidfile)
{
    char holders[512];

    list_holders(pidfile, holders, sizeof(holders));
    if (holders[0] != '\0')
        say_error("cannot %s '%s': its lock is still held%s: end them yourself, or what is left "
                  "of its session or service by 'vortex stop %s --leftovers'",
                  verb, name, holders, name);
    else
        say_error("cannot %s '%s': %s.lock is held: another start or stop is under way, or root "
                  "may see who holds it",
                  verb, name, pidfile);
    return EXIT_FAILED;
}

static int
say_unproved(const char *verb, const char *name, const char *pidfile, const char *option)
{
    struct status status;

    bool known = status_read(name, pidfile, &status) == 0 && status.verdict == VORTEX_UNPROVED;

    say_error("cannot %s '%s': %s (pid %" PRId64 "): %s: look for yourself%s%s", verb, name,
              pidfile, known ? status.pid : 0,
              known ? status.reason : "it can't be proved who owns it",
              option[0] != '\0' ? ", then say " : "", option);
    return EXIT_FAILED;
}

/* ---- Launching --------------------------------------------------------------------------- */

static const char *
or_unsaid(const char *text)
{
    return text != NULL ? text : "";
}

/* What could not be done, where a word says it all: mostly the key's. */
static void
describe_key(const struct config *config, enum os_stage stage, char *buf, size_t size)
{
    static const char *const words[] = {
        [OS_STAGE_IO] = "io-scheduling-class or io-scheduling-priority",
        [OS_STAGE_CPUS] = "cpu-affinity",
        [OS_STAGE_GROUPS] = "supplementary-groups",
        [OS_STAGE_NO_NEW_PRIVILEGES] = "no-new-privileges",
        [OS_STAGE_DETACH] = "a new process",
        [OS_STAGE_READY] = "it did not become ready",
        [OS_STAGE_HOOK] = "its hook failed",
    };

    if (stage >= OS_STAGE_NO_GROUP)
        snprintf(buf, size, "there is no group '%s' for supplementary-groups",
                 config->groups[stage - OS_STAGE_NO_GROUP]);
    else if (stage >= OS_STAGE_LIMIT)
        snprintf(buf, size, "%s", config_limit_key((enum os_limit_kind)(stage - OS_STAGE_LIMIT)));
    else
        snprintf(buf, size, "%s", or_unsaid(words[stage]));
}

/* What could not be done, and with what. */
static void
describe_stage(const struct launch_request *request, enum os_stage stage, char *buf, size_t size)
{
    const struct config *config = &request->instance->config;

    switch (stage) {
    case OS_STAGE_PROGRAM:
    case OS_STAGE_EXEC:
        snprintf(buf, size, "program '%s'", request->command ? request->command[0] : "");
        break;
    case OS_STAGE_USER:
        snprintf(buf, size, "there is no user '%s'", or_unsaid(config->user));
        break;
    case OS_STAGE_GROUP:
        snprintf(buf, size, "there is no group '%s'", or_unsaid(config->group));
        break;
    case OS_STAGE_DIRECTORY:
        snprintf(buf, size, "directory '%s'", config->directory ? config->directory : "/");
        break;
    case OS_STAGE_OUTPUT:
        snprintf(buf, size, "log '%s'", config->log != NULL ? config->log : "/dev/null");
        break;
    case OS_STAGE_NICE:
        snprintf(buf, size, "nice %d", config->nice);
        break;
    case OS_STAGE_OOM:
        snprintf(buf, size, "oom-score-adjust %d", config->oom_score_adjust);
        break;
    case OS_STAGE_IDENTITY:
        snprintf(buf, size, "becoming user '%s'", or_unsaid(config->user));
        break;
    case OS_STAGE_NONE:
        snprintf(buf, size, "%s", request->instance->pidfile);
        break;
    default:
        describe_key(config, stage, buf, size);
        break;
    }
}

/* Why not, or what to do next. */
static const char *
advice_for_stage(enum os_stage stage, int error)
{
    if (stage == OS_STAGE_NONE || stage == OS_STAGE_DETACH)
        return advice_for(error);
    if (stage == OS_STAGE_CPUS && error == -EINVAL)
        return ": this machine has none of these processors, or none is allowed here";
    return stage >= OS_STAGE_LIMIT && error == -EPERM
               ? ": to raise a hard limit takes root's rights"
               : "";
}

int
say_launch_failure(const char *verb, const struct launch_request *request,
                   const struct launch_result *result)
{
    const struct instance *in = request->instance;
    struct status status;
    char what[OS_PATH_MAX + 64];

    /* Another user's files can't be claimed, but that it runs is the better reason. */
    if (result->stage == OS_STAGE_NONE
        && (result->error == -EEXIST
            || (result->error == -EACCES && status_runs(in->name, in->pidfile, &status)))) {
        say_running(verb, in->name, in->pidfile, result->pid);
        return EXIT_FAILED;
    }
    if (result->stage == OS_STAGE_NONE && result->error == -EBUSY)
        return say_busy(verb, in->name, in->pidfile);
    if (result->stage == OS_STAGE_NONE && result->error == -ENODATA)
        return say_unproved(verb, in->name, in->pidfile, "--assume stale");
    describe_stage(request, result->stage, what, sizeof(what));
    if (result->stage == OS_STAGE_READY && result->error == -EADDRINUSE) {
        say_error("cannot %s '%s': %s", verb, in->name, result->why);
    } else if (result->stage == OS_STAGE_READY || result->stage == OS_STAGE_HOOK) {
        say_error("cannot %s '%s': %s: %s", verb, in->name, what, result->why);
        if (result->tail != NULL && !os_report_error(result->tail))
            fprintf(stderr, "%s", result->tail);
    } else if (result->stage == OS_STAGE_USER || result->stage == OS_STAGE_GROUP
               || result->stage >= OS_STAGE_NO_GROUP)
        say_error("cannot %s '%s': %s", verb, in->name, what);
    else
        say_error("cannot %s '%s': %s: %s%s", verb, in->name, what, reason_for(result->error),
                  advice_for_stage(result->stage, result->error));
    if (result->error == -ENOENT
        && (result->stage == OS_STAGE_PROGRAM || result->stage == OS_STAGE_EXEC))
        return EXIT_NO_PROGRAM;
    return exit_for(result->error);
}

/* ---- Stopping ---------------------------------------------------------------------------- */

static int
say_stopped(const char *name, const struct stop_result *result)
{
    if (result->pid != 0)
        say_line("stopped '%s' (pid %" PRId64 "%s)", name, result->pid,
                 result->killed ? ", by KILL after the timeout" : "");
    if (result->ended_leftovers > 0)
        say_line("ended %d of its leftovers", result->ended_leftovers);
    return EXIT_DONE;
}

int
say_stop(const char *verb, const struct stop_request *request, const char *name,
         const struct stop_result *result)
{
    char holders[512];

    switch (result->outcome) {
    case STOP_DONE:
        return say_stopped(name, result);
    case STOP_NOT_RUNNING:
        say_line("'%s' is not running: %s", name, result->reason);
        return EXIT_DONE;
    case STOP_LEFTOVERS:
        list_holders(request->pidfile, holders, sizeof(holders));
        say_error("'%s' is dead, but its lock is still held%s: %s", name, holders,
                  request->leftovers ? "these are not of its session or service; end them yourself"
                                     : "see 'vortex stop --leftovers'");
        return EXIT_FAILED;
    case STOP_FILES_LEFT:
        say_error("'%s' is dead%s, but its files can't be removed: %s.*: %s%s", name,
                  result->pid == 0 ? " already" : "", request->pidfile, strerror(-result->error),
                  advice_for(result->error));
        return exit_for(result->error);
    case STOP_SURVIVED:
        say_error("cannot %s '%s': pid %" PRId64 " still runs%s", verb, name, result->pid,
                  request->no_kill ? " after the timeout: leave out --no-kill, or wait longer "
                                     "with --timeout"
                                   : ", even after KILL: it hangs in the kernel");
        return EXIT_FAILED;
    case STOP_BUSY:
        return say_busy(verb, name, request->pidfile);
    case STOP_UNPROVED:
        return say_unproved(verb, name, request->pidfile, "--assume running");
    case STOP_FAILED:
        break;
    }
    return say_failure(verb, name, result->error, request->pidfile);
}

int
say_signalled(const char *verb, const char *name, const char *pidfile, const char *option,
              int error)
{
    struct status status;

    if (error == 0)
        return EXIT_DONE;
    if (error == -EBUSY)
        return say_busy(verb, name, pidfile);
    if (error == -ENODATA)
        return say_unproved(verb, name, pidfile, option);
    if (error != -ESRCH)
        return say_failure(verb, name, error, pidfile);
    if (status_read(name, pidfile, &status) == 0 && status.verdict != VORTEX_RUNNING)
        say_error("cannot %s '%s': not running: %s", verb, name, status.reason);
    else
        say_error("cannot %s '%s': not running", verb, name);
    return EXIT_NOT_RUNNING;
}

int
say_reload(const struct args *args, const char *pidfile, const struct reload_result *result)
{
    if (result->error == -ECANCELED) {
        say_error("cannot reload '%s': %s", args->name, result->why);
        return EXIT_FAILED;
    }
    if (result->is_waited && result->error == -ESRCH) {
        say_error("cannot reload '%s': it ended meanwhile", args->name);
        return EXIT_FAILED;
    }
    if (result->needs_restart[0] != '\0')
        say_line("reloaded '%s'; these wait for a restart: %s", args->name, result->needs_restart);
    return say_signalled("reload", args->name, pidfile, "--assume running", result->error);
}
