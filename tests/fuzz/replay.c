/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Without libFuzzer: the target takes each file of the folders that are named, so that what the
 * fuzzer once found is tried by every compiler.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

#define INPUT_MAX ((size_t)1 << 20)

/* Abort unless it holds; by name, since whoever reads the log wants the file. */
static void
need(bool holds, const char *what, const char *path)
{
    if (holds)
        return;
    fprintf(stderr, "replay: %s %s\n", what, path);
    abort();
}

static void
replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *buf = malloc(INPUT_MAX), *data;
    size_t length;

    need(file && buf, "cannot read", path);
    length = fread(buf, 1, INPUT_MAX, file);
    fclose(file);
    /* Of its own size, so that what is read behind its end is seen. */
    data = malloc(length > 0 ? length : 1);
    need(data, "cannot read", path);
    memcpy(data, buf, length);
    free(buf);
    printf("%s\n", path);
    fflush(stdout);
    LLVMFuzzerTestOneInput(data, length);
    free(data);
}

/* How many files it has. */
static int
replay_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    int count = 0;

    need(dir, "cannot open", folder);
    while ((entry = readdir(dir))) {
        char path[4096];
        struct stat st;

        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
            continue;
        replay_file(path);
        count++;
    }
    closedir(dir);
    return count;
}

int
main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        need(replay_folder(argv[i]) > 0, "there is nothing in", argv[i]);
    return argc > 1 ? 0 : 2;
}
