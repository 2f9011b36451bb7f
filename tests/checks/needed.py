#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The command and the library need libc alone: one file to copy, in every build.

usage: needed.py READELF FILE...
"""

import re
import subprocess
import sys

ALLOWED = re.compile(r"libc[.]|ld-linux")  # libc.so.6, libc.musl-x86_64.so.1, and its loader


def needed(readelf, path):
    """What the dynamic loader has to find for that file."""
    text = subprocess.run([readelf, "-d", path], check=True, capture_output=True, text=True).stdout
    return re.findall(r"\(NEEDED\).*\[(.*)\]", text)


def main():
    readelf, *paths = sys.argv[1:]
    failed = False
    for path in paths:
        names = needed(readelf, path)
        others = [name for name in names if not ALLOWED.match(name)]
        if others or not names:
            print(f"{path} needs {' '.join(others) or 'nothing, not even libc'}")
            failed = True
    return failed


sys.exit(main())
