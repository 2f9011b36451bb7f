#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""libvortex exports what vortex.h declares as VORTEX_API, no more and no less.

usage: exports.py NM SHARED_LIBRARY HEADER
       exports.py OBJDUMP LIBRARY.DLL HEADER
"""

import pathlib
import re
import subprocess
import sys


def exported_by_dll(objdump, library):
    text = subprocess.run([objdump, "-p", library], check=True, capture_output=True, text=True).stdout
    table = text.partition("[Ordinal/Name Pointer] Table")[2].partition("\n\n")[0]
    return set(re.findall(r"^\s*\[ *\d+\] (\S+)$", table, flags=re.M))


def exported(nm, library):
    if library.endswith(".dll"):
        return exported_by_dll(nm, library)
    command = [nm, "-D", "--defined-only", "--format=posix", library]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    rows = [line.split() for line in lines]
    # An absolute symbol is the name of a version, should there be a version script.
    return {row[0].partition("@")[0] for row in rows if row[1] != "A"}


def declared(header):
    """The functions which the header declares, and those of them which are VORTEX_API."""
    text = re.sub(r"/\*.*?\*/", " ", pathlib.Path(header).read_text(encoding="utf-8"), flags=re.S)
    text = re.sub(r"^[ \t]*#.*", "", text, flags=re.M)
    functions = set(re.findall(r"\b(vortex_\w+)\s*\(", text))
    return functions, set(re.findall(r"\bVORTEX_API\b[^;()]*?(\w+)\s*\(", text))


def main(nm, library, header):
    in_library = exported(nm, library)
    functions, in_header = declared(header)
    for name in sorted(functions - in_header):
        print(f"{name}: vortex.h declares it without VORTEX_API")
    for name in sorted(in_library - in_header):
        print(f"{name}: exported, but vortex.h does not declare it as VORTEX_API")
    for name in sorted(in_header - in_library):
        print(f"{name}: declared as VORTEX_API, but not exported")
    if not in_header:
        print(f"{header}: no VORTEX_API declaration was found")
    print(f"{len(in_header)} declared, {len(in_library)} exported")
    return 0 if in_header and in_library == in_header == functions else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
