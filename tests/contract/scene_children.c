/* SPDX-License-Identifier: Apache-2.0 */
/* The scene's children on this machine: each reports by a pipe, and lives until it is killed. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "scene.h"
#include "scene_real.h"

#define CHILDREN_MAX 16
#define REPORT_FD    100 /* where a child tells its result, over its exec too */

static pid_t children[CHILDREN_MAX];
static int child_count;
static pthread_t thread;
static int thread_pipe[2];
static bool has_thread;

noreturn void
scene_live_on(int result)
{
    ssize_t n;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    n = write(REPORT_FD, &result, sizeof(result));
    close(REPORT_FD);
    while (n == (ssize_t)sizeof(result))
        pause();
    _exit(1);
}

static void
end_thread(void)
{
    if (!has_thread)
        return;
    has_thread = false;
    close(thread_pipe[1]);
    pthread_join(thread, NULL);
    close(thread_pipe[0]);
}

void
scene_end_children(void)
{
    for (int i = 0; i < child_count; i++) {
        kill(children[i], SIGKILL);
        while (waitpid(children[i], NULL, 0) < 0 && errno == EINTR)
            ;
    }
    child_count = 0;
    end_thread();
}

/* 0 in the child. */
static pid_t
fork_reporting(int *ret_channel)
{
    int channel[2];
    pid_t pid;

    scene_check(pipe2(channel, O_CLOEXEC));
    fflush(NULL);
    pid = fork();
    scene_check(pid);
    if (pid == 0) {
        if (setsid() < 0 || dup2(channel[1], REPORT_FD) < 0)
            _exit(1);
        close(channel[0]);
        close(channel[1]);
        return 0;
    }
    close(channel[1]);
    *ret_channel = channel[0];
    assert_true(child_count < CHILDREN_MAX);
    children[child_count++] = pid;
    return pid;
}

static int64_t
hear(pid_t pid, int channel, int *ret_result)
{
    ssize_t n = read(channel, ret_result, sizeof(*ret_result));

    close(channel);
    if (n != (ssize_t)sizeof(*ret_result))
        fail_msg("a child ended before it could report");
    return pid;
}

int64_t
scene_fork(scene_act *act, const char *name, int *ret_result)
{
    int channel;
    pid_t pid = fork_reporting(&channel);

    if (pid == 0)
        scene_live_on(act(name));
    return hear(pid, channel, ret_result);
}

int64_t
scene_fork_as(uint32_t user, uint32_t saved, scene_act *act, const char *name, int *ret_result)
{
    int channel;
    pid_t pid = fork_reporting(&channel);

    if (pid == 0) {
        if (setresuid(user, user, saved) < 0)
            _exit(1);
        scene_live_on(act(name));
    }
    return hear(pid, channel, ret_result);
}

int64_t
scene_fork_exec(scene_act *before, scene_act *after, const char *name, int *ret_result)
{
    int channel;
    pid_t pid = fork_reporting(&channel);
    char program[4096] = "", number[16];
    int index = 0;

    if (pid > 0)
        return hear(pid, channel, ret_result);
    while (contract_acts[index] != NULL && contract_acts[index] != after)
        index++;
    snprintf(number, sizeof(number), "%d", index);
    if (readlink("/proc/self/exe", program, sizeof(program) - 1) > 0 && contract_acts[index] != NULL
        && before(name) == 0)
        execl(program, "contract", "--after-exec", number, scene_path(""), name, (char *)NULL);
    _exit(1);
}

static void *
live_on(void *main_thread)
{
    /* The others see its end only when it is over: then tell. */
    pthread_join(*(pthread_t *)main_thread, NULL);
    scene_live_on(0);
    return NULL;
}

int64_t
scene_fork_headless(void)
{
    static pthread_t main_thread, second;
    int channel, result;
    pid_t pid = fork_reporting(&channel);

    if (pid > 0)
        return hear(pid, channel, &result);
    main_thread = pthread_self();
    if (pthread_create(&second, NULL, live_on, &main_thread) != 0)
        _exit(1);
    pthread_exit(NULL);
}

void
scene_kill(int64_t pid)
{
    siginfo_t info;

    scene_check(kill((pid_t)pid, SIGKILL));
    scene_check(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
}

void
scene_reap(int64_t pid)
{
    scene_check(waitpid((pid_t)pid, NULL, 0));
    for (int i = 0; i < child_count; i++)
        if (children[i] == (pid_t)pid)
            children[i--] = children[--child_count];
}

static void *
be_a_thread(void *arg)
{
    int *ends = arg;
    pid_t tid = (pid_t)syscall(SYS_gettid);
    char byte;

    if (write(ends[1], &tid, sizeof(tid)) == (ssize_t)sizeof(tid))
        while (read(thread_pipe[0], &byte, 1) < 0 && errno == EINTR)
            ;
    return NULL;
}

int64_t
scene_thread(void)
{
    int ends[2];
    pid_t tid = 0;

    scene_check(pipe2(ends, O_CLOEXEC));
    scene_check(pipe2(thread_pipe, O_CLOEXEC));
    assert_int_equal(pthread_create(&thread, NULL, be_a_thread, ends), 0);
    has_thread = true;
    assert_int_equal(read(ends[0], &tid, sizeof(tid)), sizeof(tid));
    close(ends[0]);
    close(ends[1]);
    return tid;
}

static void
on_alarm(int number)
{
    (void)number;
}

/* Again and again, because the first may come before the wait has begun. */
static void
set_alarms(int microseconds)
{
    struct itimerval timer = {{0, microseconds}, {0, microseconds}};

    scene_check(setitimer(ITIMER_REAL, &timer, NULL));
}

void
scene_interrupt(void)
{
    struct sigaction action = {.sa_handler = on_alarm};

    scene_check(sigaction(SIGALRM, &action, NULL));
    set_alarms(2000);
}

void
scene_stop_interrupting(void)
{
    set_alarms(0);
    signal(SIGALRM, SIG_DFL);
}
