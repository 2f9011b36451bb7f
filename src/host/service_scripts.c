/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An instance as a service of OpenRC or sysvinit. OpenRC's script is linked to for each instance but
 * the default one; sysvinit's starts those that a variable lists, and keeps that list itself.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/service.h"

#define OPENRC "/run/openrc/softlevel"

bool
openrc_is_booted(void)
{
    return os_path_check(OPENRC) == 0;
}

enum service_script
service_script_kind(void)
{
    char line[128] = "";
    FILE *f;

    if (os_stream_open(SERVICE_SCRIPT, &f) < 0)
        return SERVICE_SCRIPT_NONE;
    (void)fgets(line, sizeof(line), f);
    (void)fclose(f);
    return strstr(line, "openrc-run") != NULL ? SERVICE_SCRIPT_OPENRC : SERVICE_SCRIPT_SYSV;
}

/* An instance of either of them. */
struct script {
    bool is_openrcs;
    const char *name;
    char service[OS_NAME_MAX + 8]; /* OpenRC's word for it */
    char path[OS_NAME_MAX + 32];
};

static void
script_of(const char *name, struct script *ret)
{
    bool is_plain = strcmp(name, "vortex") == 0;

    ret->is_openrcs = service_script_kind() == SERVICE_SCRIPT_OPENRC;
    is_plain = is_plain || !ret->is_openrcs;
    ret->name = name;
    snprintf(ret->service, sizeof(ret->service), "vortex%s%s", is_plain ? "" : ".",
             is_plain ? "" : name);
    snprintf(ret->path, sizeof(ret->path), "/etc/init.d/%s", ret->service);
}

/* Tell it: its exit status. What it prints on standard output is left out. */
static int
tell(const struct script *script, const char *verb)
{
    const char *const openrc[] = {"rc-service", "--quiet", script->service, verb, NULL};
    /* As at the boot: nothing of this shell's environment is the server's. */
    const char *const sysv[] = {"env", "-i", SERVICE_SCRIPT, verb, script->name, NULL};
    char said[16];

    return os_run(script->is_openrcs ? openrc : sysv, said, sizeof(said));
}

/* Of what OpenRC keeps: a shell's words, with the service as $1 and its path as $2. */
static int
shell(const struct script *script, const char *words)
{
    const char *const argv[] = {"sh", "-c", words, "sh", script->service, script->path, NULL};

    return os_run(argv, NULL, 0);
}

static bool
is_there(const struct script *script)
{
    return os_path_check(script->path) == 0;
}

static bool
is_enabled(const struct script *script)
{
    if (!script->is_openrcs)
        return tell(script, "is-enabled") == 0;
    return shell(script, "for i in /etc/runlevels/*/\"$1\"; do test -L \"$i\" && exit; done") == 0;
}

static bool
is_running(const struct script *script)
{
    if (script->is_openrcs && (!openrc_is_booted() || !is_there(script)))
        return false;
    return tell(script, "status") == 0;
}

static int
failed(const struct script *script, const char *verb, int r, char *how, size_t size)
{
    if (r != 0)
        snprintf(how, size, "%s %s failed%s", script->path, verb,
                 script->is_openrcs || strstr(verb, "able") == NULL
                     ? ""
                     : ": see to INSTANCES in /etc/default/vortex and to your runlevels");
    return r;
}

int
script_install(const char *name, char *ret_how, size_t size)
{
    struct script script;
    int r;

    script_of(name, &script);
    if (script.is_openrcs)
        r = shell(&script, "{ test -e \"$2\" || ln -s vortex \"$2\"; } && "
                           "rc-update --quiet add \"$1\" default");
    else
        r = tell(&script, "enable");
    return failed(&script, "enable", r, ret_how, size);
}

int
script_act(const char *name, const char *verb, char *ret_how, size_t size)
{
    struct script script;
    int r;

    script_of(name, &script);
    if (script.is_openrcs && !openrc_is_booted()) {
        snprintf(ret_how, size, "OpenRC doesn't run here: 'vortex %s %s' does without it", verb,
                 name);
        return -ENOTCONN;
    }
    if (!is_there(&script)) {
        if (strcmp(verb, "stop") == 0)
            return 0;
        snprintf(ret_how, size, "there is no %s: see 'vortex service install %s'", script.path,
                 name);
        return -ENOENT;
    }
    r = failed(&script, verb, tell(&script, verb), ret_how, size);
    if (r != 0 || strcmp(verb, "stop") != 0 || !is_running(&script))
        return r;
    snprintf(ret_how, size, "it was started by hand: 'vortex stop %s' ends it", name);
    return -EBUSY; /* OpenRC stops what it started, and nothing else */
}

int
script_uninstall(const char *name, char *ret_how, size_t size)
{
    struct script script;
    bool is_live, is_linked;
    int r = 0;

    script_of(name, &script);
    is_live = is_running(&script);
    is_linked = script.is_openrcs && strcmp(name, "vortex") != 0 && is_there(&script);
    if (!is_linked && !is_enabled(&script) && !is_live) {
        snprintf(ret_how, size, "it was not installed");
        return 0;
    }
    /* OpenRC may believe so of a server that has died. */
    if (is_live || (script.is_openrcs && openrc_is_booted() && is_there(&script)))
        r = script_act(name, "stop", ret_how, size);
    if (r != 0)
        return r;
    if (script.is_openrcs) /* the link goes, but no script of somebody's own */
        r = shell(&script, "for i in /etc/runlevels/*/\"$1\"; do "
                           "test ! -L \"$i\" || rc-update --quiet delete \"$1\" "
                           "\"$(basename \"${i%/*}\")\" || exit; done; "
                           "case $(readlink \"$2\") in vortex) rm \"$2\" ;; esac");
    else
        r = tell(&script, "disable");
    return failed(&script, "disable", r, ret_how, size);
}

void
script_ask(const char *name, struct service_state *ret)
{
    struct script script;

    script_of(name, &script);
    ret->is_automatic = is_enabled(&script);
    ret->is_running = is_running(&script);
    snprintf(ret->word, sizeof(ret->word), "%s", ret->is_running ? "running" : "stopped");
    if (script.is_openrcs)
        snprintf(ret->title, sizeof(ret->title), "%s", script.path);
    else
        snprintf(ret->title, sizeof(ret->title), SERVICE_SCRIPT " %.*s", OS_NAME_MAX - 1, name);
}
