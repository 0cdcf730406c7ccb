#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""attack.py RTGUARD BIN PROFILE: boots the cat feeder under `rtguard enforce PROFILE` and lets intruders try. Prints
each try and its answer as a table. Exit code 0 when every intruder was stopped and the feeder goes on feeding."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
INTRUDER_DIRECTORY = "/opt/feeder/run"


class Feeder:
    """The appliance, enforced, and the way into it."""

    def __init__(self, rtguard, programs, profile, work):
        self.rtguard = rtguard
        self.control = work / "control"
        self.log = open(work / "log", "w+", encoding="utf-8")
        self.appliance = subprocess.Popen(
            [HERE / "appliance", "--bin", programs, rtguard, "enforce", profile, "--yes", "--allow-unsigned",
             "--control", self.control, "--state", work / "state"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        end = time.monotonic() + 30
        while not self.ask("status"):
            if self.appliance.poll() is not None or time.monotonic() > end:
                self.log.seek(0)
                sys.exit("the feeder did not come up under rtguard:\n" + self.log.read())
            time.sleep(0.1)
        self.pid = self.find("rtguard")

    def find(self, name):
        """The process of that name that runs under our control socket's supervisor, seen from outside."""
        for entry in pathlib.Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and (entry / "comm").read_text().strip() == name and \
                        str(self.control).encode() in (entry / "cmdline").read_bytes():
                    return int(entry.name)
            except OSError:
                pass
        return None

    def ask(self, what, *arguments):
        done = subprocess.run([self.rtguard, what, "--control", self.control, "--json", *arguments],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        return done.stdout.decode() if done.returncode == 0 else None

    def last_finding(self, after):
        time.sleep(0.1)
        lines = [json.loads(line) for line in (self.ask("events") or "").splitlines()]
        fresh = [line for line in lines if line.get("event") == "finding" and line["id"] > after]
        return fresh[-1] if fresh else None

    def last_id(self):
        lines = [json.loads(line) for line in (self.ask("events") or "").splitlines()]
        return max((line["id"] for line in lines if "id" in line), default=0)

    def run(self, *command, **environment):
        """As a process of the device, from outside: as if somebody had got in."""
        # the tool itself is of the outer world and executed there; only COMMAND runs inside
        return subprocess.run(
            ["nsenter", "--target", str(self.pid), "--mount", "--pid", "--net", "--wd=/", *command],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={"PATH": "/opt/feeder/bin:/usr/bin:/bin", **environment}, timeout=30, check=False).returncode

    def inside(self, path):
        return pathlib.Path(f"/proc/{self.pid}/root{path}")

    def end(self):
        self.appliance.send_signal(signal.SIGTERM)
        try:
            self.appliance.wait(5)
        except subprocess.TimeoutExpired:
            self.appliance.kill()
            self.appliance.wait()
        self.log.close()


def put(feeder, path, content, mode=0o755):
    target = feeder.inside(path)
    target.write_bytes(content)
    target.chmod(mode)


def unknown_program(source):
    """A working program that nobody knows: a known one with a byte more."""
    return pathlib.Path(source).read_bytes() + b"!"


def tries(feeder, programs):
    """Each: what is tried, and how; $TRACE is what the intruder would leave behind."""
    run = INTRUDER_DIRECTORY
    touch = "/usr/bin/touch"
    put(feeder, f"{run}/intruder", unknown_program(touch))
    put(feeder, f"{run}/intruder.sh", b"#!/bin/sh\n: >$1\n")
    put(feeder, f"{run}/intruder.so", unknown_program(programs / "libintruder.so"))
    put(feeder, f"{run}/portion", unknown_program(touch))
    yield "runs a program that was dropped there", lambda trace: feeder.run(f"{run}/intruder", trace)
    yield "runs a script of his own", lambda trace: feeder.run(f"{run}/intruder.sh", trace)
    yield "hands his script to the device's shell", lambda trace: feeder.run("/bin/sh", f"{run}/intruder.sh", trace)
    yield "gives the shell a command line", lambda trace: feeder.run("/bin/sh", "-c", f": >{trace}")
    yield "lets the loader start his program", lambda trace: feeder.run(loader(), f"{run}/intruder", trace)
    yield "slips a library into a known program", \
        lambda trace: feeder.run("/opt/feeder/bin/portion", LD_PRELOAD=f"{run}/intruder.so", INTRUDER_TRACE=trace)
    yield "puts his own in a known program's place", lambda trace: replaced(feeder, f"{run}/portion", trace)
    yield "uses a tool that the device never used", lambda trace: feeder.run(touch, trace)
    yield "kills the guard and tries again at once", lambda trace: kill_guard(feeder, f"{run}/intruder", trace)


def loader():
    return str(next(pathlib.Path("/lib64").glob("ld-linux*"), None) or next(pathlib.Path("/lib").glob("ld-*")))


def replaced(feeder, path, trace):
    os.rename(feeder.inside(path), feeder.inside("/opt/feeder/bin/portion.new"))
    kept = feeder.inside("/opt/feeder/bin/portion").read_bytes()
    os.rename(feeder.inside("/opt/feeder/bin/portion.new"), feeder.inside("/opt/feeder/bin/portion"))
    code = feeder.run("/opt/feeder/bin/portion", trace)
    put(feeder, "/opt/feeder/bin/portion.old", kept)
    os.rename(feeder.inside("/opt/feeder/bin/portion.old"), feeder.inside("/opt/feeder/bin/portion"))
    return code


def kill_guard(feeder, path, trace):
    status = json.loads(feeder.ask("status"))
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "comm").read_text().strip() == "rtguard-guard" and \
                    os.readlink(entry / "ns/pid") == os.readlink(f"/proc/{feeder.pid}/ns/pid"):
                os.kill(int(entry.name), signal.SIGKILL)
        except OSError:
            pass
    assert status
    return feeder.run(path, trace)


def answer_of(finding):
    if not finding:
        return "stopped"
    if finding["action"] == "killed":
        since = finding.get("since_exec_us")
        return "killed" + (f" {since / 1000:.1f} ms after it began" if since else "")
    return "refused before it ran"


def main():
    rtguard, programs, profile = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
    passed = 0
    with tempfile.TemporaryDirectory(prefix="rtguard-attack.") as directory:
        work = pathlib.Path(directory)
        feeder = Feeder(rtguard, programs, profile, work)
        try:
            print(f"{'AN INTRUDER…':<44} {'ANSWER':<32} WHY")
            for number, (what, how) in enumerate(tries(feeder, programs)):
                trace = f"{INTRUDER_DIRECTORY}/trace-{number}"
                before = feeder.last_id()
                how(trace)
                finding = feeder.last_finding(before)
                got_through = feeder.inside(trace).exists()
                passed += got_through
                print(f"{what:<44} {'GOT THROUGH' if got_through else answer_of(finding):<32} "
                      f"{finding['kind'] if finding else '-'}", flush=True)
            fed = feeder.run("/opt/feeder/bin/portion") == 0
            print(f"{'and the feeder…':<44} {'goes on feeding' if fed else 'NO LONGER FEEDS'}")
        finally:
            feeder.end()
    sys.exit(1 if passed or not fed else 0)


main()
