/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts and stops without end: the parts of the program `rounds`.
 *
 *   rounds.c         the arguments, workers of every kind, the report
 *   rounds_stops.c   stops beside bystanders that get the pids of the stopped
 *   rounds_place.c   containers, users, and pids that are soon used again
 */
#ifndef VORTEX_ROUNDS_H
#define VORTEX_ROUNDS_H

#include <stdbool.h>
#include <sys/types.h>

#define NOBODY      65534
#define WORKERS_MAX 16
#define LOWEST_PID  300     /* the kernel keeps those below for itself after a wrap */
#define PIDFILE     "x.pid" /* in the working directory */

/* What all the processes share; counted atomically. */
struct tally {
    long wanted; /* rounds: then everybody ends */
    long rounds;
    int owners; /* now */
    long refused;
    long doubles;  /* two owners at once */
    long failures; /* anything else that must not be */
    long stops;    /* signals sent by those who stop by the library */
    long signals;  /* that bystanders got */
    long reused;   /* bystanders that got the number of a server which was just stopped */
};

struct job {
    struct tally *tally;
    const char *directory;
    const char *vortex; /* NULL: by the library */
    const char *self;   /* this program */
    int workers;        /* at most WORKERS_MAX */
};

_Noreturn void die(const char *what);
long count(long *number); /* one more; returns how many before */
/* And count it as a failure. */
__attribute__((format(printf, 2, 3))) void complain(struct tally *t, const char *format, ...);
bool is_over(const struct tally *t);

/* Run that as the first children of process 1 of namespaces of its own, which reaps. Its status. */
int in_container(int (*body)(const struct job *, void *), const struct job *job, void *what);
/* Mount the directory there as well, and go there. */
void go_to_copy(const char *directory, const char *at);
void become_nobody(void);
/* The next process gets the lowest free pid. */
void wind_pids_back(void);
pid_t fork_as(pid_t pid);
/* Execute it, to the end of its output: its exit status. */
int command(const char *const *argv, char *said, size_t size);
bool ends_well(pid_t pid);

int stops(const struct job *job, void *what);

#endif
