# SPDX-License-Identifier: GPL-2.0-or-later
"""The appliance's network from outside: what of it arrives in the world, and who calls it from there."""
import contextlib
import ctypes
import os
import select
import socket
import struct
import time

CLONE_NEWNET = 0x40000000
ETH_P_ALL = 3
PACKET_OUTGOING = 4
DEVICE = "10.77.0.2"
TCP, UDP = 6, 17
ICMP_ECHO = 8

libc = ctypes.CDLL(None, use_errno=True)


def enter_network(descriptor):
    if libc.setns(descriptor, CLONE_NEWNET) < 0:
        raise OSError(ctypes.get_errno(), "setns")


def network_of(pid):
    return os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def packed(address):
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)


class Outside:
    """The world, by a process in it, for one who is in the device's network."""

    def __init__(self, pid, device):
        self.network = network_of(pid)
        self.device = device
        if os.fstat(self.network).st_ino in (os.stat("/proc/self/ns/net").st_ino, os.fstat(device).st_ino):
            raise RuntimeError("the world has no network of its own")
        with self.entered():
            self.capture = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
            self.capture.bind(("world", ETH_P_ALL))

    @contextlib.contextmanager
    def entered(self):
        enter_network(self.network)
        try:
            yield
        finally:
            enter_network(self.device)

    def arrivals(self, seconds=0.0):
        """The packets from the device that have come since the last time, and come in that time."""
        found = []
        end = time.monotonic() + seconds
        while select.select([self.capture], [], [], max(0, end - time.monotonic()))[0]:
            data, (_, _, kind, *_) = self.capture.recvfrom(65536)
            if kind != PACKET_OUTGOING:
                found.append(data)
        return found

    def call(self, port):
        """Whether the device takes a connection at that port."""
        with self.entered():
            caller = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        with caller:
            caller.settimeout(1)
            return caller.connect_ex((DEVICE, port)) == 0


def is_to(packet, address, protocol=None, port=None):
    """Whether an IP packet goes there."""
    six = packet[0] >> 4 == 6
    target = packet[24:40] if six else packet[16:20]
    if target != packed(address) or protocol not in (None, packet[6] if six else packet[9]):
        return False
    transport = packet[40:] if six else packet[4 * (packet[0] & 15):]
    return port is None or struct.unpack_from("!H", transport, 2)[0] == port


def send_echo(address, payload):
    """An echo request with something in it; raises OSError when the kernel refuses it."""
    data = struct.pack("!BBHHH", ICMP_ECHO, 0, 0, 7, 1) + payload + bytes(len(payload) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xffff)
    data = data[:2] + struct.pack("!H", ~(total + (total >> 16)) & 0xffff) + data[4:]
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as raw:
        raw.sendto(data, (address, 0))


def listen(port):
    back_door = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    back_door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    back_door.bind(("", port))
    back_door.listen(1)
    return back_door
