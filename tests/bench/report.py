#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The benchmark's report: what its programs measured, as JSON, Markdown and charts.

    report.py make FIGURES PEERS OUT    from FIGURES/*.jsonl, and the versions in PEERS, into OUT
    report.py keep OUT REPORT README    copy it, and put its tables between README's two marks

The same figures make the same bytes.
"""

import datetime
import gzip
import html
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys

MARKS = ("<!-- figures: packaging/dev.sh bench -->", "<!-- end of figures -->")
OURS = ("vortex", "vortex run", "vortex start", "libvortex", "vortex, supervised", "a daemon of libvortex")
PACKAGES = [  # of the peers; what is unpacked, else what is installed
    "daemonize", "dpkg", "util-linux", "libbsd0", "daemon", "openrc", "supervisor", "monit", "runit",
    "s6", "tini", "dumb-init", "catatonit",
]  # fmt: skip
TOOLS = ["vortex", "daemonize", "start-stop-daemon", "libvortex", "libbsd", "flock"]
SUPERVISORS = ["vortex run", "runit", "s6", "supervisord", "daemon", "supervise-daemon", "monit"]
INITS = ["vortex run", "tini", "dumb-init", "catatonit", "none"]
SERVERS = [
    ("redis (tcp)", "redis (`tcp:`)"),
    ("nginx (http)", "nginx (`http://`)"),
    ("PostgreSQL (exec: pg_isready)", "PostgreSQL (`exec:pg_isready`)"),
    ("Python, listens after 2 s (tcp)", "Python, listens after 2 s (`tcp:`)"),
    ("Python, sd_notify", "Python, says so (`notify`)"),
]
HEADS = {
    "libvortex": "a daemon of libvortex",
    "libbsd": "a daemon of libbsd",
    "vortex run": "vortex",
    "none": "the server itself",
}
NOTHING = "–"

# (figure, words, unit)
START = [
    ("start_pidfile", "start, until the pidfile names the living server", "ms"),
    ("start_runs", "start, until the server's main() runs", "ms"),
    ("start_returns", "start, until the command returns", "ms"),
    ("stop_lag", "stop, from the server's death to the return", "ms"),
    ("stop_whole", "stop, the whole command", "ms"),
    ("status", "status of a running server", "ms"),
    ("list", "list of 1,000 running servers", "ms"),
]
FLOORS = {"start_pidfile": "start_returns", "start_runs": "start_returns", "stop_lag": None}
SUPERVISED = [
    ("supervised_start", "start, until the server's main() runs", "ms"),
    ("supervised_stop", "stop, until it returned and the server is dead", "ms"),
    ("restart", "KILL of the server, until the next one's main() runs", "ms"),
    ("supervised_status", "status of a running server", "ms"),
    ("memory", "memory for each of ten servers (PSS)", "KiB"),
    ("wakeups", "wake-ups a second, idle, of one server's supervisor", ""),
    ("logging", "250 MiB of output, until the last line is in the file", "ms"),
    ("many_start", "{} servers, until the last one runs", "s"),
    ("many_list", "status of all {}", "ms"),
    ("many_memory", "memory for each of {} servers (PSS)", "KiB"),
    ("most_start", "{} servers, until the last one runs", "s"),
    ("most_list", "status of all {}", "ms"),
    ("most_memory", "memory for each of {} servers (PSS)", "KiB"),
]
CONTAINER = [
    ("pid1_start", "container, until the server's main() runs", "ms"),
    ("pid1_stop", "TERM, until process 1 has ended", "ms"),
    ("pid1_memory", "memory of process 1 (PSS)", "KiB"),
    ("pid1_wakeups", "wake-ups a second, idle", ""),
    ("pid1_zombies", "an ended orphan stays a zombie", ""),
]
TRIALS = [
    ("two_starts", "two starts at once: not exactly one server"),
    ("reused_status", "reused pid: `status` says it runs"),
    ("reused_stop", "reused pid: `stop` signals the stranger"),
    ("reused_start", "reused pid: `start` starts nothing"),
    ("crashed_start", "after a power cut: `start` starts nothing"),
    ("orphaned_server", "supervisor killed, started again: a second server"),
    ("bad_stop", "bad pidfile: `stop` signals strangers, or hangs"),
    ("bad_start", "bad pidfile: no server, or another file is overwritten"),
]
SUBJECTS = [
    "vortex", "vortex, supervised", "a daemon of libvortex", "a daemon of libbsd",
    "start-stop-daemon -p -x", "start-stop-daemon -p", "daemonize -l", "flock", "daemon",
    "supervise-daemon", "monit", "supervisord", "runit", "s6",
]  # fmt: skip


# ---- Figures --------------------------------------------------------------------------------------


class Figures:
    """What was measured, by figure and peer."""

    def __init__(self, report):
        self.report = report
        self.rows = {(row["figure"], row["peer"]): row for row in report["figures"]}

    def get(self, figure, peer):
        return self.rows.get((figure, peer))

    def value(self, figure, peer):
        """The median, or the value; None: there is none."""
        row = self.get(figure, peer) or {}
        return row.get("median", row.get("value"))

    def share(self, figure, peer):
        row = self.get(figure, peer)
        return f"{row['count']} of {row['of']}" if row else NOTHING


def version_of(package, peers):
    """Of the unpacked package, else of the installed one; None: neither."""
    changes = pathlib.Path(peers) / "share" / "doc" / package / "changelog.Debian.gz"
    if changes.exists():
        with gzip.open(changes, "rt", encoding="utf-8") as lines:
            return re.search(r"\((.*?)\)", next(lines)).group(1)
    asked = ["dpkg-query", "--show", "--showformat=${Version}", package]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    return done.stdout or None


def processor():
    text = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
    name = re.search(r"^model name\s*: (.*)$", text, re.M)
    return name.group(1) if name else platform.machine()


def gather(figures, peers):
    """All rows of all programs, and where they were measured."""
    versions = {package: version_of(package, peers) for package in PACKAGES}
    commit = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    done = subprocess.run(commit, capture_output=True, text=True, check=False)
    rows = []
    for path in sorted(pathlib.Path(figures).glob("*.jsonl")):
        rows += [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    seen = pathlib.Path("/proc/meminfo").read_text(encoding="utf-8")
    return {
        "date": datetime.date.today().isoformat(),
        "vortex": done.stdout.strip() or "unknown",
        "machine": {
            "system": f"{platform.system()} {platform.release()} {platform.machine()}",
            "processor": processor(),
            "processors": os.cpu_count(),
            "memory_mib": int(re.search(r"MemTotal: *(\d+)", seen).group(1)) // 1024,
        },
        "quick": "VORTEX_BENCH_QUICK" in os.environ,
        "versions": {name: version for name, version in versions.items() if version},
        "figures": rows,
    }


# ---- Markdown -------------------------------------------------------------------------------------


def number(value, unit):
    """As many digits as say something."""
    digits = 0 if value >= 100 or unit == "KiB" else 1 if value >= 10 or unit == "" else 2
    return f"{value:,.{digits}f}" + (f" {unit}" if unit else "")


def cell(figures, figure, peer, unit, floor=None):
    """The median, in times the floor, and the p95 where there is one."""
    value = figures.value(figure, peer)
    if value is None:
        row = figures.get(figure, peer)
        return ("yes" if row["count"] else "no") if row else NOTHING
    text = number(value, unit)
    if floor:
        text += f" ({value / floor:.1f}×)"
    row = figures.get(figure, peer)
    if row.get("samples", 0) >= 5 and unit == "ms":
        text += f", {number(row['p95'], 'ms').removesuffix(' ms')}"
    return text


def line(cells):
    return "| " + " | ".join(cells) + " |"


def table(head, rows):
    return "\n".join([line(head), "|---|" + "--:|" * (len(head) - 1), *map(line, rows)]) + "\n"


def heads(peers):
    return [f"**{HEADS.get(x, x)}**" if x in OURS else HEADS.get(x, x) for x in peers]


def start_table(figures):
    rows = []
    for figure, words, unit in START:
        base = FLOORS.get(figure, figure)
        floor = figures.value(base, "empty") if base else None
        cells = [cell(figures, figure, peer, unit, floor) for peer in TOOLS]
        rows.append([words, *cells, cell(figures, base, "empty", unit) if base else NOTHING])
    rows.append(
        ["start returned before the pidfile named the server"]
        + [figures.share("early_returns", peer) for peer in TOOLS]
        + [""]
    )
    rows.append(
        ["50 starts at once: rounds with more than one server"]
        + [figures.share("fifty_starts", peer) for peer in TOOLS]
        + [""]
    )
    return table(["Median (times the floor), p95", *heads(TOOLS), "floor: an empty C program"], rows)


def supervised_cell(figures, figure, peer, unit):
    text = cell(figures, figure, peer, unit)
    crowd, _, what = figure.partition("_")
    running = figures.get(f"{crowd}_running", peer) if what == "start" else None
    if running and running["count"] < running["of"]:
        return f"{running['count']:,} in {text}"
    if figure == "supervised_stop" and figures.get("early_stops", peer):
        return text + " (returns before)"
    return text


def supervised_table(figures):
    rows = []
    for figure, words, unit in SUPERVISED:
        crowd = figures.get(f"{figure.partition('_')[0]}_running", "vortex run")
        cells = (supervised_cell(figures, figure, peer, unit) for peer in SUPERVISORS)
        rows.append([words.format(f"{crowd['of']:,}" if crowd else ""), *cells])
    return table(["Median, p95", *heads(SUPERVISORS)], rows)


def container_table(figures):
    rows = [
        [words, *(cell(figures, figure, peer, unit) for peer in INITS)]
        for figure, words, unit in CONTAINER
    ]
    return table(["Median, p95", *heads(INITS)], rows)


def trials_table(figures):
    rows = [
        [heads([peer])[0], *(figures.share(trial, peer) for trial, _ in TRIALS)]
        for peer in SUBJECTS
    ]
    return table(["Went wrong", *(words for _, words in TRIALS)], rows)


def serving_table(figures):
    rows = [
        [words, cell(figures, "serving", name, "ms"), figures.share("serving_before", name)]
        for name, words in SERVERS
    ]
    return table(["", "median, p95", "returned before it serves"], rows)


def where(report):
    machine = report["machine"]
    load = Figures(report).value("load_before", "machine")
    day = datetime.date.fromisoformat(report["date"])
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    return (
        f"Measured in one run, in turns, by `packaging/dev.sh bench` on {day.day} {day:%B %Y}: Vortex "
        f"{report['vortex']}, {machine['system']}, {machine['processors']} processors "
        f"({machine['processor']}), {machine['memory_mib'] / 1024:.0f} GiB"
        + (f", load average {load:.1f} before" if load is not None else "")
        + (". TRIED ONLY, with few rounds" if report["quick"] else "")
        + f". Peers, as Debian has them: {versions}.\n"
    )


def markdown(report, charts):
    """charts: the folder of the charts, as seen from the file."""
    figures = Figures(report)
    images = {name: f"![{title}]({charts}{name}.svg)\n" for name, title, *_ in CHARTS}
    return "\n".join(
        [
            where(report),
            start_table(figures),
            images["start"],
            "Supervised:\n",
            supervised_table(figures),
            images["restart"],
            images["memory"],
            images["logging"],
            "Process 1 of a container (the time for the container itself is in each figure):\n",
            container_table(figures),
            "`vortex start` returns when the server serves. From the first answer to a client that asks in a"
            "\ntight loop:\n",
            serving_table(figures),
            "What goes wrong, by the same trials for each:\n",
            trials_table(figures),
        ]
    )


# ---- Charts ---------------------------------------------------------------------------------------

# name, title, figure, unit, peers, floor
CHARTS = [
    ("start", "Start, until the server's main() runs (median to p95, ms)", "start_runs", "ms", TOOLS),
    ("restart", "KILL of the server, until the next one runs (ms)", "restart", "ms", SUPERVISORS),
    ("memory", "Memory for each of ten servers (PSS, KiB)", "memory", "KiB", SUPERVISORS),
    ("logging", "250 MiB of output, until it is in the file (ms)", "logging", "ms", SUPERVISORS),
]
WIDTH, LABEL, ROW, TOP = 760, 190, 26, 44


def bar(y, row, name, unit, scale):
    """One peer's: its median, and a thin line to its p95."""
    median, p95 = row["median"], row["p95"]
    color = "#1a7f5a" if name in OURS else "#8a94a0"
    shown = HEADS.get(name, name)
    parts = [
        f'<text x="{LABEL - 8}" y="{y + 15}" text-anchor="end">{html.escape(shown)}</text>',
        f'<rect x="{LABEL}" y="{y + 3}" width="{max(median * scale, 1):.1f}" height="16" fill="{color}"/>',
    ]
    if p95 > median:
        parts.append(
            f'<path d="M{LABEL + median * scale:.1f} {y + 11}H{LABEL + p95 * scale:.1f}'
            f'm0 -4v8" stroke="#444" fill="none"/>'
        )
    end = LABEL + max(p95, median) * scale + 6
    return parts + [f'<text x="{end:.1f}" y="{y + 15}">{number(median, unit)}</text>']


def chart(figures, title, figure, unit, peers):
    """Bars, the shortest first."""
    rows = [(figures.get(figure, peer), peer) for peer in peers]
    rows = sorted((x for x in rows if x[0]), key=lambda x: (x[0]["median"], x[1]))
    floor = figures.value("start_returns", "empty") if figure == "start_runs" else None
    most = max((max(row["p95"], row["median"]) for row, _ in rows), default=1) or 1
    scale = (WIDTH - LABEL - 100) / most
    height = TOP + ROW * len(rows) + 12
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="12" y="24" font-size="15" font-weight="bold">{html.escape(title)}</text>',
    ]
    for i, (row, peer) in enumerate(rows):
        parts += bar(TOP + ROW * i, row, peer, unit, scale)
    if floor:
        x = LABEL + floor * scale
        parts.append(
            f'<path d="M{x:.1f} {TOP - 4}V{height - 10}" stroke="#c33" stroke-dasharray="4 3"/>'
            f'<text x="{x + 4:.1f}" y="{TOP - 4}" fill="#c33" font-size="11">an empty program</text>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


# ---- Commands -------------------------------------------------------------------------------------


def text_of(report):
    """JSON with a line for each figure."""
    rows = ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in report["figures"])
    head = json.dumps(report | {"figures": []}, indent=1, ensure_ascii=False)
    return head.replace('"figures": []', f'"figures": [\n{rows}\n ]') + "\n"


def make(figures, peers, out):
    out = pathlib.Path(out)
    report = gather(figures, peers)
    out.mkdir(parents=True, exist_ok=True)
    (out / "report.json").write_text(text_of(report), encoding="utf-8")
    (out / "report.md").write_text("# Figures\n\n" + markdown(report, ""), encoding="utf-8")
    for name, *more in CHARTS:
        (out / f"{name}.svg").write_text(chart(Figures(report), *more), encoding="utf-8")
    print(f"written: {out}/report.json, report.md and {len(CHARTS)} charts")


def keep(out, report, readme):
    out, report, readme = map(pathlib.Path, (out, report, readme))
    report.mkdir(parents=True, exist_ok=True)
    for path in sorted(out.glob("report.*")) + sorted(out.glob("*.svg")):
        shutil.copyfile(path, report / path.name)
    figures = json.loads((report / "report.json").read_text(encoding="utf-8"))
    charts = os.path.relpath(report, readme.parent) + "/"
    text = readme.read_text(encoding="utf-8")
    before, begin, rest = text.partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not begin or not end:
        sys.exit(f"report.py: {readme} lacks the line '{MARKS[0]}' or, behind it, '{MARKS[1]}'")
    new = f"{before}{begin}\n{markdown(figures, charts)}{end}{after}"
    readme.write_text(new, encoding="utf-8")
    print(f"written: {report}/, and the figures in {readme}")


def main(words):
    commands = {"make": make, "keep": keep}
    if len(words) != 5 or words[1] not in commands:
        sys.exit(__doc__)
    commands[words[1]](*words[2:])


if __name__ == "__main__":
    main(sys.argv)
