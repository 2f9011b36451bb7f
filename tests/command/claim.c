/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that links the library, for hostile.sh:
 *
 *   claim lease PATH           hold a write lease on PATH; PATH.leased says that it is there
 *   claim readers PATH COUNT   COUNT writes beside a reader, which must see all or nothing
 *   claim child PATH           a forked child's unlock leaves the parent's lock
 *   claim removals PATH COUNT  claims of several processes beside an rm in a loop: never two owners
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vortex.h"

#define STALE     "999999\n"
#define CLAIMANTS 4

static void
die(const char *what)
{
    fprintf(stderr, "claim: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void
lease(const char *path)
{
    char mark[4096];
    int fd = open(path, O_RDWR | O_CLOEXEC);

    signal(SIGIO, SIG_IGN);
    if (fd < 0 || fcntl(fd, F_SETLEASE, F_WRLCK) < 0)
        die("lease");
    snprintf(mark, sizeof(mark), "%s.leased", path);
    close(open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    for (;;)
        pause();
}

/* ---- Readers ----------------------------------------------------------------------------- */

/* Reads as any other tool does, until it is ended; a wrong content ends it at once. */
static void
read_for_ever(const char *path, const char *right)
{
    for (;;) {
        char content[64];
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n;

        if (fd < 0 && errno == ENOENT)
            continue;
        n = fd < 0 ? -1 : read(fd, content, sizeof(content) - 1);
        close(fd);
        if (n < 0)
            _exit(2);
        content[n] = '\0';
        if (strcmp(content, right) != 0 && strcmp(content, STALE) != 0) {
            fprintf(stderr, "claim: a reader saw '%s'\n", content);
            _exit(1);
        }
    }
}

static void
put_stale(const char *path)
{
    char temp[4096];
    int fd;

    snprintf(temp, sizeof(temp), "%s.other-tool", path);
    fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, STALE, strlen(STALE)) < 0 || close(fd) < 0 || rename(temp, path) < 0)
        die(temp);
}

static int
readers(const char *path, int count)
{
    char right[32];
    pid_t reader;
    int status;

    snprintf(right, sizeof(right), "%d\n", getpid());
    reader = fork();
    if (reader == 0)
        read_for_ever(path, right);
    for (int i = 0; i < count; i++) {
        if (i % 2 == 1)
            put_stale(path);
        if (vortex_pidfile_write(path, NULL) != 0 || vortex_pidfile_remove(path) != 0)
            die("write");
    }
    if (waitpid(reader, &status, WNOHANG) != 0)
        return 1;
    kill(reader, SIGKILL);
    waitpid(reader, &status, 0);
    return 0;
}

/* ---- A forked child ---------------------------------------------------------------------- */

static int
child(const char *path)
{
    struct vortex_lock *lock, *other;
    pid_t pid;
    int status;

    if (vortex_pidfile_write_locked(path, &lock, NULL) != 0)
        die("write_locked");
    pid = fork();
    if (pid == 0) {
        vortex_lock_unlock(lock);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    if (access(path, F_OK) < 0 || vortex_pidfile_lock(path, &other) != -EWOULDBLOCK)
        return 1;
    vortex_lock_unlock(lock);
    return access(path, F_OK) < 0 ? 0 : 1;
}

/* ---- rm ---------------------------------------------------------------------------------- */

struct shared {
    int owners;
    int claims;
    int doubles;
    bool ends;
};

static void
claim_until_the_end(const char *path, struct shared *shared)
{
    while (!__atomic_load_n(&shared->ends, __ATOMIC_SEQ_CST)) {
        struct vortex_lock *lock;
        vortex_pid owner = 0;

        if (vortex_pidfile_write_locked(path, &lock, &owner) != 0) {
            /* Two refused at once, as an rm of the lock can bring about: the files may name one of
               them, who isn't the owner and lives on. It takes its name back. */
            if (owner == getpid())
                (void)vortex_pidfile_remove(path);
            continue;
        }
        if (__atomic_add_fetch(&shared->owners, 1, __ATOMIC_SEQ_CST) != 1)
            __atomic_add_fetch(&shared->doubles, 1, __ATOMIC_SEQ_CST);
        __atomic_add_fetch(&shared->claims, 1, __ATOMIC_SEQ_CST);
        usleep(200);
        __atomic_sub_fetch(&shared->owners, 1, __ATOMIC_SEQ_CST);
        vortex_lock_unlock(lock);
    }
    _exit(0);
}

static void
remove_in_a_loop(const char *path, const char *const *suffixes, const struct shared *shared,
                 int until)
{
    while (__atomic_load_n(&shared->claims, __ATOMIC_SEQ_CST) < until) {
        for (const char *const *s = suffixes; *s != NULL; s++) {
            char name[4096];

            snprintf(name, sizeof(name), "%s%s", path, *s);
            unlink(name);
        }
        usleep((useconds_t)(rand() % 300));
    }
}

static int
removals(const char *path, int count)
{
    static const char *const kinds[][3] = {
        {"", NULL}, {".lock", NULL}, {".state", NULL}, {"", ".state", NULL}};
    struct shared *shared =
        mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pids[CLAIMANTS];

    if (shared == MAP_FAILED)
        die("mmap");
    for (int i = 0; i < CLAIMANTS; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            claim_until_the_end(path, shared);
    }
    for (int i = 0; i < 4; i++)
        remove_in_a_loop(path, kinds[i], shared, (i + 1) * count);
    /* Not by a signal: a killed owner would go on being counted. */
    __atomic_store_n(&shared->ends, true, __ATOMIC_SEQ_CST);
    for (int i = 0; i < CLAIMANTS; i++)
        waitpid(pids[i], NULL, 0);
    if (shared->doubles > 0)
        fprintf(stderr, "claim: two owners in %d of %d claims\n", shared->doubles, shared->claims);
    return shared->doubles > 0;
}

int
main(int argc, char **argv)
{
    int count = argc > 3 ? atoi(argv[3]) : 0;

    if (argc > 2 && strcmp(argv[1], "lease") == 0)
        lease(argv[2]);
    if (argc > 3 && strcmp(argv[1], "readers") == 0)
        return readers(argv[2], count);
    if (argc > 2 && strcmp(argv[1], "child") == 0)
        return child(argv[2]);
    if (argc > 3 && strcmp(argv[1], "removals") == 0)
        return removals(argv[2], count);
    return 2;
}
