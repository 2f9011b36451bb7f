/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libvortex: pidfiles that stay true, and processes that are surely the right ones.
 *
 * A pidfile PATH comes with two companions, PATH.lock and PATH.state. The lock says "somebody
 * lives" (the kernel lets go of it however death comes), the state says who that is: a process
 * identity which a reused pid cannot share. See vortex(1), FILES.
 *
 * Every function answers 0 or a negative errno. An output (ret_...) is set only on success, but
 * for ret_owner, which is set on -EEXIST. Outputs that may be NULL say so. No function prints.
 * Unless it says otherwise, a function may be called by any number of threads at once, is not for
 * signal handlers, and blocks no longer than a local file system takes.
 */
#ifndef VORTEX_H
#define VORTEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#if defined(VORTEX_BUILD)
#define VORTEX_API __declspec(dllexport)
#else
#define VORTEX_API
#endif
#else
#define VORTEX_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* A process id. 0 is nobody. */
typedef int64_t vortex_pid;

struct vortex_lock;
struct vortex_process;
struct vortex_report;

/* ---- The pidfile ------------------------------------------------------------------------- */

/*
 * Read the number that a pidfile holds. It says nothing about that process: see
 * vortex_pidfile_is_running and vortex_process_open.
 *
 * Returns: 0; -ENOENT no such file; -EBADMSG its content is no pid (empty, garbage, 0, 1,
 *          negative, too large, not a regular file); -EPERM it is not to be trusted: others may
 *          write it, it has a second link, or (asked by root) it belongs to a user who does not
 *          own that process; -EACCES it may not be read; another error of the file system.
 */
VORTEX_API int vortex_pidfile_read(const char *path, vortex_pid *ret_pid);

/*
 * Claim the pidfile for the calling process: write its pid and its identity, unless somebody
 * lives there. The lock is held while this works, not afterwards. Missing parent directories are
 * made (mode 0755). A reader sees the old content or the new one, never less.
 *
 * ret_owner: who is running already, on -EEXIST; 0 where that is not known. May be NULL.
 * Returns:   0; -EEXIST somebody lives, this process included; -ENODATA whether the named process
 *            is the owner can't be proved (see vortex_report_reason); -EREMOTE the directory is on
 *            a network file system, where locks and boot ids mean nothing; -ELOOP the lock is a
 *            symbolic link; -EXDEV another user's link leads out of what is that user's; an error
 *            of the file system. On any error the old files are as before.
 * Waits:     up to five seconds for another claim under way, then up to another for a lock
 *            which nobody is seen to live by.
 */
VORTEX_API int vortex_pidfile_write(const char *path, vortex_pid *ret_owner);

/*
 * Remove the pidfile and the state, where they are the caller's own or nobody's any more.
 * Idempotent.
 *
 * Returns: 0 they are gone, or were; -EBUSY another process lives there, or may: nothing was
 *          removed; -EXDEV as for vortex_pidfile_write; an error of the file system.
 * Waits:   up to five seconds for a claim under way.
 */
VORTEX_API int vortex_pidfile_remove(const char *path);

/*
 * Ask whether the process that owns the pidfile is running. Takes no lock and disturbs nobody.
 *
 * ret_alive: whether it runs. A hosted server whose supervisor was killed counts.
 * ret_pid:   its pid where it runs; the stale number where it does not. May be NULL.
 * Returns:   0; -ENOENT there is no pidfile (and nobody lives there); -EBADMSG or -EPERM as for
 *            vortex_pidfile_read; -EBUSY somebody holds the lock who can't be named; -ENODATA it
 *            can't be proved.
 */
VORTEX_API int vortex_pidfile_is_running(const char *path, bool *ret_alive, vortex_pid *ret_pid);

/*
 * Take the lock of a pidfile, PATH.lock, without writing anything. A lock which this very process
 * inherited through `vortex run` is adopted.
 *
 * Returns: 0; -EWOULDBLOCK another holds it or is about to; -EREMOTE, -ELOOP, -EXDEV as for
 *          vortex_pidfile_write; an error of the file system. Never waits.
 * Owns:    the caller owns *ret_lock: vortex_lock_unlock. The end of the process, however it
 *          comes, lets go as well. Not inherited over exec.
 */
VORTEX_API int vortex_pidfile_lock(const char *path, struct vortex_lock **ret_lock);

/*
 * vortex_pidfile_write, and keep the lock: the way for a server to own its pidfile for life.
 * Where the process was started by `vortex run` on the same path, that claim is adopted.
 *
 * Returns: as vortex_pidfile_write.
 * Owns:    as vortex_pidfile_lock; vortex_lock_unlock also removes the pidfile and the state.
 */
VORTEX_API int vortex_pidfile_write_locked(const char *path, struct vortex_lock **ret_lock,
                                           vortex_pid *ret_owner);

/*
 * Let go of a lock, and remove what was written with it. In a forked child it only frees the
 * child's copy: the lock and the files stay the parent's.
 *
 * lock:    NULL is fine.
 * Returns: NULL.
 * Threads: one thread per lock.
 */
VORTEX_API struct vortex_lock *vortex_lock_unlock(struct vortex_lock *lock);

/* ---- The process ------------------------------------------------------------------------- */

/*
 * Pin the process that owns a pidfile, and prove that it is the one: first the process is held
 * (pidfd on Linux 5.3 and later), then its identity is compared, so what was compared can't be
 * replaced by a reused pid.
 *
 * Returns: 0; -ESRCH stale, or not running; -EBADMSG, -EPERM as for vortex_pidfile_read;
 *          -EBUSY somebody holds the lock who can't be named; -ENODATA it can't be proved.
 * Owns:    the caller owns *ret_p: vortex_process_close.
 */
VORTEX_API int vortex_process_open(const char *pidfile, struct vortex_process **ret_p);

/* The pid of a held process. */
VORTEX_API vortex_pid vortex_process_pid(const struct vortex_process *p);

/*
 * Send a signal to the held process, and to no other, ever.
 *
 * signal:  a signal's number; 0 sends nothing and checks the right to.
 * Returns: 0; -ESRCH it is gone; -EPERM not allowed; -EINVAL no such signal.
 */
VORTEX_API int vortex_process_signal(struct vortex_process *p, int signal);

/*
 * Wait until the held process is dead.
 *
 * timeout_ms: milliseconds, monotonic clock; 0 asks without waiting, negative waits for ever.
 * Returns:    0 it is dead; -ETIMEDOUT it still runs, the hold stays good, call again;
 *             -EINTR a signal handler ran, nothing changed.
 * Owns:       nothing; the caller keeps p.
 * Threads:    one thread per hold. Blocks. Not for signal handlers.
 */
VORTEX_API int vortex_process_wait(struct vortex_process *p, int timeout_ms);

/* Let go of a held process; it lives on. NULL is fine. Returns NULL. */
VORTEX_API struct vortex_process *vortex_process_close(struct vortex_process *p);

/* ---- One look at all of it --------------------------------------------------------------- */

/* What the files and the kernel say together. */
enum vortex_verdict {
    VORTEX_RUNNING = 1, /* the owner lives: proved by its identity */
    VORTEX_ORPHANED,    /* a supervisor was killed, its server lives */
    VORTEX_BUSY,        /* the lock is held by somebody who can't be named: a start, or leftovers */
    VORTEX_STALE,       /* a pidfile without its process */
    VORTEX_UNPROVED,    /* the named process may be the owner or not: it can't be told */
    VORTEX_INVALID,     /* a pidfile which names nobody, or is not to be trusted */
    VORTEX_NOT_RUNNING, /* no pidfile, and nobody lives */
};

/*
 * Look at the files of a pidfile once and decide who lives. Every other function decides by the
 * same. Takes no lock, not for an instant, and can't hang on anything that it opens.
 *
 * Returns: 0; an error of the file system other than "not there"; -EMFILE, -ENFILE, -ENOMEM it can't
 *          be told just now.
 * Owns:    the caller owns *ret_report: vortex_report_close.
 * Threads: one thread per report.
 * Waits:   a twentieth of a second at most, while a claim is under way.
 */
VORTEX_API int vortex_pidfile_inspect(const char *path, struct vortex_report **ret_report);

VORTEX_API enum vortex_verdict vortex_report_verdict(const struct vortex_report *r);

/* Why, in a few words without a full stop, such as "its process has ended". Never NULL. */
VORTEX_API const char *vortex_report_reason(const struct vortex_report *r);

/*
 * Why the pidfile's content is of no use: -EBADMSG, -EPERM, -EACCES ... as vortex_pidfile_read
 * answers; 0 where it is, or there is none.
 */
VORTEX_API int vortex_report_error(const struct vortex_report *r);

/* The pid that the files name: of the living one, else the stale number, else 0. */
VORTEX_API vortex_pid vortex_report_pid(const struct vortex_report *r);

/*
 * The living process, pinned: of a running instance its owner, of an orphaned one the server;
 * NULL otherwise. It stays the report's and ends with it.
 */
VORTEX_API struct vortex_process *vortex_report_process(struct vortex_report *r);

/*
 * A value of the state file, such as "phase", "since", "command" (vortex(1), FILES), or NULL.
 * It stays the report's, until the next call for the same report.
 */
VORTEX_API const char *vortex_report_get(struct vortex_report *r, const char *key);

/* Whether PATH.lock exists. */
VORTEX_API bool vortex_report_has_lock(const struct vortex_report *r);

/* Free a report and what it holds. NULL is fine. Returns NULL. */
VORTEX_API struct vortex_report *vortex_report_close(struct vortex_report *r);

/*
 * The processes that hold PATH.lock, as far as the caller may see them (root sees all).
 *
 * ret_pids: room for max pids.
 * Returns:  how many hold it, at most max; -ENOTSUP this system can't tell; another error.
 */
VORTEX_API int vortex_pidfile_holders(const char *path, vortex_pid *ret_pids, size_t max);

/*
 * End the leftovers of a dead server: processes that hold PATH.lock and belong to the session or
 * the control group which the instance had. Each is pinned, checked again, and killed. Of a control
 * group that a supervisor made for this server alone, all are.
 *
 * Returns: how many were ended; -EBUSY the server is running; -ETIMEDOUT; -ENOTSUP this system
 *          can't tell who they are; another error.
 * Waits:   for their deaths, up to timeout_ms milliseconds in all.
 */
VORTEX_API int vortex_pidfile_end_leftovers(const char *path, int timeout_ms);

/* ---- A word to the service manager ------------------------------------------------------- */

/*
 * A service manager that wants to hear of a service says so in the environment: NOTIFY_SOCKET
 * names the socket of sd_notify(3)'s protocol (systemd, and a supervising vortex), NOTIFY_FD a
 * descriptor on which a newline means "ready" (s6, dinit, OpenRC). These functions speak to
 * either; nothing but the C library is needed.
 *
 * Each returns: 0 it was told; -ENOTCONN nobody listens, which is no failure of a program that may
 *               also be run by hand; -EPROTONOSUPPORT NOTIFY_SOCKET is of an unknown kind; an error
 *               of the socket.
 * Threads:      any, as long as no other one changes the environment meanwhile.
 * Waits:        while the manager's queue is full.
 */

/* The service is up and serves; or a reload has ended, and it serves again. */
VORTEX_API int vortex_notify_ready(void);

/* A reload begins; vortex_notify_ready says when it has ended. */
VORTEX_API int vortex_notify_reloading(void);

/* The end begins. */
VORTEX_API int vortex_notify_stopping(void);

/* How it fares, one line for people to read; longer ones are cut to 1000 bytes or so. */
VORTEX_API int vortex_notify_status(const char *text);

/* All is well: to be told within each interval of vortex_notify_watchdog_interval. */
VORTEX_API int vortex_notify_watchdog(void);

/* How long the manager waits for vortex_notify_watchdog, milliseconds; 0: it doesn't. */
VORTEX_API int64_t vortex_notify_watchdog_interval(void);

/*
 * This start, stop or reload takes longer: the manager is to wait for timeout_ms milliseconds more,
 * from now on. -EINVAL: a negative time.
 */
VORTEX_API int vortex_notify_extend_timeout(int64_t timeout_ms);

/* The service's main process is that one from now on. -EINVAL: it is no pid. */
VORTEX_API int vortex_notify_main_pid(vortex_pid pid);

/*
 * Give the manager a descriptor to keep: the next process of this service gets it, as socket
 * activation passes sockets, with the name in LISTEN_FDNAMES.
 *
 * fd:      stays the caller's.
 * name:    at most 255 printable ASCII characters, no colon; NULL: "stored".
 * Returns: 0 it was sent, which is no promise that the manager keeps any; -EBADF; -EINVAL it can't
 *          be such a name; -ENOTCONN also where only a newline's descriptor is there.
 */
VORTEX_API int vortex_notify_store_fd(int fd, const char *name);

/*
 * Wait until the manager has read all that was told so far: before an exit, without which it could
 * not tell any more who spoke.
 *
 * timeout_ms: milliseconds; negative: for ever.
 * Returns:    0; -ETIMEDOUT; as the others.
 */
VORTEX_API int vortex_notify_barrier(int timeout_ms);

/* The library's version, such as "0.1.0". */
VORTEX_API const char *vortex_version(void);

#ifdef __cplusplus
}
#endif

#endif
