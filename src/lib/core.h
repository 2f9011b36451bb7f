/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The core: what the library's files share, and what a host (src/host) asks of it beyond vortex.h.
 * Not installed.
 */
#ifndef VORTEX_CORE_H
#define VORTEX_CORE_H

#include "os/os.h"
#include "vortex.h"

/* ---- text.c: the content of a pidfile ---------------------------------------------------- */

#define PIDFILE_MAX 64

/* A pid from a pidfile's bytes: 0; -EBADMSG. See design: ^[ \t]*[0-9]+[ \t]*\r?\n? */
int pidfile_parse(const char *data, size_t length, int64_t *ret_pid);

/* A decimal number, all of it: 0; -EBADMSG; -ERANGE. */
int number_parse(const char *text, size_t length, uint64_t *ret_number);

/* ---- state.c: the state file ------------------------------------------------------------- */

#define STATE_MAX 4096

struct state {
    struct os_identity owner;
    struct os_identity server; /* pid 0: the owner is the server */
    bool lock_held;            /* lock=held: the owner keeps the lock for life */
    size_t length;
    char text[STATE_MAX + 1]; /* the file, for state_get */
};

/* What a supervisor says of its reloads: whoever asked for one follows it by these. */
struct state_reloads {
    uint64_t begun, ended;     /* how many; the last one ended is the one called so */
    const char *failure;       /* why that one failed; empty: it didn't */
    const char *needs_restart; /* keys that were changed in the configuration and wait for one */
};

/* What a host may say beyond the identity. NULL: not said. */
struct state_words {
    const char *phase;
    const char *command;
    const char *manager;
    const char *cgroup;
    const char *status;
    const struct os_identity *server; /* the hosted one, where it isn't the owner itself */
    const char *exit;                 /* how the server last ended: "code 3", "signal SEGV core" */
    uint64_t restarts;
    const char *not_ready;     /* why it isn't ready yet */
    const char *health;        /* "none", "pending", "ok", "failing 2 of 3" */
    const char *health_answer; /* of its probe, where that doesn't hold */
    uint64_t next_restart; /* when it is started again, as os_monotonic_ms counts; 0: it isn't */
    const char *log;       /* the file that its output goes to */
    int64_t since;         /* of the present phase, seconds, wall clock; 0: now */
    const struct state_reloads *reloads; /* NULL: nobody stands between */
};

/* 0; -EBADMSG a broken file, which counts as none. */
int state_parse(const char *data, size_t length, struct state *ret_state);

/*
 * Write a state's text: its length. Where there is no room for all, words are cut or left out; the
 * identity comes first, and takes a tenth. since: seconds, wall clock.
 */
size_t state_format(const struct os_identity *owner, bool lock_held, int64_t since,
                    const struct state_words *words, char buf[STATE_MAX]);

/* The value of a key into buf, cut to size: true; false where there is none. */
bool state_get(const struct state *state, const char *key, char *buf, size_t size);

/* ---- verdict.c: who is alive, the one decision ------------------------------------------- */

/* The three files of one pidfile, by one kept directory. */
struct paths {
    struct os_dir dir;
    char pidfile[OS_NAME_MAX];
    char lock[OS_NAME_MAX];
    char state[OS_NAME_MAX];
};

#define TEMPORARY_MAX sizeof(".state.0123456789abcdef.new") /* what a temporary's name adds */

int paths_open(const char *path, bool create, struct paths *ret_paths);
void paths_close(struct paths *paths);

/* Of the control group that this pidfile's supervisor makes: no other pidfile has that name. */
void cgroup_name(const struct paths *paths, char *buf, size_t size);

struct look {
    enum vortex_verdict verdict;
    int read_error; /* of the pidfile's content: 0, -EBADMSG, -EACCES ... */
    int error; /* of an invalid pidfile: -EBADMSG, -EPERM, -EACCES; why it can't be told just now */
    const char *reason;  /* static text */
    int64_t pid;         /* that the verdict is about, 0 nobody */
    int64_t content;     /* of the pidfile, 0 no number */
    struct os_hold hold; /* running, orphaned: the living one */
    bool has_pidfile;
    struct os_file pidfile; /* where has_pidfile */
    bool has_state;
    bool lacks_state;           /* there may be one, which could not be read just now */
    struct state state;         /* where has_state */
    struct os_file_id state_id; /* of what was read there; inode 0: nothing was */
    enum os_lock_seen lock;
};

/* Read both files, as they belong together; *ret_speaker: the state's, where there is one. */
void look_read(const struct paths *paths, struct look *look, struct os_speaker *ret_speaker);

/* Does the state speak of the pidfile's number? */
bool look_is_named(const struct look *look);

/*
 * Decide, once, from what is read now.
 *
 * lock: what the caller knows of the lock: OS_LOCK_FREE where it holds it itself.
 * mine: the pidfile that the caller's own claim published, which is no rival; or NULL.
 */
void look_once(const struct paths *paths, enum os_lock_seen lock, const struct os_file_id *mine,
               struct look *ret_look);

/* Does the one live that it decided about? */
static inline bool
look_lives(const struct look *look)
{
    return look->verdict == VORTEX_RUNNING || look->verdict == VORTEX_ORPHANED;
}

/* Who lives can't be told for want of descriptors or memory: 0, or that error. It is no verdict. */
int look_error(const struct look *look);

struct claim;

/*
 * Ask the lock too, and look again for a moment while a claim is under way.
 * ours: the caller's own claim, which is no claim of somebody else's; or NULL.
 */
int look_settled(const struct paths *paths, const struct claim *ours, struct look *ret_look);

void look_close(struct look *look);

/* What a pidfile's content is worth by itself: 0; -EBADMSG, -EPERM, or why it can't be read. */
int look_content(const struct look *look);

/* Remove the group which a dead supervisor of this pidfile left, if nobody is in it. */
void cgroup_discard(const struct paths *paths, const struct look *look);

/* ---- claim.c, claim_publish.c, claim_end.c: the protocol of design.md, section 3 ----------- */

enum assume {
    ASSUME_NOTHING = 0,
    ASSUME_STALE,     /* an unproved pidfile is nobody's */
    ASSUME_RUNNING,   /* an unproved pidfile is its process's */
    ASSUME_LEFTOVERS, /* who holds the lock of a dead server is what that one left */
};

#define CLAIM_WAIT_MS 5000 /* for another claim under way: of 200 at once, on a loaded machine */
#define TAKE_WAIT_MS  1000 /* for a lock that its owner is about to name, or to let go of */

struct claim {
    /* The caller's wishes, set between claim_init and the first step. */
    bool allow_remote;
    bool never_wait;
    enum assume assume;

    struct paths paths;
    struct os_lock lock;
    /* Named after the lock file's inode: an rm of the lock lets two in, who must not share them. */
    char pidfile_new[OS_NAME_MAX];
    char state_new[OS_NAME_MAX];
    int64_t process;         /* who made it: in a forked child it is not its own */
    bool trusted;            /* the lock file is nobody else's */
    bool claimed;            /* the claim byte is held */
    bool held;               /* the lock is held */
    bool adopted;            /* it was inherited over exec, and the files with it */
    bool published;          /* the files are this claim's */
    bool keep_state;         /* at the end the state stays, for the post-mortem */
    struct os_file_id mine;  /* the published pidfile */
    int64_t owner;           /* on -EEXIST: who, or 0 */
    struct os_identity self; /* who publishes, once that was asked */
};

void claim_init(struct claim *claim);

/* What a lock that nobody else has says of others: one that this claim made says nothing. */
static inline enum os_lock_seen
claim_lock_seen(const struct claim *claim)
{
    return claim->lock.made ? OS_LOCK_MISSING : OS_LOCK_FREE;
}

/*
 * Step 1: open the directory and the lock, take the claim byte.
 *
 * eager:   give up as soon as somebody is seen to live: -EEXIST.
 * Returns: 0; -EBUSY another claim is under way, or another error; then nothing is open.
 */
int claim_begin(struct claim *claim, const char *path, bool eager);

/* Step 2: the lock itself: 0; -EEXIST; -EBUSY it is held by somebody who can't be named. */
int claim_take(struct claim *claim);

/* Step 6, where the lock is gone: both again. The claim's own pidfile, once published, is no rival. */
int claim_take_again(struct claim *claim);

/*
 * Steps 3 to 6: decide, publish the pidfile and the state for the calling process.
 *
 * lock_held: the lock will be kept for life.
 * words:     may be NULL.
 * Returns:   0; -EEXIST; -ENODATA unproved; another error: the old files are as before.
 */
int claim_publish(struct claim *claim, bool lock_held, const struct state_words *words);

/* Steps 1 to 6; on failure the claim has ended. */
int claim_all(struct claim *claim, const char *path, bool lock_held,
              const struct state_words *words);

/* vortex_pidfile_remove; where assume says so, of an unproved pidfile too. */
int pidfile_remove(const char *path, enum assume assume);

/* Could a state be written now, beside those that are there? Under the claim byte. */
int claim_try(struct claim *claim);

/* The owner's state anew, while it holds the lock: 0; an error, the old state stays. */
int claim_update(struct claim *claim, const struct state_words *words);

/* Step 7: let go of the claim byte; the lock stays. */
void claim_finish(struct claim *claim);

/* Step 7 of who will not keep the lock: before that its file goes. 0; an error. */
int claim_finish_alone(struct claim *claim);

/* vortex_pidfile_inspect, under step 1. */
int claim_inspect(struct claim *claim, struct vortex_report **ret_report);

/* Under step 1: remove the files where they are this process's, or nobody's. 0; -EBUSY. */
int claim_clear(struct claim *claim);

/*
 * The end: the lock goes, and its file with it. In a forked child: only the child's copy goes.
 * remove: what was published is removed too.
 */
void claim_end(struct claim *claim, bool remove);

/* For these three. Does the lock's name still stand for the lock that is held? */
bool claim_lock_in_place(const struct claim *claim);

/* Remove the lock's file, unless it is another's by now: 0; an error. Under the claim. */
int claim_remove_lock(const struct claim *claim);
void claim_remove_temporaries(const struct claim *claim);

/* A forked child takes the claim over; the parent abandons it, which only closes. */
void claim_inherit(struct claim *claim);
void claim_abandon(struct claim *claim);

/* ---- notify.c ---------------------------------------------------------------------------- */

/* May a stored descriptor be called that? */
bool notify_is_descriptor_name(const char *text);

/*
 * Assignments, one a line, to the service manager: 0; -ENOTCONN none listens by a socket;
 * -EMSGSIZE; an error. pid: as os_notify_send.
 */
int notify_send(const char *text, int64_t pid);

/* "Ready" on the descriptor of NOTIFY_FD, and its end: 0; -ENOTCONN there is none; an error. */
int notify_newline(void);

/* ---- process.c --------------------------------------------------------------------------- */

struct vortex_process {
    struct os_hold hold;
};

/*
 * The identity of this process. It never changes, so it is asked once: *self is empty, or of an
 * earlier call, be it that of a parent. 0; as os_process_hold and os_process_identify.
 */
int process_know_self(struct os_identity *self);

#endif
