#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Whole virtual machines for tests. A payload directory holds an executable ./run and all it needs; it runs as root in
a Debian guest with an own kernel, and hands back its exit status, its output and whatever it leaves in $OUT.

  vm.py build                       makes the guest, if it is not there yet
  vm.py run PAYLOAD                 in a guest that goes on from a saved boot: starts in about a second
  vm.py boot PAYLOAD                in a guest that boots for this: ten seconds; for lsm=, units, early boot
      --timeout SECONDS, --out DIR, and for boot: --cmdline TEXT, --cpu MODEL, --memory MIB, --processors N

The guest is kept outside the tree, in $RTGUARD_VM_CACHE or ~/.cache/rtguard/vm, under its recipe's digest. It has no
network. Exit status: that of ./run; 255 when the guest never told one; 77 when there can be no guest here.
"""
import argparse
import contextlib
import dataclasses
import fcntl
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

import build  # noqa: E402
import recipe  # noqa: E402
from machine import Machine, MachineFailed  # noqa: E402

NEVER_TOLD = 255


class Unavailable(Exception):
    """There can be no guest on this machine: the reason."""


@dataclasses.dataclass
class Result:
    status: int  # of ./run; NEVER_TOLD
    log: str  # its standard output and error
    seconds: float
    console: str  # what qemu and the guest's kernel said last; for people


class Payload:
    """A payload directory for the time of a with statement."""

    def __enter__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="rtguard-payload."))
        self.directory.chmod(0o755)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.directory)

    def add(self, source, name=None):
        """A file with its mode, or a whole directory."""
        source = pathlib.Path(source)
        target = self.directory / (name or source.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True)
        else:
            shutil.copy(source, target)

    def write(self, name, text, mode=0o755):
        target = self.directory / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        target.chmod(mode)


def cache():
    """Where guests are kept."""
    base = os.environ.get("RTGUARD_VM_CACHE")
    if base:
        return pathlib.Path(base)
    return pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "rtguard/vm"


@contextlib.contextmanager
def locked(path):
    """One builder at a time; who comes later finds it done."""
    with open(path, "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def qemu_version():
    if not shutil.which("qemu-system-x86_64") or not shutil.which("qemu-img"):
        raise Unavailable("not installed: qemu-system-x86_64, qemu-img")
    said = subprocess.run(["qemu-system-x86_64", "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return said.split()[3]


def finished(directory, make):
    """The directory, made by make(temporary directory) if it is not there: whole or not at all."""
    if not directory.exists():
        temporary = directory.with_name(directory.name + ".part")
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        make(temporary)
        temporary.rename(directory)
    return directory


def guest():
    """The guest's directory, after building it if need be: a minute or two. Raises Unavailable."""
    place = cache()
    directory = place / recipe.digest()
    if directory.exists():
        return directory
    lacks = build.missing()
    if lacks:
        raise Unavailable(lacks)
    place.mkdir(parents=True, exist_ok=True)
    with locked(place / "lock"):
        if not directory.exists() and build.is_offline():
            raise Unavailable("no guest is built yet, and Debian's archive cannot be reached")
        return finished(directory, build.build)


def saved():
    """(guest, directory of the saved boot): it belongs to one version of qemu. Raises Unavailable."""
    version = qemu_version()
    base = guest()
    directory = base / f"saved-{version}-{recipe.digest_of(HERE / 'machine.py')}"
    if directory.exists():
        return base, directory
    with locked(cache() / "lock"):
        return base, finished(directory, lambda target: save(base, target))


def save(base, target):
    disk = target / "root.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", "../root.img", disk], check=True)
    with Machine(base, disk=disk, disk_is_kept=True, cmdline="vmtest.save") as machine:
        machine.wait_for_status("ready", 240)
        time.sleep(2)  # the boot's last services settle
        machine.save(target / "state")


def finish(machine, started, timeout, out):
    try:
        machine.qemu.wait(timeout)
    except subprocess.TimeoutExpired:
        machine.qemu.kill()
        machine.qemu.wait()
    status = machine.read("status").replace("ready", "").strip()
    if out and (machine.work / "out").stat().st_size:
        os.makedirs(out, exist_ok=True)
        subprocess.run(["tar", "-C", out, "--no-same-owner", "-xf", machine.work / "out"], check=True)
    return Result(int(status) if status.isdigit() else NEVER_TOLD, machine.read("log"), time.monotonic() - started,
                  machine.complaint())


def run(payload, *, timeout=120, out=None):
    """Runs the payload directory from the saved boot. out: a directory for what ./run leaves in $OUT."""
    base, directory = saved()
    started = time.monotonic()
    with Machine(base, disk=directory / "root.qcow2", payload=payload, incoming=directory / "state",
                 cmdline="vmtest.save") as machine:
        machine.go()
        return finish(machine, started, timeout, out)


def boot(payload, *, timeout=180, out=None, **options):
    """Boots for it. options: cmdline, cpu, memory_mb, processors, extra (more arguments of qemu)."""
    qemu_version()
    base = guest()
    started = time.monotonic()
    with Machine(base, payload=payload, **options) as machine:
        return finish(machine, started, timeout, out)


def need():
    """For a test: the guest is there after this, or the test is skipped loudly."""
    try:
        saved()
    except Unavailable as reason:
        print(f"SKIPPED: no virtual machine: {reason}")
        sys.exit(77)


def show(result):
    sys.stdout.write(result.log)
    sys.stdout.flush()
    if result.status == NEVER_TOLD:
        sys.stderr.write(result.console + "\nvm: the guest never told how it ended\n")
    print(f"vm: {result.seconds:.1f} s, exit status {result.status}", file=sys.stderr)
    return result.status


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["build", "run", "boot"])
    parser.add_argument("payload", nargs="?")
    parser.add_argument("--timeout", type=float, default=180)
    parser.add_argument("--out")
    parser.add_argument("--cmdline", default="")
    parser.add_argument("--cpu")
    parser.add_argument("--memory", type=int)
    parser.add_argument("--processors", type=int)
    options = parser.parse_args()
    if (options.what == "build") != (options.payload is None):
        parser.error("run and boot want a payload, build has none")
    try:
        if options.what == "build":
            print(saved()[1])
            return 0
        if options.what == "run":
            return show(run(options.payload, timeout=options.timeout, out=options.out))
        machine = {"cmdline": options.cmdline, "cpu": options.cpu, "memory_mb": options.memory,
                   "processors": options.processors}
        return show(boot(options.payload, timeout=options.timeout, out=options.out,
                         **{name: value for name, value in machine.items() if value}))
    except Unavailable as reason:
        print(f"SKIPPED: no virtual machine: {reason}")
        return 77
    except (MachineFailed, build.BuildFailed) as failure:
        print(f"vm: {failure}", file=sys.stderr)
        return NEVER_TOLD


if __name__ == "__main__":
    sys.exit(main())
