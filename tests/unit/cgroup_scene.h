/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control groups without a cgroup file system, which few may write to: a folder stands in for it.
 * What a real one does is tried by tests/command/cgroup.sh and tests/system.
 */
#ifndef VORTEX_CGROUP_SCENE_H
#define VORTEX_CGROUP_SCENE_H

#include <stdbool.h>

#include "os/os.h"

struct cgroup_scene {
    char root[OS_PATH_MAX]; /* is mounted as / of the groups */
    char own[OS_PATH_MAX];  /* /proc/self/cgroup */
    char mounts[OS_PATH_MAX];
    bool is_booted;    /* by systemd */
    bool is_other;     /* something else is mounted there */
    bool is_old;       /* Linux before 5.14, where no group is killed as one */
    bool is_deathless; /* who is in a group stays */
    const char *marked_by;
    char mark;
};

extern struct cgroup_scene scene;

/* Our own group is /web.service, and nothing is mounted but the folder. */
int cgroup_scene_setup(void **state);

void write_file(int dir, const char *name, const char *text);

/* Where that group is in the folder, until the next call. */
const char *path_of(const char *group);

/* The group root is seen at that point. */
void set_mount(const char *root, const char *point);

/* A group where nobody is, and those who are there. */
void make_group(const char *group);
void populate(const char *group, const char *pids);
bool is_there(const char *group);

#endif
