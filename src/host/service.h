/* SPDX-License-Identifier: Apache-2.0 */
/* What the verb service is made of on Unix; and systemd.c, which both it and others ask. */
#ifndef VORTEX_SERVICE_H
#define VORTEX_SERVICE_H

#include "host/host.h"

#define SERVICE_SCRIPT "/etc/init.d/vortex"

/* ---- systemd.c ---------------------------------------------------------------------------- */

/* Does it run here? */
bool systemd_is_booted(void);

/* The unit of an instance, for who asks: the system's for root. false: the name is too long. */
bool systemd_unit_of(const char *instance, struct manager_unit *ret);

/* "--user" or "--system". */
const char *systemd_scope(const struct manager_unit *unit);

/* ---- service_systemd.c: as the functions of host.h ----------------------------------------- */

int systemd_install(const char *name, char *ret_how, size_t size);
int systemd_uninstall(const char *name, char *ret_how, size_t size);
int systemd_act(const char *name, const char *verb, char *ret_how, size_t size);
int systemd_ask(const char *name, struct service_state *ret, char *ret_how, size_t size);

/* ---- service_scripts.c: the same ---------------------------------------------------------- */

enum service_script { SERVICE_SCRIPT_NONE = 0, SERVICE_SCRIPT_OPENRC, SERVICE_SCRIPT_SYSV };

/* For whom is /etc/init.d/vortex written? OpenRC takes both. */
enum service_script service_script_kind(void);

bool openrc_is_booted(void);

int script_install(const char *name, char *ret_how, size_t size);
int script_uninstall(const char *name, char *ret_how, size_t size);
int script_act(const char *name, const char *verb, char *ret_how, size_t size);
void script_ask(const char *name, struct service_state *ret);

#endif
