# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets by hand, sent through the sender's packet filter (raw sockets with their own IP header), and whether they got to
where they go. Each carries a token; what was seen with the token in it, or with its IPv4 identification, has arrived."""
import itertools
import random
import socket
import struct

IP_NODEFRAG = 22
MORE = 0x2000

ICMP, IPIP, TCP, UDP, IPV6, GRE, ESP, ICMP6, SCTP, UDPLITE = 1, 4, 6, 17, 41, 47, 50, 58, 132, 136

numbers = itertools.count(random.randrange(1, 20000))


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def is6(address):
    return ":" in address


def packed(address):
    return socket.inet_pton(socket.AF_INET6 if is6(address) else socket.AF_INET, address)


def pseudo(source, target, protocol, size):
    if is6(source):
        return packed(source) + packed(target) + struct.pack("!IxxxB", size, protocol)
    return packed(source) + packed(target) + struct.pack("!xBH", protocol, size)


def with_checksum(source, target, protocol, data, place):
    value = checksum(pseudo(source, target, protocol, len(data)) + data) or 0xffff
    return data[:place] + struct.pack("!H", value) + data[place + 2:]


def tcp(source, target, sport, dport, payload=b"", flags=0x02, sequence=1000, acknowledge=0):
    data = struct.pack("!HHIIBBHHH", sport, dport, sequence, acknowledge, 5 << 4, flags, 64240, 0, 0) + payload
    return TCP, with_checksum(source, target, TCP, data, 16)


def udp(source, target, sport, dport, payload=b""):
    data = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload
    return UDP, with_checksum(source, target, UDP, data, 6)


def udplite(source, target, sport, dport, payload=b""):
    data = struct.pack("!HHHH", sport, dport, 0, 0) + payload  # RFC 3828: coverage 0 is everything
    return UDPLITE, with_checksum(source, target, UDPLITE, data, 6)


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def sctp(_source, _target, sport, dport, payload=b""):
    """An INIT chunk (RFC 9260 section 3.3.2); the token follows it as a parameter to be skipped."""
    parameter = struct.pack("!HH", 0x8001, 4 + len(payload)) + payload + bytes(-len(payload) % 4)
    chunk = struct.pack("!BBHIIHHI", 1, 0, 20 + len(parameter), 7, 65536, 1, 1, 7) + parameter
    header = struct.pack("!HHI", sport, dport, 0)
    value = crc32c(header + bytes(4) + chunk)
    return SCTP, header + struct.pack("<I", value) + chunk


def echo(source, target, payload=b"", icmp=None):
    six = is6(source)
    icmp = icmp if icmp is not None else (128 if six else 8)
    data = struct.pack("!BBHHH", icmp, 0, 0, random.randrange(65536), 1) + payload
    if six:
        return ICMP6, with_checksum(source, target, ICMP6, data, 2)
    return ICMP, data[:2] + struct.pack("!H", checksum(data)) + data[4:]


def ip(source, target, protocol, data, identification=0, fragment=0, hops=64, options=b"", extension=b""):
    """extension: IPv6 extension headers with the right next-header numbers in them; protocol is the first one's."""
    if is6(source):
        return struct.pack("!IHBB", 6 << 28, len(extension) + len(data), protocol, hops) + packed(source) + packed(target) + \
            extension + data
    words = 5 + len(options) // 4
    header = struct.pack("!BBHHHBBH", 4 << 4 | words, 0, 4 * words + len(data), identification, fragment, hops, protocol, 0) + \
        packed(source) + packed(target) + options
    header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
    return header + data


class Probe:
    """One thing that is tried: its packets, and what counts as arrived. arrives(packet): whether a packet that was seen is
    one of it."""

    def __init__(self, what, packets, token, target, nodefrag=False, arrives=None):
        self.what = what
        self.packets = packets
        self.token = token
        self.target = target
        self.nodefrag = nodefrag
        self.arrives = arrives or (lambda packet: self.token in packet)

    def __repr__(self):
        return self.what


class Prober:
    """Makes probes from a source to targets, IPv4 or IPv6 as the addresses are."""

    def __init__(self, source, source6):
        self.sources = {False: source, True: source6}
        self.sports = itertools.count(random.randrange(33000, 40000))

    def token(self):
        return b"probe:%06d" % next(numbers)

    def make(self, what, kind, target, port=None, sport=None, hops=64, **more):
        """kind: tcp, udp, udplite, sctp with ports; echo."""
        token = self.token()
        source = self.sources[is6(target)]
        sport = sport or next(self.sports)
        if kind is echo:
            protocol, data = echo(source, target, payload=token, **more)
        else:
            protocol, data = kind(source, target, sport, port, payload=token, **more)
        packet = ip(source, target, protocol, data, identification=next(numbers) & 0xffff, hops=hops)
        return Probe(what, [packet], token, target)

    def protocol(self, what, number, target, data=b""):
        """Any other protocol: its number, and what stands before the token."""
        token = self.token()
        source = self.sources[is6(target)]
        return Probe(what, [ip(source, target, number, data + token, identification=next(numbers) & 0xffff)], token, target)

    def inside(self, what, outer, target, inner_target, port, before=b"", number=None):
        """A TCP SYN in a packet of another protocol: before is what stands before the inner IP header."""
        inner = self.make(what, tcp, inner_target, port)
        source = self.sources[is6(target)]
        number = number if number is not None else outer
        packet = ip(source, target, number, before + inner.packets[0], identification=next(numbers) & 0xffff)
        return Probe(what, [packet], inner.token, target)

    def optioned(self, what, target, port, options):
        token = self.token()
        source = self.sources[False]
        protocol, data = tcp(source, target, next(self.sports), port, payload=token)
        return Probe(what, [ip(source, target, protocol, data, next(numbers) & 0xffff, options=options)], token, target)

    def extended(self, what, kind, target, port, headers):
        """IPv6 with extension headers: list of (number, bytes without the next-header byte)."""
        token = self.token()
        source = self.sources[True]
        protocol, data = kind(source, target, next(self.sports), port, payload=token)
        following = [number for number, _ in headers[1:]] + [protocol]
        extension = b"".join(bytes([after]) + rest for after, (_, rest) in zip(following, headers))
        return Probe(what, [ip(source, target, headers[0][0], data, extension=extension)], token, target)

    def fragments(self, what, kind, target, port, cuts, nodefrag, only=None, overlap=0, payload=64):
        """The same datagram in pieces: cuts are places in it, multiples of 8. IPv4: nodefrag keeps the sender's connection
        tracking from putting them together. only: which pieces are sent. overlap: bytes of each that the one before had."""
        token = self.token()
        source = self.sources[is6(target)]
        protocol, data = kind(source, target, next(self.sports), port, payload=token * (payload // len(token) + 1))
        number = next(numbers) & 0xffff
        edges = [0, *cuts, len(data)]
        pieces = []
        for index, (start, end) in enumerate(zip(edges, edges[1:])):
            start = max(0, start - overlap) if index else 0
            more = end < len(data)
            if is6(target):
                header = struct.pack("!BBHI", protocol, 0, start | more, number)
                pieces.append(ip(source, target, 44, data[start:end], extension=header))
            else:
                pieces.append(ip(source, target, protocol, data[start:end], number, start // 8 | (MORE if more else 0)))
        if only is not None:
            pieces = [pieces[index] for index in only]

        def arrives(packet):
            if token in packet:
                return True
            if is6(target):
                return packet[0] >> 4 == 6 and packet[6] == 44 and packet[44:48] == struct.pack("!I", number)
            return packet[0] >> 4 == 4 and packet[4:6] == struct.pack("!H", number) and \
                packet[12:20] == packed(source) + packed(target)
        return Probe(what, pieces, token, target, nodefrag=nodefrag, arrives=arrives)


class Sender:
    """Raw sockets of a host."""

    def __init__(self, host, interface="eth0"):
        with host:
            self.four = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
            self.whole = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
            self.six = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
            self.interface = socket.if_nametoindex(interface)
        for raw in (self.four, self.whole):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        self.whole.setsockopt(socket.IPPROTO_IP, IP_NODEFRAG, 1)

    def close(self):
        for raw in (self.four, self.whole, self.six):
            raw.close()

    def send(self, probe):
        raw = self.six if is6(probe.target) else self.whole if probe.nodefrag else self.four
        scoped = probe.target.startswith(("ff", "fe80"))
        target = (probe.target, 0, 0, self.interface) if scoped else (probe.target, 0)
        for packet in probe.packets:
            try:
                raw.sendto(packet, target)
            except OSError:
                pass  # refused on the spot (EPERM): it will not arrive

    def send_all(self, probes):
        for probe in probes:
            self.send(probe)


def arrived(probes, seen):
    """Which of the probes are among the packets that were seen."""
    packets = [packet for _, packet in seen]
    return [any(probe.arrives(packet) for packet in packets) for probe in probes]
