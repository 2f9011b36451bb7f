#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What is promised under systemd; in the machine that machine.sh boots. vortex@NAME is of
# Type=notify, forking@NAME is the same of Type=forking.
set -u

here=$(dirname "$0")
# shellcheck source=tests/system/units.sh
. "$here/units.sh"

for file in ${CASES:-start life many}; do
    # shellcheck source=/dev/null
    . "$here/cases_$file.sh"
done
finish
