#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The documents say what the code does: functions, verbs, options, state keys, examples.

usage: docs.py SOURCE_ROOT VORTEX [CC LIBVORTEX_A]

CC may be several words. Without it the examples are not compiled.
"""

import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

from cli import help_text, options_in

STRICT = "-std=c11 -Wall -Wextra -Wpedantic -Werror".split()
COMMANDS = ("packaging/dev.sh run", "packaging/dev.sh test")
TOP = 25  # lines of README.md in which they stand


class Page:
    """A manual page in mdoc: its lines by section."""

    def __init__(self, path):
        self.name = path.name
        self.sections = {}
        lines = []
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith(".Sh "):
                lines = self.sections.setdefault(line[4:], [])
            elif not line.startswith('.\\"'):
                lines.append(line)

    def lines(self, section, macro):
        """What stands after that macro at the start of lines."""
        start = f".{macro} "
        return [x[len(start) :] for x in self.sections.get(section, []) if x.startswith(start)]

    def text(self, *sections):
        """Words as a reader sees them, but for spaces before punctuation."""
        lines = [x for name in sections for x in self.sections.get(name, [])]
        return " ".join(re.sub(r"^\.(?:[A-Z][a-z] )*", "", x) for x in lines)


# ---- vortex.3 -------------------------------------------------------------------------------


def normal(prototype):
    """One spelling for a prototype: single blanks, none around * ( ) and commas."""
    return re.sub(r"\s*([*(),])\s*", r"\1", " ".join(prototype.split()))


def declared(header):
    """{function: prototype} of a header's VORTEX_API functions."""
    code = re.sub(r"/\*.*?\*/", " ", header, flags=re.S)
    code = re.sub(r"^\s*#.*$", "", code, flags=re.M)
    found = (normal(x) for x in re.findall(r"\bVORTEX_API\s+([^;]+);", code))
    return {re.search(r"(\w+)\(", x).group(1): x for x in found}


def documented(page):
    """{function: prototype} of a page's SYNOPSIS."""
    found = {}
    answer, name, arguments = "", None, []
    for line in page.sections.get("SYNOPSIS", []):
        macro, _, rest = line.partition(" ")
        if macro == ".Ft":
            answer = rest
        elif macro == ".Fn":
            name, *arguments = shlex.split(rest)
        elif macro == ".Fo":
            name, arguments = rest, []
        elif macro == ".Fa":
            arguments += shlex.split(rest)
        if macro in (".Fn", ".Fc"):
            found[name] = normal(f"{answer} {name}({','.join(arguments)})")
    return found


def check_functions(header, page):
    """Each function stands in NAME, in SYNOPSIS as it is declared, and is described."""
    known, said = declared(header), documented(page)
    names = " ".join(page.lines("NAME", "Nm")).replace(",", " ").split()
    told = {x.split()[0] for x in page.lines("DESCRIPTION", "Fn")}
    if not known:
        yield "vortex.h: there is no VORTEX_API function"
    for name, prototype in known.items():
        if name not in names:
            yield f"{page.name}: NAME lacks {name}"
        if name not in told:
            yield f"{page.name}: DESCRIPTION lacks {name}"
        if said.get(name) != prototype:
            yield f"{page.name}: SYNOPSIS has {said.get(name)}, the header {prototype}"
    for name in (set(said) | set(names)) - set(known):
        yield f"{page.name}: vortex.h has no {name}"


# ---- vortex.1 -------------------------------------------------------------------------------


def flags(line):
    """The options in a line of mdoc, --assume with its values: ["--assume stale", "-c"]."""
    words = [x for x in line.lstrip(".").split() if x not in (",", "|", "Ar", "Cm", "Op", "No")]
    found = []
    for at, word in enumerate(words):
        if at == 0 or words[at - 1] != "Fl" or word == "-":
            continue
        values = [x for x in words[at + 1 :] if x in ("stale", "running")]
        found += [f"-{word} {x}" for x in values] if word == "-assume" else [f"-{word}"]
    return found


def helped(text):
    """The options in a help text, --assume with its values."""
    values = re.findall(r"--assume (?:stale|running)", text)
    return (options_in(text) - {"--assume"}) | set(values)


def synopses(page):
    """{verb: its options} of a page's SYNOPSIS."""
    found, verb = {}, None
    for line in page.sections.get("SYNOPSIS", []):
        if line.startswith(".Cm "):
            verb = line[4:]
            found[verb] = set()
        elif verb is not None:
            found[verb].update(flags(line))
    return found


def check_verbs(vortex, page):
    """Each verb and option of the help stands in the page, and no others."""
    verbs = re.findall(r"^  ([a-z]+) ", help_text(vortex, "--help"), flags=re.M)
    described = page.lines("VERBS", "It Cm")
    items = [flags(x) for x in page.lines("OPTIONS", "It")]
    other_name = {x: item[-1] for item in items for x in item}
    said = synopses(page)
    everything = set()
    if not verbs:
        yield "vortex --help names no verb"
    for verb in verbs:
        if verb not in described:
            yield f"{page.name}: VERBS lacks '{verb}'"
        options = helped(help_text(vortex, verb, "--help"))
        everything |= options
        want = {other_name.get(x, x) for x in options} - {"--help"}
        have = {other_name.get(x, x) for x in said.get(verb, {"no synopsis"})}
        if want != have:
            odd = ", ".join(sorted(want ^ have))
            yield f"{page.name}: SYNOPSIS of '{verb}' and its --help differ: {odd}"
    for verb in (set(described) | set(said)) - set(verbs):
        yield f"{page.name}: 'vortex --help' has no '{verb}'"
    for option in sorted(everything ^ set(other_name)):
        yield f"{page.name}: OPTIONS and the help of the verbs differ: {option}"


def check_state(source, page):
    """Each key that state.c writes stands in FILES."""
    keys = re.findall(r'\bput\w*\(&?out, "([^"]+)"', source)
    if not keys:
        yield "state.c: no key was found"
    for key in keys:
        if key not in page.lines("FILES", "It Cm"):
            yield f"{page.name}: FILES lacks the state's key '{key}'"


def check_reasons(source, page):
    """Each reason of a verdict stands in VERDICTS."""
    calls = re.findall(r'\bdecide\w*\(look,[^"{;]*"([^"]+)"\)', source)
    text = page.text("VERDICTS")
    if not calls:
        yield "verdict.c: no reason was found"
    for reason in calls:
        if reason not in text:
            yield f"{page.name}: VERDICTS lacks the reason '{reason}'"


# ---- Examples and README.md -----------------------------------------------------------------


def examples(page, readme):
    """(where, C source) of each complete program in the documents."""
    escapes = {"\\e": "\\", "\\&": "", "\\-": "-"}
    text = "\n".join(page.sections.get("EXAMPLES", []))
    for source in re.findall(r"^\.Bd -literal[^\n]*\n(.*?)^\.Ed$", text, re.S | re.M):
        # an escape that is none here, such as \n for \en, becomes what doesn't compile
        yield page.name, re.sub(r"\\.", lambda x: escapes.get(x.group(), '"ESCAPE'), source)
    for source in re.findall(r"^```c\n(.*?)^```$", readme, re.S | re.M):
        yield "README.md", source


def check_examples(found, include, cc, library):
    """Each compiles without a warning, and links."""
    for where in ("vortex.3", "README.md"):
        if where not in [x for x, _ in found]:
            yield f"{where}: there is no example in C"
    if cc is None:
        return
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "example.c"
        for where, source in found:
            path.write_text(source, encoding="utf-8")
            command = [*cc, *STRICT, "-I", include, path, library, "-o", path.with_suffix("")]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                yield f"{where}: an example does not compile:\n{done.stderr}"


def check_readme(readme):
    """The two commands stand near the top."""
    top = "\n".join(readme.splitlines()[:TOP])
    for command in COMMANDS:
        if command not in top:
            yield f"README.md: its first {TOP} lines lack '{command}'"


def main(root, vortex, cc=None, library=None):
    """Print every mistake."""
    src = pathlib.Path(root) / "src"
    page1, page3 = Page(src / "vortex.1"), Page(src / "vortex.3")
    readme = (pathlib.Path(root) / "README.md").read_text(encoding="utf-8")
    found = list(examples(page3, readme))
    mistakes = [
        *check_functions((src / "vortex.h").read_text(encoding="utf-8"), page3),
        *check_verbs(vortex, page1),
        *check_state((src / "lib" / "state.c").read_text(encoding="utf-8"), page1),
        *check_reasons((src / "lib" / "verdict.c").read_text(encoding="utf-8"), page1),
        *check_examples(found, src, cc and shlex.split(cc), library),
        *check_readme(readme),
    ]
    compiled = f"{len(found)} examples {'compiled' if cc else 'not compiled'}"
    print("\n".join(mistakes + [f"{compiled}, {len(mistakes)} mistakes"]))
    return 1 if mistakes else 0


if __name__ == "__main__":
    if len(sys.argv) not in (3, 5):
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
