/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the fake share among themselves. */
#ifndef VORTEX_FAKE_MACHINE_H
#define VORTEX_FAKE_MACHINE_H

#include <setjmp.h>

#include "fake_os.h"

#define FILES_MAX       64
#define ENTRIES_MAX     64
#define PROCESSES_MAX   64
#define OPENED_MAX      64
#define DESCRIPTORS_MAX 128
#define EVENTS_MAX      16
#define STEPS_MAX       200
#define FIRST_INODE     100
#define SECOND_NS       INT64_C(1000000000)

/* A name in a directory. */
struct entry {
    struct fake_file *directory; /* NULL: this one is free */
    struct fake_file *file;
    char name[OS_NAME_MAX];
};

/* What a handle stands for, shared by all copies of it: locks are its, not the process's. */
struct opened {
    unsigned references; /* 0: this one is free */
    struct fake_file *file;
    struct fake_process *process;
    bool claims;
    bool lives;
};

struct descriptor {
    struct opened *opened; /* NULL: this one is free */
    struct fake_process *owner;
    intptr_t number;
    bool inherit;   /* the next exec leaves it open */
    bool inherited; /* one did, and nobody has adopted it */
};

struct event {
    fake_event *run; /* NULL: this one is free */
    void *arg;
    int64_t when; /* a step, or milliseconds since boot */
};

/* What a process is doing, and what shall happen to it meanwhile. */
struct control {
    bool paused;
    unsigned steps;
    const char *names[STEPS_MAX];
    unsigned fail_at;
    int error;
    unsigned crash_at;
    jmp_buf *crash;
    struct event hooks[EVENTS_MAX];
};

struct machine {
    struct fake_file files[FILES_MAX]; /* first: fake_reset leaves them out */
    struct entry entries[ENTRIES_MAX];
    struct opened opened[OPENED_MAX];
    struct descriptor descriptors[DESCRIPTORS_MAX];
    struct fake_process processes[PROCESSES_MAX];
    struct control controls[PROCESSES_MAX];
    struct event timers[EVENTS_MAX];
    struct fake_process *current; /* NULL: nobody is */
    uint64_t pid_namespace;
    uint64_t last_start;
    uint64_t last_pidfd_inode;
    intptr_t last_number;
    unsigned boots;
    char working_directory[OS_NAME_MAX];
    int64_t wall_ns;
    int64_t monotonic_ms;
    bool clock_stepped;
    bool proc_hidden;
    bool no_proof;
};

extern struct machine fake_machine;

/* A step of the current process begins: 0, or the error with which it shall fail. */
int fake_step(const char *name);

/* Wait until that moment, or only until stop, asked after each event, says so. */
void fake_wait_until(int64_t monotonic_ms, bool (*stop)(const void *), const void *arg);

/* ---- fake_files.c ------------------------------------------------------------------------ */

struct fake_file *fake_lookup(const struct fake_file *directory, const char *name);
struct fake_file *fake_new_file(struct fake_file *directory, const char *name, enum fake_kind kind,
                                unsigned mode);
void fake_add_name(struct fake_file *directory, const char *name, struct fake_file *file);
void fake_drop_name(const struct fake_file *directory, const char *name);
void fake_exchange_names(const struct fake_file *directory, const char *one, const char *other);
unsigned fake_names_in(const struct fake_file *directory);
struct os_file_id fake_id(const struct fake_file *file);
bool fake_may(const struct fake_file *file, unsigned bits);
int fake_judge_kind(const struct fake_file *file);
void fake_note_speaker(struct os_speaker *speaker, const struct fake_file *file);

/* ---- fake_directory.c -------------------------------------------------------------------- */

/* The directory of a handle. */
struct fake_file *fake_directory(const struct os_dir *dir);

/* ---- fake_handles.c ---------------------------------------------------------------------- */

/* A handle of the current process. */
intptr_t fake_open(struct fake_file *file, struct fake_process *process);

/* The descriptor that it is: a handle that is not open ends the test. */
struct descriptor *fake_descriptor(intptr_t handle);

void fake_close(struct descriptor *descriptor);
void fake_close_all(const struct fake_process *owner, bool but_inherited);

#endif
