#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The installer under Wine: in, the service's life, up to the next version, and out again.
#
#   msi.sh PACKAGES BUILD-DIRECTORY
#
# PACKAGES is what build.sh here made. Prints TAP. What Wine doesn't heed is looked up in the installer.
set -u

packages=$(realpath "$1") BUILD=$(realpath "$2")
EXE=$packages/this/vortex.exe
here=$(dirname "$(realpath "$0")")
# shellcheck source=tests/command/tap.sh
. "$here/../../command/tap.sh"
# shellcheck source=tests/system/windows/wine.sh
. "$here/wine.sh"
begin msi
# shellcheck source=tests/system/windows/services.sh
. "$here/services.sh"
this=$(echo "$packages"/this/*.msi) next=$(echo "$packages"/next/*.msi)
# shellcheck disable=SC2128 # wine.sh's, not tap.sh's
data=$C/ProgramData/Vortex
for file in "$this" "$next"; do # of a run that was cut off
    cp "$file" "$top/"
    in_wine msiexec /x "C:\\msi\\${file##*/}" /qn >/dev/null
done
rm -rf "$data" "$program"

# install FILE: in silence; its exit status.
install()
{
    in_wine msiexec /i "C:\\msi\\${1##*/}" /qn
}

# table NAME: of the installer, a row a line, with bars for the tabs.
table()
{
    msiinfo export "$this" "$1" | tail -n +4 | tr -d '\r' | tr '\t' '|'
}

path_of_machine()
{
    in_wine reg query 'HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment' /v PATH
}

version_of()
{
    basename "$1" | cut -d- -f2
}

# ---- What it says ------------------------------------------------------------------------------

fresh
says 'DATA.CreateFolder.O:BAD:P\(A;OICI;FA;;;SY\)\(A;OICI;FA;;;BA\)\(A;OICI;FRFX;;;S-1-5-32-545\)' \
    table MsiLockPermissionsEx
says '=-\*PATH.\[~\];\[INSTALLDIR\]' table Environment
says 'Configuration.[^|]*.DATA.400..vortex.conf' table Component
says "vortex.exe.Program.vortex.exe.[0-9]*.$(version_of "$this").0.1033" table File
says '#%\[#vortex.exe\]' table Registry
says '.16.2.1...NT SERVICE.vortex..run vortex.' table ServiceInstall
order=$(table InstallExecuteSequence | sort -t'|' -k3,3n | cut -d'|' -f1 | tr '\n' ' ')
[[ $order =~ ' InstallInitialize RemoveExistingProducts '.*' End StopServices '.*' RemoveEnv'.*\
' InstallFiles '.*' WriteEnv'.*' InstallServices Settle StartServices '.*' InstallFinalize ' ]] ||
    problem+="the sequence: $order\n"
kept 'what Wine ignores stands in it: access rights, versions, what is kept, and the order'

# ---- In, and the life of the service ------------------------------------------------------------

fresh
check install "$this" >/dev/null
says 'STATE +: 1 +STOPPED' in_wine sc query vortex
says "Vortex.*$(version_of "$this")" in_wine reg query \
    'HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall' /s
text=$(scm config vortex)
# shellcheck disable=SC2016 # no variables
for line in 'type=10 start=2 command="C:\Program Files\Vortex\vortex.exe" run vortex' \
    'user=NT SERVICE\vortex title=vortex (Vortex)'; do
    [[ $text == *"$line"* ]] || problem+="not '$line' in '$text'\n"
done
says 'EventMessageFile +REG_EXPAND_SZ +C:.Program Files.Vortex.vortex.exe' event_source vortex
says 'C:.Program Files.Vortex' path_of_machine
says "vortex $(version_of "$this")" vortex version
check vortex check >/dev/null
for file in LICENSE.txt THIRD-PARTY.txt sample.conf doc/vortex.1.html doc/vortex-windows.7.html; do
    check test -s "$program/$file"
done
check cmp "$program/sample.conf" "$data/vortex.conf"
kept 'msiexec /i makes the service, quoted and stopped, its event source, PATH and a configuration'

fresh
P=$data/run/vortex.pid
configure "$data/vortex.conf" '# edited'
cp "$data/vortex.conf" "$top/edited.conf"
check in_wine sc start vortex >/dev/null
: >"$dir/seen"
until grep -qE 'checkpoint=([3-9]|[0-9]{2})' "$dir/seen" || [ "$(wc -l <"$dir/seen")" -gt 500 ]; do
    scm query vortex >>"$dir/seen"
done
check test -z "$(grep -v '^starting .*hint=[1-9]' "$dir/seen")"
says 'STATE +: 2 +START_PENDING' in_wine sc query vortex
says starting vortex status
touch "$dir/go"
eventually state vortex running
says 'STATE +: 4 +RUNNING' in_wine sc query vortex
kept 'sc start: START_PENDING, with checkpoints, until the probe holds, then RUNNING'

count=$((count + 1)) problem=
pid=$(scm query vortex | sed 's/.*pid=//')
check test "$pid" = "$(tr -d '\r\n' <"$P")"
says "running.*pid +$pid" vortex status
says 'service vortex' vortex status
kept 'the pidfile names the process of the service, and vortex status agrees'

count=$((count + 1)) problem=
sed -i 's/^timeout = 300ms/timeout = 400ms/' "$data/vortex.conf"
cp "$data/vortex.conf" "$top/edited.conf"
check scm control vortex 6 # sc control of Wine does nothing
eventually grep -q '^reload.*=' "$P.state"
check state vortex running
kept 'paramchange is a reload'

count=$((count + 1)) problem=
check in_wine sc stop vortex >/dev/null
eventually state vortex stopped
says 'code=0 ' scm query vortex
check test ! -e "$P"
check in_wine net start vortex >/dev/null
eventually state vortex running
check in_wine net stop vortex >/dev/null
eventually state vortex stopped
kept 'sc stop, net start and net stop'

# ---- Up, and out --------------------------------------------------------------------------------

check scm start vortex >/dev/null
fresh
before=$(scm query vortex | sed 's/.*pid=//')
check install "$next" >/dev/null
says "vortex $(version_of "$next")" vortex version
check cmp "$data/vortex.conf" "$top/edited.conf"
check grep -q 'Of the next version' "$program/sample.conf"
eventually state vortex running
check test "$(scm query vortex | sed 's/.*pid=//')" != "$before"
check test "$(in_wine reg query 'HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall' /s |
    grep -c 'DisplayName.*Vortex')" = 1
check test "$(path_of_machine | grep -o 'Program Files.Vortex' | wc -l)" = 1
kept 'an upgrade keeps the edited configuration, and the service runs again'

fresh
if install "$this" >/dev/null; then problem+='an older version was installed over a newer one\n'; fi
says "vortex $(version_of "$next")" vortex version
check state vortex running
kept 'an older version is refused, and the newer one goes on'

fresh
check in_wine msiexec /x "C:\\msi\\${next##*/}" /qn >/dev/null
answers 255 'error 1060' scm query vortex
check test -z "$(event_source vortex | grep EventMessageFile)"
check test -z "$(path_of_machine | grep Vortex)"
check test -z "$(find "$program" -type f 2>/dev/null)"
check test -z "$(find "$data/run" -type f)"
check cmp "$data/vortex.conf" "$top/edited.conf"
kept 'msiexec /x leaves no service, event source, entry of PATH or program, and the configuration'

fresh
check install "$next" >/dev/null
check cmp "$data/vortex.conf" "$top/edited.conf"
check in_wine msiexec /x "C:\\msi\\${next##*/}" /qn >/dev/null
kept 'installed again, it takes the configuration that was kept'

# ---- Without it ----------------------------------------------------------------------------------

fresh
rm -rf "$data" "$program"
python3 -m zipfile -e "$packages"/this/vortex-*.zip "$dir"
mv "$dir"/vortex-* "$dir/unpacked"
says "installed service 'web'.*next: edit.*web.conf" in_wine cmd /c "C:\\msi\\$count\\unpacked\\install.cmd" web
check cmp "$data/web.conf" "$dir/unpacked/vortex.conf"
says 'command="C:.Program Files.Vortex.vortex.exe" run web' scm config web
echo '# edited' >>"$data/web.conf"
says "installed service 'web'" in_wine cmd /c "C:\\msi\\$count\\unpacked\\install.cmd" web
check grep -q '# edited' "$data/web.conf"
check scm start web >/dev/null
says "uninstalled service 'web'.*kept: .*web.conf" in_wine cmd /c "C:\\msi\\$count\\unpacked\\uninstall.cmd" web
answers 255 'error 1060' scm query web
check grep -q '# edited' "$data/web.conf"
kept 'install.cmd and uninstall.cmd do so for any instance, from the zip'

finish
