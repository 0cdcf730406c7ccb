# SPDX-License-Identifier: GPL-2.0-or-later
"""One run of qemu: save a booted guest, go on from there, or boot for real."""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

PAYLOAD_SIZE = 64 << 20  # of the disk: the saved machine knows its size
PORTS = ("log", "out", "status")

# Quicker under emulation than newer models ("max" costs 40 % more), and the same wherever the test runs.
CPU = "Nehalem-v1"
CMDLINE = "console=ttyS0 quiet loglevel=4 panic=-1 net.ifnames=0 random.trust_cpu=on mitigations=off nokaslr"


class MachineFailed(Exception):
    pass


class Machine:
    """A running qemu and its files. guest: directory with vmlinuz, initrd, root.img. disk: None for the image."""

    def __init__(self, guest, *, disk=None, disk_is_kept=False, payload=None, cmdline="", incoming=None, memory_mb=512,
                 cpu=CPU, processors=2, extra=()):
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="rtguard-vm."))
        self.starter = None
        self.make_payload(payload)
        for port in PORTS:
            (self.work / port).touch()
        (self.work / "console").touch()
        image, kind = (disk, "qcow2") if disk else (guest / "root.img", "raw")
        command = [
            "qemu-system-x86_64", "-M", "q35", "-accel", "tcg,thread=multi", "-cpu", cpu, "-smp", str(processors),
            "-m", str(memory_mb), "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-kernel", guest / "vmlinuz", "-initrd", guest / "initrd", "-append", f"{CMDLINE} {cmdline}".strip(),
            "-serial", f"file:{self.work}/console", "-qmp", f"unix:{self.work}/qmp,server=on,wait=off",
            "-object", "rng-random,id=rng,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=rng",
            *disk_options("root", image, kind, "" if disk_is_kept else ",snapshot=on"),
            *disk_options("payload", self.work / "payload", "raw", ",read-only=on"),
            "-device", "virtio-serial-pci",
            "-chardev", f"socket,id=go,path={self.work}/go,server=on,wait=off",
            "-device", "virtserialport,chardev=go,name=test.go",
        ]
        for port in PORTS:
            command += ["-chardev", f"file,id={port},path={self.work}/{port}",
                        "-device", f"virtserialport,chardev={port},name=test.{port}"]
        if incoming:
            command += ["-incoming", f"exec:cat '{incoming}'"]
        # a runner that is killed leaves no machine behind
        self.qemu = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *map(str, command), *extra],
                                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.qemu.poll() is None:
            self.qemu.kill()
        self.qemu.wait()
        self.qemu.stderr.close()
        if self.starter:
            self.starter.close()
        shutil.rmtree(self.work)

    def make_payload(self, directory):
        payload = self.work / "payload"
        if directory:
            subprocess.run(["tar", "-C", directory, "--owner=0", "--group=0", "-cf", payload, "."], check=True)
            if payload.stat().st_size > PAYLOAD_SIZE:
                raise MachineFailed(f"the payload is larger than {PAYLOAD_SIZE >> 20} MiB")
        else:
            payload.touch()
        os.truncate(payload, PAYLOAD_SIZE)

    def read(self, port):
        return (self.work / port).read_text(errors="replace")

    def connect(self, name, seconds=20):
        """To one of qemu's sockets, which it makes as it starts."""
        end = time.monotonic() + seconds
        while True:
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(str(self.work / name))
                return connection
            except OSError:
                connection.close()
                if self.qemu.poll() is not None or time.monotonic() > end:
                    raise MachineFailed(f"qemu does not run: {self.complaint()}") from None
                time.sleep(0.01)

    def complaint(self):
        """What qemu said before it ended, and the end of the console."""
        said = self.qemu.stderr.read().decode(errors="replace") if self.qemu.poll() is not None else ""
        return (said + self.read("console")[-2000:]).strip() or "nothing on the console"

    def wait_for_status(self, word, seconds):
        end = time.monotonic() + seconds
        while word not in self.read("status"):
            if self.qemu.poll() is not None or time.monotonic() > end:
                raise MachineFailed(f"the guest was not '{word}' after {seconds} s: {self.complaint()}")
            time.sleep(0.05)

    def go(self):
        """The saved guest goes on; it is told the time."""
        self.starter = self.connect("go")  # closed only in the end: qemu drops what a closed one sent
        self.starter.sendall(b"%d\n" % time.time())

    def save(self, state):
        """Memory and devices into the file; then the machine is off."""
        with self.connect("qmp") as connection, connection.makefile("rw") as stream:
            stream.readline()

            def ask(command, **arguments):
                stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
                stream.flush()
                while True:
                    answer = json.loads(stream.readline())
                    if "error" in answer:
                        raise MachineFailed(f"{command}: {answer['error']}")
                    if "return" in answer:
                        return answer["return"]

            ask("qmp_capabilities")
            ask("migrate-set-parameters", **{"max-bandwidth": 1 << 40})
            ask("migrate", uri=f"exec:cat > '{state}'")
            while (status := ask("query-migrate").get("status")) != "completed":
                if status in ("failed", "cancelled"):
                    raise MachineFailed(f"saving the machine: {status}")
                time.sleep(0.05)
            ask("quit")
        self.qemu.wait(20)


def disk_options(name, path, kind, options):
    return ["-drive", f"file={path},format={kind},cache=unsafe,if=none,id={name}{options}",
            "-device", f"virtio-blk-pci,drive={name},serial={name}"]
