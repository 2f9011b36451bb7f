/* SPDX-License-Identifier: Apache-2.0 */
/* Becoming a server: the same on all Unixes. The background is in posix_child.c. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/os.h"
#include "os/posix.h"

#define LISTEN_FDS_MAX 1024 /* more are nonsense */

/* ---- The program ------------------------------------------------------------------------- */

static int
is_program(const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode) || !(st.st_mode & 0111))
        return -EACCES;
    return 0;
}

/* The PATH that the server will have: the launch's own, else the present one. */
static const char *
search_path(const struct os_launch *l)
{
    const char *path = getenv("PATH");

    for (const char *const *e = l->env; e != NULL && *e != NULL; e++)
        if (strncmp(*e, "PATH=", 5) == 0)
            path = *e + 5;
    return path != NULL ? path : "/bin:/usr/bin"; /* execvp's own word */
}

/* As execvp finds it. A relative name with a slash is meant from the server's directory. */
static int
find_program(const struct os_launch *l, char *buf, size_t size)
{
    const char *name = l->argv[0];
    int r = -ENOENT;

    if (strchr(name, '/') != NULL) {
        bool within = name[0] != '/' && l->directory != NULL;
        int n = snprintf(buf, size, "%s%s%s", within ? l->directory : "", within ? "/" : "", name);

        return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : is_program(buf);
    }
    for (const char *p = search_path(l); *p != '\0'; p += strspn(p, ":")) {
        size_t length = strcspn(p, ":");
        int n = snprintf(buf, size, "%.*s/%s", (int)length, p, name);
        int found = n < 0 || (size_t)n >= size ? -ENAMETOOLONG : is_program(buf);

        if (found == 0)
            return 0;
        /* Of a directory that may not be searched it says nothing about the program. */
        if (found == -EACCES && faccessat(AT_FDCWD, buf, F_OK, AT_EACCESS) == 0)
            r = found;
        p += length;
    }
    return r;
}

int
os_launch_check(const struct os_launch *l, enum os_stage *ret_stage)
{
    char program[OS_PATH_MAX];
    struct stat st;
    struct posix_who who;
    int r = posix_who_find(l, &who, ret_stage);

    if (r < 0)
        return r;
    free(who.groups);
    *ret_stage = OS_STAGE_DIRECTORY;
    if (l->directory != NULL && stat(l->directory, &st) < 0)
        return -errno;
    if (l->directory != NULL && !S_ISDIR(st.st_mode))
        return -ENOTDIR;
    if (l->argv == NULL)
        return 0;
    *ret_stage = OS_STAGE_PROGRAM;
    return find_program(l, program, sizeof(program));
}

/* ---- What the server finds itself in ----------------------------------------------------- */

static rlim_t
rlim_of(int64_t value)
{
    return value == OS_LIMIT_INFINITY ? RLIM_INFINITY : (rlim_t)value;
}

static int
set_limit(int which, const struct os_limit *wanted)
{
    struct rlimit limit = {rlim_of(wanted->soft), rlim_of(wanted->hard)};
    struct rlimit now;

    if (getrlimit(which, &now) < 0)
        return -errno;
    if (setrlimit(which, &limit) == 0)
        return 0;
    if (errno != EPERM || wanted->hard != OS_LIMIT_INFINITY)
        return -errno;
    /* infinity where that is not allowed: as far as it is, for descriptors are never infinite */
    limit.rlim_max = now.rlim_max;
    if (wanted->soft == OS_LIMIT_INFINITY)
        limit.rlim_cur = now.rlim_max;
    if (limit.rlim_cur > limit.rlim_max)
        return -EPERM;
    return setrlimit(which, &limit) < 0 ? -errno : 0;
}

static int
set_limits(const struct os_limit *limits, enum os_stage *stage)
{
    int r = 0;

    for (int kind = 0; r == 0 && limits != NULL && kind < OS_LIMIT_KINDS; kind++) {
        int which;

        if (!limits[kind].is_set)
            continue;
        which = posix_limit_number((enum os_limit_kind)kind);
        *stage = (enum os_stage)(OS_STAGE_LIMIT + kind);
        r = which < 0 ? -ENOTSUP : set_limit(which, &limits[kind]);
    }
    return r;
}

/* As systemd does for User=: a server of another user doesn't live in root's home. */
static int
set_user_environment(const struct posix_who *who)
{
    if (who->name[0] == '\0')
        return 0;
    if (setenv("USER", who->name, 1) < 0 || setenv("LOGNAME", who->name, 1) < 0
        || setenv("HOME", who->home, 1) < 0 || setenv("SHELL", who->shell, 1) < 0)
        return -errno;
    return 0;
}

static int
set_environment(const char *const *env)
{
    for (; env != NULL && *env != NULL; env++) {
        const char *equals = strchr(*env, '=');
        char name[OS_NAME_MAX];

        if (equals == NULL || (size_t)(equals - *env) >= sizeof(name))
            return -EINVAL;
        memcpy(name, *env, (size_t)(equals - *env));
        name[equals - *env] = '\0';
        if (setenv(name, equals + 1, 1) < 0)
            return -errno;
    }
    return 0;
}

/* ---- Sockets that are passed on ----------------------------------------------------------- */

int
os_listen_fds(void)
{
    const char *pid = getenv("LISTEN_PID");
    const char *count = getenv("LISTEN_FDS");
    unsigned long number, fds;

    if (pid == NULL || count == NULL || !posix_decimal(pid, &number) || !posix_decimal(count, &fds))
        return 0;
    return number == (unsigned long)getpid() && fds < LISTEN_FDS_MAX ? (int)fds : 0;
}

void
os_handles_keep(const intptr_t *keep, size_t count, int listen_fds)
{
    int next = POSIX_FIRST_PASSED + listen_fds;

    for (;;) {
        int lowest = -1; /* of those to be kept, from here on */

        for (size_t i = 0; i < count; i++)
            if (keep[i] >= next && (lowest < 0 || keep[i] < lowest))
                lowest = (int)keep[i];
        if (lowest < 0)
            break;
        if (lowest > next)
            posix_close_range(next, lowest - 1);
        next = lowest + 1;
    }
    posix_close_range(next, -1);
}

/* When it runs, and where. */
static int
set_scheduling(const struct os_launch *l, enum os_stage *stage)
{
    int r = 0;

    *stage = OS_STAGE_NICE;
    if (l->nice != OS_NICE_KEEP && setpriority(PRIO_PROCESS, 0, l->nice) < 0)
        return -errno;
    *stage = OS_STAGE_OOM;
    if (l->oom_score_adjust != OS_OOM_KEEP && (r = posix_set_oom(l->oom_score_adjust)) < 0)
        return r;
    *stage = OS_STAGE_IO;
    if (l->io_class != OS_IO_KEEP && (r = posix_set_io(l->io_class, l->io_priority)) < 0)
        return r;
    *stage = OS_STAGE_CPUS;
    return l->cpus != NULL ? posix_set_cpus(l->cpus) : 0;
}

/* The end of a pipe for the server's newline, under the number that it was promised. */
static int
pass_word(const struct os_launch *l, const struct os_lock *lock)
{
    if (l->passed_as <= STDERR_FILENO)
        return 0;
    if (l->passed_as == (int)lock->handle || l->passed_as < posix_passed_end(l))
        return -EBUSY;
    if (l->passed_as == (int)l->passed) /* dup2 would leave it to be closed */
        return fcntl(l->passed_as, F_SETFD, 0) < 0 ? -errno : 0;
    return dup2((int)l->passed, l->passed_as) < 0 ? -errno : 0;
}

static int
set_descriptors(const struct os_launch *l, const struct os_lock *lock)
{
    int r;

    posix_keep_from_exec(POSIX_FIRST_PASSED + l->listen_fds, lock->handle);
    if (lock->handle >= 0 && lock->handle < posix_passed_end(l))
        return -EBUSY;
    r = posix_pass_stored(l);
    if (r == 0)
        r = pass_word(l, lock);
    return r < 0 ? r : posix_name_passed(l);
}

/*
 * What needs memory, descriptors or a name looked up comes before the limits, which may leave
 * too little of it; what needs privileges before they are gone.
 */
static int
enter(const struct os_launch *l, const struct os_lock *lock, const struct posix_who *who,
      enum os_stage *stage)
{
    int r;

    if (l->umask >= 0)
        umask((mode_t)l->umask);
    *stage = OS_STAGE_IDENTITY;
    r = set_user_environment(who);
    if (r == 0)
        r = set_environment(l->env);
    if (r == 0)
        r = set_scheduling(l, stage);
    if (r < 0)
        return r;
    *stage = OS_STAGE_OUTPUT;
    if ((r = posix_set_streams(l->no_input, l->no_output, l->output)) < 0)
        return r;
    *stage = OS_STAGE_EXEC;
    r = set_descriptors(l, lock);
    if (r == 0)
        r = set_limits(l->limits, stage);
    if (r == 0)
        r = posix_become(l, who, stage);
    /* A change of identity would take this back. */
    if (r == 0 && l->dies_with != 0)
        r = posix_die_with(l->dies_with);
    if (r < 0)
        return r;
    *stage = OS_STAGE_NO_NEW_PRIVILEGES;
    if (l->no_new_privileges && (r = posix_no_new_privileges()) < 0)
        return r;
    *stage = OS_STAGE_DIRECTORY;
    return l->directory != NULL && chdir(l->directory) < 0 ? -errno : 0;
}

/* The last word before the exec: all that may be expected to fail is behind us. */
static void
tell_ready(const char *word)
{
    const char *manager = getenv("NOTIFY_SOCKET");
    intptr_t newline;

    if (manager != NULL && manager[0] != '\0')
        (void)os_notify_send(manager, word, OS_NONE, 0);
    if (os_notify_fd_take(&newline) == 0)
        (void)os_notify_newline(newline);
}

int
posix_launch_prepare(const struct os_launch *l, const struct os_lock *lock,
                     enum os_stage *ret_stage)
{
    struct posix_who who;
    int r = posix_who_find(l, &who, ret_stage);

    if (r < 0)
        return r;
    r = enter(l, lock, &who, ret_stage);
    if (who.groups != NULL) /* a call of the library less: see posix_reset_signals */
        free(who.groups);
    if (r == 0 && l->ready_word != NULL)
        tell_ready(l->ready_word);
    if (r == 0)
        posix_reset_signals();
    return r;
}

int
posix_launch_exec(const struct os_launch *l, enum os_stage *ret_stage)
{
    int r;

    *ret_stage = OS_STAGE_EXEC;
    if (l->argv[0][0] == '/') /* there is nothing to search; what it can't do, execvp may */
        (void)execve(l->argv[0], (char *const *)(uintptr_t)l->argv, environ);
    /* As its user searches the PATH it will have; a script without #! runs by the shell. */
    execvp(l->argv[0], (char *const *)(uintptr_t)l->argv);
    r = -errno;
    /* Linux refuses the exec to a user with too many processes, not the change to that user. */
    if (r == -EAGAIN && l->limits != NULL && l->limits[OS_LIMIT_NPROC].is_set)
        *ret_stage = (enum os_stage)(OS_STAGE_LIMIT + OS_LIMIT_NPROC);
    return r;
}

int
os_launch_exec(const struct os_launch *l, const struct os_lock *lock, enum os_stage *ret_stage)
{
    int r = posix_launch_prepare(l, lock, ret_stage);

    if (r == 0)
        r = posix_launch_exec(l, ret_stage);
    posix_regain();
    return r;
}
