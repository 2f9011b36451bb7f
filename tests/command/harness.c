/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "harness.h"

#define ANSWERS   64 /* far more than any test uses at once */
#define WORDS_MAX 32

/* ---- Time -------------------------------------------------------------------------------- */

static int64_t
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
deadline(void)
{
    return now_ms() + DEADLINE_MS;
}

bool
poll_until(struct pollfd *events, nfds_t count, int64_t end)
{
    for (;;) {
        int64_t left = end - now_ms();
        int n = left > 0 ? poll(events, count, (int)left) : 0;

        if (n >= 0 || errno != EINTR)
            return n > 0;
    }
}

/* ---- A suite ----------------------------------------------------------------------------- */

static int
run_all(const void *argument)
{
    const struct suite *suite = argument;

    return _cmocka_run_group_tests(suite->name, suite->tests, suite->count, NULL, NULL) != 0;
}

int
run_suite(bool own_pids, const struct suite *suite)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    return nurse_watch(own_pids, run_all, suite);
}

void
skip_test(const char *why)
{
    printf("SKIPPED: %s\n", why);
    skip();
}

void
lack(const char *what)
{
    if (getenv("VORTEX_TEST_ALL") != NULL)
        fail_msg("there is no %s", what);
    skip_test(text_of("there is no %s", what));
}

void
need_root(void)
{
    if (geteuid() != 0)
        skip_test("this needs root");
}

void
need_linux(void)
{
    if (strcmp(getenv("VORTEX_OS"), "linux") != 0)
        skip_test("-Dos=posix doesn't promise this");
}

/* ---- Programs ---------------------------------------------------------------------------- */

/* What a careless caller leaves to its children. */
static void
be_hostile(void)
{
    sigset_t all;

    for (int number = 1; number < NSIG; number++)
        if (number != SIGKILL && number != SIGSTOP)
            (void)signal(number, SIG_IGN);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
}

static void
become_nobody(void)
{
    if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0
        || setresuid(NOBODY, NOBODY, NOBODY) < 0)
        _exit(126);
}

static void
become_program(const struct world *w, int program, const char *const *argv, int out, int err)
{
    extern char **environ;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    char *const *words = (char *const *)(uintptr_t)argv;

    if (chdir(w->directory != NULL ? w->directory : w->dir) < 0 || dup2(null, 0) < 0
        || dup2(out, 1) < 0 || dup2(err, 2) < 0)
        _exit(125);
    setenv("RUNTIME_DIRECTORY", w->run, 1);
    setenv("HOME", w->dir, 1);
    setenv("LC_ALL", "C", 1);
    if (w->path != NULL)
        setenv("PATH", w->path, 1);
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_PID");
    if (w->as_nobody)
        become_nobody();
    if (w->hostile)
        be_hostile();
    if (program >= 0) /* by descriptor: nobody may not come to where it lies */
        syscall(SYS_execveat, program, "", words, environ, 0x1000 /* AT_EMPTY_PATH */);
    else
        execvp(argv[0], words);
    _exit(124);
}

static struct task
begin(const struct world *w, int program, const char *const *argv)
{
    struct task task;
    int out[2], err[2];

    assert_true(pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0);
    fflush(stdout);
    task.pid = fork();
    assert_true(task.pid >= 0);
    if (task.pid == 0)
        become_program(w, program, argv, out[1], err[1]);
    close(out[1]);
    close(err[1]);
    task.out = out[0];
    task.err = err[0];
    task.pidfd = (int)syscall(SYS_pidfd_open, task.pid, 0);
    assert_true(task.pidfd >= 0);
    return task;
}

struct task
program_begin(struct world *w, const char *const *argv)
{
    return begin(w, -1, argv);
}

struct task
vortex_begin(struct world *w, const char *const *words)
{
    const char *argv[WORDS_MAX] = {"vortex"};
    int program = open(w->vortex, O_PATH | O_CLOEXEC);
    struct task task;
    size_t count = 0;

    assert_true(program >= 0);
    for (; words[count] != NULL; count++) {
        assert_true(count + 2 < WORDS_MAX);
        argv[count + 1] = words[count];
    }
    task = begin(w, program, argv);
    close(program);
    return task;
}

/* Up to the end of its file: 0 there is more to come, 1 that was all. What is too long is cut. */
static bool
drain(int fd, char *buf, size_t *length)
{
    char rest[4096];
    size_t room = TEXT_SIZE - 1 - *length;
    ssize_t n = read(fd, room > 0 ? buf + *length : rest, room > 0 ? room : sizeof(rest));

    if (n <= 0)
        return true;
    if (room > 0)
        *length += (size_t)n;
    buf[*length] = '\0';
    return false;
}

static void
give_up(struct task *task, const struct answer *answer)
{
    struct pollfd pinned = {.fd = task->pidfd, .events = POLLIN};
    bool dead = poll(&pinned, 1, 0) == 1;

    if (!dead)
        (void)syscall(SYS_pidfd_send_signal, task->pidfd, SIGKILL, NULL, 0);
    fail_msg("%s after %d ms; it said: %s%s",
             dead ? "it is dead, but somebody keeps its output open" : "it hangs", DEADLINE_MS,
             answer->out, answer->err);
}

const struct answer *
task_end(struct task *task)
{
    static struct answer answers[ANSWERS];
    static unsigned turn;
    struct answer *answer = &answers[turn++ % ANSWERS];
    int64_t end = deadline();
    struct pollfd events[3] = {{.fd = task->out, .events = POLLIN},
                               {.fd = task->err, .events = POLLIN},
                               {.fd = task->pidfd, .events = POLLIN}};
    size_t out = 0, err = 0;
    int status;

    answer->out[0] = answer->err[0] = '\0';
    while (events[0].fd >= 0 || events[1].fd >= 0 || events[2].fd >= 0) {
        if (!poll_until(events, 3, end))
            give_up(task, answer);
        if (events[0].revents != 0 && drain(events[0].fd, answer->out, &out))
            events[0].fd = -1;
        if (events[1].revents != 0 && drain(events[1].fd, answer->err, &err))
            events[1].fd = -1;
        if (events[2].revents != 0)
            events[2].fd = -1;
    }
    assert_int_equal(waitpid(task->pid, &status, 0), task->pid);
    close(task->out);
    close(task->err);
    close(task->pidfd);
    answer->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return answer;
}

bool
task_goes_on(const struct task *task)
{
    struct pollfd pinned = {.fd = task->pidfd, .events = POLLIN};

    return poll(&pinned, 1, 0) == 0;
}

const struct answer *
vortex_run(struct world *w, const char *const *words)
{
    struct task task = vortex_begin(w, words);

    return task_end(&task);
}

const struct answer *
program_run(struct world *w, const char *const *argv)
{
    struct task task = program_begin(w, argv);

    return task_end(&task);
}

/* ---- What it said ------------------------------------------------------------------------ */

void
expect_exit_at(const struct answer *answer, int wanted, const char *file, int line)
{
    if (answer->status == wanted)
        return;
    print_error("exit status %d, not %d\nout: %serr: %s\n", answer->status, wanted, answer->out,
                answer->err);
    _fail(file, line);
}

void
expect_says_at(const char *text, const char *wanted, bool there, const char *file, int line)
{
    if ((strstr(text, wanted) != NULL) == there)
        return;
    print_error("this %s '%s': %s\n", there ? "lacks" : "has", wanted, text);
    _fail(file, line);
}

pid_t
pid_said(const char *text)
{
    const char *at = strstr(text, "pid ");

    assert_non_null(at);
    return atoi(at + strlen("pid "));
}
