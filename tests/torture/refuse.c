/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refuse locks|flags|pidfds COMMAND ARG...: run a command to which is refused
 *   locks   every lock of a file, by ENOLCK, as a file server does without its lock daemon; asking
 *           who holds one included
 *   flags   every rename with flags, by EINVAL, as a file system does that knows none
 *   pidfds  every pidfd, by EPERM, as a container's seccomp profile of 2019 does
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOAD(field)                                                                                \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offsetof(struct seccomp_data, field))
#define IF(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no))
#define DO(what)           BPF_STMT(BPF_RET | BPF_K, (what))
#define COUNT(array)       (sizeof(array) / sizeof((array)[0]))

int
main(int argc, char **argv)
{
    struct sock_filter locks[] = {
        LOAD(nr),
        IF(SYS_flock, 5, 0),
        IF(SYS_fcntl, 0, 5),
        LOAD(args[1]), /* the low half, where numbers are little-endian */
        IF(F_OFD_SETLK, 2, 0),
        IF(F_OFD_SETLKW, 1, 0),
        IF(F_OFD_GETLK, 0, 1),
        DO(SECCOMP_RET_ERRNO | ENOLCK),
        DO(SECCOMP_RET_ALLOW),
    };
    /* It would make columns of them. */
    /* clang-format off */
    struct sock_filter flags[] = {
        LOAD(nr),
        IF(SYS_renameat2, 0, 3),
        LOAD(args[4]),
        IF(0, 1, 0),
        DO(SECCOMP_RET_ERRNO | EINVAL),
        DO(SECCOMP_RET_ALLOW),
    };
    struct sock_filter pidfds[] = {
        LOAD(nr),
        IF(SYS_pidfd_open, 0, 1),
        DO(SECCOMP_RET_ERRNO | EPERM),
        DO(SECCOMP_RET_ALLOW),
    };
    /* clang-format on */
    const struct {
        const char *name;
        struct sock_fprog program;
    } kinds[] = {
        {"locks", {COUNT(locks), locks}},
        {"flags", {COUNT(flags), flags}},
        {"pidfds", {COUNT(pidfds), pidfds}},
    };
    size_t kind = 0;

    while (argc > 2 && kind < COUNT(kinds) && strcmp(argv[1], kinds[kind].name) != 0)
        kind++;
    if (argc < 3 || kind == COUNT(kinds))
        return 2;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0
        || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &kinds[kind].program) < 0) {
        perror("refuse: seccomp");
        return 111;
    }
    execvp(argv[2], argv + 2);
    return 127;
}
