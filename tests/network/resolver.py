# SPDX-License-Identifier: GPL-2.0-or-later
"""A DNS server whose answers are the test's to say, forged ones too, and a stub resolver to ask it with."""
import random
import select
import socket
import struct
import threading
import time

A, CNAME, TXT, AAAA, OPT, HTTPS = 1, 5, 16, 28, 41, 65
NOERROR, SERVFAIL, NXDOMAIN = 0, 2, 3
TC = 0x0200


def wire_name(name):
    if not name:
        return b"\0"
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def read_name(data, place):
    labels, jumped, jumps = [], None, 0
    while True:
        size = data[place]
        if size >= 0xc0:
            jumped = jumped or place + 2
            place = (size & 0x3f) << 8 | data[place + 1]
            jumps += 1
            if jumps > 50:
                raise ValueError("loop")
        elif size == 0:
            return ".".join(labels), jumped or place + 1
        else:
            labels.append(data[place + 1:place + 1 + size].decode("latin-1"))
            place += 1 + size


def record(name, kind, ttl, data):
    """name: None stands for the question's, as a pointer to it (RFC 1035 section 4.1.4)."""
    return (b"\xc0\x0c" if name is None else wire_name(name)) + struct.pack("!HHIH", kind, 1, ttl, len(data)) + data


def address_record(name, address, ttl):
    if ":" in address:
        return record(name, AAAA, ttl, socket.inet_pton(socket.AF_INET6, address))
    return record(name, A, ttl, socket.inet_pton(socket.AF_INET, address))


def question_bytes(number, name, kind, edns=0):
    extra = b"\0" + struct.pack("!HHIH", OPT, edns, 0, 0) if edns else b""
    return struct.pack("!6H", number, 0x0100, 1, 0, 0, 1 if edns else 0) + wire_name(name) + struct.pack("!HH", kind, 1) + extra


class Question:
    def __init__(self, data, transport):
        self.raw = data
        self.transport = transport
        self.time = time.monotonic()
        self.id, self.flags, count, _, _, additional = struct.unpack("!6H", data[:12])
        self.written, place = read_name(data, 12) if count else ("", 12)
        self.kind = struct.unpack("!H", data[place:place + 2])[0] if count else 0
        self.section = data[12:place + 4]
        self.name = self.written.lower()
        self.size = 512
        if additional and data[place + 4:place + 7] == b"\0\0\x29":
            self.size = struct.unpack("!H", data[place + 7:place + 9])[0]

    def answer(self, records=(), rcode=NOERROR, flags=0, number=None, section=None, additional=()):
        """The answer's bytes, which others than the resolver may also send."""
        return struct.pack("!6H", self.id if number is None else number, 0x8180 | flags | rcode, 1, len(records), 0,
                           len(additional)) + (self.section if section is None else section) + b"".join(records) + \
            b"".join(additional)


class Zone:
    """What a name has: addresses of both families, or the name it is another word for. extra: further records."""

    def __init__(self, *addresses, ttl=300, alias=None, extra=(), delay=0, rcode=NOERROR, truncate=False):
        self.addresses = addresses
        self.ttl = ttl
        self.alias = alias
        self.extra = list(extra)
        self.delay = delay
        self.rcode = rcode
        self.truncate = truncate


class Resolver:
    """Answers on port 53 of addresses of this network namespace, UDP and TCP.

    zones: name → Zone, or a function of the question that returns one (None: NXDOMAIN); "*" for all others.
    meddle: a function(resolver, question, peer, socket) that is called before the answer is sent; True: no answer follows.
    asked: every question that came."""

    def __init__(self, *addresses):
        self.zones = {}
        self.asked = []
        self.meddle = None
        self.closing = False
        self.sockets = []
        self.threads = []
        for address in addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            datagram = socket.socket(family, socket.SOCK_DGRAM)
            stream = socket.socket(family, socket.SOCK_STREAM)
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            for sock in (datagram, stream):
                sock.bind((address, 53))
                self.sockets.append(sock)
            stream.listen(64)
            self.threads += [threading.Thread(target=self.serve_udp, args=(datagram,), daemon=True),
                             threading.Thread(target=self.serve_tcp, args=(stream,), daemon=True)]
        for thread in self.threads:
            thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.closing = True
        for thread in self.threads:
            thread.join()
        for sock in self.sockets:
            sock.close()

    def names_asked(self):
        return {question.name if question else None for question in self.asked}

    def zone_of(self, question, name):
        zone = self.zones.get(name, self.zones.get("*"))
        return zone(question) if callable(zone) else zone

    def respond(self, question):
        """The answer's bytes and how long it takes."""
        zone = self.zone_of(question, question.name)
        if zone is None:
            return question.answer(rcode=NXDOMAIN), 0
        first, name, records, delay = zone, question.name, [], zone.delay
        while zone is not None and zone.alias:
            records.append(record(name, CNAME, zone.ttl, wire_name(zone.alias)))
            name = zone.alias
            zone = self.zone_of(question, name)
        if zone is not None:
            records += [address_record(None if name == question.name else name, address, zone.ttl) for address in zone.addresses
                        if question.kind == (AAAA if ":" in address else A)]
            records += zone.extra
        data = question.answer(records, first.rcode)
        if question.transport == "udp" and (first.truncate or len(data) > question.size):
            data = question.answer(flags=TC, rcode=first.rcode)
        return data, delay

    def serve_udp(self, datagram):
        while not self.closing:
            if not select.select([datagram], [], [], 0.1)[0]:
                continue
            data, peer = datagram.recvfrom(65536)
            self.take(datagram, data, peer)

    def take(self, datagram, data, peer):
        try:
            question = Question(data, "udp")
        except (IndexError, struct.error):
            self.asked.append(None)
            return
        self.asked.append(question)
        if self.meddle and self.meddle(self, question, peer, datagram):
            return
        answer, delay = self.respond(question)
        if delay:
            threading.Timer(delay, datagram.sendto, (answer, peer)).start()
        else:
            datagram.sendto(answer, peer)

    def serve_tcp(self, listener):
        while not self.closing:
            if select.select([listener], [], [], 0.1)[0]:
                threading.Thread(target=self.stream, args=(listener.accept()[0],), daemon=True).start()

    def stream(self, connection):
        with connection:
            connection.settimeout(10)
            try:
                while True:
                    size = struct.unpack("!H", read_exactly(connection, 2))[0]
                    question = Question(read_exactly(connection, size), "tcp")
                    self.asked.append(question)
                    answer, delay = self.respond(question)
                    time.sleep(delay)
                    connection.sendall(struct.pack("!H", len(answer)) + answer)
            except (OSError, EOFError):
                pass


def read_exactly(connection, size):
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


class Answer:
    def __init__(self, data, seconds):
        self.raw = data
        self.seconds = seconds
        self.id, flags, questions, answers, _, _ = struct.unpack("!6H", data[:12])
        self.rcode = flags & 15
        self.truncated = bool(flags & TC)
        self.addresses, self.ttl = [], None
        place = 12
        for _ in range(questions):
            place = read_name(data, place)[1] + 4
        for _ in range(answers):
            _, place = read_name(data, place)
            kind, _, ttl, size = struct.unpack("!HHIH", data[place:place + 10])
            content = data[place + 10:place + 10 + size]
            place += 10 + size
            if kind in (A, AAAA):
                self.addresses.append(socket.inet_ntop(socket.AF_INET if kind == A else socket.AF_INET6, content))
                self.ttl = ttl if self.ttl is None else min(ttl, self.ttl)


class Stub:
    """Asks from a host (world.Host)."""

    def __init__(self, host, server):
        self.host = host
        self.server = server
        self.family = socket.AF_INET6 if ":" in server else socket.AF_INET

    def open(self, kind=socket.SOCK_DGRAM):
        return self.host.socket(self.family, kind)

    def ask(self, name, kind=A, timeout=3, edns=0, tcp=False, number=None):
        """The answer, None when none came in time."""
        number = random.randrange(65536) if number is None else number
        data = question_bytes(number, name, kind, edns)
        begin = time.monotonic()
        with self.open(socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as sock:
            sock.settimeout(timeout)
            try:
                sock.connect((self.server, 53))
                if tcp:
                    sock.sendall(struct.pack("!H", len(data)) + data)
                    size = struct.unpack("!H", read_exactly(sock, 2))[0]
                    return Answer(read_exactly(sock, size), time.monotonic() - begin)
                sock.send(data)
                while True:
                    got = sock.recv(65536)
                    if struct.unpack("!H", got[:2])[0] == number:
                        return Answer(got, time.monotonic() - begin)
            except (OSError, EOFError):
                return None

    def addresses(self, name, kind=A, **options):
        answer = self.ask(name, kind, **options)
        return answer.addresses if answer else []
