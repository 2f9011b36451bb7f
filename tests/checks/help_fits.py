#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each help text fits a terminal of 24 lines and 80 columns.

usage: help_fits.py VORTEX
"""

import sys

from cli import VERBS, help_text

LINES, COLUMNS = 24, 80


def main(vortex):
    mistakes = []
    overview = help_text(vortex, "--help")
    for verb in VERBS:
        if verb not in overview.split():
            mistakes.append(f"vortex --help does not name '{verb}'")
    for words in [["--help"]] + [[verb, "--help"] for verb in VERBS]:
        text = overview if words == ["--help"] else help_text(vortex, *words)
        lines = text.expandtabs().split("\n")
        name = "vortex " + " ".join(words)
        if lines.pop():
            mistakes.append(f"{name}: the last line does not end")
        if len(lines) > LINES:
            mistakes.append(f"{name}: {len(lines)} lines, {LINES} fit")
        for number, line in enumerate(lines, 1):
            if len(line) > COLUMNS:
                mistakes.append(f"{name}: line {number} has {len(line)} columns, {COLUMNS} fit")
    print("\n".join(mistakes + [f"{len(VERBS) + 1} help texts, {len(mistakes)} mistakes"]))
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
