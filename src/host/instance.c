/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/host.h"

bool
instance_name_is_valid(const char *name)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789._-@";

    return name[0] != '\0' && name[0] != '.' && name[strspn(name, allowed)] == '\0'
           && strlen(name) + strlen(".pid") + TEMPORARY_MAX <= OS_NAME_MAX;
}

typedef int directory_finder(char *buf, size_t size);

/* What was said, else the file of that name in its directory; in place of what *path was. */
static int
choose(char **path, const char *said, directory_finder *find, const char *name, const char *suffix)
{
    char directory[OS_PATH_MAX], text[OS_PATH_MAX];
    int r = said == NULL ? find(directory, sizeof(directory)) : 0;
    int n = 0;

    if (r < 0)
        return r;
    if (said != NULL)
        n = snprintf(text, sizeof(text), "%s", said);
    else
        n = snprintf(text, sizeof(text), "%s/%s%s", directory, name, suffix);
    if (n < 0 || n >= (int)sizeof(text))
        return -ENAMETOOLONG;
    free(*path);
    *path = words_copy(text);
    return *path != NULL ? 0 : -ENOMEM;
}

/* The command line, then the configuration, then the runtime directory. */
static int
choose_pidfile(struct instance *in, const char *pidfile)
{
    return choose(&in->pidfile, pidfile != NULL ? pidfile : in->config.pidfile,
                  os_runtime_directory, in->name, ".pid");
}

int
instance_load(const char *name, const char *config_path, const char *pidfile, struct instance *ret,
              struct config_mistakes *ret_mistakes)
{
    struct instance *in = ret;
    int r;

    in->has_config = false;
    in->pidfile = in->config_path = NULL;
    *ret_mistakes = (struct config_mistakes){NULL, 0};
    config_init(&in->config);
    snprintf(in->name, sizeof(in->name), "%s", name);
    r = choose(&in->config_path, config_path, os_config_directory, name, ".conf");
    if (r == 0) /* for %p, should the configuration not say otherwise */
        r = choose_pidfile(in, pidfile);
    if (r < 0)
        return r;
    /* The most common case without stdio: it costs a start as much as ten system calls. */
    r = config_path == NULL ? os_path_check(in->config_path) : 0;
    if (r != -ENOENT)
        r = config_read(&in->config, in->config_path, name, in->pidfile, pidfile != NULL,
                        ret_mistakes);
    in->has_config = r == 0;
    if (r == -ENOENT && config_path == NULL)
        r = 0;
    return r < 0 ? r : choose_pidfile(in, pidfile);
}

void
instance_free(struct instance *instance)
{
    config_free(&instance->config);
    free(instance->pidfile);
    free(instance->config_path);
    instance->pidfile = instance->config_path = NULL;
}

/* ---- All of them ------------------------------------------------------------------------- */

/* The instance of a file's name: what stands before .pid, .pid.lock or .pid.state. */
static bool
cut_to_instance(char *file)
{
    static const char *const suffixes[] = {".pid", ".pid.lock", ".pid.state"};
    size_t length = strlen(file);

    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        size_t suffix = strlen(suffixes[i]);

        if (length > suffix && strcmp(file + length - suffix, suffixes[i]) == 0) {
            file[length - suffix] = '\0';
            return instance_name_is_valid(file);
        }
    }
    return false;
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
sort_and_unify(char **names, size_t count)
{
    size_t kept = 0;

    if (count > 0)
        qsort(names, count, sizeof(*names), by_name);
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && strcmp(names[kept - 1], names[i]) == 0)
            free(names[i]);
        else
            names[kept++] = names[i];
    }
    names[kept] = NULL;
}

static int
collect_names(char (*files)[OS_NAME_MAX], size_t count, char ***ret_names)
{
    char **names = calloc(count + 1, sizeof(*names));
    size_t found = 0;

    if (names == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        if (!cut_to_instance(files[i]))
            continue;
        names[found] = malloc(OS_NAME_MAX);
        if (names[found] == NULL) {
            words_free(names);
            return -ENOMEM;
        }
        memcpy(names[found++], files[i], OS_NAME_MAX);
    }
    sort_and_unify(names, found);
    *ret_names = names;
    return 0;
}

int
instance_list(char *ret_directory, char ***ret_names)
{
    char(*files)[OS_NAME_MAX] = NULL;
    size_t count = 0;
    int r = os_runtime_directory(ret_directory, OS_PATH_MAX);

    if (r == 0)
        r = os_dir_names(ret_directory, &files, &count);
    if (r < 0 && r != -ENOENT) /* no directory: nothing was ever started */
        return r;
    r = collect_names(files, count, ret_names);
    free(files);
    return r;
}
