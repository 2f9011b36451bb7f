#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each rule of SECURITY.md names tests, and they are there.

usage: security.py ROOT
"""

import pathlib
import re
import sys

ROW = re.compile(r"^\| (?!rule |-)(.*) \| (.*) \|$", re.MULTILINE)


def main():
    root = pathlib.Path(sys.argv[1])
    tests = "\n".join(
        path.read_text(encoding="utf-8")
        for path in (root / "tests").rglob("*")
        if path.suffix in {".c", ".sh", ".py"}
    )
    known = set(re.findall(r"\w+", tests))
    wrong = []
    rows = ROW.findall((root / "SECURITY.md").read_text(encoding="utf-8"))
    for rule, kept in rows:
        names = re.findall(r"`(\w+)`", kept)
        wrong += [f"no test keeps: {rule}"] * (not names)
        wrong += [f"there is no test {name}" for name in names if name not in known]
    wrong += ["there are no rules"] * (not rows)
    print("\n".join(wrong))
    return bool(wrong)


sys.exit(main())
