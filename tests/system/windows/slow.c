/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server that is ready when the file GO is there: then it makes READY. As soon as EXIT is there it
 * ends with the status that stands in it.
 *
 *   slow DIRECTORY
 */
#include <stdio.h>
#include <windows.h>

#define POLL_MS 20

static BOOL
is_there(const char *name)
{
    return GetFileAttributesA(name) != INVALID_FILE_ATTRIBUTES;
}

static int
read_status(void)
{
    FILE *file = fopen("exit", "r");
    int status = -1;

    if (file == NULL)
        return -1;
    if (fscanf(file, "%d", &status) != 1)
        status = -1;
    fclose(file);
    return status;
}

int
main(int argc, char **argv)
{
    FILE *file;
    int status;

    if (argc < 2 || !SetCurrentDirectoryA(argv[1]))
        return 9;
    while (!is_there("go"))
        Sleep(POLL_MS);
    file = fopen("ready", "w");
    if (file != NULL)
        fclose(file);
    while ((status = read_status()) < 0)
        Sleep(POLL_MS);
    return status;
}
