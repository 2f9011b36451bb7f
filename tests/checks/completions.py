#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `vortex VERB --help` names, the shells offer; and the three files parse.

usage: completions.py VORTEX DIRECTORY

A shell that is not installed is a failure where VORTEX_TEST_ALL is set (packaging/dev.sh sets
it), else it is said and left out.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

from cli import VERBS, help_text, options_in

FILES = {"bash": "vortex.bash", "zsh": "_vortex", "fish": "vortex.fish"}

ASK_BASH = """
. "$1"
for verb in $2; do
    for dash in - --; do
        COMP_WORDS=(vortex "$verb" "$dash") COMP_CWORD=2 COMPREPLY=()
        _vortex
        printf "$verb %s\\n" "${COMPREPLY[@]}"
    done
done
"""

ASK_FISH = """
source $argv[1]
for verb in (string split ' ' -- $argv[2])
    for dash in - --
        for word in (complete -C "vortex $verb $dash")
            echo $verb (string split \\t -- $word)[1]
        end
    end
end
"""

# zsh offers completions to a terminal only, so _arguments is replaced by one that shows its words.
ASK_ZSH = """
function _arguments { print -l -- ${@/#/"$verb "} }
for verb in ${=2}; do
    words=(vortex $verb -) CURRENT=3
    source $1
done
"""


def run(*command, **more):
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
        **more,
    )
    if done.returncode != 0 or done.stderr:
        raise SystemExit(f"{command[0]}: exit status {done.returncode}: {done.stderr}")
    return done.stdout


def offered(shell, path):
    """{(verb, option), ...}, asked of the shell itself."""
    verbs = " ".join(VERBS)
    if shell == "bash":
        text = run("bash", "--norc", "-c", ASK_BASH, "bash", path, verbs)
    elif shell == "fish":
        text = run("fish", "--no-config", "-c", ASK_FISH, path, verbs)
    else:
        text = run("zsh", "-f", "-c", ASK_ZSH, "zsh", path, verbs)
    pairs = set()
    for line in text.splitlines():
        verb, _, word = line.partition(" ")
        if shell == "zsh":  # "(-t --timeout)-t+[...]", "--json[...]"
            word = re.sub(r"^\([^)]*\)", "", word)
            word = re.match(r"(-*[\w-]*)", word).group(1)
        pairs.add((verb, word))
    return pairs


def main(vortex, directory):
    wanted = {
        (verb, option) for verb in VERBS for option in options_in(help_text(vortex, verb, "--help"))
    }
    mistakes = []
    if not wanted:
        mistakes.append("the help texts name no option at all")
    for shell, file in FILES.items():
        path = str(pathlib.Path(directory, file))
        text = pathlib.Path(path).read_text(encoding="utf-8")
        for option in sorted({option for _, option in wanted}):
            words = re.sub("^--?", "", option)
            spelled = option
            if shell == "fish":
                spelled = ("-l " if option.startswith("--") else "-s ") + words
            if not re.search(rf"(?<![\w-]){re.escape(spelled)}(?![\w-])", text):
                mistakes.append(f"{file}: '{option}' is missing")
        if not shutil.which(shell):
            if os.environ.get("VORTEX_TEST_ALL"):
                mistakes.append(f"{shell} is not installed, {file} could not be tried")
            else:
                print(f"SKIPPED: {shell} is not installed, {file} was not tried")
            continue
        run(shell, "-n", path)
        for verb, option in sorted(wanted - offered(shell, path)):
            mistakes.append(f"{file}: 'vortex {verb}' does not offer {option}")
    print("\n".join(mistakes + [f"{len(wanted)} options, {len(mistakes)} mistakes"]))
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
