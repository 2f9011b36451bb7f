/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file descriptor store: what a server gave us to keep, by FDSTORE=1, reaches the next one that
 * we start; and goes up to a service manager, which keeps it for the next one of us.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/supervisor.h"
#include "lib/core.h"

int
store_open(struct supervisor *s)
{
    size_t max = (size_t)s->instance->config.store_max;
    struct store *store = &s->store;

    if (max == 0)
        return 0;
    store->handles = calloc(max, sizeof(*store->handles));
    store->names = calloc(max, sizeof(*store->names));
    if (store->handles == NULL || store->names == NULL)
        return -ENOMEM;
    store->max = max;
    return os_watch_open(&store->watch);
}

static void
drop(struct store *store, size_t i)
{
    os_watch_remove(store->watch, store->handles[i]);
    (void)os_handle_close(store->handles[i]);
    free(store->names[i]);
    store->count--;
    for (; i < store->count; i++) { /* the others keep their order */
        store->handles[i] = store->handles[i + 1];
        store->names[i] = store->names[i + 1];
    }
}

void
store_drop_dead(struct supervisor *s)
{
    struct store *store = &s->store;
    intptr_t dead;

    while ((dead = os_watch_next(store->watch)) != OS_NONE)
        for (size_t i = store->count; i-- > 0;)
            if (store->handles[i] == dead)
                drop(store, i);
}

/* It is ours to close, or to keep. */
static void
keep(struct supervisor *s, intptr_t handle, const struct stored_word *word)
{
    struct store *store = &s->store;
    char *name = NULL;

    for (size_t i = 0; i < store->count; i++)
        if (os_handle_is_same(store->handles[i], handle))
            goto out;
    if (store->count == store->max && store->max > 0) /* it may be told of the dead only next */
        store_drop_dead(s);
    if (store->count == store->max || (name = malloc(strlen(word->name) + 1)) == NULL)
        goto out;
    memcpy(name, word->name, strlen(word->name) + 1);
    if (!word->is_unwatched && os_watch_add(store->watch, handle) < 0)
        goto out;
    store->handles[store->count] = handle;
    store->names[store->count++] = name;
    return;
out:
    free(name);
    (void)os_handle_close(handle);
}

void
store_name(struct stored_word *word, const char *name)
{
    if (notify_is_descriptor_name(name))
        snprintf(word->name, sizeof(word->name), "%s", name);
}

static void
pass_up(struct supervisor *s, const struct stored_word *word, intptr_t handle)
{
    char text[STORED_NAME_MAX + 64];

    snprintf(text, sizeof(text), "%s%s%s%s", word->removes ? "FDSTOREREMOVE=1" : "FDSTORE=1",
             word->name[0] != '\0' ? "\nFDNAME=" : "", word->name,
             word->is_unwatched ? "\nFDPOLL=0" : "");
    manager_pass_on(s, text, handle);
}

void
store_take(struct supervisor *s, struct stored_word *word, struct os_handles *handles)
{
    struct store *store = &s->store;

    if (word->removes && word->name[0] != '\0') {
        pass_up(s, word, OS_NONE);
        for (size_t i = store->count; i-- > 0;)
            if (strcmp(store->names[i], word->name) == 0)
                drop(store, i);
    }
    for (size_t i = 0; i < handles->count; i++) {
        if (!word->stores || word->removes) {
            (void)os_handle_close(handles->list[i]);
            continue;
        }
        pass_up(s, word, handles->list[i]);
        if (word->name[0] == '\0')
            store_name(word, "stored");
        keep(s, handles->list[i], word);
    }
    handles->count = 0;
}

void
store_close(struct supervisor *s)
{
    struct store *store = &s->store;

    while (store->count > 0)
        drop(store, store->count - 1);
    store->watch = os_handle_close(store->watch);
    free(store->handles);
    free((void *)store->names);
    *store = (struct store){.watch = OS_NONE};
}
