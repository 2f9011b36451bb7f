# SPDX-License-Identifier: Apache-2.0
"""What the checks know of the command line: its verbs, and how to ask for their help."""

import re
import subprocess

VERBS = "run start stop restart reload status list signal wait logs notify unit service check version help".split()


def help_text(vortex, *words):
    """What vortex says on standard output when asked for help, which must be a success."""
    command = [vortex, *words]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10, check=False
    )
    if done.returncode != 0 or done.stderr or not done.stdout:
        raise SystemExit(
            f"{' '.join(command)}: exit status {done.returncode},"
            f" {len(done.stdout)} bytes of help, on standard error: {done.stderr!r}"
        )
    return done.stdout


def options_in(text):
    """The options that a help text names: {"--timeout", "-t", ...}; a lone -- is none."""
    return set(re.findall(r"(?<![\w-])(--[a-z][a-z0-9-]*|-[A-Za-z])(?![\w-])", text))
