/* SPDX-License-Identifier: Apache-2.0 */
/* What a server may have, and as whom, as the kernel tells it; executed and supervised. */
#include <linux/capability.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "harness.h"

#define MODES 2

/* A new configuration of "web", executed or supervised: its path. */
static const char *
config_of(struct world *w, int mode, const char *keys)
{
    return config_write(w, "web", "[server]\nsupervise = %s\n%s\n", mode == 0 ? "no" : "yes", keys);
}

static pid_t
start_under(struct world *w, int mode, const char *keys)
{
    const char *config = config_of(w, mode, keys);

    expect_exit(VORTEX(w, "start", "web", "-c", config, "--", w->toy, "--report", w->report), 0);
    return hear(w, "ready");
}

static void
stop(struct world *w)
{
    expect_exit(VORTEX(w, "stop", "web"), 0);
}

/* It can't be started, and that is why. */
static void
expect_refusal(struct world *w, const char *keys, int status, const char *why)
{
    for (int mode = 0; mode < MODES; mode++) {
        const char *config = config_of(w, mode, keys);
        const struct answer *answer = VORTEX(w, "start", "web", "-c", config, "--", w->toy);

        expect_exit(answer, status);
        expect_says(answer->err, text_of("vortex: cannot start 'web': %s\n", why));
        assert_false(is_there(in_run(w, "web.pid")));
        if (mode == 0) /* a supervisor leaves the state that tells why */
            expect_no_files(w, "web");
    }
}

static void
become_nobody_with_files(struct world *w)
{
    need_root();
    assert_int_equal(chmod(w->dir, 0755), 0);
    assert_int_equal(chown(w->run, NOBODY, NOBODY), 0);
    toy_bring(w);
    w->as_nobody = true;
}

/* ---- Limits ------------------------------------------------------------------------------ */

struct limit {
    const char *name; /* as the kernel calls it */
    const char *seen; /* soft and hard */
};

static void
expect_limits(pid_t pid, const struct limit *limits, size_t count)
{
    const char *all = file_read(text_of("/proc/%d/limits", (int)pid));

    for (size_t i = 0; i < count; i++) {
        const char *line = strstr(all, text_of("\nMax %s ", limits[i].name));
        char soft[32], hard[32];

        assert_non_null(line);
        assert_int_equal(
            sscanf(line + sizeof("\nMax ") + strlen(limits[i].name), "%31s %31s", soft, hard), 2);
        assert_string_equal(text_of("%s %s", soft, hard), limits[i].seen);
    }
}

#define EXPECT_LIMITS(pid, limits) expect_limits(pid, limits, sizeof(limits) / sizeof *(limits))

/* Even root may not, where the capability was taken from it. */
static bool
may_raise_limits(void)
{
    const char *line = strstr(file_read("/proc/self/status"), "\nCapEff:");
    unsigned long long capabilities;

    return line != NULL && sscanf(line, "\nCapEff: %llx", &capabilities) == 1
           && (capabilities >> CAP_SYS_RESOURCE & 1);
}

static void
limits_of_posix_are_the_servers(void **state)
{
    /* Not tighter: a sanitizer's shadow takes terabytes. */
    static const char keys[] = "limit-cpu = 1h:2h\n"
                               "limit-fsize = 1G\n"
                               "limit-data = 200T:300T\n"
                               "limit-stack = 4M:8M\n"
                               "limit-core = 0:1M\n"
                               "limit-nofile = 123:456\n"
                               "limit-as = 200T\n";
    static const struct limit limits[] = {
        {"cpu time", "3600 7200"},
        {"file size", "1073741824 1073741824"},
        {"data size", "219902325555200 329853488332800"},
        {"stack size", "4194304 8388608"},
        {"core file size", "0 1048576"},
        {"open files", "123 456"},
        {"address space", "219902325555200 219902325555200"},
    };

    need_root();
    for (int mode = 0; mode < MODES; mode++) {
        EXPECT_LIMITS(start_under(*state, mode, keys), limits);
        stop(*state);
    }
}

static void
limits_of_linux_are_the_servers(void **state)
{
    static const char keys[] = "limit-rss = 1G:infinity\n"
                               "limit-nproc = 400:500\n"
                               "limit-memlock = 4K:8K\n"
                               "limit-locks = 77\n"
                               "limit-sigpending = 88:99\n"
                               "limit-msgqueue = 700K\n"
                               "limit-rttime = 900ms:1s\n";
    static const struct limit limits[] = {
        {"resident set", "1073741824 unlimited"},
        {"processes", "400 500"},
        {"locked memory", "4096 8192"},
        {"file locks", "77 77"},
        {"pending signals", "88 99"},
        {"msgqueue size", "716800 716800"},
        {"realtime timeout", "900000 1000000"},
    };
    static const struct limit raised[] = {{"nice priority", "15 25"}, {"realtime priority", "3 4"}};

    need_linux();
    need_root();
    for (int mode = 0; mode < MODES; mode++) {
        EXPECT_LIMITS(start_under(*state, mode, keys), limits);
        stop(*state);
        if (!may_raise_limits())
            continue;
        EXPECT_LIMITS(start_under(*state, mode, "limit-nice = +5:-5\nlimit-rtprio = 3:4"), raised);
        stop(*state);
    }
}

static void
infinity_is_as_far_as_allowed(void **state)
{
    struct world *w = *state;
    struct rlimit now;
    struct limit files;

    become_nobody_with_files(w);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &now), 0);
    files = (struct limit){"open files", text_of("%llu %llu", (unsigned long long)now.rlim_max,
                                                 (unsigned long long)now.rlim_max)};
    expect_limits(start_under(w, 0, "limit-nofile = infinity"), &files, 1);
    stop(w);

    files.seen = text_of("99 %llu", (unsigned long long)now.rlim_max);
    expect_limits(start_under(w, 1, "limit-nofile = 99:infinity"), &files, 1);
    stop(w);
}

static void
a_hard_limit_that_only_root_may_raise_names_its_key(void **state)
{
    static const char why[] = "limit-nofile: Operation not permitted: to raise a hard limit "
                              "takes root's rights";

    become_nobody_with_files(*state);
    expect_refusal(*state, "limit-core = 0\nlimit-nofile = 64:999999999999", 4, why);
    expect_refusal(*state, "limit-nofile = 999999999999:infinity", 4, why);
}

static void
a_user_with_too_many_processes_gets_no_more_of_them(void **state)
{
    struct world *w = *state;
    const char *one;

    need_linux();
    need_root();
    assert_int_equal(chmod(w->dir, 0755), 0);
    toy_bring(w);
    one = config_write(w, "one", "[server]\nuser = 65534\n");
    expect_exit(VORTEX(w, "start", "one", "-c", one, "--", "sleep", "1000"), 0);
    expect_refusal(w, "user = 65534\nlimit-nproc = 0", 1,
                   "limit-nproc: Resource temporarily unavailable");
    expect_exit(VORTEX(w, "stop", "one"), 0);
}

/* Names are looked up, and files opened, before there are too few descriptors for it. */
static void
limits_are_for_the_server_not_for_what_starts_it(void **state)
{
    struct world *w = *state;
    const char *keys = text_of("user = nobody\nlog = %s/log\nlimit-nofile = 0", w->dir);
    const struct answer *answer;

    need_root();
    answer = VORTEX(w, "run", "web", "-c", config_of(w, 0, keys), "--", "true");
    /* The loader needs one for the C library: so far it came. */
    expect_says(file_read(in_dir(w, "log")), "Error 24");
    expect_exit(answer, 127);
    assert_string_equal(answer->err, "");

    /* what it is passed may have any number */
    keys = config_of(w, 1, "limit-nofile = 6\n[ready]\nwhen = fd:9");
    expect_exit(VORTEX(w, "start", "web", "-c", keys, "--", "sh", "-c",
                       "echo | tee /dev/fd/9; exec sleep 1000"),
                0);
    stop(w);
}

/* ---- Who it is --------------------------------------------------------------------------- */

static void
expect_status(pid_t pid, const char *line)
{
    expect_says(file_read(text_of("/proc/%d/status", (int)pid)), line);
}

static void
supplementary_groups_are_taken(void **state)
{
    struct world *w = *state;

    need_root();
    assert_int_equal(chmod(w->dir, 0755), 0);
    assert_int_equal(chmod(w->report, 0666), 0);
    toy_bring(w);
    for (int mode = 0; mode < MODES; mode++) {
        /* beside those of the user */
        expect_status(start_under(w, mode,
                                  "user = 65534\nsupplementary-groups = 4321 daemon\n"
                                  "supplementary-groups = 4322"),
                      "\nGroups:\t1 4321 4322 65534 \n");
        stop(w);
        /* without a user, alone */
        expect_status(start_under(w, mode, "group = 4320\nsupplementary-groups = 4321"),
                      "\nGroups:\t4321 \n");
        stop(w);
        expect_status(start_under(w, mode, "supplementary-groups = 4321"), "\nGroups:\t4321 \n");
        stop(w);
    }
}

static void
groups_that_cannot_be_taken_are_named(void **state)
{
    expect_refusal(*state, "supplementary-groups = 1 nosuch", 1,
                   "there is no group 'nosuch' for supplementary-groups");
    become_nobody_with_files(*state);
    expect_refusal(*state, "supplementary-groups = 1", 4,
                   "supplementary-groups: Operation not permitted");
}

static void
no_new_privileges_is_set_on_request_alone(void **state)
{
    struct world *w = *state;

    need_linux();
    for (int mode = 0; mode < MODES; mode++) {
        expect_status(start_under(w, mode, "no-new-privileges = yes"), "\nNoNewPrivs:\t1\n");
        stop(w);
        expect_status(start_under(w, mode, "no-new-privileges = no"), "\nNoNewPrivs:\t0\n");
        stop(w);
    }
}

static void
no_new_privileges_lets_the_user_be_another(void **state)
{
    struct world *w = *state;
    const struct answer *answer;

    need_linux();
    need_root();
    answer = VORTEX(w, "run", "web", "-c", config_of(w, 0, "user = 65534\nno-new-privileges = yes"),
                    "--", "grep", "-E", "^(Uid|NoNewPrivs)", "/proc/self/status");
    expect_exit(answer, 0);
    assert_string_equal(answer->out, "Uid:\t65534\t65534\t65534\t65534\nNoNewPrivs:\t1\n");
}

/* ---- When it runs, and where ------------------------------------------------------------- */

static void
io_scheduling_is_applied(void **state)
{
    static const struct {
        const char *keys;
        int priority; /* class << 13 | priority */
    } samples[] = {
        {"io-scheduling-class = idle", 3 << 13},
        {"io-scheduling-priority = 6", 2 << 13 | 6},
        {"io-scheduling-class = best-effort", 2 << 13 | 4},
    };

    need_linux();
    for (int mode = 0; mode < MODES; mode++)
        for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
            pid_t pid = start_under(*state, mode, samples[i].keys);

            assert_int_equal(syscall(SYS_ioprio_get, 1, pid), samples[i].priority);
            stop(*state);
        }
}

static void
what_only_root_may_have_is_refused_to_others(void **state)
{
    need_linux();
    become_nobody_with_files(*state);
    expect_refusal(*state, "io-scheduling-class = realtime", 4,
                   "io-scheduling-class or io-scheduling-priority: Operation not permitted");
    expect_refusal(*state, "nice = -5", 4, "nice -5: Permission denied");
    expect_refusal(*state, "oom-score-adjust = -999", 4,
                   "oom-score-adjust -999: Permission denied");
}

static void
cpu_affinity_is_applied(void **state)
{
    cpu_set_t allowed, seen;
    int last = 0;

    need_linux();
    assert_int_equal(sched_getaffinity(0, sizeof(allowed), &allowed), 0);
    for (int n = 0; n < CPU_SETSIZE; n++)
        if (CPU_ISSET(n, &allowed))
            last = n;
    for (int mode = 0; mode < MODES; mode++) {
        /* 8191 is not there, and passed over */
        pid_t pid = start_under(*state, mode, text_of("cpu-affinity = %d,8191", last));

        assert_int_equal(sched_getaffinity(pid, sizeof(seen), &seen), 0);
        assert_int_equal(CPU_COUNT(&seen), 1);
        assert_true(CPU_ISSET(last, &seen));
        stop(*state);
    }
}

static void
processors_that_are_not_there_are_refused(void **state)
{
    need_linux();
    expect_refusal(*state, "cpu-affinity = 8190-8191", 1,
                   "cpu-affinity: Invalid argument: this machine has none of these processors, or "
                   "none is allowed here");
}

static void
what_this_system_cannot_do_is_a_mistake(void **state)
{
    struct world *w = *state;
    const struct answer *answer;

    if (strcmp(getenv("VORTEX_OS"), "linux") == 0)
        skip_test("it can do everything");
    answer = VORTEX(w, "check", "web", "-c", config_of(w, 0, "cpu-affinity = 0\nlimit-rss = 1M"));
    expect_exit(answer, 6);
    expect_says(answer->err,
                ":3: 'cpu-affinity' is not possible on this system: take the line out");
    expect_says(answer->err, ":4: 'limit-rss' is not possible on this system: take the line out");
}

/* A server whose identity could not be told would be nobody's to stop. */
static void
a_start_short_of_descriptors_fails_or_can_be_stopped(void **state)
{
    struct world *w = *state;
    int started = 0;

    need_linux();
    for (int limit = 4; limit < 20; limit++) {
        const char *few = text_of("--nofile=%d", limit);
        bool done =
            PROGRAM(w, "prlimit", few, w->vortex, "start", "web", "--", "sleep", "1000")->status
            == 0;

        expect_exit(VORTEX(w, "status", "web"), done ? 0 : 3);
        expect_exit(VORTEX(w, "stop", "web"), 0);
        expect_no_files(w, "web");
        started += done;
    }
    assert_true(started > 0);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        PROMISE(limits_of_posix_are_the_servers),
        PROMISE(limits_of_linux_are_the_servers),
        PROMISE(infinity_is_as_far_as_allowed),
        PROMISE(a_hard_limit_that_only_root_may_raise_names_its_key),
        PROMISE(a_user_with_too_many_processes_gets_no_more_of_them),
        PROMISE(limits_are_for_the_server_not_for_what_starts_it),
        PROMISE(a_start_short_of_descriptors_fails_or_can_be_stopped),
        PROMISE(supplementary_groups_are_taken),
        PROMISE(groups_that_cannot_be_taken_are_named),
        PROMISE(no_new_privileges_is_set_on_request_alone),
        PROMISE(no_new_privileges_lets_the_user_be_another),
        PROMISE(io_scheduling_is_applied),
        PROMISE(what_only_root_may_have_is_refused_to_others),
        PROMISE(cpu_affinity_is_applied),
        PROMISE(processors_that_are_not_there_are_refused),
        PROMISE(what_this_system_cannot_do_is_a_mistake),
    };

    return RUN_SUITE("what the server may have", false, tests);
}
