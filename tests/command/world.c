/* SPDX-License-Identifier: Apache-2.0 */
/* Where a test takes place: its directory, its files, its bystanders. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "harness.h"

#define TEXTS 256 /* far more than any test uses */

/* ---- Its beginning and its end ----------------------------------------------------------- */

int
world_setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    const char *above = getenv("TMPDIR");

    if (w == NULL)
        return -1;
    w->row = *state;
    w->toy = getenv("TOY");
    w->vortex = getenv("VORTEX");
    snprintf(w->dir, sizeof(w->dir), "%s/vortex-test-XXXXXX", above != NULL ? above : "/tmp");
    if (w->toy == NULL || w->vortex == NULL || mkdtemp(w->dir) == NULL || chmod(w->dir, 0755) < 0)
        return -1;
    snprintf(w->run, sizeof(w->run), "%s/run", w->dir);
    snprintf(w->report, sizeof(w->report), "%s/report", w->dir);
    if (mkdir(w->run, 0755) < 0 || chmod(w->run, 0755) < 0 || mkfifo(w->report, 0622) < 0
        || chmod(w->report, 0622) < 0)
        return -1;
    /* For writing too: so it is never at its end. */
    w->report_fd = open(w->report, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    *state = w;
    return w->report_fd < 0 ? -1 : 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    return remove(path);
}

int
world_teardown(void **state)
{
    struct world *w = *state;

    nurse_end_all();
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    close(w->report_fd);
    (void)nftw(w->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(w);
    return 0;
}

/* ---- Texts and paths --------------------------------------------------------------------- */

static char *
next_text(void)
{
    static char texts[TEXTS][TEXT_SIZE];
    static unsigned turn;

    return texts[turn++ % TEXTS];
}

const char *
text_of(const char *format, ...)
{
    char *text = next_text();
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, TEXT_SIZE, format, ap);
    va_end(ap);
    return text;
}

const char *
in_dir(const struct world *w, const char *name)
{
    return text_of("%s/%s", w->dir, name);
}

const char *
in_run(const struct world *w, const char *name)
{
    return text_of("%s/%s", w->run, name);
}

/* ---- Files ------------------------------------------------------------------------------- */

bool
is_there(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

const char *
file_read(const char *path)
{
    char *text = next_text();
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t length = 0;
    ssize_t n;

    if (fd < 0)
        fail_msg("%s: %s", path, strerror(errno));
    while (length < TEXT_SIZE - 1 && (n = read(fd, text + length, TEXT_SIZE - 1 - length)) > 0)
        length += (size_t)n;
    close(fd);
    text[length] = '\0';
    return text;
}

void
file_write_bytes(const char *path, const char *data, size_t length)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    if (fd < 0 || write(fd, data, length) != (ssize_t)length || fchmod(fd, 0644) < 0)
        fail_msg("%s: %s", path, strerror(errno));
    close(fd);
}

void
file_write(const char *path, const char *text)
{
    file_write_bytes(path, text, strlen(text));
}

pid_t
pid_in(const char *path)
{
    return atoi(file_read(path));
}

void
file_age(const char *path, int seconds)
{
    struct timespec times[2];

    clock_gettime(CLOCK_REALTIME, &times[0]);
    times[0].tv_sec -= seconds;
    times[1] = times[0];
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* Where the line "KEY=..." begins, or NULL. */
static const char *
state_line(const char *text, const char *key)
{
    size_t length = strlen(key);

    for (const char *line = text; line != NULL && *line != '\0';) {
        if (strncmp(line, key, length) == 0 && line[length] == '=')
            return line;
        line = strchr(line, '\n');
        line = line != NULL ? line + 1 : NULL;
    }
    return NULL;
}

const char *
state_value(const char *path, const char *key)
{
    const char *line = state_line(file_read(path), key);

    if (line == NULL)
        fail_msg("%s: no %s", path, key);
    line += strlen(key) + 1;
    return text_of("%.*s", (int)strcspn(line, "\n"), line);
}

void
state_edit(const char *path, const char *key, const char *value)
{
    const char *text = file_read(path);
    const char *line = state_line(text, key);
    const char *rest;

    if (line == NULL)
        fail_msg("%s: no %s", path, key);
    rest = line + strcspn(line, "\n") + 1;
    if (value != NULL)
        text = text_of("%.*s%s=%s\n%s", (int)(line - text), text, key, value, rest);
    else
        text = text_of("%.*s%s", (int)(line - text), text, rest);
    file_write(path, text);
}

void
expect_no_files(const struct world *w, const char *name)
{
    static const char *const suffixes[] = {".pid", ".pid.lock", ".pid.state", NULL};

    for (size_t i = 0; suffixes[i] != NULL; i++) {
        const char *path = in_run(w, text_of("%s%s", name, suffixes[i]));

        if (is_there(path))
            fail_msg("%s is there", path);
    }
    expect_no_temporaries(w);
}

void
expect_no_temporaries(const struct world *w)
{
    DIR *dir = opendir(w->run);
    const struct dirent *entry;

    if (dir == NULL)
        return; /* nobody has made it */
    while ((entry = readdir(dir)) != NULL) {
        size_t length = strlen(entry->d_name);

        if (length > 4 && strcmp(entry->d_name + length - 4, ".new") == 0)
            fail_msg("%s is left", entry->d_name);
    }
    closedir(dir);
}

const char *
config_write(const struct world *w, const char *name, const char *format, ...)
{
    const char *path = in_dir(w, text_of("%s.conf", name));
    char *text = next_text();
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, TEXT_SIZE, format, ap);
    va_end(ap);
    file_write(path, text);
    return path;
}

/* ---- Bystanders -------------------------------------------------------------------------- */

/* Every signal waits, until the leave to go comes: then the lowest that came, or 0, is told. */
static void
stand_by(void)
{
    sigset_t leave, pending;

    sigemptyset(&leave);
    sigaddset(&leave, SIGRTMAX);
    while (sigwaitinfo(&leave, NULL) != SIGRTMAX)
        ;
    sigpending(&pending);
    for (int number = 1; number < SIGRTMAX; number++)
        if (sigismember(&pending, number) == 1)
            _exit(number);
    _exit(0);
}

/* 0: any pid. */
static pid_t
fork_as(pid_t pid)
{
    struct clone_args args = {.exit_signal = SIGCHLD};

    if (pid == 0)
        return fork();
    args.set_tid = (uint64_t)(uintptr_t)&pid;
    args.set_tid_size = 1;
    return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

static struct bystander
start_bystander(pid_t wanted)
{
    struct bystander bystander;
    sigset_t all, before;
    int error;

    /* Before it is born, so that no signal comes too early. */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    bystander.pid = fork_as(wanted);
    error = errno;
    if (bystander.pid == 0)
        stand_by();
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (bystander.pid < 0 && (error == EPERM || error == ENOSYS))
        skip_test("a pid may not be chosen here (CAP_CHECKPOINT_RESTORE)");
    if (bystander.pid < 0)
        fail_msg("a process with the pid %d: %s", (int)wanted, strerror(error));
    bystander.pidfd = (int)syscall(SYS_pidfd_open, bystander.pid, 0);
    assert_true(bystander.pidfd >= 0);
    return bystander;
}

struct bystander
bystander_start(void)
{
    return start_bystander(0);
}

struct bystander
bystander_start_as(pid_t pid)
{
    return start_bystander(pid);
}

void
bystander_expect_unharmed(struct bystander *bystander)
{
    struct pollfd pinned = {.fd = bystander->pidfd, .events = POLLIN};
    int status;

    (void)syscall(SYS_pidfd_send_signal, bystander->pidfd, SIGRTMAX, NULL, 0);
    if (poll(&pinned, 1, DEADLINE_MS) != 1)
        fail_msg("the bystander %d was stopped", (int)bystander->pid);
    close(bystander->pidfd);
    assert_int_equal(waitpid(bystander->pid, &status, 0), bystander->pid);
    if (WIFSIGNALED(status))
        fail_msg("the bystander %d was killed by signal %d", (int)bystander->pid, WTERMSIG(status));
    if (WEXITSTATUS(status) != 0)
        fail_msg("the bystander %d was sent signal %d", (int)bystander->pid, WEXITSTATUS(status));
}
