/* SPDX-License-Identifier: Apache-2.0 */
/* A control group (version 2) for a server: made, filled at the fork, killed as one, removed. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "os/linux.h"
#include "os/os.h"
#include "os/posix.h"

#define DEPTH_MAX      16 /* of the groups which a server makes below its own */
#define NO_GROUP_BELOW 2  /* links of a directory without one: its own name and its dot */

/* ---- Where groups are -------------------------------------------------------------------- */

/* Our own group, as /proc/self/cgroup has it: 0; -ENOTSUP there is none, or it is out of sight. */
static int
own_path(char *buf, size_t size)
{
    char text[4096];
    const char *line;
    size_t length;

    if (linux_read_proc_of(os_self(), "cgroup", text, sizeof(text)) < 0)
        return -ENOTSUP;
    line = strncmp(text, "0::/", 4) == 0 ? text : strstr(text, "\n0::/");
    if (line == NULL)
        return -ENOTSUP;
    line = strchr(line, '/');
    length = strcspn(line, "\n");
    if (length >= size || strncmp(line, "/..", 3) == 0)
        return -ENOTSUP;
    memcpy(buf, line, length);
    buf[length] = '\0';
    return 0;
}

/* What is left of a path below a directory of it, with its slash; NULL: it isn't below. */
static const char *
below(const char *path, const char *directory)
{
    size_t length = strcmp(directory, "/") == 0 ? 0 : strlen(directory);

    if (strncmp(path, directory, length) != 0 || (path[length] != '/' && path[length] != '\0'))
        return NULL;
    return path + length;
}

/* One line of mountinfo: into buf where that group is seen by this mount. */
static bool
seen_by(const char *line, const char *group, char *buf, size_t size)
{
    char root[1024], point[1024], *type = strstr(line, " - cgroup2 ");
    const char *rest;

    /* A name with a space is escaped there, and nobody mounts control groups under one. */
    if (type == NULL || sscanf(line, "%*s %*s %*s %1023s %1023s", root, point) != 2)
        return false;
    rest = below(group, root);
    if (rest == NULL)
        return false;
    return snprintf(buf, size, "%s%s", point, rest) < (int)size;
}

static bool
is_cgroup2(int fd)
{
    struct statfs fs;

    return fstatfs(fd, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

/* Open a group by its path: the descriptor; -ENOENT; -ENOTSUP it is mounted nowhere. */
static int
open_group(const char *group)
{
    char line[4096], path[OS_PATH_MAX];
    FILE *mounts = fopen("/proc/self/mountinfo", "re");
    int r = -ENOTSUP;

    while (r < 0 && mounts != NULL && fgets(line, sizeof(line), mounts) != NULL) {
        if (!seen_by(line, group, path, sizeof(path)))
            continue;
        r = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (r < 0) {
            r = -errno;
        } else if (!is_cgroup2(r)) { /* something else is mounted over it */
            close(r);
            r = -ENOTSUP;
        }
    }
    if (mounts != NULL)
        fclose(mounts);
    return r;
}

/* ---- Whose they are ---------------------------------------------------------------------- */

static bool
is_unit(const char *name, size_t length)
{
    static const char *const endings[] = {".service", ".scope", ".slice"};

    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        size_t n = strlen(endings[i]);

        if (length > n && strncmp(name + length - n, endings[i], n) == 0)
            return true;
    }
    return false;
}

static bool
is_marked(int fd)
{
    char value[8];

    return (fgetxattr(fd, "user.delegate", value, sizeof(value)) == 1
            || fgetxattr(fd, "trusted.delegate", value, sizeof(value)) == 1)
           && value[0] == '1';
}

/*
 * systemd alone changes what is below its own groups, but for those that it delegates: where it
 * runs, the innermost unit in our path must be marked.
 */
static bool
is_delegated(const char *group)
{
    char unit[1024] = "";
    bool marked;
    int fd;

    if (access("/run/systemd/system", F_OK) != 0)
        return true;
    for (const char *p = group; *p == '/';) {
        size_t length = strcspn(p + 1, "/");

        if (is_unit(p + 1, length))
            snprintf(unit, sizeof(unit), "%.*s", (int)(p + 1 + length - group), group);
        p += 1 + length;
    }
    fd = unit[0] != '\0' ? open_group(unit) : -1;
    marked = fd >= 0 && is_marked(fd);
    if (fd >= 0)
        close(fd);
    return marked;
}

/* ---- Made and removed -------------------------------------------------------------------- */

static void
// NOLINTNEXTLINE(misc-no-recursion): no deeper than DEPTH_MAX
remove_below(int fd, int depth)
{
    const struct dirent *entry;
    int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = own >= 0 ? fdopendir(own) : NULL;

    if (dir == NULL && own >= 0)
        close(own);
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        int child;

        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        child = depth < DEPTH_MAX
                    ? openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                    : -1;
        if (child >= 0) {
            remove_below(child, depth + 1);
            close(child);
        }
        (void)unlinkat(fd, entry->d_name, AT_REMOVEDIR);
    }
    if (dir != NULL)
        closedir(dir);
}

/* What can't be killed as one (before Linux 5.14) is of no use. */
static int
open_made(int parent, const char *name, struct os_cgroup *ret)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int r;

    if (fd < 0)
        return -errno;
    r = faccessat(fd, "cgroup.kill", W_OK, AT_EACCESS) < 0 ? -errno : 0;
    ret->events = r == 0 ? openat(fd, "cgroup.events", O_RDONLY | O_CLOEXEC) : OS_NONE;
    if (r == 0 && ret->events < 0)
        r = -errno;
    if (r < 0)
        close(fd);
    else
        ret->handle = fd;
    return r;
}

/* A name that a crash left, and that nobody is in, is free again. Somebody is: the next one. */
static int
make_below(int parent, const char *name, char *ret_name, size_t size)
{
    for (int i = 1; i <= 8; i++) {
        snprintf(ret_name, size, i == 1 ? "%s" : "%s.%d", name, i);
        (void)unlinkat(parent, ret_name, AT_REMOVEDIR);
        if (mkdirat(parent, ret_name, 0755) == 0)
            return 0;
        if (errno != EEXIST)
            break;
    }
    return -errno;
}

int
os_cgroup_make(const char *name, struct os_cgroup *ret)
{
    struct os_cgroup cgroup = {.handle = OS_NONE, .events = OS_NONE, .parent = OS_NONE};
    char group[512];
    int parent = -1;
    int r = own_path(group, sizeof(group));

    if (r == 0 && !is_delegated(group))
        r = -EPERM;
    if (r == 0)
        r = parent = open_group(group);
    if (r >= 0)
        r = make_below(parent, name, cgroup.name, sizeof(cgroup.name));
    if (r == 0) {
        r = open_made(parent, cgroup.name, &cgroup);
        if (r < 0)
            (void)unlinkat(parent, cgroup.name, AT_REMOVEDIR);
    }
    if (r < 0) {
        (void)posix_closed(parent);
        return r;
    }
    cgroup.parent = parent;
    snprintf(cgroup.path, sizeof(cgroup.path), "%s/%s", strcmp(group, "/") == 0 ? "" : group,
             cgroup.name);
    *ret = cgroup;
    return 0;
}

int
os_cgroup_kill(const struct os_cgroup *cgroup)
{
    int fd, r = 0;

    if (cgroup->handle == OS_NONE)
        return 0;
    fd = openat((int)cgroup->handle, "cgroup.kill", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (write(fd, "1", 1) != 1)
        r = -errno;
    close(fd);
    return r;
}

bool
os_cgroup_is_populated(const struct os_cgroup *cgroup)
{
    char text[256];
    ssize_t n = -1;

    if (cgroup->handle != OS_NONE)
        n = pread((int)cgroup->events, text, sizeof(text) - 1, 0);
    if (n < 0)
        return false;
    text[n] = '\0';
    return strstr(text, "populated 1") != NULL;
}

/* Its parent stays open. */
static void
remove_made(struct os_cgroup *cgroup)
{
    struct stat st;

    if (cgroup->handle == OS_NONE)
        return;
    if (fstat((int)cgroup->handle, &st) < 0 || st.st_nlink != NO_GROUP_BELOW)
        remove_below((int)cgroup->handle, 0);
    (void)unlinkat((int)cgroup->parent, cgroup->name, AT_REMOVEDIR);
    cgroup->handle = posix_closed(cgroup->handle);
    cgroup->events = posix_closed(cgroup->events);
}

int
os_cgroup_renew(struct os_cgroup *cgroup)
{
    int r;

    remove_made(cgroup);
    r = mkdirat((int)cgroup->parent, cgroup->name, 0755) < 0 ? -errno : 0;
    if (r == 0) {
        r = open_made((int)cgroup->parent, cgroup->name, cgroup);
        if (r < 0)
            (void)unlinkat((int)cgroup->parent, cgroup->name, AT_REMOVEDIR);
    }
    if (r < 0)
        cgroup->parent = posix_closed(cgroup->parent);
    return r;
}

void
os_cgroup_remove(struct os_cgroup *cgroup)
{
    remove_made(cgroup);
    cgroup->parent = posix_closed(cgroup->parent);
}

/* ---- Somebody's who is dead -------------------------------------------------------------- */

/* How many are in it, without those further below. */
static int
count_in(const struct os_cgroup *cgroup)
{
    int fd = openat((int)cgroup->handle, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    FILE *file = fd >= 0 ? fdopen(fd, "re") : NULL;
    int c, count = 0;

    if (file == NULL) {
        (void)posix_closed(fd);
        return 0;
    }
    while ((c = fgetc(file)) != EOF)
        count += c == '\n';
    fclose(file);
    return count;
}

static int
open_left(const char *path, struct os_cgroup *ret)
{
    const char *slash = strrchr(path, '/');
    char parent[sizeof(ret->path)];
    int r;

    *ret = (struct os_cgroup){.handle = OS_NONE, .events = OS_NONE, .parent = OS_NONE};
    if (slash == NULL || strlen(path) >= sizeof(parent))
        return -ENOENT;
    snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path);
    snprintf(ret->name, sizeof(ret->name), "%s", slash + 1);
    r = open_group(parent[0] != '\0' ? parent : "/");
    if (r < 0)
        return -ENOENT;
    ret->parent = r;
    return open_made((int)ret->parent, ret->name, ret);
}

void
os_cgroup_discard(const char *path)
{
    struct os_cgroup cgroup;

    (void)open_left(path, &cgroup);
    os_cgroup_remove(&cgroup);
}

int
os_cgroup_end(const char *path, int timeout_ms)
{
    struct os_cgroup cgroup;
    int64_t end = os_monotonic_ms() + timeout_ms;
    int count = 0, r = open_left(path, &cgroup);

    if (r == 0 && os_cgroup_is_populated(&cgroup)) {
        struct os_source change = {.handle = cgroup.events, .wants_change = true};

        count = count_in(&cgroup);
        r = os_cgroup_kill(&cgroup);
        while (r == 0 && os_cgroup_is_populated(&cgroup) && os_monotonic_ms() < end)
            (void)os_wait(&change, 1, end);
        if (r == 0 && os_cgroup_is_populated(&cgroup))
            r = -ETIMEDOUT;
    }
    os_cgroup_remove(&cgroup);
    return r < 0 && r != -ENOENT ? r : count;
}
