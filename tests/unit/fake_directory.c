/* SPDX-License-Identifier: Apache-2.0 */
/* What os.h does to directories and files. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_machine.h"
#include "fake_os.h"

#define LINKS_MAX 40

static struct machine *const m = &fake_machine;

struct fake_file *
fake_directory(const struct os_dir *dir)
{
    struct fake_file *file = fake_descriptor(dir->handle)->opened->file;

    if (file == NULL || file->kind != FAKE_DIRECTORY)
        fail_msg("not a directory's handle");
    return file;
}

/* ---- The way ----------------------------------------------------------------------------- */

struct walk {
    struct fake_file *at;
    struct os_speaker speaker;
    int links;
    bool led; /* by a link that others could have put there */
    char rest[2 * OS_PATH_MAX];
};

static void
walk_from_root(struct walk *w)
{
    w->at = &m->files[0];
    fake_note_speaker(&w->speaker, w->at);
}

static bool
strays(const struct walk *w)
{
    return w->led && (w->speaker.scope != OS_SPEAKS_FOR_USER || w->speaker.user != w->at->user);
}

static struct fake_file *
parent_of(const struct fake_file *directory)
{
    for (int i = 0; i < ENTRIES_MAX; i++)
        if (m->entries[i].directory != NULL && m->entries[i].file == directory)
            return m->entries[i].directory;
    return &m->files[0];
}

/* The component's file, made where create says so; NULL with an error. */
static struct fake_file *
walk_into(struct walk *w, const char *component, bool create, int *ret_error)
{
    struct fake_file *file = fake_lookup(w->at, component);

    *ret_error = -EACCES;
    if (!fake_may(w->at, 01))
        return NULL;
    if (strcmp(component, "..") == 0)
        return parent_of(w->at);
    *ret_error = -ENOENT;
    if (file != NULL || !create)
        return file;
    *ret_error = -EXDEV;
    if (w->led)
        return NULL;
    *ret_error = -EACCES;
    if (!fake_may(w->at, 02))
        return NULL;
    return fake_new_file(w->at, component, FAKE_DIRECTORY, 0755);
}

static int
walk_step(struct walk *w, const char *component, bool create)
{
    int error;
    struct fake_file *file = walk_into(w, component, create, &error);
    char rest[sizeof(w->rest)];

    if (file == NULL)
        return error;
    if (file->kind != FAKE_DIRECTORY && file->kind != FAKE_SYMLINK)
        return -ENOTDIR;
    fake_note_speaker(&w->speaker, file);
    if (file->kind == FAKE_DIRECTORY) {
        w->at = file;
        return 0;
    }
    w->led |= w->speaker.scope != OS_SPEAKS_FOR_ALL;
    if (++w->links > LINKS_MAX)
        return -ELOOP;
    if (file->length + 1 + strlen(w->rest) >= sizeof(w->rest))
        return -ENAMETOOLONG;
    strcpy(rest, w->rest);
    memcpy(w->rest, file->data, file->length);
    w->rest[file->length] = '/';
    strcpy(w->rest + file->length + 1, rest);
    if (w->rest[0] == '/')
        walk_from_root(w);
    return 0;
}

static int
walk_all(struct walk *w, bool create)
{
    char component[OS_NAME_MAX];
    char rest[sizeof(w->rest)];
    int r = 0;

    walk_from_root(w);
    while (r == 0) {
        size_t skip = strspn(w->rest, "/");
        size_t length = strcspn(w->rest + skip, "/");

        if (length == 0)
            break;
        if (length >= sizeof(component))
            return -ENAMETOOLONG;
        memcpy(component, w->rest + skip, length);
        component[length] = '\0';
        strcpy(rest, w->rest + skip + length);
        strcpy(w->rest, rest);
        if (strcmp(component, ".") != 0)
            r = walk_step(w, component, create);
    }
    return r;
}

/* Walk the first length bytes of a path. */
static int
walk_path(struct walk *w, const char *path, size_t length, bool create)
{
    bool relative = path[0] != '/';

    snprintf(w->rest, sizeof(w->rest), "%s%s%.*s", relative ? m->working_directory : "",
             relative ? "/" : "", (int)length, path);
    return walk_all(w, create);
}

int
os_dir_open(const char *path, bool create, struct os_dir *ret_dir, char *ret_name)
{
    struct walk w = {.links = 0};
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    int r = fake_step(__func__);

    if (r < 0)
        return r;
    if (path[0] == '\0')
        return -ENOENT;
    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return -EISDIR;
    if (strlen(name) >= OS_NAME_MAX || name - path >= OS_PATH_MAX)
        return -ENAMETOOLONG;
    r = walk_path(&w, path, (size_t)(name - path), create);
    if (r < 0)
        return r;
    *ret_dir = (struct os_dir){fake_open(w.at, NULL), w.speaker, strays(&w)};
    strcpy(ret_name, name);
    return 0;
}

void
os_dir_close(struct os_dir *dir)
{
    (void)fake_step(__func__);
    if (dir->handle != OS_NONE)
        fake_close(fake_descriptor(dir->handle));
    dir->handle = OS_NONE;
}

int
os_dir_is_remote(const struct os_dir *dir)
{
    int r = fake_step(__func__);

    return r < 0 ? r : fake_directory(dir)->remote;
}

int
os_dir_names(const char *path, char (**ret_names)[OS_NAME_MAX], size_t *ret_count)
{
    struct walk w = {.links = 0};
    char(*names)[OS_NAME_MAX];
    size_t count = 0;
    int r = fake_step(__func__);

    if (r == 0)
        r = walk_path(&w, path, strlen(path), false);
    if (r < 0)
        return r;
    if (!fake_may(w.at, 04))
        return -EACCES;
    names = calloc(ENTRIES_MAX, sizeof(*names));
    assert_non_null(names);
    for (int i = 0; i < ENTRIES_MAX; i++)
        if (m->entries[i].directory == w.at)
            strcpy(names[count++], m->entries[i].name);
    *ret_names = names;
    *ret_count = count;
    return 0;
}

/* ---- Files ------------------------------------------------------------------------------- */

int
os_file_read(const struct os_dir *dir, const char *name, char *buf, size_t size, size_t *ret_length,
             struct os_file *ret_file)
{
    int r = fake_step(__func__);
    const struct fake_file *file = fake_lookup(fake_directory(dir), name);

    if (r < 0)
        return r;
    if (file == NULL)
        return -ENOENT;
    if (file->kind != FAKE_SYMLINK && !fake_may(file, 04))
        return -EACCES;
    r = fake_judge_kind(file);
    if (r < 0)
        return r;
    if (file->leased)
        return -EAGAIN;
    *ret_length = file->length < size ? file->length : size;
    memcpy(buf, file->data, *ret_length);
    *ret_file = (struct os_file){fake_id(file), dir->speaker, file->written_ns};
    fake_note_speaker(&ret_file->speaker, file);
    return 0;
}

int
os_file_identify(const struct os_dir *dir, const char *name, struct os_file_id *ret_id)
{
    int r = fake_step(__func__);
    const struct fake_file *file = fake_lookup(fake_directory(dir), name);

    if (r < 0)
        return r;
    if (file == NULL)
        return -ENOENT;
    *ret_id = fake_id(file);
    return 0;
}

/* May the directory be changed? */
static int
check_writable(const struct fake_file *directory)
{
    if (!fake_may(directory, 02))
        return -EACCES;
    return directory->links == 0 ? -ENOENT : 0;
}

static int
remove_name(const struct fake_file *directory, const char *name)
{
    const struct fake_file *file = fake_lookup(directory, name);
    int r = check_writable(directory);

    if (file == NULL)
        return -ENOENT;
    if (r < 0)
        return r;
    if (file->kind == FAKE_DIRECTORY && fake_names_in(file) > 0)
        return -EISDIR;
    fake_drop_name(directory, name);
    return 0;
}

int
os_file_create(const struct os_dir *dir, const char *name, const char *data, size_t length,
               unsigned mode, struct os_file_id *ret_id)
{
    int r = fake_step(__func__);
    struct fake_file *directory = fake_directory(dir);
    struct fake_file *file;

    if (r == 0)
        r = check_writable(directory);
    if (r == 0)
        r = remove_name(directory, name);
    if (r < 0 && r != -ENOENT)
        return r;
    if (directory->links == 0)
        return -ENOENT;
    file = fake_new_file(directory, name, FAKE_REGULAR, mode);
    assert_true(length <= sizeof(file->data));
    memcpy(file->data, data, length);
    file->length = length;
    *ret_id = fake_id(file);
    return 0;
}

int
os_file_publish(const struct os_dir *dir, const char *temp, const char *name,
                const struct os_file_id *judged)
{
    int r = fake_step(__func__);
    struct fake_file *directory = fake_directory(dir);
    struct fake_file *file = fake_lookup(directory, name);

    if (r == 0)
        r = check_writable(directory);
    if (r < 0)
        return r;
    if (judged == NULL ? file != NULL
                       : file == NULL || file->inode != judged->inode
                             || file->written_ns != judged->written_ns)
        return -EAGAIN;
    if (fake_lookup(directory, temp) == NULL)
        return judged == NULL ? -ENOENT : -EAGAIN;
    if (judged != NULL) {
        fake_exchange_names(directory, temp, name);
        return 0;
    }
    fake_add_name(directory, name, fake_lookup(directory, temp));
    fake_drop_name(directory, temp);
    return 0;
}

int
os_file_unpublish(const struct os_dir *dir, const char *temp, const char *name,
                  const struct os_file_id *judged)
{
    int r = fake_step(__func__);
    struct fake_file *directory = fake_directory(dir);
    struct fake_file *file = fake_lookup(directory, temp);

    if (r == 0)
        r = check_writable(directory);
    if (r < 0)
        return r;
    if (judged == NULL)
        return remove_name(directory, name);
    if (file == NULL)
        return -ENOENT;
    fake_drop_name(directory, name);
    fake_add_name(directory, name, file);
    fake_drop_name(directory, temp);
    return 0;
}

int
os_file_rename(const struct os_dir *dir, const char *temp, const char *name)
{
    int r = fake_step(__func__);
    struct fake_file *directory = fake_directory(dir);
    struct fake_file *file = fake_lookup(directory, temp);
    const struct fake_file *target = fake_lookup(directory, name);

    if (r == 0)
        r = check_writable(directory);
    if (r < 0)
        return r;
    if (file == NULL)
        return -ENOENT;
    if (target != NULL && target->kind == FAKE_DIRECTORY && file->kind != FAKE_DIRECTORY)
        return -EISDIR;
    fake_drop_name(directory, name);
    fake_add_name(directory, name, file);
    fake_drop_name(directory, temp);
    return 0;
}

int
os_file_remove(const struct os_dir *dir, const char *name)
{
    int r = fake_step(__func__);

    return r < 0 ? r : remove_name(fake_directory(dir), name);
}
