/* SPDX-License-Identifier: Apache-2.0 */
/* status and list: each verdict's words and exit status, for people and for programs. */
#include <fcntl.h>
#include <sys/file.h>

#include "harness.h"

/* What Python's reader makes of a JSON text: print(EXPRESSION) with the text as d, in ASCII. */
static const char *
json(struct world *w, const char *text, const char *expression)
{
    const struct answer *answer;

    file_write(in_dir(w, "json"), text);
    answer = PROGRAM(w, getenv("PYTHON"), "-c",
                     "import json, sys\n"
                     "d = json.loads(open(sys.argv[1], 'rb').read().decode('utf-8'))\n"
                     "print(ascii(eval(sys.argv[2])).strip(\"'\"))",
                     in_dir(w, "json"), expression);
    expect_exit(answer, 0);
    return answer->out;
}

/* ---- Verdicts ---------------------------------------------------------------------------- */

static void
expect_verdict(struct world *w, int status, const char *verdict)
{
    const struct answer *answer = VORTEX(w, "status", "web");

    expect_exit(answer, status);
    assert_string_equal(answer->err, "");
    expect_says(answer->out, text_of("web: %s", verdict));
    answer = VORTEX(w, "status", "web", "--json");
    expect_exit(answer, status);
    assert_string_equal(json(w, answer->out, "d['verdict'], d['exit_status']"),
                        text_of("('%s', %d)\n", verdict, status));
}

static void
running_is_0(void **state)
{
    struct world *w = *state;

    START(w, "web");
    expect_verdict(w, 0, "running");
}

static void
dead_with_a_pidfile_is_1(void **state)
{
    struct world *w = *state;

    kill_hard(START(w, "web"));
    expect_verdict(w, 1, "stale");
}

static void
dead_with_a_number_of_nobody_is_1(void **state)
{
    struct world *w = *state;

    file_write(in_run(w, "web.pid"), "2147483646\n");
    expect_verdict(w, 1, "stale");
}

static void
dead_with_a_lock_only_is_2(void **state)
{
    struct world *w = *state;

    file_write(in_run(w, "web.pid.lock"), "");
    need_linux();
    expect_verdict(w, 2, "not running");
}

static void
not_running_is_3(void **state)
{
    struct world *w = *state;

    expect_verdict(w, 3, "not running");
    assert_int_equal(rmdir(w->run), 0); /* nor was anything made */
    expect_verdict(w, 3, "not running");
}

static void
a_change_under_way_is_busy_and_4(void **state)
{
    struct world *w = *state;
    const char *path = in_run(w, "web.pid.lock");
    struct flock claim = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
    int fd;

    need_linux();
    file_write(path, "");
    /* as vortex makes it: the claim of a lock that others may open proves nothing */
    assert_int_equal(chmod(path, 0600), 0);
    fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0 && fcntl(fd, F_OFD_SETLK, &claim) == 0);

    expect_verdict(w, 4, "busy");
    expect_exit(VORTEX(w, "start", "web", "--", w->toy), 1);
    close(fd);
    START(w, "web");
}

/* Where a supervisor stood between, and was killed. */
static void
a_server_without_its_supervisor_is_orphaned_and_0(void **state)
{
    struct world *w = *state;
    pid_t server = START(w, "web");
    const char *path = in_run(w, "web.pid.state"), *inode;
    const struct answer *answer;

    need_linux();
    inode = strstr(file_read(path), "pidfd-inode=") ? state_value(path, "pidfd-inode") : "0";
    file_write(path, text_of("version=1\npid=2147483646\nstart=1\nboot=%s\npidns=%s\nlock=held\n"
                             "server-pid=%d\nserver-start=%s\nserver-pidfd-inode=%s\n",
                             state_value(path, "boot"), state_value(path, "pidns"), (int)server,
                             state_value(path, "start"), inode));
    file_write(in_run(w, "web.pid"), "2147483646\n");

    expect_verdict(w, 0, "orphaned");
    answer = VORTEX(w, "start", "web", "--", w->toy);
    expect_exit(answer, 1);
    assert_int_equal(pid_said(answer->err), server);
    expect_exit(VORTEX(w, "stop", "web"), 0);
    assert_int_equal(hear(w, "TERM"), server);
    expect_no_files(w, "web");
}

/* ---- For whom ---------------------------------------------------------------------------- */

static void
a_user_who_may_not_open_the_lock_sees_roots_server(void **state)
{
    struct world *w = *state;
    pid_t server;
    const struct answer *answer;

    need_root();
    server = START(w, "web");
    w->as_nobody = true;
    answer = VORTEX(w, "status", "web");

    expect_exit(answer, 0);
    expect_says(answer->out, text_of("  pid      %d\n", (int)server));
}

static void
status_changes_no_file(void **state)
{
    struct world *w = *state;
    const char *before;

    START(w, "web");
    before = PROGRAM(w, "ls", "-lain", "--time-style=full-iso", w->run)->out;
    VORTEX(w, "status", "web");
    VORTEX(w, "list");
    VORTEX(w, "status", "mail");
    assert_string_equal(PROGRAM(w, "ls", "-lain", "--time-style=full-iso", w->run)->out, before);
}

static void
a_server_is_told_of_in_full(void **state)
{
    struct world *w = *state;
    pid_t server = START(w, "web");
    const char *said = VORTEX(w, "status", "web")->out;

    expect_says(said, text_of("web: running\n  pid      %d\n  since    2", (int)server));
    expect_says(said, text_of("\n  command  %s --report %s\n", w->toy, w->report));
    expect_says(said, text_of("\n  pidfile  %s\n", in_run(w, "web.pid")));
    need_linux();
    expect_says(said, " s)\n");
    expect_says(said, "\n  manager  ");
    expect_says(said, "\n  memory   ");
}

/* ---- JSON -------------------------------------------------------------------------------- */

static void
json_has_every_member_always(void **state)
{
    static const char *const members[] = {"name",    "verdict",      "phase",   "pid",
                                          "since",   "uptime_ms",    "manager", "command",
                                          "pidfile", "memory_bytes", "reason",  "exit_status"};
    struct world *w = *state;
    const char *stopped = json(w, VORTEX(w, "status", "web", "--json")->out, "list(d)"), *running;

    START(w, "web");
    running = json(w, VORTEX(w, "status", "web", "--json")->out, "list(d)");

    assert_string_equal(running, stopped);
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        expect_says(running, text_of("'%s'", members[i]));
}

static void
json_says_what_is_true(void **state)
{
    struct world *w = *state;
    pid_t server = START(w, "web");
    const char *text = VORTEX(w, "status", "web", "--json")->out;

    assert_string_equal(json(w, text, "d['name'], d['phase'], d['pid']"),
                        text_of("('web', 'ready', %d)\n", (int)server));
    assert_string_equal(json(w, text, "d['pidfile']"), text_of("%s\n", in_run(w, "web.pid")));
    assert_string_equal(json(w, text, "d['since'].endswith('Z') and len(d['since'])"), "20\n");
    need_linux();
    assert_string_equal(json(w, text, "0 <= d['uptime_ms'] < 60000 and d['memory_bytes'] > 0"),
                        "True\n");
}

static void
json_is_json_whatever_the_command_holds(void **state)
{
    struct world *w = *state;
    const char *said;

    expect_exit(VORTEX(w, "start", "web", "--", "sh", "-c", "exec sleep 1000", "a\"quote\\back",
                       "t\tn\nr\r\x01\x1b\x7f", "\xc3\xbc\xe2\x82\xac\xf0\x9f\x8c\x80",
                       "bad\xff\xc3(\xed\xa0\x80\xf4\x90\x80\x80\xc0\xaf"),
                0);
    said = json(w, VORTEX(w, "status", "web", "--json")->out, "d['command']");

    expect_says(said, "a\"quote\\\\back");
    expect_says(said, "\\xfc\\u20ac\\U0001f300 bad\\ufffd\\ufffd(\\ufffd");
    expect_silent(said, "\\ud800");
    expect_silent(said, "\\x1b");
}

static void
json_is_json_whatever_the_state_holds(void **state)
{
    struct world *w = *state;
    const char *path = in_run(w, "web.pid.state");
    const char *said;

    START(w, "web");
    state_edit(path, "command", "c\x01\x1b[31m\x0b\xff\"");
    state_edit(path, "phase", "\"}\\");
    said = VORTEX(w, "status", "web", "--json")->out;

    assert_string_equal(json(w, said, "d['command']"), "c\\x01\\x1b[31m\\x0b\\ufffd\"\n");
    assert_string_equal(json(w, said, "d['phase']"), "\"}\\\\\n");
}

static void
json_is_json_where_a_long_command_is_cut(void **state)
{
    struct world *w = *state;
    char word[4096] = "";

    for (size_t i = 0; i < sizeof(word) - 2; i += 2)
        memcpy(word + i, "\xc3\xbc", 2);
    for (int i = 0; i < 2; i++) { /* cut between two bytes, and between two letters */
        expect_exit(VORTEX(w, "start", "web", "--", "sh", "-c", "exec sleep 1000",
                           i == 0 ? "x" : "xx", word),
                    0);
        assert_string_equal(json(w, VORTEX(w, "status", "web", "--json")->out,
                                 "len(d['command']) > 400 and set(d['command'][30:-1])"),
                            "{'\\xfc'}\n");
        expect_exit(VORTEX(w, "stop", "web"), 0);
    }
}

/* ---- list -------------------------------------------------------------------------------- */

static void
list_is_aligned_and_sorted(void **state)
{
    struct world *w = *state;
    const char *said, *line;
    size_t column;

    START(w, "web");
    kill_hard(START(w, "a-rather-long-name@1.example"));
    file_write(in_run(w, "b.pid"), "rubbish\n");
    file_write(in_run(w, "notes.txt"), "");
    file_write(in_run(w, ".hidden.pid"), "1\n");
    file_write(in_run(w, "no name.pid"), "1\n");
    said = VORTEX(w, "list")->out;

    expect_says(said, "NAME ");
    column = (size_t)(strstr(said, "STATE") - said);
    line = strchr(said, '\n') + 1;
    assert_memory_equal(line, "a-rather-long-name@1.example", 28);
    assert_memory_equal(line + column, "stale ", 6);
    line = strchr(line, '\n') + 1;
    assert_memory_equal(line, "b ", 2);
    assert_memory_equal(line + column, "invalid ", 8);
    line = strchr(line, '\n') + 1;
    assert_memory_equal(line, "web ", 4);
    assert_memory_equal(line + column, "running ", 8);
    assert_string_equal(strchr(line, '\n') + 1, "");
}

static void
list_json_is_an_array_of_all(void **state)
{
    struct world *w = *state;
    const struct answer *answer = VORTEX(w, "list", "--json");

    expect_exit(answer, 0);
    assert_string_equal(json(w, answer->out, "d"), "[]\n");
    START(w, "web");
    START(w, "mail");
    kill_hard(START(w, "dns"));
    answer = VORTEX(w, "list", "--json");
    expect_exit(answer, 0);
    assert_string_equal(json(w, answer->out, "[(i['name'], i['verdict']) for i in d]"),
                        "[('dns', 'stale'), ('mail', 'running'), ('web', 'running')]\n");
}

static void
list_without_a_runtime_directory_is_empty(void **state)
{
    struct world *w = *state;

    assert_int_equal(rmdir(w->run), 0);
    expect_exit(VORTEX(w, "list"), 0);
    assert_string_equal(json(w, VORTEX(w, "list", "--json")->out, "d"), "[]\n");
    assert_false(is_there(w->run));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        PROMISE(running_is_0),
        PROMISE(dead_with_a_pidfile_is_1),
        PROMISE(dead_with_a_number_of_nobody_is_1),
        PROMISE(dead_with_a_lock_only_is_2),
        PROMISE(not_running_is_3),
        PROMISE(a_change_under_way_is_busy_and_4),
        PROMISE(a_server_without_its_supervisor_is_orphaned_and_0),
        PROMISE(a_user_who_may_not_open_the_lock_sees_roots_server),
        PROMISE(status_changes_no_file),
        PROMISE(a_server_is_told_of_in_full),
        PROMISE(json_has_every_member_always),
        PROMISE(json_says_what_is_true),
        PROMISE(json_is_json_whatever_the_command_holds),
        PROMISE(json_is_json_whatever_the_state_holds),
        PROMISE(json_is_json_where_a_long_command_is_cut),
        PROMISE(list_is_aligned_and_sorted),
        PROMISE(list_json_is_an_array_of_all),
        PROMISE(list_without_a_runtime_directory_is_empty),
    };

    return RUN_SUITE("status and list", false, tests);
}
