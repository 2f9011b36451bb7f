/* SPDX-License-Identifier: Apache-2.0 */
/* What else Linux tells of a process: its session, control group, owner, age and memory. */
#include <fcntl.h>
#include <linux/stat.h> /* not sys/stat.h: musl before 1.2.5 has no statx, and later both */
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "os/linux.h"
#include "os/os.h"

#define STAT_SESSION 6
#define NS           1000000000LL

bool
os_process_runs(int64_t pid)
{
    char text[512];
    const char *name_end;

    if (linux_read_proc_of(pid, "stat", text, sizeof(text)) < 0)
        return false;
    name_end = strrchr(text, ')');
    return name_end != NULL && strncmp(name_end, ") R", 3) == 0;
}

/* ---- What people want to know ------------------------------------------------------------ */

/* The path in the line of systemd's hierarchy (v2, or the named v1 one), or empty. */
static void
cgroup_of(int64_t pid, char *buf, size_t size)
{
    static const char systemd[] = ":name=systemd:";
    char text[4096];
    char *save = NULL;

    buf[0] = '\0';
    if (linux_read_proc_of(pid, "cgroup", text, sizeof(text)) < 0)
        return;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        const char *named = strchr(line, ':'); /* a group's own name may hold anything */

        if (named != NULL && strncmp(named, systemd, strlen(systemd)) == 0)
            snprintf(buf, size, "%s", named + strlen(systemd));
        else if (strncmp(line, "0::", 3) == 0 && strlen(line) > strlen("0::/"))
            snprintf(buf, size, "%s", line + 3);
    }
}

/*
 * The service's own group: the path up to its innermost ".service". A session's scope is no
 * service's own: everything that its user started is in there.
 */
static void
cut_to_service(char *cgroup, char *unit, size_t size)
{
    size_t end = 0;

    unit[0] = '\0';
    for (size_t at = 0; cgroup[at] != '\0'; at++) {
        size_t start = at + (cgroup[at] == '/');
        size_t length = strcspn(cgroup + start, "/");

        if (length > 8 && strncmp(cgroup + start + length - 8, ".service", 8) == 0) {
            snprintf(unit, size, "%.*s", (int)length, cgroup + start);
            end = start + length;
        }
        if (length == 0)
            break;
        at = start + length - 1;
    }
    /* user@1000.service is a manager, not a service: what is below it must name its own */
    if (strncmp(unit, "user@", 5) == 0)
        unit[0] = '\0', end = 0;
    cgroup[end] = '\0';
}

int
os_process_belongs(const struct os_hold *hold, int64_t session, const char *cgroup)
{
    size_t length = strlen(cgroup);
    char own[1024];
    uint64_t seen;
    bool same_session, same_group = false;

    same_session = session > 1 && linux_stat_field(hold->pid, STAT_SESSION, &seen) == 0
                   && (int64_t)seen == session;
    if (length > 0) { /* in it, or further below */
        cgroup_of(hold->pid, own, sizeof(own));
        same_group =
            strncmp(own, cgroup, length) == 0 && (own[length] == '\0' || own[length] == '/');
    }
    return (same_session || same_group) && os_process_wait(hold, 0) != 0;
}

static void
name_of(uint32_t uid, char *buf, size_t size)
{
    /* root without a look at all the system's sources of users; the command has one thread */
    // cppcheck-suppress getpwuidCalled
    const struct passwd *pw = uid == 0 ? NULL : getpwuid(uid);

    if (uid == 0)
        snprintf(buf, size, "root");
    else if (pw != NULL)
        snprintf(buf, size, "%s", pw->pw_name);
    else
        snprintf(buf, size, "%u", uid);
}

void
os_self_describe(struct os_process_facts *facts)
{
    *facts = (struct os_process_facts){.memory_bytes = -1};
    cgroup_of(os_self(), facts->cgroup, sizeof(facts->cgroup));
    cut_to_service(facts->cgroup, facts->unit, sizeof(facts->unit));
    if (facts->unit[0] == '\0') /* a unit says more than its user */
        name_of((uint32_t)getuid(), facts->owner, sizeof(facts->owner));
}

int64_t
os_process_age_ms(const struct os_hold *hold)
{
    uint64_t ticks;

    if (linux_stat_field(hold->pid, LINUX_STAT_START, &ticks) < 0)
        return -1;
    return (int64_t)((uint64_t)linux_clock_ns(CLOCK_BOOTTIME) / 1000000
                     - ticks * 1000 / (uint64_t)sysconf(_SC_CLK_TCK));
}

void
os_process_describe(const struct os_hold *hold, struct os_process_facts *facts)
{
    char text[256];
    uint32_t real, saved;
    unsigned long long pages;

    *facts = (struct os_process_facts){.memory_bytes = -1};
    cgroup_of(hold->pid, facts->cgroup, sizeof(facts->cgroup));
    cut_to_service(facts->cgroup, facts->unit, sizeof(facts->unit));
    if (linux_uids_of(hold, &real, &saved) == 0)
        name_of(real, facts->owner, sizeof(facts->owner));
    if (linux_read_proc_of(hold->pid, "statm", text, sizeof(text)) == 0
        && sscanf(text, "%*u %llu", &pages) == 1)
        facts->memory_bytes = (int64_t)(pages * (unsigned long long)sysconf(_SC_PAGESIZE));
}

int64_t
linux_made_ns(int dir, const char *path)
{
    struct statx sx;

    if (syscall(SYS_statx, dir, path, AT_EMPTY_PATH, STATX_BTIME | STATX_MTIME, &sx) < 0)
        return 0;
    if (sx.stx_mask & STATX_BTIME)
        return sx.stx_btime.tv_sec * NS + sx.stx_btime.tv_nsec;
    return sx.stx_mtime.tv_sec * NS + sx.stx_mtime.tv_nsec;
}
