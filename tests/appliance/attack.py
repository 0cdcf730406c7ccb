#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""attack.py RTGUARD BIN PROFILE: boots the cat feeder under `rtguard enforce PROFILE` and lets an intruder in through
the hole in its service. Prints each try and its answer as a table. Exit code 0 when every one was stopped and the
feeder goes on feeding."""
import ctypes
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
RUN = "/opt/feeder/run"  # where the intruder can write
FEEDER_PORT = 8080
CLONE_NEWNET = 0x40000000


class Feeder:
    """The appliance, enforced, seen from outside, and its hole."""

    def __init__(self, rtguard, programs, profile, work):
        self.rtguard = rtguard
        self.control = work / "control"
        self.log = open(work / "log", "w+", encoding="utf-8")
        self.appliance = subprocess.Popen(
            [HERE / "appliance", "--bin", programs, rtguard, "enforce", profile, "--yes", "--allow-unsigned",
             "--control", self.control, "--state", work / "state"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.wait_for(lambda: self.ask("status", 0, 1))
        self.pid = next(self.processes("rtguard"))
        with open(f"/proc/{self.pid}/ns/net", encoding="ascii") as network:
            if ctypes.CDLL(None, use_errno=True).setns(network.fileno(), CLONE_NEWNET) < 0:
                raise OSError(ctypes.get_errno(), "setns")
        self.wait_for(lambda: self.tell(""))

    def wait_for(self, condition):
        end = time.monotonic() + 30
        while not condition():
            if self.appliance.poll() is not None or time.monotonic() > end:
                self.log.seek(0)
                sys.exit("the feeder did not come up under rtguard:\n" + self.log.read())
            time.sleep(0.1)

    def processes(self, name):
        """Living processes of that name in the device, numbered as outside."""
        device = None
        for entry in pathlib.Path("/proc").iterdir():
            try:
                stat = (entry / "stat").read_text() if entry.name.isdigit() else ""
                if f"({name})" not in stat or ") Z " in stat:
                    continue
                if name == "rtguard" and str(self.control).encode() not in (entry / "cmdline").read_bytes():
                    continue
                device = os.readlink(f"/proc/{self.pid}/ns/pid") if name != "rtguard" else None
                if device in (None, os.readlink(entry / "ns/pid")):
                    yield int(entry.name)
            except OSError:
                pass

    def ask(self, what, *codes):
        done = subprocess.run([self.rtguard, what, "--control", self.control, "--json"], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=False)
        return done.stdout.decode() if done.returncode in codes else None

    def findings(self):
        lines = [json.loads(line) for line in (self.ask("events", 0, 1) or "").splitlines()]
        return [line for line in lines if line.get("event") == "finding"]

    def tell(self, what):
        """Something to its service; what it answers, "" if it does not."""
        try:
            with socket.create_connection(("127.0.0.1", FEEDER_PORT), 10) as service:
                service.sendall((what or "GET / HTTP/1.0\r\n\r\n").encode())
                return service.recv(256).decode()
        except OSError:
            return ""

    def run(self, *command):
        """Through the hole, as a child of the service: the exit status, or the errno of the exec."""
        return self.tell("DEBUG " + " ".join(command)).strip()

    def inside(self, path):
        return pathlib.Path(f"/proc/{self.pid}/root{path}")

    def put(self, path, content):
        new = self.inside(path + ".new")
        new.write_bytes(content)
        new.chmod(0o755)
        new.rename(self.inside(path))

    def end(self):
        self.appliance.send_signal(signal.SIGTERM)
        try:
            self.appliance.wait(5)
        except subprocess.TimeoutExpired:
            self.appliance.kill()
            self.appliance.wait()
        self.log.close()


def tries(feeder, programs):
    """Each: what is tried, and how; trace is what the intruder would leave behind."""
    intruder = (programs / "intruder").read_bytes()
    portion = (programs / "portion").read_bytes()
    feeder.inside(RUN).chmod(0o1777)
    feeder.put(f"{RUN}/intruder", intruder)
    feeder.put(f"{RUN}/intruder.sh", b"#!/bin/sh\n: >$1\n")
    feeder.put(f"{RUN}/intruder.so", (programs / "libintruder.so").read_bytes())

    def replaced(trace):
        feeder.put("/opt/feeder/bin/portion", intruder)
        feeder.run("/opt/feeder/bin/portion", trace)
        feeder.put("/opt/feeder/bin/portion", portion)

    def guard_killed(trace):
        for guard in list(feeder.processes("rtguard-guard")):
            os.kill(guard, signal.SIGKILL)
        feeder.run(f"{RUN}/intruder", trace)

    loader = next(pathlib.Path("/lib64").glob("ld-linux*"), None) or next(pathlib.Path("/lib").glob("ld-*"))
    yield "runs a program that he dropped there", lambda trace: feeder.run(f"{RUN}/intruder", trace)
    yield "runs a script of his own", lambda trace: feeder.run(f"{RUN}/intruder.sh", trace)
    yield "hands his script to the device's shell", lambda trace: feeder.run("/bin/sh", f"{RUN}/intruder.sh", trace)
    yield "has the loader start his program", lambda trace: feeder.run(str(loader), f"{RUN}/intruder", trace)
    yield "slips a library into a known program", \
        lambda trace: feeder.run(f"LD_PRELOAD={RUN}/intruder.so", f"INTRUDER_TRACE={trace}", "/opt/feeder/bin/portion")
    yield "puts his own in a known one's place", replaced
    yield "uses a tool that the device never used", lambda trace: feeder.run("/usr/bin/touch", trace)
    yield "opens a shell", lambda trace: feeder.run("/bin/sh", "-c", f":>{trace}")
    yield "kills the guard and tries again at once", guard_killed


def answer_of(finding):
    if not finding:
        return "stopped"
    if finding["action"] == "killed":
        since = finding.get("since_exec_us")
        return f"killed {since / 1000:.1f} ms after it began" if since else "killed before it began"
    return "refused before it ran"


def main():
    rtguard, programs, profile = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
    row = "{:<42} {:<30} {}"
    passed = 0
    with tempfile.TemporaryDirectory(prefix="rtguard-attack.") as directory:
        feeder = Feeder(rtguard, programs, profile, pathlib.Path(directory))
        try:
            before = feeder.findings()
            print(row.format("AN INTRUDER…", "ANSWER", "FINDING"))
            for number, (what, how) in enumerate(tries(feeder, programs)):
                known = {finding["id"] for finding in feeder.findings()}
                trace = f"{RUN}/trace-{number}"
                how(trace)
                time.sleep(0.1)
                finding = next((event for event in feeder.findings() if event["id"] not in known), None)
                got_through = feeder.inside(trace).exists()
                passed += got_through
                print(row.format(what, "GOT THROUGH" if got_through else answer_of(finding),
                                 finding["kind"] if finding else "(counted with the one before)"), flush=True)
            feeds = feeder.run("/opt/feeder/bin/portion") == "exit 0"
            print(row.format("and the feeder…", "goes on feeding" if feeds else "FEEDS NO MORE", ""))
            if before:
                print(f"before anybody broke in there were {len(before)} findings: {before}")
        finally:
            feeder.end()
    sys.exit(1 if passed or before or not feeds else 0)


if __name__ == "__main__":
    main()
