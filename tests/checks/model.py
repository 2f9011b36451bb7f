#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each step of tests/model/claim.pml is named where src takes it, and the reverse.

usage: model.py SOURCE_ROOT
"""

import pathlib
import re
import sys

STEP = re.compile(r"/\* model: ([a-z0-9 ]+) \*/")


def steps_of(paths):
    """Name -> where it stands first, as file:line."""
    found = {}
    for path in paths:
        text = path.read_text(encoding="utf-8")
        for match in STEP.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            found.setdefault(match.group(1), f"{path}:{line}")
    return found


def main(root):
    model = steps_of([pathlib.Path(root, "tests", "model", "claim.pml")])
    code = steps_of(sorted(pathlib.Path(root, "src").rglob("*.c")))
    mistakes = [f"{model[step]}: 'model: {step}' stands nowhere in src" for step in model.keys() - code.keys()]
    mistakes += [f"{code[step]}: 'model: {step}' is no step of the model" for step in code.keys() - model.keys()]
    if not model:
        mistakes.append("tests/model/claim.pml names no step, so nothing was checked")
    print("\n".join(sorted(mistakes) + [f"{len(model)} steps, {len(mistakes)} mistakes"]))
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
