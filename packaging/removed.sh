# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# What a package says before its files are removed: a part of its script. rpm expands macros in it.

# What was started by hand is not the package's to end.
left=$(vortex list 2>/dev/null | sed 1d) || true # without the headings
[ -z "$left" ] || printf 'vortex: what was started by hand is left alone:\n%s\n' "$left"
