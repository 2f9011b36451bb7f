#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What is promised under runit; in the machine that machine.sh boots.
set -u

# shellcheck source=tests/system/inits/cases.sh
. "$(dirname "$0")/cases.sh"
export SVDIR=/etc/services

is_supervised()
{
    sv status "$1" >/dev/null
}

fresh
eventually is_supervised vortex
expect 0 'run: vortex' sv -w 60 start vortex
check serves 8100
check is_ready vortex
check test "$(cat /etc/services/vortex/supervise/pid)" = "$(pid_of vortex)"
kept a_start_waits_until_the_server_is_ready

fresh
service web '[server]' 'command = server --listen 8101 --after 1500' '[ready]' \
    'when = tcp:127.0.0.1:8101'
eventually is_supervised web
expect 0 'run: web' sv -w 60 check web
check serves 8101
expect 0 'down: web' sv -w 60 stop web
ended web
took_at_least 1500 sv -w 60 start web
first=$(pid_of web)
expect 0 'run: web' sv -w 60 restart web
check test "$(pid_of web)" != "$first"
first=$(pid_of web)
kill -KILL "$first"
eventually came_back web "$first"
expect 0 'down: web' sv -w 60 stop web
ended web
kept start_stop_and_restart_wait_and_a_killed_one_comes_back

fresh
instance web '[server]' 'command = server --notify --listen 8101 --reload 700' '[ready]' \
    'when = notify'
expect 0 'run: web' sv -w 60 start web
expect 0 '' sv hup web
eventually grep -q '^reloaded=1$' /run/vortex/web.pid.state
expect 0 'down: web' sv -w 60 stop web
kept a_hangup_is_a_reload
finish
