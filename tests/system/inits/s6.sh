#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What is promised under s6; in the machine that machine.sh boots.
set -u

# shellcheck source=tests/system/inits/cases.sh
. "$(dirname "$0")/cases.sh"

# s6_says UP-AND-WANTED SERVICE
s6_says()
{
    [ "$(s6-svstat -o up,wantedup "/etc/services/$2")" = "$1" ]
}

fresh
eventually s6-svok /etc/services/vortex
expect 0 '' s6-svwait -U -t 60000 /etc/services/vortex
check serves 8100
check is_ready vortex
expect 0 'up .* ready' s6-svstat /etc/services/vortex
check test "$(s6-svstat -o pid /etc/services/vortex)" = "$(pid_of vortex)"
kept s6_hears_when_the_server_is_ready

fresh
service web '[server]' 'command = server --listen 8101 --after 1000' '[ready]' \
    'when = tcp:127.0.0.1:8101'
expect 0 '' s6-svscanctl -an /etc/services
eventually s6-svok /etc/services/web
expect 0 '' s6-svwait -U -t 60000 /etc/services/web
check serves 8101
expect 0 '' s6-svc -wD -T 60000 -d /etc/services/web
ended web
took_at_least 1000 s6-svc -wU -T 60000 -u /etc/services/web
first=$(pid_of web)
check is_ready web
expect 0 '' s6-svc -wR -T 60000 -r /etc/services/web
check test "$(pid_of web)" != "$first"
expect 0 '' s6-svc -wD -T 60000 -d /etc/services/web
kept up_down_and_restart_wait_for_ready_and_end

fresh
instance web '[server]' 'command = server --listen 8101'
expect 0 '' s6-svc -wU -T 60000 -u /etc/services/web
check test "$(s6-svstat -o pid /etc/services/web)" = "$(pid_of web)"
check test "$(readlink "/proc/$(pid_of web)/exe")" = /usr/local/bin/server
expect 0 '' s6-svc -wD -T 60000 -d /etc/services/web
kept an_executed_server_is_s6s_own_child

fresh
instance web '[server]' 'command = server --notify --listen 8101 --reload 700' '[ready]' \
    'when = notify'
expect 0 '' s6-svc -wU -T 60000 -u /etc/services/web
expect 0 '' s6-svc -h /etc/services/web
eventually grep -q '^reloaded=1$' /run/vortex/web.pid.state
took_at_least 700 vortex reload web
first=$(pid_of web)
kill -KILL "$first"
eventually came_back web "$first"
expect 0 '' s6-svc -wD -T 60000 -d /etc/services/web
kept a_hangup_is_a_reload_and_a_killed_one_comes_back

fresh
instance web '[server]' 'comand = server'
expect 0 '' s6-svc -u /etc/services/web
eventually s6_says 'false false' web
expect 0 'exitcode 6' s6-svstat /etc/services/web
instance web '[server]' 'command = server --exit 6'
expect 0 '' s6-svc -u /etc/services/web
eventually s6_says 'true true' web
expect 0 '' s6-svc -wD -T 60000 -d /etc/services/web
kept a_configuration_with_mistakes_is_not_tried_again
finish
