/* SPDX-License-Identifier: Apache-2.0 */
/* Becoming a server: the same on all Unixes. The background is in posix_child.c. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/os.h"
#include "os/posix.h"

#define FIRST_PASSED_FD 3 /* socket activation: LISTEN_FDS descriptors from here on */

/* ---- User and group ---------------------------------------------------------------------- */

/* A launch happens in one thread: plain getpwnam and its kin do. */

struct who {
    bool set;
    uid_t uid;
    gid_t gid;
    char name[OS_NAME_MAX]; /* for the supplementary groups; empty: none */
    char home[OS_PATH_MAX];
    char shell[OS_PATH_MAX];
};

bool
posix_decimal(const char *text, unsigned long *ret)
{
    char *end;

    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    *ret = strtoul(text, &end, 10);
    return *end == '\0' && errno == 0 && *ret < UINT32_MAX;
}

static int
find_user(const char *user, struct who *who)
{
    unsigned long number;
    // cppcheck-suppress getpwnamCalled
    struct passwd *pw = getpwnam(user);

    if (pw == NULL && posix_decimal(user, &number))
        // cppcheck-suppress getpwuidCalled
        pw = getpwuid((uid_t)number);
    if (pw == NULL)
        return -ENOENT;
    who->set = true;
    who->uid = pw->pw_uid;
    who->gid = pw->pw_gid;
    snprintf(who->name, sizeof(who->name), "%s", pw->pw_name);
    snprintf(who->home, sizeof(who->home), "%s", pw->pw_dir);
    snprintf(who->shell, sizeof(who->shell), "%s", pw->pw_shell);
    return 0;
}

static int
find_group(const char *group, struct who *who)
{
    unsigned long number;
    // cppcheck-suppress getgrnamCalled
    struct group *gr = getgrnam(group);

    if (gr == NULL && posix_decimal(group, &number)) {
        who->gid = (gid_t)number;
        return 0;
    }
    if (gr == NULL)
        return -ENOENT;
    who->gid = gr->gr_gid;
    return 0;
}

static int
find_who(const struct os_launch *l, struct who *who, enum os_stage *ret_stage)
{
    int r;

    *who = (struct who){.uid = geteuid(), .gid = getegid()};
    if (l->user != NULL) {
        r = find_user(l->user, who);
        if (r < 0) {
            *ret_stage = OS_STAGE_USER;
            return r;
        }
    }
    if (l->group != NULL) {
        r = find_group(l->group, who);
        if (r < 0) {
            *ret_stage = OS_STAGE_GROUP;
            return r;
        }
        who->set = true;
    }
    return 0;
}

/*
 * The saved user id stays root's until the exec, which sets it from the effective one: so the
 * privileges are gone with the exec, and come back (regain) where it fails.
 */
static int
become(const struct who *who)
{
    if (!who->set || (who->uid == geteuid() && who->gid == getegid()))
        return 0;
    if (who->name[0] != '\0' ? initgroups(who->name, who->gid) < 0 : setgroups(0, NULL) < 0)
        return -errno;
    if (setresgid(who->gid, who->gid, who->gid) < 0)
        return -errno;
    if (setresuid(who->uid, who->uid, geteuid()) < 0)
        return -errno;
    return 0;
}

static void
regain(void)
{
    uid_t real, effective, saved;

    if (getresuid(&real, &effective, &saved) == 0 && saved != effective)
        (void)!setresuid(saved, saved, saved);
}

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
    struct who who;
    int r = find_who(l, &who, ret_stage);

    if (r < 0)
        return r;
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

/* A server's output never becomes somebody's terminal, and no link leads it elsewhere. */
static int
open_output(const char *output)
{
    int fd =
        open(output != NULL ? output : "/dev/null",
             O_WRONLY | O_APPEND | O_NOCTTY | O_CLOEXEC | (output != NULL ? O_CREAT : 0), 0640);

    return fd < 0 ? -errno : fd;
}

int
os_detach_output(const char *output)
{
    int fd = open_output(output);

    if (fd < 0)
        return fd;
    if (dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0) {
        int r = -errno;

        close(fd);
        return r;
    }
    if (fd > STDERR_FILENO)
        close(fd);
    return 0;
}

static int
set_limit(int which, int64_t value)
{
    struct rlimit limit;
    rlim_t wanted = value == OS_LIMIT_INFINITY ? RLIM_INFINITY : (rlim_t)value;

    if (value < 0)
        return 0;
    if (getrlimit(which, &limit) < 0)
        return -errno;
    /* infinity where that is not allowed: as far as it is, for descriptors are never infinite */
    if (value == OS_LIMIT_INFINITY && setrlimit(which, &(struct rlimit){wanted, wanted}) < 0)
        wanted = limit.rlim_max;
    limit = (struct rlimit){wanted, wanted};
    return setrlimit(which, &limit) < 0 ? -errno : 0;
}

/* As systemd does for User=: a server of another user doesn't live in root's home. */
static int
set_user_environment(const struct who *who)
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

/* Signals as a program expects them, whatever our caller made of them. */
static void
reset_signals(void)
{
    sigset_t none;

    for (int s = 1; s < NSIG; s++)
        if (s != SIGKILL && s != SIGSTOP)
            (void)signal(s, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* LISTEN_PID names the process that they are for. */
int
os_passed_sockets(void)
{
    const char *pid = getenv("LISTEN_PID");
    const char *count = getenv("LISTEN_FDS");
    unsigned long number, fds;

    if (pid == NULL || count == NULL || !posix_decimal(pid, &number) || !posix_decimal(count, &fds))
        return 0;
    return number == (unsigned long)getpid() && fds < 1024 ? (int)fds : 0;
}

static int
enter(const struct os_launch *l, const struct who *who, enum os_stage *stage)
{
    int r;

    if (l->umask >= 0)
        umask((mode_t)l->umask);
    *stage = OS_STAGE_LIMITS;
    r = set_limit(RLIMIT_NOFILE, l->limit_nofile);
    if (r == 0)
        r = set_limit(RLIMIT_CORE, l->limit_core);
    if (r < 0)
        return r;
    *stage = OS_STAGE_NICE;
    if (l->nice != OS_NICE_KEEP && setpriority(PRIO_PROCESS, 0, l->nice) < 0)
        return -errno;
    *stage = OS_STAGE_OOM;
    if (l->oom_score_adjust != OS_OOM_KEEP && (r = posix_set_oom(l->oom_score_adjust)) < 0)
        return r;
    *stage = OS_STAGE_OUTPUT;
    if ((l->output != NULL || l->no_output) && (r = os_detach_output(l->output)) < 0)
        return r;
    *stage = OS_STAGE_IDENTITY;
    if ((r = become(who)) < 0)
        return r;
    /* A change of identity would take this back. */
    if (l->dies_with != 0 && (r = posix_die_with(l->dies_with)) < 0)
        return r;
    *stage = OS_STAGE_DIRECTORY;
    if (l->directory != NULL && chdir(l->directory) < 0)
        return -errno;
    *stage = OS_STAGE_IDENTITY;
    r = set_user_environment(who);
    return r < 0 ? r : set_environment(l->env);
}

int
os_launch_exec(const struct os_launch *l, const struct os_lock *lock, enum os_stage *ret_stage)
{
    struct who who;
    int r = find_who(l, &who, ret_stage);

    if (r == 0)
        r = enter(l, &who, ret_stage);
    if (r < 0) {
        regain();
        return r;
    }
    *ret_stage = OS_STAGE_EXEC;
    posix_keep_from_exec(FIRST_PASSED_FD + os_passed_sockets(), lock->handle);
    if (l->passed_as > STDERR_FILENO
        && (l->passed_as == (int)lock->handle || dup2((int)l->passed, l->passed_as) < 0)) {
        r = l->passed_as == (int)lock->handle ? -EBUSY : -errno;
        regain();
        return r;
    }
    reset_signals();
    /* As its user searches the PATH that it will have; a script without #! runs by the shell. */
    execvp(l->argv[0], (char *const *)(uintptr_t)l->argv);
    r = -errno;
    regain();
    return r;
}
