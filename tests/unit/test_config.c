/* SPDX-License-Identifier: Apache-2.0 */
/* What a good configuration says; test_config_mistakes.c has the bad ones, test_ini.c the lines. */
#define _XOPEN_SOURCE 700 /* mkdtemp */

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/reading.h"
#include "os/os.h"
#include "reading_fixture.h"

/* ---- Keys -------------------------------------------------------------------------------- */

static void
an_empty_text_gives_the_defaults(void **state)
{
    struct reading reading = read_good("");
    const struct config *config = &reading.config;

    (void)state;
    assert_null(config->command);
    assert_null(config->directory);
    assert_null(config->user);
    assert_null(config->group);
    assert_null(config->log);
    assert_null(config->log_file);
    assert_int_equal(config->log_target, LOG_INHERIT);
    assert_int_equal(config->log_max_size, 10 << 20);
    assert_int_equal(config->log_keep, 5);
    assert_int_equal(config->log_compress, LOG_PLAIN);
    assert_false(config->log_timestamps);
    assert_null(config->environment);
    assert_int_equal(config->umask, -1);
    for (int kind = 0; kind < OS_LIMIT_KINDS; kind++)
        assert_false(config->limits[kind].is_set);
    assert_null(config->groups);
    assert_null(config->cpus);
    assert_int_equal(config->io_class, OS_IO_KEEP);
    assert_false(config->no_new_privileges);
    assert_int_equal(config->nice, OS_NICE_KEEP);
    assert_int_equal(config->oom_score_adjust, OS_OOM_KEEP);
    assert_string_equal(config->pidfile, "/run/vortex/web.pid");
    assert_true(config->inherit_lock);
    assert_false(config->allow_remote);
    assert_int_equal(config->ready.count, 0);
    assert_int_equal(config->ready_timeout_ms, 90000);
    assert_int_equal(config->ready_interval_ms, 1000);
    assert_int_equal(config->health.count, 0);
    assert_int_equal(config->health_interval_ms, 10000);
    assert_int_equal(config->health_timeout_ms, 5000);
    assert_int_equal(config->health_failures, 3);
    assert_int_equal(config->health_start_period_ms, 0);
    assert_int_equal(config->health_action, HEALTH_RESTART);
    assert_int_equal(config->stop_signal, os_signal_number("TERM"));
    assert_int_equal(config->stop_timeout_ms, 30000);
    assert_int_equal(config->reload_signal, os_signal_number("HUP"));
    end_reading(&reading);
}

static void
each_key_takes_its_value(void **state)
{
    struct reading reading = read_good("[server]\n"
                                       "command = redis-server '/etc/redis 1.conf'\n"
                                       "directory = /var/lib/redis\n"
                                       "user = redis\n"
                                       "group = 117\n"
                                       "umask = 0027\n"
                                       "environment = A=1 'B=2 3'\n"
                                       "nice = -5\n"
                                       "log = /var/log/redis.log\n"
                                       "[pidfile]\n"
                                       "path = /run/redis.pid\n"
                                       "inherit-lock = no\n"
                                       "allow-remote = yes\n"
                                       "[ready]\n"
                                       "when = tcp:127.0.0.1:6379\n"
                                       "when = notify\n"
                                       "timeout = infinity\n"
                                       "interval = 50ms\n"
                                       "[health]\n"
                                       "check = exec:redis-cli ping\n"
                                       "check = unix:/run/redis\n"
                                       "interval = 1m\n"
                                       "timeout = 700ms\n"
                                       "failures = 5\n"
                                       "start-period = 20s\n"
                                       "action = none\n"
                                       "[stop]\n"
                                       "signal = INT\n"
                                       "timeout = 1m 30s\n"
                                       "[reload]\n"
                                       "signal = SIGUSR1\n");
    const struct config *config = &reading.config;

    (void)state;
    EXPECT_WORDS(config->command, "redis-server", "/etc/redis 1.conf");
    assert_string_equal(config->directory, "/var/lib/redis");
    assert_string_equal(config->user, "redis");
    assert_string_equal(config->group, "117");
    assert_int_equal(config->umask, 027);
    EXPECT_WORDS(config->environment, "A=1", "B=2 3");
    assert_int_equal(config->nice, -5);
    assert_string_equal(config->log, "/var/log/redis.log");
    assert_string_equal(config->pidfile, "/run/redis.pid");
    assert_false(config->inherit_lock);
    assert_true(config->allow_remote);
    assert_int_equal(config->ready.count, 2);
    assert_int_equal(config->ready.list[0].kind, CONDITION_TCP);
    assert_int_equal(config->ready.list[1].kind, CONDITION_NOTIFY);
    assert_int_equal(config->ready_timeout_ms, -1);
    assert_int_equal(config->ready_interval_ms, 50);
    assert_int_equal(config->health.count, 2);
    assert_int_equal(config->health.list[0].kind, CONDITION_EXEC);
    assert_int_equal(config->health.list[1].kind, CONDITION_UNIX);
    assert_int_equal(config->health_interval_ms, 60000);
    assert_int_equal(config->health_timeout_ms, 700);
    assert_int_equal(config->health_failures, 5);
    assert_int_equal(config->health_start_period_ms, 20000);
    assert_int_equal(config->health_action, HEALTH_NONE);
    assert_int_equal(config->stop_signal, os_signal_number("INT"));
    assert_int_equal(config->stop_timeout_ms, 90000);
    assert_int_equal(config->reload_signal, os_signal_number("USR1"));
    end_reading(&reading);
}

static void
numbers_reach_their_bounds(void **state)
{
    struct reading least = read_good("[server]\nnice=-20\numask=0\n[stop]\ntimeout=0\n");
    struct reading most = read_good("[server]\nnice=19\numask=0777\n[stop]\ntimeout=infinity\n");

    (void)state;
    assert_int_equal(least.config.nice, -20);
    assert_int_equal(least.config.umask, 0);
    assert_int_equal(least.config.stop_timeout_ms, 0);
    assert_int_equal(most.config.nice, 19);
    assert_int_equal(most.config.umask, 0777);
    assert_int_equal(most.config.stop_timeout_ms, -1);
    end_reading(&least);
    end_reading(&most);
}

static void
booleans_are_said_in_eight_words(void **state)
{
    static const char *const words[2][4] = {{"no", "false", "off", "0"},
                                            {"yes", "true", "on", "1"}};

    (void)state;
    for (int truth = 0; truth < 2; truth++)
        for (size_t i = 0; i < 4; i++) {
            char text[64];
            struct reading reading;

            snprintf(text, sizeof text, "[pidfile]\ninherit-lock = %s\n", words[truth][i]);
            reading = read_good(text);
            assert_int_equal(reading.config.inherit_lock, truth);
            end_reading(&reading);
        }
}

static void
an_action_is_one_of_three_words(void **state)
{
    struct reading restart = read_good("[health]\naction = restart\n");
    struct reading stop = read_good("[health]\naction = stop\n");

    (void)state;
    assert_int_equal(restart.config.health_action, HEALTH_RESTART);
    assert_int_equal(stop.config.health_action, HEALTH_STOP);
    end_reading(&restart);
    end_reading(&stop);
}

static void
the_log_section_says_where_the_output_goes(void **state)
{
    struct reading file = read_good("[log]\nfile = /var/log/%n.log\nmax-size = 64M\nkeep = 9\n"
                                    "compress = zstd\ntimestamps = yes\n");
    struct reading journal = read_good("[log]\ntarget = journal\nmax-size = none\nkeep = 0\n"
                                       "compress = gzip\n");

    (void)state;
    assert_string_equal(file.config.log_file, "/var/log/web.log");
    assert_int_equal(file.config.log_target, LOG_FILE);
    assert_int_equal(file.config.log_max_size, 64 << 20);
    assert_int_equal(file.config.log_keep, 9);
    assert_int_equal(file.config.log_compress, LOG_ZSTD);
    assert_true(file.config.log_timestamps);
    assert_int_equal(journal.config.log_target, LOG_JOURNAL);
    assert_int_equal(journal.config.log_max_size, 0);
    assert_int_equal(journal.config.log_keep, 0);
    assert_int_equal(journal.config.log_compress, LOG_GZIP);
    end_reading(&file);
    end_reading(&journal);
}

static void
each_target_has_a_word(void **state)
{
    static const struct {
        const char *word;
        enum log_target target;
    } targets[] = {
        {"file\nfile=/f", LOG_FILE}, {"inherit", LOG_INHERIT}, {"none", LOG_NONE},
        {"syslog", LOG_SYSLOG},      {"journal", LOG_JOURNAL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        char text[64];
        struct reading reading;

        snprintf(text, sizeof text, "[log]\ntarget = %s\n", targets[i].word);
        reading = read_good(text);
        assert_int_equal(reading.config.log_target, targets[i].target);
        end_reading(&reading);
    }
}

/* ---- %n, %p, %% -------------------------------------------------------------------------- */

static void
expansions_reach_each_text(void **state)
{
    struct reading reading = read_good("[server]\n"
                                       "command = %n --pidfile=%p 100%%\n"
                                       "directory = /srv/%n\n"
                                       "log = %p.log\n"
                                       "user = %n\n"
                                       "group = g%%\n"
                                       "environment = NAME=%n PIDFILE=%p\n"
                                       "[ready]\n"
                                       "when = file:%p.ready\n"
                                       "when = exec:ask %n '%p 100%%'\n");

    (void)state;
    EXPECT_WORDS(reading.config.command, "web", "--pidfile=/run/vortex/web.pid", "100%");
    assert_string_equal(reading.config.directory, "/srv/web");
    assert_string_equal(reading.config.log, "/run/vortex/web.pid.log");
    assert_string_equal(reading.config.user, "web");
    assert_string_equal(reading.config.group, "g%");
    EXPECT_WORDS(reading.config.environment, "NAME=web", "PIDFILE=/run/vortex/web.pid");
    assert_string_equal(reading.config.ready.list[0].path, "/run/vortex/web.pid.ready");
    EXPECT_WORDS(reading.config.ready.list[1].command, "ask", "web", "/run/vortex/web.pid 100%");
    end_reading(&reading);
}

static void
the_pidfile_may_be_named_after_it_is_meant(void **state)
{
    struct reading reading =
        read_good("[server]\ncommand = a %p\n[pidfile]\npath = /run/%n%%.pid\n");

    (void)state;
    EXPECT_WORDS(reading.config.command, "a", "/run/web%.pid");
    assert_string_equal(reading.config.pidfile, "/run/web%.pid");
    end_reading(&reading);
}

static struct reading
read_over(const char *pidfile, bool override)
{
    static const char text[] = "[server]\ncommand = %p\n[pidfile]\npath = /own.pid\n";
    const struct config_source source = {"web.conf", "web", pidfile, override};
    struct reading reading;

    config_init(&reading.config);
    reading.error = config_parse(&reading.config, text, strlen(text), &source, &reading.mistakes);
    assert_int_equal(reading.error, 0);
    return reading;
}

static void
the_command_lines_pidfile_stands_above_the_files(void **state)
{
    struct reading above = read_over("/given.pid", true);
    struct reading below = read_over("/given.pid", false);
    struct reading none = read_over(NULL, true);

    (void)state;
    EXPECT_WORDS(above.config.command, "/given.pid");
    assert_string_equal(above.config.pidfile, "/given.pid");
    EXPECT_WORDS(below.config.command, "/own.pid");
    assert_string_equal(below.config.pidfile, "/own.pid");
    EXPECT_WORDS(none.config.command, "/own.pid");
    end_reading(&above);
    end_reading(&below);
    end_reading(&none);
}

/* ---- Files ------------------------------------------------------------------------------- */

static int
set_up_directory(void **state)
{
    static char directory[32];

    strcpy(directory, "/tmp/vortex-config-XXXXXX");
    *state = mkdtemp(directory);
    return *state ? chdir(directory) : -1;
}

static int
tear_down_directory(void **state)
{
    remove("web.conf");
    return chdir("/") || rmdir(*state);
}

static void
a_file_is_read_as_its_text(void **state)
{
    FILE *file = fopen("web.conf", "wb");
    struct config config;
    struct config_mistakes mistakes;

    (void)state;
    assert_non_null(file);
    fputs("[server]\ncommand = %n %p\n", file);
    fclose(file);
    config_init(&config);
    assert_int_equal(config_read(&config, "web.conf", "web", "/p", false, &mistakes), 0);

    EXPECT_WORDS(config.command, "web", "/p");
    assert_int_equal(mistakes.count, 0);
    config_free(&config);
    config_mistakes_free(&mistakes);
}

static void
a_file_that_cannot_be_read_is_an_error_and_no_mistake(void **state)
{
    struct config config;
    struct config_mistakes mistakes;

    (void)state;
    config_init(&config);
    assert_int_equal(config_read(&config, "none", "web", NULL, false, &mistakes), -ENOENT);
    assert_int_equal(mistakes.count, 0);
    assert_int_equal(config_read(&config, ".", "web", NULL, false, &mistakes), -EISDIR);
    assert_int_equal(mistakes.count, 0);
    config_free(&config);
}

static void
a_file_larger_than_a_mebibyte_is_a_mistake(void **state)
{
    FILE *file = fopen("web.conf", "wb");
    struct config config;
    struct config_mistakes mistakes;

    (void)state;
    assert_non_null(file);
    for (size_t i = 0; i < TEXT_MAX + 100; i++)
        putc('\n', file);
    fclose(file);
    config_init(&config);
    assert_int_equal(config_read(&config, "web.conf", "web", NULL, false, &mistakes), -EINVAL);

    assert_int_equal(mistakes.count, 1);
    assert_string_equal(mistakes.lines[0], "web.conf:1: the file is larger than 1 MiB");
    config_free(&config);
    config_mistakes_free(&mistakes);
}

static void
a_failed_reading_leaves_the_configuration_as_it_was(void **state)
{
    struct reading reading = read_good("[server]\nuser = u\n");
    const struct config_source source = {"web.conf", "web", "/p", false};
    struct config_mistakes mistakes;

    (void)state;
    assert_int_equal(config_parse(&reading.config, "[server]\nuser=v\nx=y", 19, &source, &mistakes),
                     -EINVAL);

    assert_string_equal(reading.config.user, "u");
    config_mistakes_free(&mistakes);
    end_reading(&reading);
}

static void
what_was_freed_is_empty_and_can_be_freed_again(void **state)
{
    struct reading reading = read_good("[server]\ncommand = a\nuser = u\n[ready]\nwhen=notify\n");

    (void)state;
    config_free(&reading.config);
    assert_null(reading.config.command);
    assert_int_equal(reading.config.ready.count, 0);
    assert_int_equal(reading.config.umask, -1);
    end_reading(&reading);
    end_reading(&reading);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_text_gives_the_defaults),
        cmocka_unit_test(each_key_takes_its_value),
        cmocka_unit_test(numbers_reach_their_bounds),
        cmocka_unit_test(booleans_are_said_in_eight_words),
        cmocka_unit_test(an_action_is_one_of_three_words),
        cmocka_unit_test(the_log_section_says_where_the_output_goes),
        cmocka_unit_test(each_target_has_a_word),
        cmocka_unit_test(expansions_reach_each_text),
        cmocka_unit_test(the_pidfile_may_be_named_after_it_is_meant),
        cmocka_unit_test(the_command_lines_pidfile_stands_above_the_files),
        cmocka_unit_test(a_file_is_read_as_its_text),
        cmocka_unit_test(a_file_that_cannot_be_read_is_an_error_and_no_mistake),
        cmocka_unit_test(a_file_larger_than_a_mebibyte_is_a_mistake),
        cmocka_unit_test(a_failed_reading_leaves_the_configuration_as_it_was),
        cmocka_unit_test(what_was_freed_is_empty_and_can_be_freed_again),
    };

    return cmocka_run_group_tests(tests, set_up_directory, tear_down_directory);
}
