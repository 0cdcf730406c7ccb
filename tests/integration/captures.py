# SPDX-License-Identifier: GPL-2.0-or-later
"""Capture files made and turned into other forms: just enough of pcap and pcapng for the tests."""
import pathlib
import struct

ETHERNET, RAW, SLL, SLL2 = 1, 101, 113, 276


def read_pcap(path):
    """[(seconds, microseconds, bytes)] of a classic little- or big-endian pcap file."""
    data = pathlib.Path(path).read_bytes()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    at, packets = 24, []
    while at < len(data):
        seconds, fraction, captured, _ = struct.unpack_from(order + "IIII", data, at)
        packets.append((seconds, fraction, data[at + 16:at + 16 + captured]))
        at += 16 + captured
    return packets


def write_pcap(path, link_type, packets, snaplen=262144):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, snaplen, link_type))
        for seconds, fraction, frame in packets:
            file.write(struct.pack("<IIII", seconds, fraction, min(len(frame), snaplen), len(frame)))
            file.write(frame[:snaplen])


def block(kind, body):
    body += bytes(-len(body) % 4)
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


def write_pcapng(path, link_type, packets):
    with open(path, "wb") as file:
        file.write(block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)))
        file.write(block(1, struct.pack("<HHI", link_type, 0, 262144)))
        for seconds, fraction, frame in packets:
            ticks = seconds * 1000000 + fraction
            file.write(block(6, struct.pack("<IIIII", 0, ticks >> 32, ticks & 0xffffffff, len(frame), len(frame)) + frame))


def to_sll(frame, mac):
    """An Ethernet frame as the cooked capture of the station with that MAC would hold it."""
    direction = 4 if frame[6:12] == mac else 0 if frame[0:6] == mac else 1 if frame[0:6] == b"\xff" * 6 else \
        2 if frame[0] & 1 else 3
    return struct.pack(">HHH", direction, 1, 6) + frame[6:12] + b"\0\0" + frame[12:14] + frame[14:]


def to_sll2(frame, mac):
    cooked = to_sll(frame, mac)
    return frame[12:14] + b"\0\0" + struct.pack(">IHBB", 2, 1, cooked[1], 6) + frame[6:12] + b"\0\0" + frame[14:]


def to_vlan(frame, tag=77):
    return frame[:12] + struct.pack(">HH", 0x8100, tag) + frame[12:]


def is_ip(frame):
    return frame[12:14] in (b"\x08\x00", b"\x86\xdd")
