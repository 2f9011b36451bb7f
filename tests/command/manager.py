#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a service manager hears of vortex, by sd_notify's socket and by a newline's descriptor.

usage: manager.py VORTEX

Prints TAP. Whatever is waited for comes as a message, a file or a death; 100 seconds mean never.
"""

import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

NEVER = 100  # seconds
VORTEX = str(pathlib.Path(sys.argv[1]).resolve())


class Broken(Exception):
    """A promise is not kept."""


def check(holds, what):
    if not holds:
        raise Broken(what)


def eventually(holds, what):
    end = time.monotonic() + NEVER
    while not holds():
        check(time.monotonic() < end, f"never: {what}")
        time.sleep(0.005)


def state_of(m):
    lines = (m.dir / "x.pid.state").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)


def catches(m, number):
    """Does the server catch that signal by now?"""
    status = pathlib.Path(f"/proc/{state_of(m)['server-pid']}/status").read_text(encoding="utf-8")
    caught = [line for line in status.splitlines() if line.startswith("SigCgt:")][0]
    return int(caught.split()[1], 16) >> (number - 1) & 1


class Manager:
    """A directory, a manager's socket, and what is hosted there."""

    def __init__(self, directory):
        self.dir = pathlib.Path(directory)
        self.pidfile = self.dir / "x.pid"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.socket.bind(str(self.dir / "notify"))
        self.socket.settimeout(NEVER)
        self.process = None
        self.heard = []  # assignments, all of them in their order
        self.sender = 0

    def run(self, *command, config=None, notify_fd=None, **environment):
        words = [VORTEX, "run", "-p", str(self.pidfile)]
        if config is not None:
            (self.dir / "x.conf").write_text(config.format(dir=self.dir), encoding="utf-8")
            words += ["-c", str(self.dir / "x.conf")]
        if notify_fd is not None:
            words += [f"--notify-fd={notify_fd}"]
        if command:
            words += ["--", *command]
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("NOTIFY_", "WATCHDOG_"))}
        told = {"NOTIFY_SOCKET": str(self.dir / "notify"), **environment}
        self.process = subprocess.Popen(
            words,
            env={**kept, **{k: v for k, v in told.items() if v}},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[int(fd) for fd in (told.get("NOTIFY_FD"), notify_fd) if fd is not None],
        )

    def hear(self):
        """The next message's lines; descriptors that come with it are closed."""
        text, control, _, _ = self.socket.recvmsg(4096, 4096)
        for _, kind, data in control:
            if kind == socket.SCM_RIGHTS:
                for (descriptor,) in struct.iter_unpack("i", data):
                    os.close(descriptor)
            else:
                self.sender = struct.unpack("iii", data)[0]
        lines = text.decode().split("\n")
        self.heard += lines
        return lines

    def until(self, start):
        """All lines up to the one which starts so."""
        lines = []
        while not any(line.startswith(start) for line in lines):
            lines += self.hear()
        return lines

    def end(self):
        """TERM; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(NEVER)

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.socket.close()


# ---- The promises -------------------------------------------------------------------------------


def ready_is_said_in_exec_mode_and_the_watchdog_turned_off(m):
    m.run("sleep", "1000", WATCHDOG_USEC="5000000")
    check(m.hear() == ["READY=1", "WATCHDOG_USEC=0"], m.heard)
    check(m.sender == m.process.pid, f"by {m.sender}")
    check(int(m.pidfile.read_text(encoding="utf-8")) == m.process.pid, "another pid in the file")
    check(m.end() == -signal.SIGTERM, "another end")


def a_server_that_speaks_for_itself_in_exec_mode_is_not_interrupted(m):
    script = f"{VORTEX} notify READY=1 'STATUS=by myself'; exec sleep 1000"
    config = "[server]\nsupervise = no\n[ready]\nwhen = notify\n"
    m.run("sh", "-c", script, config=config, WATCHDOG_USEC="5000000")
    check(m.hear() == ["READY=1", "STATUS=by myself"], m.heard)
    check(m.hear() == ["BARRIER=1"], m.heard)
    m.end()


def the_built_in_server_says_all_there_is_to_say(m):
    m.run()
    check(m.hear() == ["READY=1"], m.heard)
    m.process.send_signal(signal.SIGHUP)
    reloading = m.hear()
    check(reloading[0] == "RELOADING=1" and reloading[1].startswith("MONOTONIC_USEC="), reloading)
    check(m.hear() == ["READY=1"], m.heard)
    check(m.end() == 0, "another end")
    check(m.hear() == ["STOPPING=1"], m.heard)


def a_supervisor_is_ready_when_the_server_is(m):
    m.run("sleep", "1000", config="[ready]\nwhen = file:{dir}/serves\ntimeout = 70s\n")
    starting = m.until("EXTEND_TIMEOUT_USEC=")
    patience = [line for line in starting if line.startswith("EXTEND_TIMEOUT_USEC=")]
    check(patience and 70e6 < int(patience[0].split("=")[1]) <= 75e6, m.heard)
    check("READY=1" not in m.heard, m.heard)
    (m.dir / "serves").touch()
    m.until("READY=1")
    check(m.sender == m.process.pid, f"by {m.sender}")
    m.process.send_signal(signal.SIGTERM)
    m.until("STOPPING=1")
    check(m.process.wait(NEVER) == 0, "another end")
    check(m.heard.count("READY=1") == 1, m.heard)


def a_restart_by_the_supervisor_is_no_end_for_the_manager(m):
    config = "[restart]\npolicy = always\ndelay = 1s\n"
    m.run("sh", "-c", f"echo >>{m.dir}/starts; exec sleep 1000", config=config)
    m.until("READY=1")
    os.kill(int(state_of(m)["server-pid"]), signal.SIGKILL)
    m.until("STATUS=restarting")
    m.until("STATUS=ready")
    check("STOPPING=1" not in m.heard, m.heard)
    check(m.end() == 0, "another end")


def a_reload_lasts_until_the_server_is_ready_again(m):
    (m.dir / "serves").touch()
    script = f"trap 'echo >{m.dir}/told' HUP; while :; do sleep 0.01; done"
    m.run("sh", "-c", script, config="[ready]\nwhen = file:{dir}/serves\n")
    m.until("READY=1")
    eventually(lambda: catches(m, signal.SIGHUP), "the server's trap")
    (m.dir / "serves").unlink()  # here, not by the trap, which may come late on a busy machine
    reload = subprocess.Popen([VORTEX, "reload", "-c", m.dir / "x.conf", "-p", m.pidfile])
    reloading = m.until("RELOADING=1")
    moment = reloading[reloading.index("RELOADING=1") + 1]
    check(moment.startswith("MONOTONIC_USEC="), reloading)
    eventually((m.dir / "told").exists, "the server's reload")
    check(reload.poll() is None and m.heard.count("READY=1") == 1, "it was not waited for")
    (m.dir / "serves").touch()
    m.until("READY=1")
    check(reload.wait(NEVER) == 0, "the reload failed")
    m.end()


def the_watchdog_is_fed_while_the_check_holds(m):
    config = "[health]\ncheck = file:{dir}/well\ninterval = 20ms\nfailures = 1\naction = none\n"
    (m.dir / "well").touch()
    m.run("sleep", "1000", config=config, WATCHDOG_USEC="100000")
    for _ in range(3):
        m.until("WATCHDOG=1")
    (m.dir / "well").unlink()
    m.until("STATUS=ready: not healthy")
    (m.dir / "well").touch()
    ill = m.until("STATUS=ready")
    check("WATCHDOG=1" not in ill[: ill.index("STATUS=ready")], ill)
    m.until("WATCHDOG=1")
    m.end()


def what_a_server_says_is_passed_up(m):
    script = (
        f"{VORTEX} notify READY=1 'STATUS=my own words';"
        f"{VORTEX} notify WATCHDOG=1; {VORTEX} notify ERRNO=5; exec sleep 1000"
    )
    m.run("sh", "-c", script, config="[ready]\nwhen = notify\n", WATCHDOG_USEC="1000000")
    m.until("STATUS=ready: my own words")
    m.until("ERRNO=5")
    check("WATCHDOG=1" in m.heard, m.heard)
    m.end()


def a_supervised_server_does_not_take_the_managers_words_for_its_own(m):
    m.run(
        "sh",
        "-c",
        f"env >{m.dir}/part; mv {m.dir}/part {m.dir}/env; exec sleep 1000",
        config="[server]\nsupervise = yes\n",
        WATCHDOG_USEC="1000000",
    )
    eventually((m.dir / "env").exists, "the server's environment")
    environment = (m.dir / "env").read_text(encoding="utf-8")
    check("NOTIFY_" not in environment and "WATCHDOG_" not in environment, environment)
    m.end()


def ready_is_a_newline_where_a_descriptor_waits_for_it(m):
    for config in ("", "[ready]\nwhen = file:{dir}/serves\n"):
        mine, its = os.pipe()
        m.run("sh", "-c", f"env >{m.dir}/env; exec sleep 1000", config=config, NOTIFY_FD=str(its),
              NOTIFY_SOCKET="")  # fmt: skip
        os.close(its)
        if config:
            (m.dir / "serves").touch()
        check(os.read(mine, 10) == b"\n", "no newline")
        check(os.read(mine, 10) == b"", "not closed")
        os.close(mine)
        eventually((m.dir / "env").exists, "the server's environment")
        m.end()
        check("NOTIFY_FD" not in (m.dir / "env").read_text(encoding="utf-8"), "still there")


def a_newline_comes_on_the_descriptor_of_an_option(m):
    """In each mode, and beside a socket: s6 and dinit listen to the newline alone."""
    for config, command in (("", ["sleep", "1000"]), ("[ready]\nwhen = started\n", ["sleep", "1000"]),
                            ("", [])):  # fmt: skip
        mine, its = os.pipe()
        m.run(*command, config=config, notify_fd=its)
        os.close(its)
        check(os.read(mine, 10) == b"\n", "no newline")
        check(os.read(mine, 10) == b"", "not closed")
        os.close(mine)
        m.until("READY=1")
        m.end()
    for number in ("2", "99", "x", "3x"):
        wrong = subprocess.run([VORTEX, "run", "--notify-fd", number, "-p", m.pidfile],
                               capture_output=True, check=False, text=True)  # fmt: skip
        check(wrong.returncode == 2 and f"not '{number}'" in wrong.stderr, wrong)


SERVER = '''
import os, socket
listener = socket.socket(fileno=3)
while True:
    connection, _ = listener.accept()
    right = os.environ["LISTEN_PID"] == str(os.getpid()) and os.environ["LISTEN_FDS"] == "1"
    connection.send(b"right" if right else b"wrong")
    connection.close()
'''


def ask(path):
    """What the server says; one that is killed just then says nothing, and another is asked."""
    answer = b""
    while not answer:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(NEVER)
            client.connect(path)
            answer = client.recv(100)
    return answer


def activate(m, verb, config):
    """The verb in a shell that is what systemd is for a socket unit; what else is open: 9."""
    (m.dir / "x.conf").write_text(config, encoding="utf-8")
    (m.dir / "server.py").write_text(SERVER, encoding="utf-8")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(m.dir / "listen"))
    listener.listen()
    script = f"exec 9</dev/zero 3<&{listener.fileno()}; export LISTEN_PID=$$ LISTEN_FDS=1;"
    script += f"exec {VORTEX} {verb} -c {m.dir}/x.conf -p {m.pidfile}"
    script += f" -- {sys.executable} {m.dir}/server.py"
    m.process = subprocess.Popen(["sh", "-c", script], pass_fds=[listener.fileno()],
                                 stdout=subprocess.DEVNULL)  # fmt: skip
    listener.close()


def sockets_are_passed_on(m):
    for verb in ("run", "start"):
        for config in ("", "[server]\nsupervise = yes\n"):
            activate(m, verb, config)
            check(ask(str(m.dir / "listen")) == b"right", f"{verb} {config}: wrong LISTEN_PID")
            pid = int(m.pidfile.read_text(encoding="utf-8"))
            left = pathlib.Path(f"/proc/{pid}/fd/9")
            check(not left.exists() or os.readlink(left) != "/dev/zero", f"{verb}: 9 is still open")
            subprocess.run([VORTEX, "stop", "-p", m.pidfile], check=True, capture_output=True)
            m.process.wait(NEVER)
            (m.dir / "listen").unlink()


def sockets_outlive_a_crash_of_the_server(m):
    activate(m, "run", "[restart]\npolicy = always\ndelay = 1ms\n")
    check(ask(str(m.dir / "listen")) == b"right", "wrong LISTEN_PID")
    os.kill(int(state_of(m)["server-pid"]), signal.SIGKILL)
    check(ask(str(m.dir / "listen")) == b"right", "wrong LISTEN_PID")
    m.end()


KEEPER = """
import os, socket, sys, time
manager = os.environ["NOTIFY_SOCKET"].replace("@", chr(0), 1)
def say(*lines, descriptors=()):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.connect(manager)
        socket.send_fds(s, [chr(10).join(lines).encode()], list(descriptors))
names = os.environ.get("LISTEN_FDNAMES", "")
got = [os.readlink(f"/proc/self/fd/{3 + i}") for i in range(int(os.environ.get("LISTEN_FDS", 0)))]
mine = os.environ.get("LISTEN_PID", "") in ("", str(os.getpid()))
if names == "" and os.environ["FDSTORE"] == "3":
    a, b, c, d = (os.memfd_create(name) for name in "abcd")
    ours, its = socket.socketpair()
    say("FDSTORE=1", "FDNAME=gone", descriptors=[its.fileno()])
    ours.close()
    its.close()
    say("FDSTORE=1", "FDNAME=old", descriptors=[d])
    say("FDSTOREREMOVE=1", "FDNAME=old")
    say("FDSTORE=1", "FDNAME=one", descriptors=[a, b])
    say("FDSTORE=1", "FDNAME=again", descriptors=[a, b])
    say("STATUS=these are no gifts", descriptors=[c, d])
    ours, its = socket.socketpair()
    ours.close()
    say("FDPOLL=0", "FDNAME=mute", "FDSTORE=1", descriptors=[its.fileno()])
    say("FDSTORE=1", "FDNAME=too-many", descriptors=[c, d])
with open(sys.argv[1] + ".new", "w") as told:
    told.write(f"{names} {[link.split()[0] for link in got]} {mine}")
os.rename(sys.argv[1] + ".new", sys.argv[1])
say("READY=1")
time.sleep(1000)
"""


def stored_descriptors_reach_the_next_server(m):
    (m.dir / "keeper.py").write_text(KEEPER, encoding="utf-8")
    told = m.dir / "told"
    config = "[server]\nfile-descriptor-store-max = 3\n[ready]\nwhen = notify\n"
    config += "[restart]\npolicy = always\ndelay = 1ms\n"
    m.run(sys.executable, str(m.dir / "keeper.py"), str(told), config=config)
    m.until("READY=1")
    check(told.read_text(encoding="utf-8") == " [] True", told.read_text(encoding="utf-8"))
    check("FDNAME=one" in m.heard and "FDPOLL=0" in m.heard, m.heard)
    check("FDSTOREREMOVE=1" in m.heard, m.heard)
    for _ in range(2):
        told.unlink()
        os.kill(int(state_of(m)["server-pid"]), signal.SIGKILL)
        eventually(told.exists, "the next server")
        names, rest = told.read_text(encoding="utf-8").split(" ", 1)
        check(names == "one:one:mute", names)
        check(rest.startswith("['/memfd:a', '/memfd:b', 'socket:[") and rest.endswith("True"), rest)
    held = [os.readlink(f"/proc/{m.process.pid}/fd/{fd}")
            for fd in os.listdir(f"/proc/{m.process.pid}/fd")]  # fmt: skip
    files = sorted(name for name in held if name.startswith("/memfd:"))
    check(files == ["/memfd:a (deleted)", "/memfd:b (deleted)"], held)
    sockets = [name for name in held if name.startswith("socket:")]
    check(len(sockets) == 2, held)  # sd_notify's and "mute"
    check(m.end() == 0, "another end")


def a_script_speaks_in_its_own_name(m):
    script = f"{VORTEX} notify READY=1; echo $? >{m.dir}/status"
    shell = subprocess.Popen(
        ["sh", "-c", script], env={**os.environ, "NOTIFY_SOCKET": str(m.dir / "notify")}
    )
    check(m.hear() == ["READY=1"], m.heard)
    check(m.sender == shell.pid or os.geteuid() != 0, f"by {m.sender}, not {shell.pid}")
    check(m.hear() == ["BARRIER=1"], m.heard)
    check(shell.wait(NEVER) == 0, "no success")
    check((m.dir / "status").read_text(encoding="utf-8") == "0\n", "no success")


def a_script_says_ready_on_a_descriptor(m):
    environment = {**os.environ, "NOTIFY_SOCKET": str(m.dir / "notify")}
    for word in ("READY=1", "STATUS=too much for it"):
        mine, its = os.pipe()
        told = subprocess.run([VORTEX, "notify", f"--fd={its}", word], env=environment,
                              pass_fds=[its], capture_output=True, check=False, text=True)  # fmt: skip
        os.close(its)
        check(os.read(mine, 10) == (b"\n" if word == "READY=1" else b""), word)
        check(told.returncode == (0 if word == "READY=1" else 2), told)
        os.close(mine)
    its = os.open("/dev/null", os.O_RDONLY)
    mine, broken = os.pipe()
    os.close(mine)
    for number, status, why in ((99, 2, "not '99'"), (its, 1, "Bad file"), (broken, 1, "Broken pipe")):
        told = subprocess.run([VORTEX, "notify", "--fd", str(number), "READY=1"], env=environment,
                              pass_fds=[its, broken], capture_output=True, check=False,
                              text=True, restore_signals=True)  # fmt: skip
        check(told.returncode == status and why in told.stderr, told)
    os.close(its)
    os.close(broken)
    m.socket.setblocking(False)
    try:
        raise Broken(f"the socket heard: {m.socket.recv(100)}")
    except BlockingIOError:
        pass


PROMISES = [
    ready_is_said_in_exec_mode_and_the_watchdog_turned_off,
    a_server_that_speaks_for_itself_in_exec_mode_is_not_interrupted,
    the_built_in_server_says_all_there_is_to_say,
    a_supervisor_is_ready_when_the_server_is,
    a_restart_by_the_supervisor_is_no_end_for_the_manager,
    a_reload_lasts_until_the_server_is_ready_again,
    the_watchdog_is_fed_while_the_check_holds,
    what_a_server_says_is_passed_up,
    a_supervised_server_does_not_take_the_managers_words_for_its_own,
    ready_is_a_newline_where_a_descriptor_waits_for_it,
    a_newline_comes_on_the_descriptor_of_an_option,
    sockets_are_passed_on,
    sockets_outlive_a_crash_of_the_server,
    stored_descriptors_reach_the_next_server,
    a_script_speaks_in_its_own_name,
    a_script_says_ready_on_a_descriptor,
]


def main():
    failed = 0
    for number, promise in enumerate(PROMISES, 1):
        with tempfile.TemporaryDirectory(prefix="vortex-manager-") as directory:
            manager = Manager(directory)
            try:
                promise(manager)
                print(f"ok {number} - {promise.__name__}", flush=True)
            except (Broken, OSError, subprocess.TimeoutExpired) as problem:
                failed += 1
                print(f"not ok {number} - {promise.__name__}", flush=True)
                print(f"# {problem!r}, heard: {manager.heard}", flush=True)
            finally:
                manager.close()
    print(f"1..{len(PROMISES)}")
    return failed > 0


sys.exit(main())
