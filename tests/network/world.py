# SPDX-License-Identifier: GPL-2.0-or-later
"""A small internet in namespaces, and a guarded host in it.

  the test's own network namespace: router and internet. Any address of INTERNET belongs to it, for servers and for packets
      that claim to come from there. Bridge "lan": 10.77.0.1, fd77::1
  appliance: process, mount and network namespaces of its own, eth0 on the bridge: 10.77.0.2, fd77::2
  neighbour: a network namespace on the same bridge: 10.77.0.3, fd77::3

The test enters namespaces first (harness.enter_namespaces()), so that all of this ends with it; nothing here runs in the
machine's own network. Sockets belong to the namespace that they were made in: `with host: socket.socket(…)`.
"""
import contextlib
import ctypes
import os
import pathlib
import re
import select
import socket
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "../integration"))
import harness  # noqa: E402

CLONE_NEWNET = 0x40000000
ETH_P_ALL = 3
SO_RCVBUFFORCE = 33
PACKET_OUTGOING = 4

ROUTER, ROUTER6 = "10.77.0.1", "fd77::1"
APPLIANCE, APPLIANCE6 = "10.77.0.2", "fd77::2"
NEIGHBOUR, NEIGHBOUR6 = "10.77.0.3", "fd77::3"
INTERNET = ("198.51.100.0/24", "203.0.113.0/24", "192.0.2.0/24", "93.184.0.0/16", "2001:db8::/32")
TOOLS = ("ip", "unshare", "setpriv", "nsenter", "mount", "python3")

libc = ctypes.CDLL(None, use_errno=True)
sys.setswitchinterval(0.0005)  # servers and clients are threads of one interpreter


def need():
    """For the top of each test file."""
    harness.need_tools(*TOOLS)
    harness.enter_namespaces()
    if os.path.exists("/proc/1/ns/net") and not os.environ.get("IN_NAMESPACES"):
        harness.skip("no network namespace of its own")


def ip(*lines):
    subprocess.run(["ip", "-batch", "-"], input="\n".join(lines) + "\n", text=True, check=True)


def set_network(descriptor):
    if libc.setns(descriptor, CLONE_NEWNET) < 0:
        raise OSError(ctypes.get_errno(), "setns")


class Host:
    """Namespaces with a sleeping process in them. `with host:` what this thread does happens in its network."""

    def __init__(self, name, flags, prepare="true"):
        self.name = name
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self.init = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", *flags, "--fork", "--kill-child", "sh", "-c",
             f"ip link set lo up && {prepare} && echo ready && exec sleep 1000000"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        if self.init.stdout.readline() != "ready\n":
            raise RuntimeError(f"{name} could not be made")
        self.inside = harness.children_of(self.init.pid)[0]
        self.network = os.open(f"/proc/{self.inside}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        if os.fstat(self.network).st_ino == os.fstat(self.home).st_ino:
            raise RuntimeError(f"{name} has no network of its own")

    def __enter__(self):
        set_network(self.network)
        return self

    def __exit__(self, *_):
        set_network(self.home)

    def end(self):
        self.init.kill()
        self.init.wait()
        self.init.stdout.close()
        os.close(self.network)
        os.close(self.home)

    def entered(self, *command):
        return ["nsenter", "--target", str(self.inside), "--mount", "--net", "--ipc", "--pid", *map(str, command)]

    def run(self, *command, timeout=30, **options):
        return subprocess.run(self.entered(*command), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=timeout, check=False, **options)

    def must(self, *command, **options):
        done = self.run(*command, **options)
        if done.returncode != 0:
            raise RuntimeError(f"{self.name}: {' '.join(map(str, command))}: {done.stderr}")
        return done.stdout

    def popen(self, *command, **options):
        return subprocess.Popen(self.entered(*command), **{"stdin": subprocess.DEVNULL, **options})

    def socket(self, *arguments):
        with self:
            return socket.socket(*arguments)

    def thread(self, function, *arguments):
        """Runs a function in a thread that is in this network for good."""
        def work():
            set_network(self.network)
            function(*arguments)
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        return thread


class Here:
    """The test's own network, where a host is asked for."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def socket(self, *arguments):
        return socket.socket(*arguments)


class World:
    """with World() as world: …"""

    def __init__(self, resolvers=(ROUTER,)):
        self.resolvers = resolvers
        self.here = Here()

    def __enter__(self):
        self.cleanup = contextlib.ExitStack()
        try:
            self.make()
        except BaseException:
            self.cleanup.close()
            raise
        return self

    def __exit__(self, *_):
        self.cleanup.close()

    def make(self):
        for file in ("all", "default"):
            pathlib.Path(f"/proc/sys/net/ipv6/conf/{file}/accept_dad").write_text("0")
        ip("link add lan type bridge forward_delay 0 mcast_snooping 0", "link set lan up")
        self.cleanup.callback(ip, "link delete lan")
        ip(f"address add {ROUTER}/24 broadcast + dev lan", f"address add {ROUTER6}/64 dev lan nodad",
           *(f"route replace local {prefix} dev lo" for prefix in INTERNET))
        self.appliance = self.appliance_at("appliance", APPLIANCE, APPLIANCE6)
        self.neighbour = self.host("neighbour", ["--net"], NEIGHBOUR, NEIGHBOUR6, "true")
        self.capture = Capture(f"to-{self.appliance.name}")
        self.cleanup.callback(self.capture.close)

    def appliance_at(self, name, address, address6):
        """A host of its own processes and directories: what runs in it finds no daemon and no lock of this machine."""
        conf = "".join(f"nameserver {resolver}\\n" for resolver in self.resolvers)
        return self.host(
            name, ["--mount", "--pid", "--net", "--ipc", "--uts", "--mount-proc"], address, address6,
            "mount --make-rprivate / && mount -t tmpfs -o mode=755 run /run && mount -t tmpfs -o mode=1777 place /mnt && "
            f"printf '{conf}' >/run/resolv.conf && mount --bind /run/resolv.conf $(readlink -f /etc/resolv.conf)")

    def host(self, name, flags, address, address6, prepare):
        host = Host(name, flags, prepare)
        self.cleanup.callback(host.end)
        ip(f"link add to-{name} type veth peer name eth0 netns {host.inside}", f"link set to-{name} master lan up")
        self.cleanup.callback(ip, f"link delete to-{name}")  # now, and not when the kernel gets round to the namespace
        with host:
            ip("link set eth0 up", f"address add {address}/24 broadcast + dev eth0",
               f"address add {address6}/64 dev eth0 nodad", f"route add default via {ROUTER}",
               f"route add default via {ROUTER6}")
        return host

    def servers(self, *ports):
        """Echo servers on every address of the internet and of the router: "tcp:443", "udp:123"."""
        process = subprocess.Popen([sys.executable, str(HERE / "servers.py"), *ports], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True)
        self.cleanup.callback(stop_process, process)
        if process.stdout.readline() != "ready\n":
            raise RuntimeError("the servers do not start")
        return process


def stop_process(process):
    if process.poll() is None:
        process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream:
            stream.close()


class Capture:
    """Every packet that comes out of the appliance, as (time, bytes from the IP header on)."""

    def __init__(self, interface):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        self.socket.bind((interface, ETH_P_ALL))
        self.socket.setblocking(False)

    def close(self):
        self.socket.close()

    def drain(self):
        """What has come since the last time."""
        found = []
        while True:
            try:
                data, (_, protocol, kind, *_) = self.socket.recvfrom(65536)
            except BlockingIOError:
                return found
            if kind != PACKET_OUTGOING and protocol in (0x0800, 0x86dd):
                found.append((time.monotonic(), data))

    def settle(self, quiet=0.15, most=3):
        """What comes until nothing has come for a while."""
        found = self.drain()
        end = time.monotonic() + most
        while time.monotonic() < end and select.select([self.socket], [], [], quiet)[0]:
            found += self.drain()
        return found


class Arrivals:
    """What the appliance's own sockets are given: behind its packet filter."""
    PROTOCOLS = {socket.AF_INET: (1, 2, 4, 6, 17, 41, 47, 50, 51, 132, 136), socket.AF_INET6: (4, 6, 17, 41, 47, 50, 58, 132, 136)}

    def __init__(self, host):
        self.sockets = []
        with host:
            for family, protocols in self.PROTOCOLS.items():
                for protocol in protocols:
                    raw = socket.socket(family, socket.SOCK_RAW, protocol)
                    raw.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
                    raw.setblocking(False)
                    self.sockets.append(raw)

    def close(self):
        for raw in self.sockets:
            raw.close()

    def settle(self, quiet=0.3, most=3):
        found = []
        end = time.monotonic() + most
        while time.monotonic() < end:
            readable = select.select(self.sockets, [], [], quiet)[0]
            if not readable:
                break
            for raw in readable:
                with contextlib.suppress(BlockingIOError):
                    while True:
                        found.append((time.monotonic(), raw.recv(65536)))
        return found


def default_interface_index(host, name="eth0"):
    with host:
        return socket.if_nametoindex(name)


def sets_of(host):
    """Every address that is in any set of the kernel, in both backends' words, one text."""
    return host.run("nft", "list", "ruleset").stdout + host.run("ipset", "save").stdout


def tables_of(host):
    """The packet filter as it stands, without counters that move."""
    text = ""
    for command in (("nft", "list", "ruleset"), ("iptables-legacy-save",), ("ip6tables-legacy-save",), ("ipset", "save")):
        text += host.run(*command).stdout
    return re.sub(r"^# (Generated|Completed).*\n", "", text, flags=re.MULTILINE)
