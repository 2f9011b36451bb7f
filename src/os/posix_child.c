/* SPDX-License-Identifier: Apache-2.0 */
/* A child in the background, its word to the parent, and signals; the same on all Unixes. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/os.h"
#include "os/posix.h"

/* ---- The background ---------------------------------------------------------------------- */

void
os_program_begin(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)!open("/dev/null", O_RDONLY | O_CLOEXEC); /* the lowest free one: this */
}

void
os_program_end(int status)
{
    (void)status; /* who waits for us hears it of the kernel */
}

bool
os_report_error(const char *text)
{
    (void)text;
    return false;
}

static _Noreturn void
child_begin(const int *channel, os_child_main *main, void *what)
{
    struct os_child self = {0, channel[1]};

    close(channel[0]);
    setsid();
    main(what, &self);
    _exit(1);
}

int
os_detach(bool lends, struct os_lock *lock, os_child_main *main, void *what,
          struct os_child *ret_child)
{
    int channel[2];
    pid_t pid;
    int r;

    (void)lock; /* the child has it as we have */
    if (pipe2(channel, O_CLOEXEC) < 0)
        return -errno;
    /*
     * Linux's vfork, not POSIX's: the child may do what it likes in a deeper frame, for there is one
     * thread. Where a vfork is a fork, the pipe serves as well.
     */
    // NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.vfork,clang-analyzer-unix.Vfork)
    pid = lends ? vfork() : fork();
    if (pid == 0)
        child_begin(channel, main, what);
    r = pid < 0 ? -errno : 0;
    close(channel[1]);
    if (r < 0) {
        close(channel[0]);
        return r;
    }
    *ret_child = (struct os_child){pid, channel[0]};
    return 0;
}

int
os_child_tell(struct os_child *child, const void *data, size_t size)
{
    const char *p = data;

    while (size > 0) {
        ssize_t n = write((int)child->channel, p, size);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0) {
            p += n;
            size -= (size_t)n;
        }
    }
    child->channel = posix_closed(child->channel);
    return 0;
}

int
os_child_hear(struct os_child *child, void *data, size_t size, size_t *ret_size)
{
    size_t heard = 0;

    while (heard < size) {
        ssize_t n = read((int)child->channel, (char *)data + heard, size - heard);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n == 0)
            break;
        if (n > 0)
            heard += (size_t)n;
    }
    child->channel = posix_closed(child->channel);
    *ret_size = heard;
    return 0;
}

void
os_child_reap(struct os_child *child)
{
    while (waitpid((pid_t)child->pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* ---- The built-in server ----------------------------------------------------------------- */

static void
event_set(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
}

int
os_event_prepare(void)
{
    sigset_t set;

    event_set(&set);
    return sigprocmask(SIG_BLOCK, &set, NULL) < 0 ? -errno : 0;
}

enum os_event
os_event_wait(void)
{
    sigset_t set;
    int signal_number;

    event_set(&set);
    while (sigwait(&set, &signal_number) != 0)
        ;
    return signal_number == SIGHUP ? OS_EVENT_RELOAD : OS_EVENT_STOP;
}

/* ---- Signal names ------------------------------------------------------------------------ */

static const struct {
    char name[8]; /* no pointer: each process would have its own copy of the table */
    int number;
} signals[] = {
    {"HUP", SIGHUP},       {"INT", SIGINT},   {"QUIT", SIGQUIT},   {"ILL", SIGILL},
    {"TRAP", SIGTRAP},     {"ABRT", SIGABRT}, {"BUS", SIGBUS},     {"FPE", SIGFPE},
    {"KILL", SIGKILL},     {"USR1", SIGUSR1}, {"SEGV", SIGSEGV},   {"USR2", SIGUSR2},
    {"PIPE", SIGPIPE},     {"ALRM", SIGALRM}, {"TERM", SIGTERM},   {"CHLD", SIGCHLD},
    {"CONT", SIGCONT},     {"STOP", SIGSTOP}, {"TSTP", SIGTSTP},   {"TTIN", SIGTTIN},
    {"TTOU", SIGTTOU},     {"URG", SIGURG},   {"XCPU", SIGXCPU},   {"XFSZ", SIGXFSZ},
    {"VTALRM", SIGVTALRM}, {"PROF", SIGPROF}, {"WINCH", SIGWINCH}, {"IO", SIGIO},
    {"SYS", SIGSYS},
};

/* RTMIN, RTMIN+3, RTMAX-1: as kill(1) and systemd spell them, and the servers' C library counts. */
static int
realtime_signal(const char *name)
{
    bool low = strncmp(name, "RTMIN", 5) == 0;
    unsigned long offset = 0;
    int number;

    if (!low && strncmp(name, "RTMAX", 5) != 0)
        return -EINVAL;
    if (name[5] != '\0' && (name[5] != (low ? '+' : '-') || !posix_decimal(name + 6, &offset)))
        return -EINVAL;
    if (offset > (unsigned long)(SIGRTMAX - FIRST_REALTIME))
        return -EINVAL;
    number = low ? FIRST_REALTIME + (int)offset : SIGRTMAX - (int)offset;
    return number;
}

int
os_signal_number(const char *name)
{
    unsigned long number;

    if (posix_decimal(name, &number))
        return number >= 1 && number < NSIG ? (int)number : -EINVAL;
    if (strncmp(name, "SIG", 3) == 0)
        name += 3;
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        if (strcmp(signals[i].name, name) == 0)
            return signals[i].number;
    return realtime_signal(name);
}

const char *
os_signal_name(int number)
{
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        if (signals[i].number == number)
            return signals[i].name;
    return NULL;
}
