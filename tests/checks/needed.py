#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The command and the library need libc alone, or Windows' own DLLs: one file to copy, in every build.

usage: needed.py READELF FILE...
       needed.py OBJDUMP FILE.EXE|FILE.DLL...
"""

import re
import subprocess
import sys

ALLOWED = re.compile(r"libc[.]|ld-linux")  # libc.so.6, libc.musl-x86_64.so.1, and its loader

# What each Windows 10 and each Server from 2016 on has in System32.
WINDOWS = re.compile(r"(advapi32|kernel32|msvcrt|ole32|shell32|user32|ws2_32)[.]dll$", re.I)


def is_windows(path):
    return path.endswith((".exe", ".dll"))


def needed(readelf, path):
    """What the dynamic loader has to find for that file."""
    if is_windows(path):
        text = subprocess.run([readelf, "-p", path], check=True, capture_output=True, text=True).stdout
        return re.findall(r"DLL Name: (.*)", text)
    text = subprocess.run([readelf, "-d", path], check=True, capture_output=True, text=True).stdout
    return re.findall(r"\(NEEDED\).*\[(.*)\]", text)


def main():
    readelf, *paths = sys.argv[1:]
    failed = False
    for path in paths:
        names = needed(readelf, path)
        allowed = WINDOWS if is_windows(path) else ALLOWED
        others = [name for name in names if not allowed.match(name)]
        if others or not names:
            print(f"{path} needs {' '.join(others) or 'nothing, not even the system'}")
            failed = True
    return failed


sys.exit(main())
