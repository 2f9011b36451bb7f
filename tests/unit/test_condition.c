/* SPDX-License-Identifier: Apache-2.0 */
/* What a condition's text means. */
#include <stdio.h>
#include <stdlib.h>

#include "host/condition.h"
#include "host/reading.h"
#include "os/os.h"
#include "reading_fixture.h"

static struct condition
parse_good(const char *text)
{
    struct condition condition = {0};
    const char *why = "no memory";

    if (condition_parse(text, "web", "/run/web.pid", &condition, &why))
        fail_msg("%s: %s", text, why);
    return condition;
}

static void
expect_refused(const char *text, const char *expected)
{
    struct condition condition = {0};
    const char *why = NULL;

    assert_int_equal(condition_parse(text, "web", "/run/web.pid", &condition, &why), -EINVAL);
    assert_string_equal(why, expected);
    assert_null(condition.name);
}

static void
expect_kind(const char *text, enum condition_kind kind, const char *name)
{
    struct condition condition = parse_good(text);

    assert_int_equal(condition.kind, kind);
    assert_string_equal(condition.name, name);
    condition_free(&condition);
    assert_null(condition.name);
}

static void
each_kind_has_a_word_and_a_name_for_people(void **state)
{
    (void)state;
    expect_kind("started", CONDITION_STARTED, "started");
    expect_kind("notify", CONDITION_NOTIFY, "notify");
    expect_kind("fd:3", CONDITION_FD, "fd 3");
    expect_kind("tcp:127.0.0.1:80", CONDITION_TCP, "tcp 127.0.0.1:80");
    expect_kind("unix:" ROOT "/run/%n", CONDITION_UNIX, "unix " ROOT "/run/web");
    expect_kind("http://localhost/", CONDITION_HTTP, "http://localhost/");
    expect_kind("file:" ROOT "/a b", CONDITION_FILE, "file " ROOT "/a b");
    expect_kind("log:^up$", CONDITION_LOG, "log ^up$");
    expect_kind("exec:pg_isready -q", CONDITION_EXEC, "exec pg_isready");
}

static void
only_what_a_probe_asks_can_be_asked(void **state)
{
    static const struct {
        const char *text;
        bool is_asked;
    } samples[] = {
        {"started", false}, {"notify", false},         {"fd:3", false},
        {"log:x", false},   {"tcp:a:1", true},         {"unix:" ROOT "/a", true},
        {"http://a", true}, {"file:" ROOT "/a", true}, {"exec:a", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        struct condition condition = parse_good(samples[i].text);

        assert_int_equal(condition_is_asked(&condition), samples[i].is_asked);
        condition_free(&condition);
    }
}

static void
expect_place(const char *text, const char *host, int port, const char *path)
{
    struct condition condition = parse_good(text);

    assert_string_equal(condition.host, host);
    assert_int_equal(condition.port, port);
    if (path)
        assert_string_equal(condition.path, path);
    else
        assert_null(condition.path);
    condition_free(&condition);
}

static void
a_tcp_address_is_a_host_and_a_port(void **state)
{
    (void)state;
    expect_place("tcp:127.0.0.1:8080", "127.0.0.1", 8080, NULL);
    expect_place("tcp:db-1.example.org:1", "db-1.example.org", 1, NULL);
    expect_place("tcp:[::1]:65535", "::1", 65535, NULL);
    expect_place("tcp:[fe80::1%%eth0]:9", "fe80::1%eth0", 9, NULL);
    expect_place("tcp:%n:9", "web", 9, NULL);
}

static void
a_url_is_taken_apart(void **state)
{
    (void)state;
    expect_place("http://localhost", "localhost", 80, "/");
    expect_place("http://localhost:8080", "localhost", 8080, "/");
    expect_place("http://[::1]:8080/a/b", "::1", 8080, "/a/b");
    expect_place("http://a/b?c=d&e@f:g", "a", 80, "/b?c=d&e@f:g");
    expect_place("http://a?c", "a", 80, "/?c");
    expect_place("http://a:1?c", "a", 1, "/?c");
    expect_place("http://a/b#c", "a", 80, "/b");
    expect_place("http://a#c", "a", 80, "/");
    expect_place("http://a/%%20", "a", 80, "/%20");
}

static void
a_command_is_split_into_words(void **state)
{
    struct condition condition = parse_good("exec: pg_isready -h '%n a' \"100%%\"");

    (void)state;
    EXPECT_WORDS(condition.command, "pg_isready", "-h", "web a", "100%");
    condition_free(&condition);
}

static void
a_pattern_is_a_posix_extended_one(void **state)
{
    struct condition condition = parse_good("log:^(ready|up) in [0-9]+ ms$");

    (void)state;
    assert_true(os_pattern_matches(condition.pattern, "up in 12 ms"));
    assert_false(os_pattern_matches(condition.pattern, "up in ms"));
    assert_false(os_pattern_matches(condition.pattern, "not up in 12 ms"));
    condition_free(&condition);
}

/* What people write is far from too large. */
static void
a_patterns_size_is_that_of_its_repetitions(void **state)
{
    (void)state;
    assert_int_equal(pattern_size("ready"), 5);
    assert_int_equal(pattern_size("a{1000}"), 1000);
    assert_int_equal(pattern_size("a{2,}|b{0,3}"), 3 + 1 + 3);
    assert_int_equal(pattern_size("(ab){3}"), 9);
    assert_int_equal(pattern_size("[]+{9}]{2}\\{{2}"), 2 + 2);
    assert_int_equal(pattern_size("[[:alpha:]{5}]+x*"), 2 + 1);
    assert_int_equal(pattern_size("(a+)*b?\\+*[*+]*{"), PATTERN_REPEATS_TWICE);
    assert_int_equal(pattern_size("(a+)*b?\\+*[*+]*x"), 2 + 1 + 1 + 1 + 1 + 1);
    assert_true(pattern_size("^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12} ([0-9]{1,3}[.]){3}[0-9]")
                < 100);
}

static void
a_pattern_that_is_none_learns_why(void **state)
{
    static const char *const too_large[] = {
        "log:a{1001}",
        "log:(a{100}b){10}",
        "log:((a{1,255}){1,255}){1,255}",
        "log:((((((((((a+)+)+)+)+)+)+)+)+)+)",
        "log:([]{]{300}[[:alpha:]]{701})",
        "log:((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((a",
    };

    (void)state;
    expect_refused("log:", "the pattern is missing");
    for (size_t i = 0; i < sizeof(too_large) / sizeof(too_large[0]); i++)
        expect_refused(too_large[i], "the pattern is too large: with its repetitions written out "
                                     "it has more than 1000 pieces");
    expect_refused("log:ready.*?in",
                   "the pattern repeats a repetition, as in .*? or x**: write one");
    expect_refused("log:[a", "the pattern has a [ without its ]");
    expect_refused("log:(a", "the pattern has a ( without its ), or a ) without its (");
    expect_refused("log:a{1", "the pattern has a { without its }");
    expect_refused("log:a{2,1}", "the pattern has a { } without good numbers in it");
    expect_refused("log:[[:digits:]]", "the pattern has a [: :] with an unknown name in it");
    expect_refused("log:[z-a]", "the pattern has a range in [ ] whose end is before its beginning");
    expect_refused("log:a\\", "the pattern has a \\ with nothing behind it");
}

static void
an_address_that_is_none_learns_why(void **state)
{
    static const char brackets[] = "an IPv6 address stands in brackets, as in [::1]:8080";
    static const char port[] = "a port is a number from 1 to 65535";
    static const char missing[] = "the host is missing, as in 127.0.0.1:8080";
    static const char tcp[] = "write tcp:HOST:PORT, as in tcp:127.0.0.1:8080";

    (void)state;
    expect_refused("tcp:localhost", tcp);
    expect_refused("tcp:8080", tcp);
    expect_refused("tcp:[::1]", tcp);
    expect_refused("tcp:a b:1", tcp);
    expect_refused("tcp:", missing);
    expect_refused("tcp::8080", missing);
    expect_refused("tcp:[]:8080", missing);
    expect_refused("tcp:::1:8080", brackets);
    expect_refused("tcp:[::1:8080", brackets);
    expect_refused("tcp:a:0", port);
    expect_refused("tcp:a:65536", port);
    expect_refused("tcp:a:http", port);
    expect_refused("tcp:a:", port);
}

static void
a_url_that_is_none_learns_why(void **state)
{
    static const char url[] = "write http://HOST:PORT/PATH";

    (void)state;
    expect_refused("http:localhost", url);
    expect_refused("http://a[b]/", url);
    expect_refused("http:///a", "the host is missing, as in 127.0.0.1:8080");
    expect_refused("http://a:x/", "a port is a number from 1 to 65535");
    expect_refused("http://user@a/", "a URL with a user in it is not supported");
    expect_refused("http://user:word@a/", "a URL with a user in it is not supported");
    expect_refused("http://a/b c", "a URL has neither blanks nor letters beyond ASCII in it");
    expect_refused("http://a/\r\nX:", "a URL has neither blanks nor letters beyond ASCII in it");
    expect_refused("http://a/\xc3\xa9", "a URL has neither blanks nor letters beyond ASCII in it");
    expect_refused("https://a/",
                   "https is not supported: ask by http on the loopback, or with exec: and a "
                   "command such as curl -fsS URL");
}

static void
what_else_is_no_condition_learns_why(void **state)
{
    static const char all[] = "write started, notify, fd:N, tcp:HOST:PORT, unix:PATH, http://..., "
                              "file:PATH, log:REGEX or exec:COMMAND";
    char path[300] = "unix:" ROOT "/";

    (void)state;
    memset(path + 6, 'a', sizeof path - 7);
    expect_refused(path, "the path is too long for a socket");
    expect_refused("unix:run/a", "it needs an absolute path");
    expect_refused("file:", "it needs an absolute path");
    expect_refused("fd:2", "a descriptor is a number from 3 to 1023");
    expect_refused("fd:1024", "a descriptor is a number from 3 to 1023");
    expect_refused("exec:", "exec: names no program");
    expect_refused("exec:'' a", "exec: names no program");
    expect_refused("exec:a 'b", "a quote is not closed");
    expect_refused("file:" ROOT "/%x",
                   "a % stands for nothing unless n, p or % follows: write %% for a "
                   "percent sign");
    expect_refused("", all);
    expect_refused("tcp", all);
    expect_refused("Started", all);
    expect_refused("udp:a:1", all);
    expect_refused("started:", all);
}

static void
a_list_owns_its_conditions(void **state)
{
    struct conditions conditions = {0};
    struct condition one = parse_good("tcp:a:1"), other = parse_good("log:x");

    (void)state;
    assert_int_equal(conditions_add(&conditions, &one), 0);
    assert_int_equal(conditions_add(&conditions, &other), 0);

    assert_int_equal(conditions.count, 2);
    assert_true(conditions_have(&conditions, CONDITION_TCP));
    assert_true(conditions_have(&conditions, CONDITION_LOG));
    assert_false(conditions_have(&conditions, CONDITION_NOTIFY));
    conditions_free(&conditions);
    assert_int_equal(conditions.count, 0);
    conditions_free(&conditions);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_has_a_word_and_a_name_for_people),
        cmocka_unit_test(only_what_a_probe_asks_can_be_asked),
        cmocka_unit_test(a_tcp_address_is_a_host_and_a_port),
        cmocka_unit_test(a_url_is_taken_apart),
        cmocka_unit_test(a_command_is_split_into_words),
        cmocka_unit_test(a_pattern_is_a_posix_extended_one),
        cmocka_unit_test(a_patterns_size_is_that_of_its_repetitions),
        cmocka_unit_test(a_pattern_that_is_none_learns_why),
        cmocka_unit_test(an_address_that_is_none_learns_why),
        cmocka_unit_test(a_url_that_is_none_learns_why),
        cmocka_unit_test(what_else_is_no_condition_learns_why),
        cmocka_unit_test(a_list_owns_its_conditions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
