#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What is promised under systemd; in the machine that machine.sh boots. vortex@NAME is of
# Type=notify, forking@NAME is the same of Type=forking.
set -u

here=$(dirname "$0")
# shellcheck source=tests/system/units.sh
. "$here/units.sh"

# What less-hardening.conf says of a server that runs as root, or as another user.
# shellcheck disable=SC2034 # for the cases
as_root=(User=root Group=root PrivateUsers=no) as_nobody=(User=nobody Group=nogroup SupplementaryGroups=vortex)

for file in ${CASES:-start life games many service}; do
    # shellcheck source=/dev/null
    . "$here/cases_$file.sh"
done
finish
