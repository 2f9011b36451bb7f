/* SPDX-License-Identifier: Apache-2.0 */
#include "instance.h"

#include <inttypes.h>
#include <stdio.h>

#define HOUR_MS INT64_C(3600000)

int
instance_setup(void **state)
{
    (void)state;
    fake_reset();
    fake_pass_ms(HOUR_MS);
    fake_watch();
    return 0;
}

/* ---- What stands in the files ------------------------------------------------------------ */

void
write_state(const struct fake_process *owner, const struct fake_process *hosted,
            enum lock_word lock)
{
    char text[1024], boot[48];
    int length;

    fake_boot(boot, sizeof(boot));
    length = snprintf(text, sizeof(text),
                      "version=1\npid=%" PRId64 "\nstart=%" PRIu64 "\nboot=%s\npidns=%" PRIu64
                      "\npidfd-inode=%" PRIu64 "\nlock=%s\nphase=ready\n",
                      owner->pid, owner->start, boot, owner->pid_namespace, owner->pidfd_inode,
                      lock == HELD ? "held" : "released");
    if (hosted != NULL)
        snprintf(text + length, sizeof(text) - (size_t)length,
                 "server-pid=%" PRId64 "\nserver-start=%" PRIu64 "\nserver-pidfd-inode=%" PRIu64
                 "\n",
                 hosted->pid, hosted->start, hosted->pidfd_inode);
    fake_make(STATE, FAKE_REGULAR, text);
}

void
add_to_state(const char *word)
{
    struct fake_file *file = fake_find(STATE);
    char text[FAKE_DATA_MAX];
    int length = snprintf(text, sizeof(text), "%.*s%s\n", (int)file->length, file->data, word);

    assert_true(length < (int)sizeof(text));
    fake_write(file, text);
}

struct fake_file *
write_pidfile(const char *content)
{
    return fake_make(PIDFILE, FAKE_REGULAR, content);
}

struct fake_file *
write_pidfile_of(int64_t pid)
{
    char text[32];

    snprintf(text, sizeof(text), "%" PRId64 "\n", pid);
    return write_pidfile(text);
}

bool
pidfile_names(int64_t pid)
{
    char text[32];

    snprintf(text, sizeof(text), "%" PRId64 "\n", pid);
    return fake_holds(PIDFILE, text);
}

bool
state_names(int64_t pid)
{
    const struct fake_file *file = fake_find(STATE);
    struct state parsed;

    return file != NULL && state_parse(file->data, file->length, &parsed) == 0
           && parsed.owner.pid == pid;
}

bool
is_tidy(void)
{
    return others() == 0;
}

unsigned
others(void)
{
    unsigned known = 0;

    known += fake_find(PIDFILE) != NULL;
    known += fake_find(LOCK) != NULL;
    known += fake_find(STATE) != NULL;
    return fake_count("/run") - known;
}

static void
leave_temporary(const char *path, uint64_t inode)
{
    char name[OS_NAME_MAX];

    snprintf(name, sizeof(name), "%s.%" PRIx64 ".new", path, inode);
    fake_make(name, FAKE_SYMLINK, "/tmp/precious");
}

void
leave_temporaries(void)
{
    const struct fake_file *lock = fake_find(LOCK);

    if (lock == NULL)
        lock = fake_make(LOCK, FAKE_REGULAR, "");
    fake_make("/tmp/precious", FAKE_REGULAR, "precious");
    leave_temporary(PIDFILE, lock->inode);
    leave_temporary(STATE, lock->inode);
    assert_int_equal(others(), 2);
}

/* ---- Servers ----------------------------------------------------------------------------- */

struct fake_process *
lock_holder(int64_t pid)
{
    int64_t before = os_self();
    struct fake_process *process = fake_spawn(pid);
    struct paths paths;
    struct os_lock lock;

    fake_become(pid);
    assert_int_equal(paths_open(PIDFILE, false, &paths), 0);
    assert_int_equal(os_lock_open(&paths.dir, paths.lock, true, &lock, NULL), 0);
    assert_int_equal(os_lock_take(&lock), 0);
    paths_close(&paths);
    fake_become(before);
    return process;
}

int
start(void)
{
    struct claim claim;
    int r;

    claim_init(&claim);
    r = claim_all(&claim, PIDFILE, true, NULL);
    if (r == 0)
        claim_finish(&claim);
    return r;
}

int
start_as(int64_t pid)
{
    int64_t before = os_self();
    int r;

    if (fake_process(pid) == NULL)
        fake_spawn(pid);
    fake_become(pid);
    r = start();
    fake_become(before);
    return r;
}

struct fake_process *
server(int64_t pid)
{
    struct fake_process *process = fake_spawn(pid);

    assert_int_equal(start_as(pid), 0);
    fake_pass_ms(HOUR_MS);
    return process;
}

struct fake_process *
writer(int64_t pid)
{
    int64_t before = os_self();
    struct fake_process *process = fake_spawn(pid);

    fake_become(pid);
    assert_int_equal(vortex_pidfile_write(PIDFILE, NULL), 0);
    fake_become(before);
    fake_pass_ms(HOUR_MS);
    return process;
}

void
crash(struct fake_process *process)
{
    fake_kill(process);
    fake_reap(process);
    fake_pass_ms(HOUR_MS);
}

unsigned
step_of(const char *name)
{
    unsigned n = 1;

    while (strcmp(fake_step_name(n), name) != 0) {
        assert_true(n < fake_steps());
        n++;
    }
    return n;
}

/* ---- Looking ----------------------------------------------------------------------------- */

enum vortex_verdict
verdict_on(int64_t *ret_pid)
{
    struct vortex_report *report;
    enum vortex_verdict seen;
    unsigned handles = fake_handles();
    bool alive;

    assert_int_equal(vortex_pidfile_inspect(PIDFILE, &report), 0);
    seen = vortex_report_verdict(report);
    alive = seen == VORTEX_RUNNING || seen == VORTEX_ORPHANED;
    assert_int_equal(vortex_report_process(report) != NULL, alive);
    *ret_pid = vortex_report_pid(report);
    assert_null(vortex_report_close(report));
    assert_int_equal(fake_handles(), handles);
    return seen;
}

enum vortex_verdict
verdict(void)
{
    int64_t pid;

    return verdict_on(&pid);
}

const char *
reason(void)
{
    struct vortex_report *report;
    const char *text;

    assert_int_equal(vortex_pidfile_inspect(PIDFILE, &report), 0);
    text = vortex_report_reason(report);
    assert_null(vortex_report_close(report));
    assert_non_null(text);
    return text;
}

void
assert_verdict(enum vortex_verdict expected, int64_t pid)
{
    int64_t seen;

    assert_int_equal(verdict_on(&seen), expected);
    assert_int_equal(seen, pid);
}
