/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A user against root: root's commands work on pidfiles below a directory which an unprivileged user
 * owns, while that user swaps files, links, owners' marks and times there as fast as possible.
 *
 *   vandal TOP ROUNDS VORTEX   as root, in namespaces of its own; vandal.sh has made TOP
 *   vandal count FILE          a process of root's: counts in FILE the signals it gets
 *
 * No process of root's is ever signalled, nothing outside of the user's directory ever changes, no
 * command crashes or hangs.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define USER        65534
#define PATIENCE_MS 60000
#define HANDLES     8

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char outside[64], own[64],
    home[64]; /* root's, where nothing may change, and root's; the user's */
static char bystander_text[32], victim_text[32];
static volatile int *signals; /* how many processes of root's got one */

static void
die(const char *what)
{
    fprintf(stderr, "vandal: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int
below(int end)
{
    return (int)((unsigned)random() % (unsigned)end);
}

/* ---- Those who must not be signalled ------------------------------------------------------ */

static volatile int *
counter_in(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    void *page;

    if (fd < 0 || ftruncate(fd, 4096) < 0)
        die(path);
    page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED)
        die("mmap");
    close(fd);
    return page;
}

static void
count_one(int number)
{
    if (number != SIGCHLD)
        __atomic_add_fetch(signals, 1, __ATOMIC_SEQ_CST);
}

/* What can't be caught is seen by its end: the bystander and the victim have to live. */
static _Noreturn void
count(const char *path)
{
    signals = counter_in(path);
    for (int number = 1; number <= SIGRTMAX; number++)
        (void)signal(number, count_one);
    for (;;)
        pause();
}

/* ---- The user ----------------------------------------------------------------------------- */

/* One of the names that vortex uses, at either of two places. */
static void
some_name(char *buf, size_t size)
{
    static const char *const names[] = {"x.pid",   "x.pid.lock", "x.pid.state",       "x.log",
                                        "x.log.1", "x.log.2",    "x.log.compressing", ""};
    const char *place = below(2) ? "/sub" : "";
    const char *name = names[below(COUNT(names))];
    struct stat st;

    if (name[0] != '\0') {
        snprintf(buf, size, "%s%s/%s", home, place, name);
        return;
    }
    /* A temporary's name has the lock's inode. */
    snprintf(buf, size, "%s%s/x.pid.lock", home, place);
    if (lstat(buf, &st) < 0)
        st.st_ino = 1;
    snprintf(buf, size, "%s%s/x.pid%s.%llx.new", home, place, below(2) ? ".state" : "",
             (unsigned long long)st.st_ino);
}

static void
write_text(const char *path)
{
    const char *const texts[] = {bystander_text, victim_text,    "1\n", "-1\n",
                                 "0\n",          "4294967297\n", ""};
    const char *text = texts[below(COUNT(texts))];
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_CLOEXEC, 0644);

    if (fd < 0)
        return;
    (void)!write(fd, text, strlen(text));
    close(fd);
}

/* A state whose identity is true: that of a process of root's. */
static void
forge_state(const char *path)
{
    char source[96], data[4096];
    ssize_t n;
    int from, to;

    snprintf(source, sizeof(source), "%s/x.pid.state", outside);
    from = open(source, O_RDONLY | O_CLOEXEC);
    n = read(from, data, sizeof(data));
    close(from);
    to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_CLOEXEC, 0644);
    if (to >= 0 && n > 0)
        (void)!write(to, data, (size_t)n);
    close(to);
}

static void
link_out(const char *path)
{
    static const char *const names[] = {"x.pid", "x.pid.lock", "x.pid.state", "x.log", "new", "."};
    char target[96];

    snprintf(target, sizeof(target), "%s/%s", outside, names[below(COUNT(names))]);
    (void)!symlink(target, path);
}

static void
hold_lock(const char *path)
{
    static int handles[HANDLES] = {-1, -1, -1, -1, -1, -1, -1, -1};
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int *slot = &handles[below(HANDLES)];

    if (*slot >= 0)
        close(*slot);
    *slot = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (*slot >= 0 && flock(*slot, LOCK_EX | LOCK_NB) == 0)
        (void)fcntl(*slot, F_OFD_SETLK, &whole);
}

/* What is a directory of the user's at one moment is a link to root's at the next. */
static void
swap_directory(void)
{
    char sub[80], link[80];

    snprintf(sub, sizeof(sub), "%s/sub", home);
    snprintf(link, sizeof(link), "%s/link", home);
    (void)syscall(SYS_renameat2, AT_FDCWD, sub, AT_FDCWD, link, RENAME_EXCHANGE);
}

static void
set_times(const char *path)
{
    time_t then = below(2) ? 1 : 4000000000;
    struct timespec times[2] = {{then, 0}, {then, 0}};

    (void)utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW);
}

static void
act(void)
{
    char path[160], other[160];

    some_name(path, sizeof(path));
    some_name(other, sizeof(other));
    switch (below(14)) {
    case 0:
    case 1:
        if (unlink(path) < 0)
            (void)rmdir(path);
        break;
    case 2:
    case 3:
        link_out(path);
        break;
    case 4:
        write_text(path);
        break;
    case 5:
        forge_state(path);
        break;
    case 6:
        (void)rename(path, other);
        break;
    case 7:
        (void)mkdir(path, 0755);
        break;
    case 8:
        (void)mkfifo(path, 0644);
        break;
    case 9:
        (void)chmod(path, (mode_t)below(01000));
        break;
    case 10:
        set_times(path);
        break;
    case 11:
        hold_lock(path);
        break;
    case 12:
        (void)!link(path, other);
        break;
    default:
        swap_directory();
        break;
    }
}

static pid_t
start_user(void)
{
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    if (setgid(USER) < 0 || setuid(USER) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        _exit(1);
    umask(0);
    (void)signal(SIGPIPE,
                 SIG_IGN); /* root looks at a named pipe, and is gone before a word is written */
    for (;;)
        act();
}

/* ---- What must not change ------------------------------------------------------------------ */

/* Each name outside, with all that a change would show in. */
static void
fingerprint(char *buf, size_t size)
{
    struct dirent **entries;
    int n = scandir(outside, &entries, NULL, alphasort);
    size_t length = 0;

    if (n < 0)
        die(outside);
    for (int i = 0; i < n; i++) {
        char path[512];
        struct stat st = {0};

        snprintf(path, sizeof(path), "%s/%s", outside, entries[i]->d_name);
        /* what is above isn't ours */
        if (strcmp(entries[i]->d_name, "..") != 0 && lstat(path, &st) < 0)
            die(path);
        length += (size_t)snprintf(
            buf + length, size - length, "%s %lu %o %u %u %lu %ld %ld.%09ld\n", entries[i]->d_name,
            (unsigned long)st.st_ino, st.st_mode, st.st_uid, st.st_gid, (unsigned long)st.st_nlink,
            (long)st.st_size, (long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
        free(entries[i]);
    }
    free(entries);
}

/* ---- Root ---------------------------------------------------------------------------------- */

/* Run it, in silence: its exit status; -1 it crashed or hangs. */
static int
run(const char *const *argv)
{
    pid_t pid = fork();
    struct pollfd end = {.events = POLLIN};
    int status, ready;

    if (pid < 0)
        die("fork");
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);

        for (int fd = 0; fd <= 2; fd++)
            dup2(null, fd);
        execv(argv[0], (char *const *)argv);
        _exit(127);
    }
    end.fd = (int)syscall(SYS_pidfd_open, pid, 0);
    ready = poll(&end, 1, PATIENCE_MS);
    close(end.fd);
    if (ready != 1)
        kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    return ready == 1 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/*
 * root.conf: a server of root's, which is refused there; user.conf: one of the user's; log.conf: with
 * a log in reach of them, for its supervisor's own files must not be.
 */
static int
some_command(const char *vortex)
{
    static const char *const words[][4] = {
        {"start", "-c", "root.conf"},
        {"start", "-c", "user.conf"},
        {"start", "-c", "log.conf"},
        {"restart", "-c", "user.conf"},
        {"status"},
        {"reload"},
        {"stop", "-t", "1s"},
        {"stop", "-s", "KILL"},
        {"stop", "--clean"},
        {"stop", "--leftovers"},
        {"signal", "-s", "USR1"},
        {"wait", "-t", "1ms"},
    };
    const char *argv[8] = {vortex};
    char path[96];
    int n = 1;

    for (const char *const *word = words[below(COUNT(words))]; n < 4 && *word != NULL; word++)
        argv[n++] = *word;
    if (strcmp(argv[n - 1], "log.conf") == 0)
        snprintf(path, sizeof(path), "%s/x.pid", own);
    else
        snprintf(path, sizeof(path), "%s%s/x.pid", home, below(3) ? "/sub" : "");
    argv[n++] = "-p";
    argv[n] = path;
    n = run(argv);
    return n == 2 && strcmp(argv[1], "status") == 0 ? 3 : n; /* LSB's 2: a lock file alone */
}

/* The servers of this round are our children by now, for we are their reaper: end all but those. */
static void
end_servers(const pid_t *stay, size_t stay_count)
{
    pid_t pid;
    int ended;

    do {
        FILE *children = fopen("/proc/thread-self/children", "re");

        if (children == NULL)
            die("children");
        ended = 0;
        while (fscanf(children, "%d", &pid) == 1) {
            bool stays = false;

            for (size_t i = 0; i < stay_count; i++)
                stays |= stay[i] == pid;
            ended += !stays && kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid;
        }
        fclose(children);
    } while (ended > 0); /* what was theirs is ours by now */
}

static pid_t
start_bystander(const char *self, const char *counts)
{
    pid_t pid = fork();

    if (pid == 0) {
        execl(self, self, "count", counts, (char *)NULL);
        _exit(127);
    }
    return pid;
}

static pid_t
pid_in(const char *path)
{
    FILE *file = fopen(path, "re");
    pid_t pid = 0;

    if (file == NULL || fscanf(file, "%d", &pid) != 1)
        die(path);
    fclose(file);
    return pid;
}

static bool
lives(pid_t pid)
{
    return waitpid(pid, NULL, WNOHANG) == 0;
}

/* A round's end: what is wrong? */
static const char *
wrong(int status, const char *before, const pid_t *stay)
{
    char now[8192];

    fingerprint(now, sizeof(now));
    if (status < 0)
        return "a command crashed or hangs";
    if (status == 2)
        return "a command was refused";
    if (strcmp(before, now) != 0)
        return "something changed outside";
    if (*signals != 0 || !lives(stay[0]) || !lives(stay[1]))
        return "a process of root's was signalled";
    return NULL;
}

static int
torture(int rounds, const char *vortex, const char *self)
{
    char before[8192], path[96], counts[96];
    const char *found = NULL;
    int statuses[8] = {0};
    pid_t stay[3];

    snprintf(counts, sizeof(counts), "%s/../counts", outside);
    signals = counter_in(counts);
    snprintf(path, sizeof(path), "%s/x.pid", outside);
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0
        || run((const char *const[]){vortex, "start", "-c", "root.conf", "-p", path, NULL}) != 0)
        die("the victim's start");
    stay[0] = pid_in(path);
    stay[1] = start_bystander(self, counts);
    snprintf(victim_text, sizeof(victim_text), "%d\n", stay[0]);
    snprintf(bystander_text, sizeof(bystander_text), "%d\n", stay[1]);
    fingerprint(before, sizeof(before));
    stay[2] = start_user();
    for (int i = 0; i < rounds && found == NULL; i++) {
        int status = some_command(vortex);

        statuses[status & 7]++;
        found = wrong(status, before, stay);
        if (below(4) == 0)
            end_servers(stay, COUNT(stay));
    }
    if (found == NULL && waitpid(stay[2], NULL, WNOHANG) != 0)
        found = "the user gave up";
    end_servers(NULL, 0);
    printf("vandal: %d rounds; exit statuses:", rounds);
    for (size_t i = 0; i < COUNT(statuses); i++)
        printf(" %d", statuses[i]);
    printf("; %s\n", found == NULL ? "nothing wrong" : found);
    return found == NULL ? 0 : 1;
}

int
main(int argc, char **argv)
{
    char self[256];

    if (argc == 3 && strcmp(argv[1], "count") == 0)
        count(argv[2]);
    if (argc != 4 || realpath(argv[0], self) == NULL || chdir(argv[1]) < 0)
        return 2;
    snprintf(outside, sizeof(outside), "%s/outside", argv[1]);
    snprintf(own, sizeof(own), "%s/own", argv[1]);
    snprintf(home, sizeof(home), "%s/home", argv[1]);
    srandom(1);
    return torture(atoi(argv[2]), argv[3], self);
}
