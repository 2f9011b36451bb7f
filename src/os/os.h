/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seam: what Vortex asks of a machine. A port fills in this page.
 *
 * posix*.c      what all Unixes share: directories, files, flock, spawning, sockets
 * linux*.c      Linux: pidfd and /proc, OFD locks, RENAME_EXCHANGE
 * plain.c       instead of linux*.c (-Dos=posix): kill(pid, 0) and file times; it says what is lost
 * windows*.c    Windows: handles, jobs, the service manager
 * path.c pattern.c   the same for all of them
 * no_*.c        for those who lack a thing
 * tests/unit/fake_os.c   a machine in memory, where any call fails on demand
 *
 * All answers are 0 (or what is said) or a negative errno; outputs are set on success only. Every
 * descriptor is born close-on-exec. Nothing here prints, and nothing here decides who lives.
 */
#ifndef VORTEX_OS_H
#define VORTEX_OS_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define OS_NONE     ((intptr_t)-1) /* the empty handle */
#define OS_OURS     ((intptr_t)-2) /* of os_command_start: output goes where ours goes */
#define OS_NAME_MAX 256            /* a file name with its NUL */
#define OS_PATH_MAX 4096

/* ---- Trust: for whom a file may speak ---------------------------------------------------- */

enum os_scope {
    OS_SPEAKS_FOR_ALL = 0, /* the system's files, or the asker's own */
    OS_SPEAKS_FOR_USER,    /* a user's: believed of that user's processes only */
    OS_SPEAKS_FOR_NOBODY,  /* others could have written it, or put it there */
};

struct os_speaker {
    enum os_scope scope;
    uint64_t user;
};

/* ---- Directories and files --------------------------------------------------------------- */

struct os_dir {
    intptr_t handle;
    struct os_speaker speaker; /* of the way that led here */
    bool strays; /* another user's link led out of what is that user's: change nothing here */
};

struct os_file_id {
    uint64_t device;
    uint64_t inode;
    int64_t written_ns; /* of os_file_identify: file systems soon reuse an inode's number */
};

static inline bool
os_same_file(const struct os_file_id *a, const struct os_file_id *b)
{
    return a->device == b->device && a->inode == b->inode;
}

/* The machine knows, and can't say just now: that isn't as if there were nothing to know. */
static inline bool
os_error_will_pass(int r)
{
    return r == -EMFILE || r == -ENFILE || r == -ENOMEM || r == -EIO || r == -EINTR;
}

struct os_file {
    struct os_file_id id;
    struct os_speaker speaker; /* the directory's and the file's own */
    int64_t written_ns;        /* when its content was last written, wall clock */
};

/*
 * Open the directory of PATH by walking to it, one kept descriptor after the other, and note to
 * whom the way belongs. A relative path starts at the working directory.
 *
 * create:   make missing directories, mode 0755.
 * ret_name: the last component, OS_NAME_MAX bytes.
 * Returns:  0; -EISDIR PATH ends in a slash or in . or ..; -ENAMETOOLONG; -ELOOP; -EXDEV one would
 *           have to be made beyond another user's symbolic link.
 */
int os_dir_open(const char *path, bool create, struct os_dir *ret_dir, char *ret_name);

/* The same for a directory in which something is to be changed. -EXDEV: the way strays. */
int os_dir_open_to_change(const char *path, struct os_dir *ret_dir, char *ret_name);

/* Close it and leave the empty value. */
void os_dir_close(struct os_dir *dir);

/* 1 where the directory is on a network file system, 0 where not. */
int os_dir_is_remote(const struct os_dir *dir);

/*
 * The names in the directory PATH, unsorted, without . and .. entries.
 * ret_names: to be freed by the caller.
 */
int os_dir_names(const char *path, char (**ret_names)[OS_NAME_MAX], size_t *ret_count);

/*
 * The paths of the regular files that a pattern with *, ? and [ ] means, as a shell has it, sorted.
 * ret_paths: ends with NULL; free each and the list.
 * Returns:   0; -ENOENT none, as far as can be seen; -ENOMEM.
 */
int os_glob(const char *pattern, char ***ret_paths);

/* Open what stands under that path, to read it: links are followed, and a pipe will do. */
int os_stream_open(const char *path, FILE **ret_stream);

/*
 * Read at most size bytes of a file that is regular, has one link and is no symbolic link. Never
 * hangs on what stands there instead.
 *
 * Returns: 0; -ENOENT; -EACCES; -ELOOP a symbolic link; -EISDIR; -EMLINK more than one link;
 *          -EMEDIUMTYPE not a regular file; -EAGAIN somebody's lease is on it.
 */
int os_file_read(const struct os_dir *dir, const char *name, char *buf, size_t size,
                 size_t *ret_length, struct os_file *ret_file);

/* Which file a name stands for; symbolic links are not followed. */
int os_file_identify(const struct os_dir *dir, const char *name, struct os_file_id *ret_id);

/*
 * Write a new file, over what a crash may have left under that name. On failure nothing is left.
 * mode: exact, whatever the umask.
 */
int os_file_create(const struct os_dir *dir, const char *name, const char *data, size_t length,
                   unsigned mode, struct os_file_id *ret_id);

/*
 * Give the finished file TEMP the name NAME, only over what was judged.
 *
 * judged:  what NAME stood for when it was judged; NULL: nothing. Where there was something, it
 *          stands under TEMP afterwards.
 * Returns: 0; -EAGAIN NAME stands for something else by now, nothing changed.
 */
int os_file_publish(const struct os_dir *dir, const char *temp, const char *name,
                    const struct os_file_id *judged);

/* Take os_file_publish back: NAME is as it was judged, and TEMP is gone. */
int os_file_unpublish(const struct os_dir *dir, const char *temp, const char *name,
                      const struct os_file_id *judged);

/* Rename, replacing what NAME stood for. */
int os_file_rename(const struct os_dir *dir, const char *temp, const char *name);

/* Remove a file, or an empty directory. -ENOENT where there is nothing. */
int os_file_remove(const struct os_dir *dir, const char *name);

/* ---- The lock ---------------------------------------------------------------------------- */

struct os_lock {
    intptr_t handle;
    struct os_file_id id;
    bool made; /* the file was not there before */
};

enum os_lock_seen {
    OS_LOCK_MISSING = 1, /* no such file */
    OS_LOCK_FREE,
    OS_LOCK_CLAIMED, /* a claim is under way, nobody lives by it yet */
    OS_LOCK_HELD,    /* somebody lives */
    OS_LOCK_UNKNOWN, /* it may not be opened, or this system has no way to ask */
};

/*
 * Open the lock file, mode 0600, made where it is missing and create says so.
 *
 * ret_trusted: false where others may hold it at will: it was made by somebody else, could be
 *              opened by others, or stands on a user's way. May be NULL.
 * Returns:     0; -ENOENT; -ELOOP a symbolic link; -EISDIR, -EMEDIUMTYPE not a regular file;
 *              -EMLINK; -EACCES; -EXDEV the directory strays.
 */
int os_lock_open(const struct os_dir *dir, const char *name, bool create, struct os_lock *ret_lock,
                 bool *ret_trusted);

/* "I am changing these files": 0; -EWOULDBLOCK another is. Never waits. */
int os_lock_claim(struct os_lock *lock);
int os_lock_unclaim(struct os_lock *lock);

/* "I live": 0; -EWOULDBLOCK another does. Never waits. Twice is as once. */
int os_lock_take(struct os_lock *lock);

/* Ask without taking. */
enum os_lock_seen os_lock_ask(const struct os_dir *dir, const char *name);

/*
 * Find a lock on that file which this process inherited over exec and nobody adopted yet, and
 * make it this caller's: 0; -ENOENT. Call it under the claim.
 */
int os_lock_adopt(struct os_file_id id, struct os_lock *ret_lock);

/* Let the next exec inherit the lock, on a high descriptor number; or let it not. */
int os_lock_pass_on(struct os_lock *lock, bool inherit);

/* Close it and leave the empty value. Held locks stay with other holders of the same handle. */
void os_lock_close(struct os_lock *lock);

/* Pids of those who hold it, as far as one may see: how many, at most max. */
int os_lock_holders(const struct os_dir *dir, const char *name, int64_t *ret_pids, size_t max);

/* ---- Processes --------------------------------------------------------------------------- */

/* A pinned process: whatever happens, this is that one. */
struct os_hold {
    int64_t pid;
    intptr_t handle;
};

/* What tells a process from all others with the same number, ever. Zero or empty: not known. */
struct os_identity {
    int64_t pid;
    uint64_t start;       /* the kernel's start time; on Linux clock ticks since boot */
    uint64_t pidfd_inode; /* Linux 6.9 and later: unique in a boot */
    uint64_t pid_namespace;
    char boot[48];
};

enum os_comparison {
    OS_SAME = 1,
    OS_OTHER,   /* another process has that number, or another boot had it */
    OS_UNKNOWN, /* it can't be compared */
};

int64_t os_self(void);
int64_t os_parent(void);
bool os_is_root(void);

/* Pin a process: 0; -ESRCH there is none, or it is dead, or the number is only a thread's. */
int os_process_hold(int64_t pid, struct os_hold *ret_hold);

/* Let go and leave the empty value. */
void os_process_release(struct os_hold *hold);

/*
 * The identity of a held process, as far as it can be known: 0; -ESRCH; -EMFILE and its like where
 * it could be, but not at this moment.
 */
int os_process_identify(const struct os_hold *hold, struct os_identity *ret_identity);

/*
 * Is the held process the one that was identified? Of another boot it is only by all that it has:
 * some containers show a boot id of their own, and not to all that is in them.
 */
enum os_comparison os_process_compare(const struct os_hold *hold, const struct os_identity *known);

/* Whether OS_SAME is proof; false where it only says that some process has the number. */
bool os_identity_is_proof(void);

/* The identities of another boot are all dead: 0 same boot, 1 another, -ENODATA not known. */
int os_boot_differs(const struct os_identity *known);

/* The pids of another pid namespace are other numbers: 0, 1, -ENODATA likewise. */
int os_namespace_differs(const struct os_identity *known);

/*
 * Was the held process born after the file was last written, by more than two seconds?
 *
 * Returns: 1 yes; 0 no; -ENODATA its birth isn't known, or age is no evidence (the clock was
 *          stepped since the file was written, as far as can be seen; a network file system).
 */
int os_process_is_younger(const struct os_hold *hold, const struct os_dir *dir,
                          const struct os_file *file);

/* May that speaker speak for the held process? 1 yes; 0 no; -ENODATA its owner isn't known. */
int os_process_is_of(const struct os_hold *hold, const struct os_speaker *speaker);

/* 0; -ESRCH; -EPERM; -EINVAL. */
int os_process_signal(const struct os_hold *hold, int signal);

/* 0 it is dead; -ETIMEDOUT; -EINTR. timeout_ms as in vortex_process_wait. */
int os_process_wait(const struct os_hold *hold, int timeout_ms);

/* Is the process of the session led by that pid, or in that control group (not empty)? 1, 0. */
int os_process_belongs(const struct os_hold *hold, int64_t session, const char *cgroup);

struct os_process_facts {
    char unit[OS_NAME_MAX]; /* the systemd unit, or empty */
    char cgroup[1024];      /* the control group that is the service's own, or empty */
    char owner[64];         /* the name, or number, of the user who owns the process */
    int64_t memory_bytes;   /* resident; -1 not known */
};

/* Since its birth; -1 not known. */
int64_t os_process_age_ms(const struct os_hold *hold);

/* What else can be known, for people to read. Never fails: what isn't known is empty or -1. */
void os_process_describe(const struct os_hold *hold, struct os_process_facts *ret_facts);

/* Of this process only what a state tells: unit, cgroup and owner. The rest is not known. */
void os_self_describe(struct os_process_facts *ret_facts);

/* ---- Time -------------------------------------------------------------------------------- */

int64_t os_monotonic_ms(void);
int64_t os_monotonic_us(void);
int64_t os_wall_seconds(void);

/* RFC 3339 in UTC: "2026-01-02T03:04:05Z"; "" where it doesn't fit. */
void os_time_format(int64_t wall_seconds, char *buf, size_t size);

void os_sleep_ms(int ms);

/* ---- Hosting ----------------------------------------------------------------------------- */

/* What can be limited, in systemd's order. */
enum os_limit_kind {
    OS_LIMIT_CPU = 0, /* in seconds */
    OS_LIMIT_FSIZE,
    OS_LIMIT_DATA,
    OS_LIMIT_STACK,
    OS_LIMIT_CORE,
    OS_LIMIT_RSS,
    OS_LIMIT_NOFILE,
    OS_LIMIT_AS,
    OS_LIMIT_NPROC,
    OS_LIMIT_MEMLOCK,
    OS_LIMIT_LOCKS,
    OS_LIMIT_SIGPENDING,
    OS_LIMIT_MSGQUEUE,
    OS_LIMIT_NICE, /* 20 - the nice value that it allows */
    OS_LIMIT_RTPRIO,
    OS_LIMIT_RTTIME, /* in microseconds */
    OS_LIMIT_KINDS,
};

/* OS_LIMIT_INFINITY: as far as allowed. */
struct os_limit {
    bool is_set; /* else it stays as it is */
    int64_t soft;
    int64_t hard;
};

#define OS_CPUS_MAX 8192 /* the most that Linux can be built for */

struct os_cpus {
    uint64_t bits[OS_CPUS_MAX / 64]; /* number n is bit n % 64 of word n / 64 */
};

enum os_io_class {
    OS_IO_KEEP = 0,
    OS_IO_NONE,
    OS_IO_REALTIME,
    OS_IO_BEST_EFFORT,
    OS_IO_IDLE,
};

/* How to become a server. Strings belong to the caller. NULL, or -1: leave it as it is. */
struct os_launch {
    const char *const *argv; /* ends with NULL */
    const char *const *env;  /* NAME=VALUE, added over the present environment; ends with NULL */
    const char *directory;
    const char *user; /* a name or a number */
    const char *group;
    const char *const *groups; /* beside those of user, else alone; ends with NULL */
    bool no_input;             /* standard input from /dev/null */
    bool no_output;            /* without output: nowhere, instead of where it goes now */
    const char *output; /* standard output and error are appended there, made with mode 0640 */
    int umask;
    const struct os_limit *limits; /* of each kind */
    const struct os_cpus *cpus;    /* on which it may run; NULL: as we */
    enum os_io_class io_class;
    int io_priority; /* in that class */
    bool no_new_privileges;
    int nice;             /* OS_NICE_KEEP */
    int oom_score_adjust; /* OS_OOM_KEEP */
    intptr_t passed;      /* with passed_as > 2: a handle that the server gets under that number */
    int passed_as;
    int listen_fds;         /* how many of os_listen_fds the server gets; LISTEN_PID names it */
    const intptr_t *stored; /* handles that come behind those, and their names: LISTEN_FDNAMES */
    const char *const *stored_names;
    size_t stored_count;
    const char *ready_word; /* told to the service manager right before the exec; NULL: nothing */
    int64_t dies_with; /* the parent with whose death the system ends it, where it can; 0 none */
    const struct os_cgroup *cgroup; /* os_server_fork: that it is born into; NULL: ours */
};

#define OS_STORED_MAX     128
#define OS_LIMIT_INFINITY INT64_MAX
#define OS_NICE_KEEP      1000
#define OS_OOM_KEEP       10000

/* What could not be done; each has a sentence in cmd/say.c. */
enum os_stage {
    OS_STAGE_NONE = 0,
    OS_STAGE_PROGRAM,
    OS_STAGE_USER,
    OS_STAGE_GROUP,
    OS_STAGE_DIRECTORY,
    OS_STAGE_OUTPUT,
    OS_STAGE_NICE,
    OS_STAGE_OOM,
    OS_STAGE_IO,
    OS_STAGE_CPUS,
    OS_STAGE_GROUPS, /* they exist, but can't be taken */
    OS_STAGE_IDENTITY,
    OS_STAGE_NO_NEW_PRIVILEGES,
    OS_STAGE_DETACH,
    OS_STAGE_EXEC,
    OS_STAGE_READY, /* it was started, and didn't become ready */
    OS_STAGE_HOOK,  /* a command that belongs to its start failed */

    /* The first of many. */
    OS_STAGE_LIMIT = 0x100,    /* + its enum os_limit_kind */
    OS_STAGE_NO_GROUP = 0x200, /* + which of the launch's groups there isn't */
};

/* Can this system do at all what that stage is about? */
bool os_launch_can(enum os_stage stage);

/* Sockets that a service manager passes to this very process, from descriptor 3 on: how many. */
int os_listen_fds(void);

/*
 * Close what was left open for us by whoever started us: all but those handles (OS_NONE among them
 * is fine), what os_listen_fds counted, and standard input, output and error.
 */
void os_handles_keep(const intptr_t *keep, size_t count, int listen_fds);

/*
 * Become the server: set everything up, close descriptors that nobody asked for, and exec. The
 * privileges go for good with the exec; where that fails they are there again, to clean up.
 *
 * lock:    kept open over the exec where os_lock_pass_on said so.
 * Returns: only on failure, a negative errno.
 */
int os_launch_exec(const struct os_launch *launch, const struct os_lock *lock,
                   enum os_stage *ret_stage);

/* Will what stands there be believed of a process of that user, by name or number; NULL: of ours? */
bool os_speaks_for(const struct os_speaker *speaker, const char *user);

/* As far as can be told before: is there such a program, user, group and directory? */
int os_launch_check(const struct os_launch *launch, enum os_stage *ret_stage);

/* A child that will be the server, and the pipe by which it says why not. */
struct os_child {
    int64_t pid;
    intptr_t channel;
};

/* What a child is to do; never returns. Handed down, as a child can't return where memory is lent. */
typedef void os_child_main(void *what, struct os_child *self);

/*
 * Go on in the background: in a child, in a session of its own. Where a system can't fork, the child
 * is this program started once more: it comes by the same way to this very call, which then runs
 * main.
 *
 * lock:    its claim goes on in the child; NULL: there is none.
 * lends:   this process sleeps until the child has exec'ed or ended, and lends it its memory: there
 *          is nothing to copy. What the child writes there stays. Not for a child that changes its
 *          user, whom this memory would be open to.
 * Returns: 0 in the parent; a negative errno.
 */
int os_detach(bool lends, struct os_lock *lock, os_child_main *main, void *what,
              struct os_child *ret_child);

/*
 * What a program does before anything else. It takes the numbers of standard streams that were
 * closed, lest a file of ours gets one and is lost when the streams are set; to an exec they stay
 * closed. As a service of Windows it answers the service manager from now on, by a thread.
 *
 * argc, argv: of main(); on Windows they are in UTF-8 from now on.
 */
void os_program_begin(int *argc, char ***argv);

/* The last thing before it ends: a service manager that has to be told hears the exit status. */
void os_program_end(int status);

/* Where nobody hears standard error, the machine's own log takes that line: true. */
bool os_report_error(const char *text);

/* In the child: no input, output as the launch says, else nowhere. For who has no exec. */
int os_detach_streams(const char *output);

/* In the child: a last word; in the parent: hear it. 0 bytes: the exec took place. */
int os_child_tell(struct os_child *child, const void *data, size_t size);
int os_child_hear(struct os_child *child, void *data, size_t size, size_t *ret_size);

/* In the parent: wait until the child is dead. */
void os_child_reap(struct os_child *child);

enum os_event {
    OS_EVENT_STOP = 1,
    OS_EVENT_RELOAD,
};

/* For the built-in server: from now on these come by os_event_wait, one system call a wait. */
int os_event_prepare(void);
enum os_event os_event_wait(void);

/*
 * Run a command, found by PATH, to its end.
 *
 * buf:     gets its standard output, cut to size; NULL: that goes where ours goes.
 * Returns: its exit status; 127 it can't be executed; 128 and the signal that ended it; an error.
 */
int os_run(const char *const *argv, char *buf, size_t size);

/* ---- Waiting for many things at once: a supervisor --------------------------------------- */

struct os_source {
    intptr_t handle;
    bool wants_write;  /* else it wants to read */
    bool wants_change; /* else: of os_cgroup's events, that they changed since they were read */
    bool ready;        /* set by os_wait: it can, or it is at its end */
};

/*
 * Sleep until a source is ready or the time has come.
 * deadline_ms: as os_monotonic_ms counts; -1: no such time.
 * Returns:     how many are ready; 0 the time has come; a negative errno (never -EINTR).
 */
int os_wait(struct os_source *sources, size_t count, int64_t deadline_ms);

/*
 * os_wait of a process that is likely to sleep for long now: what it doesn't need asleep (the stack
 * of calls that are over, freed memory, the code of its program and of its libraries) goes back to
 * the system. What is needed again comes back with a page fault for some 16 pages of code.
 */
int os_wait_settled(struct os_source *sources, size_t count, int64_t deadline_ms);

/* A pipe: [0] to read from, which never blocks, [1] to write to, which blocks: for a child. */
int os_pipe(intptr_t ret_ends[2]);

/* What is there: how many bytes; 0 the end; -EAGAIN nothing now. */
int64_t os_handle_read(intptr_t handle, void *buf, size_t size);
/* How many bytes went; -EAGAIN none now; -EPIPE, after a SIGPIPE where that isn't ignored. */
int64_t os_handle_write(intptr_t handle, const void *data, size_t size);
/* OS_NONE is fine. Returns OS_NONE. */
intptr_t os_handle_close(intptr_t handle);

/* ---- A supervised server ----------------------------------------------------------------- */

/*
 * From now on signals come by a handle, to be waited for: TERM, INT, QUIT, HUP, USR1, USR2, WINCH,
 * CHLD; and where the system can, every descendant whose parent dies becomes this one's child.
 */
int os_supervisor_prepare(intptr_t *ret_signals);

/* The next signal that came: its number; 0 none; a negative errno. */
int os_signal_next(intptr_t signals);

/* ---- A control group for a server and all that comes of it ------------------------------- */

struct os_cgroup {
    intptr_t handle; /* OS_NONE: there is none, and nothing is done to it */
    intptr_t events; /* to wait for: wants_change */
    intptr_t parent;
    char name[OS_NAME_MAX];
    char path[1024]; /* as os_process_facts has it */
};

/*
 * Make one below our own, where that is ours to change. What a crash left under that name is
 * removed if nobody is in it; else a number is added to the name.
 *
 * Returns: 0; an error: there is to be none.
 */
int os_cgroup_make(const char *name, struct os_cgroup *ret);

/* Kill all in it, those that are being forked too. */
int os_cgroup_kill(const struct os_cgroup *cgroup);

/* Does somebody in it live? */
bool os_cgroup_is_populated(const struct os_cgroup *cgroup);

/*
 * A new one in its place, for another server: with nothing that was set or made in the former one;
 * and Linux 6.18 kills whoever is born into a group that was killed before.
 *
 * Returns: 0; an error: there is none now, as after os_cgroup_remove. -EEXIST: somebody is in it.
 */
int os_cgroup_renew(struct os_cgroup *cgroup);

/* Remove it where nobody is in it, and leave the empty value. */
void os_cgroup_remove(struct os_cgroup *cgroup);

/* The same with the group of that path, which a dead process had made. */
void os_cgroup_discard(const char *path);

/*
 * Kill all in the group of that path, which a dead process had made, and remove it.
 * Returns: how many; 0 also where there is none; -ETIMEDOUT somebody is left, -EACCES ...
 */
int os_cgroup_end(const char *path, int timeout_ms);

/* ---- A server, forked and reaped ---------------------------------------------------------- */

/* A server before its exec. */
struct os_server {
    int64_t pid;
    intptr_t channel; /* by which it says why not */
    intptr_t go;      /* by which it is told to exec; its end ends the child */
};

/*
 * Fork a server, in a session of its own. It waits for os_server_go, and ends itself where this
 * process dies before.
 *
 * output:       its standard output and error, or OS_NONE: as ours.
 * dies_with_us: the system kills it as soon as this process is dead, where it can.
 */
int os_server_fork(const struct os_launch *launch, const struct os_lock *lock, intptr_t output,
                   bool dies_with_us, struct os_server *ret);

/* Let it exec: 0 it did; else why not, and *ret_stage; the child is dead then, or dies. */
int os_server_go(struct os_server *server, enum os_stage *ret_stage);

#define OS_HANDLES_MAX 253 /* as many come with a datagram on Linux */

struct os_handles {
    size_t count;
    intptr_t list[OS_HANDLES_MAX];
};

/*
 * Open a socket for sd_notify(3)'s messages; NOTIFY_SOCKET names it to the children of this process
 * from now on, with watchdog_ms > 0 WATCHDOG_USEC says how often we want to hear of them, and with
 * store_max > 0 FDSTORE how many descriptors we keep.
 */
int os_notify_open(int64_t watchdog_ms, int store_max, intptr_t *ret_handle);

/*
 * The next message, with a NUL: how many bytes, 0 where it is too long for buf; -EAGAIN none now.
 * ret_pid:     who sent it, as the kernel says.
 * ret_handles: what came with it, the caller's to close; NULL: it is closed.
 */
int64_t os_notify_read(intptr_t handle, char *buf, size_t size, int64_t *ret_pid,
                       struct os_handles *ret_handles);

/* Are they one open file, under two numbers? false also where it can't be told. */
bool os_handle_is_same(intptr_t a, intptr_t b);

/*
 * Watch handles for the loss of their other end: the watch is a source for os_wait. Take one out
 * before it is closed. os_watch_next: one that has lost it; OS_NONE: none.
 */
int os_watch_open(intptr_t *ret_watch);
int os_watch_add(intptr_t watch, intptr_t handle);
void os_watch_remove(intptr_t watch, intptr_t handle);
intptr_t os_watch_next(intptr_t watch);

/*
 * Send a datagram to a service manager, by sd_notify(3)'s protocol.
 *
 * address: NOTIFY_SOCKET's value: "/path" or "@abstract".
 * passed:  a handle that goes with it, or OS_NONE.
 * pid:     in whose name, where this process may speak for it; 0, or else: in its own.
 * Returns: 0; -EPROTONOSUPPORT an address of another kind; -ENOTSUP not on this system; an error.
 */
int os_notify_send(const char *address, const char *text, intptr_t passed, int64_t pid);

/*
 * The descriptor which NOTIFY_FD names, where a newline is to say "ready" (s6, dinit, OpenRC). It is
 * the caller's from now on: the variable goes, and no exec passes it on. -ENOTCONN there is none;
 * -EINVAL.
 */
int os_notify_fd_take(intptr_t *ret_handle);

/* Let NOTIFY_FD name that descriptor: 0; -EBADF it is not open. */
int os_notify_fd_give(intptr_t handle);

/* The newline; then it is closed: there is no second time. */
int os_notify_newline(intptr_t handle);

/* What a service manager wants to hear of this very process. */
struct os_manager {
    char address[128];   /* for os_notify_send; empty: none listens */
    intptr_t newline;    /* for os_notify_newline, or OS_NONE */
    int64_t watchdog_ms; /* so often at least it is to hear of us; 0: it doesn't ask */
    int64_t pulse_ms;    /* the same while it waits for a start or a stop; 0: it doesn't ask */
};

/* WATCHDOG_USEC, where it is meant for this process: milliseconds; 0: no watchdog. */
int64_t os_watchdog_ms(void);

/* Where it is meant for this process by name: true, and from now on for the child in its place. */
bool os_watchdog_pass_on(void);

/* Take that out of the environment, so that no child takes it for its own. */
void os_manager_take(struct os_manager *ret);

/* How a child ended. */
struct os_death {
    int64_t pid;
    int code;   /* its exit status, where no signal ended it */
    int signal; /* or 0 */
    bool core;
};

/* Reap one child that has ended: 1 there was one; 0 none yet; -ECHILD there are no children. */
int os_reap(struct os_death *ret_death);

/*
 * Signal every descendant, each pinned or a child of ours: how many.
 * spared: a child that is left alone, with all that is below it; 0: none.
 */
int os_descendants_signal(int signal_number, int64_t spared);

/* Is the held process alive, and below this one? */
bool os_is_descendant(const struct os_hold *hold);

/* Have we no children but that one? */
bool os_is_childless(int64_t spared);

struct os_pace {
    int policy;
    int priority;
};

/*
 * Ahead of all ordinary processes from now on, as far as the system lets us; our children aren't.
 * For moments only: a fork bomb's share of the processors is all but what is asked for here.
 */
void os_hurry(struct os_pace *ret_former);

/* At the former pace again. */
void os_hurry_end(const struct os_pace *former);

/* ---- Services: instances that the machine's service manager runs (Windows alone) ----------- */

struct os_service {
    const char *name; /* the instance's, and the service's */
    const char *description;
    const char *config;  /* NULL: its own place */
    const char *pidfile; /* NULL: likewise */
    const char *user;
    const char *runtime_file; /* the pidfile, wherever it is said: its account may write there */
    int64_t stop_ms;          /* as long it may take to stop as the machine shuts down */
};

enum os_service_state {
    OS_SERVICE_STOPPED = 1,
    OS_SERVICE_STARTING,
    OS_SERVICE_RUNNING,
    OS_SERVICE_STOPPING,
};

struct os_service_facts {
    enum os_service_state state;
    bool is_automatic; /* started with the machine */
    int64_t pid;
    int code; /* with which it ended last */
    char user[OS_NAME_MAX];
    char command[OS_PATH_MAX];
};

/* Make it, or change it to that. -EACCES; -ENXIO there is no such user, or it has a password. */
int os_service_install(const struct os_service *service);

/* Stop and remove it. */
int os_service_remove(const char *name, const char *runtime_file);

/* 0 it runs, and its server is ready; -ECHILD it ended, *ret_code; -ETIMEDOUT it hangs. */
int os_service_start(const char *name, int *ret_code);

/* 0 it is stopped. */
int os_service_stop(const char *name);

/* -ENOENT there is no such service. */
int os_service_ask(const char *name, struct os_service_facts *ret);

/* ---- Logs: where a server's output goes --------------------------------------------------- */

/* Memory that goes back to the system as soon as it is freed. NULL: there is none. */
void *os_pages_new(size_t size);
/* NULL is fine. Returns NULL. */
void *os_pages_free(void *pages, size_t size);

/* Wall clock, milliseconds since 1970. */
int64_t os_wall_ms(void);

/* As syslog has it, in the zone of this machine: "Jan  2 03:04:05". */
void os_time_format_local(int64_t wall_seconds, char *buf, size_t size);

/* A pipe for ourselves and a helper: neither end ever blocks. */
int os_feed(intptr_t ret_ends[2]);

/* Let a pipe that is used much hold more, as far as allowed: a user has some 64 MiB for all. */
void os_pipe_widen(intptr_t handle);

/* Two handles, what is sent into one is received by the other, message by message; no blocking. */
int os_pair(intptr_t ret_ends[2]);

/* Which file a path stands for, symbolic links followed; and whether it is that one. */
int os_path_identify(const char *path, struct os_file_id *ret_id);
bool os_path_is(const char *path, const struct os_file_id *id);

struct os_log {
    intptr_t handle;
    struct os_file_id id;
    int64_t size;
    bool is_regular;
};

/*
 * Open a file to append to, made with mode 0640 where it is missing. No symbolic link and no
 * second hard link is followed where the directory is not the system's or the asker's own: others
 * could make root append to a file of their choice (CVE-2016-1247).
 *
 * like:    a new file gets that one's owner and mode, as far as allowed. May be NULL.
 * Returns: 0; -ENOENT no such directory; -EACCES; -ELOOP; -EMLINK; -EISDIR; -ENXIO a pipe which
 *          nobody reads; -EXDEV the directory strays (see struct os_dir), here and below.
 */
int os_log_open(const char *path, const struct os_log *like, struct os_log *ret);

/* Make an empty file, in place of what stood there. like: as above. */
int os_log_create(const char *path, const struct os_log *like, struct os_log *ret);

/* Open a regular file to read from, links as above. -EMEDIUMTYPE: it is none. */
int os_log_read(const char *path, struct os_log *ret);

/* How many bytes of it stand from that offset on, at most size; 0: the end. */
int64_t os_log_read_at(const struct os_log *log, int64_t offset, void *buf, size_t size);

/* Append: how many bytes went; -EAGAIN none now. No SIGPIPE: -EPIPE. */
int64_t os_log_write(const struct os_log *log, const void *data, size_t size);

/* Its present size. */
int64_t os_log_size(const struct os_log *log);

/* OS_NONE is fine. Leaves the empty handle. */
void os_log_close(struct os_log *log);

/* What a helper does with the handles it was given; its exit status. */
typedef int os_helper_main(const void *what, const intptr_t *handles);

/*
 * Start a helper beside us, which os_reap tells of when it ends: a process in a session of its own,
 * at /, standard input, output and error at /dev/null, all signals blocked, with no handle but
 * these; a thread where a process can't be forked. The handles stay the caller's as well.
 *
 * what: as it is now, or stays until the helper has ended.
 */
int os_helper_start(os_helper_main *main, const void *what, const intptr_t *handles, size_t count,
                    int64_t *ret_pid);

/* Does that child want nothing but a processor? false also where it can't be told. */
bool os_process_runs(int64_t pid);

/*
 * Start a program between two handles, which stay the caller's. ret_child's channel is ready to
 * read as soon as the program has ended.
 */
int os_filter_start(const char *const *argv, intptr_t input, intptr_t output,
                    struct os_child *ret_child);

/* Its exit status, 127 where it could not be executed. Waits for its end, or kills it. */
int os_filter_end(struct os_child *child, bool kill_it);

/* A socket for datagrams to that path. Never blocks. */
int os_datagram_open(const char *path, intptr_t *ret_handle);

/* 0; -EAGAIN not now; -EMSGSIZE; another error: there is nobody, open it anew. No SIGPIPE. */
int os_datagram_send(intptr_t handle, const void *data, size_t size);

/* The number of a signal's name ("TERM", "SIGTERM", "15"), or -EINVAL; and the name. */
int os_signal_number(const char *name);
const char *os_signal_name(int number);

/* Does it name the same file whatever the working directory, as a service needs it? */
bool os_path_is_absolute(const char *path);

/* The directory of configurations: into buf. */
int os_config_directory(char *buf, size_t size);

/* The directory of runtime files where nothing else is said: into buf. */
int os_runtime_directory(char *buf, size_t size);

/* ---- Is somebody there: probes ----------------------------------------------------------- */

/* Where a server listens, as connect(2) wants it. */
struct os_address {
    size_t length;
    unsigned char bytes[128];
};

/*
 * The addresses of a host, in the order in which they are to be tried. Only a name other than
 * localhost asks the system's resolver, which may take its time.
 *
 * Returns: how many, at most max; -ENXIO there is no such host; -EAGAIN not known now; -ENOMEM.
 */
int os_address_resolve(const char *host, int port, struct os_address *ret, size_t max);

/* The address of a stream socket in the file system: 0; -ENAMETOOLONG. */
int os_address_unix(const char *path, struct os_address *ret);

/*
 * Connect without waiting.
 * Returns: 0 it is connected; -EINPROGRESS when it can be written, ask os_connect_result. In both
 *          cases close the handle; any other error: nobody is there, and there is no handle.
 */
int os_connect(const struct os_address *address, intptr_t *ret_handle);

/* 0 it is connected; -EINPROGRESS not yet; another error: why not. */
int os_connect_result(intptr_t handle);

/* os_handle_write for a connection, from which no SIGPIPE comes. */
int64_t os_connection_write(intptr_t handle, const void *data, size_t size);

/* Does something stand under that path, links followed? 0; -ENOENT; -EACCES ... */
int os_path_check(const char *path);

/*
 * Start a command as a server would be started, with nothing to read; back as soon as it was
 * forked. Who can't be exec'ed ends with status 127, or 126 where it is there.
 *
 * output:  its standard output and error; OS_NONE: nowhere; OS_OURS.
 * ret_pid: a child of this process, to be reaped, and the leader of a process group of its own.
 */
int os_command_start(const struct os_launch *launch, intptr_t output, int64_t *ret_pid);

/*
 * Kill it with those of its group, and where the system can those below it in whatever group. Only
 * before it is reaped: its number is its own so long.
 */
void os_command_kill(int64_t pid);

/* A pattern: a POSIX extended regular expression. */
struct os_pattern;

/* 0; -EINVAL with *ret_why set to a static text; -ENOMEM. */
int os_pattern_new(const char *text, struct os_pattern **ret_pattern, const char **ret_why);
bool os_pattern_matches(const struct os_pattern *pattern, const char *line);
/* NULL is fine. */
void os_pattern_free(struct os_pattern *pattern);

#endif
