/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a machine tells: /proc, the environment, systemctl. The first byte chooses the reader;
 * whatever they are told, they say what a second reading of it says.
 */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fuzz.h"
#include "host/service.h"
#include "os/linux.h"

#define PID    4711
#define NUMBER "([0-9]{1,9})"

/* ---- The machine, by the linker's --wrap ---------------------------------------------------- */

/* What a C library calls them where files may be large. */
int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_openat64(int dir, const char *name, int flags, ...);
int __wrap_fstatat64(int dir, const char *name, struct stat *ret, int flags);
FILE *__real_fopen64(const char *path, const char *mode);
FILE *__wrap_fopen64(const char *path, const char *mode);
DIR *__real_opendir(const char *path);
DIR *__wrap_opendir(const char *path);
struct passwd *__wrap_getpwuid(uid_t uid);
pid_t __real_getpid(void);
pid_t __wrap_getpid(void);
int __wrap_access(const char *path, int mode);
int __wrap_os_path_check(const char *path);
int __wrap_os_run(const char *const *argv, char *buf, size_t size);

static struct {
    const char *text; /* of each file in /proc */
    size_t length;
    const char *mounts; /* of mountinfo */
    const char *group;  /* which is looked for in there */
    bool is_real;       /* the machine is that which is */
} machine = {.is_real = true};

/* A descriptor of the text. */
static int
open_text(void)
{
    static int file = -1;

    if (file < 0)
        file = memfd_create("fuzz", MFD_CLOEXEC);
    assert(file >= 0 && ftruncate(file, 0) == 0);
    assert(pwrite(file, machine.text, machine.length, 0) == (ssize_t)machine.length);
    assert(lseek(file, 0, SEEK_SET) == 0);
    return dup(file);
}

/*
 * A directory of control groups: by one mount, whose root is a part of the group's path, so that
 * what is left of the path stands below its place. None is there.
 */
static void
check_asked(const char *path)
{
    for (const char *rest = machine.group; rest; rest = *rest ? strchr(rest + 1, '/') : NULL) {
        size_t below = strlen(rest), length = strlen(path);
        char *place;
        bool is_mounted;

        if (length < below || strcmp(path + length - below, rest) != 0)
            continue;
        place = strndup(path, length - below);
        assert(place);
        is_mounted = strstr(machine.mounts, place) != NULL;
        free(place);
        if (is_mounted)
            return;
        if (*rest != '\0' && !strchr(rest + 1, '/'))
            rest += strlen(rest) - 1; /* at last nothing is left of it */
    }
    assert(strstr(machine.mounts, path));
}

int
__wrap_open64(const char *path, int flags, ...)
{
    if (machine.is_real)
        return __real_open64(path, flags, 0);
    if (strncmp(path, "/proc/", strlen("/proc/")) == 0 && !(flags & O_DIRECTORY))
        return open_text();
    if (machine.mounts)
        check_asked(path);
    errno = ENOENT;
    return -1;
}

int
__wrap_openat64(int dir, const char *name, int flags, ...)
{
    assert(dir >= 0 && *name >= '0' && *name <= '9' && !(flags & O_CREAT));
    return open_text();
}

int
__wrap_fstatat64(int dir, const char *name, struct stat *ret, int flags)
{
    (void)dir;
    assert(strcmp(name, "lock") == 0 && flags == AT_SYMLINK_NOFOLLOW);
    *ret = (struct stat){.st_ino = PID, .st_dev = makedev(0xfe, 0)};
    return 0;
}

FILE *
__wrap_fopen64(const char *path, const char *mode)
{
    static char nothing[] = "\n";

    if (machine.is_real || strcmp(path, "/proc/self/mountinfo") != 0)
        return __real_fopen64(path, mode);
    if (!machine.mounts || *machine.mounts == '\0')
        return fmemopen(nothing, 1, "r");
    return fmemopen((char *)(uintptr_t)machine.mounts, strlen(machine.mounts), "r");
}

/* There is one process: this one. */
DIR *
__wrap_opendir(const char *path)
{
    bool is_known = strcmp(path, "/proc") == 0 || strcmp(path, "/proc/4711/task") == 0;

    return __real_opendir(is_known && !machine.is_real ? "/proc/self/task" : path);
}

struct passwd *
__wrap_getpwuid(uid_t uid)
{
    (void)uid;
    return NULL;
}

pid_t
__wrap_getpid(void)
{
    return machine.is_real ? __real_getpid() : PID;
}

/* To control groups, systemd doesn't run here: it would ask for another group. */
int
__wrap_access(const char *path, int mode)
{
    assert(strcmp(path, "/run/systemd/system") == 0 && mode == F_OK);
    return -1;
}

/* To all others it does. */
int
__wrap_os_path_check(const char *path)
{
    assert(strcmp(path, "/run/systemd/system") == 0);
    return 0;
}

/* ---- systemctl, which is told what to do ---------------------------------------------------- */

static struct {
    bool is_mute;  /* what it is asked fails */
    bool is_stuck; /* and what it is to change */
    unsigned changes;
} systemctl;

int
__wrap_os_run(const char *const *argv, char *buf, size_t size)
{
    const char *verb = strcmp(argv[0], "env") == 0 ? argv[4] : argv[2];
    bool asks = strcmp(verb, "show") == 0 || strcmp(verb, "is-enabled") == 0;

    systemctl.changes += !asks;
    if (buf)
        snprintf(buf, size, "%s", machine.text);
    return asks ? systemctl.is_mute : systemctl.is_stuck;
}

/* ---- A second reading ----------------------------------------------------------------------- */

/* The parts of the text that the expression finds first. */
static bool
find(const char *expression, const char *text, regmatch_t *matches, size_t count)
{
    static struct {
        const char *text;
        regex_t regex;
    } known[8];
    size_t i = 0;

    while (known[i].text && known[i].text != expression)
        assert(++i < sizeof known / sizeof *known);
    if (!known[i].text)
        assert(regcomp(&known[i].regex, expression, REG_EXTENDED | REG_NEWLINE) == 0);
    known[i].text = expression;
    return regexec(&known[i].regex, text, count, matches, 0) == 0;
}

static uint64_t
number_at(const char *text, const regmatch_t *match)
{
    return strtoull(text + match->rm_so, NULL, 10);
}

/* This very process; false: valgrind has no pidfd. */
static bool
hold_self(struct os_hold *ret)
{
    static intptr_t handle = OS_NONE;

    if (handle == OS_NONE)
        handle = (intptr_t)syscall(SYS_pidfd_open, __real_getpid(), 0);
    assert(handle >= 0 || errno == ENOSYS);
    *ret = (struct os_hold){PID, handle};
    return handle >= 0;
}

/* ---- /proc ---------------------------------------------------------------------------------- */

static void
fuzz_stat(char *text)
{
    static const char expression[] = "^[0-9]+ \\(.*\\) ([A-Za-z]) " NUMBER " " NUMBER " " NUMBER;
    regmatch_t match[5];
    uint64_t parent = 0, session = 0, start;
    bool runs = os_process_runs(PID), is_line;
    int r = linux_stat_field(PID, 4, &parent);

    assert(r == 0 || r == -ENODATA);
    assert(linux_stat_field(PID, 6, &session) == 0 || session == 0);
    (void)linux_stat_field(PID, LINUX_STAT_START, &start);
    /* As the kernel writes it: one line, and one bracket behind the name. */
    is_line = strlen(text) < 500 && find(expression, text, match, 5) && match[0].rm_so == 0
              && !strchr(text + match[1].rm_so, ')');
    if (!is_line)
        return;
    assert(r == 0 && parent == number_at(text, &match[2]));
    assert(session == number_at(text, &match[4]));
    assert(runs == (text[match[1].rm_so] == 'R'));
}

static void
fuzz_status(char *text)
{
    static const char expression[] =
        "^Uid:[\t ]*" NUMBER "[\t ]+" NUMBER "[\t ]+" NUMBER "([^0-9]|$)";
    struct os_hold hold;
    struct os_speaker speaker = {OS_SPEAKS_FOR_USER, 1000};
    uint32_t real = 0, saved = 0;
    regmatch_t match[5];
    int r, is_of;

    if (!hold_self(&hold))
        return;
    r = linux_uids_of(&hold, &real, &saved);
    is_of = os_process_is_of(&hold, &speaker);
    assert(r == 0 || r == -ENODATA);
    assert(is_of == (r < 0 ? r : real == 1000 && saved == 1000));
    /* The first line is the name's, and one alone is of users. */
    if (strlen(text) < 2000 && find(expression, text, match, 5) && match[0].rm_so > 0
        && strstr(text, "\nUid:") == text + match[0].rm_so - 1) {
        assert(r == 0 && real == number_at(text, &match[1]));
        assert(saved == number_at(text, &match[3]));
    }
}

/* The path of systemd's hierarchy in a line; NULL: it is another's. */
static const char *
path_in(const char *line)
{
    const char *first = strchr(line, ':'), *second = first ? strchr(first + 1, ':') : NULL;

    if (!second)
        return NULL;
    if (second - first == (ptrdiff_t)strlen(":name=systemd")
        && strncmp(first, ":name=systemd", strlen(":name=systemd")) == 0)
        return second + 1;
    return strncmp(line, "0::", 3) == 0 && strlen(line) > strlen("0::/") ? line + 3 : NULL;
}

/* As long as up to its last part that is a service's; 0: none is, or a user's manager's. */
static size_t
service_length(const char *path)
{
    for (size_t end = strlen(path); end > 0;) {
        size_t begin = end;

        while (begin > 0 && path[begin - 1] != '/')
            begin--;
        if (end - begin > 8 && strncmp(path + end - 8, ".service", 8) == 0)
            return strncmp(path + begin, "user@", 5) == 0 ? 0 : end;
        end = begin > 0 ? begin - 1 : 0;
    }
    return 0;
}

static void
fuzz_cgroup(char *text)
{
    struct os_hold hold;
    struct os_process_facts facts;
    char path[1024] = "", *save = NULL;
    size_t length;

    if (!hold_self(&hold))
        return;
    os_process_describe(&hold, &facts);
    assert(os_process_belongs(&hold, 0, "/system.slice/web.service") >= 0);
    if (strlen(text) >= 4000)
        return;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        if (path_in(line))
            snprintf(path, sizeof path, "%s", path_in(line));
    length = strstr(path, "//") ? strlen(facts.cgroup) : service_length(path);
    assert(strlen(facts.cgroup) == length && strncmp(facts.cgroup, path, length) == 0);
    assert((length == 0) == (*facts.unit == '\0'));
    for (size_t i = 0; *facts.unit && i < strlen(facts.unit); i++)
        assert(facts.unit[i] != '/');
    for (const char *c = facts.owner; *c; c++)
        assert(*c >= '0');
}

/* The group's path stands behind a NUL, and mountinfo before it. */
static void
fuzz_mounts(char *text)
{
    struct os_cgroup cgroup;
    char *group = text + strlen(text);
    char own[1024];

    if (group < machine.text + machine.length)
        group++;
    machine.mounts = text;
    snprintf(own, sizeof own, "0::%s\n", group);
    machine.group = group;
    if (*group == '/' && strlen(group) < 500 && !strchr(group, '\n') && !strstr(group, "//")) {
        char *parent = strdup(group);

        assert(parent);
        *strrchr(parent, '/') = '\0';
        machine.group = *parent ? parent : "/";
        (void)os_cgroup_end(group, 0); /* asks for the group above it */
        machine.group = group;
        machine.text = own;
        machine.length = strlen(own);
        assert(os_cgroup_make("vortex-web", &cgroup) < 0);
        free(parent);
    }
}

static void
fuzz_locks(char *text)
{
    static const char expression[] =
        "^lock:\t[0-9]{1,5}: FLOCK  ADVISORY  (READ|WRITE) -?[0-9]{1,9} fe:00:4711 0 EOF$";
    const struct os_dir dir = {.handle = STDIN_FILENO};
    int64_t pids[4] = {0};
    regmatch_t match[2];
    int count = os_lock_holders(&dir, "lock", pids, 4);

    assert(count >= 0 && count <= 4);
    for (int i = 0; i < count; i++)
        assert(pids[i] > 0);
    assert(count == 0 || (strstr(text, "lock:") && strstr(text, "FLOCK") && strstr(text, "4711")));
    if (strlen(text) < 2000 && find(expression, text, match, 2))
        assert(count > 0);
}

static void
fuzz_children(char *text)
{
    bool is_childless = os_is_childless(PID);

    if (*text < '0' || *text > '9')
        assert(is_childless);
    else if (strtoll(text, NULL, 10) != PID)
        assert(!is_childless);
}

/* ---- The environment ------------------------------------------------------------------------ */

/* A decimal number, at most max; or -1. */
static int64_t
decimal(const char *text, uint64_t max)
{
    uint64_t number;

    if (!text || *text == '\0' || strspn(text, "0123456789") != strlen(text))
        return -1;
    errno = 0;
    number = strtoull(text, NULL, 10);
    return errno == 0 && number <= max ? (int64_t)number : -1;
}

static void
check_manager(const char *socket, const char *fd, const char *usec, bool is_ours)
{
    struct os_manager manager;
    int64_t number = decimal(fd, 65535), watchdog = decimal(usec, INT64_MAX);
    bool is_open = number > 2 && fcntl((int)number, F_GETFD) >= 0;

    assert(os_watchdog_ms() == (is_ours && watchdog > 0 ? watchdog / 1000 : 0));
    os_manager_take(&manager);
    assert(manager.watchdog_ms == (is_ours && watchdog > 0 ? watchdog / 1000 : 0));
    assert(manager.newline == (is_open ? (intptr_t)number : OS_NONE));
    if (socket && strlen(socket) < sizeof manager.address)
        assert(strcmp(manager.address, socket) == 0);
    else
        assert(*manager.address == '\0');
    /* No child takes it for its own. */
    assert(!getenv("NOTIFY_SOCKET") && !getenv("WATCHDOG_USEC") && !getenv("WATCHDOG_PID"));
    assert(!is_open || !getenv("NOTIFY_FD"));
}

static void
fuzz_environment(char *text)
{
    static const char *const names[] = {"LISTEN_FDS", "LISTEN_PID",    "NOTIFY_SOCKET",
                                        "NOTIFY_FD",  "WATCHDOG_USEC", "WATCHDOG_PID"};
    const char *values[6] = {NULL}, *end = machine.text + machine.length, *at = text;
    int64_t fds;
    bool is_ours;

    for (size_t i = 0; i < 6; i++) {
        (void)unsetenv(names[i]);
        if (at >= end)
            continue;
        values[i] = at;
        assert(setenv(names[i], at, 1) == 0);
        at += strlen(at) + 1;
    }
    fds = decimal(values[1], UINT32_MAX - 1) == PID ? decimal(values[0], 1023) : 0;
    assert(os_listen_fds() == (fds > 0 ? fds : 0));
    is_ours = !values[5] || decimal(values[5], UINT32_MAX - 1) == PID;
    check_manager(values[2], values[3], values[4], is_ours);
}

/* ---- systemctl ------------------------------------------------------------------------------ */

static void
check_service(void)
{
    struct service_state state = {.is_installed = false};
    char how[1024] = "";
    int r = systemd_ask("web", &state, how, sizeof how);

    assert(systemctl.changes == 0);
    assert(r == 0 || (r == -ENOTCONN && *how != '\0'));
    if (r < 0)
        return;
    assert(!state.is_running || *state.word != '\0');
    assert(strlen(state.word) < sizeof state.word && !strchr(state.word, '\n'));
    assert(strstr(state.title, "vortex@web.service"));
    r = systemd_install("web", how, sizeof how);
    assert(r == (systemctl.changes == 0 ? r : systemctl.is_stuck)
           && (r < 0 || systemctl.changes == 1));
    assert(*how != '\0' && !strchr(how, '\n'));
    systemctl.changes = 0;
    r = systemd_uninstall("web", how, sizeof how);
    assert(systemctl.changes == (state.is_automatic || state.is_running));
    assert(*how != '\0' && !strchr(how, '\n'));
}

static void
fuzz_systemctl(char *text)
{
    struct status status = {.pid = PID, .manager = "systemd unit web.service"};
    struct manager_unit unit;
    char *end;
    bool is_named = strtoll(text, &end, 10) == PID && *end == '\n' && !systemctl.is_mute, is_main;

    /* Where it is within a unit, that is this text's, which names none. */
    if (strstr(text, "0::") || strstr(text, ":name="))
        return;
    is_main = manager_unit_of(&status, "stop", &unit);
    assert(!is_main || is_named);
    assert(is_main || !is_named || strlen(text) > 20); /* of which the end isn't read */
    assert(!is_main || (strcmp(unit.name, "web.service") == 0 && !unit.is_users));
    assert(manager_unit_enabled("web", &unit) == !systemctl.is_mute);
    check_service();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const readers[])(char *text) = {fuzz_stat,        fuzz_status,   fuzz_cgroup,
                                                  fuzz_mounts,      fuzz_locks,    fuzz_children,
                                                  fuzz_environment, fuzz_systemctl};
    char *text;

    if (size == 0)
        return 0;
    text = fuzz_text(data + 1, size - 1);
    memset(&systemctl, 0, sizeof systemctl);
    systemctl.is_mute = data[0] & 8;
    systemctl.is_stuck = data[0] & 16;
    memset(&machine, 0, sizeof machine);
    machine.text = text;
    machine.length = size - 1;
    readers[data[0] % 8](text);
    machine.is_real = true;
    free(text);
    return 0;
}
