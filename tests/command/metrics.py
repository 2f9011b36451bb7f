#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Standard input is Prometheus' text format, as strict as its own linter reads it.

usage: metrics.py                   print each sample as NAME {LABELS AS JSON} VALUE, or mistakes
"""

import json
import re
import sys

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)')
SAMPLE = re.compile(r"(" + NAME + r")(?:\{(.*)\})? (-?[0-9]+(?:\.[0-9]+)?)$")
UNITS = re.compile(r"_(ms|milliseconds|minutes|hours|kib|mib|kilobytes|percent)(_|$)")
ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


def labels_of(text):
    """{label: value}, unescaped; None where that is no list of labels."""
    found, at = {}, 0
    while text is not None and at < len(text):
        match = LABEL.match(text, at)
        if match is None or match.group(1) in found:
            return None
        found[match.group(1)] = re.sub(r'\\[\\"n]', lambda x: ESCAPES[x.group()], match.group(2))
        at = match.end()
    return found


def check_name(name, kind):
    if (kind == "counter") != name.endswith("_total"):
        yield f"{name}: a counter, and nothing else, ends in _total"
    if UNITS.search(name):
        yield f"{name}: its unit is no base unit"
    if not name.startswith("vortex_"):
        yield f"{name}: is not vortex'"
    if re.search(r"_(gauge|counter|bucket|count|sum)$", name):
        yield f"{name}: ends like another type's"


def check(lines, samples):
    """Mistakes; the samples are added to that list."""
    helped, kinds, current, seen = set(), {}, None, set()
    for number, line in enumerate(lines, 1):
        word = re.match(r"# (HELP|TYPE) (" + NAME + r") (\S.*)$", line)
        sample = SAMPLE.match(line)
        if word and word.group(1) == "HELP":
            current = word.group(2)
            if current in helped:
                yield f"{number}: a second HELP of {current}"
            helped.add(current)
        elif word:
            if word.group(2) != current or current in kinds:
                yield f"{number}: TYPE doesn't follow its HELP"
            if word.group(3) not in ("gauge", "counter"):
                yield f"{number}: no such type: {word.group(3)}"
            kinds[current] = word.group(3)
            yield from check_name(current, word.group(3))
        elif sample and sample.group(1) == current and current in kinds:
            labels = labels_of(sample.group(2))
            key = (current, json.dumps(labels, sort_keys=True))
            if labels is None or "instance" not in labels:
                yield f"{number}: bad labels: {line}"
            if key in seen:
                yield f"{number}: a second sample: {line}"
            seen.add(key)
            samples.append((*key, sample.group(3)))
        else:
            yield f"{number}: is neither HELP, TYPE nor a sample of {current}: {line}"
    if not samples:
        yield "there is no sample"


def main():
    text = sys.stdin.buffer.read().decode("utf-8")  # which also is a check
    samples = []
    mistakes = list(check(text.split("\n")[:-1], samples))
    if not text.endswith("\n"):
        mistakes.append("the last line has no end")
    print("\n".join(mistakes or [" ".join(x) for x in samples]))
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main())
