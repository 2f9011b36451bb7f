/* SPDX-License-Identifier: Apache-2.0 */
/* Toys: to start them, to hear what they say, to see them die. */
#include <errno.h>
#include <sys/syscall.h>

#include "harness.h"

#define WORDS_MAX 32

static int
pidfd_open_of(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

static void
pidfd_signal(int pidfd, int number)
{
    assert_int_equal(syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0), 0);
}

/* ---- Toys -------------------------------------------------------------------------------- */

pid_t
toy_start(struct world *w, const char *name, const char *const *options)
{
    const char *words[WORDS_MAX] = {"start", name, "--", w->toy, "--report", w->report};
    const struct answer *answer;
    pid_t pid;

    for (size_t i = 0; options[i] != NULL; i++) {
        assert_true(i + 7 < WORDS_MAX);
        words[i + 6] = options[i];
    }
    answer = vortex_run(w, words);
    expect_exit(answer, 0);
    pid = hear(w, "ready");
    assert_int_equal(pid, pid_said(answer->out));
    return pid;
}

pid_t
toy_start_alone(struct world *w)
{
    /* An orphan at once, so that the nurse reaps it. */
    const struct answer *answer = PROGRAM(
        w, "sh", "-c", "setsid \"$0\" --report \"$1\" >/dev/null 2>&1 &", w->toy, w->report);

    expect_exit(answer, 0);
    return hear(w, "ready");
}

void
toy_bring(struct world *w)
{
    expect_exit(PROGRAM(w, "cp", w->toy, in_dir(w, "toy")), 0);
    assert_int_equal(chmod(in_dir(w, "toy"), 0755), 0);
    w->toy = in_dir(w, "toy");
}

/* Take the first line with that word, and of that pid where it is not 0, out of what was heard. */
static pid_t
take_line(struct world *w, pid_t of, const char *word)
{
    for (char *line = w->heard, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        char said[64];
        int pid;

        if (sscanf(line, "%d %63s", &pid, said) == 2 && (of == 0 || of == pid)
            && (word == NULL || strcmp(said, word) == 0)) {
            memmove(line, end + 1, strlen(end + 1) + 1);
            return pid;
        }
    }
    return 0;
}

static pid_t
hear_of(struct world *w, pid_t of, const char *word)
{
    int64_t end = deadline();
    pid_t pid;

    while ((pid = take_line(w, of, word)) == 0) {
        struct pollfd event = {.fd = w->report_fd, .events = POLLIN};
        size_t length = strlen(w->heard);
        ssize_t n;

        if (!poll_until(&event, 1, end))
            fail_msg("no toy said '%s', but: %s", word, w->heard);
        n = read(w->report_fd, w->heard + length, sizeof(w->heard) - 1 - length);
        assert_true(n > 0);
        w->heard[length + (size_t)n] = '\0';
    }
    return pid;
}

pid_t
hear(struct world *w, const char *word)
{
    return hear_of(w, 0, word);
}

/* Signals that wait are taken lowest number first: when the highest is heard, all others were. */
void
expect_unsignalled(struct world *w, pid_t toy)
{
    int pidfd = pidfd_open_of(toy);

    assert_true(pidfd >= 0 && lives(toy));
    pidfd_signal(pidfd, SIGRTMAX);
    close(pidfd);
    hear_of(w, toy, text_of("RTMIN+%d", SIGRTMAX - SIGRTMIN));
    if (strstr(w->heard, text_of("%d ", (int)toy)) != NULL)
        fail_msg("the toy %d heard: %s", (int)toy, w->heard);
}

bool
lives(pid_t pid)
{
    struct pollfd pinned = {.fd = pidfd_open_of(pid), .events = POLLIN};
    bool alive = pinned.fd >= 0 && poll(&pinned, 1, 0) == 0;

    if (pinned.fd >= 0)
        close(pinned.fd);
    return alive;
}

void
wait_for_death(pid_t pid)
{
    struct pollfd pinned = {.fd = pidfd_open_of(pid), .events = POLLIN};

    if (pinned.fd >= 0) {
        if (!poll_until(&pinned, 1, deadline()))
            fail_msg("process %d lives on", (int)pid);
        close(pinned.fd);
    }
    nurse_reap();
}

void
kill_hard(pid_t pid)
{
    int pidfd = pidfd_open_of(pid);

    assert_true(pidfd >= 0);
    pidfd_signal(pidfd, SIGKILL);
    close(pidfd);
    wait_for_death(pid);
}
