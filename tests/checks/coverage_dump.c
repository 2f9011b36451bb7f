/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For packaging/dev.sh coverage, by the linker's --wrap: what a process counted is written also
 * where it ends by _exit, or becomes another program.
 */
void __gcov_dump(void);
void __gcov_reset(void);
_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);
int __real_execve(const char *path, char *const *argv, char *const *environment);
int __wrap_execve(const char *path, char *const *argv, char *const *environment);
int __real_execvp(const char *name, char *const *argv);
int __wrap_execvp(const char *name, char *const *argv);

_Noreturn void
__wrap__exit(int status)
{
    __gcov_dump();
    __real__exit(status);
}

/* It may fail, and go on counting. */
int
__wrap_execve(const char *path, char *const *argv, char *const *environment)
{
    __gcov_dump();
    __gcov_reset();
    return __real_execve(path, argv, environment);
}

int
__wrap_execvp(const char *name, char *const *argv)
{
    __gcov_dump();
    __gcov_reset();
    return __real_execvp(name, argv);
}
