/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A place of the benchmark's own: namespaces, in which the peers (VORTEX_BENCH_PEERS) are laid over
 * /usr. Nothing outside is touched, and whatever is left is gone with it.
 */
#include "bench.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#define INSIDE "VORTEX_BENCH_INSIDE"

char *
text_of(const char *format, ...)
{
    char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        die("vasprintf", NULL);
    va_end(arguments);
    return text;
}

const char *
absolute(const char *path)
{
    const char *real = realpath(path, NULL);

    if (real == NULL)
        die(path, strerror(errno));
    return real;
}

void
write_file(const char *path, const char *text)
{
    FILE *out = fopen(path, "we");

    if (out == NULL || fputs(text, out) < 0 || fclose(out) != 0)
        die(path, strerror(errno));
}

static void
lay_peers(void)
{
    const char *peers = getenv("VORTEX_BENCH_PEERS");

    if (peers == NULL
        || mount("peers", "/usr", "overlay", MS_RDONLY, text_of("lowerdir=%s:/usr", peers)) < 0)
        fprintf(stderr, "bench: no peers: %s\n",
                peers != NULL ? strerror(errno) : "VORTEX_BENCH_PEERS is not set");
    setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
}

void
enter_layer(char **argv)
{
    const char *words[32] = {"unshare",      "--mount",      "--pid",         "--net",   "--fork",
                             "--kill-child", "--mount-proc", "--propagation", "private", NULL};
    int count = 9;

    if (getenv(INSIDE) != NULL) {
        lay_peers();
        return;
    }
    if (geteuid() != 0) {
        printf("SKIPPED: %s: needs root\n", argv[0]);
        exit(77);
    }
    setenv(INSIDE, "yes", 1);
    for (; *argv != NULL && count < 31; argv++)
        words[count++] = *argv;
    execvp(words[0], (char *const *)(uintptr_t)words);
    die(words[0], strerror(errno));
}

int
rounds(int full)
{
    int few = full / 10 > 2 ? full / 10 : 2;

    return getenv("VORTEX_BENCH_QUICK") != NULL && few < full ? few : full;
}
