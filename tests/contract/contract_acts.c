/* SPDX-License-Identifier: Apache-2.0 */
/* What children of the contract do with locks: without asserting. */
#include "contract.h"

int
act_nothing(const char *name)
{
    (void)name;
    return 0;
}

int
act_self(const char *name)
{
    (void)name;
    return (int)os_self();
}

/* The child's lock, which it keeps. */
static int
child_opens(const char *name, struct os_lock *ret_lock)
{
    struct os_dir dir;
    char leaf[OS_NAME_MAX];
    int r = os_dir_open(scene_path(name), false, &dir, leaf);

    if (r < 0)
        return r;
    r = os_lock_open(&dir, leaf, true, ret_lock, NULL);
    os_dir_close(&dir);
    return r;
}

int
act_open_lock(const char *name)
{
    struct os_lock lock;

    return child_opens(name, &lock);
}

int
act_claim(const char *name)
{
    struct os_lock lock;
    int r = child_opens(name, &lock);

    return r < 0 ? r : os_lock_claim(&lock);
}

int
act_take(const char *name)
{
    struct os_lock lock;
    int r = child_opens(name, &lock);

    return r < 0 ? r : os_lock_take(&lock);
}

int
act_take_to_pass_on(const char *name)
{
    struct os_lock lock;
    int r = child_opens(name, &lock);

    if (r == 0)
        r = os_lock_take(&lock);
    if (r == 0)
        r = os_lock_pass_on(&lock, true);
    return r;
}

int
act_take_and_change_its_mind(const char *name)
{
    struct os_lock lock;
    int r = child_opens(name, &lock);

    if (r == 0)
        r = os_lock_take(&lock);
    if (r == 0)
        r = os_lock_pass_on(&lock, true);
    if (r == 0)
        r = os_lock_pass_on(&lock, false);
    return r;
}

int
act_ask(const char *name)
{
    struct os_dir dir;
    char leaf[OS_NAME_MAX];
    int r = os_dir_open(scene_path(name), false, &dir, leaf);

    if (r < 0)
        return r;
    r = os_lock_ask(&dir, leaf);
    os_dir_close(&dir);
    return r;
}

static int
child_adopts(const char *name, struct os_lock *ret_lock)
{
    struct os_dir dir;
    struct os_file_id id;
    char leaf[OS_NAME_MAX];
    int r = os_dir_open(scene_path(name), false, &dir, leaf);

    if (r < 0)
        return r;
    r = os_file_identify(&dir, leaf, &id);
    os_dir_close(&dir);
    return r < 0 ? r : os_lock_adopt(id, ret_lock);
}

int
act_adopt(const char *name)
{
    struct os_lock lock;

    return child_adopts(name, &lock);
}

int
act_adopt_twice(const char *name)
{
    struct os_lock lock;
    int r = child_adopts(name, &lock);

    return r < 0 ? r : child_adopts(name, &lock);
}

int
act_adopt_and_close(const char *name)
{
    struct os_lock lock;
    int r = child_adopts(name, &lock);

    if (r == 0)
        os_lock_close(&lock);
    return r;
}

scene_act *const contract_acts[] = {
    act_nothing, act_self,  act_open_lock,   act_claim,           act_take,
    act_ask,     act_adopt, act_adopt_twice, act_adopt_and_close, NULL,
};
