#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every branch of src/lib and of src/os for Linux is taken by a test, or its reason is written.

usage: coverage.py BUILD REASONS

BUILD was compiled by gcc --coverage, and its tests have run. REASONS has a section for each reason,
"## why", or "## maybe: why" where it depends on the machine; and in it a line for each place:
"file | function | line of code". A place that is not taken and has no reason fails the report, and
so does a reason whose place is taken by now, or gone. What only a mistake of ours takes, an
assert's other way, needs none.
"""

import collections
import json
import pathlib
import subprocess
import sys

JUDGED = ("src/lib/", "src/os/linux")
SHOWN = ("src/lib/", "src/os/")


class Source:
    """What was counted of a file: by line, how often it and each of its branches was taken."""

    def __init__(self):
        self.lines = collections.Counter()
        self.branches = collections.defaultdict(collections.Counter)
        self.functions = {}

    def add(self, line):
        number = line["line_number"]
        self.lines[number] += line["count"]
        self.functions[number] = line.get("function_name", "")
        for index, branch in enumerate(line["branches"]):
            self.branches[number][index] += branch["count"]


def read(build, root):
    """File -> Source, of all that was compiled: each file is there several times."""
    sources = collections.defaultdict(Source)
    notes = build.rglob("*.gcno")
    notes = sorted(str(path) for path in notes if "src" in str(path.relative_to(build)))
    for start in range(0, len(notes), 50):
        text = subprocess.run(
            ["gcov", "--json-format", "--stdout", "--branch-probabilities"]
            + notes[start : start + 50],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, cwd=build,
        ).stdout
        for report in map(json.loads, text.splitlines()):
            for file in report["files"]:
                path = (build / file["file"]).resolve()
                if not path.is_relative_to(root / "src"):
                    continue
                for line in file["lines"]:
                    sources[str(path.relative_to(root))].add(line)
    return sources


def read_reasons(path):
    """(file, function, code) -> may it be taken?"""
    reasons, maybe = {}, None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("## "):
            maybe = line.startswith("## maybe: ")
        elif line.strip() and not line.startswith("#"):
            place = tuple(part.strip() for part in line.split(" | ", 2))
            if maybe is None or len(place) != 3 or place in reasons:
                sys.exit(f"{path}:{number}: a place of its own below a '## ' was expected: {line}")
            reasons[place] = maybe
    return reasons


def judge(name, source, text, places):
    """Count, and note of each place whether all of its branches are taken."""
    taken = total = 0
    for number, branches in sorted(source.branches.items()):
        code = text[number - 1].strip()
        if "assert(" in code or not branches:
            continue
        hit = sum(count > 0 for count in branches.values())
        taken, total = taken + hit, total + len(branches)
        place = (name, source.functions[number], code)
        places[place].append((number, hit == len(branches)))
    return taken, total


def percent(part, whole):
    return f"{part:5}/{whole:<5} {100 * part / whole if whole else 100:5.1f} %"


def main():
    build, reasons_path = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    root = pathlib.Path(__file__).resolve().parents[2]
    sources, reasons = read(build, root), read_reasons(reasons_path)
    sums, failures = collections.Counter(), []
    for name in sorted(sources):
        if not name.startswith(SHOWN) or not name.endswith(".c"):
            continue
        source, places = sources[name], collections.defaultdict(list)
        text = (root / name).read_text(encoding="utf-8").splitlines()
        taken, total = judge(name, source, text, places)
        lines = sum(count > 0 for count in source.lines.values())
        print(
            f"{name:28} lines {percent(lines, len(source.lines))}"
            f"  branches {percent(taken, total)}"
        )
        if not name.startswith(JUDGED):
            continue
        sums.update(taken=taken, total=total, lines=lines, all_lines=len(source.lines))
        for place, seen in places.items():
            missed = [number for number, is_taken in seen if not is_taken]
            if missed and place not in reasons:
                failures.append(f"{name}:{missed[0]}: not taken: {' | '.join(place)}")
            elif not missed and reasons.get(place) is False:
                failures.append(f"{name}:{seen[0][0]}: taken by now: {' | '.join(place)}")
            reasons.pop(place, None)
    failures += [f"{place[0]}: no such place: {' | '.join(place)}" for place in reasons]
    print(
        f"{'judged':28} lines {percent(sums['lines'], sums['all_lines'])}"
        f"  branches {percent(sums['taken'], sums['total'])}"
    )
    for failure in failures:
        print(failure)
    print(f"{len(failures)} places to look at")
    sys.exit(1 if failures else 0)


main()
