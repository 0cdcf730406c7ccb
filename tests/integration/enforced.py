# SPDX-License-Identifier: GPL-2.0-or-later
"""A place under enforcement: process, mount and network namespaces of its own in which `rtguard enforce` holds
every mount. The test itself stays outside and sends commands in (nsenter), so that it is never held itself."""
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess

import harness

# rtguard enforce holds the network of the namespace that it is started in: never that of the machine under test.
ALONE = ("unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "--mount-proc")

# What commands sent into the place need, and what sends them; not pinned here, pinning has tests of its own.
TOOLS = ("nsenter", "sh", "cat", "sleep", "true", "cp", "ls", "env", "mount", "id")


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else \
            hashlib.sha256(file.read()).hexdigest()


def libraries_of(program):
    """What the loader maps for a program, itself included."""
    done = subprocess.run(["ldd", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return {os.path.realpath(path) for path in re.findall(r"(/\S+)", done.stdout) if os.path.exists(path)}


def profile_of(programs=(), scripts=(), pinned=None, reads=None, libraries=()):
    """A profile that permits these programs (paths or names), what they need, and scripts (path, interpreter).
    pinned: {path: argument vectors}."""
    paths = {os.path.realpath(shutil.which(program) or program) for program in programs}
    needed = {os.path.realpath(library) for library in libraries}
    for path in paths:
        needed |= libraries_of(path)
    pinned = {os.path.realpath(shutil.which(path) or path): vectors for path, vectors in (pinned or {}).items()}
    for path in pinned:
        needed |= libraries_of(path)
    entries = []
    for path in sorted(paths | set(pinned)):
        entry = {"path": path, "sha256": sha256(path), "phase": "both", "users": ["root"], "parents": [],
                 "arguments": pinned.get(path, "any")}
        if path in pinned and reads is not None:
            entry["reads"] = reads
        entries.append(entry)
    return {
        "format": "rtguard-profile/1",
        "device": {"name": "place", "model": None, "architecture": os.uname().machine, "operating_system": None,
                   "kernel": None},
        "policy": {
            "programs": entries,
            "scripts": [{"path": str(path), "sha256": sha256(path), "interpreter": os.path.realpath(shutil.which(by) or by)}
                        for path, by in scripts],
            "libraries": [{"path": path, "sha256": sha256(path)} for path in sorted(needed)],
            "listeners": [], "connections": [], "names": [],
        },
    }


class Place:
    """with Place(directory, profile) as place: place.run("true")"""

    def __init__(self, directory, profile, *options, prepare=":", rtguard_before=()):
        self.directory = pathlib.Path(directory)
        self.profile = self.directory / "profile.json"
        self.control = self.directory / "control"
        self.state = self.directory / "state"
        self.profile.write_text(json.dumps(profile))
        self.options = options
        self.prepare = prepare
        self.rtguard_before = rtguard_before
        self.log = open(self.directory / "log", "w+", encoding="utf-8")

    def __enter__(self):
        script = ("ip link set lo up && mount -t tmpfs -o mode=1777 place /mnt && "
                  f"{{ {self.prepare}; }} && echo ready && exec sleep 1000000")
        self.init = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--net", "--ipc", "--fork", "--kill-child",
             "--mount-proc", "sh", "-c", script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        if self.init.stdout.readline() != "ready\n":
            raise RuntimeError("the place could not be made")
        self.inside = harness.children_of(self.init.pid)[0]
        if os.readlink(f"/proc/{self.inside}/ns/net") == os.readlink("/proc/self/ns/net"):
            raise RuntimeError("the place has no network of its own")
        self.start()
        return self

    def __exit__(self, *_):
        self.init.kill()
        self.init.wait()
        self.init.stdout.close()
        self.log.close()

    def entered(self, *command):
        return ["nsenter", "--target", str(self.inside), "--mount", "--pid", "--net", "--ipc", *map(str, command)]

    def in_network(self, *command):
        """What a command of this machine says in the place's network; nobody guards it."""
        return subprocess.run(["nsenter", "--target", str(self.inside), "--net", *map(str, command)], check=True, text=True,
                              stdout=subprocess.PIPE, timeout=20).stdout

    def start(self, *more, wait=True):
        """Starts rtguard enforce inside; returns once it answers (or has ended)."""
        self.supervisor = subprocess.Popen(
            self.entered(*self.rtguard_before, harness.RTGUARD, "enforce", self.profile, "--yes", "--allow-unsigned",
                         "--any-machine", "--control", self.control, "--state", self.state, *self.options, *more),
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        if wait and not harness.wait_until(lambda: self.supervisor.poll() is not None or self.answers(), 20):
            raise RuntimeError("rtguard enforce does not answer: " + self.said())
        if wait and self.supervisor.poll() is not None:
            raise RuntimeError("rtguard enforce ended: " + self.said())

    def answers(self):
        return self.ask("status", "--json").returncode in (0, 1)

    def ask(self, command, *arguments, timeout=20):
        """rtguard status, stop, … from outside: over the socket file."""
        return harness.rtguard(command, "--control", self.control, *arguments, timeout=timeout)

    def status(self):
        return json.loads(self.ask("status", "--json").stdout)

    def process(self, name):
        """The number, outside, of the living process of that name; None while there is none."""
        for pid in self.descendants():
            try:
                stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
            except OSError:
                continue
            if f"({name})" in stat and ") Z " not in stat:
                return pid
        return None

    def worker(self, name):
        """The same for a worker, which may be starting anew."""
        harness.wait_until(lambda: self.process(f"rtguard-{name}"), 5)
        return self.process(f"rtguard-{name}")

    def supervisor_pid(self):
        return self.process("rtguard")

    def descendants(self):
        """Every process of the place."""
        ours = os.readlink(f"/proc/{self.inside}/ns/pid")
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.readlink(f"/proc/{pid}/ns/pid") == ours:
                    found.append(int(pid))
            except OSError:
                pass
        return found

    def run(self, *command, timeout=20, **options):
        """A command inside, under enforcement."""
        return subprocess.run(self.entered(*command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=timeout, check=False, **options)

    def popen(self, *command, **options):
        return subprocess.Popen(self.entered(*command), stdin=subprocess.DEVNULL, **options)

    def put(self, source, target, mode=0o755):
        """Copies a file in from outside: nobody is asked."""
        self.write(target, pathlib.Path(source).read_bytes(), mode)

    def write(self, target, content, mode=0o755):
        path = pathlib.Path(f"/proc/{self.inside}/root{target}")
        path.unlink(missing_ok=True)  # whoever opens unknown code, even to write over it, is refused
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(mode)

    def exists(self, path):
        return os.path.exists(f"/proc/{self.inside}/root{path}")

    def findings(self):
        events = []
        for name in ("events.0", "events.1"):
            file = self.state / "events" / name
            if file.exists():
                events += [json.loads(line) for line in file.read_text().splitlines() if line.startswith("{")]
        return [event for event in sorted(events, key=lambda event: event["id"]) if event["event"] == "finding"]

    def stop(self):
        done = self.ask("stop")
        self.supervisor.wait(20)
        return done

    def said(self):
        return (self.directory / "log").read_text()


