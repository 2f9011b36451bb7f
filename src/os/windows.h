/* SPDX-License-Identifier: Apache-2.0 */
/* What the files windows*.c share. Windows 10 or later; UTF-8 above, UTF-16 below. */
#ifndef VORTEX_OS_WINDOWS_H
#define VORTEX_OS_WINDOWS_H

#include <windows.h>

#include <tlhelp32.h>
#include <winsock2.h>

#include "os/os.h"

/* Room for a path of OS_PATH_MAX bytes with its prefix, its NUL, and a file's name behind it. */
#define WIDE_PATH_MAX (OS_PATH_MAX + 8 + OS_NAME_MAX)

/* ---- windows.c ---------------------------------------------------------------------------- */

/* A Windows error as a negative errno, all by one table; never 0. */
int windows_error(DWORD error);
int windows_last_error(void);

/* UTF-8 to UTF-16 and back, with a NUL: 0; -EILSEQ it is neither; -ENAMETOOLONG. */
int windows_wide(const char *text, WCHAR *buf, size_t size);
int windows_narrow(const WCHAR *text, char *buf, size_t size);

/* A path as it is passed on: absolute, with backslashes, and good for more than 260 characters. */
int windows_path(const char *path, WCHAR *buf, size_t size);

/* 100 ns since 1601 as nanoseconds since 1970. */
int64_t windows_ns(FILETIME time);
uint64_t windows_ticks(FILETIME time);

intptr_t windows_close(intptr_t handle);

/* The same once more; inherited: for a child to have, too. */
int windows_duplicate(HANDLE handle, bool inherited, HANDLE *ret);

/* What the list of all processes says of that one. */
bool windows_find_process(int64_t pid, PROCESSENTRY32W *ret);

/* ---- windows_dir.c ------------------------------------------------------------------------ */

/* A directory kept open, so that it can be neither renamed nor replaced, and its path. */
struct windows_dir {
    HANDLE handle;
    size_t length; /* of path, which ends in a backslash */
    WCHAR path[];
};

/* The path of a name in it. */
int windows_in_dir(const struct os_dir *dir, const char *name, WCHAR *buf, size_t size);

/* ---- windows_file.c ----------------------------------------------------------------------- */

/* Of CreateFile: what stands there itself, a directory as well, never what a link leads to. */
#define WINDOWS_ITSELF (FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_BACKUP_SEMANTICS)

/*
 * Open what that path names, itself. Where somebody, a virus scanner for one, shares it with nobody
 * for a moment: tries again for a short while; _once: not.
 */
HANDLE windows_open(const WCHAR *path, DWORD access, DWORD share);
HANDLE windows_open_once(const WCHAR *path, DWORD access, DWORD share);

enum windows_access {
    WINDOWS_READABLE, /* by all, changed by the owner, Administrators and SYSTEM alone: 0644 */
    WINDOWS_PRIVATE,  /* 0600, and 0640: there is no group */
};

/* How a file is made, or opened where the disposition says so. */
struct windows_new {
    DWORD access;
    DWORD share;
    DWORD disposition;
    DWORD flags;
    enum windows_access readers;
};

/* As windows_open, with an access list of its own; the last error is CreateFile's. */
HANDLE windows_make(const WCHAR *path, const struct windows_new *how);
HANDLE windows_make_once(const WCHAR *path, const struct windows_new *how);

/* What a file is: 0; -EISDIR, -ELOOP, -EMEDIUMTYPE it can't be depended on; -EMLINK. */
int windows_judge(HANDLE file, struct os_file_id *ret_id);

/* ---- windows_trust.c ---------------------------------------------------------------------- */

enum windows_kind {
    WINDOWS_WAY,      /* a directory on the way: who may replace what is in it? */
    WINDOWS_CONTENTS, /* a file: who may write it? */
};

/* Lower the speaker to who could have written that, or have put it there. */
void windows_note_speaker(struct os_speaker *speaker, HANDLE object, enum windows_kind kind);

/* For a file or directory that is made. To be freed by windows_security_free. */
int windows_security_new(enum windows_access access, SECURITY_ATTRIBUTES *ret);
void windows_security_free(SECURITY_ATTRIBUTES *security);

#define WINDOWS_KILLED 137 /* the exit status of what we end: as a shell says of SIGKILL */

/* Whose the process is: 0 and a number that stands for the account. */
int windows_process_user(HANDLE process, uint64_t *ret_user);

/* And its name, for people; empty where it isn't known. */
void windows_process_owner(HANDLE process, char *buf, size_t size);

/* ---- windows_process.c -------------------------------------------------------------------- */

/* The name of the event by which another process asks that one for what the signal means. */
void windows_signal_event(int64_t pid, uint64_t start, int signal, WCHAR *buf, size_t size);

/* ---- windows_child.c ---------------------------------------------------------------------- */

/* As if that signal had come: for os_signal_next and os_event_wait. From any thread. */
void windows_raise(int signal);

/*
 * A child for os_reap, which owns its handles from now on: a process; or a thread, with its number
 * made negative. job: where it is alone, or NULL.
 */
int windows_child_add(int64_t pid, HANDLE process, HANDLE job);
bool windows_is_child(int64_t pid);
HANDLE windows_child_job(int64_t pid);

/* ---- windows_spawn.c ---------------------------------------------------------------------- */

struct windows_spawn {
    const struct os_launch *launch;
    HANDLE streams[3]; /* NULL: what the launch says */
    HANDLE also[2];    /* for it to inherit under their own numbers, or NULL */
    HANDLE job;        /* to be in from its beginning, or NULL */
    DWORD flags;       /* of CreateProcess, beside those for all */
};

/* Start a program, suspended. Both handles are the caller's. */
int windows_spawn(const struct windows_spawn *spawn, PROCESS_INFORMATION *ret);

/*
 * The command line of a program with these arguments, argv[0] apart; to be freed.
 * program: its path; of a batch file it becomes that of the system's shell.
 */
int windows_command_line(const char *const *argv, WCHAR *program, size_t size, WCHAR **ret_line);

/* Ours, and over it NAME=VALUE of env, as CreateProcess wants it; to be freed. windows_environment.c */
int windows_environment_new(const char *const *env, WCHAR **ret_block);

/* A job of which nobody gets out; kills: as soon as we are dead, all in it are. */
int windows_job_new(bool kills, HANDLE *ret);

/* The full path of a program, by PATH where it is a bare name. -ENOENT, -EACCES. */
int windows_find_program(const char *name, WCHAR *buf, size_t size);

/* ---- windows_service_control.c ------------------------------------------------------------- */

/* A service, to be closed by CloseServiceHandle. */
int windows_service_open(const char *name, DWORD manager_access, DWORD access, SC_HANDLE *ret);

/* Stop it, and wait until it has ended. */
int windows_service_stop(SC_HANDLE service);

/* ---- windows_main.c ------------------------------------------------------------------------ */

/* The path of this program. */
int windows_own_path(WCHAR *buf, size_t size);

/* The arguments of this process in UTF-8, which end with NULL; to be freed. */
int windows_arguments(int *ret_count, char ***ret_arguments);
void windows_arguments_free(int count, char **arguments);

/* ---- windows_service.c --------------------------------------------------------------------- */

/* Was this process started by the service manager? Its service's name, or "". */
bool windows_is_service(void);
void windows_service_name(char *buf, size_t size);

/* ---- windows_detach.c --------------------------------------------------------------------- */

/* The claim that our parent goes on with in us, once: NULL, there is none. */
HANDLE windows_inherited_claim(void);

/* ---- windows_wait.c ----------------------------------------------------------------------- */

enum windows_source {
    WINDOWS_INPUT = 1, /* an end of a pipe that is read from */
    WINDOWS_OUTPUT,    /* that is written to */
    WINDOWS_BOTH,      /* a message pipe */
    WINDOWS_SOCKET,
    WINDOWS_SIGNALS,   /* an event, ready as long as it is set */
    WINDOWS_DEATH,     /* a process, ready as soon as it has ended; reads as its end */
    WINDOWS_SUSPENDED, /* a process that hasn't begun: closed, it never does */
};

/* What an intptr_t stands for that os_wait waits for; OS_NONE apart. */
struct windows_end {
    enum windows_source kind;
    HANDLE handle; /* or SOCKET */
    HANDLE thread; /* of WINDOWS_SUSPENDED */
    volatile LONG shares;
    bool blocks;    /* writing waits until all went */
    bool is_over;   /* the other end is closed */
    OVERLAPPED in;  /* what is being read, into buffer; its event */
    OVERLAPPED out; /* what is being written, from pending */
    bool reads;     /* such a read is under way */
    bool writes;
    size_t start; /* of what was read and not taken, and how much */
    size_t length;
    char *buffer;
    char *pending;
};

/* Of the claim of a lock, what a child is to inherit. windows_lock.c */
HANDLE windows_lock_claim_handle(const struct os_lock *lock);

/* 0 and the new end, which owns the handle; else the handle is closed. */
int windows_end_new(enum windows_source kind, HANDLE handle, intptr_t *ret);

static inline struct windows_end *
windows_end_of(intptr_t handle)
{
    return (struct windows_end *)handle;
}

/* The same end once more, for another thread; closed as often. Only one thread uses it at a time. */
intptr_t windows_end_share(intptr_t handle);

/* ---- windows_pipe.c ------------------------------------------------------------------------ */

/* A pipe of the system: ours, to wait for, and one that a child may inherit, which blocks. */
int windows_pipe(bool child_writes, intptr_t *ret_ours, HANDLE *ret_theirs);

#endif
