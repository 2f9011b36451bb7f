/* SPDX-License-Identifier: Apache-2.0 */
/* What has to hold after a disturbed command: who lives is known, and all goes on from there. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "crash.h"

/* For what comes by itself, as the end of a server whose supervisor was killed. */
#define SETTLE_MS 30000

/* What the last command said. */
static const char *
output_of(const struct trial *t)
{
    static char text[2048];
    FILE *file = fopen(world_path(t, "output"), "re");
    size_t n = file != NULL ? fread(text, 1, sizeof(text) - 1, file) : 0;

    text[n] = '\0';
    if (file != NULL)
        fclose(file);
    return text;
}

static bool
contains(const pid_t *pids, int count, pid_t pid)
{
    for (int i = 0; i < count; i++)
        if (pids[i] == pid)
            return true;
    return false;
}

static int
expect_one_owner(struct trial *t, pid_t *ret_servers)
{
    int count = world_servers(t, ret_servers);

    if (count > 1)
        fail("there are %d servers", count);
    return count;
}

/* Servers and supervisors; how many. */
static int
everybody(const struct trial *t, pid_t *ret_pids)
{
    int count = world_servers(t, ret_pids);
    pid_t hosts[PEOPLE_MAX];
    int host_count = world_hosts(t, hosts);

    for (int i = 0; i < host_count && count < PEOPLE_MAX; i++)
        ret_pids[count++] = hosts[i];
    return count;
}

static bool
somebody_lives(const struct trial *t)
{
    pid_t pids[PEOPLE_MAX];

    return everybody(t, pids) > 0;
}

/* Does one of these live? */
static bool
one_lives(const struct trial *t, const pid_t *pids, int count)
{
    pid_t now[PEOPLE_MAX];
    int now_count = everybody(t, now);

    for (int i = 0; i < count; i++)
        if (contains(now, now_count, pids[i]))
            return true;
    return false;
}

/* The pid in the output of `status`. */
static pid_t
pid_told(const struct trial *t)
{
    const char *text = strstr(output_of(t), "\n  pid ");

    return text != NULL ? atoi(text + strlen("\n  pid ")) : 0;
}

/* Every living server is named by the state, and status sees it. */
static void
expect_status(struct trial *t, const char *when)
{
    pid_t servers[PEOPLE_MAX], hosts[PEOPLE_MAX];
    int status, count, host_count;
    bool lived;

    do { /* asked again, where the last one ends meanwhile */
        lived = somebody_lives(t);
        status = world_run(t, "status");
        count = expect_one_owner(t, servers);
        host_count = world_hosts(t, hosts);
    } while (lived && count + host_count == 0);
    if (count + host_count == 0) {
        if (status < 1 || status > 3)
            fail("%s: nobody lives, and status exits with %d: %s", when, status, output_of(t));
        return;
    }
    if (status != 0)
        fail("%s: somebody lives, and status exits with %d: %s", when, status, output_of(t));
    for (int i = 0; i < count; i++)
        if (world_state_pid(t, "pid") != servers[i]
            && world_state_pid(t, "server-pid") != servers[i] && one_lives(t, &servers[i], 1))
            fail("%s: the server %d is not named by the state", when, (int)servers[i]);
    if (!contains(servers, count, pid_told(t)) && !contains(hosts, host_count, pid_told(t)))
        fail("%s: status names %d, who is no server: %s", when, (int)pid_told(t), output_of(t));
}

/* A supervisor's updates are temporaries for a moment. */
static bool
comes_to_have_no_temporaries(struct trial *t)
{
    int64_t end = now_ms() + SETTLE_MS;
    bool has_some;

    while ((has_some = world_files(t, true) != 0) && now_ms() < end)
        world_step(t, now_ms() + 5);
    return !has_some;
}

/* A start is refused where somebody lives, and succeeds where nobody does. */
static void
expect_start(struct trial *t)
{
    pid_t before[PEOPLE_MAX];
    int count = everybody(t, before), status = world_run(t, "start");
    bool lived = count > 0;

    if (lived && status == 0 && !one_lives(t, before, count)) /* the last one ended meanwhile */
        lived = false;
    if (lived && (status != 1 || strstr(output_of(t), "already running") == NULL))
        fail("somebody lives, and start exits with %d: %s", status, output_of(t));
    if (!lived && status != 0)
        fail("nobody lives, and start exits with %d: %s", status, output_of(t));
    if (!lived && !world_wait_servers(t, 1))
        fail("start says that it started, and there is no server: %s", output_of(t));
    if (!lived && !comes_to_have_no_temporaries(t))
        fail("a temporary is left after a start");
}

static void
expect_stop(struct trial *t)
{
    pid_t pids[PEOPLE_MAX];
    int status = world_run(t, "stop");

    if (status != 0)
        fail("stop exits with %d: %s", status, output_of(t));
    if (somebody_lives(t))
        fail("stop says that it stopped, and there are %d servers and %d supervisors",
             world_servers(t, pids), world_hosts(t, pids));
    if (world_files(t, false) != 0)
        fail("files are left after a stop");
    status = world_run(t, "status");
    if (status != 3)
        fail("after a stop status exits with %d: %s", status, output_of(t));
}

/* ---- The disturbed command ----------------------------------------------------------------- */

/* It was disturbed by an error, but not ended: what it says is so. */
static void
expect_truth(struct trial *t)
{
    const char *verb = t->scenario->verb;
    int status = t->tracer.root_status;
    pid_t servers[PEOPLE_MAX];
    bool said_done;

    if (t->tracer.root_became || verb == NULL || !t->tracer.root_ended)
        return;
    if (!WIFEXITED(status))
        fail("%s was ended by signal %d", verb, WTERMSIG(status));
    said_done = WEXITSTATUS(status) == 0;
    if (strcmp(verb, "start") == 0 && said_done && !world_wait_servers(t, 1))
        fail("start exits with 0, and there is no server");
    if (strcmp(verb, "start") == 0 && !said_done && somebody_lives(t))
        fail("start exits with %d, and there is a server", WEXITSTATUS(status));
    if (strcmp(verb, "restart") == 0 && said_done
        && (!world_wait_servers(t, 1) || world_servers(t, servers) != 1 || servers[0] == t->old))
        fail("restart exits with 0, and there is no new server");
    if (strcmp(verb, "stop") == 0 && said_done && somebody_lives(t))
        fail("stop exits with 0, and there is a server");
}

/* A server whose supervisor was killed dies with it, a moment later. */
static void
settle(struct trial *t)
{
    int64_t end = now_ms() + SETTLE_MS;
    pid_t pids[PEOPLE_MAX];

    if (!t->scenario->is_supervised)
        return;
    while (world_hosts(t, pids) == 0 && world_servers(t, pids) > 0 && now_ms() < end)
        world_step(t, end);
}

void
after_other(struct trial *t, enum other other, int status, int servers_before)
{
    pid_t servers[PEOPLE_MAX];
    int count = expect_one_owner(t, servers);

    if (status > 7)
        fail("meanwhile the other command exits with %d: %s", status, output_of(t));
    if (other == OTHER_START && status == 0 && !world_wait_servers(t, 1))
        fail("meanwhile start exits with 0, and there is no server: %s", output_of(t));
    if (other == OTHER_STOP && status == 0 && count > 0)
        fail("meanwhile stop exits with 0, and there is a server: %s", output_of(t));
    if (other == OTHER_STATUS && servers_before > 0 && count > 0 && status != 0)
        fail("meanwhile a server lives, and status exits with %d: %s", status, output_of(t));
}

void
after_all(struct trial *t, bool is_true)
{
    settle(t);
    if (is_true)
        expect_truth(t);
    expect_status(t, "afterwards");
    expect_start(t);
    expect_status(t, "after the next start");
    expect_stop(t);
    world_ask_bystanders(t);
}
