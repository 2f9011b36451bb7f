/* SPDX-License-Identifier: Apache-2.0 */
/* What the trials do: the subjects' commands, their servers, and strangers beside them. */
#include "correctness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE 6000 /* ms, for a command, or a server */
#define SETTLE   1000 /* ms, for what a command leaves on its way */

/* ---- Commands ---------------------------------------------------------------------------- */

static void
get_start(const struct trial *t, const char *words[WORDS])
{
    const struct subject *s = t->subject;

    if (s->by_number)
        PUT(words, t->bench.path[SSD], "--start", "--background", "--make-pidfile", "--pidfile",
            TOOL_FILE, "--startas", t->server, "--", READY);
    else if (s->tool != TOOLS)
        start_command(&t->bench, s->tool, TOOL_LOCK, words);
    else
        peer_start_command(&t->bed, &t->instance, words);
}

bool
get_stop(const struct trial *t, const char *words[WORDS])
{
    const struct subject *s = t->subject;

    if (s->by_number)
        PUT(words, t->bench.path[SSD], "--stop", "--retry", "5", "--pidfile", TOOL_FILE);
    else if (s->tool != TOOLS && !has_stop(s->tool))
        return false;
    else if (s->tool != TOOLS)
        stop_command(&t->bench, s->tool, words);
    else
        peer_stop_command(&t->bed, &t->instance, words);
    return true;
}

bool
get_status(const struct trial *t, const char *words[WORDS])
{
    const struct subject *s = t->subject;

    if (s->peer == MONIT)
        return false; /* it answers for itself */
    if (s->tool == TOOLS && s->peer == OURS_BEHIND) {
        PUT(words, t->bed.vortex, "status", "-p", t->pidfile);
        return true;
    }
    if (s->tool == TOOLS)
        return peer_status_command(&t->bed, &t->instance, words);
    if (s->by_number)
        PUT(words, t->bench.path[SSD], "--status", "--pidfile", TOOL_FILE);
    else
        status_command(&t->bench, s->tool, words);
    return has_stop(s->tool);
}

int
run_command(const char *const *words)
{
    pid_t pid = spawn(words, -1, -1);
    struct pollfd end = {.fd = pidfd_of(pid), .events = POLLIN};
    int status = -1, r = poll(&end, 1, PATIENCE);

    close(end.fd);
    if (r <= 0)
        kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    return r <= 0 || !WIFEXITED(status) ? -1 : WEXITSTATUS(status);
}

void
settle(int ms)
{
    double end = now_us() + ms * 1e3;

    while (now_us() < end) {
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        (void)poll(NULL, 0, 20);
    }
}

/* ---- Processes --------------------------------------------------------------------------- */

int
count_servers(const struct trial *t, pid_t *ret_one)
{
    int count = 0;

    for (pid_t pid = 2; pid < 4096; pid++) {
        char program[512] = "";

        if (readlink(text_of("/proc/%d/exe", (int)pid), program, sizeof(program) - 1) > 0
            && strcmp(program, t->server) == 0) {
            *ret_one = pid;
            count++;
        }
    }
    return count;
}

pid_t
let_stand_by(pid_t number)
{
    struct clone_args how = {.exit_signal = SIGCHLD,
                             .set_tid = number > 0 ? (uintptr_t)&number : 0,
                             .set_tid_size = number > 0 ? 1 : 0};
    pid_t pid = (pid_t)syscall(SYS_clone3, &how, sizeof(how));

    if (pid < 0)
        die("clone3", strerror(errno));
    if (pid == 0) {
        execl("/bin/sleep", "sleep", "1000", (char *)NULL);
        _exit(127);
    }
    return pid;
}

bool
is_harmed(pid_t bystander)
{
    double end = now_us() + 200e3;

    while (kill(bystander, 0) == 0 && now_us() < end)
        settle(20);
    return kill(bystander, 0) < 0;
}

void
cut_power(void)
{
    kill(-1, SIGKILL);
    while (waitpid(-1, NULL, 0) > 0)
        ;
}

/* ---- Starts ------------------------------------------------------------------------------ */

static bool
have_ended(const pid_t *pids, int count)
{
    for (int i = 0; i < count; i++)
        if (kill(pids[i], 0) == 0)
            return false;
    return true;
}

void
start_by(const struct trial *t, int count)
{
    double end = now_us() + PATIENCE * 1e3;
    const char *words[WORDS];
    pid_t pids[2], server;
    int gate[2];

    get_start(t, words);
    if (pipe2(gate, O_CLOEXEC) < 0)
        die("pipe", strerror(errno));
    for (int i = 0; i < count; i++)
        pids[i] = spawn(words, gate[0], -1);
    if (write(gate[1], "", 1) != 1)
        die("pipe", strerror(errno));
    close(gate[0]);
    close(gate[1]);
    while (count_servers(t, &server) == 0 && now_us() < end) {
        if (have_ended(pids, count) && end > now_us() + SETTLE * 1e3)
            end = now_us() + SETTLE * 1e3;
        settle(20);
    }
    settle(t->subject->settle_ms);
}

pid_t
start_first(struct trial *t)
{
    const char *words[WORDS];
    double end = now_us() + LIMIT_MS * 1e3;
    pid_t server = 0;

    get_start(t, words);
    (void)spawn(words, -1, -1);
    while (count_servers(t, &server) == 0 || poll(&t->said, 1, 0) == 0) {
        if (now_us() > end)
            die(t->subject->name, "no server after a start");
        settle(20);
    }
    settle(200);
    return server;
}
