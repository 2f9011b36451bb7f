/* SPDX-License-Identifier: Apache-2.0 */
/* A file system in memory: what tests do to it. What os.h does to it is in fake_directory.c. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_machine.h"
#include "fake_os.h"

static struct machine *const m = &fake_machine;

/* ---- Names ------------------------------------------------------------------------------- */

static struct entry *
find_entry(const struct fake_file *directory, const char *name)
{
    for (int i = 0; i < ENTRIES_MAX; i++) {
        struct entry *entry = &m->entries[i];

        if (entry->directory != NULL && entry->directory == directory
            && strcmp(entry->name, name) == 0)
            return entry;
    }
    return NULL;
}

struct fake_file *
fake_lookup(const struct fake_file *directory, const char *name)
{
    const struct entry *entry = find_entry(directory, name);

    return entry == NULL ? NULL : entry->file;
}

void
fake_add_name(struct fake_file *directory, const char *name, struct fake_file *file)
{
    for (int i = 0; i < ENTRIES_MAX; i++) {
        struct entry *entry = &m->entries[i];

        if (entry->directory != NULL)
            continue;
        entry->directory = directory;
        entry->file = file;
        strcpy(entry->name, name);
        file->links++;
        return;
    }
    fail_msg("too many names");
}

void
fake_drop_name(const struct fake_file *directory, const char *name)
{
    struct entry *entry = find_entry(directory, name);

    if (entry == NULL)
        return;
    entry->directory = NULL;
    if (--entry->file->links == 0 && entry->file->opened == 0)
        entry->file->kind = 0;
}

void
fake_exchange_names(const struct fake_file *directory, const char *one, const char *other)
{
    struct entry *a = find_entry(directory, one), *b = find_entry(directory, other);
    struct fake_file *file = a->file;

    a->file = b->file;
    b->file = file;
}

unsigned
fake_names_in(const struct fake_file *directory)
{
    unsigned count = 0;

    for (int i = 0; i < ENTRIES_MAX; i++)
        count += m->entries[i].directory == directory;
    return count;
}

/* ---- Files ------------------------------------------------------------------------------- */

struct fake_file *
fake_new_file(struct fake_file *directory, const char *name, enum fake_kind kind, unsigned mode)
{
    for (int i = 0; i < FILES_MAX; i++) {
        struct fake_file *file = &m->files[i];

        if (file->kind != 0)
            continue;
        *file = (struct fake_file){.kind = kind,
                                   .mode = mode,
                                   .user = m->current->user,
                                   .inode = (uint64_t)(FIRST_INODE + i),
                                   .written_ns = m->wall_ns};
        if (directory != NULL)
            fake_add_name(directory, name, file);
        else
            file->links = 1; /* the root */
        return file;
    }
    fail_msg("too many files");
    return NULL;
}

struct os_file_id
fake_id(const struct fake_file *file)
{
    return (struct os_file_id){1, file->inode, file->written_ns};
}

/* The directory and the last component of a test's path, which is absolute and short. */
static struct fake_file *
parent_of(const char *path, const char **ret_name)
{
    const char *slash = strrchr(path, '/');
    char directory[OS_NAME_MAX];
    struct fake_file *parent = &m->files[0];

    assert_non_null(slash);
    assert_true(slash - path < OS_NAME_MAX);
    memcpy(directory, path, (size_t)(slash - path));
    directory[slash - path] = '\0';
    *ret_name = slash + 1;
    for (char *name = strtok(directory, "/"); name != NULL; name = strtok(NULL, "/"))
        parent = fake_lookup(parent, name);
    return parent;
}

struct fake_file *
fake_find(const char *path)
{
    const char *name;
    const struct fake_file *parent = parent_of(path, &name);

    if (name[0] == '\0')
        return &m->files[0];
    return parent == NULL ? NULL : fake_lookup(parent, name);
}

void
fake_write(struct fake_file *file, const char *content)
{
    size_t length = strlen(content);

    assert_true(length <= sizeof(file->data));
    memcpy(file->data, content, length);
    file->length = length;
    file->written_ns = m->wall_ns;
}

struct fake_file *
fake_make(const char *path, enum fake_kind kind, const char *content)
{
    const char *name;
    struct fake_file *parent = parent_of(path, &name);
    struct fake_file *file;

    assert_non_null(parent);
    /* The new one first, as by a rename: so it is another one by its number, too. */
    file = fake_new_file(parent, "", kind, kind == FAKE_DIRECTORY ? 0755 : 0644);
    fake_drop_name(parent, name);
    fake_add_name(parent, name, file);
    fake_drop_name(parent, "");
    if (content != NULL)
        fake_write(file, content);
    return file;
}

void
fake_link(const char *path, const char *second)
{
    const char *name;
    struct fake_file *file = fake_find(path);
    struct fake_file *parent = parent_of(second, &name);

    assert_non_null(file);
    fake_add_name(parent, name, file);
}

void
fake_remove(const char *path)
{
    const char *name;
    const struct fake_file *parent = parent_of(path, &name);

    if (parent != NULL)
        fake_drop_name(parent, name);
}

bool
fake_holds(const char *path, const char *text)
{
    const struct fake_file *file = fake_find(path);

    return file != NULL && file->length == strlen(text)
           && memcmp(file->data, text, file->length) == 0;
}

unsigned
fake_count(const char *directory)
{
    const struct fake_file *file = fake_find(directory);

    return file == NULL ? 0 : fake_names_in(file);
}

void
fake_chdir(const char *path)
{
    assert_non_null(fake_find(path));
    strcpy(m->working_directory, path);
}

/* ---- Who may, and who speaks ------------------------------------------------------------- */

bool
fake_may(const struct fake_file *file, unsigned bits)
{
    unsigned granted = m->current->user == file->user ? file->mode >> 6 : file->mode;

    return m->current->user == 0 || (granted & bits) == bits;
}

int
fake_judge_kind(const struct fake_file *file)
{
    if (file->kind == FAKE_SYMLINK)
        return -ELOOP;
    if (file->kind == FAKE_DIRECTORY)
        return -EISDIR;
    if (file->kind != FAKE_REGULAR)
        return -EMEDIUMTYPE;
    return file->links > 1 ? -EMLINK : 0;
}

void
fake_note_speaker(struct os_speaker *speaker, const struct fake_file *file)
{
    uint32_t asker = m->current->user;
    unsigned writers = asker != 0 && file->user == asker ? 02 : 022;
    bool sticky = file->kind == FAKE_DIRECTORY && (file->mode & 01000) != 0;
    bool foreign = file->user != 0 && file->user != asker;

    if (foreign && speaker->scope == OS_SPEAKS_FOR_ALL)
        *speaker = (struct os_speaker){OS_SPEAKS_FOR_USER, file->user};
    else if (foreign && speaker->user != file->user)
        speaker->scope = OS_SPEAKS_FOR_NOBODY;
    if (file->kind != FAKE_SYMLINK && (file->mode & writers) != 0 && !sticky)
        speaker->scope = OS_SPEAKS_FOR_NOBODY;
}
