#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs a program for Windows under Wine: meson's exe_wrapper (packaging/dev.sh), in the prefix that
# the caller has made (wine.sh). What is printed goes by a file, for a pipe would stay open as long
# as what the program started.
output=$(mktemp "${WINEPREFIX:?names no prefix}/output-XXXXXX")
# A test that hangs is ended by meson: then it says how far it came.
trap 'cat "$output"; rm -f "$output"; exit 124' TERM INT
"$(dirname "$0")/still.sh" wine "$@" >"$output" 2>&1 </dev/null &
wait $!
status=$?
cat "$output"
rm -f "$output"
exit $status
