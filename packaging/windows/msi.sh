#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The installer, of what build.sh laid out: packaging/windows/msi.sh STAGE VERSION OUT.msi
# The same files of the same dates give the same bytes.
set -euo pipefail
stage=$(realpath "$1") version=$2 out=$(realpath "$3")
here=$(dirname "$(realpath "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TZ=UTC

upgrade=0E5D3A3F-6F0B-4B57-8B1F-9C7A2D1E4B60 # for ever: by it a version finds the one before

# uuid TEXT: always the same one of that text.
uuid()
{
    python3 -c 'import sys, uuid; print(str(uuid.uuid5(uuid.UUID(sys.argv[1]), sys.argv[2])).upper())' \
        "$upgrade" "$1"
}

# table NAME COLUMNS TYPES KEYS ROW...: as an archive of msibuild's, with tabs for the bars.
table()
{
    printf '%s\n' "$2" "$3" "$1|$4" "${@:5}" | tr '|' '\t' >"$work/$1.idt"
    msibuild "$out" -i "$work/$1.idt"
}

# Of the same version with other contents it is another package.
contents=$(cd "$stage" && find . -type f -printf '%P\n' | LC_ALL=C sort | xargs -d '\n' sha256sum |
    cat - "$here/vortex.wxs" "$here/msi.sh" | sha256sum)

rm -f "$out"
(
    cd "$stage"
    # What it doesn't know it would leave out, with a warning.
    G_DEBUG=fatal-warnings wixl -a x64 -D "VERSION=$version" -D "PRODUCT=$(uuid "product $version")" -D "UPGRADE=$upgrade" \
        -o "$out" "$here/vortex.wxs"
)

# [~] is what was there; = set and removed with the component, * of the machine.
table Environment 'Environment|Name|Value|Component_' 's72|l255|L255|s72' Environment \
    'Path|=-*PATH|[~];[INSTALLDIR]|Program'
# Any user may make files in %ProgramData%; not in ours, which says what services run: those of
# BUILTIN\Users read. Once: what an administrator then allows stays.
table MsiLockPermissionsEx 'MsiLockPermissionsEx|LockObject|Table|SDDLText|Condition' \
    's72|s72|s32|s0|S255' MsiLockPermissionsEx \
    'Data|DATA|CreateFolder|O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FRFX;;;S-1-5-32-545)|NOT Installed AND NOT WIX_UPGRADE_DETECTED'

# shellcheck disable=SC2016 # the quotes of its SQL
queries=(
    'INSERT INTO `InstallExecuteSequence` (`Action`, `Sequence`) VALUES ("RemoveEnvironmentStrings", 3300)'
    'INSERT INTO `InstallExecuteSequence` (`Action`, `Sequence`) VALUES ("WriteEnvironmentStrings", 5200)'
    # Within the transaction, so that an upgrade that fails leaves the version that was there.
    'UPDATE `InstallExecuteSequence` SET `Sequence` = 1501 WHERE `Action` = "RemoveExistingProducts"'
    # 64 bits 256, never overwritten 128, permanent 16.
    'UPDATE `Component` SET `Attributes` = 400 WHERE `Component` = "Configuration"'
    'UPDATE `Component` SET `Condition` = "WIX_UPGRADE_DETECTED" WHERE `Component` = "Again"'
    # Without it, an older one that has a version counts as newer, and is kept.
    'UPDATE `File` SET `Version` = "'"$version"'.0", `Language` = "1033" WHERE `File` = "vortex.exe"'
    'DELETE FROM `MsiFileHash` WHERE `File_` = "vortex.exe"'
    'UPDATE `Registry` SET `Value` = "#%[#vortex.exe]" WHERE `Name` = "EventMessageFile"'
)
msibuild "$out" -q "${queries[@]//\"/\'}"

date=$(date -d "@${SOURCE_DATE_EPOCH:-$(stat -c %Y "$stage/vortex.exe")}" '+%Y/%m/%d %H:%M:%S')
msiinfo export "$out" _SummaryInformation |
    sed -E "s|^(12\|13)\t[^\r]*|\1\t$date|; s|^9\t[^\r]*|9\t{$(uuid "package $contents")}|" \
        >"$work/_SummaryInformation.idt"
msibuild "$out" -i "$work/_SummaryInformation.idt"
