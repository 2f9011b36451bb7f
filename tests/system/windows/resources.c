/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Windows reads in a program or library.
 *
 *   resources version FILE NAME       a text of its VERSIONINFO, as ProductVersion
 *   resources manifest FILE
 *   resources message FILE ID TEXT    what the event log shows of that event with that text
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

static int
failed(const char *what)
{
    printf("%s: error %lu\n", what, GetLastError());
    return 1;
}

static int
print_version(const char *file, const char *name)
{
    char data[8192], path[128];
    const char *text;
    UINT length;

    snprintf(path, sizeof(path), "\\StringFileInfo\\040904b0\\%s", name);
    if (!GetFileVersionInfoA(file, 0, sizeof(data), data))
        return failed("version");
    if (!VerQueryValueA(data, path, (void **)&text, &length))
        return failed(name);
    printf("%s\n", text);
    return 0;
}

static int
print_manifest(HMODULE module)
{
    HRSRC found =
        FindResourceA(module, MAKEINTRESOURCEA(1), MAKEINTRESOURCEA(24)); /* RT_MANIFEST */

    if (found == NULL)
        return failed("manifest");
    printf("%.*s\n", (int)SizeofResource(module, found),
           (const char *)LockResource(LoadResource(module, found)));
    return 0;
}

static int
print_message(HMODULE module, const char *id, const char *text)
{
    DWORD_PTR arguments[] = {(DWORD_PTR)text};
    char message[1024];

    if (FormatMessageA(FORMAT_MESSAGE_FROM_HMODULE | FORMAT_MESSAGE_ARGUMENT_ARRAY, module,
                       strtoul(id, NULL, 0), 0, message, sizeof(message), (va_list *)arguments)
        == 0)
        return failed("message");
    fputs(message, stdout);
    return 0;
}

int
main(int argc, char **argv)
{
    HMODULE module;

    if (argc < 3)
        return 2;
    if (strcmp(argv[1], "version") == 0 && argc > 3)
        return print_version(argv[2], argv[3]);
    module = LoadLibraryExA(argv[2], NULL, LOAD_LIBRARY_AS_DATAFILE);
    if (module == NULL)
        return failed("load");
    if (strcmp(argv[1], "message") == 0 && argc > 4)
        return print_message(module, argv[3], argv[4]);
    return print_manifest(module);
}
