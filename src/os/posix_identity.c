/* SPDX-License-Identifier: Apache-2.0 */
/* Users and groups: the same on all Unixes. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/os.h"
#include "os/posix.h"

/* A launch happens in one thread: plain getpwnam and its kin do. */

bool
posix_decimal(const char *text, unsigned long *ret)
{
    char *end;

    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    *ret = strtoul(text, &end, 10);
    return *end == '\0' && errno == 0 && *ret < UINT32_MAX;
}

static int
find_user(const char *user, struct posix_who *who)
{
    unsigned long number;
    // cppcheck-suppress getpwnamCalled
    struct passwd *pw = getpwnam(user);

    if (pw == NULL && posix_decimal(user, &number))
        // cppcheck-suppress getpwuidCalled
        pw = getpwuid((uid_t)number);
    if (pw == NULL)
        return -ENOENT;
    who->uid = pw->pw_uid;
    who->gid = pw->pw_gid;
    snprintf(who->name, sizeof(who->name), "%s", pw->pw_name);
    who->home = pw->pw_dir;
    who->shell = pw->pw_shell;
    return 0;
}

bool
os_speaks_for(const struct os_speaker *speaker, const char *user)
{
    struct posix_who who = {.uid = getuid()};

    if (speaker->scope != OS_SPEAKS_FOR_USER)
        return speaker->scope == OS_SPEAKS_FOR_ALL;
    return (user == NULL || find_user(user, &who) == 0) && who.uid == speaker->user;
}

static int
find_group(const char *group, gid_t *ret)
{
    unsigned long number;
    // cppcheck-suppress getgrnamCalled
    struct group *gr = getgrnam(group);

    if (gr == NULL && posix_decimal(group, &number)) {
        *ret = (gid_t)number;
        return 0;
    }
    if (gr == NULL)
        return -ENOENT;
    *ret = gr->gr_gid;
    return 0;
}

/* Those of the user, and then the launch's own. */
static int
list_groups(const struct os_launch *l, struct posix_who *who, enum os_stage *ret_stage)
{
    int count = 0;
    size_t more = 0;

    while (l->groups != NULL && l->groups[more] != NULL)
        more++;
    *ret_stage = OS_STAGE_GROUPS;
    if (who->name[0] != '\0')
        (void)getgrouplist(who->name, who->gid, NULL, &count);
    who->groups = calloc((size_t)count + more + 1, sizeof(*who->groups));
    if (who->groups == NULL)
        return -ENOMEM;
    if (count > 0 && getgrouplist(who->name, who->gid, who->groups, &count) < 0)
        return -EAGAIN; /* they became more just now */
    for (size_t i = 0; i < more; i++) {
        int r = find_group(l->groups[i], &who->groups[(size_t)count + i]);

        *ret_stage = (enum os_stage)(OS_STAGE_NO_GROUP + i);
        if (r < 0)
            return r;
    }
    who->group_count = (size_t)count + more;
    return 0;
}

int
posix_who_find(const struct os_launch *l, struct posix_who *ret, enum os_stage *ret_stage)
{
    struct posix_who *who = ret;
    int r = 0;

    *who = (struct posix_who){.uid = geteuid(), .gid = getegid()};
    *ret_stage = OS_STAGE_USER;
    if (l->user != NULL && (r = find_user(l->user, who)) < 0)
        return r;
    *ret_stage = OS_STAGE_GROUP;
    if (l->group != NULL && (r = find_group(l->group, &who->gid)) < 0)
        return r;
    who->changes = l->groups != NULL || who->uid != geteuid() || who->gid != getegid();
    if (who->changes && (r = list_groups(l, who, ret_stage)) < 0) {
        free(who->groups);
        who->groups = NULL;
    }
    return r;
}

/*
 * The saved user id stays root's until the exec, which sets it from the effective one: so the
 * privileges are gone with the exec, and come back where it fails.
 */
int
posix_become(const struct os_launch *l, const struct posix_who *who, enum os_stage *ret_stage)
{
    if (!who->changes)
        return 0;
    *ret_stage = l->groups != NULL ? OS_STAGE_GROUPS : OS_STAGE_IDENTITY;
    if (setgroups(who->group_count, who->groups) < 0)
        return -errno;
    *ret_stage = OS_STAGE_IDENTITY;
    if (setresgid(who->gid, who->gid, who->gid) < 0)
        return -errno;
    if (setresuid(who->uid, who->uid, geteuid()) < 0)
        return -errno;
    return 0;
}

void
posix_regain(void)
{
    uid_t real, effective, saved;

    if (getresuid(&real, &effective, &saved) == 0 && saved != effective)
        (void)!setresuid(saved, saved, saved);
}
