/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between two steps of one change or one question, another process writes, dies, or gets a number
 * anew: what is said holds all the same, and nothing of anybody's is lost.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/linux.h"
#include "real.h"

/* ---- Who comes between ------------------------------------------------------------------- */

static struct {
    void (*event)(void);
    unsigned calls; /* of those below, that come first */
    int64_t parent; /* of everybody, to those who ask now; 0: as it is */
} meanwhile;

static void
come_between(void)
{
    void (*event)(void) = meanwhile.event;

    if (event == NULL || meanwhile.calls-- > 0)
        return;
    meanwhile.event = NULL;
    event();
}

static void
expect_event_after(unsigned calls, void (*event)(void))
{
    meanwhile.event = event;
    meanwhile.calls = calls;
}

int __real_os_file_identify(const struct os_dir *dir, const char *name, struct os_file_id *ret);
int __wrap_os_file_identify(const struct os_dir *dir, const char *name, struct os_file_id *ret);
int __real_linux_stat_field(int64_t pid, int n, uint64_t *ret);
int __wrap_linux_stat_field(int64_t pid, int n, uint64_t *ret);
int __real_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms);

int
__wrap_os_file_identify(const struct os_dir *dir, const char *name, struct os_file_id *ret)
{
    come_between();
    return __real_os_file_identify(dir, name, ret);
}

int
__wrap_linux_stat_field(int64_t pid, int n, uint64_t *ret)
{
    if (meanwhile.parent == 0)
        return __real_linux_stat_field(pid, n, ret);
    *ret = (uint64_t)meanwhile.parent;
    return 0;
}

int
__wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    come_between();
    return __real_poll(fds, count, timeout_ms);
}

/* ---- The scene --------------------------------------------------------------------------- */

static struct {
    struct os_dir dir;
    pid_t child;
    struct os_hold hold; /* of the child */
} scene;

/* A child's life; should nobody end it, it ends some time. */
static void
stay(void)
{
    alarm(60);
    for (;;)
        pause();
}

static int
set_up(void **state)
{
    (void)state;
    memset(&meanwhile, 0, sizeof(meanwhile));
    if (!real_dir_open(&scene.dir))
        return -1;
    scene.child = fork();
    if (scene.child == 0)
        stay();
    return os_process_hold(scene.child, &scene.hold);
}

static void
kill_child(void)
{
    (void)kill(scene.child, SIGKILL);
    (void)waitpid(scene.child, NULL, 0);
}

static int
tear_down(void **state)
{
    (void)state;
    os_process_release(&scene.hold);
    kill_child();
    os_dir_close(&scene.dir);
    return 0;
}

/* ---- Files ------------------------------------------------------------------------------- */

/* A new file takes that name, whatever stood there. */
static void
put(const char *name, const char *text)
{
    struct os_file_id id;

    assert_int_equal(os_file_create(&scene.dir, "put", text, strlen(text), 0644, &id), 0);
    assert_int_equal(os_file_rename(&scene.dir, "put", name), 0);
}

static void
expect_content(const char *name, const char *text)
{
    struct os_file file;
    char content[32];
    size_t length;

    assert_int_equal(os_file_read(&scene.dir, name, content, sizeof(content), &length, &file), 0);
    assert_int_equal(length, strlen(text));
    assert_memory_equal(content, text, length);
}

/* What was judged is a rival's by now; and then something else happens, too. */
static void
publish_over_a_rival(unsigned calls, void (*event)(void))
{
    struct os_file_id judged;

    put("name", "judged");
    assert_int_equal(os_file_identify(&scene.dir, "name", &judged), 0);
    put("name", "a rival's");
    put("temp", "ours");
    expect_event_after(calls, event);
    assert_int_equal(os_file_publish(&scene.dir, "temp", "name", &judged), -EAGAIN);
    assert_null(meanwhile.event);
}

static void
a_third_publishes(void)
{
    put("name", "a third one's");
}

static void
what_a_third_published_over_ours_is_left_there(void **state)
{
    (void)state;
    publish_over_a_rival(1, a_third_publishes);
    expect_content("name", "a third one's");
}

static void
remove_temporary(void)
{
    assert_int_equal(os_file_remove(&scene.dir, "temp"), 0);
}

static void
what_was_put_back_stays_though_ours_is_gone(void **state)
{
    (void)state;
    publish_over_a_rival(2, remove_temporary);
    expect_content("name", "a rival's");
}

/* ---- Processes --------------------------------------------------------------------------- */

/* Its number may be another's as soon as it was asked about. */
static void
who_dies_while_it_is_looked_at_is_dead(void **state)
{
    struct os_identity known, other;
    struct os_process_facts facts;

    (void)state;
    assert_int_equal(os_process_identify(&scene.hold, &known), 0);
    known.pidfd_inode = 0; /* as Linux before 6.9 knows it */
    assert_int_equal(os_process_compare(&scene.hold, &known), OS_SAME);
    expect_event_after(0, kill_child);
    assert_int_equal(os_process_compare(&scene.hold, &known), OS_OTHER);
    assert_null(meanwhile.event);
    assert_int_equal(os_process_identify(&scene.hold, &other), -ESRCH);
    os_process_describe(&scene.hold, &facts);
    assert_string_equal(facts.owner, "");
}

static void
who_dies_while_its_age_is_asked_has_none(void **state)
{
    struct os_file file = {.written_ns = linux_clock_ns(CLOCK_REALTIME)};

    (void)state;
    assert_true(os_process_is_younger(&scene.hold, &scene.dir, &file) <= 0);
    expect_event_after(0, kill_child);
    assert_int_equal(os_process_is_younger(&scene.hold, &scene.dir, &file), -ENODATA);
    assert_null(meanwhile.event);
}

static void
who_dies_while_its_owner_is_asked_is_nobodys(void **state)
{
    const struct os_speaker us = {OS_SPEAKS_FOR_USER, getuid()};

    (void)state;
    assert_int_equal(os_process_is_of(&scene.hold, &us), 1);
    expect_event_after(0, kill_child);
    assert_int_equal(os_process_is_of(&scene.hold, &us), 0);
    assert_null(meanwhile.event);
}

/* ---- Descendants ------------------------------------------------------------------------- */

static void
who_dies_while_its_parents_are_asked_is_no_descendant(void **state)
{
    (void)state;
    assert_true(os_is_descendant(&scene.hold));
    expect_event_after(0, kill_child);
    assert_false(os_is_descendant(&scene.hold));
    assert_null(meanwhile.event);
}

static void
who_is_above_us_is_no_descendant(void **state)
{
    const pid_t pids[] = {1, getppid(), getpid()};

    (void)state;
    for (size_t i = 0; i < sizeof(pids) / sizeof(pids[0]); i++) {
        struct os_hold hold;

        assert_int_equal(os_process_hold(pids[i], &hold), 0);
        assert_false(os_is_descendant(&hold));
        os_process_release(&hold);
    }
}

/* A number that was our child's is somebody's whose parent is another. */
static void
who_has_a_dead_childs_number_is_not_signalled(void **state)
{
    (void)state;
    meanwhile.parent = 1;
    assert_int_equal(os_descendants_signal(SIGKILL, 0), 0);
    meanwhile.parent = 0;
    assert_int_equal(os_process_wait(&scene.hold, 0), -ETIMEDOUT);
    assert_int_equal(os_descendants_signal(SIGKILL, 0), 1);
    assert_int_equal(os_process_wait(&scene.hold, -1), 0);
}

/* Numbers that come anew while one goes from each to its parent may lead in a circle. */
static void
a_circle_of_parents_has_an_end(void **state)
{
    (void)state;
    meanwhile.parent = scene.child;
    assert_false(os_is_descendant(&scene.hold));
}

/* Each has one child, and then only waits; the last one says so. */
static void
beget(int generations, int ready)
{
    while (generations-- > 0 && fork() == 0)
        ;
    if (generations < 0)
        (void)!write(ready, "", 1);
    stay();
}

static void
more_generations_than_one_look_finds_are_ended_all_the_same(void **state)
{
    int ends[2];
    char byte;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    if (fork() == 0)
        beget(80, ends[1]);
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    assert_in_range(os_descendants_signal(0, scene.child), 64, 80);
    /* As a supervisor does: one look may find nobody, while orphans are on their way to us. */
    while (!os_is_childless(scene.child)) {
        (void)os_descendants_signal(SIGKILL, scene.child);
        (void)waitpid(-1, NULL, 0);
    }
    assert_int_equal(read(ends[0], &byte, 1), 0); /* nobody has the other end any more */
    close(ends[0]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_a_third_published_over_ours_is_left_there),
        TEST(what_was_put_back_stays_though_ours_is_gone),
        TEST(who_dies_while_it_is_looked_at_is_dead),
        TEST(who_dies_while_its_age_is_asked_has_none),
        TEST(who_dies_while_its_owner_is_asked_is_nobodys),
        TEST(who_dies_while_its_parents_are_asked_is_no_descendant),
        TEST(who_is_above_us_is_no_descendant),
        TEST(who_has_a_dead_childs_number_is_not_signalled),
        TEST(a_circle_of_parents_has_an_end),
        TEST(more_generations_than_one_look_finds_are_ended_all_the_same),
    };
    intptr_t signals;

    if (real_lacks_pidfd())
        return 77;
    if (os_supervisor_prepare(&signals) < 0) /* orphans come to us */
        return 1;
    return cmocka_run_group_tests_name("between", tests, NULL, NULL);
}
