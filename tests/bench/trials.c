/* SPDX-License-Identifier: Apache-2.0 */
/* The trials, each of which a judge runs in a place of its own. */
#include "correctness.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define VICTIM PLACE "/victim"

/* ---- Trials ------------------------------------------------------------------------------ */

static struct verdict
two_starts(struct trial *t)
{
    pid_t one;

    start_by(t, 2);
    return (struct verdict){count_servers(t, &one) != 1, 1};
}

/* A server, a power cut, and another process with its number. */
static void
reuse_pid(struct trial *t)
{
    pid_t server = start_first(t), number = 0;

    if (t->pidfile != NULL)
        number = named_by(t->pidfile);
    cut_power();
    t->bystanders[0] = let_stand_by(number > 1 ? number : server);
}

static struct verdict
reused_status(struct trial *t)
{
    const char *words[WORDS];

    if (!get_status(t, words))
        return (struct verdict){0, 0};
    reuse_pid(t);
    return (struct verdict){run_command(words) == 0, 1};
}

static struct verdict
reused_stop(struct trial *t)
{
    const char *words[WORDS];

    if (!get_stop(t, words))
        return (struct verdict){0, 0};
    reuse_pid(t);
    if (t->subject->stop_needs_it)
        start_by(t, 1);
    (void)run_command(words);
    return (struct verdict){is_harmed(t->bystanders[0]), 1};
}

static struct verdict
reused_start(struct trial *t)
{
    pid_t one;

    reuse_pid(t);
    start_by(t, 1);
    return (struct verdict){count_servers(t, &one) != 1, 1};
}

static struct verdict
crashed_start(struct trial *t)
{
    pid_t one;

    (void)start_first(t);
    cut_power();
    start_by(t, 1);
    return (struct verdict){count_servers(t, &one) != 1, 1};
}

/* Its supervisor is killed, and it lives on. */
static struct verdict
orphaned_server(struct trial *t)
{
    pid_t pids[64], one;
    int count;

    (void)start_first(t);
    count = list_supervisors(&t->bed, pids, 64);
    if (t->subject->tool != TOOLS || count == 0)
        return (struct verdict){0, 0};
    for (int i = 0; i < count; i++)
        kill(pids[i], SIGKILL);
    settle(100);
    start_by(t, 1);
    settle(3000); /* one runs already, so that there is nothing to wait for */
    return (struct verdict){count_servers(t, &one) > 1, 1};
}

/* ---- Bad files --------------------------------------------------------------------------- */

/* false: there are no more. */
static bool
spoil(const struct trial *t, int which)
{
    int pid = (int)t->bystanders[0];
    const char *texts[] = {"",
                           "nonsense\n",
                           "-1\n",
                           "0\n",
                           text_of("%lld\n", 4294967296LL + pid),
                           "99999999999999999999\n",
                           text_of("%d%d\n", pid, pid)};

    if (which < 7)
        write_file(t->pidfile, texts[which]);
    else if (which == 7)
        return mkfifo(t->pidfile, 0644) == 0;
    else {
        write_file(VICTIM, "precious\n");
        return symlink(VICTIM, t->pidfile) == 0;
    }
    return true;
}

static bool
is_harmed_any(const struct trial *t)
{
    bool harmed = false;

    for (int i = 0; i < 2; i++)
        harmed |= is_harmed(t->bystanders[i]);
    return harmed;
}

static bool
prepare_bad(struct trial *t)
{
    if (t->pidfile == NULL || t->subject->tool == FLOCK)
        return false;
    for (int i = 0; i < 2; i++)
        t->bystanders[i] = let_stand_by(0);
    return spoil(t, t->round);
}

static struct verdict
bad_stop(struct trial *t)
{
    const char *words[WORDS];
    int status;

    if (!get_stop(t, words) || !prepare_bad(t))
        return (struct verdict){0, 0};
    if (t->subject->stop_needs_it)
        start_by(t, 1);
    status = run_command(words);
    return (struct verdict){status == -1 || is_harmed_any(t), 1};
}

/* A server or a clear refusal; nothing else is touched. */
static struct verdict
bad_start(struct trial *t)
{
    struct stat st = {.st_size = 9};
    pid_t one;
    bool bad;

    if (!prepare_bad(t))
        return (struct verdict){0, 0};
    start_by(t, 1);
    bad = is_harmed_any(t) || count_servers(t, &one) > 1;
    if (t->round == 8)
        bad |= stat(VICTIM, &st) < 0 || st.st_size != 9;
    else if (t->round < 7)
        bad |= count_servers(t, &one) != 1;
    return (struct verdict){bad, 1};
}

/* ---- All of them ------------------------------------------------------------------------- */

const struct trial_kind trial_kinds[] = {
    {"two_starts", "two starts at once: not exactly one server", two_starts, 10},
    {"reused_status", "a reused pid: status says that it runs", reused_status, 2},
    {"reused_stop", "a reused pid: stop signals the stranger", reused_stop, 2},
    {"reused_start", "a reused pid: start starts nothing", reused_start, 2},
    {"crashed_start", "after a power cut: start starts nothing", crashed_start, 2},
    {"orphaned_server", "supervisor killed, started again: a second server", orphaned_server, 2},
    {"bad_stop", "a bad pidfile: stop signals strangers, or hangs", bad_stop, BAD_FILES},
    {"bad_start", "a bad pidfile: no server, or another file is overwritten", bad_start, BAD_FILES},
};
const int trial_kind_count = sizeof(trial_kinds) / sizeof(trial_kinds[0]);
