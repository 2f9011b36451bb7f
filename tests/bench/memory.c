/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisors' processes, and their memory. */
#include "supervisors.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static double
pss_kib(pid_t pid)
{
    char line[128];
    double kib = 0;
    FILE *in = fopen(text_of("/proc/%d/smaps_rollup", (int)pid), "re");

    while (in != NULL && fgets(line, sizeof(line), in) != NULL)
        if (sscanf(line, "Pss: %lf", &kib) == 1)
            break;
    if (in != NULL)
        fclose(in);
    return kib;
}

int
list_supervisors(const struct bed *b, pid_t *pids, int max)
{
    DIR *stream = opendir("/proc");
    struct dirent *entry;
    int count = 0;

    while (count < max && stream != NULL && (entry = readdir(stream)) != NULL) {
        char program[512] = "";
        pid_t pid = (pid_t)atoi(entry->d_name);

        if (pid > 0 && pid != getpid()
            && readlink(text_of("/proc/%d/exe", (int)pid), program, sizeof(program) - 1) > 0
            && strcmp(program, b->sleeper) != 0)
            pids[count++] = pid;
    }
    if (stream != NULL)
        closedir(stream);
    return count;
}

double
supervisors_kib(const struct bed *b)
{
    pid_t pids[PIDS_MAX];
    double sum = 0;

    for (int i = list_supervisors(b, pids, PIDS_MAX); i-- > 0;)
        sum += pss_kib(pids[i]);
    return sum;
}
