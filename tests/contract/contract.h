/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of os/os.h: what a machine promises, line by line of its doc comments. It is
 * compiled twice, for the real one and for the one in memory, so that neither can lie.
 */
#ifndef VORTEX_CONTRACT_H
#define VORTEX_CONTRACT_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "os/os.h"
#include "scene.h"

#define UNTOUCHED 0x5a

/* The scene's directory, opened. */
struct os_dir open_scene(void);

/* The scene's subdirectory, opened. */
struct os_dir open_in_scene(const char *subdirectory);

/* Which file that name in the scene stands for. */
struct os_file_id identity_of(const char *name);

bool is_same(struct os_file_id a, struct os_file_id b);

/* A lock in the scene, made where it is missing. */
struct os_lock open_lock(const char *name);
int try_lock(const char *name, bool create);
enum os_lock_seen ask(const char *name);

/* A living process, held (skips where the kernel, or valgrind, can't); a child that lives. */
struct os_hold hold_of(int64_t pid);
int try_hold(int64_t pid);
int64_t child(void);

/* Its identity. */
struct os_identity identity_of_process(int64_t pid);

/* Tests of trust need a way to the scene that is trusted itself, and most need other users. */
void need_trusted_way(void);
void need_users(void);

/* Tests of what -Dos=posix can't do. */
void need_proof(void);

/* What children do. */
int act_nothing(const char *name);
int act_self(const char *name);
int act_open_lock(const char *name);
int act_claim(const char *name);
int act_take(const char *name);
int act_take_to_pass_on(const char *name);
int act_take_and_change_its_mind(const char *name);
int act_ask(const char *name);
int act_adopt(const char *name);
int act_adopt_twice(const char *name);
int act_adopt_and_close(const char *name);

#define PROMISE(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int contract_directories(void);
int contract_files(void);
int contract_creating(void);
int contract_publishing(void);
int contract_locks(void);
int contract_asking(void);
int contract_processes(void);
int contract_signals(void);
int contract_trust(void);

/* What is promised by this kind of system alone. */
int contract_system(void);
int contract_inheriting(void);

#endif
