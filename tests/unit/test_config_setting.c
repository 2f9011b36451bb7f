/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of what a server finds itself in: limits, groups, processors; good and bad. */
#include <stdio.h>

#include "host/reading.h"
#include "os/os.h"
#include "reading_fixture.h"

#define INF OS_LIMIT_INFINITY

/* "[server]\nTEXT\n", which is good; where the system can't do it, it is that mistake alone. */
static bool
read_here(const char *text, const char *key, enum os_stage stage, struct reading *ret)
{
    char whole[256], line[160];

    snprintf(whole, sizeof whole, "[server]\n%s\n", text);
    if (os_launch_can(stage)) {
        *ret = read_good(whole);
        return true;
    }
    snprintf(line, sizeof line,
             "web.conf:2: '%s' is not possible on this system: take the line out", key);
    expect_mistake(whole, line);
    return false;
}

/* ---- Limits ------------------------------------------------------------------------------ */

struct sample {
    enum os_limit_kind kind;
    const char *value;
    int64_t soft, hard;
};

static void
expect_limit(const struct sample *sample)
{
    const char *key = config_limit_key(sample->kind);
    struct reading reading;
    char text[128];

    snprintf(text, sizeof text, "%s = %s", key, sample->value);
    if (!read_here(text, key, (enum os_stage)(OS_STAGE_LIMIT + (int)sample->kind), &reading))
        return;
    for (int kind = 0; kind < OS_LIMIT_KINDS; kind++) {
        const struct os_limit *limit = &reading.config.limits[kind];

        assert_int_equal(limit->is_set, kind == (int)sample->kind);
        if (limit->is_set) {
            assert_true(limit->soft == sample->soft);
            assert_true(limit->hard == sample->hard);
        }
    }
    end_reading(&reading);
}

static void
limits_are_read_in_their_units(void **state)
{
    static const struct sample samples[] = {
        {OS_LIMIT_CPU, "30", 30, 30},
        {OS_LIMIT_CPU, "1500ms:1m 30s", 2, 90},
        {OS_LIMIT_FSIZE, "10M", 10 << 20, 10 << 20},
        {OS_LIMIT_DATA, "1G:infinity", 1 << 30, INF},
        {OS_LIMIT_STACK, "8M:64M", 8 << 20, 64 << 20},
        {OS_LIMIT_CORE, "0", 0, 0},
        {OS_LIMIT_CORE, "infinity", INF, INF},
        {OS_LIMIT_RSS, "64K", 65536, 65536},
        {OS_LIMIT_NOFILE, "1024:65536", 1024, 65536},
        {OS_LIMIT_NOFILE, "9223372036854775806", INF - 1, INF - 1},
        {OS_LIMIT_AS, "2T", (int64_t)2 << 40, (int64_t)2 << 40},
        {OS_LIMIT_NPROC, "512", 512, 512},
        {OS_LIMIT_MEMLOCK, "4096 : 8K", 4096, 8192},
        {OS_LIMIT_LOCKS, "7", 7, 7},
        {OS_LIMIT_SIGPENDING, "100:100", 100, 100},
        {OS_LIMIT_MSGQUEUE, "800K", 800 << 10, 800 << 10},
        {OS_LIMIT_NICE, "+5:-5", 15, 25},
        {OS_LIMIT_NICE, "0:40", 1, 40},
        {OS_LIMIT_NICE, "+19:-20", 1, 40},
        {OS_LIMIT_RTPRIO, "5:99", 5, 99},
        {OS_LIMIT_RTTIME, "200:5ms", 200, 5000},
        {OS_LIMIT_RTTIME, "infinity", INF, INF},
    };

    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
        expect_limit(&samples[i]);
}

static void
each_limit_has_a_key(void **state)
{
    static const char *const keys[OS_LIMIT_KINDS] = {
        "limit-cpu",      "limit-fsize",   "limit-data",   "limit-stack",
        "limit-core",     "limit-rss",     "limit-nofile", "limit-as",
        "limit-nproc",    "limit-memlock", "limit-locks",  "limit-sigpending",
        "limit-msgqueue", "limit-nice",    "limit-rtprio", "limit-rttime",
    };

    (void)state;
    for (int kind = 0; kind < OS_LIMIT_KINDS; kind++)
        assert_string_equal(config_limit_key((enum os_limit_kind)kind), keys[kind]);
}

static void
limits_that_mean_nothing_are_refused(void **state)
{
#define COUNT "' must be a number or infinity, or two such as 1024:4096, not '"
#define BYTES "' must be a size such as 16M or infinity, or two such as 16M:1G, not '"
#define TIMES "' must be a time such as 10s or infinity, or two such as 10s:1m, not '"
#define NICES "' must be +N or -N as nice has it, a number from 0 to 40, or two such as 0:-5, not '"
#define ORDER "': the soft limit, which stands first, can't be above the hard one"
    static const struct mistake mistakes[] = {
        {"[server]\nlimit-nofile = 1K\n", "web.conf:2: 'limit-nofile" COUNT "1K'"},
        {"[server]\nlimit-nofile = -1\n", "web.conf:2: 'limit-nofile" COUNT "-1'"},
        {"[server]\nlimit-nofile = :5\n", "web.conf:2: 'limit-nofile" COUNT ":5'"},
        {"[server]\nlimit-nofile = 5:\n", "web.conf:2: 'limit-nofile" COUNT "5:'"},
        {"[server]\nlimit-nofile = 1:2:3\n", "web.conf:2: 'limit-nofile" COUNT "1:2:3'"},
        {"[server]\nlimit-nofile = 6:5\n", "web.conf:2: 'limit-nofile" ORDER},
        {"[server]\nlimit-nofile = infinity:5\n", "web.conf:2: 'limit-nofile" ORDER},
        {"[server]\nlimit-nproc = many\n", "web.conf:2: 'limit-nproc" COUNT "many'"},
        {"[server]\nlimit-core = 9223372036854775807\n",
         "web.conf:2: 'limit-core" BYTES "9223372036854775807'"},
        {"[server]\nlimit-core = 18446744073709551616\n",
         "web.conf:2: 'limit-core" BYTES "18446744073709551616'"},
        {"[server]\nlimit-as = 1.5G\n", "web.conf:2: 'limit-as" BYTES "1.5G'"},
        {"[server]\nlimit-as = 00000000000000000000000000000000000000000000000000000000000000001\n",
         "web.conf:2: 'limit-as" BYTES
         "00000000000000000000000000000000000000000000000000000000000000001'"},
        {"[server]\nlimit-cpu = 5us\n", "web.conf:2: 'limit-cpu" TIMES "5us'"},
        {"[server]\nlimit-cpu = 10M\n", "web.conf:2: 'limit-cpu" TIMES "10M'"},
        {"[server]\nlimit-rttime = 5K\n", "web.conf:2: 'limit-rttime" TIMES "5K'"},
        {"[server]\nlimit-nice = +20\n", "web.conf:2: 'limit-nice" NICES "+20'"},
        {"[server]\nlimit-nice = -21\n", "web.conf:2: 'limit-nice" NICES "-21'"},
        {"[server]\nlimit-nice = 41\n", "web.conf:2: 'limit-nice" NICES "41'"},
        {"[server]\nlimit-nice = +-5\n", "web.conf:2: 'limit-nice" NICES "+-5'"},
        {"[server]\nlimit-nice = -5:+5\n", "web.conf:2: 'limit-nice" ORDER},
    };
#undef COUNT
#undef BYTES
#undef TIMES
#undef NICES
#undef ORDER

    (void)state;
    EXPECT_EACH(mistakes);
}

/* ---- Who it is --------------------------------------------------------------------------- */

static void
groups_are_gathered_from_all_lines(void **state)
{
    struct reading reading = read_good("[server]\nsupplementary-groups = adm 44 %n\n"
                                       "supplementary-groups = 'the group'\n");

    (void)state;
    EXPECT_WORDS(reading.config.groups, "adm", "44", "web", "the group");
    end_reading(&reading);
    expect_mistake("[server]\nsupplementary-groups = 'adm\n",
                   "web.conf:2: 'supplementary-groups': a quote is not closed");
    expect_mistake("[server]\nsupplementary-groups = %g\n",
                   "web.conf:2: 'supplementary-groups': a % stands for nothing unless n, p or % "
                   "follows: write %% for a percent sign");
}

static void
privileges_may_be_kept_from_growing(void **state)
{
    struct reading no = read_good("[server]\nno-new-privileges = no\n"), yes;

    (void)state;
    assert_false(no.config.no_new_privileges);
    end_reading(&no);
    expect_mistake("[server]\nno-new-privileges = never\n",
                   "web.conf:2: 'no-new-privileges' must be yes or no, not 'never'");
    if (!read_here("no-new-privileges = yes", "no-new-privileges", OS_STAGE_NO_NEW_PRIVILEGES,
                   &yes))
        return;
    assert_true(yes.config.no_new_privileges);
    end_reading(&yes);
}

/* ---- When it runs, and where ------------------------------------------------------------- */

static void
oom_score_adjust_reaches_its_bounds(void **state)
{
    struct reading least, most;

    (void)state;
    if (!read_here("oom-score-adjust = -1000", "oom-score-adjust", OS_STAGE_OOM, &least))
        return;
    most = read_good("[server]\noom-score-adjust = 1000\n");
    assert_int_equal(least.config.oom_score_adjust, -1000);
    assert_int_equal(most.config.oom_score_adjust, 1000);
    end_reading(&least);
    end_reading(&most);
}

static void
an_io_class_is_one_of_four_words(void **state)
{
    static const struct {
        const char *text;
        enum os_io_class class;
        int priority;
    } samples[] = {
        {"io-scheduling-class = none", OS_IO_NONE, -1},
        {"io-scheduling-class = idle", OS_IO_IDLE, -1},
        {"io-scheduling-class = best-effort", OS_IO_BEST_EFFORT, -1},
        {"io-scheduling-priority = 0\nio-scheduling-class = realtime", OS_IO_REALTIME, 0},
        {"io-scheduling-priority = 7", OS_IO_BEST_EFFORT, 7},
    };

    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof *samples && os_launch_can(OS_STAGE_IO); i++) {
        struct reading reading;

        assert_true(read_here(samples[i].text, "io-scheduling-class", OS_STAGE_IO, &reading));
        assert_int_equal(reading.config.io_class, samples[i].class);
        assert_int_equal(reading.config.io_priority, samples[i].priority);
        end_reading(&reading);
    }
}

static void
an_io_priority_needs_a_class_that_has_some(void **state)
{
    static const struct mistake mistakes[] = {
        {"[server]\nio-scheduling-class = fast\n",
         "web.conf:2: 'io-scheduling-class' must be none, realtime, best-effort or idle, not "
         "'fast'"},
        {"[server]\nio-scheduling-priority = 8\n",
         "web.conf:2: 'io-scheduling-priority' must be a number from 0, the highest, to 7, not "
         "'8'"},
    };
    static const struct mistake pairs[] = {
        {"[server]\nio-scheduling-priority = 3\nio-scheduling-class = idle\n",
         "web.conf:2: 'io-scheduling-priority' goes with 'io-scheduling-class = realtime' or "
         "best-effort: take it out"},
        {"[server]\nio-scheduling-class = none\nio-scheduling-priority = 3\n",
         "web.conf:3: 'io-scheduling-priority' goes with 'io-scheduling-class = realtime' or "
         "best-effort: take it out"},
    };

    (void)state;
    EXPECT_EACH(mistakes);
    if (os_launch_can(OS_STAGE_IO))
        EXPECT_EACH(pairs);
}

static void
expect_cpus(const struct os_cpus *cpus, const int *numbers)
{
    assert_non_null(cpus);
    for (int n = 0; n < OS_CPUS_MAX; n++) {
        bool is_there = cpus->bits[n / 64] >> n % 64 & 1;

        assert_int_equal(is_there, n == *numbers);
        numbers += is_there;
    }
}

static void
processors_are_numbers_and_ranges(void **state)
{
    struct reading reading;

    (void)state;
    if (!read_here("cpu-affinity = 63-65 0,2,,\t8191", "cpu-affinity", OS_STAGE_CPUS, &reading))
        return;
    expect_cpus(reading.config.cpus, (const int[]){0, 2, 63, 64, 65, 8191, -1});
    end_reading(&reading);

    reading = read_good("[server]\ncpu-affinity = 3\ncpu-affinity = 3-3 1\n");
    expect_cpus(reading.config.cpus, (const int[]){1, 3, -1});
    end_reading(&reading);
}

static void
what_is_no_processor_is_refused(void **state)
{
#define CPUS "web.conf:2: 'cpu-affinity' must be processors from 0 to 8191 such as 0-3 5, not '"
    static const struct mistake mistakes[] = {
        {"[server]\ncpu-affinity = ,\n", CPUS ",'"},
        {"[server]\ncpu-affinity = 3-1\n", CPUS "3-1'"},
        {"[server]\ncpu-affinity = -1\n", CPUS "-1'"},
        {"[server]\ncpu-affinity = 1-\n", CPUS "1-'"},
        {"[server]\ncpu-affinity = 0-1-2\n", CPUS "0-1-2'"},
        {"[server]\ncpu-affinity = 8192\n", CPUS "8192'"},
        {"[server]\ncpu-affinity = 0 all\n", CPUS "0 all'"},
    };
#undef CPUS

    (void)state;
    EXPECT_EACH(mistakes);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_are_read_in_their_units),
        cmocka_unit_test(each_limit_has_a_key),
        cmocka_unit_test(limits_that_mean_nothing_are_refused),
        cmocka_unit_test(groups_are_gathered_from_all_lines),
        cmocka_unit_test(privileges_may_be_kept_from_growing),
        cmocka_unit_test(oom_score_adjust_reaches_its_bounds),
        cmocka_unit_test(an_io_class_is_one_of_four_words),
        cmocka_unit_test(an_io_priority_needs_a_class_that_has_some),
        cmocka_unit_test(processors_are_numbers_and_ranges),
        cmocka_unit_test(what_is_no_processor_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
