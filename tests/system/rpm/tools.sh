# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the tests of the rpms share.
# shellcheck disable=SC2034 # used there

RPMS=${VORTEX_TEST_RPMS-}
MADE=$RPMS
