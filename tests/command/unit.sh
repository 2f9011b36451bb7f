#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `vortex unit`: what stands in the unit, and that systemd takes it, where systemd-analyze is there.
#
#   unit.sh VORTEX
#
# Prints TAP.
set -u

VORTEX=$(realpath "$1")
# shellcheck source=tests/command/tap.sh
. "$(dirname "$(realpath "$0")")/tap.sh"

top=$(mktemp -d /tmp/vortex-unit-XXXXXX)
trap 'rm -rf "$top"' EXIT

# has LINE...: the unit has these lines, each whole.
has()
{
    local line
    for line in "$@"; do
        grep -Fxq -- "$line" "$dir/unit" || problem+="no line: $line\n"
    done
}

# unit [OPTION...]: of the configuration on standard input.
unit()
{
    cat >"$dir/web.conf"
    "$VORTEX" unit web -c "$dir/web.conf" -p /run/vortex/web.pid "$@" >"$dir/unit" \
        || problem+="it fails\n"
}

# verified: systemd has nothing to say against it; the program is no part of that.
verified()
{
    command -v systemd-analyze >/dev/null || return 0
    sed -e '/^# ---- The socket/,$d' -e 's,=/[^ ]*/vortex ,=/bin/true ,' "$dir/unit" \
        >"$dir/web.service"
    check test -z "$(systemd-analyze verify --man=no "$dir/web.service" 2>&1)"
}

fresh
unit --listen 127.0.0.1:8080 <<'END'
[server]
command = /bin/echo "two words" 100%% $HOME 'back\slash' '"'
user = daemon
directory = /srv
environment = A=1 "B=two words" C=50%%
limit-nofile = 1024:4096
limit-core = infinity
nice = 5
cpu-affinity = 0 2-3
io-scheduling-class = idle
supplementary-groups = adm
no-new-privileges = yes
umask = 027
[restart]
policy = on-failure
delay = 2500ms..1m
limit = 5/10m
no-restart-on = 3 4
[stop]
signal = INT
timeout = 20s
[reload]
signal = USR1
END
has 'Type=notify' 'User=daemon' 'SupplementaryGroups=adm' 'NoNewPrivileges=yes' \
    'WorkingDirectory=/srv' 'UMask=0027' 'LimitNOFILE=1024:4096' 'LimitCORE=infinity:infinity' \
    'Nice=5' 'CPUAffinity=0 2 3' 'IOSchedulingClass=idle' 'Environment="A=1"' \
    'Environment="B=two words"' 'Environment="C=50%%"' 'Restart=on-failure' 'RestartSec=2500ms' \
    'RestartPreventExitStatus=3 4' 'StartLimitIntervalSec=600' 'StartLimitBurst=6' \
    'KillSignal=SIGINT' 'TimeoutStopSec=20' 'ListenStream=127.0.0.1:8080' \
    'RuntimeDirectory=web'
check grep -Eq '^ExecStart=/[^ ]+/vortex run "web" -c /dev/null -p "/run/web/web.pid" -- ' "$dir/unit"
# shellcheck disable=SC2016 # systemd expands it
check grep -Fq -- ' -- "/bin/echo" "two words" "100%%" "$$HOME" "back\\slash" "\""' "$dir/unit"
check grep -Eq '^ExecReload=/[^ ]+/vortex signal "web" -s USR1 -c /dev/null ' "$dir/unit"
check test -z "$(grep ExecStopPost "$dir/unit")"
verified
kept what_systemd_can_do_itself_is_said_in_its_words

fresh
unit <<'END'
[server]
command = /bin/sleep 1000
END
check grep -Eq '^ExecStopPost=/[^ ]+/vortex stop --clean "web" -c /dev/null -p "/run/vortex/web.pid"$' \
    "$dir/unit"
verified
kept in_the_directory_of_all_instances_a_dead_servers_files_are_removed

fresh
unit <<'END'
[server]
command = /bin/sleep 1000
user = daemon
[ready]
when = tcp:127.0.0.1:8080
timeout = 2m
[stop]
sequence = TERM 20s, INT 5s
[server]
file-descriptor-store-max = 7
END
has '# vortex stays as the supervisor, for [ready] when.' 'TimeoutStartSec=120' \
    'TimeoutStopSec=30' 'KillMode=mixed' 'FileDescriptorStoreMax=7'
check grep -Fq " run \"web\" -c \"$dir/web.conf\"" "$dir/unit"
check grep -Fq " reload --direct \"web\" -c \"$dir/web.conf\"" "$dir/unit"
check test -z "$(grep -E '^(User|Restart|StartLimit|PIDFile|RuntimeDirectory)' "$dir/unit")"
verified
kept what_only_a_supervisor_does_keeps_vortex_there

fresh
echo '[server]' >"$dir/web.conf"
expect 6 'has no \[server\] command' "$VORTEX" unit web -c "$dir/web.conf"
cd "$dir" || exit 1
expect 2 'absolute path' "$VORTEX" unit web -c web.conf
kept what_makes_no_unit_is_said

finish
