/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine in memory: the other implementation of os/os.h, for tests of what stands above it.
 *
 * Nothing happens by itself: the clock stands still until somebody sleeps, and a process acts
 * when the test becomes it. Every call of os.h is a step that the test may fail, crash at, or
 * precede with an event. tests/contract holds this machine and the real one to the same
 * expectations.
 *
 * It is as mean as a machine may be: a freed inode number is the next file's, and a handle that
 * was closed, or is another process's, ends the test.
 */
#ifndef VORTEX_FAKE_OS_H
#define VORTEX_FAKE_OS_H

#include "os/os.h"

/*
 * A new machine: the directories /, /run and the sticky /tmp, all root's, and the process
 * FAKE_SELF, root's, which is the current one.
 */
void fake_reset(void);

#define FAKE_SELF     1000
#define FAKE_DATA_MAX 4200

/* ---- Files ------------------------------------------------------------------------------- */

enum fake_kind {
    FAKE_REGULAR = 1,
    FAKE_DIRECTORY,
    FAKE_SYMLINK,
    FAKE_FIFO,
};

/* A test may change what it likes. */
struct fake_file {
    enum fake_kind kind; /* 0: this one is free */
    unsigned mode;
    uint32_t user;
    unsigned links;
    uint64_t inode;
    int64_t written_ns;
    bool leased;  /* opening it would have to wait for somebody */
    bool flocked; /* a foreign program's flock: no "I live" byte goes with it */
    bool remote;  /* a directory on a network file system */
    unsigned opened;
    size_t length;
    char data[FAKE_DATA_MAX]; /* of a symbolic link: its target */
};

/*
 * A new file in place of what stands there, as by a rename; the current process's, 0644 (0755 a
 * directory). After fake_remove it has the old one's inode number, as on ext4.
 */
struct fake_file *fake_make(const char *path, enum fake_kind kind, const char *content);

/* What a name stands for, symbolic links followed on the way only; NULL: nothing. */
struct fake_file *fake_find(const char *path);

/* A second name. */
void fake_link(const char *path, const char *second);

/* As an administrator's rm; nothing there is fine. */
void fake_remove(const char *path);

/* New content in the same file, as echo >PATH does. */
void fake_write(struct fake_file *file, const char *content);

/* Is the content that text? False where nothing stands there, too. */
bool fake_holds(const char *path, const char *text);

/* How many names the directory holds. */
unsigned fake_count(const char *directory);

/* Where relative paths start; at first, the root. */
void fake_chdir(const char *path);

/* ---- Processes --------------------------------------------------------------------------- */

#define FAKE_SIGNALS_MAX 32

enum fake_life {
    FAKE_ALIVE = 1,
    FAKE_ZOMBIE, /* dead, its number still taken */
    FAKE_GONE,
};

struct fake_process {
    enum fake_life life; /* 0: this one is free */
    int64_t pid;
    uint64_t start;
    uint64_t pidfd_inode;
    uint64_t pid_namespace;
    int64_t born_ns; /* wall clock */
    uint32_t user, saved_user;
    int64_t session;
    char cgroup[128];
    bool hidden; /* /proc doesn't show it */
    bool thread; /* the number is only a thread's */
    int dies_of; /* a signal; SIGKILL (9) is always deadly */
    bool stuck;  /* in the kernel: not even that one ends it */
    unsigned signal_count;
    int signals[FAKE_SIGNALS_MAX];
};

/* A new process with that number, free in the current pid namespace: root's, deaf to all but 9. */
struct fake_process *fake_spawn(int64_t pid);

/* A child of the current process, with copies of its handles. The parent stays the current one. */
struct fake_process *fake_fork(int64_t pid);

/* Its end: all it held is let go. It remains a zombie until it is reaped. */
void fake_kill(struct fake_process *process);
void fake_reap(struct fake_process *process);

/* Kill and reap whoever has the number, and give it to another: the innocent. */
struct fake_process *fake_reuse(int64_t pid);

/* The living process with that number in the current namespace, or NULL. */
struct fake_process *fake_process(int64_t pid);

/* Be that process from now on. */
void fake_become(int64_t pid);

/* The current process execs: what is not to be inherited is closed. */
void fake_exec(void);

/* How many handles the current process has open. */
unsigned fake_handles(void);

/* All die, the clock since boot starts anew, a minute has passed. FAKE_SELF is the current one. */
void fake_reboot(void);

/* This boot's id, as an identity has it. */
void fake_boot(char *buf, size_t size);

/* From now on in that pid namespace, as its process pid, which is made where it isn't there. */
void fake_enter_namespace(uint64_t pid_namespace, int64_t pid);

/* /proc is not there at all: nothing is known but what a pidfd tells. */
void fake_hide_proc(bool hidden);

/* ---- Time -------------------------------------------------------------------------------- */

void fake_pass_ms(int64_t ms);

/* The wall clock jumps: from now on age is no evidence. */
void fake_step_clock(int64_t seconds);

/* ---- Events ------------------------------------------------------------------------------ */

/*
 * Steps are counted for each process by itself, from when fake_watch was last called by it. An
 * event runs uncounted, in the name of the current process unless it becomes another; afterwards
 * the process goes on.
 */
typedef void fake_event(void *arg);

/* Count the current process's steps from 1 again, and forget what was to happen at them. */
void fake_watch(void);

unsigned fake_steps(void);

/* Of another process, which lives. */
unsigned fake_steps_of(int64_t pid);

/* The name of the n-th step, such as "os_lock_take"; "" where there was none. */
const char *fake_step_name(unsigned n);

/*
 * Fail the n-th step, which then does nothing. Steps that have a word of their own for "can't be
 * known" say that; those that can't fail do not.
 */
void fake_fail_at(unsigned n, int error);

/* Before the n-th step, this happens. */
void fake_hook_at(unsigned n, fake_event *event, void *arg);

/* When so much time has passed, this happens: while somebody sleeps or waits. */
void fake_after_ms(int64_t ms, fake_event *event, void *arg);

/*
 * Let the current process do act, and kill it at its n-th step. Returns whether that step was
 * reached; if so, nobody is current: become somebody.
 */
bool fake_crash_at(unsigned n, fake_event *act, void *arg);

/*
 * Two processes at once: an actor does act in a thread of its own, but only while the test lets
 * it, so that the steps of both come in exactly the order that the test wants. An act may not
 * assert, and must have ended before the test does.
 */
struct fake_actor {
    struct fake_process *process;
    fake_event *act;
    void *arg;
    bool ended;
    struct fake_baton *baton;
};

/* That process will do act; no step of it is done yet. */
void fake_actor_begin(struct fake_actor *actor, int64_t pid, fake_event *act, void *arg);

/* Let it go on until it stands before its n-th step; 0: to its end. Has it ended? */
bool fake_actor_run(struct fake_actor *actor, unsigned until);

/* To its end, as an event. */
void fake_actor_finish(void *actor);

/* For the teardown of a group of tests with actors. */
int fake_actors_end(void **state);

/* A machine as -Dos=posix sees it: boots and numbers are all there is, and no lock can be asked. */
void fake_take_proof_away(void);

#endif
