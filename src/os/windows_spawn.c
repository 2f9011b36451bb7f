/* SPDX-License-Identifier: Apache-2.0 */
/* Start a program: its command line, its environment, its handles, its job. */
#include "os/windows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND_MAX 32767 /* CreateProcess takes no more */
#define HANDLES_MAX 5

/* ---- Which program ------------------------------------------------------------------------ */

static bool
is_batch(const WCHAR *path)
{
    size_t length = wcslen(path);

    return length > 4
           && (_wcsicmp(path + length - 4, L".bat") == 0
               || _wcsicmp(path + length - 4, L".cmd") == 0);
}

/* Never in the working directory, which anybody may have chosen. */
static int
search(const WCHAR *name, WCHAR *buf, size_t size)
{
    static const WCHAR *const endings[] = {L".exe", L".com", L".cmd", L".bat"};
    WCHAR *path = malloc(COMMAND_MAX * sizeof(*path));
    DWORD n = 0;

    if (path == NULL)
        return -ENOMEM;
    if (GetEnvironmentVariableW(L"PATH", path, COMMAND_MAX) > 0)
        for (size_t i = 0; n == 0 && i < sizeof(endings) / sizeof(endings[0]); i++)
            n = SearchPathW(path, name, endings[i], (DWORD)size, buf, NULL);
    free(path);
    if (n == 0)
        return -ENOENT;
    return n < size ? 0 : -ENAMETOOLONG;
}

int
windows_find_program(const char *name, WCHAR *buf, size_t size)
{
    WCHAR wide[WIDE_PATH_MAX];
    DWORD attributes;
    int r;

    if (strpbrk(name, "/\\:") == NULL) {
        r = windows_wide(name, wide, WIDE_PATH_MAX);
        return r < 0 ? r : search(wide, buf, size);
    }
    r = windows_path(name, buf, size);
    if (r < 0)
        return r;
    attributes = GetFileAttributesW(buf);
    if (attributes == INVALID_FILE_ATTRIBUTES && windows_last_error() == -ENOENT
        && wcslen(buf) + 5 < size)
        attributes = GetFileAttributesW(wcscat(buf, L".exe"));
    if (attributes == INVALID_FILE_ATTRIBUTES)
        return windows_last_error();
    return attributes & FILE_ATTRIBUTE_DIRECTORY ? -EACCES : 0;
}

/* ---- The command line --------------------------------------------------------------------- */

struct line {
    WCHAR *text; /* COMMAND_MAX + 1 */
    size_t length;
    int error;
};

static void
put(struct line *line, WCHAR c, size_t count)
{
    for (; count > 0 && line->error == 0; count--) {
        if (line->length >= COMMAND_MAX)
            line->error = -E2BIG;
        else
            line->text[line->length++] = c;
    }
}

/* As the C run time of the program takes it apart again: a backslash is one, but before a quote. */
static void
put_quoted(struct line *line, const WCHAR *word)
{
    size_t slashes = 0;

    put(line, L'"', 1);
    for (; *word != L'\0'; word++) {
        if (*word == L'"')
            put(line, L'\\', slashes + 1);
        slashes = *word == L'\\' ? slashes + 1 : 0;
        put(line, *word, 1);
    }
    put(line, L'\\', slashes);
    put(line, L'"', 1);
}

static void
put_argument(struct line *line, const WCHAR *word)
{
    if (*word != L'\0' && wcspbrk(word, L" \t\n\v\"") == NULL)
        for (; *word != L'\0'; word++)
            put(line, *word, 1);
    else
        put_quoted(line, word);
}

/* The shell of a batch file would read more into these, and quotes don't keep it from that. */
static bool
is_safe_for_batch(const WCHAR *word)
{
    return wcspbrk(word, L"\"%!^&|<>\r\n") == NULL;
}

static void
put_arguments(struct line *line, const char *const *argv, bool batch)
{
    WCHAR *word = malloc((COMMAND_MAX + 1) * sizeof(*word));

    if (word == NULL)
        line->error = -ENOMEM;
    for (; *argv != NULL && line->error == 0; argv++) {
        line->error = windows_wide(*argv, word, COMMAND_MAX + 1);
        if (line->error == 0 && batch && !is_safe_for_batch(word))
            line->error = -EINVAL;
        put(line, L' ', 1);
        if (batch)
            put_quoted(line, word);
        else
            put_argument(line, word);
    }
    free(word);
}

/* program: what is executed; a batch file is, by the system's shell. */
int
windows_command_line(const char *const *argv, WCHAR *program, size_t size, WCHAR **ret_line)
{
    struct line line = {malloc((COMMAND_MAX + 1) * sizeof(WCHAR)), 0, 0};
    bool batch = is_batch(program);

    if (line.text == NULL)
        return -ENOMEM;
    if (batch) {
        for (const WCHAR *p = L"cmd.exe /d /s /c \""; *p != L'\0'; p++)
            put(&line, *p, 1);
        put_quoted(&line, wcsncmp(program, L"\\\\?\\", 4) == 0 ? program + 4 : program);
        if (GetSystemDirectoryW(program, (UINT)size - 8) == 0)
            line.error = windows_last_error();
        wcscat(program, L"\\cmd.exe");
    } else {
        put_quoted(&line, program);
    }
    put_arguments(&line, argv + 1, batch);
    if (batch)
        put(&line, L'"', 1);
    if (line.error < 0) {
        free(line.text);
        return line.error;
    }
    line.text[line.length] = L'\0';
    *ret_line = line.text;
    return 0;
}

/* ---- Handles ------------------------------------------------------------------------------ */

static int
open_null(DWORD access, HANDLE *ret)
{
    SECURITY_ATTRIBUTES security = {sizeof(security), NULL, TRUE};

    *ret = CreateFileW(L"NUL", access, FILE_SHARE_READ | FILE_SHARE_WRITE, &security, OPEN_EXISTING,
                       0, NULL);
    return *ret == INVALID_HANDLE_VALUE ? windows_last_error() : 0;
}

static int
open_output(const char *path, HANDLE *ret)
{
    struct os_log log;
    int r = os_log_open(path, NULL, &log);

    if (r < 0)
        return r;
    r = windows_duplicate((HANDLE)log.handle, true, ret);
    os_log_close(&log);
    return r;
}

/* One of the three: as said, else as the launch says, else ours, else nowhere. */
static int
open_stream(const struct windows_spawn *spawn, int number, HANDLE *ret)
{
    static const DWORD ids[] = {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE};
    const struct os_launch *launch = spawn->launch;
    DWORD access = number == 0 ? GENERIC_READ : GENERIC_WRITE;
    HANDLE ours = GetStdHandle(ids[number]);

    if (spawn->streams[number] != NULL)
        return windows_duplicate(spawn->streams[number], true, ret);
    if (number > 0 && launch->output != NULL)
        return open_output(launch->output, ret);
    if ((number == 0 ? launch->no_input : launch->no_output) || ours == NULL
        || ours == INVALID_HANDLE_VALUE || windows_duplicate(ours, true, ret) < 0)
        return open_null(access, ret);
    return 0;
}

/* ---- The start ---------------------------------------------------------------------------- */

static DWORD
priority_of(int nice)
{
    if (nice == OS_NICE_KEEP)
        return 0;
    if (nice <= -5)
        return nice <= -15 ? HIGH_PRIORITY_CLASS : ABOVE_NORMAL_PRIORITY_CLASS;
    if (nice < 5)
        return NORMAL_PRIORITY_CLASS;
    return nice < 15 ? BELOW_NORMAL_PRIORITY_CLASS : IDLE_PRIORITY_CLASS;
}

/* The working directory can't have the prefix of long paths. */
static int
plain_directory(const char *directory, WCHAR *buf, size_t size)
{
    int r = windows_path(directory, buf, size);

    if (r == 0 && wcsncmp(buf, L"\\\\?\\UNC\\", 8) != 0 && wcsncmp(buf, L"\\\\?\\", 4) == 0)
        memmove(buf, buf + 4, (wcslen(buf + 4) + 1) * sizeof(*buf));
    return r;
}

/* Only these handles are inherited, whatever else is inheritable at that moment. */
static int
create(const struct windows_spawn *spawn, WCHAR *program, WCHAR *line, WCHAR *block,
       STARTUPINFOEXW *startup, PROCESS_INFORMATION *ret)
{
    DWORD flags = CREATE_SUSPENDED | CREATE_UNICODE_ENVIRONMENT | EXTENDED_STARTUPINFO_PRESENT
                  | spawn->flags | priority_of(spawn->launch->nice);
    HANDLE handles[HANDLES_MAX];
    WCHAR directory[WIDE_PATH_MAX];
    bool has_directory = spawn->launch->directory != NULL;
    SIZE_T size = 0, count = 0;
    int r = has_directory ? plain_directory(spawn->launch->directory, directory, WIDE_PATH_MAX) : 0;

    if (r < 0)
        return r;
    handles[count++] = startup->StartupInfo.hStdInput;
    handles[count++] = startup->StartupInfo.hStdOutput;
    handles[count++] = startup->StartupInfo.hStdError;
    for (size_t i = 0; i < sizeof(spawn->also) / sizeof(spawn->also[0]); i++)
        if (spawn->also[i] != NULL)
            handles[count++] = spawn->also[i];
    (void)InitializeProcThreadAttributeList(NULL, 1, 0, &size);
    startup->lpAttributeList = malloc(size);
    if (startup->lpAttributeList == NULL)
        return -ENOMEM;
    if (!InitializeProcThreadAttributeList(startup->lpAttributeList, 1, 0, &size)
        || !UpdateProcThreadAttribute(startup->lpAttributeList, 0,
                                      PROC_THREAD_ATTRIBUTE_HANDLE_LIST, handles,
                                      count * sizeof(handles[0]), NULL, NULL)
        || !CreateProcessW(program, line, NULL, NULL, TRUE, flags, block,
                           has_directory ? directory : NULL, &startup->StartupInfo, ret))
        r = windows_last_error();
    free(startup->lpAttributeList);
    return r;
}

/* What only a process that is there can be given. */
static int
settle(const struct windows_spawn *spawn, PROCESS_INFORMATION *process)
{
    const struct os_cpus *cpus = spawn->launch->cpus;

    if (spawn->job != NULL && !AssignProcessToJobObject(spawn->job, process->hProcess))
        return windows_last_error();
    if (cpus != NULL && !SetProcessAffinityMask(process->hProcess, (DWORD_PTR)cpus->bits[0]))
        return windows_last_error();
    return 0;
}

static int
start(const struct windows_spawn *spawn, STARTUPINFOEXW *startup, PROCESS_INFORMATION *ret)
{
    WCHAR *line = NULL, *block = NULL;
    WCHAR program[WIDE_PATH_MAX];
    PROCESS_INFORMATION process = {0};
    int r = windows_find_program(spawn->launch->argv[0], program, WIDE_PATH_MAX);

    if (r == 0)
        r = windows_command_line(spawn->launch->argv, program, WIDE_PATH_MAX, &line);
    if (r == 0)
        r = windows_environment_new(spawn->launch->env, &block);
    if (r == 0)
        r = create(spawn, program, line, block, startup, &process);
    free(line);
    free(block);
    if (r < 0)
        return r;
    r = settle(spawn, &process);
    if (r < 0) {
        (void)TerminateProcess(process.hProcess, WINDOWS_KILLED);
        CloseHandle(process.hThread);
        CloseHandle(process.hProcess);
        return r;
    }
    *ret = process;
    return 0;
}

int
windows_spawn(const struct windows_spawn *spawn, PROCESS_INFORMATION *ret)
{
    STARTUPINFOEXW startup = {
        .StartupInfo = {.cb = sizeof(startup), .dwFlags = STARTF_USESTDHANDLES}};
    HANDLE streams[3] = {NULL, NULL, NULL};
    int r = 0;

    for (int i = 0; r == 0 && i < 3; i++)
        r = open_stream(spawn, i, &streams[i]);
    startup.StartupInfo.hStdInput = streams[0];
    startup.StartupInfo.hStdOutput = streams[1];
    startup.StartupInfo.hStdError = streams[2];
    if (r == 0)
        r = start(spawn, &startup, ret);
    for (int i = 0; i < 3; i++)
        if (streams[i] != NULL && streams[i] != INVALID_HANDLE_VALUE)
            CloseHandle(streams[i]);
    return r;
}

int
windows_job_new(bool kills, HANDLE *ret)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
    HANDLE job = CreateJobObjectW(NULL, NULL);
    int r;

    if (job == NULL)
        return windows_last_error();
    limits.BasicLimitInformation.LimitFlags = kills ? JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE : 0;
    if (SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof(limits))) {
        *ret = job;
        return 0;
    }
    r = windows_last_error();
    CloseHandle(job);
    return r;
}
