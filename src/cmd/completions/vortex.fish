# SPDX-License-Identifier: Apache-2.0
# What fish offers after "vortex".

function __vortex_verb --description 'The verb on the command line, or nothing'
  set -l skip no
  for word in (commandline -opc)[2..-1]
    if test $skip = yes
      set skip no
      continue
    end
    switch $word
      case -c --config -p --pidfile -t --timeout -s --signal --assume -n --lines \
        -l --listen --notify-fd --fd --user
        set skip yes
      case '-*'
      case '*'
        echo $word
        return 0
    end
  end
  return 1
end

function __vortex_is --description 'Is the verb one of these, and its options still go on?'
  set -l verb (__vortex_verb); or return 1
  not contains -- -- (commandline -opc); and contains -- $verb $argv
end

function __vortex_has_no_verb
  not __vortex_verb >/dev/null
end

function __vortex_is_in_command --description 'Is the cursor after -- ?'
  contains -- -- (commandline -opc)
end

function __vortex_instances
  set -l runtime
  if set -q RUNTIME_DIRECTORY; and test -n "$RUNTIME_DIRECTORY"
    set runtime (string split -m 1 : -- $RUNTIME_DIRECTORY)[1]
  else if test (id -u) = 0
    set runtime /run/vortex
  else if set -q XDG_STATE_HOME; and test -n "$XDG_STATE_HOME"
    set runtime $XDG_STATE_HOME/vortex
  else
    set runtime $HOME/.local/state/vortex
  end
  set -l files /etc/vortex/*.conf $runtime/*.pid
  string replace -r '^.*/(.*)\.[a-z]+$' '$1' -- $files | sort -u
end

# The command after --, whatever it is.
function __vortex_command
  set -l before (commandline -opc)
  set -l dash (contains -i -- -- $before); or return
  complete -C (string join ' ' -- (string escape -- $before[(math $dash + 1)..-1]) \
    (commandline -ct))
end

set -l start run start restart
set -l stop stop restart
set -l named run start stop restart reload status signal wait logs unit service check
set -l signals TERM HUP INT QUIT KILL USR1 USR2 ABRT ALRM CONT STOP TSTP WINCH

complete -c vortex -f
complete -c vortex -n __vortex_is_in_command -a '(__vortex_command)'

complete -c vortex -n __vortex_has_no_verb -a run -d 'Become the server, in the foreground'
complete -c vortex -n __vortex_has_no_verb -a start -d 'The same in the background'
complete -c vortex -n __vortex_has_no_verb -a stop -d 'Stop the server and clean up'
complete -c vortex -n __vortex_has_no_verb -a restart -d 'Stop and start under one claim'
complete -c vortex -n __vortex_has_no_verb -a reload -d 'Read the configuration again'
complete -c vortex -n __vortex_has_no_verb -a status -d 'Say whether it runs'
complete -c vortex -n __vortex_has_no_verb -a list -d 'All instances, one line each'
complete -c vortex -n __vortex_has_no_verb -a signal -d 'Send a signal to the server'
complete -c vortex -n __vortex_has_no_verb -a wait -d 'Return when the server ends'
complete -c vortex -n __vortex_has_no_verb -a notify -d 'Tell the service manager'
complete -c vortex -n __vortex_has_no_verb -a service -d 'As a service of this system'
complete -c vortex -n '__vortex_is service' -l now -d 'Start it, too'
complete -c vortex -n '__vortex_is service' -l user -x -d 'Whose process it is, on Windows'
complete -c vortex -n '__vortex_is service' -a 'install uninstall start stop status'
complete -c vortex -n __vortex_has_no_verb -a unit -d 'Print a systemd unit'
complete -c vortex -n '__vortex_is unit' -s l -l listen -x -d 'What the socket unit listens on'
complete -c vortex -n __vortex_has_no_verb -a logs -d 'The last lines of its log file'
complete -c vortex -n __vortex_has_no_verb -a check -d 'Print the mistakes of the configuration'
complete -c vortex -n __vortex_has_no_verb -a version -d 'The version'
complete -c vortex -n __vortex_has_no_verb -a help -d 'Help on a verb'

complete -c vortex -n "__vortex_is $named" -a '(__vortex_instances)' -d Instance
complete -c vortex -n '__vortex_is help' \
  -a 'run start stop restart reload status list signal wait logs notify unit service check version help'

complete -c vortex -n 'not __vortex_is_in_command' -s c -l config -rF -d 'The configuration'
complete -c vortex -n 'not __vortex_is_in_command' -s p -l pidfile -rF -d 'The pidfile'
complete -c vortex -n 'not __vortex_is_in_command' -s h -l help -d 'Help'
complete -c vortex -n 'not __vortex_is_in_command' -l version -d 'The version'

complete -c vortex -n '__vortex_is start stop restart reload' -l direct -d 'Not through systemd'
complete -c vortex -n '__vortex_is run' -l notify-fd -xa '3 4 5' -d 'A newline there when ready'
complete -c vortex -n '__vortex_is notify' -l fd -xa '3 4 5' -d 'A newline there for READY=1'
complete -c vortex -n "__vortex_is $start" -l if-stopped -d 'Succeed where it runs already'
complete -c vortex -n "__vortex_is $start" -l allow-remote -d 'Allow a network file system'
complete -c vortex -n "__vortex_is $start" -l assume -xa stale -d 'Take over an unproved pidfile'
complete -c vortex -n "__vortex_is stop reload signal" -l assume -xa running \
  -d 'Believe an unproved pidfile'
complete -c vortex -n "__vortex_is $stop" -l no-kill -d 'Never send KILL'
complete -c vortex -n "__vortex_is $stop" -l leftovers -d 'End what still holds the lock, too'
complete -c vortex -n '__vortex_is stop' -l clean -d 'Only remove the files of one that has ended'
complete -c vortex -n "__vortex_is $stop wait notify" -s t -l timeout -xa '500ms 10s 30s 5m infinity' \
  -d 'How long to wait'
complete -c vortex -n "__vortex_is $stop signal" -s s -l signal -xa "$signals" -d 'The signal'
complete -c vortex -n '__vortex_is logs' -s n -l lines -xa '10 100 1000' \
  -d 'How many lines to begin with'
complete -c vortex -n '__vortex_is logs' -s f -l follow -d 'Go on with what is written'
complete -c vortex -n '__vortex_is status list' -l json -d 'As JSON'
complete -c vortex -n '__vortex_is status' -l prometheus -d 'Metrics of all instances'
