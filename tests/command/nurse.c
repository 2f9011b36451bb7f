/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nurse: a process above the tests, to whom all orphans come. It reaps them as an init does, and
 * ends what a test leaves behind: pinned, and only what descends from it. In a pid namespace of its
 * own it is process 1, blocks every signal, and tells at the end whether one came.
 */
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "harness.h"

enum {
    ASK_END_ALL = 'E',
    ASK_REAP = 'R',
};

struct nurse {
    pid_t tests;   /* the tests' process */
    int status;    /* its wait status, once it is dead */
    bool is_alone; /* it is dead */
    int channel;   /* to the tests */
};

static int channel_to_nurse = -1;
static bool own_namespace;

static void
die(const char *what)
{
    perror(what);
    _exit(99);
}

/* ---- What the tests call ----------------------------------------------------------------- */

static void
ask_nurse(char what)
{
    if (write(channel_to_nurse, &what, 1) != 1 || read(channel_to_nurse, &what, 1) != 1)
        die("the nurse is gone");
}

void
nurse_end_all(void)
{
    ask_nurse(ASK_END_ALL);
}

void
nurse_reap(void)
{
    ask_nurse(ASK_REAP);
}

bool
pids_are_own(void)
{
    return own_namespace;
}

/* ---- Who is whose ------------------------------------------------------------------------ */

static pid_t
parent_of(pid_t pid)
{
    char path[64], text[512];
    const char *end;
    FILE *file;
    int parent = 0;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    file = fopen(path, "re");
    if (file == NULL)
        return 0;
    if (fgets(text, sizeof(text), file) != NULL && (end = strrchr(text, ')')) != NULL)
        (void)sscanf(end, ") %*c %d", &parent);
    fclose(file);
    return parent;
}

static bool
descends_from_here(pid_t pid)
{
    for (int i = 0; i < 64 && pid > 0; i++) {
        pid = parent_of(pid);
        if (pid == getpid())
            return true;
    }
    return false;
}

/* ---- Nursing ----------------------------------------------------------------------------- */

static void
reap(struct nurse *nurse)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        if (pid == nurse->tests) {
            nurse->status = status;
            nurse->is_alone = true;
        }
}

/* Pinned first, then asked whose it is. True: it lived, and is dead now. */
static bool
end_one(pid_t pid)
{
    struct pollfd pinned = {.events = POLLIN};
    bool ended = false;

    pinned.fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pinned.fd < 0)
        return false;
    if (poll(&pinned, 1, 0) == 0 && descends_from_here(pid)
        && syscall(SYS_pidfd_send_signal, pinned.fd, SIGKILL, NULL, 0) == 0) {
        if (poll(&pinned, 1, DEADLINE_MS) != 1)
            die("a process survives KILL");
        ended = true;
    }
    close(pinned.fd);
    return ended;
}

static bool
end_some(const struct nurse *nurse)
{
    DIR *proc = opendir("/proc");
    const struct dirent *entry;
    bool some = false;

    while (proc != NULL && (entry = readdir(proc)) != NULL) {
        pid_t pid = atoi(entry->d_name);

        if (pid > 0 && pid != getpid() && pid != nurse->tests && descends_from_here(pid))
            some = end_one(pid) || some;
    }
    if (proc != NULL)
        closedir(proc);
    return some;
}

static void
end_all(struct nurse *nurse)
{
    do
        reap(nurse);
    while (end_some(nurse));
    reap(nurse);
}

static void
answer_tests(struct nurse *nurse)
{
    char what;

    if (read(nurse->channel, &what, 1) != 1)
        return;
    if (what == ASK_END_ALL)
        end_all(nurse);
    reap(nurse);
    if (write(nurse->channel, &what, 1) != 1)
        die("the tests are gone");
}

/* Signals that came to process 1, besides those about its children. */
static int
find_stray_signal(void)
{
    sigset_t pending;

    sigpending(&pending);
    for (int number = 1; number <= SIGRTMAX; number++)
        if (number != SIGCHLD && sigismember(&pending, number) == 1)
            return number;
    return 0;
}

static int
nurse_them(struct nurse *nurse)
{
    sigset_t wanted;
    struct pollfd events[2] = {{.events = POLLIN}, {.fd = nurse->channel, .events = POLLIN}};
    struct signalfd_siginfo info;
    int stray;

    sigemptyset(&wanted);
    sigaddset(&wanted, SIGCHLD);
    if (!own_namespace) { /* meson's wish, when the time is up */
        sigaddset(&wanted, SIGTERM);
        sigaddset(&wanted, SIGINT);
    }
    events[0].fd = signalfd(-1, &wanted, SFD_CLOEXEC);
    if (events[0].fd < 0)
        die("signalfd");
    while (!nurse->is_alone) {
        if (poll(events, 2, -1) < 0)
            die("poll");
        if (events[0].revents != 0 && read(events[0].fd, &info, sizeof(info)) > 0
            && info.ssi_signo != SIGCHLD) {
            (void)end_one(nurse->tests);
            nurse->is_alone = true;
        }
        reap(nurse);
        if (!nurse->is_alone && (events[1].revents & POLLIN))
            answer_tests(nurse);
    }
    end_all(nurse);
    stray = own_namespace ? find_stray_signal() : 0;
    if (stray != 0) {
        fprintf(stderr, "FAILED: process 1 was sent signal %d\n", stray);
        return 1;
    }
    return WIFEXITED(nurse->status) ? WEXITSTATUS(nurse->status) : 128 + WTERMSIG(nurse->status);
}

/* ---- The beginning ----------------------------------------------------------------------- */

static int
be_nurse(int (*body)(const void *), const void *argument)
{
    struct nurse nurse = {0};
    sigset_t all, before;
    int channel[2];

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0
        || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) < 0)
        die("nurse");
    nurse.tests = fork();
    if (nurse.tests < 0)
        die("fork");
    if (nurse.tests == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        sigprocmask(SIG_SETMASK, &before, NULL);
        setsid();
        close(channel[0]);
        channel_to_nurse = channel[1];
        exit(body(argument));
    }
    close(channel[1]);
    nurse.channel = channel[0];
    return nurse_them(&nurse);
}

/* No exit(): this process can make no children any more, which a leak checker would. */
static _Noreturn void
wait_outside(pid_t inside)
{
    int status;

    while (waitpid(inside, &status, 0) < 0)
        if (errno != EINTR)
            die("waitpid");
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

int
nurse_watch(bool own_pids, int (*body)(const void *), const void *argument)
{
    pid_t inside;

    if (!own_pids || unshare(CLONE_NEWPID | CLONE_NEWNS) < 0)
        return be_nurse(body, argument);
    inside = fork();
    if (inside < 0)
        die("fork");
    if (inside > 0)
        wait_outside(inside);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0
        || mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
        die("mount /proc");
    own_namespace = true;
    return be_nurse(body, argument);
}
