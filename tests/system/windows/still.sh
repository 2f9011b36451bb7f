#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# still.sh COMMAND ARGUMENT...: Wine, or what runs it, with addresses that aren't random, where that
# may be had. Else the kernel puts one heap of some 1,700 on the page that Wine wants for itself
# (0x7ffe0000): it ends with 1 and, by WINEDEBUG=-all, no word.
! setarch -R true 2>/dev/null || exec setarch -R "$@"
exec "$@"
