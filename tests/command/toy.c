/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A toy server that misbehaves on request, and says in a file what happens to it: a line "PID WORD"
 * for "ready" and for each signal that came ("HUP", "TERM", ...). Ends at TERM, INT and QUIT.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CLOSE_ALL_FROM 3

struct toy {
    const char *report; /* where the lines go; NULL: nowhere */
    const char *linger; /* after TERM, wait until somebody opens that FIFO for writing */
    bool close_all;     /* every descriptor above 2, as daemons of old do */
    bool ignore_term;
    bool fork_leftover;     /* a child that keeps what was inherited and outlives its parent */
    bool setsid_leftover;   /* the same in a session of its own */
    bool main_thread_exits; /* while another thread goes on serving */
    bool nondumpable;       /* as programs that hold secrets are */
    int exit_code;          /* end at once with that; -1: don't */
    int report_fd;
};

static pthread_t main_thread;

/* ---- What it says ------------------------------------------------------------------------ */

static void
say(const struct toy *toy, const char *word)
{
    char line[64];
    int length = snprintf(line, sizeof(line), "%d %s\n", (int)getpid(), word);

    /* One write: lines of several processes don't mix. */
    if (toy->report_fd >= 0 && write(toy->report_fd, line, (size_t)length) != length)
        _exit(98);
}

static void
say_signal(const struct toy *toy, int number)
{
    char word[16];

    if (number >= SIGRTMIN)
        snprintf(word, sizeof(word), "RTMIN+%d", number - SIGRTMIN);
    else
        snprintf(word, sizeof(word), "%s", sigabbrev_np(number));
    say(toy, word);
}

static void
open_report(struct toy *toy)
{
    toy->report_fd = -1;
    if (toy->report == NULL)
        return;
    toy->report_fd = open(toy->report, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (toy->report_fd < 0) {
        fprintf(stderr, "toy: %s: %s\n", toy->report, strerror(errno));
        _exit(97);
    }
}

/* ---- What it does ------------------------------------------------------------------------ */

static void
serve(const struct toy *toy, bool ends_at_term)
{
    sigset_t all;

    sigfillset(&all);
    for (;;) {
        int number = 0;

        if (sigwait(&all, &number) != 0)
            continue;
        say_signal(toy, number);
        if (!ends_at_term || (number != SIGTERM && number != SIGINT && number != SIGQUIT))
            continue;
        if (toy->linger != NULL && open(toy->linger, O_RDONLY | O_CLOEXEC) < 0)
            _exit(96);
        _exit(0);
    }
}

static void
leave_child(const struct toy *toy, bool own_session)
{
    pid_t pid = fork();

    if (pid < 0)
        _exit(95);
    if (pid > 0)
        return;
    if (own_session)
        setsid();
    say(toy, "leftover");
    serve(toy, false);
}

static void *
serve_on(void *argument)
{
    const struct toy *toy = argument;

    pthread_join(main_thread, NULL);
    say(toy, "ready");
    serve(toy, !toy->ignore_term);
    return NULL;
}

static void
serve_without_main_thread(struct toy *toy)
{
    pthread_t other;

    main_thread = pthread_self();
    if (pthread_create(&other, NULL, serve_on, toy) != 0)
        _exit(94);
    pthread_exit(NULL);
}

/* ---- What it is told --------------------------------------------------------------------- */

static bool
take_option(struct toy *toy, const char *option, const char *value)
{
    if (strcmp(option, "--report") == 0 && value != NULL)
        toy->report = value;
    else if (strcmp(option, "--linger") == 0 && value != NULL)
        toy->linger = value;
    else if (strcmp(option, "--exit") == 0 && value != NULL)
        toy->exit_code = atoi(value);
    else
        return false;
    return true;
}

static bool
take_flag(struct toy *toy, const char *flag)
{
    const struct {
        const char *name;
        bool *wish;
    } flags[] = {
        {"--close-all", &toy->close_all},
        {"--ignore-term", &toy->ignore_term},
        {"--fork-leftover", &toy->fork_leftover},
        {"--setsid-leftover", &toy->setsid_leftover},
        {"--main-thread-exits", &toy->main_thread_exits},
        {"--nondumpable", &toy->nondumpable},
    };

    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        if (strcmp(flag, flags[i].name) == 0)
            return *flags[i].wish = true;
    return false;
}

int
main(int argc, char **argv)
{
    static struct toy toy = {.exit_code = -1}; /* static: it outlives the main thread */
    sigset_t all;

    for (int i = 1; i < argc; i++) {
        if (take_flag(&toy, argv[i]))
            continue;
        if (!take_option(&toy, argv[i], argv[i + 1])) {
            fprintf(stderr, "toy: what is %s?\n", argv[i]);
            return 99;
        }
        i++;
    }
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    if (toy.close_all && syscall(SYS_close_range, CLOSE_ALL_FROM, ~0U, 0) < 0)
        return 93;
    open_report(&toy);
    if (toy.nondumpable && prctl(PR_SET_DUMPABLE, 0) < 0)
        return 92;
    if (toy.exit_code >= 0)
        _exit(toy.exit_code);
    if (toy.fork_leftover)
        leave_child(&toy, false);
    if (toy.setsid_leftover)
        leave_child(&toy, true);
    if (toy.main_thread_exits)
        serve_without_main_thread(&toy);
    say(&toy, "ready");
    serve(&toy, !toy.ignore_term);
}
