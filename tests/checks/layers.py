#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Calls go down: who may include what, who may print, and who may ask for more than ISO C.

usage: layers.py SOURCE_ROOT
"""

import fnmatch
import pathlib
import re
import sys

ISO_C = set(
    "assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal "
    "stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string tgmath "
    "threads time uchar wchar wctype".split()
)

# Folder of src -> the headers of ours that its files may include, and whether any system header.
ROOMS = {
    "os": (["vortex.h", "os/*.h", "windows_messages.h"], True),
    "lib": (["vortex.h", "os/os.h", "lib/core.h"], False),
    "host": (["vortex.h", "os/os.h", "lib/core.h", "host/*.h"], False),
    "cmd": (["vortex.h", "cmd/*.h", "host/*.h"], False),
    ".": ([], False),
}
SPEAKERS = (
    "cmd/say.c",
    "cmd/say_help.c",
    "cmd/say_json.c",
    "cmd/say_line.c",
    "cmd/say_metrics.c",
    "cmd/say_status.c",
)

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]')
ANY_INCLUDE = re.compile(r"^[ \t]*#[ \t]*(?:include|import)\b.*", re.M)
CONDITION = re.compile(r"^[ \t]*#[ \t]*(if|ifdef|ifndef|elif|else)\b[ \t]*(\w*)", re.M)
DIRECTIVE = re.compile(r"^[ \t]*#[ \t]*(\w+)[ \t]*(\w*)", re.M)
FEATURE = re.compile(r"\b_(?:GNU|DEFAULT|BSD|SVID|XOPEN|POSIX|POSIX_C|ATFILE|ISOC\d+)_SOURCE\b")
PRINT = re.compile(
    r"\b(?:v?w?printf|puts|putchar|putwchar|perror|psignal|v?warnx?|v?errx?)\s*\("
    r"|\b(?:stdout|stderr)\b"
    r"|\b(?:write|v?dprintf)\s*\(\s*(?:[12]|STDOUT_FILENO|STDERR_FILENO)\s*,"
)
SKIP = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S)


def blank(text, keep_strings):
    """The text without comments (and strings), line numbers unchanged."""

    def replace(match):
        found = match.group()
        if keep_strings and found[0] in "\"'":
            return found
        return '""' + "\n" * found.count("\n")

    return SKIP.sub(replace, text)


def line_of(text, match):
    return text.count("\n", 0, match.start()) + 1


def check_includes(room, text, all_ours):
    ours, any_system = ROOMS[room]
    for match in ANY_INCLUDE.finditer(text):
        line = line_of(text, match)
        parts = INCLUDE.match(match.group())
        if not parts:
            yield line, "includes by a macro: " + match.group().strip()
            continue
        style, name = parts.groups()
        spelled = f'"{name}"' if style == '"' else f"<{name}>"
        if style == '"' or name in all_ours:
            if style != '"' or not any(fnmatch.fnmatchcase(name, word) for word in ours):
                yield line, f"may not include {spelled}"
        elif not any_system and not (name.endswith(".h") and name[:-2] in ISO_C):
            yield line, f"may not include {spelled}: not ISO C"


def check_conditions(name, text):
    """No #if at all, but for the include guard of a header."""
    guard = None
    if name.endswith(".h"):
        first = DIRECTIVE.search(text)
        if first and first.group(1) == "ifndef":
            guard = first.start()
        else:
            yield 1, "has no include guard"
    for match in CONDITION.finditer(text):
        if match.start() != guard:
            yield line_of(text, match), f"#{match.group(1)}: meson picks files, #if picks nothing"


def check_file(name, room, raw, all_ours):
    text = blank(raw, keep_strings=True)
    bare = blank(raw, keep_strings=False)
    yield from check_includes(room, text, all_ours)
    if room != ".":
        yield from check_conditions(name, text)
    if name not in SPEAKERS:
        for match in PRINT.finditer(bare):
            yield line_of(bare, match), f"prints ({match.group()}): only cmd/say*.c does"
    if room != "os":
        for match in FEATURE.finditer(raw):
            yield line_of(raw, match), f"mentions {match.group()}: only src/os may"


def main(root):
    src = pathlib.Path(root, "src")
    files = sorted(p for p in src.rglob("*") if p.suffix in (".c", ".h"))
    names = {p.relative_to(src).as_posix() for p in files}
    seen = {room: 0 for room in ROOMS}
    mistakes = 0
    for path in files:
        name = path.relative_to(src).as_posix()
        room = name.rpartition("/")[0] or "."
        if room in ROOMS:
            seen[room] += 1
            found = check_file(name, room, path.read_text(encoding="utf-8"), names)
        else:
            found = [(1, "stands in no room that style.md knows")]
        for line, what in found:
            print(f"src/{name}:{line}: {what}")
            mistakes += 1
    for room, count in seen.items():
        if count == 0:
            print(f"src/{room}: no files were found, so nothing was checked")
            mistakes += 1
    print(f"{len(files)} files, {mistakes} mistakes")
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
