/* SPDX-License-Identifier: Apache-2.0 */
/* The scene on the machine in memory. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fake_os.h"
#include "scene.h"

#define DIRECTORY   "/tmp/contract"
#define FIRST_CHILD 2000

static int64_t last_child;

bool
scene_begin(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return false;
}

int
scene_setup(void **state)
{
    (void)state;
    fake_reset();
    fake_make(DIRECTORY, FAKE_DIRECTORY, NULL);
    last_child = FIRST_CHILD;
    return 0;
}

int
scene_teardown(void **state)
{
    (void)state;
    return 0;
}

bool
scene_has_users(void)
{
    return true;
}

/* ---- Files ------------------------------------------------------------------------------- */

const char *
scene_path(const char *name)
{
    static char paths[4][8192];
    static int next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", DIRECTORY, name);
    return path;
}

static struct fake_file *
find(const char *name)
{
    struct fake_file *file = fake_find(scene_path(name));

    assert_non_null(file);
    return file;
}

void
scene_write(const char *name, const char *content, unsigned mode)
{
    struct fake_file *file = fake_find(scene_path(name));

    if (file == NULL)
        file = fake_make(scene_path(name), FAKE_REGULAR, NULL);
    fake_write(file, content);
    file->mode = mode;
}

void
scene_mkdir(const char *name, unsigned mode)
{
    fake_make(scene_path(name), FAKE_DIRECTORY, NULL)->mode = mode;
}

void
scene_symlink(const char *target, const char *name)
{
    fake_make(scene_path(name), FAKE_SYMLINK, target);
}

void
scene_fifo(const char *name)
{
    fake_make(scene_path(name), FAKE_FIFO, NULL);
}

void
scene_link(const char *name, const char *second)
{
    fake_link(scene_path(name), scene_path(second));
}

void
scene_chown(const char *name, uint32_t user)
{
    find(name)->user = user;
}

void
scene_remove(const char *name)
{
    fake_remove(scene_path(name));
}

void
scene_set_age(const char *name, int seconds)
{
    find(name)->written_ns = (os_wall_seconds() - seconds) * INT64_C(1000000000);
}

bool
scene_exists(const char *name)
{
    return fake_find(scene_path(name)) != NULL;
}

bool
scene_holds(const char *name, const char *text)
{
    return fake_holds(scene_path(name), text);
}

unsigned
scene_mode(const char *name)
{
    return find(name)->mode;
}

void
scene_umask(unsigned mask)
{
    (void)mask; /* this machine has none, which is the promise */
}

void
scene_chdir(void)
{
    fake_chdir(DIRECTORY);
}

bool
scene_lease(const char *name)
{
    find(name)->leased = true;
    return true;
}

void
scene_fill_disk(void)
{
    fake_watch();
    fake_fail_at(1, EFBIG);
}

void
scene_free_disk(void)
{
    fake_watch();
}

/* ---- Processes --------------------------------------------------------------------------- */

static int64_t
fork_child(uint32_t user, uint32_t saved, scene_act *before, scene_act *act, const char *name,
           int *ret_result)
{
    int64_t parent = os_self();
    struct fake_process *child = fake_fork(++last_child);

    child->session = child->pid;
    child->dies_of = SCENE_TERM;
    child->user = user;
    child->saved_user = saved;
    fake_become(child->pid);
    if (before != NULL) {
        assert_int_equal(before(name), 0);
        fake_exec();
    }
    *ret_result = act(name);
    fake_become(parent);
    return child->pid;
}

int64_t
scene_fork(scene_act *act, const char *name, int *ret_result)
{
    return fork_child(0, 0, NULL, act, name, ret_result);
}

int64_t
scene_fork_as(uint32_t user, uint32_t saved, scene_act *act, const char *name, int *ret_result)
{
    return fork_child(user, saved, NULL, act, name, ret_result);
}

int64_t
scene_fork_exec(scene_act *before, scene_act *after, const char *name, int *ret_result)
{
    return fork_child(0, 0, before, after, name, ret_result);
}

static int
do_nothing(const char *name)
{
    (void)name;
    return 0;
}

int64_t
scene_fork_headless(void)
{
    int result;

    return fork_child(0, 0, NULL, do_nothing, "", &result);
}

static struct fake_process *zombie; /* the last one killed, until it is reaped */

void
scene_kill(int64_t pid)
{
    zombie = fake_process(pid);
    fake_kill(zombie);
}

void
scene_reap(int64_t pid)
{
    assert_int_equal(zombie->pid, pid);
    fake_reap(zombie);
}

int64_t
scene_thread(void)
{
    struct fake_process *thread = fake_spawn(++last_child);

    thread->thread = true;
    return thread->pid;
}

void
scene_interrupt(void)
{
    fake_watch();
    fake_fail_at(1, EINTR);
}

void
scene_stop_interrupting(void)
{
    fake_watch();
}

bool
scene_has_steady_clock(void)
{
    return true;
}
