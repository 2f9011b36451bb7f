# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What bash offers after "vortex". It works without the bash-completion package, too.

_vortex_instances()
{
    local runtime file
    if [[ -n ${RUNTIME_DIRECTORY-} ]]; then
        runtime=${RUNTIME_DIRECTORY%%:*}
    elif ((EUID == 0)); then
        runtime=/run/vortex
    else
        runtime=${XDG_STATE_HOME:-${HOME-}/.local/state}/vortex
    fi
    for file in /etc/vortex/*.conf "$runtime"/*.pid; do
        [[ -e $file ]] || continue
        file=${file##*/}
        echo "${file%.*}"
    done | sort -u
}

_vortex_options()
{
    local common='-c --config -p --pidfile -h --help --version'
    local start='--if-stopped --assume --allow-remote'
    local stop='-t --timeout -s --signal --no-kill --leftovers'
    case $1 in
    run) echo "$start --notify-fd $common" ;;
    start) echo "$start --direct $common" ;;
    stop) echo "$stop --clean --assume --direct $common" ;;
    restart) echo "$start $stop --direct $common" ;;
    reload) echo "--assume --direct $common" ;;
    status) echo "--json --prometheus $common" ;;
    list) echo "--json $common" ;;
    signal) echo "-s --signal --assume $common" ;;
    wait) echo "-t --timeout $common" ;;
    service) echo "--now --user $common" ;;
    unit) echo "-l --listen $common" ;;
    notify) echo '-t --timeout --fd -h --help' ;;
    logs) echo "-n --lines -f --follow $common" ;;
    *) echo "$common" ;;
    esac
}

_vortex()
{
    local verbs='run start stop restart reload status list signal wait logs notify unit service check version help'
    local signals='TERM HUP INT QUIT KILL USR1 USR2 ABRT ALRM CONT STOP TSTP WINCH'
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local verb='' word i

    # bash breaks --signal=HUP into three words.
    if [[ $cur == '=' ]]; then
        cur=''
    elif [[ $prev == '=' ]]; then
        prev=${COMP_WORDS[COMP_CWORD - 2]}
    fi

    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ $word == -- ]]; then
            _vortex_command "$((i + 1))" "$cur"
            return
        fi
        case ${COMP_WORDS[i - 1]} in
        -c | --config | -p | --pidfile | -t | --timeout | -s | --signal | --assume | \
            -n | --lines | -l | --listen | --notify-fd | --fd | --user | =) continue ;;
        esac
        [[ -z $verb && $word != [-=]* ]] && verb=$word
    done

    COMPREPLY=()
    case $prev in
    -c | --config | -p | --pidfile)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return
        ;;
    -s | --signal)
        mapfile -t COMPREPLY < <(compgen -W "$signals" -- "$cur")
        return
        ;;
    -t | --timeout)
        mapfile -t COMPREPLY < <(compgen -W '500ms 10s 30s 5m infinity' -- "$cur")
        return
        ;;
    -n | --lines)
        mapfile -t COMPREPLY < <(compgen -W '10 100 1000' -- "$cur")
        return
        ;;
    --assume)
        case $verb in
        run | start | restart) mapfile -t COMPREPLY < <(compgen -W 'stale' -- "$cur") ;;
        *) mapfile -t COMPREPLY < <(compgen -W 'running' -- "$cur") ;;
        esac
        return
        ;;
    esac

    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_vortex_options "$verb")" -- "$cur")
    elif [[ -z $verb || $verb == help ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$cur")
    elif [[ $verb != list && $verb != version ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_vortex_instances)" -- "$cur")
    fi
}

# The words after -- are a command of their own.
_vortex_command()
{
    local offset=$1 cur=$2
    if declare -F _comp_command_offset >/dev/null; then
        _comp_command_offset "$offset"
    elif declare -F _command_offset >/dev/null; then
        _command_offset "$offset"
    elif ((COMP_CWORD == offset)); then
        mapfile -t COMPREPLY < <(compgen -c -- "$cur")
    else
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    fi
}

complete -F _vortex vortex
