/* SPDX-License-Identifier: Apache-2.0 */
/* The way to a directory, and to whom it belongs; the same on all Unixes. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/os.h"
#include "os/posix.h"

/* ---- Trust ------------------------------------------------------------------------------- */

static void
speaker_add(struct os_speaker *speaker, uint32_t user)
{
    if (speaker->scope == OS_SPEAKS_FOR_ALL)
        *speaker = (struct os_speaker){OS_SPEAKS_FOR_USER, user};
    else if (speaker->user != user)
        speaker->scope = OS_SPEAKS_FOR_NOBODY;
}

/*
 * Who could have made this what it is. The asker's own files are spared the question about the
 * group: with a umask of 002 a user's files are writable by a group that is the user's own.
 */
void
posix_note_speaker(struct os_speaker *speaker, const struct stat *st)
{
    uid_t me = geteuid();
    mode_t others = (me != 0 && st->st_uid == me) ? S_IWOTH : S_IWGRP | S_IWOTH;
    bool sticky = S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX);

    if (st->st_uid != 0 && st->st_uid != me)
        speaker_add(speaker, st->st_uid);
    if (!S_ISLNK(st->st_mode) && (st->st_mode & others) && !sticky)
        speaker->scope = OS_SPEAKS_FOR_NOBODY;
}

/* ---- Directories ------------------------------------------------------------------------- */

struct walk {
    int fd;
    uid_t owner; /* of the directory that fd is */
    int links;
    bool led; /* by a symbolic link that others could have put there */
    struct os_speaker speaker;
    char rest[2 * OS_PATH_MAX]; /* what is still to be walked */
};

static int
walk_from_root(struct walk *w)
{
    struct stat st;
    int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) == 0)
        posix_note_speaker(&w->speaker, &st);
    w->owner = 0;
    w->fd = (int)posix_closed(w->fd);
    w->fd = fd;
    return 0;
}

/* A user's link may lead to what is that user's. Elsewhere it would have us change, as root, what its
   owner could not. */
static bool
strays(const struct walk *w)
{
    return w->led && (w->speaker.scope != OS_SPEAKS_FOR_USER || w->owner != (uid_t)w->speaker.user);
}

/* Put a symbolic link's target in front of the rest. */
static int
walk_link(struct walk *w, const char *component)
{
    char target[OS_PATH_MAX];
    ssize_t length = readlinkat(w->fd, component, target, sizeof(target) - 1);
    size_t rest = strlen(w->rest);

    if (length < 0)
        return -errno;
    if (++w->links > POSIX_LINKS_MAX)
        return -ELOOP;
    if ((size_t)length + 1 + rest >= sizeof(w->rest))
        return -ENAMETOOLONG;
    memmove(w->rest + length + 1, w->rest, rest + 1);
    memcpy(w->rest, target, (size_t)length);
    w->rest[length] = '/';
    return w->rest[0] == '/' ? walk_from_root(w) : 0;
}

/* Mode 0755 whatever the umask, where nobody can have put something else in its place. */
static int
make_component(const struct walk *w, const char *component)
{
    int fd;

    if (w->led)
        return -EXDEV;
    if (mkdirat(w->fd, component, 0755) < 0)
        return errno == EEXIST ? 0 : -errno;
    if (w->speaker.scope != OS_SPEAKS_FOR_ALL)
        return 0;
    fd = openat(w->fd, component, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0) {
        (void)fchmod(fd, 0755);
        close(fd);
    }
    return 0;
}

static int
open_component(const struct walk *w, const char *component, bool create)
{
    int fd = openat(w->fd, component, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    int r;

    if (fd >= 0 || errno != ENOENT || !create)
        return fd < 0 ? -errno : fd;
    r = make_component(w, component);
    if (r < 0)
        return r;
    fd = openat(w->fd, component, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int
walk_step(struct walk *w, const char *component, bool create)
{
    struct stat st;
    int fd = open_component(w, component, create);
    int r = 0;

    if (fd < 0)
        return fd;
    if (fstat(fd, &st) < 0)
        r = -errno;
    else if (!S_ISLNK(st.st_mode) && !S_ISDIR(st.st_mode))
        r = -ENOTDIR;
    if (r < 0) {
        close(fd);
        return r;
    }
    posix_note_speaker(&w->speaker, &st);
    if (S_ISLNK(st.st_mode)) {
        close(fd);
        w->led |= w->speaker.scope != OS_SPEAKS_FOR_ALL;
        return walk_link(w, component);
    }
    close(w->fd);
    w->fd = fd;
    w->owner = st.st_uid;
    return 0;
}

static int
walk_all(struct walk *w, bool create)
{
    int r = walk_from_root(w);

    while (r == 0) {
        char component[OS_NAME_MAX];
        size_t skip = strspn(w->rest, "/");
        size_t length = strcspn(w->rest + skip, "/");

        if (length == 0)
            break;
        if (length >= sizeof(component))
            return -ENAMETOOLONG;
        memcpy(component, w->rest + skip, length);
        component[length] = '\0';
        memmove(w->rest, w->rest + skip + length, strlen(w->rest + skip + length) + 1);
        if (strcmp(component, ".") != 0)
            r = walk_step(w, component, create);
    }
    return r;
}

/* The absolute path of the directory: even a relative one has owners above it. */
static int
start_of_walk(const char *path, size_t length, char *buf, size_t size)
{
    size_t base = 0;

    if (path[0] != '/') {
        if (getcwd(buf, OS_PATH_MAX) == NULL)
            return -errno;
        base = strlen(buf);
        buf[base++] = '/';
    }
    if (length >= OS_PATH_MAX || base + length >= size)
        return -ENAMETOOLONG;
    memcpy(buf + base, path, length);
    buf[base + length] = '\0';
    return 0;
}

int
os_dir_open(const char *path, bool create, struct os_dir *ret_dir, char *ret_name)
{
    struct walk w; /* not cleared: most of its pages are never touched */
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    int r;

    if (path[0] == '\0')
        return -ENOENT;
    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return -EISDIR;
    if (strlen(name) >= OS_NAME_MAX)
        return -ENAMETOOLONG;
    w.fd = (int)OS_NONE;
    w.links = 0;
    w.led = false;
    w.speaker = (struct os_speaker){OS_SPEAKS_FOR_ALL, 0};
    r = start_of_walk(path, (size_t)(name - path), w.rest, sizeof(w.rest));
    if (r == 0)
        r = walk_all(&w, create);
    if (r < 0) {
        posix_closed(w.fd);
        return r;
    }
    *ret_dir = (struct os_dir){w.fd, w.speaker, strays(&w)};
    memcpy(ret_name, name, strlen(name) + 1);
    return 0;
}

void
os_dir_close(struct os_dir *dir)
{
    dir->handle = posix_closed(dir->handle);
}

int
os_dir_names(const char *path, char (**ret_names)[OS_NAME_MAX], size_t *ret_count)
{
    char(*names)[OS_NAME_MAX] = NULL;
    size_t count = 0;
    DIR *stream = opendir(path);
    struct dirent *entry;
    int r = 0;

    if (stream == NULL)
        return -errno;
    while ((entry = readdir(stream)) != NULL) {
        char(*more)[OS_NAME_MAX];

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        more = realloc(names, (count + 1) * sizeof(*names));
        if (more == NULL) {
            r = -ENOMEM;
            break;
        }
        names = more;
        snprintf(names[count++], OS_NAME_MAX, "%s", entry->d_name);
    }
    closedir(stream);
    if (r < 0) {
        free(names);
        return r;
    }
    *ret_names = names;
    *ret_count = count;
    return 0;
}

static int
copy_regular(char *const *found, size_t count, char **paths)
{
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(found[i]) + 1;
        struct stat st;

        if (stat(found[i], &st) < 0 || !S_ISREG(st.st_mode))
            continue;
        *paths = malloc(size);
        if (*paths == NULL)
            return -ENOMEM;
        memcpy(*paths++, found[i], size);
    }
    return 0;
}

int
os_glob(const char *pattern, char ***ret_paths)
{
    glob_t found;
    char **paths;
    int r = glob(pattern, 0, NULL, &found);

    if (r != 0)
        return r == GLOB_NOSPACE ? -ENOMEM : -ENOENT;
    paths = calloc(found.gl_pathc + 1, sizeof(*paths));
    r = paths == NULL ? -ENOMEM : copy_regular(found.gl_pathv, found.gl_pathc, paths);
    globfree(&found);
    if (r == 0 && paths[0] == NULL)
        r = -ENOENT;
    if (r == 0) {
        *ret_paths = paths;
        return 0;
    }
    for (size_t i = 0; paths != NULL && paths[i] != NULL; i++)
        free(paths[i]);
    free(paths);
    return r;
}

int
os_stream_open(const char *path, FILE **ret_stream)
{
    FILE *stream = fopen(path, "rbe");

    if (stream == NULL)
        return -errno;
    *ret_stream = stream;
    return 0;
}

/* ---- Names ------------------------------------------------------------------------------- */

bool
os_path_is_absolute(const char *path)
{
    return path[0] == '/';
}

int
os_config_directory(char *buf, size_t size)
{
    int n = snprintf(buf, size, "%s", CONFIG_DIRECTORY);

    return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

int
os_runtime_directory(char *buf, size_t size)
{
    /* systemd's word for the unit's RuntimeDirectory=; the first of several. */
    const char *given = getenv("RUNTIME_DIRECTORY");
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    int n;

    if (given != NULL && given[0] == '/')
        n = snprintf(buf, size, "%.*s", (int)strcspn(given, ":"), given);
    else if (geteuid() == 0)
        n = snprintf(buf, size, "/run/vortex");
    else if (state != NULL && state[0] == '/')
        n = snprintf(buf, size, "%s/vortex", state);
    else if (home != NULL && home[0] == '/')
        n = snprintf(buf, size, "%s/.local/state/vortex", home);
    else
        return -ENOENT;
    return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}
