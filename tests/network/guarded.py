# SPDX-License-Identifier: GPL-2.0-or-later
"""The world's appliance under `rtguard enforce --rules-only`, and what the tests of both backends share."""
import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

import world
from world import APPLIANCE, APPLIANCE6, ROUTER, ROUTER6, harness

import packets
import resolver
from resolver import A, AAAA

BACKENDS = ("nftables", "iptables")
TOOLS = ("nft", "iptables-legacy-save", "ip6tables-legacy-save", "ipset", "conntrack")
QUICK = 0.9  # seconds: before a SYN is sent a second time (RFC 6298 section 2)


def need():
    harness.need_tools(*TOOLS)
    world.need()


def connection(protocol, peer, port=None, program=None, **more):
    """peer: "host api.example", "role lan", "address 192.0.2.7/32", …"""
    kind, value = peer.split(" ")
    entry = {"protocol": protocol, "peer": {kind: value}, "program": program, **more}
    if port is not None:
        entry["type" if protocol.startswith("icmp") else "port"] = port
    return entry


def listener(protocol, port, address="any", family=("ipv4", "ipv6"), program=None):
    return {"protocol": protocol, "address": address, "family": list(family), "port": port, "program": program}


RESOLVERS = [connection("udp", "role resolver", 53), connection("tcp", "role resolver", 53)]


def profile_of(connections, listeners=(), names=(), addresses=None):
    """addresses: name → what the evidence says it had."""
    return {
        "format": "rtguard-profile/1",
        "device": {"name": "appliance", "model": None, "architecture": None, "operating_system": None, "kernel": None},
        "policy": {"programs": [], "scripts": [], "libraries": [], "listeners": list(listeners),
                   "connections": [*RESOLVERS, *connections],
                   "names": sorted({entry["peer"]["host"] for entry in connections if "host" in entry["peer"]} | set(names))},
        "evidence": {"roles": {"resolver": [ROUTER, ROUTER6], "gateway": [ROUTER, ROUTER6]}, "addresses": addresses or {}},
    }


class Guard:
    """with Guard(appliance, directory, profile, backend) as guard: the rules are in force."""

    def __init__(self, host, directory, profile, backend, *options):
        self.host = host
        self.directory = pathlib.Path(directory)
        self.profile = self.directory / "profile.json"
        self.control = self.directory / "control"
        self.state = self.directory / "state"
        self.write(profile)
        self.options = ("--backend", backend, *options)
        self.supervisor = None
        self.log = open(self.directory / "log", "a+", encoding="utf-8")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.end()
        self.log.close()

    def write(self, profile):
        self.profile.write_text(json.dumps(profile))

    def launch(self, *more, before=()):
        """Starts it and does not wait; before: the command that it is an argument of."""
        if os.stat(f"/proc/{self.host.inside}/ns/net").st_ino == os.stat("/proc/1/ns/net").st_ino:
            raise RuntimeError("not in the network of this test")
        self.supervisor = self.host.popen(
            *before, harness.RTGUARD, "enforce", self.profile, "--rules-only", "--yes", "--allow-unsigned", "--any-machine",
            "--control", self.control, "--state", self.state, *self.options, *more, stdout=self.log, stderr=self.log)

    def start(self, *more):
        self.launch(*more)
        if not harness.wait_until(lambda: self.supervisor.poll() is not None or self.answers(), 30):
            raise RuntimeError("rtguard enforce does not answer: " + self.said())
        if self.supervisor.poll() is not None:
            raise RuntimeError("rtguard enforce ended: " + self.said())

    def ask(self, command, *arguments, timeout=30):
        return harness.rtguard(command, "--control", self.control, *arguments, timeout=timeout)

    def answers(self):
        return self.ask("status", "--json").returncode in (0, 1)

    def status(self):
        return json.loads(self.ask("status", "--json").stdout)

    def reload(self, profile=None):
        if profile is not None:
            self.write(profile)
        done = self.ask("reload", timeout=60)
        if done.returncode not in (0, 1):
            raise RuntimeError("reload: " + done.stderr + self.said())

    def stop(self):
        """Takes the rules away."""
        done = self.ask("stop")
        self.supervisor.wait(30)
        return done

    def end(self):
        """However it stands."""
        if self.supervisor and self.supervisor.poll() is None:
            for pid in self.processes():
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            self.supervisor.kill()
            self.supervisor.wait()

    def processes(self, *names):
        """Numbers, here, of the living processes in the appliance that are rtguard's, or have one of these names."""
        ours = os.readlink(f"/proc/{self.host.inside}/ns/pid")
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                name = pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
                state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
                if os.readlink(f"/proc/{pid}/ns/pid") == ours and state != "Z" and \
                        (name in names if names else name.startswith("rtguard")):
                    found.append(int(pid))
        return found

    def gate(self):
        found = self.processes("rtguard-gate")
        return found[0] if found else None

    def findings(self, kind=None):
        events = []
        for name in ("events.0", "events.1"):
            file = self.state / "events" / name
            if file.exists():
                events += [json.loads(line) for line in file.read_text().splitlines() if line.startswith("{")]
        found = [event for event in events if event["event"] == "finding"]
        return [event for event in found if kind is None or event["kind"] == kind]

    def said(self):
        return (self.directory / "log").read_text()


class Text:
    """The rules as `rtguard compile` prints them, put in force by the backends' own tools: nobody holds questions or answers.
    Where the kernel lacks nftables' queue, what would be held passes."""

    def __init__(self, host, directory, profile, backend, *options):
        self.host = host
        self.directory = pathlib.Path(directory)
        self.profile = self.directory / "profile.json"
        self.rules = self.directory / "rules"
        self.backend = backend
        self.profile.write_text(json.dumps(profile))
        self.options = options

    def __enter__(self):
        done = harness.rtguard("compile", self.profile, "-o", self.rules, *self.options)
        if done.returncode != 0:
            raise RuntimeError("compile: " + done.stderr)
        if self.backend == "nftables":
            text = (self.rules / "rules.nft").read_text()
            if not has_nft_queue():
                text = "".join(line for line in text.splitlines(keepends=True) if " queue " not in line)
            self.host.must("nft", "-f", "-", input=text)
        else:
            for command, file in (("ipset restore", "sets.ipset"), ("iptables-legacy-restore --noflush", "rules.v4"),
                                  ("ip6tables-legacy-restore --noflush", "rules.v6")):
                self.host.must(*command.split(), input=(self.rules / file).read_text())
        return self

    def __exit__(self, *_):
        pass


class NetworkCase(harness.Case):
    """A world for each test, with a resolver whose zones the test fills. Subclasses name a backend (under_both)."""
    BACKEND = None
    PORTS = ("tcp:80", "tcp:443", "tcp:8883", "udp:123", "udp:443")

    def setUp(self):
        super().setUp()
        self.stack = contextlib.ExitStack()
        self.addCleanup(self.stack.close)
        self.world = self.stack.enter_context(world.World())
        self.appliance = self.world.appliance
        self.resolver = self.stack.enter_context(resolver.Resolver(ROUTER, ROUTER6))
        self.zones = self.resolver.zones
        self.stub = resolver.Stub(self.appliance, ROUTER)
        self.stub6 = resolver.Stub(self.appliance, ROUTER6)
        self.prober = packets.Prober(APPLIANCE, APPLIANCE6)
        self.sender = packets.Sender(self.appliance)
        self.stack.callback(self.sender.close)
        if self.PORTS:
            self.world.servers(*self.PORTS)

    def guarded(self, profile, *options, backend=None):
        return self.stack.enter_context(Guard(self.appliance, self.dir, profile, backend or self.BACKEND, *options))

    def arrivals(self, probes):
        """Which of these packets of the appliance get out."""
        self.world.capture.settle(0.02)
        self.sender.send_all(probes)
        return packets.arrived(probes, self.world.capture.settle(0.3))

    def reaches(self, target, port, kind=packets.tcp):
        """Whether a first packet to there gets out."""
        return self.arrivals([self.prober.make("one", kind, target, port)])[0]

    def assert_arrivals(self, expected, got, probes):
        """expected: truth for each probe."""
        wrong = [f"{'lost' if wanted else 'ADMITTED'}: {probe.what} ({probe.target})"
                 for wanted, had, probe in zip(expected, got, probes) if wanted != had]
        self.assertEqual(wrong, [])

    def connect(self, target, port, timeout=QUICK):
        return connect(self.appliance, target, port, timeout)

    def assert_connects(self, target, port):
        """On the first packet: before a second could have been sent."""
        self.assertIsNotNone(self.connect(target, port), f"no connection to {target} port {port}")

    def assert_in_no_set(self, *addresses):
        text = world.sets_of(self.appliance)
        self.assertTrue("rtguard" in text)
        for address in addresses:
            self.assertNotIn(address, text)


def connect(host, target, port, timeout=QUICK):
    """Seconds until a TCP connection stood and its first byte came; None: it did not in time."""
    begin = time.monotonic()
    with host.socket(socket.AF_INET6 if ":" in target else socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.settimeout(timeout)
        try:
            sock.connect((target, port))
            if sock.recv(5) != b"hello":
                return None
        except OSError:
            return None
    return time.monotonic() - begin


def has_nft_queue():
    """Whether the running kernel has CONFIG_NFT_QUEUE, which rules as text need; the backend does without."""
    text = "table inet probe { chain c { type filter hook output priority 0; policy accept; queue num 1; }; }"
    return subprocess.run(["nft", "--check", "-f", "-"], input=text, text=True, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, check=False).returncode == 0


def under_both(case):
    """Class decorator: makes a test case of the class for each backend."""
    module = sys.modules[case.__module__]
    for backend in BACKENDS:
        name = case.__name__ + backend.capitalize()
        setattr(module, name, type(name, (case, NetworkCase), {"BACKEND": backend, "__module__": case.__module__,
                                                               "__doc__": case.__doc__}))
    return case


def main():
    harness.main()


__all__ = ["A", "AAAA"]
